"""The built-in functions of Python: those that run through collections, and those that only compute."""

from __future__ import annotations

from collections.abc import Callable

from querylint.construction import replace
from querylint.frontends.flow.amounts import amount
from querylint.frontends.flow.calls import each_way
from querylint.frontends.flow.comprehensions import iterated, run
from querylint.frontends.flow.conditions import field_of, stated, truth
from querylint.frontends.flow.expressions import member
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NO_STEPS,
    NOTHING,
    Closure,
    Many,
    OneOf,
    Query,
    Record,
    Val,
    derived,
    either_way,
    inside_of,
    is_function,
    join,
    join_all,
    many,
)
from querylint.frontends.flow.vocabulary import Consumption
from querylint.frontends.flow.works import picked
from querylint.frontends.python.language.arguments import placed
from querylint.ir import ITEM, Escape, Loop, LoopKind, Origin, Predicate, Relation, Side, Work
from querylint.syntax import tree

PURE = frozenset(
    "int float round abs divmod pow hash id ord chr hex oct bin format type isinstance issubclass callable print super object bytes "
    "bytearray complex memoryview open input vars dir globals locals delattr staticmethod classmethod property slice".split()
)


def ran(m: State, value: Val, how: Consumption, node: tree.Expr) -> Val:
    """A collection; a query among them is run in the way that is asked for."""
    if isinstance(value.shape, Query):
        return m.vocabulary.consumed(m, value, how, node) or derived(value)
    return value


def _first(m: State, node: tree.Call) -> tree.Expr | None:
    return node.args[0] if node.args and not isinstance(node.args[0], tree.Spread) else None


def _seeks(m: State, node: tree.Call) -> None:
    """A generator in the first argument is asked for no more once it has given what is looked for; a list is made whole before."""
    first = _first(m, node)
    if not isinstance(first, tree.Comprehension) or first.kind != "generator" or not m.block:
        return
    last = m.block[-1]
    if isinstance(last, Loop) and last.span.start >= m.lines.span(first.at, first.end).start:
        m.block[-1] = replace(last, seeks=True)


def _rest(m: State, node: tree.Call) -> list[Val]:
    return [m.evaluate(a) for a in (*node.args[1:], *(v for _, v in node.keywords))]


def _over(m: State, node: tree.Call, *, partial: bool = False) -> tuple[Val, Val | None]:
    """The collection in the first argument, and the element that a comprehension there makes of its items."""
    first = _first(m, node)
    if first is None:
        return derived(*placed(m, node, None)), None
    if isinstance(first, tree.Comprehension):
        made, element = run(m, first, partial=partial)
        return made, element
    return iterated(m, first, partial=partial), None


def _len(m: State, node: tree.Call) -> Val:
    if len(node.args) != 1:
        return derived(*placed(m, node, None))
    base = m.language.measured(m, node, Work.COUNT, node.args[0])
    shape = base.shape
    if isinstance(shape, Many) and shape.items is not None:
        return Val(deps=base.deps, literal=len(shape.items))
    return Val(deps=base.deps)


def _collected(m: State, node: tree.Call) -> Val:
    over, _ = _over(m, node)
    _rest(m, node)
    return over if over.interesting else Val(deps=over.deps, shape=Many(NOTHING))


def _set(m: State, node: tree.Call) -> Val:
    over = _collected(m, node)
    return replace(over, shape=Many(over.item(), None, False, True)) if not isinstance(over.shape, Record) else over


def _dict(m: State, node: tree.Call) -> Val:
    if not node.args:
        fields = {name: m.evaluate(value) for name, value in node.keywords if name != "**"}
        rest = tuple(m.evaluate(value) for name, value in node.keywords if name == "**")
        if not fields and not rest:
            return Val(shape=Many(NOTHING, None, True))
        return Val(deps=derived(*fields.values(), *rest).deps, shape=Record(fields, rest))
    over, _ = _over(m, node)
    _rest(m, node)
    if isinstance(over.shape, Record) or (isinstance(over.shape, Many) and over.shape.keyed):
        return over
    pair = over.item()
    if isinstance(pair.shape, Many) and pair.shape.items:
        m.leak(pair.shape.items[0], Escape.STORED, node.at, node.end)  # a row that is a key is kept like one that is a value
    value = pair.shape.items[1] if isinstance(pair.shape, Many) and pair.shape.items and len(pair.shape.items) > 1 else pair.item()
    return Val(deps=over.deps, shape=Many(value, None, True))


def _sorted(m: State, node: tree.Call) -> Val:
    over, _ = _over(m, node)
    return sorted_rows(m, node, over)


