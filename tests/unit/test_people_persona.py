"""Personas: profiles by position, context by age, caps, and that every ingredient says where it comes from."""

from __future__ import annotations

import pytest

from meetings.people import (
    ChannelContext,
    Person,
    PersonContext,
    PostContext,
    build_persona,
    load_profiles,
    match_profiles,
)
from meetings.people.persona import HALF_LIFE_DAYS, MAX_INGREDIENTS, WEIGHTS
from meetings.people.terms import STOPWORDS, stem, terms

NADIA = Person(username="nadia", name="Nadia Haddad", position="Security Lead")


def post(text: str, *, age: float = 0.0, kind: str = "own") -> PostContext:
    return PostContext(text=text, age_days=age, kind=kind, channel="dev")


@pytest.mark.parametrize(
    ("position", "profile"),
    [
        ("Director of Product Engineering", "engineering"),
        ("Head of Content", "content"),
        ("Technical Writer", "content"),
        ("Marketing Expert", "marketing"),
        ("Account Executive", "sales"),
        ("Customer Success Manager", "support"),
        ("Security Engineer", "security"),
        ("Legal Counsel", "legal"),
        ("CFO", "finance"),
        ("Head of People", "people"),
        ("User Interface Designer", "design"),
        ("Product Designer", "design"),
        ("Data Scientist", "data"),
        ("DevOps Engineer", "operations"),
        ("CEO", "executive"),
        ("Project Manager", "project lead"),
        ("Product Manager", "product"),
        ("Industrial Designer", "hardware"),
    ],
)
def test_a_position_calls_for_its_profile(position: str, profile: str) -> None:
    assert match_profiles(position)[0][0].name == profile


def test_a_position_between_two_fields_gets_both_profiles() -> None:
    names = {p.name for p, _ in match_profiles("Director of Product Engineering")}
    assert {"product", "engineering"} <= names


def test_shares_of_profiles_sum_to_one() -> None:
    assert sum(share for _, share in match_profiles("VP Sales and Marketing")) == pytest.approx(1.0)


@pytest.mark.parametrize("position", ["", "Zauberer", "   "])
def test_an_unknown_position_has_no_profile(position: str) -> None:
    assert match_profiles(position) == ()


def test_every_profile_is_complete_and_wants_known_kinds() -> None:
    profiles = load_profiles()
    assert len(profiles) >= 15
    for profile in profiles:
        assert profile.match
        assert profile.interests
        assert len(profile.terms) >= 15
        assert set(profile.wants) <= {"decision", "action", "risk", "question", "number"}


def test_someone_without_history_gets_their_roles_profile() -> None:
    persona = build_persona(NADIA)
    assert persona.profiles == ("security",)
    assert stem("vulnerability") in persona.terms
    assert {i.source for i in persona.ingredients} == {"position", "profile"}


def test_someone_unknown_has_an_empty_persona() -> None:
    persona = build_persona(Person(username="x", name="X"))
    assert persona.ingredients == ()
    assert dict(persona.terms) == {}


def test_a_post_weighs_half_after_its_half_life() -> None:
    context = PersonContext(
        posts=(post("the new parser release"), post("rotating signing keys again", age=HALF_LIFE_DAYS))
    )
    weights = {i.text: i.weight for i in build_persona(NADIA, context).ingredients if i.source == "own post"}
    assert weights["rotating signing keys again"] == pytest.approx(weights["the new parser release"] / 2)


def test_own_posts_weigh_more_than_threads_and_reactions() -> None:
    context = PersonContext(
        posts=(
            post("audit logs for customers", kind="own"),
            post("index rebuild tonight", kind="thread"),
            post("webinar recording online", kind="reacted"),
        )
    )
    weights = {i.source: i.weight for i in build_persona(NADIA, context).ingredients}
    assert weights["own post"] > weights["thread"] > weights["reaction"]


def test_a_chatty_week_stays_under_its_cap() -> None:
    posts = tuple(post(f"parser release number {n} done", age=n / 100) for n in range(300))
    persona = build_persona(NADIA, PersonContext(posts=posts))
    total = sum(i.weight for i in persona.ingredients if i.source == "own post")
    assert total <= WEIGHTS["own post"][1] + 1e-9
    assert len(persona.ingredients) <= MAX_INGREDIENTS
    assert any(i.source == "profile" for i in persona.ingredients)


def test_channels_that_everyone_is_in_say_nothing() -> None:
    context = PersonContext(
        channels=(
            ChannelContext(name="town-square", display_name="Town Square", purpose="Everything"),
            ChannelContext(name="security", display_name="Security", purpose="Findings and patches"),
        )
    )
    texts = [i.text for i in build_persona(NADIA, context).ingredients if i.source == "channel"]
    assert texts == ["Security: Findings and patches"]


def test_links_and_code_in_posts_are_no_interests() -> None:
    context = PersonContext(posts=(post("see https://example.org/secret?token=1 `rm -rf` audit findings ready"),))
    (text,) = [i.text for i in build_persona(NADIA, context).ingredients if i.source == "own post"]
    assert text == "see audit findings ready"


def test_what_somebody_says_of_themselves_weighs_most() -> None:
    person = Person(username="tom", name="Tom", position="Head of People", interests=("onboarding",))
    persona = build_persona(person)
    assert persona.ingredients[0].source == "interest"


def test_first_name_full_name_and_username_call_a_person() -> None:
    assert build_persona(NADIA).names == ("nadia haddad", "nadia")


def test_a_role_as_a_name_is_not_cut_to_its_first_word() -> None:
    person = Person(username="pm", name="Project Manager", position="Project Manager")
    assert "project" not in build_persona(person).names


@pytest.mark.parametrize(
    ("one", "other"),
    [("batteries", "battery"), ("shipping", "ship"), ("decides", "decided"), ("prices", "pricing"), ("users'", "user")],
)
def test_inflections_meet_in_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_function_words_and_numbers_are_no_terms() -> None:
    assert terms("So what we should do is the 42 of it") == []
    assert "the" in STOPWORDS
