"""Settings that decide who gets what, and where what was said may be sent: the audit log tells since when."""

from __future__ import annotations

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.llm import server_address
from meetings.mattermost.policy import site_of


def note_wide_settings(settings: Settings) -> None:
    """Put into the audit log who gets what and where what was said may be sent, when that is another than before."""
    channels = [f"{name}: {rules.audience}" for name, rules in settings.channels.items() if rules.audience]
    AuditLog(settings).note_settings(
        audience=settings.audience,
        max_people=settings.max_people,
        channels=", ".join(channels),
        language_model=settings.language_model,
        llm_url=site_of(address) if (address := server_address(settings)) else "",
        llm_allowed_hosts=", ".join(settings.llm_allowed_hosts),
    )
