"""What was said in a call is told to who asked for it, was not there, may read of it, and was not told already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from meetings.alerts import tell_of_call
from meetings.alerts.message import Quoter
from meetings.config import Settings
from meetings.conversation import clock
from meetings.edits import add_edit
from meetings.interests import AlertBook, Interest, Moment
from meetings.llm import Embedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import User
from meetings.models import locate
from tests.kept_results import Kept, keep_recording
from tests.unit.test_alerts_told import Server

pytestmark = pytest.mark.models

CALL = [
    ("S1", "ben", "Hello everybody, nice to see you all again today."),
    ("S2", "mia", "The 2.3 release of the parser slips to Friday."),
    ("S1", "ben", "My holiday was great, we walked in the hills."),
]


@pytest.fixture(scope="module")
def embedder(models_folder: Path) -> Embedder:
    return Embedder(locate("minilm-l6-v2", models_folder), threads=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path, quiet_hours="none")
    for who in ("ana", "ben"):
        AlertBook(settings).add(who, who, Interest(text="the parser release"))
    return settings


@pytest.fixture
def server() -> Server:
    server = Server()
    server.accounts["mia"] = User(id="mia", username="mia")
    server.write("call", "")
    return server


def tell(
    server: Server,
    settings: Settings,
    embedder: Embedder,
    *,
    said: Sequence[tuple[str, str | None, str]] = CALL,
    readers: Sequence[str] = ("ben",),
    channel: str = "c",
    got: Sequence[str] = (),
    **rules: Any,
) -> Kept:
    kept = keep_recording(settings, said=said, readers=readers, channel_id=channel, post_id="call", server=server.url)
    deliveries = [{"username": who, "status": "sent"} for who in got]
    for _ in range(2):  # the step is done again after a death
        job = replace(kept.job, **rules)
        tell_of_call(settings, cast(MattermostClient, server), job, deliveries, lambda: embedder)
    return kept


def test_the_moment_is_quoted_once_to_who_was_not_in_the_call(
    server: Server, settings: Settings, embedder: Embedder
) -> None:
    tell(server, settings, embedder)
    (sent,) = server.sent
    assert sent.channel_id == "direct ana"
    assert "“The 2" in sent.message
    assert "holiday" not in sent.message
    assert "/acme/pl/call" in sent.message


def test_who_is_not_in_the_channel_of_a_call_hears_nothing(
    server: Server, settings: Settings, embedder: Embedder
) -> None:
    server.members["c"].discard("ana")
    tell(server, settings, embedder)
    assert server.sent == []


@pytest.mark.parametrize("rules", [{"audience": "nobody"}, {"listed": ("ben", "mia")}])
def test_of_a_call_of_which_somebody_is_to_be_sent_nothing_they_get_no_alert(
    server: Server, settings: Settings, embedder: Embedder, rules: Mapping[str, Any]
) -> None:
    tell(server, settings, embedder, **rules)
    assert server.sent == []


def test_who_is_listed_for_a_channel_gets_its_alerts(server: Server, settings: Settings, embedder: Embedder) -> None:
    tell(server, settings, embedder, listed=("ana",))
    assert len(server.sent) == 1


def test_what_somebodys_summary_has_is_not_told_again(server: Server, settings: Settings, embedder: Embedder) -> None:
    tell(server, settings, embedder, readers=("ana", "ben"), got=("ana",))
    assert server.sent == []


def test_what_somebodys_summary_lacks_is_told(server: Server, settings: Settings, embedder: Embedder) -> None:
    far = [CALL[0], *[("S1", "ben", f"We spoke of lunch number {n} for a while.") for n in range(4)], CALL[1]]
    tell(server, settings, embedder, said=far, readers=("ana", "ben"), got=("ana",))
    assert len(server.sent) == 1


def test_what_was_said_in_confidence_is_not_told(server: Server, settings: Settings, embedder: Embedder) -> None:
    secret = [CALL[0], ("S2", "mia", "In confidence, the 2.3 release of the parser slips to Friday."), CALL[2]]
    tell(server, settings, embedder, said=secret)
    assert server.sent == []


def test_an_alert_of_a_call_says_when_it_was_said(server: Server, settings: Settings, embedder: Embedder) -> None:
    tell(server, settings, embedder)
    assert clock(0.0).partition(":")[2][:1] in server.sent[0].message
    assert "“Weekly”" in server.sent[0].message


def test_an_alert_of_a_call_quotes_corrected_words_and_nothing_that_a_correction_opens(
    server: Server, settings: Settings
) -> None:
    said = [("S1", "mia", "The parka slips."), ("S2", "mia", "In confidence, Northgate leaves us.")]
    kept = keep_recording(settings, said=said, channel_id="c", post_id="call", server=server.url)
    call = kept.job.source.media_id
    add_edit(settings, call, utterance="u1", before=said[0][2], text="The parser slips.", by="mia")
    add_edit(settings, call, utterance="u2", before=said[1][2], text="Northgate leaves us.", by="mia")
    quoter = Quoter(cast(MattermostClient, server), settings)
    first, second = (
        quoter.quote(Moment(post="call", thread="call", channel_id="c", part=part, call=call, score=1.0))
        for part in (0, 1)
    )
    assert first is not None
    assert first.text == "The parser slips."
    assert second is None
