"""One request over a real socket: what is sent again, what is not, what the error says, and that no secret shows."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from meetings.errors import (
    ConfigError,
    MattermostAnswerError,
    MattermostAuthError,
    MattermostConflictError,
    MattermostError,
    MattermostRateLimitError,
    MattermostTLSError,
    MattermostTooLargeError,
    MattermostUnreachableError,
)
from meetings.mattermost import MattermostClient, transport
from meetings.mattermost.policy import MAX_ATTEMPTS
from tests.odd_server import Behaviour, answer, hang_up, odd_server, raw, stall

real_sleep = time.sleep
SECRET = "s3cr3t-t0ken-of-the-bot"
ME = {"id": "b" * 26, "username": "meetings"}
POST = {"id": "p" * 26, "channel_id": "c" * 26, "message": "hello"}
# Seconds that an answer is waited for where one comes, be this machine as slow as it will, and where none does.
PATIENCE, IMPATIENCE = 60.0, 0.3


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No test waits; how long would have been waited is written down."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(transport, "READ_TIMEOUT", PATIENCE)
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT", PATIENCE)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return slept


def client_of(url: str) -> MattermostClient:
    return MattermostClient(url, SECRET)


@pytest.mark.parametrize(
    "first",
    [
        hang_up,
        stall(),
        stall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n{}"),
        raw(b"no HTTP at all\r\n\r\n"),
        answer(b'{"id": "half'),
        answer({"message": "busy"}, 429, Retry_After="1"),
        answer({"message": "oops"}, 500),
        answer(b"<html>bad gateway</html>", 502, Content_Type="text/html"),
        answer(b"", 503),
        answer(b"", 504),
    ],
    ids=[
        "hangs up",
        "says nothing",
        "stalls in the body",
        "cuts the body",
        "cuts a chunk",
        "is not the gzip it says",
        "no HTTP",
        "half JSON",
        "429",
        "500",
        "502",
        "503",
        "504",
    ],
)
def test_reading_is_tried_again_until_it_comes(
    first: Behaviour, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            transport.READ_TIMEOUT = PATIENCE

    monkeypatch.setattr(transport, "READ_TIMEOUT", IMPATIENCE)
    monkeypatch.setattr(time, "sleep", pause)
    with odd_server(first, first, answer(ME)) as server:
        assert client_of(server.url).user("x").username == "meetings"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("behaviour", "kind", "patience"),
    [
        (hang_up, MattermostUnreachableError, PATIENCE),
        (stall(), MattermostUnreachableError, IMPATIENCE),
        (answer(b'{"id": "half'), MattermostAnswerError, PATIENCE),
        (answer({"message": "oops"}, 500), MattermostError, PATIENCE),
        (answer(b"", 503), MattermostError, PATIENCE),
    ],
    ids=["hangs up", "says nothing", "half JSON", "500", "503"],
)
def test_a_post_without_a_key_is_sent_once_and_the_error_says_that_it_may_be_there(
    behaviour: Behaviour, kind: type[MattermostError], patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_TIMEOUT", patience)
    with odd_server(behaviour) as server, pytest.raises(kind) as caught:
        client_of(server.url).create_post("c" * 26, "hello")
    assert len(server.requests) == 1
    assert caught.value.perhaps_done


def test_a_post_with_a_key_is_repeated_under_the_same_key() -> None:
    with odd_server(answer(ME), hang_up, answer({"message": "pending"}, 500), answer(POST, 201)) as server:
        assert client_of(server.url).create_post("c" * 26, "hello", key="r1:u1").id == POST["id"]
    sent = [json.loads(r.split(b"\r\n\r\n", 1)[1])["pending_post_id"] for r in server.requests[1:]]
    assert sent == [f"{'b' * 26}:r1:u1"] * 3


def test_a_post_with_a_key_is_not_repeated_once_the_server_may_have_forgotten_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "repeat_window", lambda *_: 0.4)
    with odd_server(answer(ME), stall()) as server:
        client = client_of(server.url)
        client.me()
        monkeypatch.setattr(transport, "READ_TIMEOUT", IMPATIENCE)
        with pytest.raises(MattermostUnreachableError) as caught:
            client.create_post("c" * 26, "hello", key="r1:u1")
    assert len(server.requests) == 2
    assert caught.value.perhaps_done


def test_a_post_that_was_turned_away_is_sent_again_and_never_called_perhaps_done() -> None:
    busy = answer({"message": "slow"}, 429, Retry_After="1")
    with odd_server(busy, answer(POST, 201)) as server:
        assert client_of(server.url).create_post("c" * 26, "hello").id == POST["id"]
    with odd_server(answer({"id": "x"}, 403)) as server, pytest.raises(MattermostError) as caught:
        client_of(server.url).create_post("c" * 26, "hello")
    assert not caught.value.perhaps_done


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, MattermostError),
        (401, MattermostAuthError),
        (409, MattermostConflictError),
        (413, MattermostTooLargeError),
        (501, MattermostError),
    ],
)
def test_a_refusal_that_would_come_again_is_not_asked_for_again(status: int, kind: type[MattermostError]) -> None:
    refusal = answer({"id": "api.some.app_error", "message": "No"}, status)
    with odd_server(refusal) as server, pytest.raises(kind) as caught:
        client_of(server.url).user("x")
    assert len(server.requests) == 1
    assert (caught.value.status, caught.value.error_id) == (status, "api.some.app_error")


def test_nobody_there_is_tried_again_and_then_said(waits: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        # While it is ours nobody else listens there.
        with pytest.raises(MattermostUnreachableError, match="connection refused"):
            client_of(url).user("x")
    assert len(waits) == MAX_ATTEMPTS - 1
    assert all(plan <= wait <= plan * 1.25 for plan, wait in zip((0.5, 1.0, 2.0, 4.0), waits, strict=True))


def test_a_name_nobody_knows_is_said_to_be_one() -> None:
    with pytest.raises(MattermostUnreachableError, match="host name not found"):
        client_of("http://chat.invalid").user("x")


def test_the_servers_wait_is_kept_and_a_long_one_left_to_the_caller(waits: list[float]) -> None:
    with odd_server(answer({}, 429, Retry_After="7"), answer(ME)) as server:
        client_of(server.url).user("x")
    assert [7.0 <= w <= 7.0 * 1.25 for w in waits] == [True]
    with (
        odd_server(answer({}, 429, X_RateLimit_Reset="600")) as server,
        pytest.raises(MattermostRateLimitError) as caught,
    ):
        client_of(server.url).user("x")
    assert len(server.requests) == 1
    assert caught.value.retry_after == 600.0


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json", ""])
def test_a_web_page_with_200_is_not_taken_for_mattermost(kind: str) -> None:
    page = answer(b"<!doctype html><title>Sign in</title>", Content_Type=kind)
    with odd_server(page) as server, pytest.raises(MattermostAnswerError, match="web page"):
        client_of(server.url).user("x")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_token_goes_nowhere(status: int) -> None:
    with odd_server(answer(ME)) as other:
        moved = answer(b"", status, Location=f"{other.url}/api/v4/users/x?secret=1")
        with odd_server(moved) as server, pytest.raises(MattermostAnswerError) as caught:
            client_of(server.url).user("x")
    assert other.requests == []
    assert other.url in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_answer_that_trickles_forever_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_TIMEOUT", 0.2)
    ended = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
        while not ended.wait(0.05):
            connection.sendall(b" ")

    monkeypatch.setattr("meetings.mattermost.policy.MAX_ATTEMPTS", 1)
    with odd_server(trickle) as server:
        began = time.monotonic()
        with pytest.raises(MattermostUnreachableError, match="no answer in time"):
            client_of(server.url).user("x")
        assert time.monotonic() - began < 30
        ended.set()


def test_an_answer_without_end_is_not_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with odd_server(answer(b"x" * 3000, Content_Type="text/plain")) as server:
        with pytest.raises(MattermostAnswerError, match="more than 2000 bytes"):
            client_of(server.url).read_file("f" * 26, limit=2000)
        assert client_of(server.url).read_file("f" * 26, limit=3000) == b"x" * 3000


def test_a_thread_that_a_newer_server_cuts_is_read_to_its_end() -> None:
    def page(numbers: list[int], more: bool) -> Behaviour:
        posts = {str(n): {"id": str(n), "channel_id": "c", "create_at": n} for n in numbers}
        return answer({"order": [str(n) for n in numbers], "posts": posts, "has_next": more})

    with odd_server(page([1, 2], True), page([1, 3, 4], True), page([1, 5], False)) as server:
        found = client_of(server.url).thread("1")
    assert [p.id for p in found] == ["1", "2", "3", "4", "5"]
    assert "fromPost=4" in server.heads()[2]
    assert "direction=down" in server.heads()[2]


# Certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A key and a certificate for localhost that no authority signed."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    return folder / "key.pem", folder / "cert.pem"


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[tuple[str, list[bytes]]]:
    """An HTTPS server with a certificate that nobody vouches for, and what it was sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    heard.append(secure.recv(65536))
                    body = json.dumps(ME).encode()
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            except OSError:
                heard.append(b"")

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}", heard
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_certificate_nobody_vouches_for_is_refused_once_and_nothing_is_sent(
    encrypted: tuple[str, list[bytes]], waits: list[float]
) -> None:
    url, heard = encrypted
    with pytest.raises(MattermostTLSError, match="self-signed certificate"):
        client_of(url).user("x")
    assert waits == []
    deadline = time.monotonic() + PATIENCE
    while not heard and time.monotonic() < deadline:
        real_sleep(0.01)
    assert heard == [b""]


