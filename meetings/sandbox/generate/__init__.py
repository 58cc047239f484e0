"""Generated workspaces: a company of any size with weeks behind it, and the truth of what matters to whom."""

from meetings.sandbox.generate.workspace import MAX_PEOPLE, MAX_WEEKS, MIN_PEOPLE, Counts, generate_workspace

__all__ = ["MAX_PEOPLE", "MAX_WEEKS", "MIN_PEOPLE", "Counts", "generate_workspace"]
