"""Sounds in which nobody speaks, made by rule: silence, noise, a fan, tones, hold music, a choir, keys.

A recogniser must find no words in them. Everything is float32 in [-1, 1] at 16 kHz, seeded and thus the same on every
machine; `level` is the root mean square in dB of full scale. Sounds are made as loops of some twenty seconds whose end
meets their beginning, and `lasting` tiles them, so that an hour costs a copy.
"""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 16_000  # Hz
LOOP = 19.2  # seconds: eight bars of four beats at 100 beats a minute
Samples = npt.NDArray[np.float32]


# Noise


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def noise(
    seconds: float, *, slope: float = 0.0, low: float = 20.0, high: float = 7900.0, level: float = -40
) -> Samples:
    """Noise whose power falls by `slope` per octave of 3 dB: 0 is white, 1 pink, 2 brown; within `low` to `high` Hz."""
    return lasting(_levelled(_shaped(slope, low, high, seed=1), level), seconds)


def white(seconds: float, *, level: float = -40) -> Samples:
    """White noise."""
    return noise(seconds, slope=0, level=level)


def pink(seconds: float, *, level: float = -40) -> Samples:
    """Pink noise."""
    return noise(seconds, slope=1, level=level)


def brown(seconds: float, *, level: float = -40) -> Samples:
    """Brown noise."""
    return noise(seconds, slope=2, level=level)


def fan(seconds: float, *, level: float = -35) -> Samples:
    """A fan: rushing air, the hum of its motor, the beat of its blades, slowly swelling."""
    t = _clock()
    air = _levelled(_shaped(1.2, 60, 4000, seed=2), -20)
    hum = sum(10 ** (-k / 8) * np.sin(2 * np.pi * _fits(50 * k) * t + k) for k in range(1, 9))
    blades = 1 + 0.15 * np.sin(2 * np.pi * _fits(23) * t)
    swell = 1 + 0.4 * np.sin(2 * np.pi * t / LOOP)
    return lasting(_levelled((air * blades + 0.03 * hum) * swell, level), seconds)


def keyboard(seconds: float, *, level: float = -38) -> Samples:
    """Somebody types: clicks of keys going down and up, in bursts, over a quiet room."""
    rng = np.random.default_rng(3)
    out = 10 ** (-65 / 20) * _shaped(1.0, 20, 7900, seed=4)
    at = 0.3
    while at < LOOP - 0.5:
        for delay, gain in ((0.0, 1.0), (0.08 + 0.03 * rng.random(), 0.5)):
            length = round(0.012 * RATE)
            t = np.arange(length) / RATE
            thump = np.sin(2 * np.pi * rng.uniform(180, 420) * t) * np.exp(-t * 300)
            click = rng.standard_normal(length) * np.exp(-t * rng.uniform(500, 1200))
            _add(out, at + delay, gain * rng.uniform(0.5, 1.0) * (click + thump))
        at += rng.uniform(0.09, 0.22) if rng.random() > 0.12 else rng.uniform(0.6, 1.8)
    return lasting(_levelled(out, level), seconds)


# Tones


def hold_tone(seconds: float, *, frequency: float = 440.0, level: float = -20) -> Samples:
    """One steady tone."""
    return lasting(_levelled(np.sin(2 * np.pi * _fits(frequency) * _clock()), level), seconds)


def dial_tone(seconds: float, *, level: float = -20) -> Samples:
    """The dial tone of North America: 350 and 440 Hz (ITU-T E.180, supplement 2)."""
    t = _clock()
    return lasting(_levelled(np.sin(2 * np.pi * _fits(350) * t) + np.sin(2 * np.pi * _fits(440) * t), level), seconds)


def ringback(seconds: float, *, level: float = -20) -> Samples:
    """Ringing at the other end in Europe: 425 Hz, one second on, four seconds off (ITU-T E.180)."""
    t = np.arange(5 * RATE) / RATE
    on = np.clip(np.minimum(t, 1.0 - t) * 200, 0, 1)
    return lasting(_levelled(np.sin(2 * np.pi * 425 * t) * on, level), seconds)


# Music


