"""Which fault strikes when: decided by the rules and the seed alone."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.errors import SandboxError
from meetings.sandbox.faults import EVENT_FAULTS, REQUEST_FAULTS, Fault, Faults, Plan, Rule, read_plan


def faults(*rules: Rule, seed: int = 0) -> Faults:
    found = Faults()
    found.follow(Plan(seed=seed, rules=rules))
    return found


def struck(given: Faults, count: int) -> list[bool]:
    return [bool(given.of_request("GET", "/users/me", "ana")) for _ in range(count)]


def test_a_sandbox_without_rules_does_nothing_wrong() -> None:
    assert not any(struck(Faults(), 10))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, 1, 1, 1, 1, 1]),
        ({"every": 3}, [0, 0, 1, 0, 0, 1]),
        ({"after": 2}, [0, 0, 1, 1, 1, 1]),
        ({"times": 2}, [1, 1, 0, 0, 0, 0]),
        ({"after": 1, "every": 2, "times": 1}, [0, 0, 1, 0, 0, 0]),
        ({"chance": 0.0}, [0, 0, 0, 0, 0, 0]),
    ],
)
def test_how_often_a_rule_strikes(options: dict[str, Any], expected: list[int]) -> None:
    assert struck(faults(Rule(fault="error", **options)), 6) == [bool(e) for e in expected]


@pytest.mark.parametrize(
    ("scope", "hits"),
    [
        ({}, True),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"path": "/posts"}, True),
        ({"path": "/po*"}, True),
        ({"path": "/files/*"}, False),
        ({"user": "ana"}, True),
        ({"user": "ben"}, False),
    ],
)
def test_a_rule_strikes_in_its_scope_only(scope: dict[str, Any], hits: bool) -> None:
    given = faults(Rule(fault="error", **scope))
    assert bool(given.of_request("POST", "/posts", "ana")) is hits
    assert given.counts()[0]["seen"] == int(hits)


def test_events_and_requests_are_struck_by_their_own_faults() -> None:
    given = faults(Rule(fault="lose", event="posted"), Rule(fault="error"))
    assert [s.rule.fault for s in given.of_event("posted", "ana")] == ["lose"]
    assert given.of_event("typing", "ana") == []
    assert [s.rule.fault for s in given.of_request("GET", "/x", "ana")] == ["error"]


def test_faults_come_in_the_order_in_which_they_can_all_happen() -> None:
    given = faults(Rule(fault="drop-after"), Rule(fault="error", times=1), Rule(fault="latency"))
    assert [s.rule.fault for s in given.of_request("GET", "/x", "")] == ["latency", "error", "drop-after"]
    assert {*REQUEST_FAULTS, *EVENT_FAULTS} == set(get_args(Fault))


@given(seed=st.integers(0, 10**6))
def test_the_same_seed_gives_the_same_faults(seed: int) -> None:
    rules = (Rule(fault="error", chance=0.5), Rule(fault="latency", seconds=0.1, jitter=1.0))
    one, other = (
        [[(s.rule.fault, s.seconds) for s in f.of_request("GET", "/x", "")] for _ in range(30)]
        for f in (faults(*rules, seed=seed), faults(*rules, seed=seed))
    )
    assert one == other
    assert 0 < sum(len(s) == 2 for s in one) < 30
    assert all(0.1 <= s[0][1] <= 1.1 for s in one)


def test_another_rule_beside_it_does_not_change_a_rules_luck() -> None:
    lucky = Rule(fault="error", chance=0.5)
    alone = struck(faults(lucky), 50)
    beside = faults(lucky, Rule(fault="latency", chance=0.5))
    both = [any(s.rule.fault == "error" for s in beside.of_request("GET", "/x", "")) for _ in range(50)]
    assert alone == both


def test_a_plan_is_read_from_a_line() -> None:
    line = "seed=7; latency:seconds=0.2,jitter=0.1 ;drop-after:path=/posts,method=POST,times=1;rate-limit"
    assert read_plan(line) == Plan(
        seed=7,
        rules=(
            Rule(fault="latency", seconds=0.2, jitter=0.1),
            Rule(fault="drop-after", path="/posts", method="POST", times=1),
            Rule(fault="rate-limit"),
        ),
    )
    assert read_plan("") == Plan()


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "plan.yml").write_text("seed: 3\nrules:\n- {fault: error, status: 503, every: 2}\n")
    (tmp_path / "plan.json").write_text('{"rules": []}')
    assert read_plan(str(tmp_path / "plan.yml")) == Plan(seed=3, rules=(Rule(fault="error", status=503, every=2),))
    assert read_plan(str(tmp_path / "plan.json")) == Plan()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("explode", "no such fault 'explode'"),
        ("error:colour=red", "unknown key 'rules.0.colour'"),
        ("error:every", "not an option like every=3"),
        ("error:every=0", "greater than or equal to 1"),
        ("error:fault=drop-after", "not an option"),
        ("error:status=200", "400"),
        ("seed=often", "seed"),
        ("missing.yml", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_in_one_line(text: str, says: str) -> None:
    with pytest.raises(SandboxError) as caught:
        read_plan(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(text=st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(SandboxError):
        assert isinstance(read_plan(text), Plan)


def test_the_page_of_the_sandbox_has_every_fault_and_every_option() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    listed = [re.findall(r"`([^`]+)`", row[1]) for row in rows]
    named = [name for names in listed for name in names]
    options = {o for row in rows if len(row) == 5 for o in re.findall(r"`([^`]+)`", row[3])}
    assert [n for n in named if n in get_args(Fault)] == [*REQUEST_FAULTS, *EVENT_FAULTS]
    assert set(named) | options | {"fault"} >= set(Rule.model_fields)
