"""A channel read for one person: theirs first, each told why, and never more than they may read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.channels import (
    ChannelSummary,
    Reader,
    Stretch,
    Written,
    answer,
    channel_to_json,
    find_channel,
    rank,
    render_channel,
    summarize_channel,
)
from meetings.channels import gather as gather_items
from meetings.channels.rank import MOST_READ
from meetings.errors import ConfigError, MattermostForbiddenError
from meetings.mattermost import MattermostClient
from meetings.people import FeedbackContext, Person, Persona, PersonContext, PostContext, build_persona
from meetings.sandbox import Sandbox, run_in_thread
from tests.unit.summary_builders import TermEmbedder

NAMES = {n: (n, f"{n.title()} Example") for n in ("ana", "ben", "eve", "dan")} | {"bot": ("bot", "News")}
URL = "https://chat.example.org"


def reader(username: str = "ana", position: str = "Security Lead", **more: Any) -> Reader:
    context = more.pop("context", None)
    person = Person(username=username, name=NAMES[username][1], position=position, **more)
    return Reader(user_id=username, persona=build_persona(person, context))


def written(*posts: tuple[str, str], reactors: str = "") -> list[Written]:
    """Posts of one author each, every one a thread; `root<` before the text makes it a reply."""
    found = []
    for number, (by, text) in enumerate(posts):
        root, arrow, rest = text.partition("<")
        reply = bool(arrow) and root.isdigit()
        found.append(
            Written(
                id=str(number),
                user_id=by,
                root_id=root if reply else "",
                at=(number + 1) * 60_000,
                text=rest if reply else text,
            )
        )
    return found


def told(posts: Sequence[Written], who: Reader) -> ChannelSummary:
    stretch = Stretch(posts=tuple(posts), since=0)
    return summarize_channel(
        stretch, who, channel="acme/product", names=NAMES, bots=frozenset({"bot"}), embedder=TermEmbedder()
    )


def texts(summary: ChannelSummary) -> list[str]:
    return [p.text for p in summary.picks]


WORK = (
    ("eve", "The penetration test found two critical vulnerabilities in the login service."),
    ("eve", "The newsletter about the spring campaign goes out to four thousand readers."),
    ("eve", "Hiring: two candidates for the recruiter role come for interviews next week."),
)


# What comes first


def test_two_people_get_different_answers_of_the_same_channel() -> None:
    posts = written(*WORK)
    security = texts(told(posts, reader()))
    people = texts(told(posts, reader("ben", "Recruiter")))
    assert "penetration" in security[0]
    assert "recruiter" in people[0]


def test_who_is_named_gets_it_first_and_is_told_so() -> None:
    posts = written(*WORK, ("eve", "Lunch on Friday is on the second floor this week, @ana please bring the plates."))
    first = told(posts, reader()).picks[0]
    assert first.post.id == "3"
    assert "you" in first.why


def test_an_answer_in_a_thread_of_ones_own_is_news_and_ones_own_words_are_not() -> None:
    posts = written(
        ("ana", "Does the export of the quarterly report work for anybody?"),
        ("eve", "0<The export of the quarterly report works since this morning."),
        ("ana", "I watered the plants next to the printer in the hall."),
    )
    picks = told(posts, reader()).picks
    assert [p.post.id for p in picks] == ["1"]
    assert picks[0].why == "others went on in a thread that you wrote in"


def test_who_wrote_in_a_thread_has_read_what_was_there_before() -> None:
    posts = written(
        ("eve", "The penetration test found two critical vulnerabilities in the login service."),
        ("ana", "0<I look into the vulnerabilities of the login service today."),
    )
    assert told(posts, reader()).picks == ()


def test_a_link_is_shown_where_it_was_pushed_in_whatever_was_said_under_it() -> None:
    posts = written(
        ("bot", "[New vulnerability in the login of firewalls](https://example.com/1)"),
        ("eve", "0<Our firewalls have this vulnerability as well, security must patch the login."),
    )
    (pick,) = told(posts, reader(interests=("vulnerability in the login of firewalls",))).picks
    assert (pick.post.id, pick.text) == ("0", "New vulnerability in the login of firewalls")


def test_what_somebody_reacted_to_before_brings_alike_links_forward() -> None:
    posts = written(
        ("bot", "[Coin cells in the cold: nine brands tested](https://example.com/1)"),
        ("bot", "[A typeface for warnings designed in Porto](https://example.com/2)"),
    )
    liked = PostContext(text="A new typeface with small caps", age_days=3, kind="reacted")
    who = reader(position="Accountant", context=PersonContext(posts=(liked,)))
    first = rank(gather_items(posts, bots={"bot"}), who, NAMES, TermEmbedder())[0]
    assert first.item.link is not None
    assert first.item.link.url == "https://example.com/2"
    assert first.why == "it is about typeface, as posts that you wrote or liked"


def test_what_somebody_asked_less_of_goes_back() -> None:
    posts = written(("eve", "The penetration test of the login service is done."), WORK[0])
    less = FeedbackContext(text="penetration test", age_days=0, kind="less")
    before = told(posts, reader()).picks
    after = told(posts, reader(context=PersonContext(feedback=(less,)))).picks
    assert len(after) < len(before)


def test_a_thread_that_many_took_part_in_comes_before_an_equal_one() -> None:
    one, other = (
        Written(id=n, user_id="eve", root_id="", at=1, text=WORK[0][1] + f" Part {n}.", reactors=frozenset(who))
        for n, who in (("1", set[str]()), ("2", {"ben", "dan"}))
    )
    picks = rank(gather_items([one, other]), reader(), NAMES, TermEmbedder())
    assert picks[0].item.id == "2"


def test_everything_that_is_told_has_a_reason() -> None:
    posts = written(
        *WORK, ("bot", "[Attackers exploit a vulnerability in the password login of firewalls](https://example.com/9)")
    )
    assert all(p.why for p in told(posts, reader()).picks)


def test_alike_items_stand_under_a_common_title() -> None:
    posts = written(
        ("bot", "[Penetration test finds vulnerabilities in routers](https://example.com/1)"),
        ("bot", "[Penetration test finds vulnerabilities in printers](https://example.com/2)"),
        ("eve", "Access rights of all administrators are reviewed, security is asked to help."),
    )
    titled = [t for t in told(posts, reader()).topics if t.title]
    assert len(titled) == 1
    assert len(titled[0].picks) == 2
    assert titled[0].title.split(", ")[0] in {"penetration", "vulnerabilities", "test", "finds"}


def test_a_reader_with_more_than_fits_is_told_how_much_is_left() -> None:
    posts = written(*(("eve", f"Vulnerability {w} in the firewall needs a patch.") for w in "abcdefghij"))
    summary = told(posts, reader(length="short"))
    assert len(summary.picks) == 5
    assert summary.left_out == 5


def test_a_quiet_channel_is_told_whole_and_of_a_busy_one_what_concerns_the_reader() -> None:
    holiday = ("eve", "Please book your leave for the winter holidays until Friday evening.")
    quiet = written(holiday)
    busy = written(holiday, *(("eve", f"The {w} in the kitchen is broken since yesterday.") for w in "abcdefgh"))
    assert [p.post.id for p in told(quiet, reader()).picks] == ["0"]
    assert told(busy, reader()).picks == ()


def test_nothing_is_told_where_nothing_was_written() -> None:
    summary = told([], reader())
    assert summary.picks == ()
    assert "Nothing was written there." in render_channel(summary, url=URL, names=NAMES)


def test_in_a_channel_of_thousands_what_names_the_reader_is_found() -> None:
    noise = [("eve", f"Security note {n}: patch {n} of the firewall is in place.") for n in range(2 * MOST_READ)]
    posts = written(*noise[:7], ("eve", "Cake in the kitchen, and @ana gets the first piece of it."), *noise[7:])
    assert told(posts, reader()).picks[0].post.id == "7"


# How it is shown


def test_every_item_links_to_its_post_and_to_nothing_that_others_wrote() -> None:
    posts = written(
        *WORK, ("bot", "[Attackers exploit a vulnerability in the password login of firewalls](https://evil.example/9)")
    )
    summary = told(posts, reader())
    shown = render_channel(summary, url=URL, names=NAMES)
    targets = re.findall(r"\]\(([^)]*)\)", shown)
    assert targets
    assert set(targets) == {f"{URL}/acme/pl/{p.post.id}" for p in summary.picks}


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=120))
def test_nothing_that_is_written_pings_links_or_formats(text: str) -> None:
    posts = written(("eve", f"Vulnerability found in the firewall: @channel [x](http://evil.example) {text}"))
    shown = render_channel(told(posts, reader()), url=URL, names=NAMES)
    assert "@channel" not in shown
    assert "](http://evil" not in shown
    assert "evil.example" not in shown


def test_the_same_again_as_json() -> None:
    posts = written(
        *WORK, ("bot", "[Attackers exploit a vulnerability in the password login of firewalls](https://example.com/9)")
    )
    posts.append(Written(id="9", user_id="bot", root_id="", at=10**9, text="http://www.example.com/9/?utm_source=x"))
    summary = told(posts, reader(interests=("vulnerability in the login of firewalls",)))
    data = json.loads(json.dumps(channel_to_json(summary, url=URL, names=NAMES)))
    items = [item for topic in data["topics"] for item in topic["items"]]
    assert (data["person"], data["posts"], len(items)) == ("ana", 5, len(summary.picks))
    (pushed,) = (item for item in items if item["url"])
    assert (pushed["url"], pushed["times"], pushed["by"]) == ("https://example.com/9", 2, "bot")
    assert pushed["permalink"] == f"{URL}/acme/pl/3"


# On a server


COMPANY: dict[str, Any] = {
    "team": {"name": "acme", "display_name": "Acme"},
    "users": [
        {"username": "ana", "first_name": "Ana", "last_name": "Ruiz", "position": "Security Lead"},
        {"username": "ben", "first_name": "Ben", "last_name": "Okafor", "position": "Recruiter"},
    ],
    "bots": [
        {"username": "meetings", "display_name": "Meetings"},
        {"username": "calls", "display_name": "Calls"},
        {"username": "newsbot", "display_name": "News"},
    ],
    "channels": [
        {
            "name": "news",
            "display_name": "News",
            "type": "O",
            "members": ["ana", "ben", "meetings", "newsbot"],
        },
        {"name": "audit", "display_name": "Audit", "type": "P", "members": ["ana", "meetings"]},
    ],
    "posts": [
        {"channel": "news", "user": "newsbot", "at": "-9d 09:00", "message": "[Old vulnerability in all firewalls](https://example.com/0)"},
        {"channel": "news", "user": "newsbot", "at": "-2d 09:00", "message": "[New vulnerability in many firewalls](https://example.com/1)"},
        {"channel": "news", "user": "newsbot", "at": "-1d 09:00", "message": "[New vulnerability in many firewalls](https://www.example.com/1/)"},
        {"channel": "audit", "user": "ana", "at": "-1d 10:00", "message": "The audit found a vulnerability."},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with run_in_thread(tmp_path_factory.mktemp("sandbox") / "data", company=COMPANY) as running:
        yield running


def ask(sandbox: Sandbox, address: str, username: str, days: int = 7) -> tuple[ChannelSummary, int]:
    """What somebody is told of a channel, and how often the persona was asked for."""
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    user = client.user_by_username(username)
    asked = 0

    def persona() -> Persona:
        nonlocal asked
        asked += 1
        interests = ("new vulnerability in firewalls",)
        return build_persona(Person(username=user.username, name=user.name, interests=interests))

    since = int((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000)
    found = answer(client, find_channel(client, address), user, persona, since=since, embedder=TermEmbedder())
    return found.summary, asked


def test_a_channel_is_read_from_the_server_since_a_moment_with_duplicates_once(sandbox: Sandbox) -> None:
    summary, _ = ask(sandbox, "acme/~news", "ana")
    assert (summary.channel, summary.posts, summary.items) == ("acme/news", 2, 1)
    (pick,) = summary.picks
    assert pick.text == "New vulnerability in many firewalls"
    assert len(pick.item.again) == 1


def test_nothing_of_a_channel_is_read_for_those_who_are_not_in_it(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Iterator[Any]:
        raise AssertionError("no post may be read for them")

    monkeypatch.setattr(MattermostClient, "latest_posts", never)
    with pytest.raises(MattermostForbiddenError, match="ben is not in ~audit"):
        ask(sandbox, "acme/audit", "ben")


def test_an_address_that_names_no_channel_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigError, match="TEAM/CHANNEL"):
        ask(sandbox, "news", "ana")


def test_when_somebody_last_looked_is_told_by_the_server(sandbox: Sandbox) -> None:
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    ana, news = client.user_by_username("ana"), find_channel(client, "acme/news")
    newest = next(client.latest_posts(news.id, 1))
    # She has read everything; the server counts by the newest post then.
    assert client.last_viewed(news.id, ana.id) == newest.create_at
