"""One run of a function, and one insight of the platform, whatever format they were told in."""

from __future__ import annotations

from querylint.construction import dataclass

ROOT_COMPONENT = "-root-component-"
"""What insights call the application itself (convex: `npx convex insights --json`)."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a function.

    `function` is `folder/module:name` or, for an HTTP action, `POST /path`. `at` is in seconds of the epoch, `milliseconds` the time that
    it took. `documents` (read) and `written` (documents) are None where the format does not tell them; `read` are bytes read from the
    database. `conflict` is the table on which it met another transaction (empty: not told; None: it met none) and `source` the function
    that wrote there. `warnings` are codes of the platform for limits that are near. `id` names the run, `parent` the run that started it;
    `reason` is why it ran, as the platform puts it. `again` says that the platform throws what it did away and runs it once more.
    """

    function: str
    kind: str
    at: float
    milliseconds: float
    component: str = ""
    cached: bool = False
    failed: bool = False
    documents: int | None = None
    written: int | None = None
    read: int | None = None
    conflict: str | None = None
    source: str = ""
    warnings: tuple[str, ...] = ()
    id: str = ""
    parent: str = ""
    reason: str = ""
    deployment: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class TableRead:
    """What one run has read of one table; the platform tells so only in the details of an insight."""

    table: str
    documents: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Insight:
    """Something that the platform has noticed by itself in its window (72 hours): `kind` is its own word for it, `count` how often."""

    kind: str
    severity: str
    function: str
    count: int
    component: str = ""
    table: str = ""
    reads: tuple[TableRead, ...] = ()
    deployment: str = ""


def canonical(name: str) -> str:
    """The name of a function as callers of `api` know it: `posts.js:list` is `posts:list`, and `posts` is `posts:default`."""
    if " " in name:
        return name  # an HTTP action
    module, colon, export = name.partition(":")
    for ending in (".js", ".ts"):
        module = module.removesuffix(ending)
    return f"{module}:{export if colon else 'default'}"
