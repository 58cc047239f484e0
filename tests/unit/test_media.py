"""What ffmpeg prints and what a WAV's header claims are understood."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest

from meetings.speech.media import Track, WavHeader, read_tracks, read_wav_header
from meetings.speech.pitch import likelier_rate, median_pitch
from tests import sounds
from tests.sounds import RATE

LOG = """Input #0, matroska,webm, from 'file:meeting.mkv':
  Duration: 00:10:01.23, start: 0.000000, bitrate: 120 kb/s
  Stream #0:0[0x1](und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(progressive), 1280x720, 1 fps (default)
  Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 24000 Hz, mono, fltp, 44 kb/s (default)
  Stream #0:2(deu): Audio: opus, 48000 Hz, stereo, fltp
  Stream #0:3: Audio: pcm_s16le ([1][0][0][0] / 0x0001), 44100 Hz, 5.1(side), s16, 1411 kb/s
  Stream #0:4: Audio: pcm_mulaw ([7][0][0][0] / 0x0007), 8000 Hz, 2 channels, s16, 128 kb/s
Output #0, wav, to 'file:out.wav':
  Stream #0:0: Audio: pcm_s16le ([1][0][0][0] / 0x0001), 16000 Hz, mono, s16, 256 kb/s
"""


def test_the_audio_tracks_of_a_recording_are_read_and_nothing_else() -> None:
    assert read_tracks(LOG) == (
        Track(codec="aac", rate=24_000, channels=1, default=True),
        Track(codec="opus", rate=48_000, channels=2, language="deu"),
        Track(codec="pcm_s16le", rate=44_100, channels=6),
        Track(codec="pcm_mulaw", rate=8_000, channels=2),
    )


def a_wav(
    path: Path, *, length: int | None = None, rate: int = RATE, byte_rate: int = 2 * RATE, after: bytes = b""
) -> Path:
    samples = np.arange(1000, dtype="<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, rate, byte_rate, 2, 16)
    size = len(samples) if length is None else length
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + samples + after
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


def test_a_sound_header_has_nothing_to_say(tmp_path: Path) -> None:
    assert read_wav_header(a_wav(tmp_path / "good.wav")) == WavHeader()
    assert read_wav_header(a_wav(tmp_path / "tagged.wav", after=b"LIST\x04\x00\x00\x00INFO")) == WavHeader()


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 5000])
def test_a_recorder_that_was_killed_left_a_length_that_cannot_be(tmp_path: Path, length: int) -> None:
    assert read_wav_header(a_wav(tmp_path / "killed.wav", length=length)) == WavHeader(closed=False)


def test_samples_behind_the_stated_length_are_seen(tmp_path: Path) -> None:
    assert read_wav_header(a_wav(tmp_path / "short.wav", length=600)) == WavHeader(short=True)


def test_two_rates_in_one_header_are_seen(tmp_path: Path) -> None:
    assert read_wav_header(a_wav(tmp_path / "two.wav", rate=44_100)) == WavHeader(other_rate=16_000)
    # A byte rate that stands for no common rate is carelessness, not a second opinion.
    assert read_wav_header(a_wav(tmp_path / "odd.wav", byte_rate=12_345)) == WavHeader()


def test_what_is_no_wav_has_no_wav_header(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("not a WAV")
    assert read_wav_header(tmp_path / "notes.wav") is None


def test_a_wav_of_empty_chunks_is_not_walked_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "hollow.wav"
    path.write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    with path.open("r+b") as file:
        file.truncate(2**33)  # takes no room on the disk
    began = time.monotonic()
    assert read_wav_header(path) == WavHeader(closed=False)
    assert time.monotonic() - began < 60


def test_a_format_that_breaks_off_is_a_header_that_was_not_closed(tmp_path: Path) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00")
    assert read_wav_header(path) == WavHeader(closed=False)


def voice(pitch: float) -> np.ndarray:
    """Ten seconds of a buzz with the harmonics of a voice, half of them silent."""
    t = np.arange(10 * RATE) / RATE
    wave = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
    wave = 0.05 * wave * (np.arange(len(t)) // (RATE // 2) % 2) + sounds.white(10, level=-60)
    return (wave * 32768).astype(np.int16)


@pytest.mark.parametrize("pitch", [75.0, 120.0, 210.0, 420.0])
def test_the_pitch_of_a_voice_is_found(pitch: float) -> None:
    assert median_pitch(voice(pitch)) == pytest.approx(pitch, rel=0.03)


def test_noise_has_no_pitch() -> None:
    assert median_pitch((sounds.white(10) * 32768).astype(np.int16)) is None


@pytest.mark.parametrize(
    ("pitch", "stated", "other", "true"),
    [
        (120, 16_000, 8_000, 16_000),
        (420, 16_000, 8_000, 8_000),
        (60, 8_000, 16_000, 16_000),
        (200, 8_000, 44_100, 8_000),
    ],
)
def test_of_two_rates_the_one_is_taken_at_which_voices_sound_like_people(
    pitch: float, stated: int, other: int, true: int
) -> None:
    assert likelier_rate(voice(pitch), stated, other) == true
