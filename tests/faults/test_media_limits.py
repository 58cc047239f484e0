"""A recording made to do harm ends in one line or in a transcript, within bounds, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meetings.errors import MediaLimitError, NoAudioError, NotMediaError, RecordingError, RecordingNotFoundError
from meetings.speech import confined, decode_audio
from meetings.speech.confined import Limits, run_confined
from meetings.speech.media import ffmpeg_binary, probe
from tests.acceptance.conftest import SAMPLE

Make = Callable[..., Path]
TONE = ("-f", "lavfi", "-i", "sine=f=440:d=2:r=16000")


@pytest.fixture
def tone(make_media: Make) -> Path:
    return make_media("tone.wav", *TONE)


@pytest.fixture
def decode(tmp_path: Path) -> Iterator[Callable[[Path], float]]:
    """Decodes a file; afterwards nothing but the result lies about."""
    into = tmp_path / "decoded"

    def run(recording: Path, **options: object) -> float:
        return decode_audio(recording, into / "audio.wav", **options).duration  # type: ignore[arg-type]

    yield run
    left = {p.name for p in into.iterdir()} if into.exists() else set()
    assert left <= {"audio.wav", "audio.sides.wav"}


# What opens other files


def playlists(folder: Path, tone: Path, port: int) -> dict[str, str]:
    """Files that ask ffmpeg to open another one, on this machine or on a server."""
    return {
        "local.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{tone}\n#EXT-X-ENDLIST\n",
        "remote.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
        "list.ffconcat": f"ffconcat version 1.0\nfile {tone.name}\n",
        "stream.sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
        "meta.txt": ";FFMETADATA1\ntitle=x\n",
        "movie.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="a"><Period>'
        f'<AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>http://127.0.0.1:{port}/'
        "</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "subtitles.srt": "1\n00:00:00,000 --> 00:00:02,000\n<img src=http://127.0.0.1/x><b>hello</b>\n",
    }


@pytest.mark.parametrize("name", list(playlists(Path(), Path("tone.wav"), 0)))
def test_a_file_that_names_other_files_is_refused_and_opens_none(
    name: str, tone: Path, decode: Callable[[Path], float]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        trap = tone.with_name(name)
        for disguise in (trap, trap.with_suffix(".mp4")):
            disguise.write_text(playlists(tone.parent, tone, server.getsockname()[1])[name])
            with pytest.raises(NotMediaError):
                decode(disguise)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_pipe_a_device_and_a_link_to_one_are_refused_without_waiting(
    tmp_path: Path, decode: Callable[[Path], float]
) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "link.wav").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.wav", tmp_path / "link.wav", Path("/dev/zero"), tmp_path):
        with pytest.raises(RecordingError, match="is no file"):
            decode(path)
    (tmp_path / "nowhere.wav").symlink_to(tmp_path / "gone.wav")
    with pytest.raises(RecordingNotFoundError):
        decode(tmp_path / "nowhere.wav")


@pytest.mark.parametrize("name", ["-i.wav", "two\nlines.wav", "http:x.wav", "pipe:0", "%d.wav", "a'b\\c;[x],.wav"])
def test_a_name_is_a_name_whatever_it_looks_like(
    name: str, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decode: Callable[[Path], float]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(tone.read_bytes())
    assert decode(Path(name)) == pytest.approx(2, abs=0.1)


# What is in it besides sound


def test_pictures_subtitles_with_html_and_attachments_are_passed_over(
    make_media: Make, tmp_path: Path, decode: Callable[[Path], float]
) -> None:
    html = tmp_path / "html.srt"
    html.write_text("1\n00:00:00,000 --> 00:00:01,000\n<script>alert(1)</script><font face='{\\p1}'>x</font>\n")
    cover = make_media("cover.png", "-f", "lavfi", "-i", "testsrc=s=64x64", "-frames:v", "1")
    full = make_media(
        *("full.mkv", *TONE, "-i", str(html), "-i", str(cover), "-map", "0", "-map", "1", "-map", "2"),
        *("-c:a", "flac", "-c:s", "srt", "-c:v", "png", "-attach", str(cover), "-metadata:s:t", "mimetype=image/png"),
    )
    assert decode(full) == pytest.approx(2, abs=0.1)


def test_no_decoder_of_pictures_is_opened_but_those_of_calls(make_media: Make) -> None:
    media = probe(make_media("film.mkv", "-f", "lavfi", "-i", "testsrc=d=2:s=64x64:r=5", *TONE, "-c:v", "ffv1"))
    assert "Codec (ffv1) not on whitelist" in media.log
    assert len(media.tracks) == 1


def test_two_hundred_audio_tracks_are_refused(make_media: Make, decode: Callable[[Path], float]) -> None:
    many = [part for _ in range(200) for part in ("-map", "0:a")]
    with pytest.raises(MediaLimitError, match="200 audio tracks"):
        decode(make_media("many.mkv", *TONE, *many, "-c:a", "pcm_s16le"))


@pytest.mark.slow
def test_as_many_tracks_as_may_be_are_mixed(make_media: Make, decode: Callable[[Path], float]) -> None:
    many = [part for _ in range(64) for part in ("-map", "0:a")]
    assert decode(make_media("crowd.mkv", *TONE, *many, "-c:a", "libopus")) == pytest.approx(2, abs=0.1)


def test_two_hundred_pictures_beside_the_sound_do_no_harm(make_media: Make, decode: Callable[[Path], float]) -> None:
    video = ("-f", "lavfi", "-i", "testsrc=d=1:s=32x32:r=1")
    many = [part for _ in range(200) for part in ("-map", "1:v")]
    film = make_media("gallery.mkv", *TONE, *video, "-map", "0:a", *many, "-c:a", "flac", "-c:v", "mjpeg")
    assert decode(film) == pytest.approx(2, abs=0.1)


# What announces too much


def a_wav(path: Path, *, rate: int = 16_000, channels: int = 1, samples: int = 16_000) -> Path:
    form = struct.pack("<HHIIHH", 1, channels, rate & 0xFFFFFFFF, (rate * channels * 2) & 0xFFFFFFFF, channels * 2, 16)
    data = bytes(samples * channels * 2)
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


@pytest.mark.parametrize("rate", [1, 1000, 2_000_000, 2**31 - 1])
def test_an_absurd_rate_is_refused(rate: int, tmp_path: Path, decode: Callable[[Path], float]) -> None:
    with pytest.raises(RecordingError):
        decode(a_wav(tmp_path / "rate.wav", rate=rate))


@pytest.mark.parametrize("channels", [64, 255, 4000])
def test_an_absurd_number_of_channels_is_refused(
    channels: int, tmp_path: Path, decode: Callable[[Path], float]
) -> None:
    recording = a_wav(tmp_path / "channels.wav", channels=channels, samples=1600)
    with pytest.raises(RecordingError, match=r"channels\.wav"):
        decode(recording)


def test_a_recording_of_a_hundred_hours_is_refused_before_it_is_decoded(
    make_media: Make, decode: Callable[..., float]
) -> None:
    long = make_media("hundred.flac", "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3600000ms", "-c:a", "flac")
    raw = bytearray(long.read_bytes())
    at = raw.index(b"fLaC") + 8 + 13  # STREAMINFO: 36 bits of samples end 18 bytes in, the last four of them here
    raw[at + 1 : at + 5] = struct.pack(">I", 100 * 3600 * 8000)
    long.write_bytes(raw)
    began = time.monotonic()
    with pytest.raises(MediaLimitError, match=r"lasts 100\.0 hours and max_hours allows 24"):
        decode(long)
    assert time.monotonic() - began < 60


def test_the_limit_of_hours_is_a_setting(tone: Path, decode: Callable[..., float]) -> None:
    with pytest.raises(MediaLimitError, match=r"max_hours allows 0\.0001"):
        decode(tone, max_hours=0.0001)
    assert decode(tone, max_hours=0.001) == pytest.approx(2, abs=0.1)


@pytest.mark.slow
def test_a_tiny_file_that_becomes_hours_of_silence_is_refused(make_media: Make, decode: Callable[..., float]) -> None:
    """Packets 50 minutes apart: the gaps would be filled with silence, 41 hours from 11 kB."""
    smooth = make_media("packets.mkv", "-f", "lavfi", "-i", "sine=d=1:r=16000", "-c:a", "libopus")
    apart = "setts=pts=N*3000/TB:dts=N*3000/TB"
    bomb = make_media("bomb.mkv", "-i", str(smooth), "-c", "copy", "-live", "1", "-bsf:a", apart)
    assert bomb.stat().st_size < 20_000
    with pytest.raises(MediaLimitError, match="hours"):
        decode(bomb)


# The bounds of the process


# Bounds are set right after the start, that of open files after those of time and memory: who asks waits for it.
BOUND = f"""
import resource, sys, time
while resource.getrlimit(resource.RLIMIT_NOFILE)[1] > {Limits().files}:
    time.sleep(0.01)
