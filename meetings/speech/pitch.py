"""Which of two sample rates makes voices sound like people: by their pitch.

Speech read at twice its rate is an octave too high. Between two candidates a median over voiced frames decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meetings.speech.audio import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TYPICAL = 155.0  # Hz: between the medians of men (about 120) and women (about 200); Traunmüller & Eriksson 1995
LOWEST, HIGHEST = 40.0, 800.0  # Hz; wide, for one of the rates is wrong
WINDOW = 1024  # samples, 64 ms: two and a half periods of the lowest pitch
VOICED = 0.6  # of the energy: how alike a frame is to itself one period later


def likelier_rate(samples: npt.NDArray[np.int16], stated: int, other: int) -> int:
    """The rate (Hz) at which the pitch is nearer to people's. `samples` were decoded at 16 kHz by the stated rate."""
    import math

    pitch = median_pitch(samples)
    if pitch is None:
        return stated
    return min((stated, other), key=lambda rate: abs(math.log(pitch * rate / stated / TYPICAL)))


def median_pitch(samples: npt.NDArray[np.int16], count: int = 600) -> float | None:
    """The median pitch in Hz of the loudest frames that are voiced; None if hardly any is."""
    import numpy as np

    frames = len(samples) // WINDOW
    if frames == 0:
        return None
    # Frames from the whole recording, half of them loud.
    chosen = np.unique(np.linspace(0, frames - 1, min(4 * count, frames)).astype(int))
    sound = np.stack([samples[n * WINDOW : (n + 1) * WINDOW] for n in chosen]).astype(np.float64)
    sound -= sound.mean(axis=1, keepdims=True)
    power = (sound**2).mean(axis=1)
    sound = sound[power >= np.quantile(power, 0.5)]
    spectrum = np.fft.rfft(sound, 2 * WINDOW, axis=1)
    alike = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :WINDOW]
    # The further the shift, the less of the frame is left to compare.
    alike *= WINDOW / (WINDOW - np.arange(WINDOW)) / np.maximum(alike[:, :1], 1e-9)
    first, last = int(SAMPLE_RATE / HIGHEST), int(SAMPLE_RATE / LOWEST)
    pitches = []
    for frame in alike[:, first : last + 1]:
        best = float(frame.max())
        if best > VOICED:
            # Twice the period fits as well: the first peak that is nearly as high is the period.
            peaks = np.flatnonzero((frame[1:-1] >= frame[:-2]) & (frame[1:-1] > frame[2:]) & (frame[1:-1] > 0.9 * best))
            if len(peaks):
                pitches.append(SAMPLE_RATE / (first + 1 + int(peaks[0])))
    return float(np.median(pitches)) if len(pitches) >= 20 else None
