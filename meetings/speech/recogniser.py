"""Whisper in CTranslate2, one operation at a time: hear windows, tell their language, write them down, place the words.

faster-whisper loads the weights, makes the features and knows the tokens; the loop over a recording is ours, because it
decides anew for each window (language, width of the search, what the sound supports) on one pass of the encoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetings.conversation import Word
from meetings.errors import ModelError
from meetings.speech.audio import SAMPLE_RATE
from meetings.speech.chunks import WINDOW

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FRAMES = 100  # features a second
ALIGNED = 0.02  # seconds; the step of word times
# Nobody says more tokens than this a second in any language; a decoder that writes more is in a loop.
MOST_TOKENS_A_SECOND, LEAST_ROOM, MOST_TOKENS = 20, 40, 448
FIGURES = "0123456789$£€%"
# What the decoder takes for the text before each window. Whisper learnt from edited subtitles and guesses words where
# somebody hesitates; after a line as people talk it writes hesitations as such and hears more of the rest. WER without
# and with it, and that of all words but hesitations: ES2014b 0.142 to 0.127 (0.122 to 0.116), IS1006b 0.161 to 0.149
# (0.142 to 0.125), sample call 0.022 to 0.020 (0.019 to 0.017). Other languages: not tried.
SPOKEN = {"en": "Okay. Um, so uh, yeah, I I think, mm hmm."}
OPENING = "\"'“¿([{-"
CLOSING = "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One window after the encoder: what it made of it (frames by features), and how many seconds of sound it had."""

    states: npt.NDArray[np.floating[Any]]
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the decoder wrote for a window.

    `log_probability` is the mean over its tokens, `no_speech` the probability that there is none.
    """

    tokens: tuple[int, ...]
    log_probability: float
    no_speech: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A word in a window: its text with the space before it, its tokens, its seconds, each token's probability."""

    text: str
    tokens: tuple[int, ...]
    start: float
    end: float
    probabilities: tuple[float, ...]

    @property
    def probability(self) -> float:
        """Mean probability of its tokens."""
        return sum(self.probabilities) / len(self.probabilities) if self.probabilities else 0.0


