"""What was said, word by word with times.

Speech is packed into full windows, each is heard once by Whisper's encoder and written down in its own language; what
looks wrong is written a second time, names are corrected where the sound agrees, and what nobody said is taken out.
Batches of windows run side by side, one thread each, for a decoder's steps are too small to share among threads.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetings.conversation import Word
from meetings.errors import ConfigError
from meetings.progress import Progress, no_progress
from meetings.speech.audio import SAMPLE_RATE, map_audio, read_audio
from meetings.speech.chunks import Region, Window, pack_windows, parts
from meetings.speech.invention import cut_loops, doubtful, invented, only_answers, only_sung, phrases
from meetings.speech.languages import MAIN_SAMPLES, choose_language, is_doubtful, same_language, vote
from meetings.speech.rewriting import WrittenWindow, write_well
from meetings.speech.vocabulary import Vocabulary

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from meetings.speech.recogniser import Heard, Placed, Recogniser

# Windows written at once by one worker. Eight on a CPU are no faster than four and hold 0.3 GB more.
BATCH = {"cpu": 4, "cuda": 16}
# Below this, Silero hears no voice under a phrase that looks invented.
VOICE = 0.35
# Languages written without spaces between words.
UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
# A window of uncertain language is listened to in parts of this many seconds.
PART = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """All words in order, the main language (ISO 639-1) with its probability, and the sound's length in seconds.

    `languages` are all that were spoken with their seconds, most first.
    """

    language: str
    language_probability: float
    duration: float
    words: tuple[Word, ...]
    languages: tuple[tuple[str, float], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain object that `from_json` reads back."""
        return {
            **asdict(self),
            "words": [asdict(w) for w in self.words],
            "languages": [list(x) for x in self.languages],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Transcription:
        """Read what `to_json` wrote, with or without languages."""
        languages = tuple((str(code), float(seconds)) for code, seconds in data.get("languages", ()))
        return Transcription(**{**data, "words": tuple(Word(**w) for w in data["words"]), "languages": languages})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """One window's result."""

    words: tuple[Word, ...]
    language: str
    seconds: float


def transcribe(
    audio: Path,
    *,
    model: Path,
    device: str = "cpu",
    threads: int = 2,
    language: str | None = None,
    vocabulary: Sequence[str] = (),
    regions: Sequence[Region] | None = None,
    turn_ends: Sequence[float] = (),
    progress: Progress = no_progress,
) -> Transcription:
    """Recognise speech.

    Args:
        audio: a WAV of `decode_audio`.
        model: a folder with a CTranslate2 Whisper.
        device: `cpu` (int8) or `cuda` (float16).
        threads: CPU threads.
        language: ISO 639-1 code; None: detected from the speech, window by window.
        vocabulary: names and terms that may be said, spelled as they shall be written.
        regions: stretches with speech, as a diarization finds them; None: a voice detector looks for them.
        turn_ends: seconds at which a turn or a phrase ends; good places to cut.
        progress: told the fraction of speech done.

    Raises:
        ModelError: the weights cannot be loaded.
        ConfigError: the model does not know the language.
    """
    from meetings.speech.recogniser import Recogniser
    from meetings.speech.voice_activity import find_speech

    duration = len(map_audio(audio)) / SAMPLE_RATE
    windows = pack_windows(
        find_speech(audio) if regions is None else regions,
        duration=duration,
        turn_ends=turn_ends,
        quietest=partial(_quietest, audio),
    )
    if not windows:
        return Transcription(language=language or "", language_probability=0.0, duration=duration, words=())
    batches = _batches(windows, size=BATCH[device], workers=1 if device == "cuda" else threads)
    workers = 1 if device == "cuda" else min(threads, len(batches))
    recogniser = Recogniser(model, device=device, threads=max(1, threads // workers), workers=workers)
    if language is not None and language not in recogniser.languages:
        raise ConfigError(f"{model.name} does not know the language {language!r}; use a multilingual model, or en")
    loop = _Loop(audio, recogniser, Vocabulary(vocabulary), language)
    loop.find_main_language(windows)
    done: list[_Done] = []
    with ThreadPoolExecutor(workers) as pool:
        tasks = [pool.submit(loop.run, batch) for batch in batches]
        try:
            for task in as_completed(tasks):
                done += task.result()
                heard = sum(d.seconds for d in done)
                progress(min(1.0, heard / sum(w.duration for w in windows)))
        except BaseException:
            # Ctrl-C, or a batch that failed: the others stop at their next step.
            loop.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    progress(1.0)
    spoken: defaultdict[str, float] = defaultdict(float)
    for part in done:
        if part.words:
            spoken[part.language] += part.seconds
    languages = sorted(spoken.items(), key=lambda x: -x[1])
    main, probability = loop.main
    return Transcription(
        language=languages[0][0] if languages else main,
        language_probability=probability,
        duration=duration,
        words=tuple(_in_order((w for part in done for w in part.words), duration)),
        languages=tuple((code, round(time, 3)) for code, time in languages),
    )


class _StoppedError(Exception):
    """A batch was told to stop."""


class _Loop:
    """What happens to each batch of windows."""

    def __init__(self, audio: Path, recogniser: Recogniser, vocabulary: Vocabulary, language: str | None) -> None:
        self.stop = threading.Event()
        self.main = (language or "en", 1.0)
        self._audio = audio
        self._recogniser = recogniser
        self._vocabulary = vocabulary
        self._quietest = partial(_quietest, audio)
        self._fixed = language is not None or not recogniser.multilingual
        # Windows that were heard for the vote are not heard again.
        self._known: dict[Window, Heard] = {}

    def find_main_language(self, windows: Sequence[Window]) -> None:
        """Vote over windows spread over the recording; the fullest speak best, being heard longest."""
        if self._fixed:
            return
        step = max(1, len(windows) // MAIN_SAMPLES)
        chosen = windows[step // 2 :: step][:MAIN_SAMPLES]
        heard = self._hear(chosen)
        self._known = dict(zip(chosen, heard, strict=True))
        found = self._recogniser.tell_languages(heard)
        self.main = vote([(p, h.duration) for p, h in zip(found, heard, strict=True)])

    def run(self, batch: Sequence[Window]) -> list[_Done]:
        """The words of a batch."""
        heard = self._hear(batch)
        windows, heard, languages = self._in_their_languages(batch, heard)
        self._check()
        written = write_well(self._recogniser, windows, heard, languages, hear=self._hear, quietest=self._quietest)
        self._check()
        placed: Sequence[tuple[Placed, ...]] = [w.placed for w in written]
        if self._vocabulary:
            placed = self._vocabulary.correct(
                self._recogniser, [w.heard for w in written], placed, [w.language for w in written]
            )
        return [
            _Done(words=tuple(self._believed(w, words)), language=w.language, seconds=w.window.duration)
            for w, words in zip(written, placed, strict=True)
        ]

    def _hear(self, windows: Sequence[Window]) -> list[Heard]:
        heard = []
        for window in windows:
            self._check()
            known = self._known.pop(window, None)
            heard.append(known or self._recogniser.hear([_sound(self._audio, window)])[0])
        return heard

    def _in_their_languages(
        self, batch: Sequence[Window], heard: Sequence[Heard]
    ) -> tuple[list[Window], list[Heard], list[str]]:
        """Each window with its language; one in which languages change is taken apart."""
        main = self.main[0]
        if self._fixed:
            return list(batch), list(heard), [main] * len(batch)
        result: list[tuple[Window, Heard, str]] = []
        for window, sound, found in zip(batch, heard, self._recogniser.tell_languages(heard), strict=True):
            if not is_doubtful(found, main) or window.duration < 2 * PART:
                result.append((window, sound, choose_language(found, main)))
                continue
            some = parts(window, PART, self._quietest)
            told = self._recogniser.tell_languages(self._hear(some))
            for pieces, language in same_language(some, [choose_language(t, main) for t in told]):
                part = Window(pieces=pieces)
                result.append((part, sound if part == window else self._hear([part])[0], language))
        return [r[0] for r in result], [r[1] for r in result], [r[2] for r in result]

    def _believed(self, found: WrittenWindow, placed: Sequence[Placed]) -> Iterator[Word]:
        """The window's words in the recording's time, without what nobody said."""
        from meetings.speech.recogniser import as_words
        from meetings.speech.voice_activity import voice_probability

        window, written = found.window, found.written
        words = cut_loops(as_words(placed, spaced=found.language not in UNSPACED))
        if only_sung(words, window.duration):
            return
        answers = only_answers(words, window.duration)
        for phrase in phrases(words, breaks=window.seams()):
            text = " ".join(w.word for w in phrase)
            if invented(text, phrase, no_speech=written.no_speech, log_probability=written.log_probability):
                continue
            there = [window.place(w.start, w.end) for w in phrase]
            if answers or doubtful(text, phrase, no_speech=written.no_speech):
                sound = read_audio(self._audio, there[0].start - 0.1, there[-1].end + 0.1)
                if voice_probability(sound) < VOICE:
                    continue
            yield from (replace(w, start=at.start, end=at.end) for w, at in zip(phrase, there, strict=True))

    def _check(self) -> None:
        if self.stop.is_set():
            raise _StoppedError


def _batches(windows: Sequence[Window], *, size: int, workers: int) -> list[Sequence[Window]]:
    """Windows in batches of even size, as many for each worker."""
    count = -(-len(windows) // size)
    count = min(len(windows), -(-count // workers) * workers)
    borders = [round(i * len(windows) / count) for i in range(count + 1)]
    return [windows[i:j] for i, j in pairwise(borders)]


def _sound(audio: Path, window: Window) -> npt.NDArray[np.float32]:
    """What a window sounds like: its pieces one after the other."""
    import numpy as np

    return np.concatenate([read_audio(audio, p.start, p.end) for p in window.pieces])


def _quietest(audio: Path, lo: float, hi: float, step: float = 0.02) -> float:
    """The middle of the quietest tenth of a second between two times."""
    import numpy as np

    sound = read_audio(audio, lo, hi)
    frame = round(step * SAMPLE_RATE)
    count = len(sound) // frame
    if count < 5:
        return (lo + hi) / 2
    energy = np.square(sound[: count * frame].reshape(count, frame)).mean(axis=1)
    smooth = np.convolve(energy, np.ones(5) / 5, mode="valid")
    return lo + (int(smooth.argmin()) + 2.5) * step


def _in_order(words: Iterable[Word], duration: float) -> list[Word]:
    """Words by start, none before the one before it, none beyond the sound."""
    result: list[Word] = []
    clock = 0.0
    for word in sorted(words, key=lambda w: w.start):
        start = min(max(word.start, clock), duration)
        end = min(max(word.end, start), duration)
        result.append(replace(word, start=start, end=end))
        clock = start
    return result
