"""Generated workspaces: the same seed gives the same bytes, everything refers to what exists, and the truth holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.cli.main import cli
from meetings.conversation import read_conversation, to_vtt
from meetings.errors import SandboxError
from meetings.evaluation import Item, read_truth
from meetings.mattermost import MattermostClient
from meetings.people import match_profiles, read_people
from meetings.sandbox import run_in_thread
from meetings.sandbox.company import Company, PostEntry, ReplyEntry, check_company, read_company
from meetings.sandbox.generate import generate_workspace
from meetings.sandbox.generate.grammar import fill, load_grammar
from meetings.sandbox.generate.staff import hire
from meetings.sandbox.generate.story import make_facts

GRAMMAR = load_grammar()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("workspace") / "made"
    generate_workspace(made, people=30, weeks=4, seed=7)
    return made


@pytest.fixture(scope="module")
def company(folder: Path) -> Company:
    return read_company(folder)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def posts_by_ref(company: Company) -> Iterator[tuple[str, str, PostEntry | ReplyEntry]]:
    """Every post with its channel, by the ref that the truth calls it."""
    for number, post in enumerate(company.posts):
        yield str(number), post.channel, post
        yield from ((f"{number}.{n}", post.channel, reply) for n, reply in enumerate(post.replies))


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# The same again


def test_the_same_seed_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    for number in "12":
        command = [
            sys.executable,
            "-c",
            "from meetings.cli import main; main()",
            "sandbox",
            "generate",
            str(tmp_path / number),
        ]
        # Sets of text are in another order in each process.
        environment = {**os.environ, "PYTHONHASHSEED": number}
        subprocess.run([*command, "--people", "25", "--weeks", "2", "--seed", "3"], check=True, env=environment)
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def test_another_seed_gives_another_company(folder: Path, tmp_path: Path) -> None:
    generate_workspace(tmp_path / "other", people=30, weeks=4, seed=8)
    assert {u.username for u in read_company(tmp_path / "other").users} != {
        u.username for u in read_company(folder).users
    }


# Everything refers to what exists


@settings(max_examples=12, deadline=None)
@given(people=st.integers(5, 40), weeks=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_a_workspace_of_any_size_is_whole(people: int, weeks: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "made"
        counts = generate_workspace(folder, people=people, weeks=weeks, seed=seed)
        # Reading it checks that authors, reactions and members are people who are there.
        company = read_company(folder)
        assert len(company.users) == people == len(read_people(folder / "people.yml"))
        posts = {ref: (channel, entry) for ref, channel, entry in posts_by_ref(company)}
        items = {item.ref: item for item in read_truth(folder / "truth" / "posts.jsonl")}
        assert items.keys() == posts.keys()
        assert counts.posts == len(posts)
        members = {c.name: set(c.members) for c in company.channels}
        for ref, item in items.items():
            channel, entry = posts[ref]
            assert (item.channel, item.by) == (channel, entry.user)
            _check(item, members[channel])
        spoken = {}
        for item in read_truth(folder / "truth" / "calls.jsonl"):
            _check(item, members[item.channel])
            spoken[item.ref] = item
        assert spoken.keys() == {
            f"{path.stem}#{u.id}"
            for path in (folder / "calls").glob("*.json")
            for u in read_conversation(path).utterances
        }
        for story in lines_of(folder / "truth" / "storylines.jsonl"):
            for done in story["decisions"]:
                assert (items | spoken)[done["ref"]].act == "decide"
                assert (items | spoken)[done["ref"]].topic == story["id"]
            for action in story["actions"]:
                assert "assigned" in (items | spoken)[action["ref"]].matters[action["owner"]]


def _check(item: Item, members: set[str]) -> None:
    assert set(item.matters) | item.side <= members, "only who may read it can be concerned"
    assert item.by not in item.matters, "nobody needs to be told their own words"
    assert not item.side & item.matters.keys()
    assert all(item.matters.values()), "each with a reason"


def test_a_duplicate_names_what_was_there_before_and_has_its_title_or_its_page(folder: Path, company: Company) -> None:
    posts = {ref: entry for ref, _, entry in posts_by_ref(company)}
    items = {item.ref: item for item in read_truth(folder / "truth" / "posts.jsonl")}
    again = [item for item in items.values() if item.duplicate_of is not None]
    assert len(again) > 5
    for item in again:
        assert item.duplicate_of is not None
        first = items[item.duplicate_of]
        assert first.duplicate_of is None
        assert int(first.ref) < int(item.ref)
        title = posts[first.ref].message.split("](")[0].lstrip("[")
        assert f"[{title}](" in posts[item.ref].message


def test_a_call_is_in_its_file_as_json_and_as_vtt_and_those_who_speak_were_there(folder: Path) -> None:
    found = sorted((folder / "calls").glob("*.json"))
    assert found
    for path in found:
        talk = read_conversation(path)
        assert path.with_suffix(".vtt").read_text(encoding="utf-8") == to_vtt(talk)
        assert {s.username for s in talk.speakers} == set(talk.participants)


def test_what_an_incident_says_inside_is_marked_and_stays_in_a_private_channel(folder: Path, company: Company) -> None:
    secret = [item for item in read_truth(folder / "truth" / "posts.jsonl") if item.confidential]
    (channel,) = {item.channel for item in secret}
    (place,) = (c for c in company.channels if c.name == channel)
    assert len(secret) > 15
    assert place.type == "P"
    assert len(place.members) < len(company.users)


# It is believable


@pytest.mark.parametrize(
    ("role", "position"), [(r, p) for r, titles in GRAMMAR.words["positions"].items() for p in titles]
)
def test_a_position_calls_for_the_role_that_the_truth_counts_with(role: str, position: str) -> None:
    assert match_profiles(position)[0][0].name == role


def test_every_template_can_be_said() -> None:
    chance = Random(1)
    staff = hire(GRAMMAR, 40, chance)
    templates = [t for s in GRAMMAR.subjects.values() for lines in s.lines.values() for t in lines]
    templates += [t for theme in GRAMMAR.themes.values() for t in (*theme.lines, *theme.links)]
    templates += [t for lines in GRAMMAR.general.values() for t in lines]
    for template in templates:
        facts = {**make_facts(GRAMMAR, staff.squads[0], chance, owner="Ada", helper="Ben"), "to": "Eve"}
        said = fill(template, facts, chance)
        assert not set("[]{}|") & set(said), template


def test_hardly_two_threads_begin_with_the_same_words(company: Company) -> None:
    links = {"news"}
    work = [p.message for p in company.posts if p.channel not in links and "__" not in p.channel]
    assert len(set(work)) / len(work) > 0.93


def test_hidden_interests_show_in_what_people_react_to(folder: Path, company: Company) -> None:
    posts = {ref: entry for ref, _, entry in posts_by_ref(company)}
    reacted: dict[bool, list[bool]] = defaultdict(list)
    known = {k["username"]: k for k in lines_of(folder / "truth" / "people.jsonl")}
    for item in lines_of(folder / "truth" / "posts.jsonl"):
        if item["channel"] == "news" and "duplicate_of" not in item and "theme" in item:
            reacting = {u for users in posts[item["ref"]].reactions.values() for u in users}
            for username, person in known.items():
                reacted[item["theme"] in person["hidden"]].append(username in reacting)
    assert sum(reacted[True]) / len(reacted[True]) > 0.4
    assert sum(reacted[False]) / len(reacted[False]) < 0.15


def test_hidden_interests_stand_in_no_file_that_people_are_read_from(folder: Path) -> None:
    told = {p.username: p.interests for p in read_people(folder / "people.yml")}
    for person in lines_of(folder / "truth" / "people.jsonl"):
        hidden = {GRAMMAR.themes[name].interest for name in person["hidden"]}
        assert not hidden & set(told[person["username"]])


def test_more_weeks_take_no_more_memory(tmp_path: Path) -> None:
    def peak(weeks: int) -> int:
        tracemalloc.start()
        generate_workspace(tmp_path / str(weeks), people=10, weeks=weeks, seed=1)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(1)  # what is loaded once
    assert peak(16) < 1.5 * peak(4)


# What cannot be


@pytest.mark.parametrize(("people", "weeks"), [(4, 1), (501, 1), (10, 0), (10, 53)])
def test_a_size_out_of_range_is_refused(tmp_path: Path, people: int, weeks: int) -> None:
    with pytest.raises(SandboxError, match="is not between"):
        generate_workspace(tmp_path / "made", people=people, weeks=weeks, seed=1)
    assert not (tmp_path / "made").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SandboxError, match="is not empty"):
        generate_workspace(tmp_path, people=5, weeks=1, seed=1)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_company_reads_no_posts_from_outside_its_folder(tmp_path: Path) -> None:
    generate_workspace(tmp_path / "made", people=5, weeks=1, seed=1)
    text = (tmp_path / "made" / "company.yml").read_text()
    (tmp_path / "posts.jsonl").write_text("")
    (tmp_path / "made" / "posts.jsonl").rename(tmp_path / "made" / "kept.jsonl")
    (tmp_path / "made" / "company.yml").write_text(text.replace("posts: posts.jsonl", "posts: ../posts.jsonl"))
    with pytest.raises(SandboxError, match=r"made/posts\.jsonl: cannot be read"):
        read_company(tmp_path / "made")


def test_a_direct_channel_of_three_is_refused(company: Company) -> None:
    content = company.model_dump()
    content["posts"] = []
    three = [u.username for u in company.users[:3]]
    content["channels"].append({"name": "three", "display_name": "three", "type": "D", "members": three})
    with pytest.raises(SandboxError, match="channel three: a direct channel has two members"):
        check_company(content, origin="company.yml")


# It serves


def test_it_starts_in_the_sandbox_and_the_client_reads_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["sandbox", "generate", str(tmp_path / "made"), "--people", "8", "--weeks", "1", "--json"]
    )
    assert json.loads(done.output)["counts"]["people"] == 8
    company = read_company(tmp_path / "made")
    until = datetime(2026, 11, 23, 10, tzinfo=UTC)
    with run_in_thread(tmp_path / "sandbox", company=tmp_path / "made", now=until) as sandbox:
        bot = MattermostClient(sandbox.url, sandbox.bot_token)
        team = bot.my_teams()[0]
        news = bot.channel_by_name(team.name, "news")
        written = [p.message for p in bot.latest_posts(news.id, 1000)]
        assert sorted(written) == sorted(e.message for _, c, e in posts_by_ref(company) if c == "news")
        direct = next(c for c in company.channels if c.type == "D")
        one = MattermostClient(sandbox.url, sandbox.tokens.users[direct.members[0]])
        (private,) = one.my_direct_channels()[:1]
        assert list(one.latest_posts(private.id, 10))
        assert private.id not in {c.id for c in bot.my_channels_everywhere()}
