"""Names and terms are gathered from what is written around a call."""

from meetings.speech.terms import collect_terms


def test_peoples_names_come_whole_and_in_parts() -> None:
    assert collect_terms(people=["Maya Chen"]) == ("Maya Chen", "Maya", "Chen")


def test_the_users_list_comes_first_as_it_is_spelled() -> None:
    assert collect_terms(given=["two-factor", "iPaaS"], people=["Ann"])[:2] == ("two-factor", "iPaaS")


def test_names_in_posts_count_when_they_come_often_or_look_like_products() -> None:
    posts = [
        "We met Brightwater on Monday.",
        "I think Brightwater likes it",
        "the GitHub action failed, ask Someone",
        "Nobody saw the progress bar",
    ]
    assert collect_terms(posts=posts) == ("Brightwater", "GitHub")


def test_a_word_that_only_opens_a_sentence_is_no_name() -> None:
    assert collect_terms(posts=["Rotated the keys. Runbook is updated."] * 3) == ()


def test_a_word_that_is_also_written_small_is_an_ordinary_one() -> None:
    assert collect_terms(posts=["see the Parser please", "the Parser again", "our parser is slow"]) == ()


def test_code_links_and_emoji_give_no_terms() -> None:
    posts = ["run `MakeAll` at https://Example.com/FooBar :PartyTime: @SomeBody"] * 3
    assert collect_terms(posts=posts) == ()


def test_no_more_terms_than_asked_for() -> None:
    assert len(collect_terms(given=[f"Term{i}" for i in range(500)])) == 150
