"""The doctor's verdicts: each trouble has a remedy, and what is well is left in peace."""

import os
from pathlib import Path

import pytest

from meetings.config import load_settings
from meetings.doctor import (
    Finding,
    check_mattermost,
    check_models,
    check_secrets,
    examine,
    judge_account,
    judge_channels,
    judge_database,
    judge_device,
    judge_folder,
    judge_model_server,
    judge_secret,
    judge_threads,
)

HERE = Path("/data")


@pytest.mark.parametrize(
    ("finding", "state", "says"),
    [
        (judge_device("auto", gpus=0, cublas=False), "ok", "cpu (no GPU seen)"),
        (judge_device("cpu", gpus=1, cublas=False), "ok", "set to cpu"),
        (judge_device("auto", gpus=2, cublas=True), "ok", "cuda (2 GPU seen)"),
        (judge_device("cuda", gpus=0, cublas=False), "fail", "NVIDIA driver"),
        (judge_device("auto", gpus=1, cublas=False), "fail", "pip install nvidia-cublas-cu12"),
        (judge_threads(2, cores=2), "ok", "2 CPU threads"),
        (judge_threads(8, cores=2), "warn", "threads = 0"),
        (judge_folder("data folder", HERE, writable=True, free_gb=50), "ok", "50 GB free"),
        (judge_folder("data folder", HERE, writable=True, free_gb=5), "warn", "several GB"),
        (judge_folder("data folder", HERE, writable=True, free_gb=1.5), "fail", "free at least 2 GB"),
        (judge_folder("data folder", HERE, writable=False, free_gb=50), "fail", "change its owner"),
        (judge_database("/data/x.sqlite", shared=False, key=False, channels=3), "ok", "3 channels"),
        (judge_database("postgresql://db/x", shared=True, key=True, channels=3), "ok", "postgresql://db/x"),
        (judge_database("postgresql://db/x", shared=True, key=False, channels=3), "fail", "MEETINGS_VOICES_KEY"),
        (judge_secret(HERE, mode=0o600), "ok", "owner alone"),
        (judge_secret(HERE, mode=0o640), "warn", "chmod 600 /data"),
        (judge_secret(HERE, mode=0o644), "fail", "chmod 600 /data"),
        (judge_account("meetings", is_bot=True), "ok", "@meetings is a bot"),
        (judge_account("ana", is_bot=False), "warn", "use a bot account"),
        (judge_channels([]), "fail", "/invite @meetings"),
        (judge_channels(["a", "b"]), "ok", "2: a, b"),
        (judge_channels([str(n) for n in range(8)]), "ok", "and 2 more"),
    ],
)
def test_a_verdict(finding: Finding, state: str, says: str) -> None:
    assert finding.state == state
    assert says in f"{finding.detail} {finding.remedy}"
    assert bool(finding.remedy) == (state != "ok")
    assert "\n" not in finding.detail + finding.remedy


def test_a_missing_model_is_a_failure_with_the_command_that_brings_it(tmp_path: Path) -> None:
    environ = {"MEETINGS_MODELS": str(tmp_path), "MEETINGS_LANGUAGE_MODEL": "none"}
    settings = load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path)
    found = {f.check: f for f in check_models(settings, deep=False)}
    assert found["whisper_model"].state == "fail"
    assert "meetings models pull whisper-base" in found["whisper_model"].remedy
    assert found["language_model"].state == "ok"


def test_a_damaged_model_is_found_only_when_looked_at_deeply(tmp_path: Path) -> None:
    file = tmp_path / "segmentation-3.0" / "pytorch_model.bin"
    file.parent.mkdir()
    with file.open("wb") as out:
        out.truncate(5905440)
    settings = load_settings(environ={"MEETINGS_MODELS": str(tmp_path)}, folder=tmp_path, user_folder=tmp_path)
    assert {f.check: f.state for f in check_models(settings, deep=False)}["segmentation_model"] == "ok"
    deep = {f.check: f for f in check_models(settings, deep=True)}["segmentation_model"]
    assert deep.state == "fail"
    assert "meetings models pull segmentation-3.0" in deep.remedy


def test_a_settings_file_that_holds_the_token_is_looked_at_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('mattermost_token = "x"\n')
    file.chmod(0o644)
    monkeypatch.chdir(tmp_path)
    assert list(check_secrets()) == []
    monkeypatch.setenv("MEETINGS_CONFIG", str(file))
    assert [f.state for f in check_secrets()] == ["fail"]
    file.write_text("threads = 2\n")
    assert list(check_secrets()) == []


def test_without_a_server_the_doctor_warns_and_goes_on(tmp_path: Path) -> None:
    settings = load_settings(environ={}, folder=tmp_path, user_folder=tmp_path)
    (finding,) = check_mattermost(settings)
    assert finding.state == "warn"
    assert "MATTERMOST_URL" in finding.remedy


def test_a_server_that_does_not_answer_is_a_failure_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    environ = {"MATTERMOST_URL": "http://127.0.0.1:9", "MATTERMOST_TOKEN": "x"}
    settings = load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path)
    (finding,) = check_mattermost(settings)
    assert finding.state == "fail"
    assert finding.remedy


def test_every_part_is_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(environ={"MEETINGS_HOME": str(tmp_path)}, folder=tmp_path, user_folder=tmp_path)
    checks = {f.check for f in examine(settings)}
    assert {"ffmpeg", "whisper_model", "device", "threads", "data folder", "models folder", "mattermost"} <= checks


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environ = {"MEETINGS_HOME": str(tmp_path / "file" / "home"), "MEETINGS_MODELS": str(tmp_path / "new" / "models")}
    settings = load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path)
    found = {f.check: f.state for f in examine(settings)}
    assert found["data folder"] == "fail"
    assert found["models folder"] in {"ok", "warn"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    environ = {"MEETINGS_HOME": str(tmp_path / "home")}
    settings = load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path)
    assert {f.check: f.state for f in examine(settings)}["data folder"] == "fail"


def test_a_model_that_runs_elsewhere_is_told_to_the_admin() -> None:
    finding = judge_model_server("tall", ["tall"], where="llm.example.org")
    assert (finding.state, "llm.example.org: what was said is sent there" in finding.detail) == ("ok", True)
    assert "this machine" in judge_model_server("tall", ["tall"], where="").detail


def test_a_model_that_its_server_does_not_list_is_a_warning() -> None:
    finding = judge_model_server("tall", ["small", "wide"], where="")
    assert (finding.state, "small, wide" in finding.remedy) == ("warn", True)


def test_a_server_that_is_not_allowed_fails_before_anything_is_sent(tmp_path: Path) -> None:
    environ = {"MEETINGS_LANGUAGE_MODEL": "server:tall", "MEETINGS_LLM_URL": "https://llm.example.org/v1"}
    settings = load_settings(environ=environ, folder=tmp_path, user_folder=tmp_path)
    (finding,) = [f for f in check_models(settings, deep=False) if f.check == "language_model"]
    assert (finding.state, "llm_allowed_hosts" in finding.remedy) == ("fail", True)


def test_a_key_file_that_others_can_read_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "key"
    file.write_text("sk-secret")
    file.chmod(0o644)
    (finding,) = check_secrets(file)
    assert (finding.state, "language model's key" in finding.detail, "sk-secret" in str(finding)) == (
        "fail",
        True,
        False,
    )
    file.chmod(0o600)
    assert [f.state for f in check_secrets(file)] == ["ok"]
