"""The index follows results: what is new goes in, what is corrected, redacted, purged or too old goes out."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from pydantic import SecretStr

from meetings.cli.main import cli
from meetings.config import Settings
from meetings.config_tables import Retention
from meetings.conversation import from_json, to_json
from meetings.edits import add_edit, apply_edits, read_edits
from meetings.errors import MattermostNotFoundError
from meetings.forgetting import forget
from meetings.recordings import remember_run
from meetings.retention import plan_purge, purge
from meetings.search import (
    OPERATOR,
    Index,
    Reader,
    Upkeep,
    catch_up,
    clear_index,
    drop_changed,
    index_path,
    open_index,
    search,
)
from meetings.store import FileStore
from tests.databases import made_ready
from tests.kept_results import Kept, keep_recording
from tests.unit.search_builders import URL, Words, bytes_of

OTHER = "s" * 26


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", retention=Retention(transcript=30))


def caught_up(settings: Settings) -> Upkeep:
    with open_index(settings) as index:
        return catch_up(settings, index, Words)


def found(settings: Settings, text: str) -> list[str]:
    with open_index(settings) as index:
        return [f.card.id for f in search(index, text, OPERATOR, embedder=Words())]


def held(settings: Settings) -> bytes:
    return bytes_of(index_path(settings))


def test_what_is_new_goes_in_once(settings: Settings) -> None:
    kept = keep_recording(settings)
    assert caught_up(settings) == Upkeep(put=1)
    assert caught_up(settings) == Upkeep()
    assert found(settings, "zebra stripes") == [kept.job.source.media_id]


def test_where_much_is_new_some_of_it_goes_in_now_and_the_rest_later(settings: Settings) -> None:
    for letter in "abc":
        keep_recording(settings, letter * 26)
    with open_index(settings) as index:
        assert catch_up(settings, index, Words, most=2) == Upkeep(put=2, left=1)
        assert catch_up(settings, index, Words, most=2) == Upkeep(put=1)


def test_who_opens_the_index_while_it_is_removed_sees_what_others_put_into_the_new_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep_recording(settings)
    caught_up(settings)
    opened: list[Index] = []
    meanwhile = threading.Thread(target=lambda: opened.append(open_index(settings)))
    unlink = Path.unlink

    def slowly(path: Path, *, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        if path == index_path(settings):
            meanwhile.start()
            meanwhile.join(0.3)

    monkeypatch.setattr(Path, "unlink", slowly)
    clear_index(settings)
    meanwhile.join()
    caught_up(settings)
    with opened[0] as index:
        assert [card.id for card in index.shelf().cards] == [kept.job.source.media_id]


def test_a_card_says_where_a_recording_is(settings: Settings) -> None:
    keep_recording(settings, post_id="p" * 26, channel_id="c1", server=URL)
    caught_up(settings)
    with open_index(settings) as index:
        (card,) = index.shelf().cards
    assert (card.server, card.channel_id, card.post_id, card.attended) == (URL, "c1", "p" * 26, ("ana", "ben"))


def test_a_recording_of_a_file_is_of_no_channel(settings: Settings) -> None:
    keep_recording(settings)
    caught_up(settings)
    with open_index(settings) as index:
        (card,) = index.shelf().cards
    assert (card.server, card.channel_id) == ("", "")


def test_a_run_that_was_made_again_replaces_what_was_there(settings: Settings) -> None:
    kept = keep_recording(settings)
    caught_up(settings)
    store = FileStore.of(settings)
    data = store.read_json("conversation", kept.conversation)
    data["utterances"][1]["text"] = "giraffes are tall"
    data["speakers"][1] |= {"name": "Carla", "username": "carla"}
    new = store.put_json("conversation", data)
    remember_run(store, kept.job, conversation=new, diarization=kept.diarization, summaries=kept.summaries)
    assert caught_up(settings) == Upkeep(put=1)
    assert b"zebra" not in held(settings)
    with open_index(settings) as index:
        assert "Carla" in [name for _, name, _ in index.shelf().cards[0].speakers]


def test_a_transcript_that_was_edited_in_its_place_is_read_again(settings: Settings) -> None:
    kept = keep_recording(settings)
    caught_up(settings)
    data = kept.store.read_json("conversation", kept.conversation)
    data["utterances"][1]["text"] = "giraffes are tall"
    kept.store.write_json("conversation", kept.conversation, data)
    assert caught_up(settings) == Upkeep(put=1)
    assert b"zebra" not in held(settings)
    assert found(settings, "giraffe")


class Server:
    """A server on which the recording was deleted."""

    url = URL

    def post(self, post_id: str) -> None:
        raise MattermostNotFoundError("gone", status=404)


def test_a_recording_that_was_deleted_in_mattermost_leaves_nothing_in_the_index(settings: Settings) -> None:
    keep_recording(settings, post_id="p" * 26, channel_id="c1", server=URL)
    keep_recording(settings, OTHER, said=(("S1", "ana", "the llama is a fine animal"),))
    caught_up(settings)
    assert b"zebra" in held(settings)
    purge(plan_purge(settings, client=Server()), settings, by="dana")  # type: ignore[arg-type]
    assert b"zebra" not in held(settings)
    assert b"llama" in held(settings)


def test_a_transcript_that_is_too_old_leaves_the_index_with_the_purge(settings: Settings) -> None:
    keep_recording(settings, age_days=31)
    caught_up(settings)
    purge(plan_purge(settings, client=None), settings, by="dana")
    assert b"zebra" not in held(settings)
    assert b"Weekly" not in held(settings)


def test_a_purge_that_finds_nothing_finishes_what_a_killed_one_left_in_the_index(settings: Settings) -> None:
    kept = keep_recording(settings)
    caught_up(settings)
    for path in kept.of_recording():
        if isinstance(path, Path):
            path.unlink()
    purge(plan_purge(settings, client=None), settings, by="dana")
    assert b"zebra" not in held(settings)


def test_words_that_were_redacted_leave_the_index_at_once(settings: Settings) -> None:
    keep_recording(settings)
    caught_up(settings)
    forget("ben", settings, client=None, redact=True, dry_run=False, by="dana")
    assert b"zebra" not in held(settings)
    assert b"Ben" not in held(settings)
    caught_up(settings)
    assert b"zebra" not in held(settings)
    assert found(settings, "budget forty thousand")


def test_a_dry_run_leaves_the_index_alone(settings: Settings) -> None:
    keep_recording(settings)
    caught_up(settings)
    before = held(settings)
    forget("ben", settings, client=None, redact=True, dry_run=True, by="dana")
    assert held(settings) == before


def test_where_nobody_searched_nothing_is_made(settings: Settings) -> None:
    keep_recording(settings)
    assert drop_changed(settings) == 0
    assert not index_path(settings).exists()


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_found(settings: Settings) -> None:
    kept = keep_recording(settings)
    keep_recording(settings, OTHER, said=(("S1", "ana", "the llama is a fine animal"),))
    kept.store.path("conversation", kept.conversation).write_text("{")
    assert caught_up(settings).put == 1
    assert found(settings, "llama") == [OTHER]


def test_the_index_is_for_its_owners_eyes_alone(settings: Settings) -> None:
    keep_recording(settings)
    caught_up(settings)
    modes = {p.stat().st_mode & 0o077 for p in [index_path(settings).parent, *index_path(settings).parent.iterdir()]}
    assert modes == {0}


# What people corrected by hand


HEARD = "zebra stripes were discussed privately"


def corrected(settings: Settings, text: str, *, was: str = HEARD, which: str = "u2", of: str = "r" * 26) -> None:
    """Somebody corrects an utterance on the page."""
    assert add_edit(settings, of, utterance=which, before=was, text=text, by="ana")


def made_again(kept: Kept) -> None:
    """Names and summaries are made again: the transcript has the corrected words from then on."""
    edits = read_edits(kept.settings, kept.job.source.media_id)
    conversation = apply_edits(from_json(kept.store.read_json("conversation", kept.conversation)), edits)
    key = kept.store.put_json("conversation", to_json(conversation))
    remember_run(kept.store, kept.job, conversation=key, diarization=kept.diarization, summaries=kept.summaries)


class Counting(Words):
    """Notes the texts that it is asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return super().embed(texts)


