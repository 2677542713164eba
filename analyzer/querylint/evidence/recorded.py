"""What another run has measured, read from the JSON that it has written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from querylint.errors import EvidenceError
from querylint.evidence.costs import Sample, cost_of

VERSION = 1
"""Of the JSON."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The file, and what functions took as they were, by the root of their backend and their name."""

    path: Path
    functions: Mapping[tuple[str, str], tuple[Sample, ...]]


def read(path: Path) -> Earlier:
    """Another run; raises EvidenceError for a file that cannot be read or holds something else."""
    try:
        told = json.loads(path.read_bytes())
    except OSError as error:
        raise EvidenceError(f"`{path}` cannot be read ({(error.strerror or str(error)).lower()})") from None
    except ValueError:
        told = None
    try:
        if told["version"] != VERSION:
            raise EvidenceError(
                f"`{path}` was written in another format (version {told['version']}, not {VERSION}); measure that state once more"
            )
        found = {(one["backend"], one["name"]): tuple(_sample(size) for size in one["sizes"]) for one in told["functions"]}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise EvidenceError(f"`{path}` does not hold what `querylint measure --format json` writes") from None
    return Earlier(path, found)


def _sample(size: Mapping[str, Any]) -> Sample:
    before = size["before"]
    names = {"documents": "documents", "bytes": "bytes", "calls": "calls", "trips": "roundTrips"}
    if "reason" in before:
        return Sample(int(size["rows"]), None, str(before["reason"]))
    return Sample(int(size["rows"]), cost_of({name: before[key] for name, key in names.items()}))