def test_an_authority_of_ones_own_is_honoured_but_not_for_another_name(
    encrypted: tuple[str, list[bytes]], certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = encrypted
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[1]))
    assert client_of(url).user("x").username == "meetings"
    with pytest.raises(MattermostTLSError):
        client_of(url.replace("localhost", "127.0.0.1")).user("x")


def test_a_server_that_speaks_no_tls_is_no_reason_to_go_without() -> None:
    heard: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(MattermostTLSError):
            client_of(f"https://127.0.0.1:{listener.getsockname()[1]}").user("x")
        thread.join(PATIENCE)
    assert b"Bearer" not in heard[0]


# Secrets


@pytest.mark.parametrize("behaviour", [hang_up, answer({}, 401), answer(b"<", 200), raw(b"HTTP/1.1 302 X\r\n\r\n")])
def test_no_secret_is_in_an_error_or_in_its_traceback_with_all_variables(behaviour: Behaviour) -> None:
    with odd_server(behaviour) as server, pytest.raises(MattermostError) as caught:
        client_of(server.url).user("x")
    assert SECRET.encode() in server.requests[0]
    error = caught.value
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "MattermostClient(" in told  # the variables are there
    assert SECRET not in told
    assert error.__context__ is None
    assert SECRET not in repr(error) + str(error) + repr(vars(error))


