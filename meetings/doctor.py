"""Checks everything a run needs; each check is a value with its remedy.

Facts are gathered at the edge (`check_…`) and judged by pure functions (`judge_…`), so that every verdict is tested
without a broken machine.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from meetings.config import CONFIG_NAME, Settings
from meetings.errors import MattermostError, MeetingsError

if TYPE_CHECKING:
    from meetings.mattermost import MattermostClient
    from meetings.mattermost.client import Channel, Post

State = Literal["ok", "warn", "fail"]

NEEDED_GB = 2.0  # decoded sound of a long call, results, a starter set
COMFORTABLE_GB = 10.0
# Settings that are secret, and may stand in a settings file.
SECRETS = {
    "mattermost_token": "the token",
    "database_url": "the database's password",
    "voices_key": "the key of voices",
}
CUBLAS = "libcublas.so.12"  # what CTranslate2 4 opens when it computes on a GPU; torch brings that of CUDA 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: what was looked at, how it is, and what to do if it is not well."""

    check: str
    state: State
    detail: str
    remedy: str = ""


def examine(settings: Settings, *, deep: bool = False) -> Iterator[Finding]:
    """Run every check; `deep` also hashes the models."""
    yield check_ffmpeg()
    yield from check_models(settings, deep=deep)
    yield check_device(settings)
    yield judge_threads(settings.cpu_threads, cores=_cores())
    for name, folder in (("data folder", settings.home), ("models folder", settings.models_folder)):
        yield judge_folder(name, folder, writable=_writable(folder), free_gb=_free_gb(folder))
    yield check_database(settings)
    yield from check_secrets(settings.llm_api_key_file)
    if (kept := settings.mattermost_token_file) is not None and kept.is_file():
        yield judge_secret(kept, mode=stat.S_IMODE(kept.stat().st_mode))
    yield from check_mattermost(settings)


def check_ffmpeg() -> Finding:
    """Whether an ffmpeg can be started."""
    from meetings.speech import ffmpeg_binary

    try:
        return Finding(check="ffmpeg", state="ok", detail=str(ffmpeg_binary()))
    except MeetingsError as error:
        return Finding(check="ffmpeg", state="fail", detail="not found", remedy=str(error))


