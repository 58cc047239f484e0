"""What ffmpeg says about a recording, and ffmpeg itself.

There is no ffprobe beside imageio-ffmpeg's binary, so the tracks are read from the description that ffmpeg prints. What
a WAV's header claims against its own content is read from the file.
"""

from __future__ import annotations

import re
import shutil
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from meetings.errors import (
    FfmpegMissingError,
    MediaLimitError,
    NoAudioError,
    NotMediaError,
    RecordingError,
    RecordingNotFoundError,
    TruncatedMediaError,
)
from meetings.speech.confined import Ended, Limits, run_confined

# No demuxer may open anything but local files; pipe is what its progress is told through.
LOCAL_ONLY = "file,pipe"
# Containers that hold their own sound. Whatever names other files is not among them (hls, dash, concat, sdp, imf,
# ffmetadata, lavfi, image sequences), nor is what nobody records a call in.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,gsm,loas,matroska,webm,mov,mp4,m4a,3gp,3g2,mp3,mpeg,mpegts,"
    "mxf,nut,ogg,sln,tta,voc,w64,wav,wv"
)
# Decoders that may be opened: those of sound, and of pictures those that calls are recorded in. ffmpeg opens a
# picture's only to describe it, but without that the clock begins at the sound where that starts later (measured).
CODECS = (
    "h264,hevc,vp8,vp9,libvpx,av1,libdav1d,mpeg4,mpeg2video,wmv3,vc1,"
    "aac,aac_fixed,aac_latm,libfdk_aac,ac3,ac3_fixed,eac3,adpcm_g722,g722,g726,adpcm_g726,adpcm_ima_qt,adpcm_ima_wav,"
    "adpcm_ms,adpcm_swf,adpcm_yamaha,alac,amrnb,amrwb,amr_nb,amr_wb,libopencore_amrnb,libopencore_amrwb,ape,dca,flac,"
    "g729,gsm,gsm_ms,libgsm,libgsm_ms,ilbc,libilbc,mp1,mp1float,mp2,mp2float,mp3,mp3float,nellymoser,opus,libopus,"
    "pcm_alaw,pcm_mulaw,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_s8,pcm_u8,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,"
    "pcm_s32be,pcm_s32le,pcm_u16be,pcm_u16le,speex,libspeex,truehd,tta,vorbis,libvorbis,wavpack,wmav1,wmav2,wmapro,"
    "wmalossless,wmavoice"
)
MAX_TRACKS = 64  # a track for each participant of a large call
SLOWEST, FASTEST = 2_000, 768_000  # Hz: outside, a rate is a mistake or a trap for the resampler
MAX_CHUNKS = 1_000  # of a WAV before its sound; a gigabyte of nothing has a hundred million
MAX_HOURS = 24.0  # announced, unless the settings say otherwise
PATIENCE = 600.0  # seconds that ffmpeg has for any file; a long one adds a quarter of its announced length
RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000)  # Hz, in common use
# At the beginning of a line: a title can hold the same words.
_DURATION = re.compile(r"^ {2,4}Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", re.M)
_TRACK = re.compile(
    r"^ {2,4}Stream #0:\d+(?:\[\w+\])?(?:\((?P<language>\w+)\))?: Audio: (?P<codec>\w+)[^\n]*?, (?P<rate>\d+) Hz, "
    r"(?P<layout>[^,\n]+)(?P<rest>[^\n]*)",
    re.M,
)
# What ffmpeg says, and what that means to a user; the first that matches counts.
_NO_AUDIO = re.compile(r"does not contain any stream|matches no streams|Output file is empty|no audio stream", re.I)
_TRUNCATED = re.compile(r"moov atom not found|Invalid NAL unit size|partial file|End of file", re.I)
# A low score: nothing but the end of its name speaks for the kind.
_NOT_TAKEN = re.compile(r"Format not on whitelist|detected only with low score of 1,", re.I)
_NO_MEMORY = re.compile(r"Cannot allocate memory|pthread_create\(\) failed", re.I)
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


