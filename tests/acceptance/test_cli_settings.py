"""`meetings config` and `meetings completion`, as a user and their shell run them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import Meetings


@pytest.fixture
def bare(tmp_path: Path) -> Meetings:
    """The command in an empty folder, with a home of its own and no models."""
    work = tmp_path / "work"
    work.mkdir()
    return Meetings(cwd=work, env={"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")})


def test_every_setting_is_shown_with_where_it_came_from_and_the_token_never(bare: Meetings) -> None:
    (bare.cwd / "meetings.toml").write_text('threads = 3\nmattermost_token = "s3cr3t"\n')
    env = {"MEETINGS_LANGUAGE": "de"}
    done = bare("config", "show", "--json", env=env)
    assert done.code == 0, done.err
    rows = {row["key"]: row for row in done.json()}
    assert (rows["threads"]["value"], rows["threads"]["origin"]) == ("3", str(bare.cwd / "meetings.toml"))
    assert (rows["language"]["value"], rows["language"]["origin"]) == ("de", "MEETINGS_LANGUAGE")
    assert rows["device"]["origin"] == "default"
    assert rows["mattermost_token"]["value"] == "(set)"
    assert all(row["about"] for row in rows.values())
    table = bare("config", "show", env=env)
    assert "MEETINGS_LANGUAGE" in table.out
    assert "s3cr3t" not in done.out + done.err + table.out + table.err


def test_a_wrong_setting_ends_every_command_with_its_name(bare: Meetings) -> None:
    (bare.cwd / "meetings.toml").write_text("thread = 3\n")
    for command in (("config", "show"), ("doctor",), ("models", "list")):
        done = bare(*command)
        assert done.code == 1
        assert "unknown setting 'thread'; did you mean threads?" in done.error_line()


def test_the_files_that_are_read_are_named_and_whether_they_are_there(bare: Meetings) -> None:
    (bare.cwd / "meetings.toml").write_text("")
    users, own = bare("config", "path").out.splitlines()
    assert users.endswith("meetings.toml  (not there)")
    assert own == str(bare.cwd / "meetings.toml")


def test_a_file_named_by_a_variable_is_the_only_one_read(bare: Meetings) -> None:
    (bare.cwd / "meetings.toml").write_text("")
    (bare.cwd / "mine.toml").write_text("threads = 3\n")
    done = bare("config", "path", env={"MEETINGS_CONFIG": str(bare.cwd / "mine.toml")})
    assert done.out.splitlines() == [str(bare.cwd / "mine.toml")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion_script(bare: Meetings, shell: str) -> None:
    done = bare("completion", shell)
    assert done.code == 0, done.err
    assert f"_MEETINGS_COMPLETE={shell}_complete" in done.out


def test_an_unknown_shell_is_a_usage_error(bare: Meetings) -> None:
    assert bare("completion", "tcsh").code == 2


def test_the_shell_is_told_commands_and_their_options(bare: Meetings) -> None:
    def complete(words: str) -> list[str]:
        env = {"_MEETINGS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return [line.partition(",")[2] for line in bare(env=env).out.splitlines()]

    assert complete("meetings mo") == ["models"]
    assert {"list", "pull", "verify", "path"} <= set(complete("meetings models "))
    assert "--people" in complete("meetings process --pe")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_is_good_bash(bare: Meetings) -> None:
    script = bare("completion", "bash").out
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
