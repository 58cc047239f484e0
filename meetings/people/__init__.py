"""People: who reads, and what matters to them."""

from meetings.people.feedback import FeedbackBook, Wish, Wishes
from meetings.people.person import Person, read_people
from meetings.people.persona import (
    ChannelContext,
    FeedbackContext,
    Ingredient,
    Persona,
    PersonContext,
    PostContext,
    build_persona,
    explain_weight,
)
from meetings.people.profiles import Profile, load_profiles, match_profiles, read_profiles

__all__ = [
    "ChannelContext",
    "FeedbackBook",
    "FeedbackContext",
    "Ingredient",
    "Person",
    "PersonContext",
    "Persona",
    "PostContext",
    "Profile",
    "Wish",
    "Wishes",
    "build_persona",
    "explain_weight",
    "load_profiles",
    "match_profiles",
    "read_people",
    "read_profiles",
]
