"""`meetings save`: which meeting it takes, where the file goes, and what it refuses."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meetings.audit import AuditLog
from meetings.cli.main import cli
from meetings.cli.save import NAMES
from meetings.cli.save import save as command
from meetings.config import Settings
from meetings.conversation import to_json
from meetings.edits import add_edit
from meetings.errors import MeetingsError, SaveError
from meetings.exports import read_meeting
from meetings.summary import summary_to_json
from tests.exported_meeting import BEN, CONVERSATION, ZOE
from tests.kept_results import keep_recording


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings that a command in a test has."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of results, as `meetings process` writes it; the test works beside it."""
    made = tmp_path / "weekly-summary"
    (made / "summaries").mkdir(parents=True)
    (made / "transcript.json").write_text(json.dumps(to_json(CONVERSATION)), encoding="utf-8")
    for summary in (BEN, ZOE):
        text = json.dumps(summary_to_json(summary))
        (made / "summaries" / f"{summary.username}.json").write_text(text, encoding="utf-8")
    (made / "run.json").write_text(json.dumps({"models": {"recogniser": "whisper-base"}}), encoding="utf-8")
    (made / "speakers.rttm").write_text("SPEAKER weekly 1 0.000 1.000 <NA> <NA> S1 <NA> <NA>\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return made


DOCS = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def save(*args: str) -> Result:
    return CliRunner().invoke(cli, ["save", *args], standalone_mode=False)


def test_a_file_is_named_after_the_meeting_and_the_person(folder: Path) -> None:
    done = save(str(folder), "--format", "md", "--person", "@ben.okafor")
    assert done.exception is None, done.exception
    assert BEN.headline in Path("weekly-ben.okafor.md").read_text(encoding="utf-8")
    assert done.output.startswith("weekly-ben.okafor.md: ")


def test_several_formats_go_into_one_folder(folder: Path) -> None:
    assert save(str(folder), "--format", "srt", "--format", "rttm", "--out", "minutes").exception is None
    assert sorted(p.name for p in Path("minutes").iterdir()) == ["weekly.rttm", "weekly.srt"]


def test_the_ending_of_the_file_says_the_format(folder: Path) -> None:
    assert save(str(folder), "--out", "notes.HTML").exception is None
    assert Path("notes.HTML").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_text_goes_to_the_screen_without_the_mark_that_excel_needs(folder: Path) -> None:
    assert save(str(folder), "--format", "csv", "--out", "-").stdout_bytes.startswith(b'"owner"')
    save(str(folder), "--format", "csv")
    assert Path("weekly.csv").read_bytes().startswith(b'\xef\xbb\xbf"owner"')


@pytest.mark.parametrize(
    "args",
    [(), ("--out", "notes"), ("--format", "pdf", "--out", "-"), ("--format", "md", "--format", "csv", "--out", "-")],
)
def test_what_cannot_be_meant_is_a_usage_error(folder: Path, args: tuple[str, ...]) -> None:
    assert "--format" in str(save(str(folder), *args).exception) or args[-1] == "-"
    assert save(str(folder), *args).exit_code != 0
    assert {p.name for p in Path().iterdir()} <= {folder.name, "home"}


def test_a_file_that_is_saved_is_its_owners_alone(folder: Path) -> None:
    save(str(folder), "--format", "vtt")
    assert Path("weekly.vtt").stat().st_mode & 0o077 == 0


def test_who_saved_whose_summary_is_in_the_audit_log(folder: Path, settings: Settings) -> None:
    save(str(folder), "--format", "md", "--person", "zoe")
    assert [(e.event, e.user) for e in AuditLog(settings).entries()] == [("save", "zoe")]


def test_a_transcript_alone_is_nothing_for_the_audit_log(folder: Path, settings: Settings) -> None:
    save(str(folder), "--format", "md")
    assert list(AuditLog(settings).entries()) == []


def test_nobody_is_noted_as_told_who_has_no_summary(folder: Path, settings: Settings) -> None:
    assert isinstance(save(str(folder), "--format", "md", "--person", "eve").exception, SaveError)
    assert list(AuditLog(settings).entries()) == []


def test_a_folder_is_read_as_it_stands(folder: Path, settings: Settings) -> None:
    meeting = read_meeting(str(folder), settings)
    assert (meeting.conversation, meeting.summaries) == (CONVERSATION, (BEN, ZOE))
    assert (meeting.heard_by, meeting.url, meeting.name) == ("whisper-base", None, "weekly")
    assert meeting.rttm.startswith("SPEAKER weekly")


def test_a_folder_without_anything_but_a_transcript_is_enough(folder: Path, settings: Settings) -> None:
    for path in [*folder.glob("summaries/*"), folder / "run.json", folder / "speakers.rttm"]:
        path.unlink()
    meeting = read_meeting(str(folder), settings)
    assert (meeting.summaries, meeting.heard_by, meeting.rttm) == ((), "", "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("summaries/zoe.json", "{}"),
        ("summaries/zoe.json", "[1]"),
        ("summaries/zoe.json", '{"person": 3}'),
        ("summaries/zoe.json", "{"),
        ("run.json", "["),
        ("transcript.json", "nothing"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, settings: Settings, name: str, text: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(MeetingsError, match=Path(name).name):
        read_meeting(str(folder), settings)


def test_an_id_in_a_foreign_transcript_leads_nowhere_in_the_data_folder(folder: Path, settings: Settings) -> None:
    keep_recording(settings, "r" * 26, post_id="p" * 26)
    foreign = replace(CONVERSATION, id="../recordings/" + "r" * 26)
    (folder / "transcript.json").write_text(json.dumps(to_json(foreign)))
    assert read_meeting(str(folder), settings).url is None


def test_a_recording_is_found_by_its_id_with_summaries_and_turns(settings: Settings) -> None:
    keep_recording(settings, "r" * 26, post_id="p" * 26)
    meeting = read_meeting("p" * 26, settings)
    assert [s.username for s in meeting.summaries] == ["ana", "ben"]
    assert meeting.conversation.utterances[0].text == "the budget is forty thousand"
    assert meeting.rttm.count("SPEAKER weekly 1 ") == 3
    assert meeting.name == "weekly"


def test_words_that_people_corrected_are_saved_as_they_stand_on_the_page(settings: Settings) -> None:
    keep_recording(settings, "r" * 26, post_id="p" * 26)
    heard = read_meeting("p" * 26, settings).conversation.utterances[0]
    add_edit(
        settings, "r" * 26, utterance=heard.id, before=heard.text, text="the budget is fourteen thousand", by="ana"
    )
    assert read_meeting("p" * 26, settings).conversation.utterances[0].text == "the budget is fourteen thousand"


def test_a_recording_that_was_never_processed_is_refused_with_the_remedy(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "new.mp4").write_bytes(b"x")
    with pytest.raises(MeetingsError, match="run: meetings process"):
        read_meeting(str(tmp_path / "new.mp4"), settings)


@pytest.mark.parametrize("line", re.findall(r"^ {4}meetings save (.*)$", DOCS, re.MULTILINE))
def test_a_command_of_the_docs_is_one(line: str) -> None:
    command.make_context("save", shlex.split(line))


def test_the_docs_name_every_format() -> None:
    told = DOCS.split("## Saving a meeting for elsewhere")[1].split("|---|---|---|---|")[1].split("\n\n")[0]
    assert sorted(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in told.strip().splitlines()))) == sorted(
        NAMES
    )