def hold_music(seconds: float, *, level: float = -23) -> Samples:
    """Music on hold: chords of strings, a bass, a bell and a flute in turn with a tune, and drums."""
    out = np.zeros(round(LOOP * RATE))
    beat = LOOP / 32
    chords = [(57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62)] * 2  # Am F C G
    tune = [76, 0, 74, 72, 69, 0, 72, 74, 76, 0, 79, 76, 74, 72, 74, 0] * 2
    for bar, chord in enumerate(chords):
        at = bar * 4 * beat
        for note in chord:
            _add(out, at, 0.10 * _strings(_hertz(note), 4 * beat))
        for eighth in range(0, 8, 2):
            _add(out, at + eighth * beat / 2, 0.35 * _plucked(_hertz(chord[0] - 24), beat, harmonics=4, decay=4))
    for number, note in enumerate(tune):
        voice = _bell if number < 16 else _flute
        if note:
            _add(out, number * beat, 0.22 * voice(_hertz(note), 1.5 * beat))
    rng = np.random.default_rng(5)
    for number in range(64):
        at = number * beat / 2
        _add(out, at, 0.06 * _burst(rng, 0.04, decay=120, bright=True))
        if number % 4 == 0:
            _add(out, at, 0.5 * _kick())
        if number % 4 == 2:
            _add(out, at, 0.25 * _burst(rng, 0.18, decay=22, bright=False))
    return lasting(_levelled(out, level), seconds)


def choir(seconds: float, *, level: float = -23) -> Samples:
    """Voices that hold vowels in chords: as near to speech as sound without words comes."""
    vowels = {"a": (730, 1090, 2440), "o": (570, 840, 2410), "u": (300, 870, 2240), "e": (530, 1840, 2480)}
    out = np.zeros(round(LOOP * RATE))
    for bar, (vowel, chord) in enumerate(
        zip("aoueaoua", [(57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62)] * 2, strict=True)
    ):
        for note in chord:
            _add(out, bar * LOOP / 8, _sung(_hertz(note), LOOP / 8, vowels[vowel]))
    return lasting(_levelled(out, level), seconds)


NOT_SPEECH: dict[str, Callable[[float], Samples]] = {
    "silence": silence,
    "white noise": white,
    "pink noise": pink,
    "brown noise": brown,
    "fan": fan,
    "keyboard": keyboard,
    "hold tone": hold_tone,
    "dial tone": dial_tone,
    "ringback": ringback,
    "hold music": hold_music,
    "choir": choir,
}


# Putting together


def lasting(loop: npt.ArrayLike, seconds: float) -> Samples:
    """A loop, repeated or cut to a length."""
    sound = np.asarray(loop, dtype=np.float32)
    return np.resize(sound, round(seconds * RATE))