def test_what_was_corrected_is_found_and_what_was_misheard_is_not(settings: Settings) -> None:
    keep_recording(settings)
    caught_up(settings)
    corrected(settings, "Zephyr pipes were discussed privately.")
    assert caught_up(settings) == Upkeep(put=1)
    assert found(settings, "zephyr pipes")
    assert b"zebra" not in held(settings)


def test_what_was_corrected_before_anybody_searched_is_found(settings: Settings) -> None:
    keep_recording(settings)
    corrected(settings, "Zephyr pipes were discussed privately.")
    caught_up(settings)
    assert found(settings, "zephyr")
    assert b"zebra" not in held(settings)


def test_a_correction_that_is_taken_back_is_found_no_more(settings: Settings) -> None:
    keep_recording(settings)
    corrected(settings, "Zephyr pipes were discussed privately.")
    caught_up(settings)
    corrected(settings, HEARD, was="Zephyr pipes were discussed privately.")
    assert caught_up(settings) == Upkeep(put=1)
    assert found(settings, "zebra")
    assert b"ephyr" not in held(settings)


def test_a_correction_makes_no_other_meeting_anew(settings: Settings) -> None:
    keep_recording(settings)
    keep_recording(settings, OTHER, said=(("S1", "ana", "the llama is a fine animal"),))
    caught_up(settings)
    embedder = Counting()
    corrected(settings, "Zephyr pipes.")
    with open_index(settings) as index:
        before = index.stamps()
        assert catch_up(settings, index, lambda: embedder) == Upkeep(put=1)
        assert {i for i, stamp in index.stamps().items() if before[i] != stamp} == {"r" * 26}
        assert catch_up(settings, index, lambda: embedder) == Upkeep()


