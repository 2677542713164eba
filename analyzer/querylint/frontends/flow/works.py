# long: one method of a collection leads to the others; they are read as one list
"""Work in memory: the methods of arrays, maps, sets and promises, and the global functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from querylint.construction import replace
from querylint.frontends.flow.amounts import cut_to, done, passed
from querylint.frontends.flow.calls import each_way
from querylint.frontends.flow.comparators import adds_up, computed, keeps_extreme, offers_orders, seeks
from querylint.frontends.flow.conditions import stated
from querylint.frontends.flow.days import day_of
from querylint.frontends.flow.leaks import use_each
from querylint.frontends.flow.merging import looked_up
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NO_STEPS,
    NOTHING,
    Closure,
    Condition,
    External,
    Many,
    OneOf,
    Record,
    Val,
    derived,
    either_of,
    join,
    last_of,
    literal,
    many,
    of_one_row,
    worked_out,
)
from querylint.ir import ITEM, LoopKind, Origin, Path, Predicate, Relation, Side, Work
from querylint.syntax import tree

PURE = frozenset(
    "trim trimStart trimEnd toLowerCase toUpperCase toLocaleLowerCase toLocaleUpperCase split replace replaceAll startsWith endsWith "
    "match matchAll test exec charAt charCodeAt codePointAt padStart padEnd repeat substring substr normalize localeCompare toString "
    "toFixed toPrecision toISOString toLocaleString toLocaleDateString toLocaleTimeString toDateString getTime getFullYear getMonth "
    "getDate getDay getHours getMinutes getSeconds setDate setHours setMonth setMinutes setSeconds setFullYear setMilliseconds "
    "setUTCHours getUTCDay getUTCDate getUTCMonth getUTCFullYear getUTCHours valueOf getTimezoneOffset search fill "
    "hasOwnProperty toJSON isWellFormed safeParse parse encode decode digest".split()
)


LETTERS = frozenset(("toLowerCase", "toUpperCase", "toLocaleLowerCase", "toLocaleUpperCase", "trim", "toString", "normalize"))
GROWING = frozenset(("push", "unshift", "add", "set"))
PROMISES = frozenset(("then", "catch", "finally"))
Handler = Callable[[State, tree.Call, tree.Member, Val], Val | None]


def is_last_index(node: tree.Index) -> bool:
    """`xs[xs.length - 1]`."""
    key = node.key
    return (
        isinstance(key, tree.Op)
        and key.sign == "-"
        and len(key.operands) == 2
        and isinstance(key.operands[0], tree.Member)
        and key.operands[0].name == "length"
        and not (
            isinstance(node.base, tree.Name) and isinstance(key.operands[0].base, tree.Name) and node.base.id != key.operands[0].base.id
        )
    )


def picked(m: State, work: Work, base: Val, at: int, end: int) -> Val:
    """One row taken out of many."""
    number = m.use(work, base, at, end)
    return base.item().worked(number) if number is not None else base.item()


# Methods.


def method(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    """A method of a collection or a promise; None for anything else."""
    known = METHODS.get(func.name)
    if func.name not in GROWING:
        looked_up(m.frames, base)
    if isinstance(base.shape, External) and func.name not in PROMISES:
        return _of_library(m, node, func, known if func.name != "join" else None)  # `path.join(a, b)`
    if known is not None:
        return known(m, node, func, base)
    if func.name in PURE:
        if func.name == "toString" and base.id_of is not None:
            return base  # an id is a text
        args = [m.evaluate(a) for a in node.args]
        day = day_of(m, node, func.name, args, base, derived(base, *args))
        if func.name.startswith("set") and isinstance(func.base, tree.Name):
            m.replace(func.base, day)
        return day
    return None


def _of_library(m: State, node: tree.Call, func: tree.Member, known: Handler | None) -> Val | None:
    """A function of a library that goes by the name of a method: `_.filter(rows, ...)` works on its first argument."""
    if known is None or not node.args:
        return None
    first = m.evaluate(node.args[0])
    if isinstance(first.shape, Closure) or not (first.interesting or isinstance(first.shape, Many)):
        return derived(first, *(m.evaluate(a) for a in node.args[1:]))
    rest = tree.Call(node.func, node.args[1:], node.at, node.end)
    return known(m, rest, tree.Member(node.args[0], func.name, node.at, node.end, node.at), first)


def _callback(m: State, node: tree.Call, position: int = 0) -> Val:
    return m.evaluate(node.args[position]) if len(node.args) > position else NOTHING


def _each(
    m: State, node: tree.Call, base: Val, func: tree.Member, kind: LoopKind, args: Callable[[Val], tuple[Val, ...]], callback: Val,
    *, rounds: bool = False,
) -> tuple[Val, int, bool]:  # fmt: skip
    """Run a callback once per item; what it returns, the loop's number, whether it held any step. `rounds`: it is the body of a loop."""
    shape = base.shape
    size, cut = (shape.most, shape.cut) if isinstance(shape, Many) else (None, None)
    held = len(m.block)
    with m.loop(
        kind, node.at, node.end, over=base, over_text=m.text(func.base), constant=size is not None and not base.origins,
        limit=size if size is not None else cut,
    ) as frame:  # fmt: skip
        item = base.item().with_deps(frozenset({frame.id}))
        values = args(item)
        if isinstance(callback.shape, Closure):
            within = frame if rounds and frame.items else None
            result = m.invoke(callback.shape, values, callback.shape.fn.at, callback.shape.fn.end, inline=True, frame=within)
        else:
            result = _call_back(m, node, values, callback)
    base = passed(m, frame, base)
    _finish(m, base, frame.folded, frame.grouped, frame.fold_deps, node)
    return result, frame.id, len(m.block) > held


