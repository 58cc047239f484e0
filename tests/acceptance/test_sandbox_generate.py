"""A generated company as it is used: written by one command, served by the next."""

from __future__ import annotations

from tests.acceptance.conftest import Meetings


def test_a_company_is_written_and_a_sandbox_started_with_it(meetings: Meetings) -> None:
    made = meetings("sandbox", "generate", "acme", "--people", "6", "--weeks", "1", "--seed", "7")
    assert made.code == 0, made.err
    assert made.out.startswith("acme: 6 people, ")
    # A path of the caller's own folder, though the server's process has another.
    started = meetings(
        "sandbox", "start", "--background", "--port", "0", "--company", "acme", "--folder", "acme-sandbox"
    )
    assert started.code == 0, started.err
    try:
        env = meetings("sandbox", "env", "--folder", "acme-sandbox")
        assert started.out.strip() in env.out
    finally:
        assert meetings("sandbox", "stop", "--folder", "acme-sandbox").code == 0


def test_a_sandbox_is_empty_or_has_a_company(meetings: Meetings) -> None:
    done = meetings("sandbox", "start", "--empty", "--company", ".")
    assert done.code == 2
    assert "--empty and --company exclude each other" in done.err


def test_a_folder_without_a_company_starts_no_sandbox(meetings: Meetings) -> None:
    done = meetings("sandbox", "start", "--background", "--port", "0", "--company", ".", "--folder", "new")
    assert done.code == 1
    assert "company.yml: cannot be read" in done.error_line()