def test_of_a_corrected_meeting_only_what_reads_otherwise_is_embedded_again(settings: Settings) -> None:
    said = [("S1", "ana", f"passage number {n} " + "of many words " * 25) for n in range(8)]
    keep_recording(settings, said=said)
    caught_up(settings)
    was = said[3][2]
    corrected(settings, "only this one reads otherwise " + "of many words " * 25, was=was, which="u4")
    embedder = Counting()
    with open_index(settings) as index:
        before = index.vectors("r" * 26)
        catch_up(settings, index, lambda: embedder)
        after = index.vectors("r" * 26)
    (new,) = embedder.asked
    assert "only this one" in new
    assert len(after) == len(before) > 3
    for text in before.keys() & after.keys():
        np.testing.assert_allclose(after[text], before[text], rtol=1e-5)
    np.testing.assert_allclose(after[new], Words().embed([new])[0], atol=0.01)


def test_a_meeting_of_which_only_a_name_changes_needs_no_embeddings(settings: Settings) -> None:
    kept = keep_recording(settings)
    caught_up(settings)
    data = kept.store.read_json("conversation", kept.conversation)
    data["speakers"][1] |= {"name": "Carla", "username": "carla"}
    kept.store.write_json("conversation", kept.conversation, data)

    def none() -> Words:
        raise AssertionError("no text is new")

    with open_index(settings) as index:
        assert catch_up(settings, index, none) == Upkeep(put=1)
        assert [f.moments[0].speakers for f in search(index, "zebra", OPERATOR, embedder=Words())] == [("Carla", "Ana")]


@pytest.mark.parametrize("again", [False, True])
def test_words_that_were_redacted_do_not_come_back_by_a_correction(settings: Settings, again: bool) -> None:
    kept = keep_recording(settings)
    corrected(settings, "Zephyr pipes.")
    if again:
        made_again(kept)
    caught_up(settings)
    assert found(settings, "zephyr")
    forget("ben", settings, client=None, redact=True, dry_run=False, by="dana")
    caught_up(settings)
    assert not found(settings, "zephyr pipes")
    assert b"ephyr" not in held(settings)
    assert b"zebra" not in held(settings)
    assert found(settings, "budget forty thousand")


def test_a_correction_from_a_page_that_was_open_while_its_words_were_redacted_is_not_found(settings: Settings) -> None:
    keep_recording(settings)
    caught_up(settings)
    forget("ben", settings, client=None, redact=True, dry_run=False, by="dana")
    corrected(settings, "Zephyr pipes.")
    caught_up(settings)
    assert not found(settings, "zephyr pipes")
    assert b"ephyr" not in held(settings)


def test_what_was_corrected_leaves_the_index_with_its_recording(settings: Settings) -> None:
    keep_recording(settings, age_days=31)
    corrected(settings, "Zephyr pipes.")
    caught_up(settings)
    assert found(settings, "zephyr")
    purge(plan_purge(settings, client=None), settings, by="dana")
    assert read_edits(settings, "r" * 26) == ()
    assert b"ephyr" not in held(settings)


