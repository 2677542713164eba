"""Compare the index advice with that of experts: how many of the queries that their indexes serve ours serve, and by how many.

    python benchmarks/experts.py LABELS CHECKOUTS [--show info] [--list]

LABELS is a file of JSON lines; those with `index_advice` say which indexes an expert adds to a repository and which queries (`path:line`)
each serves. CHECKOUTS holds the repositories at the labeled commits, as `owner+name`. Search indexes, and fields that the schema has not,
are left out: they are not asked of the advice.

A query is served if an index that is kept or added serves what it filters or sorts by, and that is all that the expert's index has of it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from querylint import indexing
from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict
from querylint.advise.demands import Demand, Doing


@dataclass(frozen=True, slots=True)
class Asked:
    """An index that an expert adds, and one query that it is for."""

    table: str
    fields: tuple[str, ...]
    path: str
    line: int


def main() -> None:
    """Print one line a repository, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("--show", choices=("warning", "info"), default="warning")
    parser.add_argument("--list", action="store_true", help="name the queries that are not served, and the indexes of both sides")
    given = parser.parse_args()
    sums = [0, 0, 0, 0]
    for entry in map(json.loads, given.labels.read_text(encoding="utf-8").splitlines()):
        root = given.checkouts / str(entry.get("repo", "")).replace("/", "+")
        if entry.get("index_advice") and root.is_dir():
            found = _compared(entry["repo"], root, entry["index_advice"], every=given.show == "info", named=given.list)
            sums = [one + more for one, more in zip(sums, found, strict=True)]
    print(_line("all", sums))


def _line(name: str, counts: list[int]) -> str:
    served, asked, ours, theirs = counts
    return f"{name}: {served} of {asked} queries served; new indexes that serve them: {ours}, the experts' {theirs}"


def _compared(name: str, root: Path, advice: list[dict[str, object]], *, every: bool, named: bool) -> list[int]:
    tables = {table.table.name: table for table in indexing.indexes([root], every=every).tables}
    asked = list(_asked(advice, tables))
    new: set[tuple[str, str]] = set()
    served = 0
    for one in asked:
        home = _home(tables[one.table], one) if one.table in tables else None
        served += home is not None
        if home is not None and home.verdict is Verdict.ADD:
            new.add((one.table, home.name))
        if named:
            print(
                f"  {one.table} {', '.join(one.fields)}: {one.path}:{one.line} {'by ' + ', '.join(home.fields) if home else 'NOT SERVED'}"
            )
    counts = [served, len(asked), len(new), len({(one.table, one.fields) for one in asked})]
    print(_line(name, counts))
    return counts


def _asked(advice: list[dict[str, object]], tables: dict[str, TableAdvice]) -> Iterator[Asked]:
    for one in advice:
        table, fields, serves = one["table"], one["fields"], one["serves"]
        assert isinstance(table, str)
        assert isinstance(fields, list)
        assert isinstance(serves, list)
        if "kind" in one or "denormalised" in str(one.get("note")):
            continue
        for place in serves:
            path, _, line = str(place).rpartition(":")
            yield Asked(table, tuple(fields), path, int(line))


def _home(table: TableAdvice, one: Asked) -> IndexAdvice | None:
    """The index that serves the query, kept ones first."""
    for index in sorted(table.indexes, key=lambda i: i.verdict is Verdict.ADD):
        if index.verdict is not Verdict.DROP and any(_meets(d, one) for d in index.serves):
            return index
    return None


def _meets(demand: Demand, one: Asked) -> bool:
    spans = (demand.span, demand.access.span, demand.access.chain)
    here = any(s.path == one.path and s.line <= one.line <= s.end_line for s in spans)
    return here and demand.doing is not Doing.READS and set(demand.fields) >= set(one.fields) - {"_creationTime"}


if __name__ == "__main__":
    main()