def over(speech: Samples, sound: Samples, *, snr: float) -> Samples:
    """Speech over another sound that is `snr` dB weaker than the speech where it is heard; scaled down if it clips."""
    frame = RATE // 50
    whole = speech[: len(speech) // frame * frame].reshape(-1, frame).astype(np.float64)
    power = (whole**2).mean(axis=1)
    heard = power[power > 0.01 * power.max()].mean()
    under = np.resize(sound, len(speech)).astype(np.float64)
    mixed = speech + under * np.sqrt(heard / 10 ** (snr / 10) / (under**2).mean())
    return (mixed / max(1.0, np.abs(mixed).max() / 0.99)).astype(np.float32)


def write_wav(path: Path, samples: npt.NDArray[np.floating], *, rate: int = RATE) -> Path:
    """A 16-bit WAV of samples of shape (samples,) or (samples, channels); what is beyond full scale is clipped."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        for at in range(0, len(samples), RATE * 60):
            block = np.clip(samples[at : at + RATE * 60], -1.0, 32767 / 32768)
            file.writeframes(np.round(block * 32768).clip(-32768, 32767).astype("<i2").tobytes())
    return path


# Parts


def _clock() -> npt.NDArray[np.float64]:
    return np.arange(round(LOOP * RATE)) / RATE


def _fits(frequency: float) -> float:
    """The nearest frequency whose waves fill the loop exactly, so that its seam is not heard."""
    return round(frequency * LOOP) / LOOP


def _levelled(samples: npt.ArrayLike, level: float) -> npt.NDArray[np.float64]:
    """Scaled to a root mean square of `level` dB, or as near to it as its peaks allow."""
    sound = np.asarray(samples, dtype=np.float64)
    sound = sound * 10 ** (level / 20) / np.sqrt((sound**2).mean())
    return sound / max(1.0, float(np.abs(sound).max()) / 0.99)


def _shaped(slope: float, low: float, high: float, *, seed: int) -> npt.NDArray[np.float64]:
    """Noise made in the frequency domain, which makes it meet itself at the seam; unit power."""
    size = round(LOOP * RATE)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    weight = np.where((frequency >= low) & (frequency <= high), np.maximum(frequency, 1.0) ** (-slope / 2), 0.0)
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(frequency))
    sound = np.fft.irfft(weight * np.exp(1j * phase), size)
    return sound / sound.std()


def _add(loop: npt.NDArray[np.float64], at: float, sound: npt.NDArray[np.float64]) -> None:
    """Add a sound at a time in seconds; what rings beyond the end rings on at the beginning."""
    where = (round(at * RATE) + np.arange(len(sound))) % len(loop)
    np.add.at(loop, where, sound)


def _hertz(note: int) -> float:
    """The frequency of a MIDI note."""
    return float(440 * 2 ** ((note - 69) / 12))


def _time(seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(round(seconds * RATE)) / RATE


def _swell(t: npt.NDArray[np.float64], rise: float, fall: float) -> npt.NDArray[np.float64]:
    """Up within `rise` seconds, down within the last `fall`."""
    return np.minimum(np.clip(t / rise, 0, 1), np.clip((t[-1] - t) / fall, 0, 1))


def _strings(frequency: float, seconds: float) -> npt.NDArray[np.float64]:
    t = _time(seconds)
    sound = np.zeros_like(t)
    for detune in (0.997, 1.0, 1.004):
        for k in range(1, 13):
            if frequency * k < 6000:
                sound += np.sin(2 * np.pi * frequency * detune * k * t + k) / k**1.2
    return sound * _swell(t, 0.15, 0.25)


def _plucked(frequency: float, seconds: float, *, harmonics: int, decay: float) -> npt.NDArray[np.float64]:
    t = _time(seconds)
    sound = sum(np.sin(2 * np.pi * frequency * k * t) * np.exp(-decay * k * t) / k for k in range(1, harmonics + 1))
    return np.asarray(sound * _swell(t, 0.003, 0.02))


def _bell(frequency: float, seconds: float) -> npt.NDArray[np.float64]:
    """Frequency modulation with an inharmonic ratio (Chowning 1973)."""
    t = _time(seconds)
    index = 3 * np.exp(-4 * t)
    return np.asarray(
        np.sin(2 * np.pi * frequency * t + index * np.sin(2 * np.pi * 1.4 * frequency * t)) * np.exp(-3 * t)
    )


def _flute(frequency: float, seconds: float) -> npt.NDArray[np.float64]:
    t = _time(seconds)
    turning = 2 * np.pi * frequency * t + 2.0 * np.sin(2 * np.pi * 5 * t)
    sound = np.sin(turning) + 0.3 * np.sin(2 * turning) + 0.1 * np.sin(3 * turning)
    return np.asarray(sound * _swell(t, 0.06, 0.08))


def _kick() -> npt.NDArray[np.float64]:
    t = _time(0.2)
    return np.asarray(np.sin(2 * np.pi * (50 * t + 6 * (1 - np.exp(-25 * t)))) * np.exp(-18 * t))


def _burst(rng: np.random.Generator, seconds: float, *, decay: float, bright: bool) -> npt.NDArray[np.float64]:
    """A burst of noise: a snare, or with its lows taken out a hi-hat."""
    t = _time(seconds)
    sound = rng.standard_normal(len(t)) * np.exp(-decay * t)
    return np.diff(sound, prepend=0.0) if bright else sound


def _sung(frequency: float, seconds: float, formants: tuple[int, int, int]) -> npt.NDArray[np.float64]:
    """A vowel: harmonics of a pitch with vibrato, each as strong as the formants (Peterson & Barney 1952) make it."""
    t = _time(seconds)
    turning = 2 * np.pi * frequency * t + 0.25 * np.sin(2 * np.pi * 5.5 * t)
    sound = np.zeros_like(t)
    for k in range(1, int(3500 / frequency) + 1):
        strength = sum(g / (1 + ((k * frequency - f) / 90) ** 2) for f, g in zip(formants, (1, 0.5, 0.2), strict=True))
        sound += strength * np.sin(k * turning)
    return sound * _swell(t, 0.12, 0.2)
