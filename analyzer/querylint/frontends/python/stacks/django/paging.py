"""Paginators and slices: a page is a stretch of what is paginated, and its `object_list` is the page itself."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Many, Marker, Query, Val, derived
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.django import querysets
from querylint.ir import Bound, Terminal, Work
from querylint.syntax import tree

PAGINATOR = "paginator"
PAGES = frozenset(("page", "get_page", "apage", "aget_page"))


def paginator(state: State, node: tree.Call) -> Val:
    """`Paginator(rows, per_page)`."""
    args = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    named = dict(node.keywords)
    rows = state.evaluate(named["object_list"]) if "object_list" in named else args[0]
    return Val(deps=derived(*args).deps, shape=Marker(PAGINATOR, (), rows))


def is_paginator(info: ClassInfo) -> bool:
    """Whether a class is a paginator by its bases."""
    return any(name.rpartition(".")[2].endswith("Paginator") for name in info.ancestry())


def call(state: State, node: tree.Call, func: tree.Member, base: Val, shape: Marker) -> Val | None:
    """`paginator.page(number)`."""
    if func.name not in PAGES or shape.inner is None:
        return None
    args = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    return page_of(shape.inner).with_deps(derived(base, *args).deps)


def page_of(rows: Val) -> Val:
    """One page of rows: of a query, one that asks for no more than that."""
    query = rows.shape
    if isinstance(query, Query):
        return replace(rows, shape=replace(query, cut=True, refined=True))
    if isinstance(query, Many):
        return replace(rows, shape=replace(query, items=None))
    return rows


def member(state: State, base: Val, node: tree.Member) -> Val | None:
    """`page.object_list`, `page.paginator.count`."""
    shape = base.shape
    if isinstance(shape, Marker) and shape.kind == PAGINATOR:
        if node.name == "object_list":
            return shape.inner
        if node.name == "count" and shape.inner is not None and isinstance(shape.inner.shape, Query):
            me = frozenset(
                {querysets.read(state, shape.inner.shape, node.at, node.end, "count", Bound.ALL, Terminal.COUNT, deps=base.deps)}
            )
            return state.wait(Val(deps=me, pending=me), node.at, node.end)
        return Val(deps=base.deps)
    if node.name == "object_list" and isinstance(shape, Query | Many):
        return base
    return None


def sliced(state: State, value: Val, query: Query, node: tree.Expr) -> Val:
    """A part of a queryset: asked for as it is, or cut from rows that are there."""
    assert isinstance(node, tree.Index)
    key = node.key
    assert isinstance(key, tree.Slice)
    parts = [(state.evaluate(p), p) if p is not None else None for p in (key.start, key.stop, key.step)]
    deps = derived(value, *(part[0] for part in parts if part is not None)).deps
    known = state.results.get(id(query))
    if known is not None:
        start, stop, _ = (state.value(*part) if part is not None else None for part in parts)
        number = state.use(Work.SLICE, known[1], node.at, node.end, start=start, size=stop, deps=deps)
        return known[1].worked(number) if number is not None else known[1]
    size = state.evaluate(key.stop) if key.stop is not None else None
    refined = query.refined or query.follows is None  # rows of a relation that were loaded ahead are cut from what is there
    made = replace(query, end=node.end, deps=query.deps | deps, cut=key.stop is not None, limit=size, refined=refined, held=False, ran=None)
    return Val(deps=deps, shape=made)
