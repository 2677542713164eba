"""Statements about what other statements give: `select(posts.subquery())`, `select(found.c.id)`, `join(latest)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.values import Marker, Query, Val
from querylint.frontends.python.stacks.sqlalchemy import words
from querylint.frontends.python.stacks.sqlalchemy.expressions import model_of, selected, table_of
from querylint.ir import NOT_LITERAL, Predicate, Relation, Side

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy.models import Models

MOST_PLANS = 32
SOME = Predicate(None, Relation.OTHER, Side.FILTER)


def within(value: Val) -> Query | None:
    """The query whose rows an element of a statement is, or is a column of."""
    shape = value.shape
    if not isinstance(shape, Marker) or shape.inner is None or not isinstance(shape.inner.shape, Query):
        return None
    rows = shape.kind == "subquery" and bool(shape.data[2:]) and shape.data[2] in words.FROM
    return shape.inner.shape if rows or shape.kind == "sql" else None


def led_by(models: Models, made: Query, values: list[Val]) -> Query:
    """A statement of these elements. What comes first is what the others are joined to: a subquery, perhaps one that nobody knows."""
    for value in values:
        if value.literal is not NOT_LITERAL:
            continue
        inner = within(value)
        if inner is not None:
            return _among(made, inner)
        if table_of(value) or model_of(models, value) is not None:
            return made
        if selected(models, value) is None:
            return some_of(made) if made.table is not None else made
    return made


def about(made: Query, value: Val) -> Query:
    """A statement about what another one gives: `select(func.count()).select_from(posts.subquery())` asks for rows of the same table."""
    inner = within(value)
    return _among(replace(made, table=inner.table), inner) if inner is not None else made


def asking(made: Query, value: Val) -> Query:
    """A statement of one subquery, whichever way it is asked: for its rows, or whether it has any."""
    shape = value.shape
    inner = shape.inner.shape if isinstance(shape, Marker) and shape.kind == "subquery" and shape.inner is not None else None
    return _among(replace(made, table=inner.table), inner) if isinstance(inner, Query) else about(made, value)


def some_of(made: Query) -> Query:
    """A statement that finds some rows only: those that rows of a subquery go with."""
    return replace(made, plans=tuple(replace(p, predicates=(*p.predicates, SOME)) for p in made.plans))


def _among(made: Query, inner: Query) -> Query:
    """A statement about the rows of another one: it finds what that one finds, of another table nobody knows how many."""
    made = replace(made, cut=made.cut or inner.cut, limit=made.limit if made.limit is not None else inner.limit)
    if made.table != inner.table or len(made.plans) * len(inner.plans) > MOST_PLANS:
        return some_of(made)
    plans = tuple(
        replace(p, predicates=(*p.predicates, *one.predicates), grouped=p.grouped or one.grouped) for p in made.plans for one in inner.plans
    )
    base, table_from = made.base or inner.base, made.table_from or inner.table_from
    follows, refined = (inner.follows, True) if inner.follows is not None else (made.follows, made.refined)
    return replace(made, plans=plans, base=base, table_from=table_from, follows=follows, refined=refined, deps=made.deps | inner.deps)
