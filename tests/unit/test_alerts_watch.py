"""New posts are compared as they come, with what stands around them, for those who asked alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

import pytest

from meetings.alerts import Alerts, phrases_of
from meetings.config import Settings
from meetings.config_tables import AlertSettings, split_pairs
from meetings.errors import MattermostUnreachableError
from meetings.interests import LEARNED_BAR, AlertBook, Interest
from meetings.llm import Embedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Post
from meetings.models import locate
from meetings.people import Person, build_persona
from meetings.watchers import News
from tests.unit.test_alerts_told import NOON
from tests.unit.test_alerts_told import Server as Silent

pytestmark = pytest.mark.models
SLIPS = "The 2.3 release of the parser slips to Friday."


class Server(Silent):
    """One whose channels can be read."""

    def thread(self, root: str) -> tuple[Post, ...]:
        return tuple(p for p in self.posts.values() if root in {p.id, p.root_id})

    def news(self, *names: str, channel: str = "c") -> News:
        return News(channel=self.channel(channel), posts=tuple(self.posts[n] for n in names), since=-1)


@pytest.fixture(scope="module")
def embedder(models_folder: Path) -> Embedder:
    return Embedder(locate("minilm-l6-v2", models_folder), threads=1)


@pytest.fixture
def server() -> Server:
    return Server()


def watcher(server: Server, settings: Settings, embedder: Embedder, **more: object) -> Alerts:
    return Alerts(settings, cast(MattermostClient, server), lambda: embedder, **more)  # type: ignore[arg-type]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    AlertBook(settings).add("ana", "ana", Interest(text="the parser release"))
    return settings


def test_what_is_seen_again_is_not_told_again(server: Server, settings: Settings, embedder: Embedder) -> None:
    server.write("p1", SLIPS)
    for _ in range(2):
        watcher(server, settings, embedder).look(server.news("p1"))
    assert len(server.sent) == 1


def test_a_post_that_is_deleted_is_taken_out_of_alerts_of_those_who_paused_them_too(
    server: Server, settings: Settings, embedder: Embedder
) -> None:
    server.write("p1", SLIPS)
    one = watcher(server, settings, embedder)
    one.look(server.news("p1"))
    AlertBook(settings).set("ana", "ana", paused=True)
    server.posts["p1"] = replace(server.posts["p1"], message="", delete_at=9)
    one.look(server.news("p1"))
    assert "slips" not in server.sent[0].message


def test_nobody_is_told_of_a_thread_they_answered_in(server: Server, settings: Settings, embedder: Embedder) -> None:
    server.write("p1", "What is new?")
    server.posts["a"] = Post(id="a", channel_id="c", user_id="ana", root_id="p1", message="Tell me", create_at=1)
    server.write("p2", SLIPS, root="p1")
    watcher(server, settings, embedder).look(server.news("p2"))
    assert server.sent == []


def test_the_bots_own_posts_are_no_news(server: Server, settings: Settings, embedder: Embedder) -> None:
    server.posts["b"] = Post(id="b", channel_id="c", user_id="bot", message=SLIPS, create_at=1)
    watcher(server, settings, embedder).look(server.news("b"))
    assert server.sent == []


def test_no_model_is_loaded_while_nobody_wants_alerts(server: Server, tmp_path: Path) -> None:
    def load() -> Embedder:
        raise AssertionError

    server.write("p1", SLIPS)
    Alerts(Settings(home=tmp_path), cast(MattermostClient, server), load).look(server.news("p1"))


def test_a_server_that_allows_none_a_day_sends_none(server: Server, settings: Settings, embedder: Embedder) -> None:
    server.write("p1", SLIPS)
    none = settings.model_copy(update={"alerts": AlertSettings(per_day=0)})
    alerts = watcher(server, none, embedder)
    alerts.look(server.news("p1"))
    alerts.tick(1e9)
    assert server.sent == []


@pytest.mark.parametrize("on", [False, True])
def test_learned_interests_count_only_where_the_settings_say_so(
    server: Server, tmp_path: Path, embedder: Embedder, on: bool
) -> None:
    settings = Settings(home=tmp_path, alerts=AlertSettings(learned=on))
    server.write("p1", SLIPS)
    alerts = watcher(server, settings, embedder, learn=lambda: {("ana", "ana"): ("the parser release",)})
    alerts.tick(1e9)
    alerts.look(server.news("p1"))
    assert len(server.sent) == on
    if on:
        assert "by what I know of you" in server.sent[0].message
        (kept,) = AlertBook(settings).of("ana").interests
        assert AlertBook(settings).of("ana").bar(kept) == LEARNED_BAR


def test_what_could_not_be_learned_is_learned_when_the_server_is_back(server: Server, tmp_path: Path) -> None:
    answers: list[Exception | dict[tuple[str, str], tuple[str, ...]]] = [
        MattermostUnreachableError("away"),
        {("ana", "ana"): ("the parser release",)},
    ]

    def learn() -> dict[tuple[str, str], tuple[str, ...]]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    settings = Settings(home=tmp_path, alerts=AlertSettings(learned=True))
    alerts = Alerts(settings, cast(MattermostClient, server), _no_embedder, learn=learn)
    with pytest.raises(MattermostUnreachableError):
        alerts.tick(NOON)
    alerts.tick(NOON + 60)
    assert [w.user_id for w in alerts.everybody()] == ["ana"]


def _no_embedder() -> NoReturn:
    raise AssertionError


def test_a_whole_sentence_about_somebody_is_no_interest() -> None:
    long = "She has led the platform team for six years and cares about everything that customers see and say."
    persona = build_persona(Person(username="ana", name="Ana", interests=("water leaks",), about=long))
    assert phrases_of(persona) == ("water leaks",)


def test_the_settings_can_be_given_in_one_variable() -> None:
    assert AlertSettings.model_validate(split_pairs("per_day=5, learned=true")) == AlertSettings(
        per_day=5, learned=True
    )