@pytest.mark.parametrize("again", [False, True])
def test_a_correction_opens_no_confidence_to_who_was_not_there(settings: Settings, again: bool) -> None:
    said = (
        ("S1", "ana", "the parser is ready for the beta and everybody is happy with it"),
        ("S2", "ben", "this stays between us for now"),
        ("S2", "ben", "zebra stripes leave the company in March"),
    )
    kept = keep_recording(settings, said=said, post_id="p" * 26, channel_id="c1", server=URL)
    corrected(settings, "This stages between buses.", was=said[1][2], which="u2")
    corrected(settings, "Zephyr pipes leave the company in March.", was=said[2][2], which="u3")
    if again:
        made_again(kept)
    caught_up(settings)
    with open_index(settings) as index:
        for username, there in (("ana", True), ("tom", False)):
            reader = Reader(username=username, server=URL, channels=frozenset({"c1"}))
            seen = search(index, "zephyr pipes leave the company", reader, embedder=Words())
            assert any("Zephyr" in m.text for f in seen for m in f.moments) == there


def test_a_correction_on_one_machine_is_found_on_another(postgres_url: str, tmp_path: Path) -> None:
    one, other = (
        Settings(home=tmp_path / name, files_url=str(tmp_path / "shared"), database_url=SecretStr(postgres_url),
                 voices_key=SecretStr("A" * 43 + "="))
        for name in ("one", "other")
    )  # fmt: skip
    made_ready(one)
    keep_recording(one)
    assert caught_up(other) == Upkeep(put=1)
    corrected(one, "Zephyr pipes were discussed privately.")
    assert caught_up(other) == Upkeep(put=1)
    assert found(other, "zephyr")
    assert b"zebra" not in held(other)


# The command


@pytest.fixture
def at_home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MEETINGS_HOME", str(settings.home))
    monkeypatch.setattr("meetings.cli.search.embedder_of", lambda _settings: Words)
    return settings


def run(*words: str) -> str:
    done = CliRunner().invoke(cli, ["search", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_puts_in_what_is_new_and_shows_the_moment(at_home: Settings) -> None:
    keep_recording(at_home)
    assert "0:03  Ben: zebra stripes were discussed privately" in run("zebra")


def test_the_command_prints_json_that_says_where(at_home: Settings) -> None:
    kept = keep_recording(at_home, post_id="p" * 26, channel_id="c1", server=URL)
    (one,) = json.loads(run("zebra", "--json"))
    assert one["meeting"] == kept.job.source.media_id
    assert one["link"] == f"{URL}/_redirect/pl/{'p' * 26}"
    assert one["moments"][0]["utterances"] == ["u1", "u2", "u3"]


def test_the_command_says_when_there_is_nothing(at_home: Settings) -> None:
    assert run("zebra") == "Nothing was found.\n"


def test_the_index_is_made_anew_on_request(at_home: Settings) -> None:
    keep_recording(at_home)
    run("zebra")
    with Index(index_path(at_home)) as index:
        index.remove([*index.stamps()])
    assert run("--reindex") == "Meetings in the index: 1\n"


def test_a_search_for_nothing_is_an_error_of_usage(at_home: Settings) -> None:
    assert CliRunner().invoke(cli, ["search"]).exit_code == 2


def test_a_title_cannot_steer_the_terminal(at_home: Settings) -> None:
    kept = keep_recording(at_home)
    data = kept.store.read_json("conversation", kept.conversation)
    data["title"] = "Weekly\x1b[2J"
    data["utterances"][1]["text"] = "zebra \x1b[31m stripes"
    kept.store.write_json("conversation", kept.conversation, data)
    assert "\x1b" not in run("zebra")


def test_quotations_have_the_corrected_words(at_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_recording(at_home, said=(("S1", "ana", "we decided to ship the parka on Friday"),))
    right = "We decided to ship the parser on Friday."
    corrected(at_home, right, was="we decided to ship the parka on Friday", which="u1")
    (one,) = json.loads(run("parser", "--json"))
    assert [m["text"] for m in one["moments"]] == [right]
    done = CliRunner().invoke(cli, ["ask", "what did we decide about the parser?", "--json"])
    assert [q["text"] for q in json.loads(done.stdout)["quotes"]] == [right]