def sorted_rows(m: State, node: tree.Call, over: Val) -> Val:
    """Rows sorted by the `key` that a call names."""
    keywords = dict(node.keywords)
    fields = _key_fields(m, keywords.get("key"), over)
    reverse = keywords.get("reverse")
    down = (
        None if reverse is not None and not isinstance(reverse, tree.Literal) else bool(isinstance(reverse, tree.Literal) and reverse.value)
    )
    number = m.use(Work.SORT, over, node.at, node.end, fields=fields, descending=down)
    return over.worked(number) if number is not None else over


def _key_fields(m: State, key: tree.Expr | None, over: Val) -> tuple[str, ...]:
    """The fields that a sort key reads from a row; empty where it computes something."""
    if key is None:
        return ()
    if isinstance(key, tree.Call) and isinstance(key.func, tree.Name | tree.Member):
        name = key.func.id if isinstance(key.func, tree.Name) else key.func.name
        if name in ("attrgetter", "itemgetter"):
            return tuple(a.value for a in key.args if isinstance(a, tree.Literal) and isinstance(a.value, str))
    callback = m.evaluate(key)
    if not is_function(callback.shape):
        return ()
    item = over.item()
    with m.loop(LoopKind.EACH, key.at, key.end, over=over, over_text="") as frame:
        result = _called_back(m, key, callback, (item.with_deps(frozenset({frame.id})),))
    if isinstance(callback.shape, OneOf):
        return ()
    parts = result.shape.items if isinstance(result.shape, Many) and result.shape.items else (result,)
    found = [_field(o, over) for part in parts for o in part.origins]
    return tuple(f for f in found if f) if all(part.origins for part in parts) else ()


def _field(origin: Origin, over: Val) -> str:
    return field_of(origin, tuple(row.at(ITEM) for row in over.rows)) or ""


def _tested(work: Work) -> Callable[[State, tree.Call], Val]:
    def run_through(m: State, node: tree.Call) -> Val:
        over, element = _over(m, node, partial=True)
        if work is Work.SOME:
            _seeks(m, node)
        if element is not None and isinstance(node.args[0], tree.Comprehension):
            source = source_of(over, element)
            items = tuple(o.at(ITEM) for o in source.rows)
            found = stated(m, truth(element, node.args[0].element), items)
            if found:
                m.use(work, source, node.at, node.end, predicates=found)
        elif element is None and over.origins:
            m.use(work, over, node.at, node.end)  # what the items are tells: `any(errors)`
        return derived(over)

    return run_through


def source_of(made: Val, element: Val) -> Val:
    """The rows that a comprehension over them was made of."""
    return Val(made.rows or _rows_of(element), made.deps, works=made.works or element.works)


def _rows_of(element: Val) -> tuple[Origin, ...]:
    found: dict[Origin, None] = {}
    for condition in element.conditions:
        if condition.origin is not None and ITEM in condition.origin.path:
            path = condition.origin.path
            last = max(n for n, part in enumerate(path) if part == ITEM)
            found[replace(condition.origin, path=path[:last])] = None
    for origin in element.origins:
        if ITEM in origin.path:
            last = max(n for n, part in enumerate(origin.path) if part == ITEM)
            found[replace(origin, path=origin.path[:last])] = None
    return tuple(found)


def _folded(m: State, node: tree.Call) -> Val:
    over, element = _over(m, node)
    rest = _rest(m, node)
    if len(node.args) > 1 and node.func.id in ("min", "max"):  # type: ignore[union-attr]
        return join_all([over, *rest])
    source = source_of(over, element) if element is not None else over
    fields = tuple(f for o in element.origins if (f := _field(o, source))) if element is not None else ()
    keywords = dict(node.keywords)
    if "key" in keywords:
        fields = _key_fields(m, keywords["key"], over)
    first = node.args[0] if node.args else None
    worked_out = isinstance(first, tree.Comprehension) and any(isinstance(n, tree.Call) for n in tree.walk(first.element))
    extreme = isinstance(node.func, tree.Name) and node.func.id != "sum"
    if not worked_out and (fields or "key" not in keywords):  # what a call works out for each row no database knows
        m.use(Work.FOLD, source, node.at, node.end, fields=fields, extreme=extreme)
    return over.item() if extreme else derived(over, *rest)