def test_no_secret_is_in_a_log_however_loud(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "mattermostdriver", "mattermostdriver.websocket", "mattermostdriver.api"):
        caplog.set_level(logging.DEBUG, logger=name)
    with odd_server(answer(ME), hang_up, answer({}, 401)) as server:
        client = client_of(server.url)
        client.user("x")
        with pytest.raises(MattermostAuthError):
            client.user("x")
    assert any(r.name.startswith("urllib3") for r in caplog.records)
    out, err = capfd.readouterr()
    assert SECRET not in caplog.text + out + err
    assert all(SECRET not in str(vars(r)) for r in caplog.records)


def test_no_secret_is_in_a_repr() -> None:
    client = client_of("https://chat.test")
    shown = repr(client) + repr(client._transport) + repr(client._driver) + repr(client._driver.options)
    assert SECRET not in shown + repr(vars(client))


def test_a_token_that_is_none_is_refused_without_being_shown() -> None:
    for bad in ("to ken", "token\n", "tökén", "to\x00ken"):
        with pytest.raises(ConfigError) as caught:
            MattermostClient("https://chat.test", bad)
        assert bad not in str(caught.value)


def test_a_password_for_the_host_in_netrc_does_not_replace_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with odd_server(answer(ME)) as server:
        client_of(server.url).user("x")
    assert server.headers(0)["authorization"] == f"Bearer {SECRET}"
