"""Decoded sound on disk: 16 kHz 16-bit WAVs that every stage maps or reads in pieces.

No stage holds its own copy of a recording: three hours are 345 MB as samples and 690 MB as float32. `decoding` makes
these files.
"""

from __future__ import annotations

import struct
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from meetings.errors import RecordingError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE_RATE = 16_000  # Hz; what Whisper, pyannote's segmentation and CAM++ were all trained on


def map_audio(path: Path) -> npt.NDArray[np.int16]:
    """A decoded WAV as it lies on disk: 16-bit samples, shape (samples,), read-only, not in memory until touched.

    Whoever works in pieces takes slices of this map.

    Raises:
        RecordingError: it is not a 16 kHz mono 16-bit WAV.
    """
    return _mapped(path, channels=1)


def audio_blocks(path: Path, *, channels: int = 1, seconds: int = 60) -> Iterator[npt.NDArray[np.int16]]:
    """A decoded WAV from beginning to end, so many seconds at a time: shape (samples,) or (samples, channels).

    A map that is walked through stays in memory page by page; here every block has a map of its own.

    Raises:
        RecordingError: it is not a 16 kHz 16-bit WAV with that many channels.
    """
    size = seconds * SAMPLE_RATE
    for start in range(0, len(_mapped(path, channels=channels)), size):
        yield _mapped(path, channels=channels)[start : start + size]


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
