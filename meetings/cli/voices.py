"""`meetings voices`: voiceprints of people who agreed to be known by their voice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from meetings.voicebook import Consent

_CONSENT = "How the person agreed, in words that you could show them: 'signed form, 3 Nov'."
_BY = click.option("--by", metavar="NAME", help="Who records the consent. Default: your login name.")


@click.group(
    epilog="""\b
Examples:
  meetings voices enroll ana.ruiz ana.m4a --consent "by mail, 3 Nov"
  meetings voices forget ana.ruiz"""
)
def voices() -> None:
    """Keep voiceprints of people who agreed to it.

    A voiceprint names its owner in later recordings. It is kept only with the person's recorded consent, encrypted, and
    gone at once when they are forgotten. More: docs/speakers.md
    """


@voices.command(
    epilog="""\b
Example:
  meetings voices enroll ana.ruiz ana.m4a --consent "by mail, 3 Nov\""""
)
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--consent", metavar="TEXT", help=_CONSENT)
@_BY
def enroll(user: str, file: Path, consent: str | None, by: str | None) -> None:
    """Make a voiceprint of USER from FILE.

    FILE is any sound or film in which USER speaks for ten seconds or more, and nobody else does. --consent is needed
    unless it was recorded before.
    """
    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.enrolment import checked_username
    from meetings.enrolment import enroll as enroll_voice

    settings = load_settings()
    username = checked_username(user)
    sample = enroll_voice(username, file, settings, consent=_consent(consent, by))
    if consent is not None:
        AuditLog(settings).note("consent", user=username, by=by or login_name(), what="voice")
    AuditLog(settings).note("voiceprint", user=username, by=login_name(), status="enrolled")
    click.echo(f"{username}: a voiceprint from {sample.seconds:.0f} s of speech is kept, encrypted")


@voices.command(
    epilog="""\b
Example:
  meetings voices consent ana.ruiz --consent "by mail, 3 Nov\""""
)
@click.argument("user")
@click.option("--consent", metavar="TEXT", required=True, help=_CONSENT)
@_BY
def consent(user: str, consent: str, by: str | None) -> None:
    """Record that USER agreed to have their voice learnt."""
    from meetings.audit import AuditLog
    from meetings.config import load_settings
    from meetings.enrolment import checked_username
    from meetings.voicebook import VoiceBook

    username = checked_username(user)
    given = _consent(consent, by)
    assert given is not None
    settings = load_settings()
    VoiceBook.of(settings).record_consent(username, given)
    AuditLog(settings).note("consent", user=username, by=given.by, what="voice")
    click.echo(f"{username}: consent is recorded; their voice may be learnt: meetings voices learn RECORDING")


@voices.command(epilog="Example: meetings voices learn call.mp4")
@click.argument("recording")
def learn(recording: str) -> None:
    """Learn the voices of a processed RECORDING.

    Only of people who agreed, and only voices that a human confirmed (meetings speakers --set) or that the transcript
    of Calls names for certain. The same recording learnt twice counts once.
    """
    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.enrolment import learn as learn_voices
    from meetings.speakers import find_run

    settings = load_settings()
    outcomes = learn_voices(find_run(recording, settings), settings)
    for outcome in outcomes:
        if outcome.status == "learnt":
            AuditLog(settings).note("voiceprint", user=outcome.username, by=login_name(), status="learnt")
        told = f"learnt, {outcome.seconds:.0f} s" if outcome.status == "learnt" else f"skipped: {outcome.reason}"
        click.echo(f"{outcome.username}: {told}")
    if not outcomes:
        click.echo("no speaker of this recording has a name; say who they are: meetings speakers RECORDING --set ...")


@voices.command("list", epilog="Example: meetings voices list --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_voices(as_json: bool) -> None:
    """Show whose voiceprint is kept, with whose consent. The prints themselves are never shown."""
    import json

    from meetings.config import load_settings
    from meetings.voicebook import VoiceBook

    entries = VoiceBook.of(load_settings()).entries()
    rows = [
        {
            "username": e.username,
            "recordings": len(e.samples),
            "seconds": round(sum(s.seconds for s in e.samples), 1),
            "consent": {"how": e.consent.how, "by": e.consent.by, "at": e.consent.at},
        }
        for e in entries
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row, entry in zip(rows, entries, strict=True):
        print_ = f"{row['seconds']} s from {row['recordings']} recordings" if entry.samples else "no voiceprint yet"
        given = entry.consent
        click.echo(f"{entry.username:<24} {print_:<32} {given.how} (recorded by {given.by}, {given.at[:10]})")
    if not rows:
        click.echo("no voiceprints are kept")


@voices.command(
    epilog="""\b
Examples:
  meetings voices forget ana.ruiz
  meetings voices forget --all"""
)
@click.argument("user", required=False)
@click.option("--all", "everybody", is_flag=True, help="Every voiceprint, every consent, every recording's voices.")
def forget(user: str | None, everybody: bool) -> None:
    """Remove USER's voiceprint and consent, and their voice in every recording, at once."""
    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.enrolment import checked_username
    from meetings.kept_voices import KeptVoices
    from meetings.voicebook import VoiceBook

    if (user is None) == (not everybody):
        raise click.UsageError("Give a USER, or --all.")
    settings = load_settings()
    if user is None:
        recordings = KeptVoices.of(settings).forget_all()
        VoiceBook.of(settings).forget_all()
        AuditLog(settings).note("forget", by=login_name(), what="every voice")
        click.echo(f"every voiceprint and consent is gone, and the voices of {recordings} recordings")
        return
    username = checked_username(user)
    removed = KeptVoices.of(settings).forget(username)
    known = VoiceBook.of(settings).forget(username)
    if known or removed:
        AuditLog(settings).note("forget", user=username, by=login_name(), what="voice")
        click.echo(f"{username} is forgotten: voiceprint and consent, and their voice in {removed} recordings")
    else:
        click.echo(f"nothing was kept of {username}")


def _consent(how: str | None, by: str | None) -> Consent | None:
    from meetings.cli.who import login_name
    from meetings.enrolment import now
    from meetings.errors import VoicesError
    from meetings.voicebook import Consent

    if how is None:
        return None
    if not how.strip():
        raise VoicesError("--consent is empty; say how the person agreed")
    return Consent(by=by or login_name(), at=now(), how=" ".join(how.split()))
