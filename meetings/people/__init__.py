"""People: who reads, and what matters to them."""

from meetings.people.person import Person, read_people
from meetings.people.persona import (
    ChannelContext,
    Ingredient,
    Persona,
    PersonContext,
    PostContext,
    build_persona,
    explain_weight,
)
from meetings.people.profiles import Profile, load_profiles, match_profiles

__all__ = [
    "ChannelContext",
    "Ingredient",
    "Person",
    "PersonContext",
    "Persona",
    "PostContext",
    "Profile",
    "build_persona",
    "explain_weight",
    "load_profiles",
    "match_profiles",
    "read_people",
]
