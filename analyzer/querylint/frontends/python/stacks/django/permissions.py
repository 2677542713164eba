"""Permissions on single rows (django-guardian): every question about another row is a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Marker, Query, Val, derived
from querylint.frontends.python.stacks.django import querysets
from querylint.ir import Bound, Plan, Terminal, Way
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django

TABLE = "UserObjectPermission"
ASKING = frozenset("get_perms get_user_perms get_group_perms get_users_with_perms get_groups_with_perms".split())


def outside(django: Django, state: State, node: tree.Call, source: str) -> Val | None:
    """Functions and classes of guardian."""
    if not source.startswith("guardian."):
        return None
    word = source.rpartition(".")[2]
    values = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    deps = derived(*values).deps
    if word == "ObjectPermissionChecker":
        return Val(deps=deps, shape=Marker("permissions"))
    if word in ("get_objects_for_user", "get_objects_for_group"):
        named = [m.table for v in values if (m := django.model_of(v)) is not None]
        given = [v.shape for v in values if isinstance(v.shape, Query)]
        if given:
            return Val(deps=deps, shape=given[0])
        return querysets.start(named[0] if named else None, node.at, node.end, deps=deps)
    if word in ASKING:
        return asked(state, node, word, deps)
    return None


def asked(state: State, node: tree.Call, verb: str, deps: frozenset[int]) -> Val:
    """The permissions of one row are read."""
    query = Query(TABLE, (Plan(Way.PLANNER),), node.at, node.end, flavor=querysets.FLAVOR, deps=deps)
    number = querysets.read(state, query, node.at, node.end, verb, Bound.ONE, Terminal.EXISTS, deps=deps)
    me = frozenset({number})
    return state.wait(Val(deps=me, pending=me), node.at, node.end)


def method(django: Django, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    """`checker.has_perm(permission, row)`; `user.has_perm(permission, row)` where guardian answers."""
    shape = base.shape
    checker = isinstance(shape, Marker) and shape.kind == "permissions"
    user = django.models.user_model()
    by_user = base.doc_of is not None and user is not None and base.doc_of == user.table and len(node.args) == 2 and django.guarded
    if func.name == "prefetch_perms" and checker:
        values = [state.evaluate(a) for a in node.args]
        state.replace(func.base, Val(base.origins, base.deps, shape=Marker("permissions", ("loaded",))))
        return derived(*values)
    if func.name not in ("has_perm", "get_perms") or not (checker or by_user):
        return None
    values = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    if isinstance(shape, Marker) and "loaded" in shape.data:
        return derived(base, *values)
    return asked(state, node, func.name, derived(base, *values).deps)
