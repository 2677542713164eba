"""The index advice for programs, version 1; `docs/schema/indexes-v1.json` is its published schema."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Union

from querylint.advise.advisor import IndexAdvice, TableAdvice
from querylint.advise.demands import Demand
from querylint.report.indexes import IndexReport
from querylint.report.indexes import wording as words
from querylint.report.order import notes_by_place

VERSION = 1

Json = Union[str, int, float, bool, None, "list[Json]", "dict[str, Json]"]


def render(report: IndexReport) -> str:
    """Every table, changed or not; equal runs give equal text."""
    made: dict[str, Json] = {
        "version": VERSION,
        "tables": [_table(table) for table in report.tables],
        "steps": list(words.steps(report.tables)),
        "notes": [
            {"kind": n.kind.value, "message": n.message, "path": n.path or None, "line": n.line or None}
            for n in notes_by_place(report.notes)
        ],
        "summary": {
            **{verdict: sum(i.verdict.value == verdict for t in report.tables for i in t.indexes) for verdict in ("keep", "add", "drop")},
            **{field.name: _plain(getattr(report.summary, field.name)) for field in fields(report.summary)},
        },
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _plain(value: object) -> Json:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    assert value is None or isinstance(value, str | int)
    return value


def _table(table: TableAdvice) -> dict[str, Json]:
    demands = list(dict.fromkeys((*table.demands, *table.spare, *table.over, *(d for i in table.indexes for d in i.serves))))
    numbers = {demand: number for number, demand in enumerate(demands)}
    span = table.table.span
    return {
        "table": table.table.name,
        "root": table.schema.root,
        "stack": table.schema.stack,
        "path": span.path if span is not None else None,
        "line": span.line if span is not None else None,
        "queries": [_query(demand, number) for demand, number in numbers.items()],
        "indexes": [_index(index, table, numbers) for index in table.indexes],
        "least": table.least,
        "proof": [numbers[d] for d in table.apart],
        "reordered": table.reordered,
        "spare": [numbers[d] for d in table.spare],
        "over": [numbers[d] for d in table.over],
        "writes": {field.name: int(getattr(table.writes, field.name)) for field in fields(table.writes)},
    }


def _query(demand: Demand, number: int) -> dict[str, Json]:
    loose = demand.loose
    return {
        "id": number,
        "function": demand.function.key.rpartition("::")[2],
        "path": demand.span.path,
        "line": demand.span.line,
        "column": demand.span.column,
        "doing": demand.doing.value.replace(" ", "-"),
        "index": demand.index,
        "equal": [f for f in demand.fields if f in loose.equal],
        "then": list(loose.then),
        "bound_in_order": demand.bound,
        "worth": demand.worth,
    }


def _index(index: IndexAdvice, table: TableAdvice, numbers: dict[Demand, int]) -> dict[str, Json]:
    span = index.index.span if index.index is not None else None
    return {
        "verdict": index.verdict.value,
        "name": index.name,
        "fields": list(index.fields),
        "kind": index.index.kind.value if index.index is not None else "ordered",
        "why": index.why.value,
        "reason": words.reason(index, table),
        "path": span.path if span is not None else None,
        "line": span.line if span is not None else None,
        "serves": [numbers[d] for d in index.serves],
        "replaces": list(index.replaces),
        "covered_by": list(index.covered_by),
        "passing": index.passing,
    }