def _finish(m: State, base: Val, folded: bool, grouped: bool, deps: frozenset[int], node: tree.Call) -> None:
    if folded:
        m.use(Work.FOLD, base, node.at, node.end, deps=deps)
    elif grouped:
        m.use(Work.GROUP, base, node.at, node.end, deps=deps)


def _call_back(m: State, node: tree.Call, values: tuple[Val, ...], callback: Val) -> Val:
    """What a callback yields that is not written here: a name from elsewhere, or one of several functions."""
    if isinstance(callback.shape, Closure) and not callback.shape.name:
        return m.invoke(callback.shape, values, callback.shape.fn.at, callback.shape.fn.end, inline=True)
    made = _from_elsewhere(m, node, callback, values)
    return made if made is not None else derived(*values)


def _from_elsewhere(m: State, node: tree.Call, callback: Val, values: tuple[Val, ...]) -> Val | None:
    if isinstance(callback.shape, OneOf):
        return each_way(m, callback, partial(_call_back, m, node, values), node.at, node.end)
    fake = tree.Call(node.args[0] if node.args else tree.Opaque([], node.at, node.end), [], node.at, node.end)
    return m.vocabulary.called_back(m, fake, callback, values)


def mapped(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    """One value per item, all rounds at once."""
    callback = _callback(m, node)
    result, number, held = _each(m, node, base, func, LoopKind.GATHER, lambda item: (item, derived(item), base), callback)
    pending = frozenset({number}) if held and (result.pending or _is_async(callback)) else NO_STEPS
    item = replace(result, pending=pending, deps=result.deps | (frozenset({number}) if held else NO_STEPS), conditions=())
    if func.name == "flatMap":
        item = item.item() if isinstance(item.shape, Many) else item
    if func.name != "map":
        return Val(deps=base.deps | item.deps, shape=Many(item))
    made_of = base.rows if worked_out(item, number) else ()
    made = Val(deps=base.deps | item.deps, shape=Many(item, most=base.most, made_of=made_of))
    return replace(made, works=done(base)) if made_of or fields_of(made)[1] else made


def fields_of(value: Val) -> tuple[Val, tuple[str, ...]]:
    """The rows of which a list holds a field each, and the field: `rows.map((row) => row.size)`."""
    if value.rows or not isinstance(value.shape, Many):
        return value, ()
    found = value.shape.item.origins
    if not found or any(len(o.path) < 2 or o.path[-2] != ITEM for o in found):
        return value, ()
    rows = tuple(dict.fromkeys(replace(o, path=o.path[:-2]) for o in found))
    return Val(rows, value.deps, works=value.works), tuple(dict.fromkeys(o.path[-1] for o in found))


def _is_async(callback: Val) -> bool:
    return any(isinstance(one.shape, Closure) and one.shape.fn.is_async for one in either_of(callback))


def _for_each(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    callback = _callback(m, node)
    kind = LoopKind.GATHER if _is_async(callback) else LoopKind.EACH
    _each(m, node, base, func, kind, lambda item: (item, derived(item), base), callback, rounds=kind is LoopKind.EACH)
    return NOTHING


def _filter(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    if node.args and isinstance(node.args[0], tree.Name) and node.args[0].id == "Boolean":
        return base
    number, needs = _predicate_work(m, node, func, base, Work.FILTER)
    base = base.with_deps(needs)
    return base.worked(number) if number is not None else base


def _find(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    number, needs = _predicate_work(m, node, func, base, Work.FIND)
    base = base.with_deps(needs)
    if func.name.endswith("Index"):
        return derived(base)
    return base.item().worked(number) if number is not None else base.item()


def _some(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    _, needs = _predicate_work(m, node, func, base, Work.SOME if func.name == "some" else Work.EVERY)
    return derived(base).with_deps(needs)


def _predicate_work(m: State, node: tree.Call, func: tree.Member, base: Val, work: Work) -> tuple[int | None, frozenset[int]]:
    """Write down the test of a list's items: its work, where it says anything of them, and the steps that its outcome needs."""
    callback = _callback(m, node)
    result, number, held = _each(m, node, base, func, LoopKind.EACH, lambda item: (item, derived(item), base), callback)
    needs = result.deps - {number}
    items = _items(base)
    predicates = stated(m, _truths(result), items) if not isinstance(callback.shape, OneOf) else ()  # what one of several tests, not all do
    if not predicates:
        if not result.conditions and not result.origins and not result.deps & base.deps and not held:
            return None, needs
        if (result.origins and set(result.origins) <= set(items)) or _only_presence(result, base):
            return None, needs
        predicates = (Predicate(None, Relation.OTHER, Side.MEMORY),)
    return m.use(work, base, node.at, node.end, predicates=predicates), needs


def _items(base: Val) -> tuple[Origin, ...]:
    return tuple(o.at(ITEM) for o in base.rows)


def _truths(result: Val) -> tuple[Condition, ...]:
    if result.conditions:
        return result.conditions
    return tuple(Condition(o, Relation.EQ, literal(True)) for o in result.origins)


def _only_presence(result: Val, base: Val) -> bool:
    items = set(_items(base))
    return bool(result.conditions) and all(c.origin in items for c in result.conditions)


def _reduce(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    callback = _callback(m, node)
    start = m.evaluate(node.args[1]) if len(node.args) > 1 else base.item()
    result, _, _ = _each(m, node, base, func, LoopKind.EACH, lambda item: (start, item, derived(item), base), callback)
    if result.interesting and result.pending:
        return join(result, start)
    fns = [one.shape.fn for one in either_of(callback) if isinstance(one.shape, Closure)]
    distinct = bool(fns) and isinstance(start.shape, Many) and all(map(seeks, fns))
    extreme = bool(fns) and all(map(keeps_extreme, fns))
    fields = tuple(dict.fromkeys(o.path[-1] for o in result.origins if len(o.path) > 1 and o.path[-2] == ITEM)) if extreme else ()
    gathers = bool(fns) and isinstance(start.shape, Record | Many) and not any(adds_up(fn, m.text) for fn in fns)
    if distinct or not gathers or isinstance(start.shape, Record):
        work = Work.DISTINCT if distinct else Work.GROUP if gathers else Work.FOLD
        rows, names = fields_of(base)
        m.use(work, rows, node.at, node.end, fields=names if extreme and names else fields, extreme=extreme)
    return (
        replace(join(result, start), origins=(), conditions=()) if isinstance(start.shape, Record | Many) else derived(base, start, result)
    )


def _sort(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    callback = _callback(m, node)
    fields: tuple[str, ...] = ()
    descending: bool | None = None
    item = base.item()
    if isinstance(callback.shape, Closure):
        before = len(m.touched)
        result = m.invoke(callback.shape, (item, item), node.at, node.end, inline=True)
        del result
        if not computed(callback.shape.fn) and not _measures(callback.shape.fn):
            read = _fields_read(m, callback.shape.fn, item)
            fields = (
                _stored(read, item, base) if isinstance(item.shape, Record) and read else _fields_of(list(m.touched)[before:], item) or read
            )
            if len(fields) > 1 and offers_orders(callback.shape.fn):
                fields = ("*",)
        ties = len(fields) > 1 and any(isinstance(part, tree.If) for part in callback.shape.fn.body)
        descending = _descending(callback.shape.fn) if not ties else None  # else the last field is compared at the end
    number = m.use(Work.SORT, base, node.at, node.end, fields=fields, descending=descending)
    value = base.worked(number) if number is not None else base
    if func.name == "sort":
        m.replace(func.base, value)
    return value


def _measures(fn: tree.Fn) -> bool:
    """Whether a comparator goes by the length of something, which no index holds."""
    return any(isinstance(this, tree.Member) and this.name in ("length", "size") for this in tree.walk(fn.body))


def _fields_of(touched: list[Origin], item: Val) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for origin in touched:
        for base in item.origins or tuple(o for part in (item.shape.rest if isinstance(item.shape, Record) else ()) for o in part.origins):
            path = origin.path
            if origin.ref == base.ref and path[: len(base.path)] == base.path and len(path) > len(base.path):
                names[".".join(path[len(base.path) :])] = None
    return tuple(n for n in names if n not in ("localeCompare", "getTime"))


def _fields_read(m: State, fn: tree.Fn, item: Val) -> tuple[str, ...]:
    """The fields that a comparator reads, where they had been looked at before; `*` for one that is chosen at run time."""
    if not (item.origins or isinstance(item.shape, Record)) or not fn.params or not isinstance(fn.params[0].pattern, tree.NamePattern):
        return ()
    name = fn.params[0].pattern.id
    read = [
        (this.at, this.name if isinstance(this, tree.Member) else "*")
        for this in tree.walk(fn.body)
        if isinstance(this, tree.Member | tree.Index) and isinstance(this.base, tree.Name) and this.base.id == name
    ]
    return tuple(dict.fromkeys(found for _, found in sorted(read)))


def _stored(names: tuple[str, ...], item: Val, base: Val) -> tuple[str, ...]:
    """What fields of objects made of rows are called in the rows; none where one of them is worked out, which no index holds."""
    made = item.shape.fields if isinstance(item.shape, Record) else {}
    found: dict[str, None] = {}
    for name in names:
        value = made.get(name)
        paths = [_below(o, row) for o in value.origins for row in _items(base)] if value is not None else []
        own = next((path for path in paths if path), None)
        if value is not None and own is None:
            return ()
        found[".".join(own) if own else name] = None
    return tuple(found)


def _below(origin: Origin, row: Origin) -> Path:
    """The path of fields from a row to what was taken from it; empty where it is not of that row."""
    same = origin.root is row.root and origin.ref == row.ref and origin.path[: len(row.path)] == row.path
    return origin.path[len(row.path) :] if same else ()


def _descending(fn: tree.Fn) -> bool | None:
    """`(a, b) => b.x - a.x` sorts downward; `a.x - b.x` and `a.x.localeCompare(b.x)` upward; anything else is unknown.

    Of several fields, the first one counts.
    """
    if len(fn.params) != 2 or not fn.body or not isinstance(fn.body[-1], tree.Return):
        return None
    value = fn.body[-1].value
    while isinstance(value, tree.Logic) and value.sign in ("||", "??"):
        value = value.left
    first: object = value.operands[0] if isinstance(value, tree.Op) and value.sign == "-" else None
    if isinstance(value, tree.Call) and isinstance(value.func, tree.Member) and value.func.name == "localeCompare":
        first = value.func.base
    names = [p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern)]
    mine = {n.id for n in tree.walk(first) if isinstance(n, tree.Name) and n.id in names}
    return mine == {names[1]} if len(names) == 2 and len(mine) == 1 else None


def _slice(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    args = [m.evaluate(a) for a in node.args]
    start = m.value(args[0], node.args[0]) if args else None
    size = m.value(args[1], node.args[1]) if len(args) > 1 else None
    if isinstance(base.shape, Many) and base.shape.items is not None and not base.origins:
        return cut_to(replace(base, shape=Many(base.shape.item, most=base.shape.most)), args)
    number = m.use(Work.SLICE, base, node.at, node.end, start=start, size=size, deps=derived(*args).deps)
    value = (base.worked(number) if number is not None else base).with_deps(derived(*args).deps)
    return day_of(m, node, func.name, args, base, cut_to(value, args) if func.name == "slice" else value)


def _at(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    args = [m.evaluate(a) for a in node.args]
    where = args[0].literal if args else 0
    return picked(m, Work.LAST if where == -1 else Work.FIRST if where == 0 else Work.PICK, base, node.at, node.end)


def _pop(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    return picked(m, Work.LAST if func.name == "pop" else Work.FIRST, base, node.at, node.end)


def _same(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    for arg in node.args:
        value = m.evaluate(arg)
        if func.name == "concat" and value.interesting:
            base = join(base, value)
    return base


def _flat(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    item = base.item()
    return item.with_deps(base.deps) if isinstance(item.shape, Many) or item.origins else base


def _push(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    for arg in node.args:
        value = m.evaluate(arg)
        m.add_to(func.base, base, value.item() if isinstance(arg, tree.Spread) else value, keyed=False, how=func.name)
    return NOTHING


def _set(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if not isinstance(base.shape, Many):
        return None
    args = [m.evaluate(a) for a in node.args]
    if len(args) > 1:
        identity = of_one_row(args[0])  # one entry a row: a look-up, and no group
        m.add_to(func.base, base, args[1].with_deps(args[0].deps), keyed=not identity, how="set", key=args[0])
    return base


def _joined(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    """All the items in one text."""
    value = derived(base, *(m.evaluate(a) for a in node.args))
    if isinstance(base.shape, Many) and not base.origins:
        rows = tuple(o.at(ITEM) for o in base.shape.made_of)
        items = tuple(replace(o, path=o.path[: o.path.index(ITEM) + 1]) for o in base.item().origins if ITEM in o.path)
        use_each(m, (*rows, *items), done(base))
    return value


def _get(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    if not isinstance(base.shape, Many):
        return None
    args = [m.evaluate(a) for a in node.args]
    return base.shape.item.with_deps(derived(base, *args).deps)


def _has(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    args = [m.evaluate(a) for a in node.args]
    value = derived(base, *args)
    if base.origins and args and not isinstance(base.shape, Record):
        m.use(Work.MEMBER, base, node.at, node.end)
    elif len(args) == 1 and func.name in ("has", "includes"):
        _sought(m, node, func, base, args[0])
    if not args:
        return value
    conditions = [Condition(o, Relation.IN, base, at=node.at, end=node.end) for o in args[0].origins]
    held = base if base.origins or func.name != "includes" else _as_written(m, func.base)
    conditions += [Condition(o, Relation.SEARCH, args[0], at=node.at, end=node.end) for o in held.origins]
    return replace(value, conditions=tuple(conditions))


def _as_written(m: State, node: tree.Expr) -> Val:
    """The field whose text is looked into regardless of case or spaces: `row.name` of `row.name?.toLowerCase().trim()`."""
    inner = node
    while isinstance(inner, tree.Call) and isinstance(inner.func, tree.Member) and inner.func.name in LETTERS and not inner.args:
        inner = inner.func.base
    return m.evaluate(inner) if inner is not node and isinstance(inner, tree.Member) else NOTHING


def _sought(m: State, node: tree.Call, func: tree.Member, base: Val, value: Val) -> None:
    """A list of one field of rows that is there to be asked once for one value: a search of the rows by that field."""
    shape = base.shape
    if (
        not isinstance(shape, Many)
        or shape.keyed
        or not isinstance(func.base, tree.Name)
        or any(f.kind is not LoopKind.ONCE for f in m.frames)
    ):
        return
    origins = shape.item.origins
    names = {o.path[-1] for o in origins if len(o.path) > 1 and o.path[-2] == ITEM}
    asked = [n for fn in m.calling if isinstance(fn, tree.Fn) for n in tree.find(fn.body, tree.Name) if n.id == func.base.id]
    if len(names) != 1 or len(asked) != 1 or any(o.path[-2:-1] != (ITEM,) for o in origins):
        return
    rows = Val(tuple(replace(o, path=o.path[:-2]) for o in origins), base.deps, works=done(base))
    predicate = Predicate(names.pop(), Relation.EQ, Side.MEMORY, m.value(value, node.args[0]))
    m.use(Work.SOME, rows, node.at, node.end, predicates=(predicate,), deps=value.deps)


def _entries(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    for arg in node.args:
        m.evaluate(arg)
    if func.name == "keys":
        return derived(base)
    if func.name == "values":
        return Val(base.origins, base.deps, base.pending, shape=Many(base.item()), works=base.works)
    return Val(deps=base.deps, shape=Many(many((derived(base), base.item()))))


def _then(m: State, node: tree.Call, func: tree.Member, base: Val) -> Val:
    special = m.vocabulary.awaited(m, base, node.at, node.end)
    promise = special if special is not None else base
    callback = _callback(m, node)
    if not isinstance(last_of(callback).shape, Closure):
        for arg in node.args[1:]:
            m.evaluate(arg)
        made = _resolved(m, node, callback, promise) if func.name == "then" and callback.interesting else None
        if made is not None:
            return made
        return promise if func.name != "then" else Val(deps=promise.deps, pending=promise.pending)
    with m.loop(LoopKind.ONCE, node.at, node.end) as frame:
        m.wait(promise, node.at, node.end)
        given = (promise.settled() if func.name == "then" else NOTHING,)
        if isinstance(callback.shape, Closure):
            result = m.invoke(callback.shape, given, callback.shape.fn.at, callback.shape.fn.end, inline=True)
        else:
            result = _call_back(m, node, given, callback)
        result = m.wait(result, node.at, node.end)
    pending = promise.pending | {frame.id}
    if func.name != "then":
        return replace(join(promise, result), pending=pending)
    return replace(result.with_deps(promise.deps), pending=pending)


def _resolved(m: State, node: tree.Call, callback: Val, promise: Val) -> Val | None:
    """What comes of a promise when a function from elsewhere has been called with what it resolves to; None where nobody knows it."""
    with m.loop(LoopKind.ONCE, node.at, node.end) as frame:
        m.wait(promise, node.at, node.end)
        made = _from_elsewhere(m, node, callback, (promise.settled(),))
        if made is not None:
            made = m.wait(made, node.at, node.end)
    return None if made is None else replace(made.with_deps(promise.deps), pending=promise.pending | {frame.id})


METHODS: dict[str, Handler] = {
    "map": mapped, "flatMap": mapped, "forEach": _for_each, "filter": _filter, "find": _find, "findLast": _find, "findIndex": _find,
    "findLastIndex": _find, "some": _some, "every": _some, "reduce": _reduce, "reduceRight": _reduce, "sort": _sort, "toSorted": _sort,
    "slice": _slice, "splice": _slice, "at": _at, "pop": _pop, "shift": _pop, "concat": _same, "reverse": _same, "toReversed": _same,
    "flat": _flat, "push": _push, "unshift": _push, "add": _push, "set": _set, "get": _get, "has": _has, "includes": _has, "indexOf": _has,
    "keys": _entries, "values": _entries, "entries": _entries, "join": _joined, "then": _then, "catch": _then, "finally": _then,
}  # fmt: skip
