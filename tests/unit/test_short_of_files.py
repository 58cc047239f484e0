"""A service that can open no more files still says so, and opens as many as it may."""

from __future__ import annotations

import errno
import sys
from typing import Any

import pytest
from fastapi import Response
from jinja2 import PackageLoader

from meetings.report.http import guarded
from meetings.report.pages import page_templates
from tests.programs import run_python


class OneMoment:
    """The report, as far as it tells of trouble."""

    def trouble(self) -> Response:
        return Response(status_code=503)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSPC, errno.ENOENT])
def test_a_page_that_cannot_be_made_for_want_of_a_file_asks_for_patience(number: int) -> None:
    def broken() -> Response:
        raise OSError(number, "no file")

    report: Any = OneMoment()
    assert guarded(report, broken).status_code == 503


def test_a_running_service_reads_no_template_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: object) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    templates = page_templates()
    monkeypatch.setattr(PackageLoader, "get_source", short)
    assert "One moment" in templates.get_template("plain.html").render(title="One moment", status=503, version="1")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_as_many_files_are_opened_as_are_allowed() -> None:
    run_python(
        "import resource\n"
        "from meetings.cli.service import MANY_FILES, allow_many_files\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))\n"
        "allow_many_files()\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "assert soft == (MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)), (soft, hard)\n"
    )
