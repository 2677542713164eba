"""What the functions of one file say to the rest of a project: enough to see what hangs together without looking at any of them."""

from __future__ import annotations

from collections.abc import Iterable

from querylint.construction import dataclass
from querylint.ir.access import Access
from querylint.ir.code import Call, Function, Kind, Mode, TargetKind


@dataclass(frozen=True, slots=True)
class Outline:
    """The functions of one file from outside.

    `keys` are theirs, `routes` those by which remote callers reach them (root, route, key). `roots` are the folders of the schemas that
    govern them: `asking` those of functions that access a database, `watching` those of functions that subscribe to an answer. `modules`
    are the files that they call into, `before` those of what runs before them, `remote` the routes that they call (root, route), `called`
    the names of all that they call. `plain` are the helpers that have a name of their own, `registered` all but helpers, each as name and
    key; `indexes` are the names of those that they read by.
    """

    keys: tuple[str, ...] = ()
    routes: tuple[tuple[str, str, str], ...] = ()
    roots: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()
    watching: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    remote: tuple[tuple[str, str], ...] = ()
    called: tuple[str, ...] = ()
    plain: tuple[tuple[str, str], ...] = ()
    registered: tuple[tuple[str, str], ...] = ()
    indexes: tuple[str, ...] = ()


def outline(functions: Iterable[Function]) -> Outline:
    """The outline of the functions of one file."""
    keys: list[str] = []
    routes: list[tuple[str, str, str]] = []
    roots: dict[str, None] = {}
    asking: dict[str, None] = {}
    watching: dict[str, None] = {}
    modules: dict[str, None] = {}
    before: dict[str, None] = {}
    remote: dict[tuple[str, str], None] = {}
    called: dict[str, None] = {}
    plain: list[tuple[str, str]] = []
    registered: list[tuple[str, str]] = []
    indexes: dict[str, None] = {}
    for function in functions:
        keys.append(function.key)
        roots[function.root] = None
        if function.route is not None:
            routes.append((function.root, function.route, function.key))
        if function.wrapper is not None:
            before[function.wrapper.partition("::")[0]] = None
        if function.kind is not Kind.PLAIN:
            registered.append((function.name, function.key))
        elif function.name.isidentifier():
            plain.append((function.name, function.key))
        accesses = list(function.built)
        for step in function.steps():
            if isinstance(step, Access):
                accesses.append(step)
            elif isinstance(step, Call):
                called[step.target.name] = None
                if step.mode is Mode.SUBSCRIBE:
                    watching[function.root] = None
                if step.target.kind is TargetKind.FUNCTION:
                    modules[step.target.module] = None
                elif step.target.kind is TargetKind.ROUTE:
                    remote[step.target.module, step.target.name] = None
        if accesses:
            asking[function.root] = None
            indexes.update((plan.index, None) for access in accesses for plan in access.plans if plan.index is not None)
    return Outline(
        tuple(keys), tuple(routes), tuple(roots), tuple(asking), tuple(watching), tuple(modules), tuple(before), tuple(remote),
        tuple(called), tuple(plain), tuple(registered), tuple(indexes),
    )  # fmt: skip
