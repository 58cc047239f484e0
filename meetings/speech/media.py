"""What ffmpeg says about a recording, and ffmpeg itself.

There is no ffprobe beside imageio-ffmpeg's binary, so the tracks are read from the description that ffmpeg prints. What
a WAV's header claims against its own content is read from the file.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from meetings.errors import (
    FfmpegMissingError,
    NoAudioError,
    NotMediaError,
    RecordingError,
    TruncatedMediaError,
)

# Playlists and the like must not open anything but local files.
LOCAL_ONLY = "file,pipe"
RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000)  # Hz, in common use
LOG_LIMIT = 4_000_000  # bytes of ffmpeg's log that are read: a broken file can fill a disk with complaints
_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)")
_TRACK = re.compile(
    r"Stream #0:\d+(?:\[\w+\])?(?:\((?P<language>\w+)\))?: Audio: (?P<codec>\w+).*?, (?P<rate>\d+) Hz, "
    r"(?P<layout>[^,\n]+)(?P<rest>[^\n]*)"
)
# What ffmpeg says, and what that means to a user; the first that matches counts.
_NO_AUDIO = re.compile(r"does not contain any stream|matches no streams|Output file is empty|no audio stream", re.I)
_TRUNCATED = re.compile(r"moov atom not found|Invalid NAL unit size|partial file|End of file", re.I)
_BROKEN = re.compile(r"Invalid data found when processing input|Error opening input|could not find codec", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """An audio track: codec, sample rate in Hz, channels, language (ISO 639-2, "" if the container names none)."""

    codec: str
    rate: int
    channels: int
    language: str = ""
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A recording as its container describes it: audio tracks, announced seconds (0: none), ffmpeg's own words."""

    tracks: tuple[Track, ...]
    announced: float
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WavHeader:
    """Where a WAV's header contradicts the file.

    `closed`: the length was filled in at the end. `short`: it covers only a part of the samples, which go on behind it.
    `other_rate`: the sample rate in Hz that its byte rate implies, if that is another common one than it states.
    """

    closed: bool = True
    short: bool = False
    other_rate: int | None = None


def ffmpeg_binary() -> Path:
    """The ffmpeg that is used: the system's, else imageio-ffmpeg's.

    Raises:
        FfmpegMissingError: there is none.
    """
    if found := shutil.which("ffmpeg"):
        return Path(found)
    try:
        import imageio_ffmpeg

        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise FfmpegMissingError from error


def probe(recording: Path) -> Media:
    """What the container says about a recording.

    Raises:
        FfmpegMissingError: there is no ffmpeg.
    """
    command = ["-hide_banner", "-nostdin", "-protocol_whitelist", LOCAL_ONLY, "-i", f"file:{recording}"]
    _, log = run_ffmpeg([str(ffmpeg_binary()), *command])
    return Media(tracks=read_tracks(log), announced=_announced(log), log=log)


def read_tracks(log: str) -> tuple[Track, ...]:
    """The audio tracks in ffmpeg's description of its input."""
    described = log.split("Output #0", maxsplit=1)[0]
    return tuple(
        Track(
            codec=found["codec"],
            rate=int(found["rate"]),
            channels=_channels(found["layout"].strip()),
            language="" if found["language"] in {None, "und"} else found["language"],
            default="(default)" in found["rest"],
        )
        for found in _TRACK.finditer(described)
    )


def run_ffmpeg(arguments: Sequence[str], tell: Callable[[float], None] | None = None) -> tuple[int, str]:
    """Run ffmpeg; its exit code and what it said. `tell` gets the seconds written. Killed if we are interrupted.

    Raises:
        FfmpegMissingError: it cannot be started.
    """
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        except OSError as error:
            raise FfmpegMissingError from error
        try:
            assert process.stdout is not None
            for line in process.stdout:
                key, _, value = line.strip().partition("=")
                if tell is not None and key == "out_time_us" and value.isdigit():
                    tell(int(value) / 1e6)
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        return code, _read_log(log)


def read_wav_header(recording: Path) -> WavHeader | None:
    """What is contradictory in a WAV's header; None if the file is no WAV."""
    size = recording.stat().st_size
    stated, other_rate = 0, None
    with recording.open("rb") as file:
        start = file.read(12)
        if start[:4] != b"RIFF" or start[8:] != b"WAVE":
            return None
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                end = file.tell() + length
                if length == 0 or end > size:
                    return WavHeader(closed=False, other_rate=other_rate)
                file.seek(end + length % 2)
                return WavHeader(short=not _chunks_follow(file, size), other_rate=other_rate)
            if name == b"fmt " and length >= 16:
                _, _, stated, byte_rate, align, _ = struct.unpack("<HHIIHH", file.read(16))
                implied = byte_rate // align if align else 0
                other_rate = implied if implied != stated and implied in RATES else None
                length -= 16
            file.seek(length + length % 2, 1)
    return WavHeader(closed=False)


def explain(recording: Path, log: str) -> RecordingError:
    """Why nothing came out."""
    if _TRUNCATED.search(log) and not _NO_AUDIO.search(log):
        return TruncatedMediaError(recording, "the file breaks off before it can be read; copy or download it again")
    if _NO_AUDIO.search(log) or ("Input #0" in log and "Audio:" not in log):
        return NoAudioError(recording, "has no audio track; record the call with sound")
    if "Input #0" in log and not _BROKEN.search(log):
        return NoAudioError(recording, "has an audio track without any sound in it")
    return NotMediaError(recording, "is not audio or video that ffmpeg can read")


def _announced(log: str) -> float:
    match = _DURATION.search(log)
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else 0.0


def _channels(layout: str) -> int:
    """The channels of a layout as ffmpeg names it; 6 stands for any surround sound."""
    if layout.startswith(("mono", "1 channel")):
        return 1
    if layout.startswith(("stereo", "downmix", "2 channels")):
        return 2
    return 6


def _chunks_follow(file: IO[bytes], size: int) -> bool:
    """Whether what stands behind the samples is nothing, or another chunk that fits into the file."""
    here = file.tell()
    header = file.read(8)
    if len(header) < 8:
        return True
    name, length = struct.unpack("<4sI", header)
    return all(32 <= c < 127 for c in name) and here + 8 + length <= size + 1


def _read_log(log: IO[bytes]) -> str:
    """The log, of a very long one the beginning and the end."""
    size = log.seek(0, 2)
    log.seek(0)
    if size <= LOG_LIMIT:
        return log.read().decode("utf-8", errors="replace")
    head = log.read(LOG_LIMIT // 2)
    log.seek(-LOG_LIMIT // 2, 2)
    return (head + b"\n" + log.read()).decode("utf-8", errors="replace")
