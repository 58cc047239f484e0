"""`meetings compare` as a user runs it: the real starter model beside quotations, a backend that fails, Ctrl-C."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from meetings.conversation import to_json
from tests.acceptance.conftest import Meetings
from tests.unit.model_server import Reply, model_server, refused
from tests.unit.summary_builders import WEEKLY

PEOPLE = """\
- {username: maya, name: Maya Chen, position: Director of Product Engineering}
- {username: ben, name: Ben Okafor, position: Backend Engineer}
"""


@pytest.fixture
def calls(meetings: Meetings) -> Path:
    """A folder with a short call and its readers."""
    folder = meetings.cwd / "calls"
    folder.mkdir()
    (folder / "weekly.json").write_text(json.dumps(to_json(WEEKLY)), encoding="utf-8")
    (folder / "people.yml").write_text(PEOPLE, encoding="utf-8")
    return folder


def backend(meetings: Meetings, url: str) -> None:
    """Settings with one backend, `gpu`, at an address."""
    table = f'[backends.gpu]\nmodel = "tall"\nurl = "{url}"\nprivacy = "this machine"\n'
    (meetings.cwd / "meetings.toml").write_text(table, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.models
def test_the_starter_model_stands_beside_quotations(meetings: Meetings, calls: Path) -> None:
    options = ["--on", str(calls), "--writer", "rewrite", "--out", "out", "--json"]
    done = meetings("compare", "--backends", "extract,smollm2-135m", *options)
    assert done.code == 0, done.err
    plain, small = done.json()["backends"]
    assert plain["figures"]["faithful"] == 1.0
    assert (plain["figures"]["questions"], plain["model"]) == (0, None)
    assert small["figures"]["answer_tokens"] > 20
    assert small["figures"]["prompt_tokens"] > small["figures"]["answer_tokens"]
    assert small["figures"]["own"] + small["figures"]["sent_back"] > 0
    assert json.loads((meetings.cwd / "out" / "comparison.json").read_text(encoding="utf-8")) == done.json()
    page = (meetings.cwd / "out" / "comparison.html").read_text(encoding="utf-8")
    assert page.count("Maya Chen <span") == 1
    assert page.count(">smollm2-135m<") >= 2


@pytest.mark.models
def test_a_backend_that_fails_is_one_line_and_the_others_are_told(meetings: Meetings, calls: Path) -> None:
    with model_server(refused(404, "no such model")) as server:
        backend(meetings, server.url)
        done = meetings("compare", "--backends", "gpu,extract", "--on", str(calls))
    assert done.code == 3, done.err
    assert done.error_line().startswith("error: gpu: ")
    assert "faithful" in done.out


@pytest.mark.models
def test_ctrl_c_tells_what_was_done(meetings: Meetings, calls: Path) -> None:
    with model_server(Reply(hang=300.0)) as server:
        backend(meetings, server.url)
        process = meetings.start("compare", "--backends", "extract,gpu", "--on", str(calls), "--out", "out")
        end = time.monotonic() + 240
        while time.monotonic() < end and not server.asked:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "faithful" in out
    assert "Traceback" not in err
    data = json.loads((meetings.cwd / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert [len(b["conversations"]) for b in data["backends"]] == [1, 0]


def test_a_host_that_is_not_allowed_is_one_line_before_any_work(meetings: Meetings, calls: Path) -> None:
    backend(meetings, "https://llm.example.org/v1")
    done = meetings("compare", "--backends", "extract,gpu", "--on", str(calls))
    assert done.code == 1
    assert "llm_allowed_hosts" in done.error_line()
    assert done.out == ""
