"""Models of language: one small protocol, llama.cpp in this process, servers that speak OpenAI, sentence embeddings."""

from meetings.llm.choose import (
    is_served,
    language_model_fingerprint,
    open_embedder,
    open_language_model,
    open_server,
    server_address,
)
from meetings.llm.embedder import Embedder
from meetings.llm.kept_vectors import KeptVectors, TextEmbedder
from meetings.llm.llamacpp import LlamaCpp
from meetings.llm.markers import without_markers
from meetings.llm.metered import Metered, Tally
from meetings.llm.model import Form, LanguageModel, Usage
from meetings.llm.platforms import PLATFORMS
from meetings.llm.server import OpenAIServer

__all__ = [
    "PLATFORMS",
    "Embedder",
    "Form",
    "KeptVectors",
    "LanguageModel",
    "LlamaCpp",
    "Metered",
    "OpenAIServer",
    "Tally",
    "TextEmbedder",
    "Usage",
    "is_served",
    "language_model_fingerprint",
    "open_embedder",
    "open_language_model",
    "open_server",
    "server_address",
    "without_markers",
]
