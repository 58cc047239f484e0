"""What sentences do: decisions, tasks with owner and date, risks, questions; and what is said in confidence."""

from __future__ import annotations

from datetime import date

import pytest

from meetings.summary.confidence import Part, announces_confidence, confidential_parts
from meetings.summary.kinds import QUIET, read_sentence

NAMES = ("ana", "ben", "ben okafor", "tom")
THURSDAY = date(2026, 11, 19)


@pytest.mark.parametrize(
    "said",
    [
        "We decided to drop the old importer.",
        "So that is decided, from next Monday two factor login is required.",
        "Let's go with rubber for the case.",
        "The decision is to keep the price.",
        "We've agreed on three buttons.",
        "The release moves to the tenth of December.",
        "The budget for a second engineer is approved.",
        "We'll ship without the dark mode.",
        "Let's postpone the launch.",
        "We are not shipping this in November.",
        "So we'll go with speech recognition, yeah?",
        "We had already decided that it should perhaps be one-handed.",
        "Let's go for the hand dynamo then.",
        "We're not gonna include teletext.",
    ],
)
def test_decisions_are_recognised(said: str) -> None:
    assert read_sentence(said, names=NAMES, said_on=THURSDAY).kind == "decision"


@pytest.mark.parametrize(
    "said",
    [
        "Have we decided on the price?",
        "We haven't decided yet.",
        "If we go with rubber, it costs more.",
        "Maybe we should drop it.",
        "Should we ship it in December?",
        "Agreed, I'll tell Tom.",
        "The train goes to London.",
        "I don't think we decided that.",
        "There was no decision made on the curves.",
        "The materials we're going to use are on the list.",
        "What buttons we're gonna use is up to the design.",
        "These are the points we agreed on.",
        "More details follow once we've decided what goes on the screen.",
        "We will close this meeting.",
        "We'll start with the minutes of the last meeting.",
        "We'll keep that in mind.",
        "Let's go for a three point five.",
    ],
)
def test_what_only_looks_like_a_decision_is_none(said: str) -> None:
    assert read_sentence(said, names=NAMES, said_on=THURSDAY).kind != "decision"


@pytest.mark.parametrize(
    ("said", "owners", "due"),
    [
        ("I'll send the report by Wednesday.", ("me",), "2026-11-25"),
        ("I will ask Brightwater for a quote by next Tuesday.", ("me",), "2026-11-24"),
        ("Ben, can you finish the load test by Friday?", ("ben",), "2026-11-20"),
        ("Ben will write the release notes.", ("ben",), None),
        ("I'll draft the post, and Ben checks the facts.", ("me", "ben"), None),
        ("I will ask Ana to update the design.", ("me", "ana"), None),
        ("I will open the job posting together with Tom by Monday.", ("me", "tom"), "2026-11-23"),
        ("Can you send me the numbers by tomorrow?", ("you",), "2026-11-20"),
        ("I'll take care of it.", ("me",), None),
        ("We need to update the certificates by the end of next week.", (), "2026-11-27"),
        ("Ben is going to work on the components.", ("ben",), None),
        ("I'll put the minutes in the project folder.", ("me",), None),
        ("So you have to work on the component concept.", ("you",), None),
        ("You'll be working on the design.", ("you",), None),
    ],
)
def test_tasks_have_owners_and_dates(said: str, owners: tuple[str, ...], due: str | None) -> None:
    reading = read_sentence(said, names=NAMES, said_on=THURSDAY)
    assert reading.kind == "action"
    assert tuple(o.lower() for o in reading.owners) == owners
    assert (reading.due.shown if reading.due else None) == due


