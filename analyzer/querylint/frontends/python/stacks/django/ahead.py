"""Relations that are loaded for rows which are there already: `prefetch_related_objects(rows, "author")`."""

from __future__ import annotations

from collections.abc import Mapping

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Query, Val
from querylint.frontends.python.stacks.django import querysets
from querylint.ir import ITEM, Access, Branch, Eager, Loading, Loop, Path, Root, Step
from querylint.syntax import tree

Brought = Mapping[int, list[Eager]]


def asked(state: State, node: tree.Call, brought: dict[int, list[Eager]], handed: list[tuple[int, Path]]) -> Val:
    """Note which reads, or which parameters, gave the rows, and what is loaded for them; the rest of the function finds it there."""
    args = [state.evaluate(a) for a in node.args]
    found = querysets.named(args[1:], Loading.BATCHED, state.span(node.at, node.end))
    given = args[0]
    if isinstance(given.shape, Query) and given.shape.flavor == querysets.FLAVOR:  # it is run here, and keeps its rows
        given = querysets.rows(state, given, node.args[0].at, node.args[0].end, "iteration").settled()
    for origin in (*given.origins, *given.rows, *given.item().origins):
        if origin.root is Root.STEP and isinstance(origin.ref, int):
            brought.setdefault(origin.ref, []).extend(found)
        elif origin.root is Root.PARAM and isinstance(origin.ref, int):
            before = tuple(part for part in origin.path if part != ITEM)
            handed.extend((origin.ref, (*before, *eager.path)) for eager in found)
    return Val(deps=frozenset().union(*(a.deps for a in args)))


def known(block: list[Step], brought: Brought) -> list[Step]:
    """The steps of a function with what comes along with its reads after all."""
    out: list[Step] = []
    for step in block:
        if isinstance(step, Access) and step.id in brought:
            out.append(replace(step, plans=tuple(replace(p, eager=(*p.eager, *brought[step.id])) for p in step.plans)))
        elif isinstance(step, Loop):
            out.append(replace(step, body=tuple(known(list(step.body), brought))))
        elif isinstance(step, Branch):
            out.append(replace(step, arms=tuple(tuple(known(list(arm), brought)) for arm in step.arms)))
        else:
            out.append(step)
    return out
