"""What an audience's brief says, and what a text for outside the channel can never hold."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.briefs import Cleaner, Place, add_notes, render_brief, render_outside, state_of, state_to_json
from meetings.briefs.keeping import notes_of
from meetings.mattermost.entities import Post
from tests.unit.test_briefs_state import RULES, TEAM, post

PLACE = Place(channel="incident-01", permalinks="http://chat.example/acme/pl/")


def brief(audience: str, *posts: Post, zone: str = "") -> str:
    notes = add_notes({}, notes_of(posts, TEAM, RULES))
    return render_brief(state_of(notes.values()), audience, place=PLACE, people=TEAM, zone=zone)


def outside(audience: str, *posts: Post) -> str:
    state = state_of(add_notes({}, notes_of(posts, TEAM, RULES)).values())
    return render_outside(state, audience, RULES, Cleaner(TEAM.values()))


def test_each_statement_leads_to_its_post() -> None:
    assert "http://chat.example/acme/pl/p1" in brief("engineering", post(1, "The gateway is down."))


def test_times_are_those_of_the_reader() -> None:
    told = post(1, "The gateway is down.")
    assert "22:14 UTC" in brief("engineering", told)
    assert "23:14" in brief("engineering", told, zone="Europe/Berlin")


@pytest.mark.parametrize("audience", ["customers", "pr"])
def test_a_suspected_cause_is_for_engineering_alone(audience: str) -> None:
    told = post(1, "I suspect that customers lost orders because of the cache.")
    assert "suspect" in brief("engineering", told)
    assert "suspect" not in brief(audience, told)


def test_who_talks_to_customers_sees_no_colleagues_names() -> None:
    told = brief("customers", post(1, "Ana Ruiz told customers that @ben.okafor's team answers tickets.", by="ben"))
    assert "told customers" in told
    assert not re.search(r"ana|ruiz|ben|okafor", told, re.IGNORECASE)


def test_what_must_not_be_said_is_for_who_talks_outside() -> None:
    told = post(1, "Do not tell customers that no data was lost.", by="eve")
    assert all("**Do not say**" in brief(audience, told) for audience in ("customers", "pr"))


@pytest.mark.parametrize(
    "text", ["40 % of users cannot log in.", "Orders are delayed by 3.5 hours.", "Customers cannot reach the API."]
)
def test_what_customers_notice_is_for_who_talks_to_them(text: str) -> None:
    assert "**What customers notice**" in brief("customers", post(1, text))


def test_the_next_update_is_told_once() -> None:
    assert brief("customers", post(1, "Next update at 15:00.")).count("15:00") == 1


def test_a_decision_of_the_management_is_for_public_relations() -> None:
    assert "**Decided**" in brief("pr", post(1, "Decided: we refund everybody of the north.", by="eve"))


def test_a_sentence_for_the_press_goes_out_without_who_may_use_it() -> None:
    told = outside(
        "pr", post(1, "The sentence for the press is 'A faulty update delayed alarms', @ben.okafor may use it.")
    )
    assert told.splitlines()[-1] == "- A faulty update delayed alarms"


def test_what_people_wrote_does_nothing_in_a_brief() -> None:
    told = brief("engineering", post(1, "@channel **the gateway is down** [here](http://evil.example) ~town-square"))
    assert "@channel" not in told
    assert "](http://evil" not in told
    assert "**the" not in told


def test_a_long_incident_fits_into_a_message() -> None:
    posts = [
        post(n, f"Gateway {n} is down, {n} buildings are without data, and so it goes on and on.") for n in range(900)
    ]
    assert all(len(brief(audience, *posts)) < 16_000 for audience in ("engineering", "customers", "pr"))


def test_json_has_nothing_of_other_audiences() -> None:
    posts = (post(1, "I suspect the cache."), post(2, "Customers call us.", by="ben"))
    state = state_of(add_notes({}, notes_of(posts, TEAM, RULES)).values())
    assert "suspect" not in str(state_to_json(state, "customers", channel="c"))


LEAKS = st.sampled_from(
    [
        "Ana Ruiz",
        "Ana",
        "ana.ruiz",
        "@ben.okafor",
        "@all",
        "Okafor's",
        "db-01",
        "node7",
        "DB-01",
        "10.0.3.17",
        "proxy.internal",
        "/var/log/gateway.log",
        "http://chat.example/acme/pl/p1",
        "[see](https://wiki.example/x)",
        "~incident-01",
        "ops@acme.example",
    ]
)
FRAMES = st.sampled_from(
    ["Customers cannot log in, {}.", "{} says all is back.", "Users see {} down.", "Next update from {} at 15:00."]
)
LEFT = re.compile(
    r"\b(?:ana|ruiz|okafor|ben|db-01|node7|internal|gateway\.log)\b|10\.0\.3|http|/pl/|@|~inc", re.IGNORECASE
)


@given(st.lists(st.tuples(FRAMES, LEAKS), min_size=1, max_size=5), st.sampled_from(["customers", "pr", "engineering"]))
@settings(max_examples=200, deadline=None)
def test_no_name_machine_link_or_mention_is_in_a_text_for_outside(said: list[tuple[str, str]], audience: str) -> None:
    posts = [post(n, frame.format(leak), by="ben") for n, (frame, leak) in enumerate(said)]
    assert not LEFT.search(outside(audience, *posts).replace("\u200b", ""))


def test_what_was_taken_out_is_told_to_who_reviews() -> None:
    cleaner = Cleaner(TEAM.values())
    cleaner.outside("Ana restarts db-01 for Orchard Clinics, see http://x.example @ben.okafor")
    assert (list(cleaner.checks.names), list(cleaner.checks.hosts)) == (["Ana"], ["db-01"])
    assert (cleaner.checks.links, cleaner.checks.mentions) == (1, 1)


def test_names_that_nobody_here_has_are_listed_for_the_reviewer() -> None:
    cleaner = Cleaner(TEAM.values())
    cleaner.look_at("We call Orchard Clinics about 89 buildings.")
    assert (cleaner.checks.proper, cleaner.checks.figures) == (["Orchard Clinics"], ["89 buildings"])


def test_a_word_that_is_also_a_name_stays() -> None:
    assert Cleaner([*TEAM.values()]).names("The ben is not a name here.") == "The ben is not a name here."
