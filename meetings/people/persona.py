"""What matters to a person: weighted ingredients from who they are and what they do in Mattermost.

Each ingredient has a text, a weight, and where it comes from, so that `meetings people show` can lay all of it open.
Sources are capped, so that a chatty week does not drown what somebody says of themselves. The context is used for the
person's own summary alone and is quoted to nobody.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from meetings.people.person import Person
from meetings.people.profiles import Profile, load_profiles, match_profiles, roles_with_term
from meetings.people.terms import STOPWORDS, WEAK, stem, terms, words

HALF_LIFE_DAYS = 14.0
MAX_TEXT = 300
MAX_INGREDIENTS = 60
MAX_UNWANTED = 20

# Weight of one ingredient of a source, and the most that the source may weigh in all.
WEIGHTS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "interest": (1.2, 6.0),
        "about": (1.0, 6.0),
        "position": (0.8, 0.8),
        "profile": (0.6, 2.4),
        "own post": (0.7, 4.0),
        "mention": (0.5, 1.5),
        "thread": (0.35, 1.5),
        "reaction": (0.3, 1.2),
        "channel": (0.3, 1.5),
        "feedback": (1.2, 4.0),
        "liked": (0.25, 1.0),
        "unwanted": (1.2, 4.0),
        "disliked": (0.25, 0.8),
    }
)
# Sources that lower; their ingredients have negative weights.
LOWERING = frozenset({"unwanted", "disliked"})
# Days after which an ingredient that ages weighs half. What somebody asks for in so many words is meant to last.
HALF_LIVES: Mapping[str, float] = MappingProxyType(
    {"feedback": 90.0, "unwanted": 90.0, "liked": 30.0, "disliked": 30.0}
)
_FEEDBACK_SOURCES = {"more": "feedback", "less": "unwanted", "liked": "liked", "disliked": "disliked"}
_REASONS = {
    "interest": "an interest in the people file",
    "about": "a phrase of what the people file says about them",
    "position": "the position",
    "profile": "what people of that role care about",
    "own post": "a post of their own",
    "mention": "a post that names them",
    "thread": "a post in a thread they wrote in",
    "reaction": "a post they reacted to",
    "channel": "a channel they are in",
    "feedback": "what they asked for more of",
    "liked": "a line of a summary they liked",
    "unwanted": "what they asked for less of",
    "disliked": "a line of a summary they disliked",
}
_POST_SOURCES = {"own": "own post", "thread": "thread", "reacted": "reaction", "mentioned": "mention"}
# A rank names no subject.
_RANKS = frozenset(map(stem, ("head", "director", "lead", "leader", "chief", "officer", "manager", "expert")))
# Channels that everyone is in say nothing of anyone.
_COMMON_CHANNELS = {"town-square", "off-topic", "general", "random"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext:
    """A channel the person is a member of."""

    name: str
    display_name: str = ""
    purpose: str = ""
    header: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostContext:
    """A post that says something of the person; `kind` is own, thread, reacted or mentioned; age in days."""

    text: str
    age_days: float
    kind: str
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackContext:
    """What a person thinks of what they get; `kind` is more, less (asked for), liked or disliked (a summary's line)."""

    text: str
    age_days: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonContext:
    """What Mattermost tells about a person, and what they told this program."""

    channels: tuple[ChannelContext, ...] = ()
    posts: tuple[PostContext, ...] = ()
    feedback: tuple[FeedbackContext, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """One thing that matters: its text, its weight, its source (a key of `WEIGHTS`) and the detail of it.

    A negative weight lowers what is about it.
    """

    source: str
    text: str
    weight: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A person with what matters to them.

    `terms` maps stems to weights; `own_terms` are those that come from what they say of themselves, not from what they
    do in Mattermost; `wants` maps kinds of statement to how much more than others they are wanted; `names` are the
    words by which the person is called in speech, lower case; `unwanted` is what they want less of.
    """

    person: Person
    ingredients: tuple[Ingredient, ...]
    terms: Mapping[str, float]
    wants: Mapping[str, float]
    profiles: tuple[str, ...]
    names: tuple[str, ...]
    own_terms: Mapping[str, float]
    unwanted: tuple[Ingredient, ...] = ()


def explain_weight(ingredient: Ingredient) -> str:
    """How an ingredient came by its weight, in one clause: what its source weighs, and what was taken off."""
    base, cap = WEIGHTS[ingredient.source]
    reason = _REASONS[ingredient.source]
    verb = "lowers what is about it by" if ingredient.source in LOWERING else "weighs"
    if abs(ingredient.weight) >= base - 0.005:
        return f"{reason} {verb} {base:g}"
    half_life = HALF_LIVES.get(ingredient.source)
    if ingredient.source in _POST_SOURCES.values():
        half_life = HALF_LIFE_DAYS
    if half_life is not None:
        return f"{reason} {verb} {base:g}, half of it after {half_life:g} days; all such {cap:g} at most"
    if ingredient.source == "profile":
        return f"{reason} weighs {base:g}, less for a role that the position names in passing; all such {cap:g} at most"
    return f"{reason} weighs {base:g}; all such {cap:g} at most"


def build_persona(
    person: Person, context: PersonContext | None = None, *, profiles: tuple[Profile, ...] | None = None
) -> Persona:
    """Put together what matters to a person.

    Args:
        person: who they are.
        context: what Mattermost tells and they said of summaries; None if nothing is known.
        profiles: the roles; default those that ship with the product.
    """
    known = load_profiles() if profiles is None else profiles
    roles = match_profiles(person.position, known)
    themselves = [*_said_of_themselves(person)]
    for profile, share in roles:
        base = WEIGHTS["profile"][0]
        themselves += [
            Ingredient(source="profile", text=text, weight=base * (0.5 + 0.5 * share), detail=profile.name)
            for text in profile.interests
        ]
    told = [*_from_feedback(context.feedback)] if context is not None else []
    found = [*themselves, *(i for i in told if i.source not in LOWERING)]
    if context is not None:
        found += [*_from_channels(context.channels), *_from_posts(context.posts)]
    ingredients = _capped(found)
    lowering = _capped(i for i in told if i.source in LOWERING)
    wants: dict[str, float] = defaultdict(float)
    for profile, share in roles:
        for kind, want in profile.wants.items():
            wants[kind] += share * want
    return Persona(
        person=person,
        ingredients=ingredients,
        terms=_weighted_terms(ingredients, roles),
        wants=MappingProxyType(dict(wants)),
        profiles=tuple(p.name for p, _ in roles),
        names=call_names(person),
        own_terms=_weighted_terms(_capped(themselves), roles),
        unwanted=tuple(replace(i, weight=-i.weight) for i in lowering[:MAX_UNWANTED]),
    )


def _weighted_terms(
    ingredients: Iterable[Ingredient], roles: Iterable[tuple[Profile, float]]
) -> MappingProxyType[str, float]:
    weights: dict[str, float] = defaultdict(float)
    for ingredient in ingredients:
        said = terms(ingredient.text)
        if ingredient.source == "position":
            said = [t for t in said if t not in _RANKS]
        # One word of a long phrase says less than a phrase of one word.
        weight = ingredient.weight / max(1, len(set(said))) ** 0.5
        _add_terms(weights, [t for t in said if t not in WEAK], weight)
    for profile, share in roles:
        for term in {s for t in profile.terms for s in terms(t)}:
            # A term of many roles says little of one.
            _add_terms(weights, [term], WEIGHTS["profile"][0] * share / roles_with_term(term) ** 0.5)
    return MappingProxyType(dict(weights))


def call_names(person: Person) -> tuple[str, ...]:
    """How the person is called: full name, first name, username; names that are common words are left out."""
    full = " ".join(re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", person.name.lower()))
    first = full.split(" ")[0] if full else ""
    # Someone listed as "Project Manager" is not called "Project".
    if len(first) < 3 or first in words(person.position):
        first = ""
    candidates = [full, first, person.username.lower()]
    if person.speaks_as:
        candidates.append(person.speaks_as.lower())
    return tuple(dict.fromkeys(c for c in candidates if c and c not in STOPWORDS))


def _said_of_themselves(person: Person) -> Iterable[Ingredient]:
    if person.position:
        yield Ingredient(source="position", text=person.position, weight=WEIGHTS["position"][0])
    for text in person.interests:
        yield Ingredient(source="interest", text=text, weight=WEIGHTS["interest"][0])
    for text in _sentences(person.about):
        yield Ingredient(source="about", text=text, weight=WEIGHTS["about"][0])


def _from_channels(channels: Iterable[ChannelContext]) -> Iterable[Ingredient]:
    for channel in channels:
        if channel.name in _COMMON_CHANNELS:
            continue
        title = channel.display_name or channel.name.replace("-", " ").replace("_", " ")
        text = _tidy(f"{title}: {channel.purpose or channel.header}" if channel.purpose or channel.header else title)
        yield Ingredient(source="channel", text=text, weight=WEIGHTS["channel"][0], detail=f"~{channel.name}")


def _from_posts(posts: Iterable[PostContext]) -> Iterable[Ingredient]:
    for post in posts:
        text = _tidy(post.text)
        source = _POST_SOURCES.get(post.kind)
        if source is None or len(terms(text)) < 2:
            continue
        age = max(0.0, post.age_days)
        detail = f"{age:.0f} days old" + (f" in ~{post.channel}" if post.channel else "")
        weight = WEIGHTS[source][0] * 0.5 ** (age / HALF_LIFE_DAYS)
        yield Ingredient(source=source, text=text, weight=weight, detail=detail)


def _from_feedback(feedback: Iterable[FeedbackContext]) -> Iterable[Ingredient]:
    for one in feedback:
        source = _FEEDBACK_SOURCES.get(one.kind)
        text = _tidy(one.text)
        if source is None or not terms(text):
            continue
        age = max(0.0, one.age_days)
        weight = WEIGHTS[source][0] * 0.5 ** (age / HALF_LIVES[source])
        yield Ingredient(source=source, text=text, weight=weight, detail=f"{age:.0f} days old")


def _capped(found: Iterable[Ingredient]) -> tuple[Ingredient, ...]:
    """The heaviest ingredients, each source up to its cap, without repetitions; heaviest first."""
    room = {source: cap for source, (_, cap) in WEIGHTS.items()}
    seen: set[str] = set()
    kept: list[Ingredient] = []
    for ingredient in sorted(found, key=lambda i: (-i.weight, i.source, i.text)):
        key = ingredient.text.lower()
        if not ingredient.text or key in seen or ingredient.weight < 0.01:
            continue
        weight = min(ingredient.weight, room[ingredient.source])
        if weight <= 0:
            continue
        room[ingredient.source] -= weight
        seen.add(key)
        kept.append(Ingredient(source=ingredient.source, text=ingredient.text, weight=weight, detail=ingredient.detail))
    return tuple(kept[:MAX_INGREDIENTS])


def _add_terms(weights: dict[str, float], found: Iterable[str], weight: float) -> None:
    # The strongest mention counts in full, further ones a quarter: a term said everywhere does not grow without end.
    for term in set(found):
        high, low = max(weights[term], weight), min(weights[term], weight)
        weights[term] = high + 0.25 * low


def _sentences(text: str) -> list[str]:
    """The sentences of a text; a sentence that is a list gives its items."""
    phrases: list[str] = []
    for sentence in re.split(r"(?<=[.!?;])\s+|\n+", text):
        items = [i for i in re.split(r",\s*(?:and\s+)?|;\s*", sentence) if i.strip()]
        # Three short items or more are a list of subjects, not a sentence.
        is_list = len(items) >= 3 and all(len(i.split()) <= 5 for i in items)
        phrases += [_tidy(p) for p in (items if is_list else [sentence])]
    return [p for p in phrases if p]


def _tidy(text: str) -> str:
    """One line without addresses, code and markup, cut at `MAX_TEXT` characters."""
    text = re.sub(r"```.*?```|`[^`]*`", " ", text, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"https?://\S+|www\.\S+", " ", text)
    text = re.sub(r":[a-z0-9_+-]+:|[*_~>|]{1,3}", " ", text)
    return " ".join(text.split())[:MAX_TEXT].strip(" .;,")
