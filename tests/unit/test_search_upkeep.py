"""The index follows results: what is new goes in, what is corrected, redacted, purged or too old goes out."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from meetings.cli.main import cli
from meetings.config import Settings
from meetings.config_tables import Retention
from meetings.errors import MattermostNotFoundError
from meetings.forgetting import forget
from meetings.recordings import remember_run
from meetings.retention import plan_purge, purge
from meetings.search import OPERATOR, Index, Upkeep, catch_up, clear_index, drop_changed, index_path, open_index, search
from meetings.store import FileStore
from tests.kept_results import keep_recording
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
