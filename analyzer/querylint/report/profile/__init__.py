"""What was measured, for people and for programs."""

from __future__ import annotations

from querylint.report.profile.json import render as as_json
from querylint.report.profile.text import render as as_text

__all__ = ["as_json", "as_text"]
