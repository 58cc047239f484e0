"""The worked examples in docs/formats.md are read by the program's own readers."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from meetings.cli.main import cli
from meetings.config import Settings, load_settings
from meetings.conversation import from_json, to_json
from meetings.forgetting import REDACTING
from meetings.holdings import OF_RECORDINGS
from meetings.people import read_people, read_profiles
from meetings.people.persona import WEIGHTS
from meetings.personal_data import personal_data
from meetings.summary import summary_from_json, summary_to_json
from tests.databases import every_document, made_ready
from tests.old_home import old_home

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def example(heading: str) -> str:
    """The first block of code below a heading of docs/formats.md."""
    text = (DOCS / "formats.md").read_text().split(f"\n## {heading}\n")[1]
    block = re.search(r"```\w+\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return block.group(1)


def test_the_transcript_of_the_docs_is_read_and_written_back() -> None:
    given = json.loads(example("transcript.json"))
    assert to_json(from_json(given)) == given


def test_the_people_of_the_docs_are_read(tmp_path: Path) -> None:
    (tmp_path / "people.yml").write_text(example("people.yml"))
    assert [p.username for p in read_people(tmp_path / "people.yml")] == ["maya.chen", "laura.stein"]


def test_the_summary_of_the_docs_is_read_and_written_back() -> None:
    given = json.loads(example("summaries/USERNAME.json"))
    assert summary_to_json(summary_from_json(given)) == given


def test_the_report_of_the_docs_adds_up() -> None:
    report = json.loads(example("run.json"))
    assert report["seconds"] == pytest.approx(sum(s["seconds"] for s in report["stages"]))
    for stage in [*report["stages"], report]:
        if not stage.get("reused"):
            assert stage["real_time_factor"] == pytest.approx(stage["seconds"] / report["duration"], abs=1e-4)


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), DOCS.parent / "README.md"], ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_profile_of_the_docs_is_read(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(.*?)```", (DOCS / "people.md").read_text(), re.DOTALL)
    assert block is not None
    (tmp_path / "own.yml").write_text(block.group(1))
    assert "research" in {p.name for p in read_profiles(tmp_path / "own.yml")}


def test_the_weights_of_the_docs_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| (−?[\d.]+) \| (−?[\d.]+) \|", (DOCS / "people.md").read_text(), re.MULTILINE)
    told = {source: (abs(_number(base)), abs(_number(cap))) for source, base, cap in rows}
    assert told == dict(WEIGHTS)


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_the_retention_of_the_docs_is_read(tmp_path: Path) -> None:
    text = (DOCS / "privacy.md").read_text().split("## How long: retention\n")[1]
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ") and not line.startswith("    meetings")]
    (tmp_path / "meetings.toml").write_text("\n".join(lines))
    settings = load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "none")
    assert settings.days_kept("transcript") == 365
    assert settings.days_kept("transcript", "acme/board") == 30


def test_every_place_where_something_is_kept_of_a_recording_is_in_the_docs() -> None:
    text = (DOCS / "privacy.md").read_text()
    assert [stage for stage in OF_RECORDINGS if f"`results/{stage}`" not in text] == []


def test_every_kind_of_document_in_the_database_is_in_the_docs(tmp_path: Path) -> None:
    text = (DOCS / "privacy.md").read_text().split("In the database:")[1]
    settings = made_ready(Settings(home=old_home(tmp_path)))
    kinds = {kind for kind, _ in every_document(settings)} | {REDACTING}
    assert len(kinds) == 8
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in text] == []


def test_every_file_of_an_export_is_in_the_docs(tmp_path: Path) -> None:
    text = (DOCS / "privacy.md").read_text()
    names = personal_data("ana", Settings(home=tmp_path), client=None)
    assert [name for name in names if f"`{name}`" not in text] == []


OPERATIONS = re.findall(r"meetings (?:db|audit|doctor)\b[^`#\n]*", (DOCS / "operations.md").read_text())


@pytest.mark.parametrize("line", sorted({line.strip() for line in OPERATIONS}))
def test_a_command_of_the_page_on_operations_is_one(line: str) -> None:
    command: click.Command = cli
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    # `meetings db backup` in a sentence names the command; with arguments it has to be one that can be given.
    if words or not [p for p in command.params if p.required]:
        command.make_context("meetings", words)


def test_what_the_page_on_operations_says_is_wrong_is_said() -> None:
    rows = re.findall(
        r"^\| (`…?.*?) \| ", (DOCS / "operations.md").read_text().split("## When something")[1], re.MULTILINE
    )
    said = [part.strip() for row in rows for quoted in re.findall(r"`(.*?)`", row) for part in quoted.split("…")]
    source = "".join(path.read_text() for path in (ROOT / "meetings").rglob("*.py"))
    spoken = re.sub(r'"\s*\n\s*f?"', "", source)
    whose = {"connection failed", "is full", "disk I/O error"}  # the servers' and SQLite's own words
    plain = re.sub(r"\{[^{}]*\}", "{}", spoken)
    missing = [
        p for p in said if len(p) > 4 and p not in whose and re.sub(r"\d+", "{}", p) not in plain and p not in spoken
    ]
    assert missing == []
