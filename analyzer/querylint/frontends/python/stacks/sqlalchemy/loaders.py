"""Loader options: which relations and columns come along, and which are left for later.

An option is a marker whose first word is the path that it has reached, whose others are what it asks for on the way: `joined path`,
`batched path`, `silent path`, `lazy path`, `only path column,column`, `defer path column`, `undefer path column`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import LOADER, Many, Marker, Query, Val, derived
from querylint.frontends.python.stacks.sqlalchemy import words
from querylint.frontends.python.stacks.sqlalchemy.expressions import model_of
from querylint.ir import Eager, Loading, Plan
from querylint.syntax import tree
from querylint.text import Span

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy.model import Model
    from querylint.frontends.python.stacks.sqlalchemy.models import Models

UNKNOWN_PATH = "?"
ALL = "*"
DEEPEST = 3


def option(state: State, models: Models, node: tree.Call, word: str, base: Val | None = None) -> Val:
    """`joinedload(A.b)`, `Load(A)`, or one more link of such a chain."""
    shape = base.shape if base is not None else None
    before, *asked = shape.data if isinstance(shape, Marker) and shape.data else ("",)
    args = [state.evaluate(a) for a in node.args]
    deps = derived(*args, *(state.evaluate(v) for _, v in node.keywords)).deps
    if word == "Load":
        return Val(deps=deps, shape=Marker(LOADER, ("",)))
    if word == "options":
        for arg in args:
            inner = arg.shape
            if isinstance(inner, Marker) and inner.kind == LOADER:
                asked += [_under(before, entry) for entry in inner.data[1:]]
        return Val(deps=deps, shape=Marker(LOADER, (before, *asked)))
    if word in words.COLUMN_OPTIONS:
        names = ",".join(n for arg in args if (n := _column(arg)))
        kind = {"load_only": "only", "defer": "defer"}.get(word, "undefer")
        if names or word == "undefer_group":
            asked.append(f"{kind} {before or '-'} {names}")
        return Val(deps=deps, shape=Marker(LOADER, (before, *asked)))
    kind = (
        "joined" if word in words.JOINED else "batched" if word in words.BATCHED else "silent" if word in words.FORBIDDEN
        else "lazy" if word.startswith("lazyload") else "default"
    )  # fmt: skip
    if word in ("with_loader_criteria", "selectin_polymorphic", "with_expression"):
        return Val(deps=deps, shape=Marker(LOADER, (before, *asked)))
    path = before
    for arg in args or [Val()]:
        for name, narrowed in _steps(models, arg):
            path = f"{path}.{name}" if path else name
            asked.append(f"{kind} {path}{' narrowed' if narrowed else ''}")
    return Val(deps=deps, shape=Marker(LOADER, (path, *asked)))


def chained(state: State, models: Models, node: tree.Call, word: str, base: Val) -> Val:
    """One more link of a chain that a variable may hold: before SQLAlchemy 2 the option in it asks for the new link as well."""
    made = option(state, models, node, word, base)
    root: tree.Expr = node
    while isinstance(root, tree.Call | tree.Member):
        root = root.func if isinstance(root, tree.Call) else root.base
    var = state.scope.find(root.id) if isinstance(root, tree.Name) else None
    mine = _asked_by(state.store.get(var, Val())) if var is not None else ()
    if var is None or not mine:
        return made
    for other, held in state.store.items():
        before = _asked_by(held)
        if before and (other is var or mine[: len(before)] == before):
            more = dict.fromkeys((*before, *_asked_by(made)))
            state.store[other] = replace(held, shape=Marker(LOADER, (_reached(held), *more)))
    return made


def _asked_by(value: Val) -> tuple[str, ...]:
    return value.shape.data[1:] if isinstance(value.shape, Marker) and value.shape.kind == LOADER else ()


def _reached(value: Val) -> str:
    return value.shape.data[0] if isinstance(value.shape, Marker) and value.shape.data else ""


def _under(before: str, entry: str) -> str:
    kind, path, *rest = entry.split(" ")
    whole = before if path == "-" else f"{before}.{path}" if before else path
    return " ".join((kind, whole or "-", *rest))


def _steps(models: Models, arg: Val) -> list[tuple[str, bool]]:
    """The relations that an argument of a loader names."""
    shape = arg.shape
    if isinstance(shape, Marker) and shape.kind == "relation":
        return [(shape.data[1], "narrowed" in shape.data)]
    if isinstance(shape, Marker) and shape.kind == "proxy":
        return [(shape.data[1], False)]
    if isinstance(arg.literal, str):
        return [(part, False) for part in arg.literal.split(".")]
    if model_of(models, arg) is not None:
        return []
    return [(UNKNOWN_PATH, False)]


def _column(arg: Val) -> str:
    shape = arg.shape
    if isinstance(shape, Marker) and shape.kind == "column":
        return shape.data[1]
    return arg.literal if isinstance(arg.literal, str) else ""


# What options mean for a query.


def defaults(models: Models, model: Model | None, prefix: tuple[str, ...] = (), depth: int = 0) -> list[Eager]:
    """What comes along with rows unless a query says otherwise."""
    found: list[Eager] = []
    if model is None or depth > DEEPEST:
        return found
    for name, how in model.lazy.items():
        if how in words.AHEAD_JOINED or how in words.AHEAD_BATCHED or how == "unknown":
            loading = Loading.BATCHED if how in words.AHEAD_BATCHED else Loading.JOINED
            link = model.links[name]
            path = (*prefix, name)
            found.append(Eager(path, loading))
            target = models.by_table.get(link.target) if link.target is not None else None
            if target is not model:
                found += defaults(models, target, path, depth + 1)
        elif how in words.SILENT:  # whoever asks for it has loaded it somewhere, and what comes along with it there
            found.append(Eager((*prefix, name, UNKNOWN_PATH), Loading.BATCHED))
    return found


def plan_of(models: Models, model: Model | None, plan: Plan) -> Plan:
    """A plan with what its table brings along and leaves out by itself."""
    if model is None:
        return plan
    return replace(plan, eager=(*plan.eager, *defaults(models, model)), deferred=(*plan.deferred, *model.deferred))


def apply(state: State, models: Models, query: Query, node: tree.Call, args: list[Val]) -> Query:
    """`.options(...)`."""
    span = state.span(node.at, node.end)
    plans = query.plans
    for arg in _spread(args):
        shape = arg.shape
        if isinstance(shape, Marker) and shape.kind == LOADER:
            for entry in shape.data[1:]:
                plans = tuple(_asked(models, query.table, plan, entry, span) for plan in plans)
        elif arg.literal is not None or arg.interesting:
            plans = tuple(replace(p, eager=(*p.eager, Eager((UNKNOWN_PATH,), Loading.JOINED, span=span))) for p in plans)
    return replace(query, plans=plans)


def _spread(args: list[Val]) -> list[Val]:
    out: list[Val] = []
    for arg in args:
        shape = arg.shape
        if isinstance(shape, Many):
            out.extend(shape.items if shape.items is not None else (shape.item,))
        else:
            out.append(arg)
    return out


def _asked(models: Models, table: str | None, plan: Plan, entry: str, span: Span) -> Plan:
    kind, text, *rest = entry.split(" ")
    path = tuple(part for part in text.split(".") if part != "-")
    if kind in ("only", "defer", "undefer"):
        return _columns(models, table, plan, kind, path, tuple(n for n in (rest[0] if rest else "").split(",") if n))
    if kind == "default":
        return plan
    if kind == "lazy":
        below = path[:-1] if path[-1:] == (ALL,) else path
        least = len(path)  # a wildcard leaves alone what it stands under, and what the query asks for by name
        own = path == (ALL,)
        kept = tuple(e for e in plan.eager if len(e.path) < least or e.path[: len(below)] != below or (own and e.span is not None))
        return replace(plan, eager=kept)
    if path[-1:] == (ALL,):
        return plan if kind != "silent" else replace(plan, eager=(*plan.eager, Eager((*path[:-1], UNKNOWN_PATH), Loading.JOINED)))
    loading = Loading.BATCHED if kind == "batched" else Loading.JOINED
    target = at_end(models, table, path)
    found = [Eager(path, loading, narrowed="narrowed" in rest, span=span), *defaults(models, target, path, 1)]
    deferred = tuple(".".join((*path, name)) for name in target.deferred) if target is not None else ()
    others = tuple(e for e in plan.eager if e.span is not None or e.path != (*path, UNKNOWN_PATH))  # here it is said what comes along
    return replace(plan, eager=(*others, *found), deferred=(*plan.deferred, *deferred))


def at_end(models: Models, table: str | None, path: tuple[str, ...]) -> Model | None:
    """The model that a path of relations ends at."""
    model = models.by_table.get(table) if table is not None else None
    for name in path:
        link = model.links.get(name) if model is not None else None
        model = models.by_table.get(link.target) if link is not None and link.target is not None else None
    return model


def _columns(models: Models, table: str | None, plan: Plan, kind: str, path: tuple[str, ...], names: tuple[str, ...]) -> Plan:
    model = at_end(models, table, path)
    dotted = tuple(".".join((*path, name)) for name in names)
    if kind == "undefer":
        return replace(plan, deferred=tuple(d for d in plan.deferred if d not in dotted) if names else ())
    if kind == "defer":
        return replace(plan, deferred=(*plan.deferred, *dotted))
    if model is None or model.open:
        return plan
    kept = {*names, *model.keys}
    left = tuple(".".join((*path, f.name)) for f in model.fields if f.name not in kept)
    others = tuple(d for d in plan.deferred if d not in dotted)
    return replace(plan, deferred=(*others, *left), columns=tuple(kept) if not path else plan.columns)
