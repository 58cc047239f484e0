"""Settings, read once and handed down.

Sources, strongest first: environment (`MEETINGS_…`, and `MATTERMOST_URL`, `MATTERMOST_TOKEN`), `meetings.toml` in the
working folder, `meetings.toml` in the user's config folder, defaults. Unknown keys are refused by name. Every value
remembers where it came from, for `meetings config show`.
"""

from __future__ import annotations

import importlib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from meetings.config_tables import (
    AUDIENCE,
    LEFT_BEHIND_DAYS,
    PLATFORM,
    QUIET_HOURS,
    AlertSettings,
    Backend,
    Catchup,
    ChannelRules,
    Retention,
    split_days,
    split_pairs,
)
from meetings.errors import ConfigError

CONFIG_NAME = "meetings.toml"
ENV_PREFIX = "MEETINGS_"
# Variables that other Mattermost tools already use.
ENV_ALIASES = {"MATTERMOST_URL": "mattermost_url", "MATTERMOST_TOKEN": "mattermost_token"}
# A settings file is copied, shown and kept under version control; this key opens an account that costs money.
ENV_ONLY = {"llm_api_key": "MEETINGS_LLM_API_KEY"}
# Switches of the scripts, not settings of the program.
ENV_IGNORED = {
    "MEETINGS_DEMO_PORT",
    "_MEETINGS_COMPLETE",
    "MEETINGS_CONFIG",
    "MEETINGS_LIVE_URL",
    "MEETINGS_LIVE_ADMIN_TOKEN",
}


def _default_home() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("meetings"))


def split_terms(value: object) -> object:
    """A list of terms from text with commas or line ends between them; lines that begin with # are remarks."""
    if not isinstance(value, str):
        return value
    lines = (line for line in value.splitlines() if not line.lstrip().startswith("#"))
    return tuple(term for line in lines for part in line.split(",") if (term := " ".join(part.split())))


