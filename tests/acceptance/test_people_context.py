"""What is kept of people's context follows the server: what changed is read, what is gone goes, no more is asked."""

from __future__ import annotations

import json
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meetings.config import Settings
from meetings.errors import MattermostUnreachableError, MeetingsError
from meetings.mattermost import KeptContext, MattermostClient, Reading, read_contexts, refresh
from meetings.mattermost.delivery import KEY_PROP
from meetings.people import PersonContext
from meetings.sandbox import Sandbox, run_in_thread
from meetings.store import Database
from tests.acceptance.conftest import Meetings
from tests.acceptance.sandbox_company import COMPANY, Api, api
from tests.databases import database_files, set_body

SUMMARY = """#### Weekly · 40 min

_You were there, Ana._

##### Decisions

- “We ship on Friday.” — Ben, 0:10

##### Worth knowing

- “Candidates for the office manager position come in on Monday.” — Ben, 1:10 · _close to your channel_
- 🔒 “Bonuses are cut.” — Ben, 2:00 · _said in confidence_"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> MattermostClient:
    return MattermostClient(sandbox.url, sandbox.bot_token)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "kept")


@pytest.fixture
def kept(home: Settings, client: MattermostClient) -> KeptContext:
    return KeptContext(home, client.url)


def now() -> int:
    return int(time.time() * 1000)


def context(client: MattermostClient, kept: KeptContext | None, who: str = "ana") -> PersonContext:
    return read_contexts(client, [client.user_by_username(who)], now=now(), kept=kept)[who]


def texts(found: PersonContext) -> set[tuple[str, str]]:
    return {(p.kind, p.text) for p in found.posts}


def product(sandbox: Sandbox, who: str = "ana") -> tuple[Api, str]:
    mine = api(sandbox, who)
    return mine, str(mine.channel("product")["id"])


def summary_for_ana(client: MattermostClient) -> str:
    user = client.user_by_username("ana")
    return client.create_post(client.direct_channel(user.id), SUMMARY, props={KEY_PROP: f"r1:{user.id}"}).id


def react(sandbox: Sandbox, who: str, post_id: str, emoji: str) -> None:
    mine = api(sandbox, who)
    mine.post("/reactions", {"user_id": mine.get("/users/me")["id"], "post_id": post_id, "emoji_name": emoji})


def test_what_is_kept_gives_what_the_server_gives(
    sandbox: Sandbox, client: MattermostClient, kept: KeptContext
) -> None:
    refresh(client, kept, now=now())
    mine, channel = product(sandbox)
    mine.write(channel, "A new parser")
    for who in ("ana", "ben"):
        assert texts(context(client, kept, who)) == texts(context(client, None, who))


def test_an_unchanged_channel_is_asked_once_and_not_read(client: MattermostClient, kept: KeptContext) -> None:
    refresh(client, kept, now=now())
    again = refresh(client, kept, now=now())
    assert (again.whole, again.changed, again.posts) == (0, 0, 0)
    assert again.unchanged == again.channels
    # The bot, its teams, its channels, the people; of each channel its members and what changed.
    assert again.requests <= 4 + 2 * again.channels


def test_a_deleted_post_is_kept_no_longer(
    sandbox: Sandbox, client: MattermostClient, kept: KeptContext, home: Settings
) -> None:
    mine, channel = product(sandbox)
    post = mine.write(channel, "Forget this password")
    assert ("own", "Forget this password") in texts(context(client, kept))
    mine.delete(f"/posts/{post['id']}")
    assert ("own", "Forget this password") not in texts(context(client, kept))
    assert all(b"password" not in p.read_bytes() for p in database_files(home.home))


def test_an_edited_post_is_kept_as_it_is_now(
    sandbox: Sandbox, client: MattermostClient, kept: KeptContext, home: Settings
) -> None:
    mine, channel = product(sandbox)
    post = mine.write(channel, "The old wording")
    context(client, kept)
    mine.put(f"/posts/{post['id']}/patch", {"message": "The new wording"})
    found = texts(context(client, kept))
    assert ("own", "The new wording") in found
    assert all(b"old wording" not in p.read_bytes() for p in database_files(home.home))


def test_reactions_come_and_go(sandbox: Sandbox, client: MattermostClient, kept: KeptContext) -> None:
    ben, channel = product(sandbox, "ben")
    post = ben.write(channel, "The index is rebuilt")
    context(client, kept)
    react(sandbox, "ana", post["id"], "tada")
    assert ("reacted", "The index is rebuilt") in texts(context(client, kept))
    mine = api(sandbox, "ana")
    mine.delete(f"/users/{mine.get('/users/me')['id']}/posts/{post['id']}/reactions/tada")
    assert ("reacted", "The index is rebuilt") not in texts(context(client, kept))


def test_who_left_a_channel_loses_it(sandbox: Sandbox, client: MattermostClient, kept: KeptContext) -> None:
    assert [c.name for c in context(client, kept).channels if c.name == "product"] == ["product"]
    mine, channel = product(sandbox)
    mine.delete(f"/channels/{channel}/members/{mine.get('/users/me')['id']}")
    after = context(client, kept)
    assert "product" not in {c.name for c in after.channels}
    assert "product" not in {p.channel for p in after.posts}


def test_a_channel_that_the_bot_left_is_kept_no_longer(
    sandbox: Sandbox, client: MattermostClient, kept: KeptContext
) -> None:
    refresh(client, kept, now=now())
    _, channel = product(sandbox)
    assert kept.channel(channel) is not None
    bot = client.me().id
    api(sandbox, "admin").delete(f"/channels/{channel}/members/{bot}")
    refresh(client, kept, now=now())
    assert kept.channel(channel) is None


def test_more_changes_than_one_answer_holds_are_read_whole(
    sandbox: Sandbox, client: MattermostClient, kept: KeptContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    context(client, kept)
    mine, channel = product(sandbox)
    for number in range(4):
        mine.write(channel, f"Release number {number}")
    monkeypatch.setattr("meetings.mattermost.context.MAX_SINCE", 3)
    reading = Reading()
    read_contexts(client, [client.user_by_username("ana")], now=now(), kept=kept, reading=reading)
    assert reading.whole == 1


def test_a_name_that_begins_like_another_is_not_mentioned(sandbox: Sandbox, client: MattermostClient) -> None:
    ben, channel = product(sandbox, "ben")
    ben.write(channel, "ask @anastasia about the index")
    ben.write(channel, "ask @ana.")
    assert {p.text for p in context(client, None).posts if p.kind == "mentioned"} == {"ask @ana."}


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[: len(text) // 2], "damaged"),
        (lambda _text: "", "damaged"),
        (lambda _text: "[]", "damaged"),
        (lambda text: text.replace('"posts":', '"pots":'), "damaged"),
        (lambda text: text.replace('"version":1', '"version":0'), "another version"),
    ],
)
def test_what_is_kept_and_cannot_be_used_is_read_anew_with_a_note(
    client: MattermostClient, kept: KeptContext, home: Settings, damage: Callable[[str], str], says: str
) -> None:
    before = context(client, kept)
    for document in Database.of(home).documents("context channel"):
        set_body(home, document.kind, document.name, damage(document.body))
    assert texts(context(client, kept)) == texts(before)
    assert any(says in note for note in kept.notes)
    kept.notes.clear()
    context(client, kept)
    assert kept.notes == []


def test_what_is_kept_is_its_owners_alone(client: MattermostClient, kept: KeptContext, home: Settings) -> None:
    summary_for_ana(client)
    refresh(client, kept, now=now())
    modes: dict[bool, set[int]] = {True: set(), False: set()}
    for path in [home.home, *home.home.rglob("*")]:
        modes[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))
    assert modes == {True: {0o700}, False: {0o600}}


def test_two_at_once_leave_what_is_whole(client: MattermostClient, kept: KeptContext, sandbox: Sandbox) -> None:
    failed: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(5):
                refresh(MattermostClient(sandbox.url, sandbox.bot_token), kept, now=now())
        except (MeetingsError, OSError, ValueError) as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert kept.notes == []
    assert texts(context(client, kept)) == texts(context(client, None))


def test_without_its_server_nothing_that_is_kept_is_used(tmp_path: Path) -> None:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY) as running:
        client = MattermostClient(running.url, running.bot_token)
        kept = KeptContext(Settings(home=tmp_path / "kept"), client.url)
        ana = client.user_by_username("ana")
        read_contexts(client, [ana], now=now(), kept=kept)
    with pytest.raises(MattermostUnreachableError):
        read_contexts(client, [ana], now=now(), kept=kept)


# Opinions


def test_a_thumb_on_a_summary_counts_and_can_be_taken_back(
    sandbox: Sandbox, client: MattermostClient, kept: KeptContext
) -> None:
    post = summary_for_ana(client)
    assert context(client, kept).feedback == ()
    react(sandbox, "ana", post, "-1")
    (line,) = context(client, kept).feedback
    assert (line.kind, line.text) == ("disliked", "Candidates for the office manager position come in on Monday.")
    mine = api(sandbox, "ana")
    mine.delete(f"/users/{mine.get('/users/me')['id']}/posts/{post}/reactions/-1")
    react(sandbox, "ana", post, "heart")
    assert {f.kind for f in context(client, kept).feedback} == {"liked"}


def test_only_the_persons_own_thumb_counts(sandbox: Sandbox, client: MattermostClient) -> None:
    post = summary_for_ana(client)
    bot = Api(sandbox.url, sandbox.bot_token)
    bot.post("/reactions", {"user_id": client.me().id, "post_id": post, "emoji_name": "+1"})
    assert context(client, None).feedback == ()


def test_a_thumb_on_another_message_of_the_bot_says_nothing(sandbox: Sandbox, client: MattermostClient) -> None:
    direct = client.direct_channel(client.user_by_username("ana").id)
    react(sandbox, "ana", client.create_post(direct, SUMMARY).id, "+1")
    assert context(client, None).feedback == ()


def test_a_deleted_summary_is_no_longer_asked_for(
    sandbox: Sandbox, client: MattermostClient, kept: KeptContext
) -> None:
    first, second = summary_for_ana(client), summary_for_ana(client)
    react(sandbox, "ana", first, "+1")
    react(sandbox, "ana", second, "-1")
    context(client, kept)
    Api(sandbox.url, sandbox.bot_token).delete(f"/posts/{first}")
    assert {f.kind for f in context(client, kept).feedback} == {"disliked"}


def test_thumbs_of_many_cost_one_request(sandbox: Sandbox, client: MattermostClient, kept: KeptContext) -> None:
    for who in ("ana", "ben"):
        user = client.user_by_username(who)
        client.create_post(client.direct_channel(user.id), SUMMARY, props={KEY_PROP: f"r1:{user.id}"})
    refresh(client, kept, now=now())
    again = refresh(client, kept, now=now())
    assert again.requests <= 5 + 2 * again.channels


# The commands


def test_refresh_says_what_it_did(sandbox: Sandbox, meetings: Meetings) -> None:
    env = {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": sandbox.bot_token}
    first = meetings("people", "refresh", "--json", env=env)
    assert first.code == 0, first.err
    assert first.json()["whole"] == first.json()["channels"] > 0
    assert first.json()["people"] == 4  # the three and the admin, without bots
    again = meetings("people", "refresh", env=env)
    assert again.code == 0, again.err
    assert f"{first.json()['channels']} as they were" in again.out
    fresh = meetings("people", "refresh", "--fresh", "--json", env=env)
    assert fresh.json()["whole"] == first.json()["channels"]


def test_a_person_is_shown_from_what_is_kept_unless_told_otherwise(
    sandbox: Sandbox, meetings: Meetings, tmp_path: Path
) -> None:
    env = {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": sandbox.bot_token}
    shown = meetings("people", "show", "ana", "--json", env=env)
    assert shown.code == 0, shown.err
    home = Settings(home=tmp_path / "home")
    kept = Database.of(home).documents("context channel")
    assert kept
    for document in kept:
        data = json.loads(document.body)
        data["kept"] |= {"posts": [], "position": now() + 60_000}
        set_body(home, document.kind, document.name, json.dumps(data))
    sources = {
        name: {i["source"] for i in meetings("people", "show", "ana", *more, "--json", env=env).json()["ingredients"]}
        for name, more in {"kept": (), "fresh": ("--fresh",)}.items()
    }
    assert "own post" not in sources["kept"]
    assert "own post" in sources["fresh"]


def test_what_somebody_asks_for_is_kept_listed_shown_and_forgotten(meetings: Meetings, tmp_path: Path) -> None:
    (meetings.cwd / "people.yml").write_text(
        "- username: ana\n  name: Ana Ruiz\n  position: Engineer\n  length: long\n"
    )
    done = meetings("people", "feedback", "@ana", "--more", "release dates", "--less", "hiring", "--length", "short")
    assert done.code == 0, done.err
    listed = meetings("people", "feedback", "ana", "--list")
    assert "more" in listed.out
    assert "hiring" in listed.out
    shown = meetings("people", "show", "ana", "--people", "people.yml", "--json").json()
    weights = {i["source"]: i["weight"] for i in shown["ingredients"]}
    assert weights["feedback"] == pytest.approx(1.2)
    assert weights["unwanted"] == pytest.approx(-1.2)
    assert shown["length"] == "short"
    why = meetings("people", "show", "ana", "--people", "people.yml", "--why").out
    assert "what they asked for less of lowers what is about it by 1.2" in why
    assert meetings("people", "feedback", "ana", "--forget").code == 0
    assert "asked for nothing" in meetings("people", "feedback", "ana", "--list").out
    assert Database.of(Settings(home=tmp_path / "home")).listed("feedback") == ()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["ana"], 2),
        (["ana", "--forget", "--more", "x"], 2),
        (["ana", "--more", "the"], 1),
        (["../ana", "--more", "hiring"], 1),
        (["ana", "--length", "endless"], 2),
    ],
)
def test_what_cannot_be_noted_is_refused(meetings: Meetings, args: list[str], code: int) -> None:
    assert meetings("people", "feedback", *args).code == code
