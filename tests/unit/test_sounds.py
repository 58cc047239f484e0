"""The sounds without speech are what they say: as loud as asked, the same every time, without a seam."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from meetings.speech.audio import load_audio
from tests import sounds
from tests.sounds import LOOP, NOT_SPEECH, RATE


def level(samples: np.ndarray) -> float:
    return float(10 * np.log10((samples.astype(np.float64) ** 2).mean()))


@pytest.mark.parametrize("name", NOT_SPEECH)
def test_a_sound_has_the_length_asked_for_and_is_the_same_again(name: str) -> None:
    make = NOT_SPEECH[name]
    samples = make(LOOP + 3)
    assert samples.dtype == np.float32
    assert len(samples) == round((LOOP + 3) * RATE)
    assert np.abs(samples).max() <= 1.0
    assert np.array_equal(samples, make(LOOP + 3))


@pytest.mark.parametrize("name", [n for n in NOT_SPEECH if n != "silence"])
def test_an_hour_goes_on_as_it_began(name: str) -> None:
    hour = NOT_SPEECH[name](3600)
    assert len(hour) == 3600 * RATE
    first, last = hour[: 60 * RATE], hour[-60 * RATE :]
    assert level(last) == pytest.approx(level(first), abs=1.5)


@pytest.mark.parametrize("name", ["fan", "hold tone", "dial tone", "hold music", "choir", "pink noise"])
def test_the_seam_of_the_loop_is_not_heard(name: str) -> None:
    samples = NOT_SPEECH[name](2 * LOOP)
    steps = np.abs(np.diff(samples))
    seam = round(LOOP * RATE) - 1
    assert steps[seam] <= np.quantile(steps, 0.9999)


@pytest.mark.parametrize("asked", [-50.0, -30.0])
def test_a_sound_is_as_loud_as_asked(asked: float) -> None:
    for make in (sounds.white, sounds.brown, sounds.fan, sounds.hold_music, sounds.hold_tone):
        assert level(make(LOOP, level=asked)) == pytest.approx(asked, abs=0.1)


def test_tones_are_at_their_frequencies() -> None:
    def strongest(samples: np.ndarray, count: int) -> list[float]:
        spectrum = np.abs(np.fft.rfft(samples[: 4 * RATE]))
        return sorted(np.argsort(spectrum)[-count:] / 4)

    assert strongest(sounds.hold_tone(5), 1) == pytest.approx([440], abs=0.5)
    assert strongest(sounds.dial_tone(5), 2) == pytest.approx([350, 440], abs=0.5)


def test_brown_noise_falls_by_six_decibels_an_octave() -> None:
    spectrum = np.abs(np.fft.rfft(sounds.brown(LOOP))) ** 2
    frequency = np.fft.rfftfreq(round(LOOP * RATE), 1 / RATE)
    low, high = (spectrum[(frequency > f) & (frequency < 1.2 * f)].mean() for f in (500, 1000))
    assert 10 * np.log10(low / high) == pytest.approx(6, abs=0.5)


def test_speech_lies_over_a_sound_by_the_ratio_asked_for() -> None:
    speech = np.zeros(10 * RATE, dtype=np.float32)
    speech[2 * RATE : 4 * RATE] = sounds.white(2, level=-25)
    mixed = sounds.over(speech, sounds.hold_music(30), snr=10)
    under = mixed - speech
    assert len(mixed) == len(speech)
    assert level(speech[2 * RATE : 4 * RATE]) - level(under) == pytest.approx(10, abs=0.3)


def test_a_written_sound_is_read_back(tmp_path: Path) -> None:
    samples = sounds.fan(2)
    path = sounds.write_wav(tmp_path / "fan.wav", samples)
    assert load_audio(path) == pytest.approx(samples, abs=1e-4)
