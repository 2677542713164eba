"""Which findings are shown: suppressions in comments, the floor, what was there before, and the identity that outlives edits."""

from __future__ import annotations

from querylint.filters.baseline import BASELINE_FILE, STALE, Compared, Known, by_rule, compare, parse, text_of
from querylint.filters.floor import visible, weighed
from querylint.filters.generated import generated, hushed
from querylint.filters.identity import fingerprints
from querylint.filters.reasoned import reasoned
from querylint.filters.suppress import BAD, PSEUDO_RULES, UNUSED, Filtered, apply

__all__ = [
    "BAD", "BASELINE_FILE", "PSEUDO_RULES", "STALE", "UNUSED", "Compared", "Filtered", "Known", "apply", "by_rule", "compare",
    "fingerprints", "generated", "hushed", "parse", "reasoned", "text_of", "visible", "weighed",
]  # fmt: skip