class Settings(BaseModel):
    """What an admin can set. A field is `key = value` in meetings.toml and `MEETINGS_KEY` in the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(default_factory=_default_home, description="data: results, run state, sandbox")
    models: Path | None = Field(default=None, description="model weights; default: HOME/models")
    threads: int = Field(
        default=0, ge=0, le=256, description="CPU threads for every engine; 0: as many as there are cores"
    )
    device: str = Field(default="auto", pattern="^(auto|cpu|cuda)$", description="auto, cpu or cuda")
    whisper_model: str = Field(default="whisper-base", description="recogniser, a name of the catalogue or a folder")
    segmentation_model: str = Field(default="segmentation-3.0", description="who-spoke-when segmentation weights")
    embedding_model: str = Field(default="campplus", description="speaker embedding weights")
    language_model: str = Field(
        default="smollm2-135m",
        description="llama.cpp model: catalogue name, GGUF path; server:NAME for a model at llm_url; or none",
    )
    llm_context: int = Field(
        default=4096, ge=256, description="tokens that prompts and answers of the language model have, at most"
    )
    llm_gpu_layers: int | None = Field(
        default=None,
        ge=-1,
        description="layers of the language model on the GPU; -1: all; unset: all, unless device is cpu",
    )
    llm_at_once: int = Field(default=8, ge=1, le=64, description="readers the language model writes for at once")
    llm_platform: str = Field(
        default="compatible",
        pattern=PLATFORM,
        description="what serves `server:` models: openai, azure, bedrock, llama, anthropic, vllm, ollama, llama.cpp, "
        "or compatible: anything else that speaks OpenAI's protocol (docs/models.md)",
    )
    llm_url: str | None = Field(
        default=None, description="the server's address, as http://localhost:8000/v1; unset: the platform's own"
    )
    llm_allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(split_terms)] = Field(
        default=(), description="hosts other than this machine that what was said may be sent to (docs/models.md)"
    )
    llm_api_key: SecretStr | None = Field(default=None, description="key of llm_url; from the environment alone")
    llm_api_key_file: Path | None = Field(default=None, description="file with the key of llm_url")
    llm_thinking: int = Field(
        default=0, ge=0, description="tokens that an answer may have beside its text, for models that think first"
    )
    backends: Mapping[str, Backend] = Field(
        default_factory=dict,
        description="[backends.NAME]: a language model for `meetings compare`; from a file alone (docs/models.md)",
    )
    llm_timeout: float = Field(default=120.0, gt=0, description="seconds that llm_url may take for an answer")
    text_embedding_model: str = Field(default="minilm-l6-v2", description="sentence embeddings")
    language: str | None = Field(default=None, description="spoken language (en, de, ...); unset: detected")
    vocabulary: Annotated[tuple[str, ...], BeforeValidator(split_terms)] = Field(
        default=(), description="names and terms that are said: a list, or text with commas or line ends between them"
    )
    writer: str = Field(
        default="auto",
        pattern="^(auto|extract|rewrite|compose)$",
        description="how bullets are written: auto, extract, rewrite or compose",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL that several machines share, as postgresql://USER:PASSWORD@HOST/NAME; unset: files of "
        "this machine (docs/scaling.md)",
    )
    files_url: str | None = Field(
        default=None, description="where results lie: a folder or s3://BUCKET/PREFIX; unset: HOME/results"
    )
    mattermost_url: str | None = Field(default=None, description="https://chat.example.org")
    mattermost_token: SecretStr | None = Field(default=None, description="the bot's access token")
    mattermost_token_file: Path | None = Field(default=None, description="file with the bot's access token")
    mattermost_token_keyring: str | None = Field(
        default=None,
        pattern="^[^:]+:.+$",
        description="SERVICE:USER under which the system's keyring has the token (pip install keyring)",
    )
    audience: str = Field(
        default="members",
        pattern=AUDIENCE,
        description="who gets a summary of a call, of the channel's members: all (members), those in the call "
        "(participants), those who were not (missed), or nobody",
    )
    channels: Mapping[str, ChannelRules] = Field(
        default_factory=dict,
        description='[channels."TEAM/CHANNEL"]: audience, people (usernames) and retention, for one channel; '
        "from a file alone",
    )
    retention: Annotated[Retention, BeforeValidator(split_days)] = Field(
        default=Retention(),
        description='[retention]: days, or "forever", for audio, transcript, summaries, voices, context and feedback; '
        "what is older goes with `meetings purge` (docs/privacy.md)",
    )
    catchup: Annotated[Catchup, BeforeValidator(split_pairs)] = Field(
        default=Catchup(),
        description="[catchup]: mode (offer, brief or off), after (days away), posts (that make a briefing worth it): "
        "for those who come into a channel, or back (docs/catchup.md)",
    )
    quiet_hours: str = Field(
        default="20:00-08:00, weekends",
        pattern=rf"^{QUIET_HOURS}$",
        description="when nobody is written to who did not ask, by their own clock: HH:MM-HH:MM, also with "
        "`, weekends`; weekends; or none",
    )
    alerts: Annotated[AlertSettings, BeforeValidator(split_pairs)] = Field(
        default=AlertSettings(),
        description="[alerts]: per_day, the most a person gets a day; learned, whether interests are learned as well "
        "as set (docs/alerts.md)",
    )
    notice: bool = Field(
        default=True, description="tell a channel once, when the bot is first there, what the bot does"
    )
    contact: str | None = Field(
        default=None, max_length=200, description="whom people may ask about the bot; named in the notice"
    )
    max_people: int = Field(
        default=50,
        ge=1,
        description="in channels with more members than this, only participants get a summary",
    )
    profiles: Path | None = Field(
        default=None, description="your own role profiles: a YAML file or a folder of them (docs/people.md)"
    )
    voices_key: SecretStr | None = Field(
        default=None, description="key of stored voices (32 bytes, base64); unset: a file in HOME/voices"
    )
    keep_voices_days: int = Field(
        default=90,
        ge=0,
        description="days that a recording's voices are kept, encrypted, for naming again; 0: the run alone",
    )
    max_hours: float = Field(
        default=24.0, gt=0, le=1000, description="recordings that announce to be longer are refused"
    )
    transcription_patience: float = Field(
        default=600.0,
        ge=0,
        description="seconds that a recording waits for the transcription that Calls announced, and for its call's end",
    )
    webhook_token: SecretStr | None = Field(
        default=None, description="token of the outgoing webhook that tells `meetings serve` of recordings"
    )
    command_token: SecretStr | None = Field(
        default=None, description="token of the slash command that `meetings serve` answers"
    )
    page_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~/-]*)?$",
        description="where people reach `meetings serve`, as https://meetings.example.org; times in messages then lead "
        "to the meeting's page (docs/report.md)",
    )
    page_key: SecretStr | None = Field(
        default=None, min_length=32, description="key that page links are signed with; unset: a file in HOME/page"
    )
    page_days: int = Field(default=30, ge=1, le=3650, description="days that a link to a page holds")
    page_trends: bool = Field(
        default=False,
        description="show who was in a call, on its page, what goes on in its series, and who talks how much",
    )
    oauth_client_id: str | None = Field(
        default=None, description="Mattermost's OAuth 2.0 application by which people sign in to pages (docs/report.md)"
    )
    oauth_client_secret: SecretStr | None = Field(default=None, description="the secret of oauth_client_id")
    pdf_font: Path | None = Field(
        default=None,
        description="font file (ttf, otf, ttc) for what DejaVu Sans lacks in PDFs: Chinese, Japanese, Korean, "
        "Devanagari, Thai (docs/formats.md)",
    )
    incident_token: SecretStr | None = Field(
        default=None, description="token of a second slash command, `/incident` (docs/incidents.md)"
    )
    incident_rules: Path | None = Field(
        default=None, description="your own rules for briefs of incidents, a YAML file (docs/incidents.md)"
    )
    log_format: str = Field(
        default="text", pattern="^(text|json)$", description="what listen, serve and worker log: text, or JSON lines"
    )
    otlp_endpoint: str | None = Field(
        default=None, description="collector that traces are sent to, as http://127.0.0.1:4318/v1/traces; unset: none"
    )
    deliver: bool = Field(default=False, description="send direct messages without being told to on the command line")

    @model_validator(mode="after")
    def _voices_go_no_later(self) -> Self:
        """The voices of a recording are let go as soon as it is worked on, by the setting for all channels."""
        most = self.days_kept("voices")
        for channel in self.channels:
            days = self.days_kept("voices", channel)
            if most is not None and (days is None or days > most):
                raise ValueError(f"{channel} keeps voices for {days or 'ever'}, longer than all others: {most} days")
        return self

    def days_kept(self, kind: str, channel: str | None = None) -> int | None:
        """Days that a kind of data is kept, in one channel (`TEAM/CHANNEL`) or anywhere; None: forever."""
        rules = self.channels.get(channel) if channel is not None else None
        days = getattr(rules.retention, kind, None) if rules else None
        if days is None:
            days = getattr(self.retention, kind)
        if days is None:
            days = {"voices": self.keep_voices_days, "audio": LEFT_BEHIND_DAYS}.get(kind)
        return None if days == "forever" else days

    @property
    def models_folder(self) -> Path:
        """Where weights live."""
        return self.models or self.home / "models"

    @property
    def cpu_threads(self) -> int:
        """Threads each engine may use: the setting, else the cores this process may run on."""
        if self.threads:
            return self.threads
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """Settings and where each value came from (`default`, a file's path, or a variable's name)."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    *, environ: Mapping[str, str] | None = None, folder: Path | None = None, user_folder: Path | None = None
) -> Settings:
    """Settings from files and environment; see `load_settings_with_origins`."""
    return load_settings_with_origins(environ=environ, folder=folder, user_folder=user_folder).settings


