"""The methods of Python's lists, dictionaries, sets and texts."""

from __future__ import annotations

from collections.abc import Callable

from querylint.construction import replace
from querylint.frontends.flow.comprehensions import go_through, iterated
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Many, Query, Record, Val, derived, either_way, join, join_all, many
from querylint.frontends.flow.works import picked
from querylint.frontends.python.language.arguments import placed
from querylint.frontends.python.language.builtin import sorted_rows
from querylint.frontends.python.language.texts import shown
from querylint.ir import Work
from querylint.pattern import Pattern
from querylint.syntax import tree

INSIDE = Pattern(r"\{\w*[.\[]")
"""A hole of a format that takes a part of a value: `{row.name}`."""
PURE = frozenset(
    "strip lstrip rstrip lower upper title capitalize casefold swapcase split rsplit splitlines partition rpartition replace startswith "
    "endswith encode decode format format_map zfill ljust rjust center isdigit isalpha isalnum isspace isnumeric islower isupper find "
    "rfind rindex removeprefix removesuffix translate expandtabs isoformat strftime strptime date time timestamp astimezone timetuple "
    "total_seconds weekday isoweekday days hex bit_length is_integer".split()
)


def method(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    """A method of a collection or a text; None for anything else."""
    if isinstance(base.shape, Query):
        return None
    known = METHODS.get(func.name)
    if known is not None:
        return known(m, node, func, base)
    if func.name in PURE:
        given = placed(m, node, None)
        if func.name == "format" and isinstance(base.literal, str) and INSIDE.search(base.literal) is None:
            named = [f"{{{name}" in base.literal for name, _ in node.keywords]
            shown(m, tuple(v for v, use in zip(given, [*([True] * len(node.args)), *named], strict=False) if use), node)
        return derived(base, *given)
    return None


def _collection(base: Val) -> bool:
    return isinstance(base.shape, Many | Record)


def grow(m: State, target: tree.Expr, base: Val, value: Val, *, keyed: bool, how: str) -> None:
    """A value joins a collection in a variable, or one that stands in a dictionary of collections."""
    if isinstance(target, tree.Index):
        outer, key = m.evaluate(target.base), m.evaluate(target.key)
        if isinstance(outer.shape, Record) and key.literal in outer.shape.fields:  # a list with a name of its own
            m.add_to(target, base, value, keyed=keyed, how=how)
            return
        m.add_to(target.base, outer, Val(deps=value.deps, pending=value.pending, shape=Many(value)), keyed=True, how=how, key=key)
        return
    if isinstance(target, tree.Call) and isinstance(target.func, tree.Member) and target.func.name == "setdefault":
        outer = m.evaluate(target.func.base)
        m.add_to(target.func.base, outer, Val(deps=value.deps, pending=value.pending, shape=Many(value)), keyed=True, how=how)
        return
    m.add_to(target, base, value, keyed=keyed, how=how)


def _append(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if base.doc_of is not None or (base.origins and base.shape is None and func.name in ("add", "remove")):
        return None
    args = [m.evaluate(a) for a in node.args]
    if args:
        grow(m, func.base, base, args[-1], keyed=False, how=func.name)
    return NOTHING


def _extend(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if not node.args or (base.origins and base.shape is None):
        return None
    if isinstance(base.shape, Record) or (isinstance(base.shape, Many) and base.shape.keyed):
        args = [m.evaluate(a) for a in node.args] + [m.evaluate(v) for _, v in node.keywords]
        if isinstance(base.shape, Record):
            merged = join_all([base, *args])
            named = {k: m.evaluate(v) for k, v in node.keywords if k != "**"}
            if isinstance(merged.shape, Record):
                merged = replace(merged, shape=Record({**merged.shape.fields, **named}, merged.shape.rest))
            m.replace(func.base, merged)
        else:
            for arg in args:
                m.add_to(func.base, base, arg.item(), keyed=True, how="update")
        return NOTHING
    over = iterated(m, node.args[0])
    grow(m, func.base, base, over.item(), keyed=False, how="extend")
    return NOTHING


def _setdefault(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    args = [m.evaluate(a) for a in node.args]
    if not _collection(base):
        return None
    if len(args) < 2:
        return base.item()
    given = args[1]
    if isinstance(given.shape, Many) and not given.origins:
        given = replace(given, shape=Many(given.shape.item, None, given.shape.keyed))  # the rounds after this one may let it grow
    if args[0].doc_of is not None:
        m.add_to(func.base, base, given, keyed=True, how="setdefault", key=args[0])
    return join(base.item(), given)


def _get(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    shape = base.shape
    if not _collection(base):
        return None
    args = [m.evaluate(a) for a in node.args]
    default = args[1] if len(args) > 1 else NOTHING
    if isinstance(shape, Record):
        key = args[0].literal if args else None
        found = shape.fields.get(key, NOTHING) if isinstance(key, str) else join_all(_members(shape)).with_deps(derived(*args).deps)
        return either_way(join(found, default) if default.interesting else found).with_deps(base.deps)
    return either_way(join(base.item(), default)).with_deps(derived(base, *args).deps)


def _members(shape: Record) -> list[Val]:
    """What a dictionary holds, under names that are written down or not."""
    return [*shape.fields.values(), *(v.item() if isinstance(v.shape, Many) and v.shape.keyed else v for v in shape.rest)]


def _pop(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if isinstance(base.shape, Record) or (isinstance(base.shape, Many) and base.shape.keyed):
        return _get(m, node, func, base)
    if not base.interesting:
        return None
    args = [m.evaluate(a) for a in node.args]
    first = bool(args) and args[0].literal == 0
    return picked(m, Work.FIRST if first else Work.LAST, base, node.at, node.end)


def _entries(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if not _collection(base) or node.args:
        return None
    shape = base.shape
    item = join_all(_members(shape)) if isinstance(shape, Record) else base.item()
    held = (
        [part.shape.key for part in (*shape.rest, base) if isinstance(part.shape, Many)]
        if isinstance(shape, Record)
        else [shape.key]
        if isinstance(shape, Many)
        else []
    )
    key = next((k.with_deps(base.deps) for k in held if k is not None), derived(base))
    most = len(shape.fields) if isinstance(shape, Record) and not shape.rest else shape.most if isinstance(shape, Many) else None
    if func.name == "keys":
        return Val(deps=base.deps, shape=Many(key, most=most))
    if func.name == "values":
        return Val(base.origins, base.deps, base.pending, shape=Many(item, most=most), works=base.works)
    return Val(deps=base.deps, shape=Many(many((key, item)), most=most))


def _sort(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if not base.interesting:
        return None
    m.replace(func.base, sorted_rows(m, node, base))
    return NOTHING


def _join(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if len(node.args) != 1:
        return None
    over = iterated(m, node.args[0])
    go_through(m, over)
    return derived(base, over)


def _copy(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    return base if _collection(base) and not node.args else None


def _merged(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if not _collection(base) or not node.args:
        return None
    return join_all([base, *(iterated(m, a) for a in node.args)])


def _quiet(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if not _collection(base):
        return None
    return derived(base, *placed(m, node, None))


METHODS: dict[str, Callable[[State, tree.Call, tree.Member, Val], Val | None]] = {
    "append": _append, "add": _append, "insert": _append, "appendleft": _append, "extend": _extend, "update": _extend, "get": _get,
    "setdefault": _setdefault, "pop": _pop, "popleft": _pop, "popitem": _pop, "items": _entries, "values": _entries, "keys": _entries,
    "sort": _sort, "join": _join, "copy": _copy, "union": _merged, "intersection": _merged, "difference": _merged, "remove": _quiet,
    "discard": _quiet, "clear": _quiet, "index": _quiet, "count": _quiet, "reverse": _quiet,
}  # fmt: skip
