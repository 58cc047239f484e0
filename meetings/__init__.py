"""Self-hosted meeting summaries: one recording in, a different summary for each person out."""

__version__ = "0.1.0"
