"""What the index advice says of one query or one index, for the rules: they never say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from querylint.advise.advisor import IndexAdvice, TableAdvice, Verdict, advice
from querylint.advise.cover import Shape, serves
from querylint.advise.demands import Doing, loss_shape
from querylint.advise.filters import Loss
from querylint.advise.indexes import Standing
from querylint.advise.naming import index_name
from querylint.advise.neglect import Neglect, neglecting
from querylint.advise.serving import BUILT_IN, Serving, Want, full, proposal, serve
from querylint.construction import replace
from querylint.ir import Function, Program, Schema


def advised(program: Program, function: Function, table: str | None, shape: Shape, serving: Serving) -> Serving:
    """The index for a shape, as the advice for the whole table has it: one to add, or one that stands and is to stay."""
    schema = program.schema(function)
    if schema is None or table is None or serving.index in BUILT_IN.values():
        return serving
    if not serving.create:
        found = _planned(program, schema, table, shape, adding=False) if going(program, function, table, serving.index) else None
        if found is None or found.create:
            return found or serving
        asked = shape.equal | frozenset(shape.then)  # of a longer index that stands, no more is bound
        return replace(found, fields=tuple(takewhile(asked.__contains__, found.fields)))
    return added(program, schema.root, table, shape, serving.fields)


def going(program: Program, function: Function, table: str | None, name: str) -> bool:
    """Whether the advice takes away the index of that name."""
    known = advice(program).get((function.root, table)) if table is not None else None
    return known is not None and any(i.name == name and i.verdict is Verdict.DROP for i in known.indexes)


def planned(program: Program, function: Function, table: str | None, name: str) -> bool:
    """Whether the advice adds the index of that name, be it only where it serves also what alone is not worth an index."""
    known = [advice(program, every=every).get((function.root, table)) for every in (False, True)] if table is not None else []
    return any(i.name == name and i.verdict is Verdict.ADD for one in known if one is not None for i in one.indexes)


def proposed(program: Program, loss: Loss) -> Serving | None:
    """The index for a filter of the database; None where only a split into several queries helps."""
    if loss.serving is None:
        return None
    return advised(program, loss.site.function, loss.access.table, loss_shape(program, loss, loss.serving), loss.serving)


def arm_serving(program: Program, loss: Loss, arm: Want) -> Serving:
    """The index for one alternative of an `or`."""
    table = program.table(loss.site.function, loss.access.table)
    found = serve(table, arm)
    serving = found if found is not None and full(found, arm) else proposal(arm)
    return advised(program, loss.site.function, loss.access.table, Shape(frozenset(arm.equal), arm.then), serving)


def added(program: Program, root: str, table: str, shape: Shape, fields: Sequence[str]) -> Serving:
    """The index that the advice adds for a shape; where it adds none, one with these fields."""
    schema = program.schemas[root]
    found = _planned(program, schema, table, shape, adding=True)
    if found is not None:
        return found
    declared = schema.tables.get(table)
    taken = [i.name for i in declared.indexes if i.fields != tuple(fields)] if declared is not None else []
    return Serving(index_name(program, schema, table, fields, taken), tuple(fields), True)


def dropped(program: Program, standing: Standing) -> bool:
    """Whether the advice takes an index away."""
    known = _said(program, standing)
    return known is not None and known.verdict is Verdict.DROP


def waiting(program: Program, standing: Standing) -> Neglect | None:
    """The query for whose sake the advice keeps an index that nothing reads by."""
    known = _said(program, standing)
    if known is None or not known.serves:
        return None
    first = next((d for d in known.serves if d.doing is not Doing.READS), known.serves[0])  # what reads by another needs it least
    fields = tuple(f for f in first.fields if f in standing.index.fields)
    order = tuple(f for f in fields if f in first.shape.then) if first.doing is Doing.SORTS else ()
    return Neglect(first.function, first.access, fields, True, order)


def extending(program: Program, standing: Standing) -> tuple[Neglect, Serving] | None:
    """A query that passes by an index which the advice takes away, and the longer one that the advice adds for it in its place."""
    reader = neglecting(program, standing)
    if reader is None:
        return None
    for index in _indexes(program, standing):
        longer = index.verdict is Verdict.ADD and index.fields[: len(standing.index.fields)] == standing.index.fields
        if longer and any(d.access is reader.access for d in index.serves):
            return reader, Serving(index.name, index.fields, True)
    return None


def choosing(program: Program, standing: Standing) -> Neglect | None:
    """The query that could read by an index which the advice takes away, as nothing does so now."""
    known = _said(program, standing)
    return known.could if known is not None else None


def _said(program: Program, standing: Standing) -> IndexAdvice | None:
    """What the advice says of an index that stands."""
    return next((i for i in _indexes(program, standing) if i.index is standing.index), None)


def _indexes(program: Program, standing: Standing) -> tuple[IndexAdvice, ...]:
    known = advice(program).get((standing.schema.root, standing.table.name))
    return known.indexes if known is not None else ()


def _planned(program: Program, schema: Schema, table: str, shape: Shape, *, adding: bool) -> Serving | None:
    """The index that serves a shape by the advice; for what alone is not worth one, by the advice that serves that as well."""
    for every in (False, True):
        known = advice(program, every=every).get((schema.root, table))
        found = _found(known, shape, schema.tail, adding=adding) if known is not None else None
        if found is not None:
            return found
    return None


def _found(known: TableAdvice, shape: Shape, tail: Sequence[str], *, adding: bool) -> Serving | None:
    for index in known.indexes:
        fits = index.verdict is Verdict.ADD or (not adding and index.verdict is Verdict.KEEP)
        if fits and serves((*index.fields, *tail), shape):
            return Serving(index.name, index.fields, index.verdict is Verdict.ADD)
    return None
