"""The constructed calls: no wrong name in any of them, and every name that can be known is given."""

from __future__ import annotations

import pytest

from tests.naming_cases import Case, all_cases


def test_there_are_enough_cases_and_each_has_a_name_of_its_own() -> None:
    names = [c.name for c in all_cases()]
    assert len(set(names)) == len(names) >= 60


@pytest.mark.parametrize("case", all_cases(), ids=lambda c: c.name)
def test_no_voice_gets_a_wrong_name(case: Case) -> None:
    naming = case.run()
    given = naming.usernames()
    wrong = {v: given[v] for v, who in case.may_be.items() if given.get(v) not in {None, who}}
    assert not wrong


@pytest.mark.parametrize("case", [c for c in all_cases() if c.must_be_named], ids=lambda c: c.name)
def test_who_can_be_known_is_named(case: Case) -> None:
    given = case.run().usernames()
    assert {v for v in case.must_be_named if v not in given} == set()


@pytest.mark.parametrize("case", [c for c in all_cases() if c.joined], ids=lambda c: c.name)
def test_one_person_under_two_labels_is_one_speaker(case: Case) -> None:
    joined = case.run().joined
    for group in case.joined:
        assert len({joined[label] for label in group}) == 1
    assert len(set(joined.values())) == len(joined) - sum(len(g) - 1 for g in case.joined)
