"""What SECURITY.md names as holding is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meetings.config import Settings
from meetings.rates import BURST, PER_SECOND
from meetings.serving import MAX_BODY
from meetings.speech.confined import Limits
from meetings.speech.media import MAX_TRACKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:meetings|tests|scripts)/[\w/.]+|constraints\.txt)`", PAGE)))


@pytest.mark.parametrize("path", NAMED)
def test_a_file_that_the_page_names_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_page_names_code_and_tests() -> None:
    assert len(NAMED) > 15


def test_settings_that_the_page_names_exist() -> None:
    assert {"max_hours", "llm_allowed_hosts", "voices_key", "mattermost_token_file"} <= set(Settings.model_fields)


def test_figures_on_the_page_are_those_of_the_code() -> None:
    assert f"{MAX_TRACKS} tracks" in PAGE
    assert f"{Limits().memory // 1024**3} GiB of addresses" in PAGE
    assert f"bodies of {MAX_BODY // 1024} KiB" in PAGE
    assert f"a bucket of {BURST:.0f} requests that fills with {PER_SECOND:.0f} a second" in PAGE


def test_the_readme_leads_to_it() -> None:
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
