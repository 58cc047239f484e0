"""Decoded sound is read from disk in pieces, never held several times."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from meetings.errors import RecordingError
from meetings.speech.audio import SAMPLE_RATE, audio_blocks, load_audio, map_audio, read_audio


def a_wav(path: Path, samples: np.ndarray, *, rate: int = SAMPLE_RATE, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    """Two seconds whose samples count up."""
    return a_wav(tmp_path / "ramp.wav", np.arange(2 * SAMPLE_RATE))


def test_the_map_holds_the_samples_of_the_file_and_cannot_be_written(ramp: Path) -> None:
    samples = map_audio(ramp)
    assert isinstance(samples, np.memmap)
    assert samples.dtype == np.int16
    assert samples.shape == (2 * SAMPLE_RATE,)
    assert samples[:3].tolist() == [0, 1, 2]
    with pytest.raises(ValueError):
        samples[0] = 1


def test_samples_are_found_behind_other_chunks(ramp: Path, tmp_path: Path) -> None:
    raw = ramp.read_bytes()
    other = tmp_path / "list.wav"
    # An odd chunk is padded to an even length (RIFF); a naive reader lands one byte off.
    other.write_bytes(raw[:36] + b"LIST\x03\x00\x00\x00abc\x00" + raw[36:])
    assert map_audio(other)[:3].tolist() == [0, 1, 2]
    assert len(map_audio(other)) == 2 * SAMPLE_RATE


def test_a_header_that_promises_too_much_is_not_believed(ramp: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(ramp.read_bytes()[: 44 + 2000])
    assert len(map_audio(cut)) == 1000


def test_a_stretch_is_cut_by_seconds_and_scaled_to_one(ramp: Path) -> None:
    stretch = read_audio(ramp, 0.5, 1.0)
    assert stretch.dtype == np.float32
    assert len(stretch) == SAMPLE_RATE // 2
    assert stretch[0] == pytest.approx(8000 / 32768)


def test_a_stretch_beyond_the_sound_is_what_there_is_of_it(ramp: Path) -> None:
    assert len(read_audio(ramp, -1.0, 0.25)) == SAMPLE_RATE // 4
    assert len(read_audio(ramp, 1.75, 9.0)) == SAMPLE_RATE // 4
    assert len(read_audio(ramp, 5.0, 9.0)) == 0


def test_the_whole_file_is_the_map_scaled(ramp: Path) -> None:
    assert np.array_equal(load_audio(ramp), map_audio(ramp).astype(np.float32) / 32768)


def test_blocks_are_the_whole_file_in_order(tmp_path: Path) -> None:
    samples = np.arange(5 * SAMPLE_RATE // 2) % 30_000
    blocks = list(audio_blocks(a_wav(tmp_path / "long.wav", samples), seconds=1))
    assert [len(b) for b in blocks] == [SAMPLE_RATE, SAMPLE_RATE, SAMPLE_RATE // 2]
    assert np.array_equal(np.concatenate(blocks), samples)


def test_a_wav_without_samples_is_empty_not_an_error(tmp_path: Path) -> None:
    empty = a_wav(tmp_path / "empty.wav", np.zeros(0))
    assert map_audio(empty).shape == (0,)
    assert load_audio(empty).shape == (0,)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (SAMPLE_RATE, 2)])
def test_sound_of_another_form_is_refused(tmp_path: Path, rate: int, channels: int) -> None:
    other = a_wav(tmp_path / "other.wav", np.zeros(1000), rate=rate, channels=channels)
    with pytest.raises(RecordingError, match="16 kHz mono"):
        map_audio(other)


def test_what_is_no_wav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("not a WAV at all")
    with pytest.raises(RecordingError, match="no WAV"):
        map_audio(tmp_path / "notes.wav")
