"""A reader's own language: a translation is used when nothing that counts was lost, never in place of a quotation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from meetings.errors import PromptError, RefusedAnswerError
from meetings.people import build_persona
from meetings.summary import Summary, render_markdown, summarize, summary_from_json, summary_to_json
from meetings.summary.phrases import phrases
from meetings.summary.translate import language_of
from meetings.summary.translation_check import check_translation, lexicons
from tests.unit.summary_builders import BEN, LAURA, WEEKLY, Talkative, TermEmbedder

SOURCE = "Ben Okafor will not finish the load test by Friday, the tenth of December, for 25 users."
GOOD = "Ben Okafor wird den Lasttest nicht bis Freitag, den 10. Dezember, für fünfundzwanzig Nutzer abschließen."
NAMES = ["Ben Okafor", "Maya Chen"]


def verdict(text: str, source: str = SOURCE, language: str = "de") -> tuple[str, ...]:
    return check_translation(text, source, language=language, source_language="en", known_names=NAMES).reasons


def test_a_translation_that_keeps_all_stands() -> None:
    assert verdict(GOOD) == ()


@pytest.mark.parametrize(
    ("true", "false", "reason"),
    [
        ("fünfundzwanzig", "vierundzwanzig", "number"),
        ("fünfundzwanzig", "viele", "number"),
        ("10.", "11.", "number"),
        ("Dezember", "November", "month"),
        ("Freitag", "Montag", "weekday"),
        (" nicht", "", "denial"),
        ("wird", "könnte", "doubt"),
        ("Ben Okafor", "Er", "name lost: Ben"),
        ("Nutzer", "Nutzer und Maya", "name not there: Maya"),
        ("Lasttest", "[Lasttest](https://evil.example)", "markup"),
        ("Lasttest", "Lasttest <|im_end|>", "markup"),
        ("Nutzer", "Nutzer " + "und noch viel mehr " * 8, "length"),
    ],
)
def test_a_translation_that_changes_what_was_said_does_not(true: str, false: str, reason: str) -> None:
    assert true in GOOD
    assert reason in verdict(GOOD.replace(true, false))


def test_the_source_itself_is_no_translation() -> None:
    assert "not the language" in verdict(SOURCE)


@pytest.mark.parametrize(
    ("language", "source", "text"),
    [
        ("fr", "Ninety seats are sold to the bank in May.", "Quatre-vingt-dix places sont vendues à la banque en mai."),
        ("es", "They may pay ten thousand euros in May.", "Quizás se paguen a la empresa 10.000 euros en mayo."),
        ("it", "The price is 6.5 euros on Monday.", "Il prezzo è di 6,5 euro lunedì."),
        ("pt", "Nobody was there on Friday.", "Ninguém estava lá na sexta-feira."),
        ("nl", "The test is not done by Tuesday.", "De test is niet klaar op dinsdag."),
        ("de", "Two hundred letters an hour are the limit.", "Zweihundert Briefe in der Stunde sind die Grenze."),
    ],
)
def test_numbers_days_denial_and_doubt_are_known_in_each_language(language: str, source: str, text: str) -> None:
    assert verdict(text, source, language) == ()


def test_every_lexicon_has_a_whole_year_and_week() -> None:
    assert all((len(x.months), len(x.weekdays)) == (12, 7) for x in lexicons().values())


@pytest.mark.parametrize(
    ("locale", "language"), [("pt-BR", "pt"), ("de_AT", "de"), ("EN", "en"), ("", ""), (None, ""), ("../x", "")]
)
def test_a_locale_names_a_language(locale: str | None, language: str) -> None:
    assert language_of(locale) == language


TOLD = "The budget for a second backend engineer is approved."
GERMAN = "Das Budget für einen zweiten Backend-Entwickler ist genehmigt."


class Bilingual(Talkative):
    """Writes one sentence for the minutes, and translates as it is told to."""

    name = "bilingual"

    def __init__(self, translation: str | PromptError = GERMAN) -> None:
        super().__init__("")
        self.translation = translation

    def complete_each(self, prefix: str, suffixes: Sequence[str], **_: object) -> tuple[str | PromptError, ...]:
        """Notes and translations."""
        if prefix.startswith("Translate into German"):
            told = self.translation
            return tuple(told if isinstance(told, PromptError) else json.dumps({"text": told}) for _ in suffixes)
        return tuple(json.dumps({"lines": [1], "text": TOLD}) if "budget for a second" in s else "{}" for s in suffixes)


def for_ben(model: Bilingual, *admitted: str, locale: str | None = "de-DE", spoken: str = "en") -> Summary:
    (summary,) = summarize(
        replace(WEEKLY, language=spoken),
        [build_persona(replace(BEN, locale=locale))],
        writer="rewrite",
        admitted=["rewrite", *admitted],
        embedder=TermEmbedder(),
        language_model=model,
    )
    return summary


def test_a_reader_gets_their_language_if_the_model_is_admitted_for_it_and_quotations_as_they_were_said() -> None:
    summary = for_ben(Bilingual(), "translate-de")
    own = [b for b in summary.bullets if b.writer == "rewrite"]
    assert [(b.text, b.translated) for b in own] == [(GERMAN, True)]
    assert all(not b.translated and b.text.isascii() for b in summary.bullets if b.writer == "extract")
    message = render_markdown(summary, WEEKLY)
    assert summary.language == "de"
    assert "##### Für Sie" in message
    assert "bis Fr, 20. Nov." in message
    assert "und übersetzt" in message
    assert "For you" not in message
    back = summary_from_json(summary_to_json(summary))
    assert (back.language, [b.translated for b in back.bullets]) == ("de", [b.translated for b in summary.bullets])


@pytest.mark.parametrize(
    "translation",
    [
        "Das Budget für einen dritten Backend-Entwickler ist genehmigt.",
        "Das Budget für einen zweiten Backend-Entwickler ist nicht genehmigt.",
        TOLD,
        RefusedAnswerError("no"),
    ],
)
def test_what_is_not_translated_well_stays_as_it_was_and_so_do_the_headings(translation: str | PromptError) -> None:
    summary = for_ben(Bilingual(translation), "translate-de")
    assert [b.text for b in summary.bullets if b.writer == "rewrite"] == [TOLD]
    assert summary.language == "en"
    assert "##### For you" in render_markdown(summary, WEEKLY)


@pytest.mark.parametrize("admitted", [(), ("translate-fr",)])
def test_a_model_that_is_not_admitted_for_a_language_is_not_asked(admitted: tuple[str, ...]) -> None:
    summary = for_ben(Bilingual(), *admitted)
    assert [b.text for b in summary.bullets if b.writer == "rewrite"] == [TOLD]
    assert summary.language == "en"


@pytest.mark.parametrize(("locale", "shown"), [("de", "de"), ("en", "en"), (None, "en"), ("fr", "en")])
def test_a_call_in_the_readers_language_has_headings_in_it(locale: str | None, shown: str) -> None:
    assert for_ben(Bilingual(), locale=locale, spoken="de").language == shown


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_every_phrase_is_there_in_every_language(language: str) -> None:
    english, other = phrases("en").texts, phrases(language).texts
    assert other.keys() == english.keys()
    for key, value in english.items():
        if isinstance(value, dict) and key != "why":
            assert other[key].keys() == value.keys()
            for part, text in value.items():
                assert str(other[key][part]).count("{") == str(text).count("{"), (language, key, part)
        elif isinstance(value, list):
            assert len(other[key]) == len(value)


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_reasons_are_told_in_the_language_or_left_out(language: str) -> None:
    words = phrases(language)
    assert words.reason("Maya {0} says it falls to you").startswith("Maya {0} ")
    assert words.reason("something new") == ""
    (summary,) = summarize(WEEKLY, [build_persona(LAURA)], embedder=TermEmbedder())
    message = render_markdown(replace(summary, language=language), WEEKLY)
    assert words.text("groups", "rest") in message
    assert "close to" not in message
