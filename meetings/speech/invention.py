"""What the recogniser wrote though nobody said it.

Whisper invents text in known ways: farewells from its subtitles over sound without speech, loops, words stretched over
a pause. Each has its rule here; a rule needs its own sign and weak probabilities too, for people do say "Thank you."
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Hashable, Iterable, Sequence

from meetings.conversation import Word

# Thresholds of Whisper's paper (Radford et al. 2022, section 4.5) and its reference code.
MAX_NO_SPEECH = 0.6
MIN_LOG_PROBABILITY = -1.0
MAX_COMPRESSION = 2.4
COMPRESSIBLE = 200  # bytes; a shorter text's ratio says nothing
MIN_WORD_PROBABILITY = 0.3
SURE = 0.8
# A phrase between these is asked about once more: is there a voice at all?
DOUBTFUL = 0.55
# An n-gram said this often in a row is a stuck decoder, not a person.
LOOP = 4
LONGEST_LOOP = 12  # words or tokens
# Letters that go round inside one word (`NNNNNN`, `hahahahahaha`).
STUTTER = re.compile(r"([^\W\d]{1,3})\1{5,}", re.IGNORECASE)
PAUSE = 0.8  # seconds; ends a phrase
# The slowest that anybody says a word: seconds a letter, and at least.
SLOWEST_LETTER, SLOWEST_WORD = 0.4, 2.0
# What sung vowels are taken for: three and more in a row, or below this probability, they are no words.
SYLLABLES = frozenset(
    {"oh", "ah", "uh", "um", "mm", "mmm", "hm", "hmm", "ooh", "aah", "o", "a", "la", "na", "da", "ha", "hey"}
)
SUNG = 0.65
# Short answers. The decoder is led to hear them (`recogniser.SPOKEN`), and takes beats of music for them.
ANSWERS = SYLLABLES | {"okay", "ok", "yeah", "yes", "yep", "no", "so", "right", "mhm", "mmhmm", "i"}
HELD = 1.5  # seconds; nobody who speaks takes so long for each
# What Whisper writes over silence and music, from its subtitles (Koenecke et al. 2024, arXiv 2402.08021, and reports).
HALLUCINATIONS = frozenset(
    {
        "thank you for watching",
        "thanks for watching",
        "thank you so much for watching",
        "thank you very much for watching",
        "please subscribe",
        "please subscribe to my channel",
        "dont forget to subscribe",
        "like and subscribe",
        "see you in the next video",
        "see you next time",
        "ill see you in the next video",
        "you",
        "the end",
        "music",
        "applause",
        "laughter",
        "silence",
        "bye bye bye",
        "vielen dank",
        "vielen dank fürs zuschauen",
        "danke fürs zuschauen",
        "bis zum nächsten mal",
        "das wars für heute",
        "musik",
        "merci davoir regardé cette vidéo",
        "merci davoir regardé",
        "merci",
        "abonnezvous",
        "musique",
        "gracias por ver el video",
        "gracias por ver",
        "suscríbete",
        "suscríbete al canal",
        "música",
        "obrigado por assistir",
        "inscrevase no canal",
        "grazie per la visione",
        "grazie a tutti",
        "bedankt voor het kijken",
        "dziękuję za uwagę",
        "продолжение следует",
        "спасибо за просмотр",
        "ご視聴ありがとうございました",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "시청해주셔서 감사합니다",
    }
)
# Credits of subtitles: nobody says them in a meeting, however sure the model is.
CREDITS = re.compile(
    r"amara\W?org|subtitles? by|subtitled by|captions? by|transcri(?:bed|ption) by|untertitel|sous-titr|sous titr"
    r"|subt[ií]tulos? (?:por|realizad|de la)|legendas pela|sottotitoli|субтитр|字幕|opensubtitles|im auftrag des zdf",
    re.IGNORECASE,
)


def invented(text: str, words: Sequence[Word], *, no_speech: float, log_probability: float) -> bool:
    """Whether a phrase is text that nobody said.

    Args:
        text: the phrase's text.
        words: its words with times and probabilities.
        no_speech: the model's probability that there is no speech.
        log_probability: mean log probability of its tokens.
    """
    if not words or not bare(text):
        return True
    if no_speech > MAX_NO_SPEECH and log_probability < MIN_LOG_PROBABILITY:
        return True
    if compression(text) > MAX_COMPRESSION:
        return True
    sure = confidence(words)
    if is_farewell(text) and sure < SURE:
        return True
    # A credit may be spoken of ("the subtitles by the agency"), inside a longer and well heard sentence.
    if CREDITS.search(text) and (len(words) <= 8 or sure < SURE):
        return True
    # "Oh, oh, ah": what a choir or a tune is taken for.
    said = {bare(w.word) for w in words}
    if (len(words) > 2 and len(said) == 1 and sure < SURE) or (said <= SYLLABLES and (len(words) > 2 or sure < SUNG)):
        return True
    if sure < DOUBTFUL and all(_stretched(w) for w in words):
        return True
    return sure < MIN_WORD_PROBABILITY


def only_sung(words: Sequence[Word], seconds: float) -> bool:
    """Whether all that was written for a window of some seconds is a few vowels: a choir, or a tune."""
    return seconds > HELD * len(words) and all(bare(w.word) in SYLLABLES for w in words)


def only_answers(words: Sequence[Word], seconds: float) -> bool:
    """Whether all that was written for a window of some seconds is a few short answers: a beat, or a listener."""
    return seconds > HELD * len(words) and all(bare(w) in ANSWERS for word in words for w in word.word.split("-"))


def is_farewell(text: str) -> bool:
    """Whether a phrase is one that Whisper writes over silence."""
    return bare(text) in HALLUCINATIONS


def doubtful(text: str, words: Sequence[Word], *, no_speech: float) -> bool:
    """Whether it has to be heard once more if there is a voice under a phrase."""
    return no_speech > MAX_NO_SPEECH / 2 or confidence(words) < DOUBTFUL or is_farewell(text)


def bare(text: str) -> str:
    """A text without case and marks."""
    return " ".join(re.sub(r"[^\w ]", "", text.lower()).split())


def confidence(words: Sequence[Word]) -> float:
    """Mean probability of words."""
    return sum(w.probability for w in words) / len(words) if words else 0.0


def compression(text: str) -> float:
    """How many times smaller a text gets when repeats are taken out; 0 if it is too short to say."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded)) if len(encoded) > COMPRESSIBLE else 0.0