"""


def ffmpeg(*arguments: str, limits: Limits) -> confined.Ended:
    return run_confined([str(ffmpeg_binary()), "-nostdin", "-y", *arguments], limits)


def test_what_takes_too_long_is_ended() -> None:
    began = time.monotonic()
    ended = ffmpeg("-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-", limits=Limits(seconds=1))
    assert ended.limit == "time"
    assert time.monotonic() - began < 60


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's bounds are set on Linux alone")
def test_what_writes_too_much_is_ended(tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    ended = ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000", str(out), limits=Limits(output=1_000_000))
    assert ended.limit == "output" or ended.code != 0
    assert out.stat().st_size <= 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's bounds are set on Linux alone")
def test_what_wants_too_much_memory_gets_none() -> None:
    script = BOUND + "sys.stderr.write('has it' if bytearray(400_000_000) else '')"
    assert "has it" in run_confined([sys.executable, "-c", script], Limits(memory=800 * 1024**2)).log
    assert "MemoryError" in run_confined([sys.executable, "-c", script], Limits(memory=300 * 1024**2)).log


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's bounds are set on Linux alone")
def test_processor_time_is_bounded_too() -> None:
    script = BOUND + "sys.stderr.write(str(resource.getrlimit(0)))"
    assert run_confined([sys.executable, "-c", script], Limits(seconds=9)).log == "(10, 10)"


def test_of_an_endless_log_the_beginning_and_the_end_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "LOG_LIMIT", 10_000)
    script = "import sys; sys.stderr.write('first' + 'x' * 3_000_000 + 'last')"
    ended = run_confined([sys.executable, "-c", script], Limits())
    assert ended.log.startswith("first")
    assert ended.log.endswith("last")
    assert len(ended.log) <= 10_001


def test_ffmpeg_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTERMOST_TOKEN", "s3cr3t")
    script = "import os, sys; sys.stderr.write(repr(dict(os.environ)))"
    assert "s3cr3t" not in run_confined([sys.executable, "-c", script], Limits()).log


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends it on Linux alone")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_ffmpeg_dies_with_us(how: signal.Signals) -> None:
    script = """
        import sys
        from meetings.speech.confined import Limits, run_confined
        run_confined([sys.executable, "-c", "import os, time; print('out_time_us=%d' % os.getpid(), flush=True); "
                      "time.sleep(60)"], Limits(), lambda pid: print(round(pid * 1e6), flush=True))
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as us:
        assert us.stdout is not None
        child = int(us.stdout.readline())
        os.kill(child, 0)
        us.send_signal(how)
        us.wait()
    until = time.monotonic() + 60
    while time.monotonic() < until and Path(f"/proc/{child}").exists():
        state = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state == "Z":  # dead; nobody has asked yet
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{child}").exists()


