"""Models of language: one small protocol, llama.cpp in this process, and sentence embeddings."""

from meetings.llm.embedder import Embedder
from meetings.llm.llamacpp import LlamaCpp
from meetings.llm.model import Form, LanguageModel

__all__ = ["Embedder", "Form", "LanguageModel", "LlamaCpp"]
