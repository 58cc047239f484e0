"""Only what is far too quiet is lifted, by one gain, and never a recording without speech in it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from meetings.speech.loudness import CLIPPED, Loudness, measure
from tests import sounds
from tests.sounds import RATE


def talk(level: float, *, background: float = -75.0) -> np.ndarray:
    """Ten seconds in which something is heard every other second, as loud as speech of that level (dB)."""
    loud = sounds.choir(10, level=level)
    loud[np.arange(len(loud)) // RATE % 2 == 1] = 0
    return loud + sounds.white(10, level=background)


def measured(folder: Path, samples: np.ndarray) -> Loudness:
    path = folder / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return measure(path)


def as_int(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


def test_a_recording_of_common_loudness_is_left_alone(tmp_path: Path) -> None:
    assert measured(tmp_path, as_int(talk(-25))).gain == 0.0


def test_a_very_quiet_one_is_lifted_to_just_below_full_scale(tmp_path: Path) -> None:
    quiet = talk(-58, background=-90)
    found = measured(tmp_path, as_int(quiet))
    assert found.peak is not None
    assert found.peak + found.gain == pytest.approx(-3, abs=0.1)
    assert np.quantile(np.abs(quiet), 0.99) * 10 ** (found.gain / 20) < 1


def test_a_slammed_door_does_not_keep_quiet_talk_quiet(tmp_path: Path) -> None:
    quiet = talk(-58, background=-90)
    quiet[RATE : RATE + RATE // 50] = 0.9 * (-1) ** np.arange(RATE // 50)
    assert measured(tmp_path, as_int(quiet)).gain > 30


@pytest.mark.parametrize("make", [sounds.silence, sounds.white, sounds.fan, sounds.hold_tone])
def test_a_quiet_recording_without_speech_is_not_made_loud(make: object, tmp_path: Path) -> None:
    assert callable(make)
    sound = make(10) if make is sounds.silence else make(10, level=-65)
    assert measured(tmp_path, as_int(sound)).gain == 0.0


def test_no_sound_at_all_can_be_measured(tmp_path: Path) -> None:
    assert measured(tmp_path, np.zeros(0, dtype=np.int16)).gain == 0.0


def test_clipped_sound_is_known_from_loud_sound(tmp_path: Path) -> None:
    assert measured(tmp_path, as_int(talk(-20) * 20)).clipped > CLIPPED
    assert measured(tmp_path, as_int(talk(-20))).clipped == 0.0


def test_an_offset_is_measured_and_does_not_count_as_loudness(tmp_path: Path) -> None:
    quiet = talk(-58, background=-90)
    found = measured(tmp_path, as_int(quiet + 0.2))
    assert found.offset == pytest.approx(0.2, abs=0.001)
    assert found.gain == pytest.approx(measured(tmp_path, as_int(quiet)).gain, abs=0.2)


def test_telephone_sound_is_known_by_what_it_lacks(tmp_path: Path) -> None:
    wide = talk(-25) + sounds.pink(10, level=-30) * (np.arange(10 * RATE) // RATE % 2 == 0)
    spectrum = np.fft.rfft(wide)
    spectrum[np.fft.rfftfreq(len(wide), 1 / RATE) > 3900] = 0
    assert measured(tmp_path, as_int(np.fft.irfft(spectrum))).narrow
    assert not measured(tmp_path, as_int(wide)).narrow
