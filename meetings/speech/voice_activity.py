"""Where there is a voice, by Silero's small model that faster-whisper carries.

It finds the stretches of speech where no diarization has done so, and gives a second opinion on phrases that look
invented.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from meetings.speech.audio import SAMPLE_RATE, map_audio, read_audio
from meetings.speech.chunks import Region
from meetings.telemetry import no_telemetry

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Silero's own default is 0.5; music and tones pass it at times, speech over noise fails it rarely at 0.5.
SPEECH_PROBABILITY = 0.5
MIN_SPEECH_MS = 200
MIN_SILENCE_MS = 160
STEP = 512  # samples; what the model looks at
# It is run over a recording in parts of this length, so that hours need not be in memory.
PART = 600.0  # seconds


def find_speech(audio: Path) -> tuple[Region, ...]:
    """The stretches of a decoded WAV with speech, without air around them.

    Raises:
        RecordingError: it is not a 16 kHz mono 16-bit WAV.
    """
    no_telemetry()
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=SPEECH_PROBABILITY,
        min_speech_duration_ms=MIN_SPEECH_MS,
        min_silence_duration_ms=MIN_SILENCE_MS,
        speech_pad_ms=0,
    )
    duration = len(map_audio(audio)) / SAMPLE_RATE
    found: list[Region] = []
    start = 0.0
    while start < duration:
        sound = read_audio(audio, start, start + PART)
        found += [
            Region(start=start + stretch["start"] / SAMPLE_RATE, end=start + stretch["end"] / SAMPLE_RATE)
            for stretch in get_speech_timestamps(sound, options)
        ]
        start += PART
    return tuple(found)


def voice_probability(sound: npt.NDArray[np.float32]) -> float:
    """How sure the model is of a voice in a short sound: its second most voiced step, for one alone may be a click."""
    no_telemetry()
    import numpy as np
    from faster_whisper.vad import get_vad_model

    whole = np.pad(sound, (0, -len(sound) % STEP + STEP))
    steps = np.sort(np.asarray(get_vad_model()(whole)).reshape(-1))
    return float(steps[-2] if len(steps) > 1 else steps[-1])