def _next(m: State, node: tree.Call) -> Val:
    over, _ = _over(m, node, partial=True)
    _seeks(m, node)
    default = _rest(m, node)
    chosen = isinstance(node.args[0], tree.Comprehension) and any(tests for _, _, tests, _ in node.args[0].clauses) if node.args else False
    one = over.rows and not chosen and not _goes_on(m, node)
    found = picked(m, Work.FIRST, over, node.at, node.end) if one else over.item()
    return join(found, default[0]) if default and default[0].interesting else either_way(found) if default else found


def _goes_on(m: State, node: tree.Call) -> bool:
    """Whether more is taken of an iterator: each round of a loop takes the next item of one that was there before it, or its name comes up
    elsewhere: `chain([first], rest)`."""
    name, fn = node.args[0] if node.args else None, m.calling[-1] if m.calling else None
    if not isinstance(name, tree.Name) or not isinstance(fn, tree.Fn):
        return False
    if any(other.id == name.id and other.at != name.at for other in tree.find(fn.body, tree.Name)):
        return True
    around = [loop for loop in tree.find(fn.body, tree.For) if loop.at <= node.at < loop.end]
    inner = max(around, key=lambda loop: loop.at, default=None)
    return inner is not None and not any(pattern.id == name.id for pattern in tree.find(inner, tree.NamePattern))


def _enumerate(m: State, node: tree.Call) -> Val:
    over, _ = _over(m, node)
    _rest(m, node)
    most = over.shape.most if isinstance(over.shape, Many) else None
    return Val(deps=over.deps, shape=Many(many((Val(deps=over.deps), over.item())), None, most=most))


def _zip(m: State, node: tree.Call) -> Val:
    parts = [iterated(m, arg) for arg in node.args]
    sizes = [p.shape.most for p in parts if isinstance(p.shape, Many) and p.shape.most is not None]
    return Val(deps=derived(*parts).deps, shape=Many(many(tuple(p.item() for p in parts)), None, most=min(sizes) if sizes else None))


def islice(m: State, node: tree.Call) -> Val:
    """`islice(rows, 5)`, `islice(rows, start, stop)`."""
    over, _ = _over(m, node, partial=True)
    numbers = [amount(a) for a in _rest(m, node)]
    stop = numbers[1] if len(numbers) > 1 else numbers[0] if numbers else None
    if stop is None or not over.interesting:
        return over
    return replace(over, shape=Many(over.item(), None, most=stop))


def cast(m: State, node: tree.Call) -> Val:
    """`cast(Type, value)` is the value, whatever it says of its type."""
    named = dict(node.keywords)
    value = node.args[1] if len(node.args) > 1 else named.get("val")
    return m.evaluate(value) if value is not None else NOTHING


def _map(m: State, node: tree.Call) -> Val:
    if len(node.args) < 2:
        return derived(*placed(m, node, None))
    callback = m.evaluate(node.args[0])
    over = iterated(m, node.args[1])
    others = tuple(iterated(m, a) for a in node.args[2:])  # of which each round takes one as well
    made = _each(m, node, callback, over, *others)
    return Val(deps=derived(over, made, *others).deps, pending=made.pending, shape=Many(made))


def _each(m: State, node: tree.Call, callback: Val, over: Val, *others: Val) -> Val:
    size = over.shape.most if isinstance(over.shape, Many) else None
    with m.loop(
        LoopKind.EACH, node.at, node.end, over=over, over_text=m.text(node.args[1]), constant=size is not None and not over.origins,
        limit=size,
    ) as frame:  # fmt: skip
        items = tuple(each.item().with_deps(frozenset({frame.id})) for each in (over, *others))
        return _called_back(m, node.args[0], callback, items, (node.at, node.end))


def _called_back(m: State, written: tree.Expr, callback: Val, items: tuple[Val, ...], around: tuple[int, int] | None = None) -> Val:
    """What a callback yields for the items of one round; `around` is the call that it is handed to, where that is the place to name."""

    def called(one: Val) -> Val:
        if isinstance(one.shape, Closure) and not one.shape.name:
            return m.invoke(one.shape, items, one.shape.fn.at, one.shape.fn.end, inline=True)
        made = m.vocabulary.called_back(m, tree.Call(written, [], at, end), one, items)
        return made if made is not None else derived(*items)

    at, end = around or (written.at, written.end)
    return each_way(m, callback, called, at, end)