def load_settings_with_origins(
    *, environ: Mapping[str, str] | None = None, folder: Path | None = None, user_folder: Path | None = None
) -> LoadedSettings:
    """Read settings and remember the origin of each.

    Args:
        environ: variables; default the process's.
        folder: where `meetings.toml` is looked for first; default the working folder.
        user_folder: where it is looked for second; default the platform's config folder.

    Raises:
        ConfigError: an unknown key, a wrong value or a file that is not TOML, by name.
    """
    environ = os.environ if environ is None else environ
    if user_folder is None:
        import platformdirs

        user_folder = Path(platformdirs.user_config_dir("meetings"))
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    explicit = environ.get("MEETINGS_CONFIG")
    files = [Path(explicit)] if explicit else [user_folder / CONFIG_NAME, (folder or Path.cwd()) / CONFIG_NAME]
    for file in files:
        if explicit and not file.is_file():
            raise ConfigError(f"{file}: no such file (MEETINGS_CONFIG names it)")
        for key, value in _read_toml(file).items():
            _check_key(key, origin=str(file))
            if key in ENV_ONLY:
                raise ConfigError(
                    f"{file}: {key} does not belong in a settings file; set {ENV_ONLY[key]} or {key}_file"
                )
            values[key], origins[key] = value, str(file)
    for variable, value in environ.items():
        key = ENV_ALIASES.get(variable, "")
        if not key and variable.startswith(ENV_PREFIX) and variable not in ENV_IGNORED:
            key = variable.removeprefix(ENV_PREFIX).lower()
            _check_key(key, origin=variable)
        if key and value:
            values[key], origins[key] = value, variable
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "settings"
        inner = ".".join(str(part) for part in first["loc"]) or key
        raise ConfigError(f"{origins.get(key, 'settings')}: {inner}: {_wrong(first, inner)}") from None
    if settings.mattermost_token is None and (found := _token(settings)) is not None:
        origins["mattermost_token"], token = found
        settings = settings.model_copy(update={"mattermost_token": SecretStr(token)})
    return LoadedSettings(settings=settings, origins=origins)


