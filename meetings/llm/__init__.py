"""Models of language: one small protocol, llama.cpp in this process, and sentence embeddings."""

from meetings.llm.embedder import Embedder
from meetings.llm.llamacpp import LlamaCpp
from meetings.llm.markers import without_markers
from meetings.llm.model import LanguageModel

__all__ = ["Embedder", "LanguageModel", "LlamaCpp", "without_markers"]
