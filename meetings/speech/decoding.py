"""Any recording becomes 16 kHz mono, through ffmpeg, with its times kept and its oddities noted.

The result is a 16-bit WAV on disk. Gaps in the timestamps (lost packets, a paused recorder) are filled with silence, so
that times in a transcript are those of the player. What a first pass shows to be wrong (far too quiet, off centre, a
side upside down, a false sample rate) is put right by a second one from the recording itself. Where left and right
carry different people, both are kept as a second file. ffmpeg is built by ffmpeg-python's graph and run over the
system's binary, else the one that imageio-ffmpeg carries.
"""

from __future__ import annotations

import re
import statistics
import wave
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meetings.errors import MediaLimitError, StorageError
from meetings.progress import Progress, no_progress
from meetings.speech.audio import SAMPLE_RATE, map_audio
from meetings.speech.confined import Limits, run_confined
from meetings.speech.loudness import CLIPPED, OFF_CENTRE, Loudness, measure
from meetings.speech.media import (
    MAX_HOURS,
    PATIENCE,
    RATES,
    Media,
    Track,
    WavHeader,
    check_bounds,
    explain,
    ffmpeg_binary,
    input_options,
    passed_limit,
    probe,
    read_wav_header,
)
from meetings.speech.pitch import likelier_rate
from meetings.speech.sides import Channels, read_sides
from meetings.store import private_folder

