"""Which models the settings name, and how they are reached: a file on this machine or a model of a server."""

from __future__ import annotations

from meetings.config import Settings
from meetings.errors import ConfigError
from meetings.llm.embedder import Embedder
from meetings.llm.llamacpp import LlamaCpp
from meetings.llm.model import LanguageModel
from meetings.llm.platforms import address_of, find_platform
from meetings.llm.server import OpenAIServer
from meetings.models import fingerprint, locate

SERVER = "server:"
NO_MODEL = "none"
EXAMPLE = "http://localhost:8000/v1"
EXAMPLES = {
    "azure": "https://RESOURCE.openai.azure.com",
    "bedrock": "https://bedrock-runtime.REGION.amazonaws.com",
}


def open_language_model(settings: Settings, name: str | None = None) -> LanguageModel | None:
    """The language model, not yet loaded or asked; None if there is to be none.

    Args:
        settings: where it is and how it runs.
        name: what `language_model` said when the run began; default what it says now.

    Raises:
        ConfigError: llm_url or the key's file is missing or wrong.
        ModelServerNotAllowedError: the server is elsewhere and not allowed.
        ModelError: the file is not there.
    """
    name = settings.language_model if name is None else name
    if name == NO_MODEL:
        return None
    if is_served(name):
        return open_server(settings, name)
    layers = settings.llm_gpu_layers
    if layers is None:
        # A build without GPU takes no notice.
        layers = 0 if settings.device == "cpu" else -1
    return LlamaCpp(
        locate(name, settings.models_folder),
        threads=settings.cpu_threads,
        context=settings.llm_context,
        gpu_layers=layers,
        sequences=settings.llm_at_once,
        name=name,
    )


def open_embedder(settings: Settings) -> Embedder:
    """The model of sentence embeddings, loaded.

    Raises:
        ModelMissingError: a file is not there.
        ModelError: a file cannot be read as a model.
    """
    return Embedder(locate(settings.text_embedding_model, settings.models_folder), threads=settings.cpu_threads)


def open_server(settings: Settings, name: str) -> OpenAIServer:
    """The model `server:NAME` of the server at `llm_url`; nothing is sent yet.

    Raises:
        ConfigError: llm_url or the key's file is missing or wrong.
        ModelServerNotAllowedError: the server is elsewhere and not allowed.
    """
    model = name.removeprefix(SERVER).strip()
    if not model:
        raise ConfigError("language_model = 'server:' names no model; write server:NAME")
    platform = find_platform(settings.llm_platform)
    address = address_of(platform, settings.llm_url)
    if address is None:
        raise ConfigError(f"language_model = {name!r} needs llm_url, as {EXAMPLES.get(platform.name, EXAMPLE)}")
    return OpenAIServer(
        address,
        model=model,
        allowed_hosts=settings.llm_allowed_hosts,
        key=_key(settings),
        context=settings.llm_context,
        timeout=settings.llm_timeout,
        at_once=settings.llm_at_once,
        platform=platform,
        thinking=settings.llm_thinking,
    )


def server_address(settings: Settings) -> str | None:
    """Where models of a server are asked: `llm_url`, or the platform's own address; None if nobody says."""
    return address_of(find_platform(settings.llm_platform), settings.llm_url)


def is_served(name: str) -> bool:
    """Whether a model's name means one of a server."""
    return name.startswith(SERVER)


def language_model_fingerprint(settings: Settings, name: str | None = None) -> str:
    """What changes when another model would answer: the file's hash, or the server's address and the model's name.

    Args:
        settings: where it is.
        name: of which model; default the one that the settings name.
    """
    name = settings.language_model if name is None else name
    if name == NO_MODEL:
        return NO_MODEL
    return f"{name} at {server_address(settings)}" if is_served(name) else fingerprint(name, settings.models_folder)


def _key(settings: Settings) -> str | None:
    if settings.llm_api_key is not None:
        return settings.llm_api_key.get_secret_value()
    if settings.llm_api_key_file is None:
        return None
    try:
        key = settings.llm_api_key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"llm_api_key_file: {settings.llm_api_key_file} cannot be read ({reason})") from error
    # A line break in it would become one in the request's header.
    if len(key.split()) != 1:
        raise ConfigError(f"llm_api_key_file: {settings.llm_api_key_file} has to hold one key and nothing else")
    return key
