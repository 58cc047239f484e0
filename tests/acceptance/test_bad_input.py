"""Each wrong input ends in one line that names cause and remedy, with exit code 1, and loses nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import SAMPLE, SAMPLE_PEOPLE, Meetings

pytestmark = [pytest.mark.models]


def refused(meetings: Meetings, *args: str | Path, env: dict[str, str] | None = None) -> str:
    done = meetings("process", *args, env=env)
    assert done.code == 1, (done.code, done.out, done.err)
    return done.error_line()


def test_no_such_file(meetings: Meetings) -> None:
    assert "gone.mp4: no such file" in refused(meetings, "gone.mp4")


def test_a_folder(meetings: Meetings) -> None:
    assert "is a folder" in refused(meetings, ".")


def test_not_media(meetings: Meetings) -> None:
    (meetings.cwd / "notes.mp4").write_text("These are my notes, not a recording. " * 50)
    assert "notes.mp4" in refused(meetings, "notes.mp4")


def test_an_empty_file(meetings: Meetings) -> None:
    (meetings.cwd / "empty.mp4").touch()
    assert "empty.mp4" in refused(meetings, "empty.mp4")


def test_video_without_sound(meetings: Meetings, make_media: Callable[..., Path]) -> None:
    mute = make_media("mute.mp4", "-f", "lavfi", "-i", "testsrc=d=2:s=160x90:r=5", "-an")
    assert "no audio" in refused(meetings, mute)


def test_zero_seconds_of_sound(meetings: Meetings, make_media: Callable[..., Path]) -> None:
    nothing = make_media("zero.wav", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "0")
    assert "zero.wav" in refused(meetings, nothing)


def test_a_truncated_mp4(meetings: Meetings, make_media: Callable[..., Path]) -> None:
    # Without faststart the index stands at the end of an mp4: cut in half, it has none.
    whole = make_media("whole.mp4", "-t", "8", "-i", str(SAMPLE), "-c:a", "aac", "-vn").read_bytes()
    (meetings.cwd / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    line = refused(meetings, "cut.mp4")
    assert "cut.mp4" in line
    assert "breaks off" in line


def test_a_recording_cut_off_at_the_end_is_used_as_far_as_it_goes(
    make_media: Callable[..., Path], tmp_path: Path
) -> None:
    from meetings.speech import decode_audio

    args = ("-t", "20", "-i", str(SAMPLE), "-c:a", "aac", "-vn", "-movflags", "+faststart")
    whole = make_media("fast.mp4", *args).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    info = decode_audio(tmp_path / "cut.mp4", tmp_path / "audio.wav")
    assert 5 < info.duration < 15
    assert "damaged" in info.warnings[0]


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ("- username: ana\n  name: Ana\n  positon: Head\n", "positon"),
        ("- username: ana\n  name: Ana\n- username: ana\n  name: Ana\n", "ana"),
        ("[]\n", "people.yml"),
        ("", "people.yml"),
        ("- just text\n", "people.yml"),
        ("a: [1\n", "people.yml"),
    ],
)
def test_a_people_file_that_is_wrong(meetings: Meetings, people: str, says: str) -> None:
    (meetings.cwd / "people.yml").write_text(people)
    assert says in refused(meetings, SAMPLE, "--people", "people.yml")


def test_a_people_file_that_is_not_there(meetings: Meetings) -> None:
    assert "gone.yml" in refused(meetings, SAMPLE, "--people", "gone.yml")


def test_a_missing_model(meetings: Meetings, tmp_path: Path) -> None:
    line = refused(meetings, SAMPLE, env={"MEETINGS_MODELS": str(tmp_path / "none")})
    assert "meetings models pull" in line


def test_an_unknown_model(meetings: Meetings) -> None:
    assert "whisper-huge" in refused(meetings, SAMPLE, env={"MEETINGS_WHISPER_MODEL": "whisper-huge"})


def test_an_output_folder_that_cannot_be_written(meetings: Meetings) -> None:
    (meetings.cwd / "file").write_text("")
    line = refused(meetings, SAMPLE, "--people", SAMPLE_PEOPLE, "--out", "file/out")
    assert "cannot write" in line


def test_a_home_that_cannot_be_written(meetings: Meetings) -> None:
    (meetings.cwd / "file").write_text("")
    line = refused(meetings, SAMPLE, env={"MEETINGS_HOME": str(meetings.cwd / "file" / "home")})
    assert "cannot write" in line


def test_deliver_without_a_server(meetings: Meetings) -> None:
    assert "MATTERMOST_URL" in refused(meetings, SAMPLE, "--people", SAMPLE_PEOPLE, "--deliver")


def test_a_permalink_without_a_server(meetings: Meetings) -> None:
    assert "MATTERMOST_URL" in refused(meetings, "https://chat.test/acme/pl/" + "a" * 26)


def test_a_wrong_option_is_a_usage_error(meetings: Meetings) -> None:
    done = meetings("process", "--peple", "x", SAMPLE)
    assert done.code == 2
    assert "--people" in done.err


@pytest.mark.skipif(shutil.which("mount") is None, reason="needs mount for a small file system")
def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(meetings: Meetings, tmp_path: Path) -> None:
    import subprocess

    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)], check=False)
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    try:
        line = refused(meetings, SAMPLE, "--people", SAMPLE_PEOPLE, env={"MEETINGS_HOME": str(small / "home")})
        assert "space" in line.lower()
        assert not list(small.rglob("*.wav"))
    finally:
        subprocess.run(["umount", str(small)], check=True)
