"""Which findings are shown: suppressions in comments, the floor of severity, and the identity that outlives edits."""

from __future__ import annotations

from querylint.filters.floor import visible
from querylint.filters.generated import generated, hushed
from querylint.filters.identity import fingerprints
from querylint.filters.suppress import BAD, PSEUDO_RULES, UNUSED, Filtered, Suppressed, apply

__all__ = ["BAD", "PSEUDO_RULES", "UNUSED", "Filtered", "Suppressed", "apply", "fingerprints", "generated", "hushed", "visible"]
