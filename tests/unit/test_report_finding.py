"""What pages find comes from the index as it is now, whoever changed or remade it meanwhile."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from meetings.config import Settings
from meetings.edits import add_edit
from meetings.errors import StorageError
from meetings.mattermost.entities import User
from meetings.report.finding import Finder
from meetings.search import Filters, clear_index, index_path
from tests.kept_results import keep_recording
from tests.unit.test_search_questions import URL, Words

ANA = User(id="u" * 26, username="ana")
FIRST, SECOND = "1" * 26, "2" * 26


class Server:
    """One on which everybody is everywhere."""

    url = URL

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        return True


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    keep_recording(settings, FIRST, post_id="p" * 26, channel_id="c1", server=URL)
    return settings


@pytest.fixture
def finder(settings: Settings) -> Finder:
    server: Any = Server()
    finder = Finder(settings, server, embedder=Words)
    assert finder.refresh(patience=60.0).complete
    return finder


def ids(finder: Finder) -> set[str]:
    return {card.id for card in finder.cards(ANA)}


def test_an_index_that_was_made_anew_is_the_one_that_is_read(settings: Settings, finder: Finder) -> None:
    assert ids(finder) == {FIRST}
    clear_index(settings)
    keep_recording(settings, SECOND, post_id="o" * 26, channel_id="c1", server=URL)
    finder._filled_at = float("-inf")
    assert finder.refresh(patience=60.0).complete
    assert ids(finder) == {FIRST, SECOND}


def test_what_was_taken_out_of_a_new_index_is_not_found_in_the_old_one(settings: Settings, finder: Finder) -> None:
    assert finder.found(ANA, "zebra", Filters(), limit=5)
    clear_index(settings)
    assert finder.found(ANA, "zebra", Filters(), limit=5) == ()


def test_an_index_that_cannot_be_read_is_told_of(settings: Settings, finder: Finder) -> None:
    assert ids(finder) == {FIRST}
    with sqlite3.connect(index_path(settings)) as db:
        db.execute("DROP TABLE meetings")
    db.close()
    with pytest.raises(StorageError, match=r"index\.sqlite"):
        finder.cards(ANA)


def corrected(settings: Settings, text: str, *, was: str = "zebra stripes were discussed privately") -> None:
    add_edit(settings, FIRST, utterance="u2", before=was, text=text, by="ana")


def test_what_somebody_corrects_is_found_right_after(settings: Settings, finder: Finder) -> None:
    assert finder.found(ANA, "zebra", Filters(), limit=5)
    corrected(settings, "Zephyr pipes.")
    finder.changed()
    assert finder.refresh(patience=60.0).complete
    assert [m.text for f in finder.found(ANA, "zephyr", Filters(), limit=5) for m in f.moments] == ["Zephyr pipes."]


def test_what_is_corrected_while_the_index_is_filled_is_not_overlooked(settings: Settings) -> None:
    server: Any = Server()
    finder: Finder

    def interrupted() -> Words:
        corrected(settings, "Zephyr pipes.")  # this meeting was read already
        somebody = threading.Thread(target=finder.changed)
        somebody.start()
        somebody.join()
        return Words()

    finder = Finder(settings, server, embedder=interrupted)
    assert finder.refresh(patience=60.0).complete
    assert finder.found(ANA, "zephyr", Filters(), limit=5)


def test_a_change_that_cannot_be_put_in_is_told_of(settings: Settings, finder: Finder) -> None:
    server: Any = Server()

    def lacking() -> Words:
        raise StorageError(Path("models"), "no such model")

    poor = Finder(settings, server, embedder=lacking)
    corrected(settings, "Zephyr pipes.")
    poor.changed()
    assert "no such model" in poor.refresh(patience=60.0).trouble