LONGEST = 12 * 3600  # seconds: two channels of twelve hours still fit into a WAV
# Drift of up to 1,000 samples a second is stretched away, gaps beyond a tenth of a second are filled; timestamps in
# WebM are whole milliseconds, so what is below 20 ms is left alone.
CLOCK = {"async": 1000, "min_comp": 0.02, "min_hard_comp": 0.1, "first_pts": 0}
SPARSE = 20  # bytes a second: Opus spends 25 on silence, and what comes from less is a trap
JUMP = 3600  # seconds: a timestamp further off than this is an error, not a pause
TELEPHONE_RATE = 12_000  # Hz; up to here it is telephone sound
_DISK_FULL = re.compile(r"No space left on device")
_FILLED = re.compile(r"adding (\d+) audio samples of silence")
_DROPPED = re.compile(r"discarding (\d+) audio samples")
_JUMPED = re.compile(r"PTS \d+, next:\d+ invalid dropping")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioInfo:
    """A decoded recording: its path, length in seconds, and what was odd about it, a sentence each.

    `sides` is a second WAV with left and right, if different people are heard on them.
    """

    path: Path
    duration: float
    warnings: tuple[str, ...] = ()
    sides: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How a recording is decoded: which tracks, and what is put right. Gain in dB; `rate` in Hz replaces the stated one
    and with it the timestamps."""

    tracks: tuple[int, ...]
    channels: int
    whole_file: bool = False
    rate: int | None = None
    opposite: bool = False
    centred: bool = False
    gain: float = 0.0

    @property
    def two_sides(self) -> bool:
        """Whether there is a left and a right: a stereo track, or two tracks."""
        return (len(self.tracks) == 1 and self.channels == 2) or len(self.tracks) == 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """What a pass over the recording gave."""

    code: int
    log: str
    duration: float
    loudness: Loudness
    channels: Channels


def decode_audio(
    recording: Path,
    destination: Path,
    *,
    name: str | None = None,
    shown: Path | str | None = None,
    max_hours: float = MAX_HOURS,
    progress: Progress = no_progress,
) -> AudioInfo:
    """Decode the sound of a recording to a 16 kHz mono 16-bit WAV; several audio tracks are mixed.

    Args:
        recording: any container and codec that ffmpeg reads.
        destination: where the WAV goes; it appears whole or not at all. If left and right differ, they go beside it,
            into `sides_path(destination)`.
        name: what the notes call the recording; its file's name if None.
        shown: what errors call the recording; its path if None.
        max_hours: what announces to be longer is refused.
        progress: told the fraction done, by the length that the container announces.

    Raises:
        RecordingError: missing, not media, no audio, cut off, beyond a limit; see the subclasses.
        StorageError: the disk is full or the folder cannot be written.
    """
    media = probe(recording, shown=shown)
    if not media.tracks:
        raise explain(shown or recording, media.log)
    check_bounds(media, shown or recording, max_hours=max_hours)
    header = read_wav_header(recording)
    # One name for each destination: what a killed process leaves behind is overwritten by the next, not kept.
    target = destination.with_name(f".{destination.stem}.part.wav")
    sides = sides_path(target)
    try:
        private_folder(destination.parent)
        for path in (target, sides):
            path.touch(mode=0o600)
    except OSError as error:
        raise StorageError(destination, error) from error

    def run(plan: _Plan, progress: Progress = no_progress) -> _Pass:
        return _decode(recording, target, plan, media.announced, progress, shown=shown or recording)

    try:
        plan = _first_plan(media, header)
        result = run(plan, progress)
        if (rate := _true_rate(run, target, plan, media, header, result)) is not None:
            plan = replace(plan, rate=rate)
            result = run(plan)
        # What is upside down must be turned before anybody can say how loud it is.
        for better in (_turned, _levelled):
            changed = better(plan, result)
            if changed != plan:
                plan = changed
                result = run(plan)
        apart = result.channels == "apart"
        if apart:
            sides.replace(sides_path(destination))
        else:
            sides_path(destination).unlink(missing_ok=True)
        target.replace(destination)
    finally:
        target.unlink(missing_ok=True)
        sides.unlink(missing_ok=True)
    return AudioInfo(
        path=destination,
        duration=result.duration,
        warnings=tuple(f"{name or recording.name} {note}" for note in _notes(media, header, plan, result)),
        sides=sides_path(destination) if apart else None,
    )


def sides_path(audio: Path) -> Path:
    """Where left and right of a decoded recording are kept."""
    return audio.with_name(f"{audio.stem}.sides.wav")


def _first_plan(media: Media, header: WavHeader | None) -> _Plan:
    tracks = tuple(range(len(media.tracks)))
    if len(_languages(media.tracks)) > 1:
        # An interpreter's or a dubbed track beside the original: mixed, nobody would be understood.
        tracks = (next((n for n, t in enumerate(media.tracks) if t.default), 0),)
    return _Plan(
        tracks=tracks,
        channels=media.tracks[tracks[0]].channels,
        whole_file=header is not None and header.short,
    )


def _languages(tracks: tuple[Track, ...]) -> set[str]:
    return {t.language for t in tracks if t.language}


def _decode(
    recording: Path, target: Path, plan: _Plan, announced: float, progress: Progress, *, shown: Path | str
) -> _Pass:
    """One pass.

    Raises:
        RecordingError: nothing came out.
        StorageError: the disk is full.
    """
    import ffmpeg

    graph = ffmpeg.merge_outputs(*_outputs(recording, target, plan))
    arguments = ffmpeg.compile(
        graph.global_args(
            *("-hide_banner", "-nostdin", "-progress", "pipe:1", "-nostats"),
            *("-filter_threads", "1", "-filter_complex_threads", "1"),
            # It tells of filled gaps at this level alone.
            *("-loglevel", "repeat+verbose"),
        ),
        cmd=str(ffmpeg_binary()),
        overwrite_output=True,
    )

    def tell(seconds: float) -> None:
        if announced > 0.0:
            progress(min(1.0, seconds / announced))

    ended = run_confined(
        arguments,
        Limits(
            # Mixing 64 tracks takes half a second for each second of them on a busy machine.
            seconds=PATIENCE + min(announced, LONGEST) / 4 * max(1.0, len(plan.tracks) / 8),
            output=(LONGEST + 60) * 2 * 2 * SAMPLE_RATE,
        ),
        tell,
    )
    if ended.limit:
        raise passed_limit(shown, ended)
    code, log = ended.code, ended.log
    if _DISK_FULL.search(log):
        raise StorageError(target.parent, "no space left on device; free some space and run the command again")
    duration = _wav_duration(target)
    if duration <= 0.0:
        raise explain(shown, log)
    # Sound without end from a few bytes: timestamps far apart, or a frame that stands for hours.
    if duration >= LONGEST and (0.0 < announced < LONGEST / 2 or recording.stat().st_size < SPARSE * LONGEST):
        raise MediaLimitError(
            shown, f"gives over {LONGEST // 3600} hours of sound and announces {announced:.0f} s; it is broken"
        )
    return _Pass(
        code=code,
        log=log,
        duration=duration,
        loudness=measure(target),
        channels=read_sides(sides_path(target)).channels if plan.two_sides else "same",
    )


def _outputs(recording: Path, target: Path, plan: _Plan) -> list[Any]:
    """ffmpeg's graph: the tracks on one clock, joined, put right, as mono and, if there are sides, as two channels."""
    import ffmpeg

    # `file:` keeps names with colons or leading dashes from being read as protocols or options.
    # Only the audio tracks are mapped. -vn would take the picture's start out of the clock as well.
    options = {**input_options(), "dts_error_threshold": JUMP}
    source = ffmpeg.input(f"file:{recording}", **options, **({"ignore_length": 1} if plan.whole_file else {}))

    def track(number: int) -> Any:
        sound = source[f"a:{number}"]
        if plan.rate is not None:
            return sound.filter("asetpts", "N/SR/TB").filter("asetrate", plan.rate).filter("aresample", SAMPLE_RATE)
        return sound.filter("aresample", SAMPLE_RATE, **CLOCK)

    def single(number: int) -> Any:
        return track(number).filter("aformat", channel_layouts="mono")

    count = len(plan.tracks)
    if count == 1:
        sound = track(plan.tracks[0])
    elif count == 2:
        places = ("val(0)|0", "0|val(0)")
        placed = [
            single(n).filter("aeval", exprs=place, channel_layout="stereo")
            for n, place in zip(plan.tracks, places, strict=True)
        ]
        sound = ffmpeg.filter(placed, "amix", inputs=2, normalize=0)
    else:
        placed = [single(n).filter("volume", 1 / count) for n in plan.tracks]
        sound = ffmpeg.filter(placed, "amix", inputs=count, normalize=0)
    if plan.opposite:
        sound = sound.filter("aeval", exprs="val(0)|-val(1)", channel_layout="stereo")
    if plan.centred:
        sound = sound.filter("highpass", f=20)
    if plan.gain:
        sound = sound.filter("volume", f"{plan.gain}dB")
    form = {"ar": SAMPLE_RATE, "acodec": "pcm_s16le", "f": "wav", "map_metadata": -1, "bitexact": None, "t": LONGEST}
    if not plan.two_sides:
        return [ffmpeg.output(sound, f"file:{target}", ac=1, **form)]
    # Without a fixed layout the mono output would have ffmpeg mix before it splits.
    both = sound.filter("aformat", channel_layouts="stereo").filter_multi_output("asplit")
    return [
        ffmpeg.output(both[0], f"file:{target}", ac=1, **form),
        ffmpeg.output(both[1], f"file:{sides_path(target)}", ac=2, **form),
    ]


