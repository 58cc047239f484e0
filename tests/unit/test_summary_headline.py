"""Headlines without a model: counts and topics that cannot be wrong."""

from __future__ import annotations

from meetings.errors import RefusedAnswerError
from meetings.summary import Bullet
from meetings.summary.headline import extractive_headline, topic_words, write_headline
from tests.unit.summary_builders import Talkative


def bullet(text: str, kind: str = "info", **more: object) -> Bullet:
    return Bullet(kind=kind, text=text, evidence=("u1",), start=0.0, speaker="Maya Chen", **more)  # type: ignore[arg-type]


def test_tasks_questions_and_decisions_are_counted() -> None:
    line = extractive_headline(
        [
            bullet("I will finish the load test by Friday.", "action", mine=True),
            bullet("Could you read the draft contract?", "for_you"),
            bullet("It was for her.", "for_you"),
            bullet("The parser release moves.", "decision"),
            bullet("The price page changes.", "decision"),
        ],
        title="Weekly call",
    )
    assert line.startswith("Load test, draft contract, ")
    assert line.endswith(": one task for you, one question for you, one mention of you, two decisions")


def test_names_of_speakers_are_no_topics() -> None:
    assert "maya" not in topic_words([bullet("Maya Chen likes the parser.")], names={"maya", "chen"})


def test_nothing_to_tell_is_said() -> None:
    assert extractive_headline([], title="Weekly call") == "Weekly call: nothing in it seems to concern you."
    assert extractive_headline([], title="") == "Nothing in this call seems to concern you."


def test_confidential_bullets_give_no_topics() -> None:
    line, by = write_headline([bullet("Northgate may leave.", confidential=True)], title="Call", model=None)
    assert "northgate" not in line.lower()
    assert by == "extract"


def test_names_of_companies_keep_their_capitals() -> None:
    assert topic_words([bullet("I will ask Brightwater for it.")])[0] == "Brightwater"


def test_the_reader_is_no_topic() -> None:
    line = extractive_headline([bullet("Leo trained the model.", "for_you")], title="", reader="Leo Martin")
    assert "leo" not in line.lower()


class Prudish(Talkative):
    """A language model that refuses."""

    def complete(self, prompt: str, **options: object) -> str:  # type: ignore[override]
        """Never an answer."""
        raise RefusedAnswerError("prudish refused to answer")


def test_a_model_that_refuses_costs_its_headline_and_nothing_else() -> None:
    bullets = [bullet("The parser release moves to December.", "decision")]
    line, by = write_headline(bullets, title="Call", model=Prudish())
    assert (line, by) == (extractive_headline(bullets, title="Call"), "extract")
