"""What comes with the sandbox: the sample company, its people file, and the spoken sample call with its truth."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from meetings.evaluation import read_rttm
from meetings.people import read_people
from meetings.sandbox.company import Company, read_company, sample_company

DATA = sample_company().parent
CALL = DATA / "sample_call" / "weekly-product-call.mp4"
ANCHOR = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def company() -> Company:
    return read_company(sample_company())


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(CALL.with_suffix(".truth.json").read_text(encoding="utf-8"))
    return loaded


def text_of(truth: dict[str, Any], turns: list[int]) -> str:
    return " ".join(truth["turns"][n]["text"] for n in turns)


def test_turns_stand_in_order_inside_the_recording_and_overlap_now_and_then(truth: dict[str, Any]) -> None:
    turns = truth["turns"]
    assert all(0 < t["start"] < t["end"] < truth["duration"] for t in turns)
    assert all(a["start"] <= b["start"] for a, b in pairwise(turns))
    assert all(t["text"].strip() for t in turns)
    assert sum(b["start"] < a["end"] for a, b in pairwise(turns)) >= 10


def test_the_call_lasts_six_to_eight_minutes_and_five_people_speak(truth: dict[str, Any], company: Company) -> None:
    assert 6 * 60 <= truth["duration"] <= 8 * 60
    assert len(truth["speakers"]) == 5
    assert {t["speaker"] for t in truth["turns"]} == set(truth["speakers"])
    assert company.call is not None
    assert set(company.call.participants) == set(truth["speakers"])
    assert company.call.duration == round(truth["duration"])
    assert company.call.title == truth["title"]


def test_every_speaker_says_who_they_are(truth: dict[str, Any]) -> None:
    for username in truth["speakers"]:
        first = username.partition(".")[0].title()
        own = [t["text"] for t in truth["turns"] if t["speaker"] == username]
        assert any(f"this is {first}" in text or f"{first} here" in text for text in own), username


def test_the_recording_is_an_mp4_small_enough_for_a_checkout() -> None:
    assert CALL.read_bytes()[4:8] == b"ftyp"
    assert CALL.stat().st_size < 3_000_000


def test_the_rttm_lies_inside_the_turns_of_the_same_speaker(truth: dict[str, Any]) -> None:
    spoken = read_rttm(CALL.with_suffix(".rttm").read_text(encoding="utf-8"))
    assert {s.speaker for s in spoken} == set(truth["speakers"])
    for said in spoken:
        assert any(
            t["speaker"] == said.speaker and t["start"] - 0.002 <= said.start < said.end <= t["end"] + 0.002
            for t in truth["turns"]
        ), said


def test_there_are_three_decisions_and_each_is_announced_as_one(truth: dict[str, Any]) -> None:
    assert len(truth["decisions"]) == 3
    for decision in truth["decisions"]:
        assert "decided" in text_of(truth, decision["turns"])


def test_there_are_five_actions_each_promised_by_its_owner_with_its_date(
    truth: dict[str, Any], company: Company
) -> None:
    assert len(truth["actions"]) == 5
    for action in truth["actions"]:
        assert action["owner"] in {u.username for u in company.users}
        promises = [n for n in action["turns"] if truth["turns"][n]["speaker"] == action["owner"]]
        assert action["due_spoken"] in text_of(truth, promises)


def test_dates_follow_from_the_day_of_the_call(truth: dict[str, Any]) -> None:
    day = date.fromisoformat(truth["date"])
    assert day.strftime("%A") == "Wednesday"
    expected = {
        "by Friday": day + timedelta(days=2),
        "by Monday": day + timedelta(days=5),
        "by next Tuesday": day + timedelta(days=6),
        "by the end of next week": day + timedelta(days=9),
        "by the end of the month": date(day.year, day.month, 30),
    }
    assert {a["due_spoken"]: date.fromisoformat(a["due"]) for a in truth["actions"]} == expected


def test_the_confidential_aside_is_one_passage_that_opens_with_a_warning(truth: dict[str, Any]) -> None:
    turns = truth["confidential"]["turns"]
    assert turns == list(range(turns[0], turns[-1] + 1))
    assert "stays inside this call" in truth["turns"][turns[0]]["text"]
    assert "confidential" in truth["turns"][turns[-1]]["text"]
    outside = text_of(truth, [n for n in range(len(truth["turns"])) if n not in turns])
    assert "Northgate" not in outside


def test_what_people_ought_to_get_names_members_of_the_channel_and_turns_that_exist(
    truth: dict[str, Any], company: Company
) -> None:
    assert company.call is not None
    (channel,) = (c for c in company.channels if c.name == company.call.channel)
    assert len(truth["expected"]) >= 10
    assert set(truth["expected"]) <= set(channel.members)
    assert len(set(truth["expected"]) - set(truth["speakers"])) >= 3
    for username, expected in truth["expected"].items():
        assert 3 <= len(expected["items"]) <= 8, username
        assert any(item["must"] for item in expected["items"]), username
        for item in [*expected["items"], *expected["not_for"]]:
            assert item["what"]
            assert item["turns"]
            assert all(0 <= n < len(truth["turns"]) for n in item["turns"])


def test_nobody_both_ought_to_get_a_turn_and_did_not_ask_for_it(truth: dict[str, Any]) -> None:
    for username, expected in truth["expected"].items():
        wanted = {n for item in expected["items"] for n in item["turns"]}
        unwanted = {n for item in expected["not_for"] for n in item["turns"]}
        assert not wanted & unwanted, username


def test_those_who_missed_the_call_ought_not_to_get_its_confidential_part(truth: dict[str, Any]) -> None:
    secret = set(truth["confidential"]["turns"])
    for username in set(truth["expected"]) - set(truth["speakers"]):
        expected = truth["expected"][username]
        assert not any(secret & set(item["turns"]) for item in expected["items"]), username
        assert any(secret == set(item["turns"]) for item in expected["not_for"]), username


def test_the_company_has_people_of_many_roles_who_write_and_react(company: Company) -> None:
    assert len(company.users) >= 10
    assert len({u.position for u in company.users}) == len(company.users)
    said = [entry for post in company.posts for entry in (post, *post.replies)]
    reacting = {name for entry in said for names in entry.reactions.values() for name in names}
    for user in company.users:
        assert sum(entry.user == user.username for entry in said) >= 5, user.username
        assert user.username in reacting


def test_posts_spread_over_four_weeks_before_the_anchor(company: Company) -> None:
    said = sum(1 + len(post.replies) for post in company.posts)
    assert 120 <= said <= 180
    moments = [post.moment(ANCHOR) for post in company.posts]
    assert moments == sorted(moments)
    assert ANCHOR - timedelta(days=28) <= moments[0] < ANCHOR - timedelta(days=25)
    weeks = {(ANCHOR - moment).days // 7 for moment in moments}
    assert weeks == {0, 1, 2, 3}


def test_every_thread_runs_forward(company: Company) -> None:
    for post in company.posts:
        delays = [reply.delay for reply in post.replies]
        assert delays == sorted(delays), post.message


def test_the_bot_hears_the_channel_of_the_call_and_not_every_private_one(company: Company) -> None:
    assert company.call is not None
    heard = {c.name for c in company.channels if "meetings" in c.members}
    assert company.call.channel in heard
    assert [c.name for c in company.channels if c.type == "P" and c.name not in heard]


def test_news_are_links_pushed_in_by_a_bot_to_a_reserved_domain(company: Company) -> None:
    news = [post for post in company.posts if post.channel == "news"]
    assert len(news) >= 10
    assert all(post.user == "newsbot" and "(https://news.example.com/" in post.message for post in news)


def test_the_people_file_agrees_with_the_company(truth: dict[str, Any], company: Company) -> None:
    people = {p.username: p for p in read_people(DATA / "people.yml")}
    users = {u.username: u for u in company.users}
    assert set(people) == set(truth["expected"])
    for username, person in people.items():
        user = users[username]
        assert person.name == f"{user.first_name} {user.last_name}"
        assert person.position == user.position
        assert (person.locale or "en") == user.locale


def test_the_company_file_names_a_recording_that_lies_beside_it(company: Company) -> None:
    assert company.call is not None
    assert (DATA / Path(company.call.recording)) == CALL
    assert CALL.is_file()