class Recogniser:
    """A Whisper of any size on one device."""

    def __init__(self, model: Path, *, device: str, threads: int, workers: int = 1) -> None:
        """Load the weights: int8 on a CPU, float16 on a GPU.

        Args:
            model: a folder with a CTranslate2 Whisper.
            device: `cpu` or `cuda`.
            threads: CPU threads of one call.
            workers: how many calls may run at once; they share the weights.

        Raises:
            ModelError: the weights cannot be loaded.
        """
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        try:
            self._whisper = WhisperModel(
                str(model),
                device=device,
                compute_type="float16" if device == "cuda" else "int8",
                cpu_threads=threads,
                num_workers=workers,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(f"{model} cannot be loaded ({error}); run: meetings models verify") from error
        self._model = self._whisper.model
        self._on_gpu = device == "cuda"
        self._tokenizers: dict[str, Any] = {}
        self._make_tokenizer = Tokenizer
        self._suppressed = sorted({*get_suppressed_tokens(self._tokenizer("en"), [-1]), *self._digits()})

    def _digits(self) -> list[int]:
        """Tokens with a digit or a sign that goes with digits: numbers are written as they are said, in words.

        "5" and "five" change places within one recording otherwise, and a figure has no sound to be placed by. WER
        with and without figures: 0.154 and 0.142 on ES2014b, 0.172 and 0.161 on IS1006b, 0.042 and 0.024 on the
        sample call.
        """
        tokenizer = self._whisper.hf_tokenizer
        texts = ((i, tokenizer.decode([i])) for i in range(self._tokenizer("en").eot))
        return [i for i, text in texts if any(c in FIGURES for c in text)]

    @property
    def multilingual(self) -> bool:
        """Whether it knows more than English."""
        return bool(self._model.is_multilingual)

    @property
    def languages(self) -> frozenset[str]:
        """The ISO 639-1 codes it knows."""
        return frozenset(self._whisper.supported_languages)

    def hear(self, sounds: Sequence[npt.NDArray[np.float32]]) -> list[Heard]:
        """Run the encoder over windows of sound (16 kHz, at most 30 s each).

        On a CPU one at a time: eight side by side take a third longer, for their attention does not fit the cache.
        """
        step = len(sounds) if self._on_gpu else 1
        heard: list[Heard] = []
        for i in range(0, len(sounds), step):
            some = sounds[i : i + step]
            states = self._encode([self._features(s) for s in some])
            heard += [Heard(states=s, duration=len(sound) / SAMPLE_RATE) for s, sound in zip(states, some, strict=True)]
        return heard

    def _features(self, sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        import numpy as np

        whole = round(WINDOW * SAMPLE_RATE)
        padded = np.pad(sound[:whole], (0, max(0, whole - len(sound))))
        features: npt.NDArray[np.float32] = self._whisper.feature_extractor(padded, padding=0)
        return features[:, : round(WINDOW * FRAMES)]

    def _encode(self, features: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.floating[Any]]:
        import ctranslate2
        import numpy as np

        sound = ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(features), dtype=np.float32))
        # On a GPU the result comes back to memory, so that windows can be put together anew for a second look.
        states: npt.NDArray[np.floating[Any]] = np.array(self._model.encode(sound, to_cpu=self._on_gpu))
        return states

    def tell_languages(self, heard: Sequence[Heard]) -> list[Mapping[str, float]]:
        """For each window the probability of each language (ISO 639-1)."""
        if not heard:
            return []
        if not self.multilingual:
            return [{"en": 1.0}] * len(heard)
        found = self._model.detect_language(_together(heard))
        return [{token[2:-2]: float(p) for token, p in languages} for languages in found]

    def write(self, heard: Sequence[Heard], languages: Sequence[str], *, beam: int) -> list[Written]:
        """Write windows down, each in its language, with a search of `beam` hypotheses (1: greedy)."""
        written: dict[int, Written] = {}
        # Windows of one language together: their prompts must be of one length.
        for language in dict.fromkeys(languages):
            indices = [i for i, other in enumerate(languages) if other == language]
            found = self._write([heard[i] for i in indices], self._prompt(language), beam)
            written.update(zip(indices, found, strict=True))
        return [written[i] for i in range(len(heard))]

    def _write(self, heard: Sequence[Heard], prompt: Sequence[int], beam: int) -> list[Written]:
        seconds = max(h.duration for h in heard)
        results = self._model.generate(
            _together(heard),
            [list(prompt)] * len(heard),
            beam_size=beam,
            max_length=min(MOST_TOKENS, LEAST_ROOM + round(MOST_TOKENS_A_SECOND * seconds)),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
        )
        return [
            Written(
                tokens=tuple(r.sequences_ids[0]),
                # CTranslate2 divides by the length without the end token, Whisper's thresholds count it.
                log_probability=r.scores[0] * len(r.sequences_ids[0]) / (len(r.sequences_ids[0]) + 1),
                no_speech=float(r.no_speech_prob),
            )
            for r in results
        ]

    def place(
        self, heard: Sequence[Heard], texts: Sequence[Sequence[int]], languages: Sequence[str]
    ) -> list[tuple[Placed, ...]]:
        """Find when each word of each window's text was said, and how sure each token is."""
        placed: list[tuple[Placed, ...]] = [()] * len(heard)
        for language in dict.fromkeys(languages):
            indices = [i for i, text in enumerate(texts) if languages[i] == language and text]
            for i, alignment in zip(indices, self._align(heard, texts, indices, language), strict=True):
                placed[i] = _words(self._tokenizer(language), texts[i], alignment)
        return placed

    def score(
        self, heard: Sequence[Heard], texts: Sequence[Sequence[int]], languages: Sequence[str]
    ) -> list[list[float]]:
        """How probable each token of each window's text is, given the sound and the text before it."""
        scores: list[list[float]] = [[]] * len(heard)
        for language in dict.fromkeys(languages):
            indices = [i for i, text in enumerate(texts) if languages[i] == language and text]
            for i, alignment in zip(indices, self._align(heard, texts, indices, language), strict=True):
                scores[i] = [float(p) for p in alignment.text_token_probs]
        return scores

    def text(self, tokens: Iterable[int]) -> str:
        """The text of tokens."""
        return str(self._tokenizer("en").decode(list(tokens)))

    def tokens(self, text: str) -> tuple[int, ...]:
        """The tokens of a text."""
        return tuple(self._tokenizer("en").encode(text))

    def _align(
        self, heard: Sequence[Heard], texts: Sequence[Sequence[int]], indices: Sequence[int], language: str
    ) -> Sequence[Any]:
        if not indices:
            return ()
        found: list[Any] = []
        # The scores of all words of the vocabulary for every token: 25 MB a window at once.
        step = len(indices) if self._on_gpu else 2
        for first in range(0, len(indices), step):
            some = indices[first : first + step]
            found += self._model.align(
                _together([heard[i] for i in some]),
                self._tokenizer(language).sot_sequence,
                [list(texts[i]) for i in some],
                [max(2, min(round(WINDOW * FRAMES), round(heard[i].duration * FRAMES))) for i in some],
            )
        return found

    def _prompt(self, language: str) -> list[int]:
        tokenizer = self._tokenizer(language)
        before = [tokenizer.sot_prev, *tokenizer.encode(" " + SPOKEN[language])] if language in SPOKEN else []
        return [*before, *tokenizer.sot_sequence, tokenizer.no_timestamps]

    def _tokenizer(self, language: str) -> Any:
        if language not in self._tokenizers:
            self._tokenizers[language] = self._make_tokenizer(
                self._whisper.hf_tokenizer, self.multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]