def probe(recording: Path, *, shown: Path | str | None = None) -> Media:
    """What the container says about a recording; `shown` is what errors call it, its path if None.

    Raises:
        FfmpegMissingError: there is no ffmpeg.
        RecordingError: it is no file, or describing it takes too long.
    """
    check_file(recording, shown=shown)
    ended = run_confined(
        [str(ffmpeg_binary()), "-hide_banner", "-nostdin", *_pairs(input_options()), "-i", f"file:{recording}"],
        Limits(seconds=PATIENCE / 10),
    )
    if ended.limit:
        raise passed_limit(shown or recording, ended)
    return Media(tracks=read_tracks(ended.log), announced=_announced(ended.log), log=ended.log)


def input_options() -> dict[str, str | int]:
    """ffmpeg's options for any input of ours: what it may open, and with how many threads."""
    return {
        "protocol_whitelist": LOCAL_ONLY,
        "format_whitelist": CONTAINERS,
        "codec_whitelist": CODECS,
        "max_streams": 1000,
        "threads": 1,
    }


def check_file(recording: Path, *, shown: Path | str | None = None) -> None:
    """That a recording is a file with something in it; links to files are followed.

    Raises:
        RecordingError: it is missing, empty, or a pipe, a device or a socket, which may never end.
    """
    name = shown or recording
    try:
        found = recording.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise RecordingNotFoundError(name) from None
    except (OSError, ValueError) as error:
        raise RecordingError(name, f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if not stat.S_ISREG(found.st_mode):
        raise RecordingError(name, "is no file but a folder, a pipe, a device or a socket; give a recording's file")
    if found.st_size == 0:
        raise NotMediaError(name, "the file is empty")


def check_bounds(media: Media, name: Path | str, *, max_hours: float) -> None:
    """That what a container announces is within reason, before anything is decoded.

    Raises:
        MediaLimitError: it is not.
    """
    if media.announced > max_hours * 3600:
        raise MediaLimitError(
            name, f"lasts {media.announced / 3600:.1f} hours and max_hours allows {max_hours:g}; cut it, or raise that"
        )
    if len(media.tracks) > MAX_TRACKS:
        raise MediaLimitError(name, f"has {len(media.tracks)} audio tracks; {MAX_TRACKS} at most can be mixed")
    for track in media.tracks:
        if not SLOWEST <= track.rate <= FASTEST:
            raise MediaLimitError(
                name, f"states {track.rate} Hz; sound has between {SLOWEST} and {FASTEST} Hz, so it is broken"
            )


def passed_limit(name: Path | str, ended: Ended) -> MediaLimitError:
    """What to say of a run that a limit ended."""
    wants = {"time": "takes ffmpeg far longer than its length allows for", "output": "gives more sound than it may"}
    return MediaLimitError(name, f"{wants[ended.limit]}; it is broken, or made to do harm")


def _pairs(options: dict[str, str | int]) -> list[str]:
    return [part for name, value in options.items() for part in (f"-{name}", str(value))]


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


def read_wav_header(recording: Path) -> WavHeader | None:
    """What is contradictory in a WAV's header; None if the file is no WAV."""
    size = recording.stat().st_size
    stated, other_rate = 0, None
    with recording.open("rb") as file:
        start = file.read(12)
        if start[:4] != b"RIFF" or start[8:] != b"WAVE":
            return None
        for _ in range(MAX_CHUNKS):
            if len(header := file.read(8)) < 8:
                break
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                end = file.tell() + length
                if length == 0 or end > size:
                    return WavHeader(closed=False, other_rate=other_rate)
                file.seek(end + length % 2)
                return WavHeader(short=not _chunks_follow(file, size), other_rate=other_rate)
            if name == b"fmt " and length >= 16:
                if len(form := file.read(16)) < 16:
                    break
                _, _, stated, byte_rate, align, _ = struct.unpack("<HHIIHH", form)
                implied = byte_rate // align if align else 0
                other_rate = implied if implied != stated and implied in RATES else None
                length -= 16
            file.seek(length + length % 2, 1)
    return WavHeader(closed=False)


def explain(recording: Path | str, log: str) -> RecordingError:
    """Why nothing came out."""
    if _NOT_TAKEN.search(log):
        return NotMediaError(recording, "is not of a kind that is taken as a recording, such as mp4, webm, mp3 or wav")
    if _NO_MEMORY.search(log):
        return MediaLimitError(recording, "wants more memory than a recording may; it is broken, or made to do harm")
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
