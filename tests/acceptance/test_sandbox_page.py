"""The sandbox's web page: everything can be read on it, nothing runs on it, and only this machine sees it."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from meetings.sandbox import Sandbox
from tests.acceptance.sandbox_company import api, sandbox_in


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path_factory.mktemp("page") / "sandbox") as running:
        yield running


class Parsed(HTMLParser):
    """A page's tags, links and sources."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name == "href" and tag == "a" and value:
                self.links.append(value)
            elif name in {"src", "href"} and value:
                self.sources.append(value)


def page(sandbox: Sandbox, path: str) -> str:
    answer = requests.get(f"{sandbox.url}{path}", timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
    return answer.text


def test_everybody_is_listed_with_their_position(sandbox: Sandbox) -> None:
    text = page(sandbox, "/")
    for words in ("Ana Ruiz", "Engineer", "Chloe O&#39;Neil", "@meetings", "Summarises calls", "No login is needed"):
        assert words in text


def test_every_link_of_the_site_leads_somewhere_and_nothing_comes_from_elsewhere(sandbox: Sandbox) -> None:
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        parsed = Parsed(page(sandbox, path))
        assert "script" not in parsed.tags
        assert all(source.startswith("/") for source in parsed.sources)
        waiting += [urljoin(path, link).split("#")[0] for link in parsed.links if not link.startswith("http")]
    assert {"/people/ana", "/people/ben", "/people/chloe"} <= seen


def test_html_in_a_post_stays_text_and_markdown_is_shown(sandbox: Sandbox) -> None:
    text = page(sandbox, f"/channels/{api(sandbox, 'ana').channel('product')['id']}")
    assert "Ship <strong>it</strong> &lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in text
    assert "🎉 1" in text
    assert 'class="replies"' in text


def test_direct_messages_are_found_under_each_of_the_two(sandbox: Sandbox) -> None:
    ana, bot = api(sandbox, "ana"), api(sandbox, "bot")
    ids = [who.get("/users/me")["id"] for who in (bot, ana)]
    direct = bot.post("/channels/direct", ids)
    bot.write(direct["id"], "#### Weekly\n- decided")
    for person, other in (("ana", "Meetings"), ("meetings", "Ana Ruiz")):
        text = page(sandbox, f"/people/{person}")
        assert f"/channels/{direct['id']}" in text
        assert other in text
    shown = page(sandbox, f"/channels/{direct['id']}")
    assert "<h4>Weekly</h4>" in shown
    assert "<li>decided</li>" in shown


def test_a_permalink_shows_the_post_in_its_channel(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    post = ana.write(ana.channel("product")["id"], "look here")
    answer = requests.get(sandbox.permalink(post["id"]), timeout=60)
    assert answer.status_code == 200
    assert answer.url.endswith(f"#p-{post['id']}")
    assert f'<article id="p-{post["id"]}" class="post pointed">' in answer.text
    assert requests.get(sandbox.permalink("z" * 26), timeout=60).status_code == 404


def test_an_old_post_is_shown_by_its_permalink_though_the_page_is_full(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.sandbox.page.MAX_SHOWN", 3)
    ana = api(sandbox, "ana")
    town = ana.channel("town-square")["id"]
    written = [ana.write(town, f"number {n}") for n in range(8)]
    newest = page(sandbox, f"/channels/{town}")
    assert "number 7" in newest
    assert "number 2" not in newest
    assert "Older posts are left out" in newest
    assert "number 2" in requests.get(sandbox.permalink(written[2]["id"]), timeout=60).text


def test_a_video_plays_and_can_be_wound(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    channel_id = ana.channel("product")["id"]
    file = ana.upload(channel_id, "call.mp4", bytes(5000))
    ana.write(channel_id, "film", file_ids=[file["id"]])
    assert f'<video controls preload="metadata" src="/media/{file["id"]}">' in page(sandbox, f"/channels/{channel_id}")
    part = requests.get(f"{sandbox.url}/media/{file['id']}", headers={"Range": "bytes=100-199"}, timeout=60)
    assert (part.status_code, len(part.content), part.headers["Content-Type"]) == (206, 100, "video/mp4")


def test_a_page_that_is_not_there_is_404(sandbox: Sandbox) -> None:
    for path in ("/people/nobody", "/channels/none", "/media/none", "/favicon.ico"):
        assert requests.get(f"{sandbox.url}{path}", timeout=60).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8065"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_other_sites_cannot_read_the_sandbox_through_a_browser(sandbox: Sandbox, headers: dict[str, str]) -> None:
    for path in ("/", "/api/v4/system/ping"):
        assert requests.get(f"{sandbox.url}{path}", headers=headers, timeout=60).status_code == 403


def test_the_page_may_be_opened_as_localhost(sandbox: Sandbox) -> None:
    port = sandbox.url.rsplit(":", 1)[1]
    answer = requests.get(sandbox.url, headers={"Host": f"localhost:{port}"}, timeout=60)
    assert answer.status_code == 200


def test_the_style_has_a_dark_side_and_comes_with_the_package() -> None:
    style = Path("meetings/sandbox/static/page.css")
    root = Path(__file__).parents[2]
    assert "prefers-color-scheme: dark" in (root / style).read_text()