def _together(heard: Sequence[Heard]) -> Any:
    """Windows as one batch for CTranslate2."""
    import ctranslate2
    import numpy as np

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack([h.states for h in heard])))


def _words(tokenizer: Any, tokens: Sequence[int], alignment: Any) -> tuple[Placed, ...]:
    """Words from the path of the alignment: a token begins where the path first reaches it."""
    texts, parts = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    reached: dict[int, int] = {}
    for token, frame in alignment.alignments:
        reached.setdefault(token, frame)
    last = max(reached.values(), default=0)
    probabilities = [float(p) for p in alignment.text_token_probs]
    words: list[Placed] = []
    at = 0
    for text, part in zip(texts[:-1], parts[:-1], strict=True):
        end = at + len(part)
        words.append(
            Placed(
                text=text,
                tokens=tuple(part),
                start=reached.get(at, last) * ALIGNED,
                end=reached.get(end, last) * ALIGNED,
                probabilities=tuple(probabilities[at:end]),
            )
        )
        at = end
    return tuple(_with_punctuation(words))


def _with_punctuation(words: Iterable[Placed]) -> list[Placed]:
    """Marks belong to their word: an opening one to the next, a closing one to the word before, as do bare suffixes.

    A piece without a space before it (`-factor`, `%`) is no word of its own, in languages with spaces. A word's times
    and probability are those of its letters.
    """
    joined: list[Placed] = []
    opening: Placed | None = None
    for word in words:
        bare = word.text.strip()
        if word.text.startswith(" ") and bare and bare in OPENING:
            opening = word
            continue
        if opening is not None:
            word = _join(opening, word, letters=word)
            opening = None
        if joined and bare and bare in CLOSING and not word.text.startswith(" "):
            joined[-1] = _join(joined[-1], word, letters=joined[-1])
        else:
            joined.append(word)
    if opening is not None:
        joined.append(opening)
    return joined


def _join(left: Placed, right: Placed, *, letters: Placed) -> Placed:
    return Placed(
        text=left.text + right.text,
        tokens=left.tokens + right.tokens,
        start=letters.start,
        end=letters.end,
        probabilities=letters.probabilities,
    )


def as_words(placed: Iterable[Placed], *, spaced: bool = True) -> list[Word]:
    """Words as the rest of the product knows them.

    A piece without a space before it (`-factor`, `%`) belongs to the word before, where words are `spaced`; its
    probability is that of its less sure part.
    """
    words: list[Word] = []
    for piece in placed:
        text = piece.text.strip()
        if not text:
            continue
        if spaced and words and not piece.text.startswith(" "):
            last = words[-1]
            sure = min(last.probability, piece.probability)
            words[-1] = Word(word=last.word + text, start=last.start, end=piece.end, probability=sure)
        else:
            words.append(Word(word=text, start=piece.start, end=piece.end, probability=piece.probability))
    return words