def _true_rate(
    run: Callable[[_Plan], _Pass], target: Path, plan: _Plan, media: Media, header: WavHeader | None, result: _Pass
) -> int | None:
    """The sample rate in Hz, if the one that is stated is false."""
    track = media.tracks[plan.tracks[0]]
    if header is not None and header.other_rate is not None:
        found = likelier_rate(map_audio(target), track.rate, header.other_rate)
        return found if found != track.rate else None
    # Opus has one rate, and leaves packets out while nobody speaks.
    if len(plan.tracks) > 1 or track.codec == "opus" or not _steadily_repaired(result):
        return None
    # The clock was put right again and again by the same amount: the sound has another rate than it says, and the
    # container's clock gives the true one.
    free = run(replace(plan, rate=track.rate))
    implied = track.rate * free.duration / result.duration
    nearest = min(RATES, key=lambda rate: abs(rate - implied))
    return nearest if nearest != track.rate and abs(implied / nearest - 1) < 0.003 else None


def _steadily_repaired(result: _Pass) -> bool:
    """Whether gaps were filled, or sound was dropped, at least every five seconds and mostly by one amount."""
    repairs = [int(n) for n in (_FILLED.findall(result.log) or _DROPPED.findall(result.log))]
    if len(repairs) < max(5.0, result.duration / 5):
        return False
    usual = statistics.median(repairs)
    return sum(abs(n - usual) < 0.1 * usual for n in repairs) > 0.7 * len(repairs)


