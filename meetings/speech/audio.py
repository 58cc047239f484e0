"""Any recording becomes 16 kHz mono, through ffmpeg.

The result is a 16-bit WAV on disk that every later stage reads (and can map) instead of holding its own copy. ffmpeg is
built by ffmpeg-python's graph and run over the system's binary, else the one that imageio-ffmpeg carries.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meetings.errors import (
    FfmpegMissingError,
    NoAudioError,
    NotMediaError,
    RecordingError,
    RecordingNotFoundError,
    StorageError,
    TruncatedMediaError,
)
from meetings.progress import Progress, no_progress

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE_RATE = 16_000  # Hz; what Whisper, pyannote's segmentation and CAM++ were all trained on

_DURATION = re.compile(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)")
# What ffmpeg says, and what that means to a user; the first that matches counts.
_DISK_FULL = re.compile(r"No space left on device")
_NO_AUDIO = re.compile(r"does not contain any stream|matches no streams|Output file is empty|no audio stream", re.I)
_TRUNCATED = re.compile(r"moov atom not found|Invalid NAL unit size|partial file|End of file", re.I)
_BROKEN = re.compile(r"Invalid data found when processing input|Error opening input|could not find codec", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioInfo:
    """A decoded recording: its path, length in seconds, and what was odd about it."""

    path: Path
    duration: float
    warnings: tuple[str, ...] = ()


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


def decode_audio(recording: Path, destination: Path, *, progress: Progress = no_progress) -> AudioInfo:
    """Decode the first audio track of a recording to a 16 kHz mono 16-bit WAV.

    Args:
        recording: any container and codec that ffmpeg reads.
        destination: where the WAV goes; it appears whole or not at all.
        progress: told the fraction done, by the length that the container announces.

    Raises:
        RecordingError: missing, not media, no audio, cut off; see the subclasses.
        StorageError: the disk is full or the folder cannot be written.
    """
    if not recording.is_file():
        raise RecordingNotFoundError(recording)
    if recording.stat().st_size == 0:
        raise NotMediaError(recording, "the file is empty")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # One name for each destination: what a killed process leaves behind is overwritten by the next, not kept.
        target = destination.with_name(f".{destination.stem}.part.wav")
        target.touch(mode=0o600)
    except OSError as error:
        raise StorageError(destination, error.strerror or str(error)) from error
    try:
        code, log = _run(recording, target, progress)
        if _DISK_FULL.search(log):
            raise StorageError(destination, "no space left on device; free some space and run the command again")
        duration = _wav_duration(target)
        if duration <= 0.0:
            raise _explain(recording, log)
        target.replace(destination)
    finally:
        target.unlink(missing_ok=True)
    return AudioInfo(path=destination, duration=duration, warnings=_warnings(recording, code, log, duration))


def map_audio(path: Path) -> npt.NDArray[np.int16]:
    """A decoded WAV as it lies on disk: 16-bit samples, shape (samples,), read-only, not in memory until touched.

    Three hours are 345 MB as samples and 690 MB as float32: whoever works in pieces takes slices of this map.

    Raises:
        RecordingError: it is not a 16 kHz mono 16-bit WAV.
    """
    return _mapped(path, channels=1)


def read_audio(path: Path, start: float, end: float) -> npt.NDArray[np.float32]:
    """The stretch from `start` to `end` (seconds) of a decoded WAV as float32 in [-1, 1], shape (samples,).

    What lies before the first or after the last sample is left out, so the result can be shorter than asked.

    Raises:
        RecordingError: it is not a 16 kHz mono 16-bit WAV.
    """
    first, last = (max(0, round(t * SAMPLE_RATE)) for t in (start, end))
    return _as_float(map_audio(path)[first:last])


def load_audio(path: Path) -> npt.NDArray[np.float32]:
    """A whole decoded WAV as float32 in [-1, 1], shape (samples,): 230 MB an hour.

    Raises:
        RecordingError: it is not a 16 kHz mono 16-bit WAV.
    """
    return _as_float(map_audio(path))


def _as_float(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    import numpy as np

    return np.multiply(samples, np.float32(1 / 32768), dtype=np.float32)


def _mapped(path: Path, *, channels: int) -> npt.NDArray[np.int16]:
    """The samples of a WAV of ours: (samples,) for one channel, else (samples, channels)."""
    import numpy as np

    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            frames = file.getnframes()
        offset = _data_offset(path)
    except (wave.Error, EOFError) as error:
        raise RecordingError(path, f"is no WAV ({error})") from error
    if form != (SAMPLE_RATE, channels, 2):
        kind = "mono" if channels == 1 else f"{channels}-channel"
        raise RecordingError(path, f"is not 16 kHz {kind} 16-bit; decode it first")
    # A writer that was killed leaves a header that promises more than there is.
    frames = min(frames, (path.stat().st_size - offset) // (2 * channels))
    shape = (frames,) if channels == 1 else (frames, channels)
    if frames == 0:  # an empty file cannot be mapped
        return np.empty(shape, dtype=np.int16)
    return np.memmap(path, dtype="<i2", mode="r", offset=offset, shape=shape)


def _data_offset(path: Path) -> int:
    """Where the samples begin: behind the header of the chunk `data`, which need not be the second one."""
    with path.open("rb") as file:
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", header)
            if name == b"data":
                return file.tell()
            file.seek(size + size % 2, 1)
    raise EOFError("no data chunk")


def _run(recording: Path, target: Path, progress: Progress) -> tuple[int, str]:
    """Run ffmpeg; its exit code and what it said. Killed if we are interrupted."""
    import ffmpeg

    # `file:` keeps names with colons or leading dashes from being read as protocols or options; the whitelist keeps
    # playlists and the like from opening anything but local files.
    graph = ffmpeg.input(f"file:{recording}", protocol_whitelist="file,pipe").output(
        f"file:{target}", map="0:a:0", ac=1, ar=SAMPLE_RATE, acodec="pcm_s16le", f="wav", map_metadata=-1, bitexact=None
    )
    arguments = ffmpeg.compile(
        graph.global_args("-hide_banner", "-nostdin", "-vn", "-sn", "-dn", "-progress", "pipe:1", "-nostats"),
        cmd=str(ffmpeg_binary()),
        overwrite_output=True,
    )
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        except OSError as error:
            raise FfmpegMissingError from error
        try:
            assert process.stdout is not None
            total = 0.0
            for line in process.stdout:
                if total <= 0.0:
                    total = _announced(log)
                key, _, value = line.strip().partition("=")
                if key == "out_time_us" and value.isdigit() and total > 0.0:
                    progress(min(1.0, int(value) / 1e6 / total))
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        log.seek(0)
        return code, log.read().decode("utf-8", errors="replace")


def _announced(log: object) -> float:
    """The length in seconds that the container announces, 0 if it does not."""
    import os

    assert hasattr(log, "fileno")
    match = _DURATION.search(os.pread(log.fileno(), 65536, 0).decode("utf-8", errors="replace"))
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else 0.0


def _wav_duration(path: Path) -> float:
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / SAMPLE_RATE
    except (wave.Error, EOFError, OSError):
        return 0.0


def _explain(recording: Path, log: str) -> RecordingError:
    """Why nothing came out."""
    if _TRUNCATED.search(log) and not _NO_AUDIO.search(log):
        return TruncatedMediaError(recording, "the file breaks off before it can be read; copy or download it again")
    if _NO_AUDIO.search(log) or ("Input #0" in log and "Audio:" not in log):
        return NoAudioError(recording, "has no audio track; record the call with sound")
    if "Input #0" in log and not _BROKEN.search(log):
        return NoAudioError(recording, "has an audio track without any sound in it")
    return NotMediaError(recording, "is not audio or video that ffmpeg can read")


def _warnings(recording: Path, code: int, log: str, duration: float) -> tuple[str, ...]:
    """What a user should know about a recording that could be read only in part."""
    match = _DURATION.search(log)
    announced = int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else duration
    if code != 0 or duration < 0.9 * announced - 1.0:
        return (f"{recording.name} is damaged: {duration:.0f} s of sound could be read of {announced:.0f} s announced",)
    return ()
