"""Recognition with the real model: other languages, sound without words, speech over music, the right names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from meetings.errors import ConfigError
from meetings.speech import Region, Transcription, decode_audio, read_audio, transcribe
from tests import sounds
from tests.acceptance.conftest import SAMPLE

pytestmark = [pytest.mark.models, pytest.mark.slow]

CLIPS = Path(__file__).parents[1] / "data" / "languages"


@pytest.fixture(scope="session")
def whisper(models_folder: Path) -> Path:
    return models_folder / "whisper-base"


def said(found: Transcription) -> str:
    return " ".join(w.word for w in found.words)


def plain(text: str) -> list[str]:
    return re.sub(r"[^\w ]", " ", text.lower()).split()


def clip(name: str, folder: Path) -> Path:
    audio = folder / f"{name}.wav"
    decode_audio(CLIPS / f"{name}.ogg", audio)
    return audio


@pytest.mark.parametrize(("name", "language"), [("german", "de"), ("spanish", "es")])
def test_a_language_is_detected_and_written_as_it_is_spoken(
    name: str, language: str, whisper: Path, tmp_path: Path
) -> None:
    import jiwer

    found = transcribe(clip(name, tmp_path), model=whisper)
    truth = json.loads((CLIPS / f"{name}.truth.json").read_text(encoding="utf-8"))
    assert [code for code, _ in found.languages] == [language]
    reference = " ".join(plain(" ".join(s["text"] for s in truth["segments"])))
    assert jiwer.wer(reference, " ".join(plain(said(found)))) < 0.15


def test_a_meeting_that_changes_language_is_written_in_each_not_translated(whisper: Path, tmp_path: Path) -> None:
    found = transcribe(clip("english-german-english", tmp_path), model=whisper)
    assert {code for code, _ in found.languages} == {"en", "de"}
    words = plain(said(found))
    assert {"kollegen", "freitag", "zahlen"} <= set(words)
    assert {"release", "december", "lunch"} <= set(words)
    assert not {"colleagues", "numbers"} & set(words)


@pytest.mark.parametrize("name", ["silence", "fan", "hold music", "choir", "dial tone", "keyboard"])
def test_sound_without_words_gives_none_even_where_it_is_taken_for_speech(
    name: str, whisper: Path, tmp_path: Path
) -> None:
    audio = tmp_path / "sound.wav"
    sounds.write_wav(audio, sounds.NOT_SPEECH[name](20.0))
    assert transcribe(audio, model=whisper, regions=[Region(start=0.0, end=20.0)]).words == ()


def test_without_speech_no_model_is_loaded_and_nothing_is_said(tmp_path: Path) -> None:
    audio = tmp_path / "fan.wav"
    sounds.write_wav(audio, sounds.fan(60.0))
    assert transcribe(audio, model=tmp_path / "none").words == ()


def test_speech_over_music_comes_through(whisper: Path, talk: Path, tmp_path: Path) -> None:
    voice = read_audio(talk, 0.0, 20.0)
    level = 20 * float(np.log10(np.sqrt(np.mean(np.square(voice)))))
    audio = tmp_path / "mixed.wav"
    sounds.write_wav(audio, voice + sounds.hold_music(len(voice) / sounds.RATE, level=level - 12)[: len(voice)])
    words = set(plain(said(transcribe(audio, model=whisper))))
    assert {"good", "morning", "everyone", "weekly", "parser", "security"} <= words


def test_words_lie_in_the_regions_that_were_given(whisper: Path, talk: Path) -> None:
    regions = [Region(start=2.0, end=13.4), Region(start=17.0, end=24.0)]
    found = transcribe(talk, model=whisper, regions=regions)
    assert len(found.words) > 20
    assert all(any(r.start - 0.2 <= w.start and w.end <= r.end + 0.2 for r in regions) for w in found.words)


def test_progress_grows_to_the_whole(whisper: Path, talk: Path) -> None:
    seen: list[float] = []
    transcribe(talk, model=whisper, language="en", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_ctrl_c_between_batches_ends_the_work(whisper: Path, talk: Path) -> None:
    def interrupt(_fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transcribe(talk, model=whisper, language="en", progress=interrupt)


def test_a_term_of_the_list_is_written_as_the_list_spells_it(whisper: Path, make_media: Callable[..., Path]) -> None:
    hiring = make_media("hiring.wav", "-ss", "330", "-t", "14", "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")
    terms = ["backend", "Brightwater Library", "Maya Chen", "Okafor"]
    before = said(transcribe(hiring, model=whisper, language="en"))
    after = said(transcribe(hiring, model=whisper, language="en", vocabulary=terms))
    assert "backend" not in before
    assert "backend" in after
    assert not {"brightwater", "maya", "okafor"} & set(plain(after))


def test_a_language_the_model_does_not_know_is_refused_by_name(whisper: Path, talk: Path) -> None:
    with pytest.raises(ConfigError, match="does not know the language 'xx'"):
        transcribe(talk, model=whisper, language="xx")


def test_numbers_and_prices_are_written_as_they_are_said(models_folder: Path, make_media: Callable[..., Path]) -> None:
    prices = make_media("prices.wav", "-ss", "290", "-t", "9", "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")
    text = " ".join(w.word for w in transcribe(prices, model=models_folder / "whisper-base", language="en").words)
    assert "fifteen" in text.lower()
    assert not set(text) & set("0123456789$%")
