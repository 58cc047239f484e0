"""Model files: the catalogue, and bringing them onto the disk."""

from meetings.models.catalogue import Model, catalogue, find, fingerprint, locate
from meetings.models.pull import Check, pull, tidy, verify

__all__ = ["Check", "Model", "catalogue", "find", "fingerprint", "locate", "pull", "tidy", "verify"]
