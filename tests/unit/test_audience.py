"""Who is to be told of a call, from who is a member and who was there."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetings.audience import choose
from meetings.config import load_settings
from meetings.errors import ConfigError

MEMBERS, ATTENDED = {"a", "b", "c"}, {"a", "x"}


@pytest.mark.parametrize(
    ("audience", "chosen"),
    [("members", MEMBERS), ("participants", ATTENDED), ("missed", {"b", "c"}), ("nobody", set())],
)
def test_each_audience_is_what_its_name_says(audience: str, chosen: set[str]) -> None:
    assert choose(audience, members=MEMBERS, attended=ATTENDED, max_people=50, notes=[]) == chosen


def test_a_large_channel_tells_participants_alone_and_says_so() -> None:
    notes: list[str] = []
    assert choose("members", members=MEMBERS, attended=ATTENDED, max_people=2, notes=notes) == ATTENDED
    assert "more than max_people" in notes[0]


def test_nobody_missed_a_call_whose_participants_are_not_known() -> None:
    notes: list[str] = []
    assert choose("missed", members=MEMBERS, attended=set(), max_people=50, notes=notes) == set()
    assert "not known" in notes[0]


def test_a_channel_has_rules_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "meetings.toml").write_text(
        'audience = "members"\n[channels."acme/board"]\naudience = "participants"\npeople = ["ana", "ben"]\n'
    )
    settings = load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "none")
    rules = settings.channels["acme/board"]
    assert (rules.audience, rules.people) == ("participants", ("ana", "ben"))


@pytest.mark.parametrize("line", ['audience = "everyone"', 'audiense = "members"', 'people = "ana"'])
def test_a_wrong_rule_is_refused_by_name(tmp_path: Path, line: str) -> None:
    (tmp_path / "meetings.toml").write_text(f'[channels."acme/board"]\n{line}\n')
    with pytest.raises(ConfigError, match=r"channels\.acme/board\.(audience|audiense|people)"):
        load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "none")
