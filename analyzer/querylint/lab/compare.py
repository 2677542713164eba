"""Two answers of a function: whether they are the same, but for what the change may do differently."""

from __future__ import annotations

import json
from typing import Any

from querylint.lab.trial import Freedom

PAGING = frozenset(("continueCursor", "splitCursor", "pageStatus"))
"""What a page says of the index that it was read by, which is no part of what it holds."""


def difference(before: dict[str, Any], after: dict[str, Any], freedom: Freedom) -> str:
    """What is different, in words; empty where nothing is."""
    if (before["error"] is None) != (after["error"] is None):
        return "only one of them fails"
    if before["error"] is not None:
        return "" if freedom.errors or before["error"] == after["error"] else "the errors differ"
    if plain(before["result"], freedom) != plain(after["result"], freedom):
        return "the results differ"
    if before["stored"] != after["stored"] and not freedom.order:  # rows that are made in another order have other ids
        return "the stored documents differ"
    if after["scanned"] > before["scanned"] and not freedom.reads:
        return f"more documents are scanned: {after['scanned']} instead of {before['scanned']}"
    return ""


def plain(value: Any, freedom: Freedom) -> Any:
    """A value without what belongs to the index alone, and without the order of lists where that may change."""
    if isinstance(value, list):
        items = [plain(item, freedom) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if freedom.order else items
    if isinstance(value, dict):
        left = PAGING | ({"isDone"} if freedom.pages and "continueCursor" in value else set())
        return {key: plain(item, freedom) for key, item in value.items() if key not in left}
    return value
