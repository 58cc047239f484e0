"""How loud a decoded recording is, and what is wrong with its sound: too quiet, clipped, off centre, narrow.

Everything is measured in one pass over the file, a minute at a time. Speech is what stands out of the
background: a recording in which nothing does is never made louder, for its noise would become words.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meetings.speech.audio import SAMPLE_RATE, audio_blocks, map_audio

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FRAME = SAMPLE_RATE // 50  # 20 ms
QUIET = -30.0  # dB of full scale: speech whose peaks lie below is lifted
TARGET = -3.0  # dB of full scale: where its peaks go
MAX_GAIN = 60.0  # dB
STANDS_OUT = 12.0  # dB above the background
MIN_SPEECH = 25  # frames that stand out, half a second
OFF_CENTRE = 0.01  # of full scale: a constant offset beyond this is taken out
CLIPPED = 0.02  # share of the loud frames that reach full scale again and again
ROUNDING = 1e-10  # of full scale: the power that rounding to 16 bits makes by itself
FULL_SCALE = 32_600  # of 32,767: resampling rounds the corners of clipped sound
TELEPHONE = 4_200.0  # Hz: above this telephone sound has nothing
NARROW = -50.0  # dB of the band above against that of speech


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What was measured: `peak` of speech in dB of full scale (None: nothing stands out of the background), `offset`
    from the centre in [-1, 1], `clipped` share of the loud frames, `narrow`: nothing above `TELEPHONE`."""

    peak: float | None
    offset: float
    clipped: float
    narrow: bool

    @property
    def gain(self) -> float:
        """The one gain in dB that the whole recording gets: 0 unless it is very quiet."""
        if self.peak is None or self.peak >= QUIET:
            return 0.0
        return round(min(TARGET - self.peak, MAX_GAIN), 1)


def measure(path: Path) -> Loudness:
    """Measure a decoded recording.

    Raises:
        RecordingError: it is not a 16 kHz mono 16-bit WAV.
    """
    import numpy as np

    peaks, powers, full = [], [], []
    offset = 0.0
    for block in audio_blocks(path):
        if len(block) < FRAME:
            break
        frames = block[: len(block) // FRAME * FRAME].reshape(-1, FRAME)
        full.append((np.abs(frames.astype(np.int32)) >= FULL_SCALE).sum(axis=1, dtype=np.int32))
        sound = frames.astype(np.float32) / np.float32(32768)
        mean = float(sound.mean())
        offset += mean * sound.size
        sound -= np.float32(mean)
        peaks.append(np.abs(sound).max(axis=1))
        powers.append((sound**2).mean(axis=1))
    if not peaks:
        return Loudness(peak=None, offset=0.0, clipped=0.0, narrow=False)
    peak, power, at_full = np.concatenate(peaks), np.concatenate(powers), np.concatenate(full)
    # Digital silence (muted, or filled gaps) is no background.
    heard = power > ROUNDING
    background = float(np.quantile(power[heard], 0.1)) if heard.any() else 0.0
    loud = power > max(background, ROUNDING) * 10 ** (STANDS_OUT / 10)
    speech = peak[loud]
    return Loudness(
        # The 99th percentile: a slammed door does not decide how loud the talk is.
        peak=float(20 * np.log10(np.quantile(speech, 0.99))) if len(speech) >= MIN_SPEECH else None,
        offset=offset / (len(power) * FRAME),
        clipped=float((at_full[loud] >= 3).mean()) if loud.any() else 0.0,
        narrow=_is_narrow(map_audio(path), np.flatnonzero(loud)),
    )


def _is_narrow(samples: npt.NDArray[np.int16], loud: npt.NDArray[np.int64], count: int = 400) -> bool:
    """Whether the loud frames have nothing above the band of a telephone; `count` of them are looked at."""
    import numpy as np

    if len(loud) < MIN_SPEECH:
        return False
    chosen = loud[np.linspace(0, len(loud) - 1, min(count, len(loud))).astype(int)]
    window = np.hanning(FRAME)
    frequency = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)
    spectrum = np.zeros(len(frequency))
    for frame in chosen:
        spectrum += np.abs(np.fft.rfft(window * samples[frame * FRAME : (frame + 1) * FRAME])) ** 2
    above = spectrum[frequency > TELEPHONE].mean()
    within = spectrum[(frequency > 300) & (frequency < 3400)].mean()
    return bool(10 * np.log10(max(above, 1e-12) / max(within, 1e-12)) < NARROW)
