"""The transcript that Calls makes from each account's own track: whose track carries which voice.

Its cues are `<v NAME>(NAME) text` with the display name bare of special characters, and its clock is a few seconds off
ours; `clocks` finds the shift. An account behind which several people sit (a meeting room)
names none of them by itself. All functions are pure; times are seconds.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meetings.conversation import Utterance
from meetings.speech.candidates import Candidate, bare, written_names
from meetings.speech.clocks import CallsCue, activity_grid, estimate_clock, text_matches

TRANSCRIPT = 9.0  # log-odds of a voice that lies wholly under one account's cues
RIVAL = 1.5  # weight of the share that lies under other accounts' cues alone
FULL_WEIGHT = 10.0  # seconds in common from which on the transcript has its full weight
ROOM_SHARE = 0.1  # of an account's time: a second voice with more than this makes it a shared account
ROOM_SECONDS = 4.0
DOMINANT = 0.6  # share of a shared account's time that makes its main voice likelier to be its owner
DOMINANT_ODDS = 1.5  # far below the bar: something else must confirm it
LIVES_THERE = 0.5  # share of a voice under an account's cues that makes it a voice of that account


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Seconds that voices and accounts have in common. An account is a username, or `?name` where that is not known.

    `own[voice, account]` lies under the account's cues, `rival[voice, account]` under those of others alone.
    """

    spoken: Mapping[str, float]
    own: Mapping[tuple[str, str], float]
    rival: Mapping[tuple[str, str], float]
    accounts: Mapping[str, float]

    def account_of(self, voice: str) -> str | None:
        """The account on whose track a voice is heard, or None if it is heard on several or on none."""
        best = max(self.accounts, key=lambda a: (self.own.get((voice, a), 0.0), a), default=None)
        if best is None:
            return None
        spoken = max(self.spoken[voice], 1e-9)
        own, rival = self.own.get((voice, best), 0.0) / spoken, self.rival.get((voice, best), 0.0) / spoken
        return best if own >= LIVES_THERE and rival <= own / 2 else None

    def shared_accounts(self) -> frozenset[str]:
        """Accounts on whose track more than one voice is heard."""
        voices: dict[str, list[float]] = {}
        for voice in self.spoken:
            if (account := self.account_of(voice)) is not None:
                voices.setdefault(account, []).append(self.own[voice, account])
        return frozenset(
            account
            for account, seconds in voices.items()
            if len(seconds) > 1 and sorted(seconds)[-2] >= max(ROOM_SECONDS, ROOM_SHARE * sum(seconds))
        )


_TIMING = re.compile(
    r"(?:(\d{1,4}):)?(\d{2}):(\d{2})\.(\d{3})\s+-->\s+(?:(\d{1,4}):)?(\d{2}):(\d{2})\.(\d{3})", re.ASCII
)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>\s*(.*)", re.DOTALL)


def read_calls_vtt(text: str) -> tuple[CallsCue, ...]:
    """The cues `<v NAME>(NAME) text` of a Calls transcript; anything else in the file is passed over."""
    cues = []
    for block in re.split(r"\r?\n[^\S\n]*\r?\n", text):
        timing = _TIMING.search(block)
        if timing is None:
            continue
        voice = _VOICE.search(block[timing.end() :])
        if voice is None:
            continue
        start, end = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
        # The transcriber escapes names and text for HTML (webvtt.go), and says the name twice.
        name = " ".join(html.unescape(voice[1]).split())
        said = " ".join(html.unescape(re.sub(r"<[^>]*>", "", voice[2])).split()).removeprefix(f"({name})").strip()
        if end > start:
            cues.append(CallsCue(name=name, start=start, end=end, text=said))
    return tuple(cues)


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, millis = (int(p or 0) for p in parts)
    return hours * 3600 + minutes * 60 + seconds + millis / 1000


def account_cues(cues: Iterable[CallsCue], candidates: Sequence[Candidate]) -> list[tuple[str, float, float]]:
    """(account, start, end) of each cue; a name that nobody or several people have is the account `?name`."""
    names = written_names(candidates)
    result = []
    for cue in cues:
        who = names.get(bare(cue.name), frozenset())
        result.append((next(iter(who)) if len(who) == 1 else f"?{bare(cue.name)}", cue.start, cue.end))
    return result


def transcript_shares(
    utterances: Sequence[Utterance], candidates: Sequence[Candidate], cues: Sequence[CallsCue]
) -> Shares:
    """How voices lie under accounts' cues, once the clocks agree."""
    spoken = [(u.speaker, u.start, u.end) for u in utterances]
    heard = account_cues(cues, candidates)
    clock = estimate_clock(spoken, heard, text_matches(utterances, cues))
    # Clocks that cannot be told to agree say nothing of who speaks.
    heard = [(a, clock.ours(s), clock.ours(e)) for a, s, e in heard] if clock is not None else []
    length = max((e for _, _, e in [*spoken, *heard]), default=0.0)
    step = 0.05
    voices, voice_grid = activity_grid(spoken, length, step)
    accounts, account_grid = activity_grid(heard, length, step)
    own = (voice_grid @ account_grid.T) * step
    under_any = (voice_grid @ account_grid.max(axis=0)) * step if accounts else None
    pairs = [(i, v, j, a) for i, v in enumerate(voices) for j, a in enumerate(accounts)]
    return Shares(
        spoken={v: float(voice_grid[i].sum() * step) for i, v in enumerate(voices)},
        own={(v, a): float(own[i, j]) for i, v, j, a in pairs},
        rival={(v, a): float(under_any[i] - own[i, j]) for i, v, j, a in pairs if under_any is not None},
        accounts={a: float(own[:, j].sum()) for j, a in enumerate(accounts)},
    )


def transcript_evidence(shares: Shares) -> Mapping[tuple[str, str], float]:
    """Log-odds of (voice, username) from the time that voice and account have in common.

    Three shares count: how much of the voice's time lies under the account's cues (a guest on the phone, whom nobody's
    track holds, has little), how much lies under others' alone (a voice that is two people's is nobody's), and how
    much of the account's time is this voice. A shared account says nothing of who in the room speaks.
    """
    evidence: dict[tuple[str, str], float] = {}
    shared = shares.shared_accounts()
    for (voice, account), own in shares.own.items():
        if account.startswith("?"):
            continue
        rival = shares.rival[voice, account]
        # Little time says little: full weight from ten seconds on.
        weight = TRANSCRIPT * min(1.0, math.sqrt((own + rival) / FULL_WEIGHT))
        spoken = max(shares.spoken[voice], 1e-9)
        total = max(shares.accounts[account], 1e-9)
        if account in shared and shares.account_of(voice) == account:
            evidence[voice, account] = DOMINANT_ODDS if own / total >= DOMINANT else 0.0
        else:
            odds = weight * (own / spoken - RIVAL * rival / spoken)
            evidence[voice, account] = max(-TRANSCRIPT, odds + (math.log(own / total) if own > 0 else 0.0))
    return evidence
