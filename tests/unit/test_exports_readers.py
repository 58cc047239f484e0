"""Files of a meeting, opened by the programs that people open them with."""

from __future__ import annotations

import http.server
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from meetings.exports import Meeting, save_as
from meetings.exports.subtitles import cues
from tests.exported_meeting import BEN, CONVERSATION, MEETING

pytestmark = pytest.mark.slow


def program(*names: str, package: str) -> str:
    """A program that is not this project's to install."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no {names[0]} here (apt-get install {package}): what it makes of these files is NOT tested")
    return found


class Counting(http.server.BaseHTTPRequestHandler):
    """Counts who comes."""

    seen: list[str]

    def do_GET(self) -> None:
        """Note the path."""
        self.seen.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def visitors() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine: its address, and the paths that were asked for."""
    seen: list[str] = []
    handler = type("Handler", (Counting,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


def browse(page: Path) -> tuple[str, list[str]]:
    """The page as Chromium has it, and what it says on its console."""
    chromium = program("chromium", "chromium-browser", "google-chrome", package="chromium")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--disable-extensions",
         f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=2000", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return done.stdout, re.findall(r".*CONSOLE.*", done.stderr)


def tempting(address: str) -> Meeting:
    """A meeting whose every text wants something fetched or run."""
    evil = f"<img src='{address}/a.png'><script>console.error('run');fetch('{address}/b')</script>"
    first = replace(CONVERSATION.utterances[0], text=evil, words=())
    conversation = replace(CONVERSATION, title=evil, utterances=(first, *CONVERSATION.utterances[1:]))
    return replace(MEETING, conversation=conversation, summaries=(replace(BEN, name=evil, headline=evil),))


def test_a_browser_shows_the_page_asks_for_nothing_and_complains_of_nothing(
    tmp_path: Path, visitors: tuple[str, list[str]]
) -> None:
    address, seen = visitors
    (tmp_path / "page.html").write_bytes(save_as("html", tempting(address), "ben.okafor"))
    shown, complaints = browse(tmp_path / "page.html")
    assert "That gives us one more week" in shown
    assert seen == []
    assert complaints == []


def test_a_page_that_does_ask_and_run_would_be_found_out(tmp_path: Path, visitors: tuple[str, list[str]]) -> None:
    address, seen = visitors
    (tmp_path / "page.html").write_text(f"<img src='{address}/a.png'><script>console.error('run')</script>")
    _, complaints = browse(tmp_path / "page.html")
    assert seen == ["/a.png"]
    assert len(complaints) == 1


def test_libreoffice_opens_the_word_document(tmp_path: Path) -> None:
    office = program("soffice", "libreoffice", package="libreoffice-writer-nogui")
    (tmp_path / "meeting.docx").write_bytes(save_as("docx", MEETING, "ben.okafor"))
    subprocess.run(
        [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--convert-to", "txt:Text (encoded):UTF8", "--outdir", str(tmp_path), str(tmp_path / "meeting.docx")],
        capture_output=True, timeout=300, check=True,
    )  # fmt: skip
    text = (tmp_path / "meeting.txt").read_text(encoding="utf-8-sig")
    assert BEN.headline in text
    assert [u.text for u in CONVERSATION.utterances if u.text not in text] == []


def test_poppler_draws_the_pdf_without_a_complaint(tmp_path: Path) -> None:
    poppler = program("pdftoppm", package="poppler-utils")
    (tmp_path / "meeting.pdf").write_bytes(save_as("pdf", MEETING, "ben.okafor"))
    done = subprocess.run(
        [poppler, "-r", "40", "-png", str(tmp_path / "meeting.pdf"), str(tmp_path / "page")],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert len(list(tmp_path.glob("page*.png"))) == 2


@pytest.mark.parametrize("name", ["vtt", "srt"])
def test_ffmpeg_reads_every_subtitle_at_its_time(name: str, tmp_path: Path, ffmpeg: str) -> None:
    (tmp_path / f"subtitles.{name}").write_bytes(save_as(name, MEETING))
    done = subprocess.run(
        [ffmpeg, "-v", "warning", "-nostdin", "-i", str(tmp_path / f"subtitles.{name}"), "-f", "webvtt", "-"],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    expected = cues(CONVERSATION)
    times = re.findall(r"(?m)^((?:\d+:)?\d+:\d+\.\d+) --> ", done.stdout)
    assert [sum(float(p) * 60**n for n, p in enumerate(reversed(t.split(":")))) for t in times] == pytest.approx(
        [c.start for c in expected], abs=0.002
    )
    shown = " ".join(re.sub(r"<[^>]*>|\u200b", "", done.stdout).split())
    assert "Zoë asks Brightwater for a quote." in shown