def _wrong(error: Mapping[str, object], inner: str) -> str:
    """What is wrong with a value; of a form that it lacks, what it has to be: nobody should have to read a pattern."""
    if error["type"] != "string_pattern_mismatch" or "." in inner:
        return str(error["msg"])
    return f"not of the form that is needed: {Settings.model_fields[inner].description}"


def _token(settings: Settings) -> tuple[str, str] | None:
    """Where the bot's token was found, if it is kept elsewhere, and the token."""
    if (file := settings.mattermost_token_file) is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigError(f"mattermost_token_file: {file} cannot be read ({reason})") from None
        if not token.isascii() or len(token.split()) != 1:
            raise ConfigError(f"mattermost_token_file: {file} has to hold one token and nothing else")
        return str(file), token
    if (place := settings.mattermost_token_keyring) is not None:
        try:
            keyring = importlib.import_module("keyring")
        except ImportError:
            raise ConfigError(
                "mattermost_token_keyring needs a package that is not there: pip install keyring, or use "
                "mattermost_token_file"
            ) from None
        service, _, user = place.partition(":")
        try:
            kept: str | None = keyring.get_password(service, user)
        except Exception as error:  # noqa: BLE001  # every keyring has errors of its own
            # Not its words: what a keyring says is not ours to print.
            raise ConfigError(f"mattermost_token_keyring: the keyring failed ({type(error).__name__})") from None
        if not kept:
            raise ConfigError(f"mattermost_token_keyring: nothing there; keyring set {service} {user}")
        return f"keyring {place}", kept
    return None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:  # among them numbers with thousands of digits
        raise ConfigError(f'{path}: not TOML ({error}); text stands in quotes, as in device = "cpu"') from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error


def _check_key(key: str, *, origin: str) -> None:
    if key not in Settings.model_fields:
        import difflib

        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; see: meetings config show"
        raise ConfigError(f"{origin}: unknown setting {key!r}{hint}")