def phrases(words: Sequence[Word], *, breaks: Iterable[float] = ()) -> list[list[Word]]:
    """Words in groups: a pause, a break (seconds) or the end of a sentence ends a group."""
    found: list[list[Word]] = []
    borders = sorted(breaks)
    for word in words:
        last = found[-1][-1] if found else None
        if (
            last is None
            or word.start - last.end > PAUSE
            or last.word.endswith((".", "!", "?", "。", "！", "？"))
            or any(last.end <= b <= word.start for b in borders)
        ):
            found.append([word])
        else:
            found[-1].append(word)
    return found


def has_loop(items: Sequence[Hashable]) -> bool:
    """Whether an n-gram comes `LOOP` times in a row or more often."""
    return len(without_loops(items)) < len(items)


def without_loops(items: Sequence[Hashable], limit: int = LOOP) -> list[int]:
    """The indices that stay when what is repeated more than `limit` times in a row is said `limit` times.

    A single word may be said `limit` times ("no, no, no, no"); a longer n-gram so repeated stays once.
    """
    kept: list[int] = []
    i = 0
    while i < len(items):
        for n in range(1, min(LONGEST_LOOP, (len(items) - i) // limit) + 1):
            times = 1
            while items[i : i + n] == items[i + times * n : i + (times + 1) * n]:
                times += 1
            stays = limit if n == 1 else 1
            if times > stays and times >= limit:
                kept += range(i, i + stays * n)
                i += times * n
                break
        else:
            kept.append(i)
            i += 1
    return kept


def cut_loops(words: Sequence[Word]) -> list[Word]:
    """Words without the repeats of a stuck decoder."""
    spoken = [w for w in words if not STUTTER.search(w.word)]
    return [spoken[i] for i in without_loops([bare(w.word) for w in spoken])]


def _stretched(word: Word) -> bool:
    """Whether a word lasts longer than anybody takes to say it."""
    return word.end - word.start > max(SLOWEST_WORD, SLOWEST_LETTER * len(word.word))
