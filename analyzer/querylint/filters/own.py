"""The pages of what querylint says about itself being told to be quiet: findings and a gate that no rule module stands behind."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.filters.baseline import STALE
from querylint.filters.suppress import BAD, PATTERN, UNUSED
from querylint.ir import Program
from querylint.rule import Found, Rule, Severity

_BAD = """\
# A suppression that silences nothing, because it is malformed

## What it finds
A comment that begins with `querylint:` and names no rule in brackets, names one that does not exist, gives no reason, or uses another word
than `ignore` and `ignore-file`.

## Why it costs
Its author believes that something is silenced, and it is not, or nobody knows later why it should be.

## Instead
Write `ignore[rule-name] -- the reason`, behind `//`, `#` or in `{# #}`. `require-reason = false` in the settings does without reasons.

## When it stays silent
Comments that only speak of querylint.
"""

_UNUSED = """\
# A suppression of something that is no longer found

## What it finds
A comment `querylint: ignore[...]` at a place where the rule that it names finds nothing; of several names, those that silence nothing.

## Why it costs
It would silence the next finding there, which nobody has thought about.

## Instead
Remove the comment, or the name.

## When it stays silent
Rules that do not run, by the settings or by `--select`.
"""

_STALE = """\
# A baseline that lists what is no longer found

## What it finds
With `--baseline-strict`: entries of the baseline for which there is no finding any more. It is a gate: it fails the run as a whole, and
points to no place.

## Why it costs
The same mistake could be made again in the same place, and would pass for known.

## Instead
`querylint baseline prune` removes the entries: commit the file.

## When it stays silent
Without `--baseline-strict`, where a note says so; entries of rules that do not run.
"""


def _nothing(program: Program) -> Iterator[Found]:
    """What is written about here comes of comments and files, not of programs."""
    yield from ()


def _page(name: str, doc: str) -> Rule:
    return Rule(name, PATTERN, Severity.WARNING, "0.1.0", 0, doc.rstrip(), _nothing)


OWN = (_page(BAD, _BAD), _page(STALE, _STALE), _page(UNUSED, _UNUSED))