def check_models(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Whether the models that the settings name are there."""
    from meetings.llm import is_served
    from meetings.models import catalogue, locate, verify
    from meetings.prepare import ROLES

    for setting in ROLES.values():
        name = str(getattr(settings, setting))
        if name == "none":
            yield Finding(check=setting, state="ok", detail="switched off")
            continue
        if setting == "language_model" and is_served(name):
            yield check_model_server(settings)
            continue
        try:
            path = locate(name, settings.models_folder)
        except MeetingsError as error:
            yield Finding(check=setting, state="fail", detail=name, remedy=str(error))
            continue
        if deep and name in catalogue():
            wrong = [c.file for c in verify(catalogue()[name], settings.models_folder) if c.state != "ok"]
            if wrong:
                remedy = f"deleted; run: meetings models pull {name}"
                yield Finding(check=setting, state="fail", detail=f"{name}: wrong {', '.join(wrong)}", remedy=remedy)
                continue
        yield Finding(check=setting, state="ok", detail=f"{name} in {path}")


def check_model_server(settings: Settings) -> Finding:
    """Whether the language model's server may be asked, answers, and has the model. No text is sent."""
    from meetings.llm import open_server

    setting = "language_model"
    try:
        server = open_server(settings, settings.language_model)
        if not server.lists_models:
            detail = f"{server.name} at {server.where or 'this machine'}: what was said is sent there"
            remedy = "this platform lists no models, so nothing was asked; try: meetings models admit server:NAME"
            return Finding(check=setting, state="warn", detail=detail, remedy=remedy)
        names = server.models()
    except MeetingsError as error:
        return Finding(check=setting, state="fail", detail=settings.language_model, remedy=str(error))
    return judge_model_server(server.name, names, where=server.where)


def judge_model_server(name: str, names: Sequence[str], *, where: str) -> Finding:
    """The verdict on a model of a server, given the names the server lists and where it is (empty: this machine)."""
    place = f"at {where}: what was said is sent there" if where else "by a server on this machine"
    if name not in names:
        shown = ", ".join(names[:6]) or "none"
        # Gateways list what they like and answer to more.
        remedy = f"if it does not answer, name one that the server lists: {shown}"
        return Finding(check="language_model", state="warn", detail=f"{name} {place}, not listed", remedy=remedy)
    return Finding(check="language_model", state="ok", detail=f"{name} {place}")


def check_device(settings: Settings) -> Finding:
    """Which device is used, and whether the one asked for is there."""
    import ctranslate2

    gpus = ctranslate2.get_cuda_device_count()
    return judge_device(settings.device, gpus=gpus, cublas=gpus > 0 and _can_load(CUBLAS))


def judge_device(wanted: str, *, gpus: int, cublas: bool) -> Finding:
    """The verdict on a device setting, given how many GPUs are seen and whether the recogniser finds cuBLAS."""
    if wanted == "cuda" and gpus == 0:
        remedy = "install the NVIDIA driver, or set device = 'auto'"
        return Finding(check="device", state="fail", detail="cuda is set but no GPU is seen", remedy=remedy)
    if not gpus or wanted == "cpu":
        seen = f"{gpus} GPU seen, device is set to cpu" if gpus else "no GPU seen"
        return Finding(check="device", state="ok", detail=f"cpu ({seen})")
    if not cublas:
        return Finding(
            check="device",
            state="fail",
            detail=f"a GPU is seen but {CUBLAS}, which the recogniser needs, is not found",
            remedy="pip install nvidia-cublas-cu12, put it on LD_LIBRARY_PATH (docs/models.md), or set device = 'cpu'",
        )
    return Finding(check="device", state="ok", detail=f"cuda ({gpus} GPU seen)")


def judge_threads(threads: int, *, cores: int) -> Finding:
    """The verdict on the threads that every engine gets, given the cores this process may use."""
    if threads > cores:
        detail = f"{threads} threads for each engine on {cores} cores"
        return Finding(check="threads", state="warn", detail=detail, remedy="they fight for cores: set threads = 0")
    return Finding(check="threads", state="ok", detail=f"{threads} CPU threads for each engine, {cores} cores")


def judge_folder(name: str, folder: Path, *, writable: bool, free_gb: float) -> Finding:
    """The verdict on a folder, given whether it can be written and how much room is left."""
    if not writable:
        return Finding(
            check=name, state="fail", detail=f"{folder} cannot be written", remedy="change its owner or the setting"
        )
    detail = f"{folder}, {free_gb:.0f} GB free"
    if free_gb < NEEDED_GB:
        return Finding(check=name, state="fail", detail=detail, remedy=f"free at least {NEEDED_GB:.0f} GB")
    if free_gb < COMFORTABLE_GB:
        return Finding(check=name, state="warn", detail=detail, remedy="larger models need several GB each")
    return Finding(check=name, state="ok", detail=detail)


def check_database(settings: Settings) -> Finding:
    """Whether the database answers, is whole, and has this program's schema; where machines share it, also the key."""
    from meetings.store import Database

    try:
        database = Database.of(settings)
        listed = database.listed("positions")
    except MeetingsError as error:
        return Finding(check="database", state="fail", detail="not usable", remedy=str(error))
    return judge_database(
        database.where,
        shared=settings.database_url is not None,
        key=settings.voices_key is not None,
        channels=len(listed),
    )


def judge_database(where: str, *, shared: bool, key: bool, channels: int) -> Finding:
    """The verdict on a database that answers, given whether machines share it and the key of voices is set."""
    detail = f"{where}; {channels} channels were looked through"
    if shared and not key:
        remedy = "set MEETINGS_VOICES_KEY, the same on every machine (docs/operations.md)"
        return Finding(check="database", state="fail", detail=f"{where}, but no key of voices is set", remedy=remedy)
    return Finding(check="database", state="ok", detail=detail)


def check_secrets(key_file: Path | None = None) -> Iterator[Finding]:
    """Whether a settings file with a secret, or the file of the language model's key, can be read by others."""
    import platformdirs

    named = os.environ.get("MEETINGS_CONFIG")
    usual = [Path(platformdirs.user_config_dir("meetings")) / CONFIG_NAME, Path.cwd() / CONFIG_NAME]
    for file in [Path(named)] if named else usual:
        text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        held = [what for key, what in SECRETS.items() if key in text]
        if held:
            yield judge_secret(file, mode=stat.S_IMODE(file.stat().st_mode), holds=" and ".join(held))
    if key_file is not None and key_file.is_file():
        yield judge_secret(key_file, mode=stat.S_IMODE(key_file.stat().st_mode), holds="the language model's key")


def judge_secret(file: Path, *, mode: int, holds: str = "the token") -> Finding:
    """The verdict on a file that holds a secret, given its mode."""
    if mode & 0o007:
        detail = f"{file} holds {holds} and everybody on this machine can read it"
        return Finding(check="secrets", state="fail", detail=detail, remedy=f"run: chmod 600 {file}")
    if mode & 0o070:
        detail = f"{file} holds {holds} and its group can read it"
        return Finding(
            check="secrets", state="warn", detail=detail, remedy=f"unless that is meant, run: chmod 600 {file}"
        )
    return Finding(check="secrets", state="ok", detail=f"{file} is readable by its owner alone")


def check_mattermost(settings: Settings) -> Iterator[Finding]:
    """Whether the server answers, takes the token, and lets the bot read where calls happen."""
    from meetings.mattermost import MattermostClient

    if settings.mattermost_url is None or settings.mattermost_token is None:
        missing = "MATTERMOST_URL" if settings.mattermost_url is None else "MATTERMOST_TOKEN"
        remedy = f"set {missing} to use one (docs/mattermost.md)"
        yield Finding(check="mattermost", state="warn", detail="none is configured", remedy=remedy)
        return
    try:
        client = MattermostClient(settings.mattermost_url, settings.mattermost_token.get_secret_value())
        yield Finding(check="mattermost", state="ok", detail=f"{client.url} runs {client.ping() or 'Mattermost'}")
        me = client.me()
        yield judge_account(me.username, is_bot=me.is_bot)
        channels = [c for c in client.my_channels_everywhere() if c.type in {"O", "P"}]
        yield judge_channels([c.name for c in channels])
        yield from prove_permissions(client, channels)
        yield prove_socket(client.url, settings.mattermost_token.get_secret_value())
    except MattermostError as error:
        yield Finding(check="mattermost", state="fail", detail="refused", remedy=str(error))
    except MeetingsError as error:
        yield Finding(check="mattermost", state="fail", detail="not usable", remedy=str(error))


def prove_permissions(client: MattermostClient, channels: Sequence[Channel]) -> Iterator[Finding]:
    """Each thing that a run does on the server, done once: nothing is left behind and nobody is written to."""
    from meetings.mattermost.calls import RECORDING

    recordings: list[Post] = []

    def read() -> str:
        for channel in channels:
            posts = client.latest_posts(channel.id, 200)
            recordings.extend(p for p in posts if p.type == RECORDING and p.file_ids)
        return f"posts of {len(channels)} channels can be read"

    def members() -> str:
        return f"{len(client.channel_member_ids(channels[0].id))} members of {channels[0].name} can be read"

    def file() -> str:
        if not recordings:
            return "no recording is among the newest posts, so none was tried"
        info = client.file_info(recordings[0].file_ids[0])
        return f"{info.name} ({info.size / 1e6:.1f} MB) can be read"

    def write() -> str:
        post = client.create_post(client.direct_channel(client.me().id), "A check: this message goes at once.")
        client.edit_post(post.id, "A check: this message is gone at once.")
        client.delete_post(post.id)
        return "can be opened, written, edited and deleted (tried on the bot's own)"

    invite = "invite the bot to the channel: /invite @meetings"
    if channels:
        yield _proved("reading posts", read, remedy=invite)
        yield _proved("reading members", members, remedy=invite)
        yield _proved("reading recordings", file, remedy=invite)
    yield _proved("direct messages", write, remedy="give the bot's role create_post and create_direct_channel")


def prove_socket(url: str, token: str) -> Finding:
    """Whether the bot's socket opens: `meetings listen` hears by it."""
    import asyncio
    from contextlib import aclosing

    from meetings.mattermost.socket import Gap, Lost, listen

    async def first() -> Gap | Lost | None:
        async with aclosing(listen(url, token)) as events:
            event = await anext(events)
        return event if isinstance(event, Gap | Lost) else None

    found = asyncio.run(first())
    if isinstance(found, Lost):
        return Finding(check="socket", state="fail", detail="does not open", remedy=str(found.error))
    return Finding(check="socket", state="ok", detail="opens and takes the token")


def _proved(check: str, act: Callable[[], str], *, remedy: str) -> Finding:
    try:
        return Finding(check=check, state="ok", detail=act())
    except MattermostError as error:
        return Finding(check=check, state="fail", detail=" ".join(str(error).split()), remedy=remedy)


def judge_account(username: str, *, is_bot: bool) -> Finding:
    """The verdict on the account behind the token."""
    if is_bot:
        return Finding(check="account", state="ok", detail=f"@{username} is a bot")
    return Finding(
        check="account",
        state="warn",
        detail=f"@{username} is a person's account",
        remedy="use a bot account: messages would come from this person",
    )


def judge_channels(names: list[str]) -> Finding:
    """The verdict on the channels the bot is in."""
    if not names:
        remedy = "invite it where calls happen: /invite @meetings"
        return Finding(check="channels", state="fail", detail="the bot is in no channel", remedy=remedy)
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return Finding(check="channels", state="ok", detail=f"{len(names)}: {shown}")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _can_load(library: str) -> bool:
    import ctypes

    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _nearest(folder: Path) -> Path:
    """The folder or its nearest ancestor that exists."""
    return next(p for p in (folder, *folder.parents) if p.exists())


def _writable(folder: Path) -> bool:
    nearest = _nearest(folder)
    return nearest.is_dir() and os.access(nearest, os.W_OK)


def _free_gb(folder: Path) -> float:
    return shutil.disk_usage(_nearest(folder)).free / 1e9