def _turned(plan: _Plan, result: _Pass) -> _Plan:
    """One of two channels is upside down: together they would cancel out."""
    return replace(plan, opposite=True) if result.channels == "opposite" else plan


def _levelled(plan: _Plan, result: _Pass) -> _Plan:
    off_centre = abs(result.loudness.offset) > OFF_CENTRE
    return replace(plan, gain=result.loudness.gain, centred=off_centre)


def _wav_duration(path: Path) -> float:
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / SAMPLE_RATE
    except (wave.Error, EOFError, OSError):
        return 0.0


def _notes(media: Media, header: WavHeader | None, plan: _Plan, result: _Pass) -> list[str]:
    """What a user should know about a recording, most important first."""
    notes = []
    announced, duration = media.announced or result.duration, result.duration
    jumped, filled = bool(_JUMPED.search(result.log)), [int(n) for n in _FILLED.findall(result.log)]
    if jumped:
        notes.append("has timestamps that jump by more than an hour; from there on, times are counted from the sound")
    elif duration >= LONGEST:
        notes.append(f"is longer than {LONGEST // 3600} hours: only the first {LONGEST // 3600} were used")
    elif result.code != 0 or (plan.rate is None and duration < 0.9 * announced - 1.0):
        notes.append(f"is damaged: {duration:.0f} s of sound could be read of {announced:.0f} s announced")
    if header is not None and (header.short or not header.closed):
        notes.append("has a header with a wrong length, as of a recorder that was killed; it was read to its end")
    if plan.rate is not None:
        stated = media.tracks[plan.tracks[0]].rate
        notes.append(f"says {stated} Hz where its sound is {plan.rate} Hz; it was read at {plan.rate} Hz")
    elif filled:
        seconds = sum(filled) / media.tracks[plan.tracks[0]].rate  # it counts in the track's own samples
        notes.append(f"lacks {seconds:.1f} s of sound; silence stands in for it, so that times stay true")
    if len(media.tracks) > len(plan.tracks):
        languages = ", ".join(sorted(_languages(media.tracks)))
        notes.append(f"has audio tracks in several languages ({languages}); only the main one was used")
    elif len(plan.tracks) > 1:
        notes.append(f"has {len(plan.tracks)} audio tracks; they were mixed")
    if result.channels == "apart":
        notes.append("has different people on its two sides; the sides tell who speaks")
    if plan.opposite:
        notes.append("has one channel upside down; it was turned")
    if plan.gain:
        notes.append(f"is very quiet; all of it was lifted by {plan.gain:.0f} dB")
    if plan.centred:
        notes.append("has a constant offset; it was taken out")
    if result.loudness.clipped > CLIPPED:
        notes.append("is clipped: its loud passages are cut off at full scale, and words there may be wrong")
    if result.loudness.narrow or all((plan.rate or media.tracks[n].rate) <= TELEPHONE_RATE for n in plan.tracks):
        notes.append("has the sound of a telephone: nothing above 4 kHz, so expect more wrong words")
    return notes
