"""What the user decided: one frozen value out of a settings file and the command line, with all mistakes listed at once."""

from __future__ import annotations

from querylint.settings.load import load
from querylint.settings.values import Settings, Size, TableFacts

__all__ = ["Settings", "Size", "TableFacts", "load"]