def _filter(m: State, node: tree.Call) -> Val:
    if len(node.args) < 2:
        return derived(*placed(m, node, None))
    callback = m.evaluate(node.args[0])
    over = iterated(m, node.args[1])
    result = _each(m, node, callback, over)
    items = tuple(o.at(ITEM) for o in over.rows)
    several = isinstance(callback.shape, OneOf)  # what one of them tests, not all do
    predicates = stated(m, truth(result, node.args[0]), items) if not several else ()
    if not predicates and not result.conditions and not several:
        return over
    number = m.use(Work.FILTER, over, node.at, node.end, predicates=predicates or (Predicate(None, Relation.OTHER, Side.MEMORY),))
    return over.worked(number) if number is not None else over


def _range(m: State, node: tree.Call) -> Val:
    args = [m.evaluate(a) for a in node.args]
    numbers = [a.literal for a in args]
    whole = [n for n in numbers if isinstance(n, int)]
    most = len(range(*whole)) if whole and len(whole) == len(numbers) and whole[2:] != [0] else None
    return Val(deps=derived(*args).deps, shape=Many(derived(*args), None, most=most))


def _bool(m: State, node: tree.Call) -> Val:
    first = _first(m, node)
    if first is None:
        return NOTHING
    value = ran(m, m.evaluate(first), Consumption.TESTED, node)
    return replace(derived(value), conditions=truth(value, first))


def _text(m: State, node: tree.Call) -> Val:
    first = _first(m, node)
    if first is None:
        return derived(*placed(m, node, None))
    value = m.evaluate(first)
    _rest(m, node)
    shown = m.vocabulary.consumed(m, value, Consumption.SHOWN, node)
    return derived(value, shown or NOTHING)


def _getattr(m: State, node: tree.Call) -> Val:
    if len(node.args) >= 2 and isinstance(node.args[1], tree.Literal) and isinstance(node.args[1].value, str):
        base = m.evaluate(node.args[0])
        rest = _rest(m, node)
        found = member(m, base, tree.Member(node.args[0], node.args[1].value, node.at, node.end, node.args[1].at))
        return join(found, rest[1]) if len(rest) > 1 and rest[1].interesting and inside_of(found) is None else found
    args = placed(m, node, None)
    if args:
        m.leak(args[0], Escape.PASSED, node.at, node.end)  # any attribute may be asked for
    return derived(*args)


def _hasattr(m: State, node: tree.Call) -> Val:
    """Whether there is an attribute: a property runs for it, and a query that it holds is not run."""
    return derived(_getattr(m, node))


def _setattr(m: State, node: tree.Call) -> Val:
    """A member is set; one by a name that is not written down may be any."""
    args = placed(m, node, None)
    name = args[1].literal if len(args) == 3 and len(node.args) == 3 else None
    if isinstance(name, str):
        m.vocabulary.assigned(m, args[0], tree.Member(node.args[0], name, node.at, node.end, node.at), args[2])
    return derived(*args)


BUILT_IN: dict[str, Callable[[State, tree.Call], Val]] = {
    "len": _len, "list": _collected, "tuple": _collected, "iter": _collected, "aiter": _collected, "reversed": _collected, "set": _set,
    "frozenset": _set, "dict": _dict, "sorted": _sorted, "any": _tested(Work.SOME), "all": _tested(Work.EVERY), "sum": _folded,
    "min": _folded, "max": _folded, "next": _next, "anext": _next, "enumerate": _enumerate, "zip": _zip, "map": _map, "filter": _filter,
    "range": _range, "bool": _bool, "str": _text, "repr": _text, "getattr": _getattr, "hasattr": _hasattr, "setattr": _setattr,
}  # fmt: skip

COLLECTIONS = frozenset("defaultdict OrderedDict Counter deque namedtuple ChainMap".split())


def owned(m: State, node: tree.Call, owner: str, name: str) -> Val | None:
    """Functions of well-known modules by their usual names."""
    if owner == "asyncio" and name in ("gather", "wait", "as_completed"):
        return gathered(m, node)
    if owner == "asyncio" and name in ("create_task", "ensure_future", "wait_for", "shield"):
        args = placed(m, node, None)
        return args[0] if args else NOTHING
    return None


def gathered(m: State, node: tree.Call) -> Val:
    """Coroutines that run together: what they give is there when all are done."""
    values = placed(m, node, None)
    pending = NO_STEPS
    items: list[Val] = []
    for arg, value in zip((*node.args, *(v for _, v in node.keywords)), values, strict=False):
        pending |= value.pending | (value.shape.item.pending if isinstance(value.shape, Many) else NO_STEPS)
        items.append(value.item().settled() if isinstance(arg, tree.Spread) else value.settled())
    exact = not any(isinstance(a, tree.Spread) for a in node.args)
    made = many(tuple(items) if exact else None, join_all(items) if items else NOTHING)
    return replace(made, pending=pending)
