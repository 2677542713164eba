"""Relations that are loaded for rows which are there already: `prefetch_related_objects(rows, "author")`, `row.author = author`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Query, Val
from querylint.frontends.python.stacks.django import querysets
from querylint.ir import ITEM, Access, Branch, Call, Eager, Loading, Loop, Path, Root, Step
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django.model import Model

Brought = Mapping[int, list[Eager]]


def asked(state: State, node: tree.Call, brought: dict[int, list[Eager]], handed: list[tuple[int, Path]]) -> Val:
    """Note which reads, or which parameters, gave the rows, and what is loaded for them; the rest of the function finds it there."""
    args = [state.evaluate(a) for a in node.args]
    found = [
        replace(eager, span=None) for eager in querysets.named(args[1:], Loading.BATCHED, state.span(node.at, node.end))
    ]  # no query says it
    given = args[0]
    if isinstance(given.shape, Query) and given.shape.flavor == querysets.FLAVOR:  # it is run here, and keeps its rows
        given = querysets.rows(state, given, node.args[0].at, node.args[0].end, "iteration").settled()
    listed = node.args[0].items if isinstance(node.args[0], tree.Array) else []
    one = len(listed) == 1 and not isinstance(listed[0], tree.Spread)
    if one and any(ITEM in origin.path and origin.root is Root.STEP for origin in given.item().origins):
        _one_by_one(state, node, given.item(), found)
        return Val(deps=frozenset().union(*(a.deps for a in args)))
    for origin in (*given.origins, *given.rows, *given.item().origins):
        before = tuple(part for part in origin.path if part != ITEM)
        if origin.root is Root.STEP and isinstance(origin.ref, int):
            brought.setdefault(origin.ref, []).extend(replace(eager, path=(*before, *eager.path)) for eager in found)
        elif origin.root is Root.PARAM and isinstance(origin.ref, int):
            handed.extend((origin.ref, (*before, *eager.path)) for eager in found)
    return Val(deps=frozenset().union(*(a.deps for a in args)))


def _one_by_one(state: State, node: tree.Call, row: Val, found: list[Eager]) -> None:
    """Relations that each round of a loop loads for its own row: they are asked for there."""
    for name in dict.fromkeys(eager.path[0] for eager in found):
        made = state.vocabulary.member(state, row, tree.Member(node.args[0], name, node.at, node.end, node.at))
        if made is not None and isinstance(made.shape, Query):
            querysets.rows(state, made, node.at, node.end, "iteration")


def put(
    state: State, model: Model, base: Val, target: tree.Member, value: Val, brought: dict[int, list[Eager]], handed: list[tuple[int, Path]]
) -> None:
    """A loop sets a relation of each of its rows: `for line in lines: line.order = order`. Whoever follows it later finds it there."""
    link = model.links.get(target.name)
    if link is None or link.many or value.literal is None:
        return
    if any(target.name in origin.path for origin in value.origins):
        return  # it is what another row's relation leads to
    rows = [origin for origin in base.origins if ITEM in origin.path and isinstance(origin.ref, int)]
    if not rows or _followed_before(state, target):
        return
    for origin in rows:
        assert isinstance(origin.ref, int)
        path = (*(part for part in origin.path if part != ITEM), target.name)
        if origin.root is Root.STEP:
            brought.setdefault(origin.ref, []).append(Eager(path, Loading.BATCHED))
        elif origin.root is Root.PARAM:
            handed.append((origin.ref, path))


def _followed_before(state: State, target: tree.Member) -> bool:
    """Whether the function asks for a member of that name further up, or in what it puts there: that one is read, whatever comes after."""
    fn = state.calling[-1] if state.calling else None
    body = fn.body if isinstance(fn, tree.Fn) else []
    end = next((node.end for node in tree.find(body, tree.Assign) if node.target is target), target.at)
    return any(node.name == target.name and node is not target and node.at < end for node in tree.find(body, tree.Member))


def known(block: list[Step], brought: Brought) -> list[Step]:
    """The steps of a function with what comes along with its reads after all, and with the rows that others have read for it."""
    out: list[Step] = []
    for step in block:
        if isinstance(step, Access) and step.id in brought:
            out.append(replace(step, plans=tuple(replace(p, eager=(*p.eager, *brought[step.id])) for p in step.plans)))
        elif isinstance(step, Call) and step.id in brought:
            out.append(replace(step, ahead=(*step.ahead, *(eager.path for eager in brought[step.id]))))
        elif isinstance(step, Loop):
            out.append(replace(step, body=tuple(known(list(step.body), brought))))
        elif isinstance(step, Branch):
            out.append(replace(step, arms=tuple(tuple(known(list(arm), brought)) for arm in step.arms)))
        else:
            out.append(step)
    return out
