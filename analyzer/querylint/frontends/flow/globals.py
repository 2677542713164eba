"""The global objects and functions of JavaScript: Promise, Object, Array, Map, Set, Date."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.calls import each_way
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, Many, Record, Val, derived, join_all, last_of, literal, many
from querylint.frontends.flow.works import fields_of, mapped
from querylint.ir import ITEM, Escape, Work
from querylint.syntax import tree

QUIET = frozenset("console Math Number String Boolean BigInt Symbol Reflect Intl".split())


PURE_FUNCTIONS = frozenset(
    "String Number Boolean BigInt parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent encodeURI "
    "structuredClone Symbol Error TypeError RangeError ConvexError URL URLSearchParams TextEncoder TextDecoder "
    "Uint8Array RegExp AbortController clearTimeout".split()
)


def global_method(m: State, node: tree.Call, owner: str, name: str) -> Val | None:
    """A method of a global object; None for anything else."""
    if owner == "Promise":
        return _promise(m, node, name)
    if owner in ("Object", "Array"):
        args = [m.evaluate(a) for a in node.args]
        first = args[0] if args else NOTHING
        if name == "from" and len(args) > 1 and isinstance(last_of(args[1]).shape, Closure):
            fake = tree.Call(node.func, node.args[1:], node.at, node.end)
            return mapped(m, fake, tree.Member(node.args[0], "map", node.at, node.end, node.at), first)
        if name in ("values", "from", "of"):
            return _collected(first) if name != "of" else many(tuple(args))
        if name == "entries":
            values = _collected(first)
            return Val(deps=first.deps, shape=Many(many((derived(first), values.item())), most=values.most))
        if name == "keys":
            if isinstance(first.shape, Record) and not first.shape.rest:
                return many(tuple(literal(k) for k in first.shape.fields)).with_deps(first.deps)
            return derived(first)
        if name == "fromEntries":
            entry = first.item()
            value = (
                entry.shape.items[1] if isinstance(entry.shape, Many) and entry.shape.items and len(entry.shape.items) > 1 else entry.item()
            )
            return Val(deps=first.deps | value.deps, shape=Many(value, None, True), pending=first.pending)
        if name == "assign":
            return join_all(args) if args else NOTHING
        return derived(*args)
    if owner in QUIET:
        args = [m.evaluate(a) for a in node.args]
        if name in ("min", "max") and not any(isinstance(a, tree.Spread) for a in node.args):
            # The result is one of the arguments.
            return replace(derived(*args), origins=tuple(dict.fromkeys(o for a in args for o in a.origins)))
        if name in ("min", "max"):
            _seek(m, node, args)
        return derived(*args)
    if owner == "JSON":
        args = [m.evaluate(a) for a in node.args]
        for arg in args:
            m.leak(arg, Escape.PASSED, node.at, node.end)
        return derived(*args)
    if owner == "Date" and name == "now":
        return m.clock(node.at, node.end, plain=True)
    if owner == "performance" and name == "now":
        return m.clock(node.at, node.end)
    return None


def _seek(m: State, node: tree.Call, args: list[Val]) -> None:
    """`Math.max(...rows.map((row) => row.place))` goes through the rows for one value."""
    for arg, value in zip(node.args, args, strict=True):
        rows, fields = fields_of(value)
        if isinstance(arg, tree.Spread) and fields:
            m.use(Work.FOLD, rows, node.at, node.end, fields=fields, extreme=True)


def _collected(value: Val) -> Val:
    shape = value.shape
    if isinstance(shape, Record):
        made = many(tuple(shape.fields.values()) if not shape.rest else None, join_all([*shape.fields.values(), *shape.rest]))
        if shape.rest and shape.size is not None and isinstance(made.shape, Many):
            made = replace(made, shape=replace(made.shape, most=shape.size))
        return replace(made, deps=value.deps)
    return value


def _promise(m: State, node: tree.Call, name: str) -> Val:
    args = [m.evaluate(a) for a in node.args]
    value = args[0] if args else NOTHING
    if name not in ("all", "allSettled", "race", "any"):
        return value
    shape = value.shape
    if not isinstance(shape, Many):
        return value
    pending = value.pending | shape.item.pending
    for item in shape.items or ():
        pending |= item.pending
    items = tuple(_settle(m, item, node) for item in shape.items) if shape.items is not None else None
    if items is not None:  # what is waited for are the members; the item only stands for any of them
        pending |= frozenset(p for i in items for p in i.pending)
        items = tuple(i.settled() for i in items)
        item = join_all(items)
    else:
        item = _settle(m, shape.item, node)
        pending |= item.pending
        item = item.settled()
    if name == "allSettled":
        items = tuple(Val(shape=Record({"value": i}), deps=i.deps) for i in items) if items is not None else None
        item = Val(shape=Record({"value": item}), deps=item.deps)
    if name in ("race", "any"):
        return replace(item, pending=pending)
    return Val(value.origins, value.deps, pending, shape=Many(item, items), works=value.works)


def _settle(m: State, item: Val, node: tree.Call) -> Val:
    special = m.vocabulary.awaited(m, item, node.at, node.end)
    return special if special is not None else item


def function(m: State, node: tree.Call, name: tree.Expr, func: Val) -> Val | None:
    """A global function or constructor; None for anything else."""
    if not isinstance(name, tree.Name) or m.scope.find(name.id) is not None or func.interesting:
        return None
    if name.id in ("Map", "Set", "WeakMap", "WeakSet", "Array"):
        args = [m.evaluate(a) for a in node.args]
        made = _new_collection(name.id, args)
        if name.id == "Map" and args and isinstance(made.shape, Many):
            _note_key(m, node.args[0], made.shape.item)
        return made
    if name.id == "Date":
        if not node.args:
            return m.clock(node.at, node.end)
        return derived(*(m.evaluate(a) for a in node.args))
    if name.id in PURE_FUNCTIONS:
        values = [m.evaluate(a) for a in node.args]
        return values[0] if name.id == "String" and len(values) == 1 and values[0].id_of is not None else derived(*values)
    if name.id == "Promise" and node.new:
        args = [m.evaluate(a) for a in node.args]

        def started(one: Val) -> Val:
            return m.invoke(one.shape, (), node.at, node.end) if isinstance(one.shape, Closure) else NOTHING

        for arg in args:
            each_way(m, arg, started, node.at, node.end)
        return NOTHING
    return None


def _note_key(m: State, entries: tree.Expr, item: Val) -> None:
    """`new Map(rows.map((row) => [row.key, row]))`: the rows are looked up by a field."""
    callback = entries.args[0] if isinstance(entries, tree.Call) and entries.args else None
    ends = [s.value for s in callback.body if isinstance(s, tree.Return)] if isinstance(callback, tree.Fn) else []
    entry = ends[0] if len(ends) == 1 else None
    if not isinstance(entry, tree.Array) or len(entry.items) != 2:
        return
    names = {part.name for part in tree.walk(entry.items[0]) if isinstance(part, tree.Member)}
    for origin in item.origins if len(names) == 1 else ():
        if origin.path[-1:] == (ITEM,):
            m.keyed[replace(origin, path=origin.path[:-1])] = next(iter(names))


def _new_collection(kind: str, args: list[Val]) -> Val:
    if not args or kind == "Array":
        return Val(shape=Many(NOTHING, None, kind.endswith("Map"), most=0 if kind == "Set" else None))
    value = args[0]
    if kind.endswith("Set"):
        return Val(value.origins, value.deps, value.pending, shape=Many(value.item(), None, False, True, value.most), works=value.works)
    entry = value.item()
    inner = entry.item()
    if isinstance(entry.shape, Many) and entry.shape.items is not None and len(entry.shape.items) > 1:
        inner = entry.shape.items[1]
    return Val((), value.deps, value.pending, shape=Many(inner, None, True))
