"""Faults are tried on the same command and media as acceptance."""

from tests.acceptance.conftest import after_speech, make_media, meetings, spoken, talk

__all__ = ["after_speech", "make_media", "meetings", "spoken", "talk"]