@pytest.mark.parametrize(
    "said",
    [
        "I'll just go through the agenda.",
        "I'll show you the slides.",
        "I will explain that now.",
        "Maybe I could write something.",
        "If I send it today, will you read it?",
        "Can you see my screen?",
        "Can you tell us more?",
        "I can see that.",
        "I'll write down our scores on the whiteboard.",
        "I'm gonna check that out for a second.",
        "I will take this away, it looks messy.",
        "I'll invite Ana to discuss the design.",
        "I still don't know what I'm gonna write.",
        "Our next step is to see if we are under budget.",
        "Then you'll have to change it in a week.",
        "Will it be a tom tom that sends the signal?",
        "I've got this really strange cable.",
    ],
)
def test_talk_about_the_meeting_is_no_task(said: str) -> None:
    assert read_sentence(said, names=NAMES, said_on=THURSDAY).kind != "action"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("I'm worried about the deadline.", "risk"),
        ("The service falls over at four gigabytes.", "risk"),
        ("They may leave us in March.", "risk"),
        ("There is no risk in that.", "info"),
        ("How many customers send files like that?", "question"),
        ("We still don't know whether we have to tell them.", "question"),
        ("That's an open question.", "question"),
        ("The webinar brought 300 visitors and 40 percent stayed.", "number"),
        ("The case is made of rubber.", "info"),
        ("The wheel sensor is too expensive for us.", "risk"),
        ("We might lose the customer because of this.", "risk"),
        ("That would be a considerable problem.", "risk"),
        ("I don't expect that to be a problem.", "info"),
        ("It doesn't become too complicated.", "info"),
        ("That would solve the budget problem.", "info"),
        ("I think we have a lunch break now.", "info"),
        ("They often lose the remote.", "info"),
        ("My computer crashed.", "info"),
        ("Thirty four percent find it too difficult to learn.", "number"),
        ("There was no decision made on the curves.", "question"),
        ("I'm wondering if we really need all of those buttons.", "question"),
        ("I don't know if I have time.", "info"),
        ("It costs us zero point two.", "number"),
        ("The production cost is twelve fifty.", "number"),
        ("We have forty minutes for this meeting.", "info"),
        ("We only have five minutes left.", "info"),
        ("There are two kinds of people.", "info"),
    ],
)
def test_other_kinds(said: str, kind: str) -> None:
    assert read_sentence(said, names=NAMES, said_on=THURSDAY).kind == kind


@pytest.mark.parametrize(
    "said",
    ["Can I show them on the big screen?", "How do you spell your name?", "Do we need buttons, right?", "Is this on?"],
)
def test_questions_about_the_meeting_are_quiet(said: str) -> None:
    reading = read_sentence(said, names=NAMES)
    assert reading.kind == "question"
    assert reading.strength < QUIET


@pytest.mark.parametrize(
    "said",
    [
        "When do we start the beta for them?",
        "What is the acceptable price for that?",
        "But why are they buying one in the first place?",
    ],
)
def test_questions_about_the_work_are_heard(said: str) -> None:
    assert read_sentence(said, names=NAMES).strength >= QUIET


def test_a_name_is_written_with_a_capital() -> None:
    names = ("mark", "user interface")
    assert read_sentence("Mark sends the signal to the team.", names=names).owners == ("mark",)
    assert read_sentence("The user interface sends the signal to the chip.", names=names).kind == "info"


def test_the_one_addressed_is_known() -> None:
    assert read_sentence("Ana, what do customers say about the editor?", names=NAMES).named == "Ana"
    assert read_sentence("What do customers say, Ana?", names=NAMES).named == "Ana"
    assert read_sentence("I asked Ana yesterday about it.", names=NAMES).named is None


@pytest.mark.parametrize(
    "said",
    [
        "One more thing, and this stays in this call, please.",
        "Please keep this between us.",
        "Keep that confidential, please.",
        "This is off the record.",
        "That doesn't leave this room.",
        "Don't tell anyone yet.",
        "Strictly confidential.",
        "Please don't share this outside.",
        "Just between us, they may be sold.",
        "That's not public yet.",
    ],
)
def test_announcements_of_confidence_are_heard(said: str) -> None:
    assert announces_confidence(said)


@pytest.mark.parametrize(
    "said",
    [
        "Das bleibt bitte unter uns.",
        "Das muss unter uns bleiben.",
        "Behaltet das bitte für euch.",
        "Das ist noch streng vertraulich.",
        "Ganz im Vertrauen, sie verkaufen.",
        "Das darf diesen Raum nicht verlassen.",
        "Bitte nicht ins Protokoll.",
        "Sagt das bitte niemandem.",
        "Das geht nicht nach draußen.",
        "Davon soll noch niemand wissen.",
        "Das ist, äh, noch nicht spruchreif.",
        "Ça reste entre nous, s'il vous plaît.",
        "Gardez-le pour vous.",
        "C’est encore confidentiel.",
        "Ne le répétez pas.",
        "N'en parlez à personne.",
        "Pas au compte rendu, merci.",
        "Ce n'est pas encore public.",
        "Esto se queda entre nosotros.",
        "Que no salga de esta sala.",
        "Es, eh, confidencial.",
        "No se lo digas a nadie.",
        "Que quede entre nosotros, por favor.",
        "Guárdalo en secreto.",
    ],
)
def test_announcements_of_confidence_are_heard_in_the_languages_that_summaries_have(said: str) -> None:
    assert announces_confidence(said)