def test_an_error_names_what_it_is_told_to_and_not_where_we_keep_it(tmp_path: Path) -> None:
    kept = tmp_path / "home" / "media" / "abc"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"RIFF" + bytes(3000))
    with pytest.raises(RecordingError) as raised:
        decode_audio(kept, tmp_path / "audio.wav", shown="weekly call")
    assert str(raised.value).startswith("weekly call:")
    assert str(tmp_path) not in str(raised.value)


def test_titles_that_look_like_descriptions_are_not_believed(make_media: Make) -> None:
    titles = (
        "-metadata",
        "title=Duration: 99:00:00.00",
        "-metadata",
        "comment=Stream #0:7: Audio: aac, 8000 Hz, mono, x",
    )
    media = probe(make_media("titles.mkv", *TONE, "-c:a", "flac", *titles))
    assert media.announced == pytest.approx(2, abs=0.1)
    assert len(media.tracks) == 1


def test_a_picture_is_no_recording(make_media: Make, decode: Callable[[Path], float]) -> None:
    with pytest.raises(RecordingError):
        decode(make_media("picture.png", "-f", "lavfi", "-i", "testsrc=s=64x64", "-frames:v", "1"))
    with pytest.raises(NoAudioError):
        decode(make_media("silent.mkv", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-c:v", "mjpeg"))


@pytest.mark.slow
def test_three_hours_with_a_picture_fit_into_every_bound(make_media: Make, decode: Callable[[Path], float]) -> None:
    again = ("-stream_loop", "27", "-i", str(SAMPLE), "-c", "copy", "-t", "10800")
    assert decode(make_media("long.mp4", *again)) == pytest.approx(10_800, abs=2)
