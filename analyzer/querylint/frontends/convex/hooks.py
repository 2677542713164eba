"""The hooks by which components of a screen subscribe to queries."""

from __future__ import annotations

from querylint.frontends.flow.values import Record, Val
from querylint.pattern import Pattern

OWN = Pattern(r"use\w*Query\w*$")
NAMES = frozenset(
    "useQuery usePaginatedQuery useStableQuery usePreloadedQuery convexQuery useQueryWithStatus useStablePaginatedQuery useSuspenseQuery "
    "usePaginatedQuery_experimental useConvexQuery".split()
)


def result(name: str, found: Val) -> Val:
    """What a component gets of the hook of that name, `found` being what the query returns."""
    if "aginated" in name:
        (origin,) = found.origins
        inside = origin.at("page")
        return Val(deps=found.deps, shape=Record({"results": Val((inside,), found.deps), "data": Val((inside,), found.deps)}))
    if name not in NAMES or name in ("convexQuery", "useQueryWithStatus", "useSuspenseQuery", "useConvexQuery"):
        return Val(found.origins, found.deps, shape=Record({"data": found.settled()}, (found.settled(),)))
    return found.settled()