@pytest.mark.parametrize(
    ("announced", "marked"),
    [
        ("Noch etwas, und das bleibt bitte unter uns.", {1, 2}),
        ("Encore une chose, et ça reste entre nous.", {1, 2}),
        ("One more thing, and that stays in this call.", {1, 2}),
        ("Das bleibt unter uns.", {0, 1, 2}),
        ("Noch was: was ich gesagt habe, das bleibt unter uns.", {0, 1, 2}),
    ],
)
def test_an_announcement_of_something_new_does_not_cover_what_was_said_before(announced: str, marked: set[int]) -> None:
    assert confidential_parts(parts("The price page changes.", announced, "Northgate may leave us.")) == marked


@pytest.mark.parametrize(
    ("announced", "secret", "back"),
    [
        ("Das bleibt unter uns.", "Northgate kündigt im März.", "Gut, zurück zur Tagesordnung."),
        ("Ça reste entre nous.", "Northgate part en mars.", "Bon, revenons à l'ordre du jour."),
        ("Esto queda entre nosotros.", "Northgate se va en marzo.", "Bueno, volvamos al tema."),
    ],
)
def test_a_confidence_ends_where_somebody_leads_back_in_the_same_language(
    announced: str, secret: str, back: str
) -> None:
    marked = confidential_parts(parts("The price page changes.", announced, secret, back, "The budget is approved."))
    assert {1, 2} <= marked
    assert marked.isdisjoint({3, 4})


@pytest.mark.parametrize(
    "said",
    [
        "We keep this button in the middle.",
        "Das Team bleibt in diesem Quartal klein.",
        "Wir sagen das dem Kunden am Montag.",
        "Im Vertrauen auf den Plan gehen wir weiter.",
        "Die Schnittstelle ist nicht öffentlich.",
        "Das Protokoll schreibt Anna.",
        "Ne partagez pas votre écran.",
        "Gardez ça pour la prochaine version.",
        "Le budget reste le même.",
        "Guarda esto en la carpeta.",
        "Se lo digo al cliente el lunes.",
        "El plan se queda como está.",
        "This stays in scope.",
        "We share the code between two services.",
        "The record is off by one.",
        "Everything stays with the old design.",
    ],
)
def test_ordinary_words_announce_no_confidence(said: str) -> None:
    assert not announces_confidence(said)


def parts(*said: str, seconds: float = 5.0) -> list[Part]:
    return [Part(turn=n, start=n * seconds, end=(n + 1) * seconds, text=t) for n, t in enumerate(said)]


def test_a_confidence_lasts_until_somebody_leads_back() -> None:
    marked = confidential_parts(
        parts(
            "The price page changes.",
            "This stays in this call, please.",
            "Northgate may leave us.",
            "Oh no.",
            "Okay, back to the agenda.",
            "The budget is approved.",
        )
    )
    assert marked == {1, 2, 3}


@pytest.mark.parametrize(
    "said",
    [
        "This, um, stays between us.",
        "This stays, uh, between us, please.",
        "Keep this — er — to yourselves.",
        "That’s, you know, off, uh, the record.",
        "That is really confidential.",
        "Nothing, I mean, leaves this room.",
    ],
)
def test_who_stumbles_over_an_announcement_means_it_all_the_same(said: str) -> None:
    assert confidential_parts(parts("The price page changes.", said, "Northgate may leave us.")) >= {1, 2}


def test_an_announcement_in_pieces_points_back_as_a_whole_one_does() -> None:
    assert {0, 1} <= confidential_parts(parts("Northgate may leave us.", "That, um, stays in, uh, this call."))


@pytest.mark.parametrize("said", ["We can keep it all under budget.", "It's not really confidential at all."])
def test_without_what_is_put_between_words_nothing_else_becomes_an_announcement(said: str) -> None:
    assert not announces_confidence(said)


def test_an_announcement_that_points_back_covers_what_was_said_before() -> None:
    marked = confidential_parts(parts("Moving on to sales.", "Northgate may leave us.", "That stays in this call."))
    assert {1, 2} <= marked
    assert 0 not in marked


def test_a_confidence_that_nobody_ends_runs_out() -> None:
    marked = confidential_parts(parts("Keep this between us.", *["And so on we talk."] * 30))
    assert 8 in marked
    assert 20 not in marked


def test_nothing_is_confidential_without_an_announcement() -> None:
    assert confidential_parts(parts("The price page changes.", "The budget is approved.")) == frozenset()


@pytest.mark.timeout(120)  # hours if each digit is a beginning
def test_a_long_row_of_digits_is_read_at_once() -> None:
    assert read_sentence("It has " + "1" * 200_000 + " users.").kind == "number"
