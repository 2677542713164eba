"""Python's own words for the walk: its built-in functions, and the methods of its collections and texts."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow import works
from querylint.frontends.flow.binding import plain_member
from querylint.frontends.flow.expressions import member
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Condition, External, Many, Query, Record, Val, derived, either_way, inside_of, join_all
from querylint.frontends.flow.vocabulary import Consumption, Language
from querylint.frontends.python.language import texts
from querylint.frontends.python.language.arguments import placed
from querylint.frontends.python.language.builtin import BUILT_IN, PURE, owned, ran
from querylint.frontends.python.language.methods import method
from querylint.frontends.python.language.outside import of_outside
from querylint.ir import Escape, Relation, Value, Work
from querylint.syntax import tree


class Python:
    """Built-in functions, methods, slices, membership."""

    function_scoped = True
    loose_equality = False

    def composed(self, state: State, node: tree.Expr, values: list[Val]) -> Val | None:
        """A constant, an f-string, `+`, `+=` and `%`, where they make a statement of SQL."""
        if isinstance(node, tree.Literal):
            return texts.constant(node)
        if isinstance(node, tree.Op) and node.sign == "%" and len(values) == 2:
            texts.shown(state, parts_of(*values), node)
            return texts.percented(*values)
        if isinstance(node, tree.Template) or (isinstance(node, tree.Op | tree.Assign) and node.sign in ("+", "+=")):
            return texts.joined(values)
        return None

    def sized(self, node: tree.Expr) -> tree.Expr | None:
        """`len(xs)`."""
        if isinstance(node, tree.Call) and isinstance(node.func, tree.Name) and node.func.id == "len" and len(node.args) == 1:
            return node.args[0]
        return None

    def measured(self, state: State, node: tree.Expr, work: Work, sized: tree.Expr, most: Value | None = None) -> Val:
        """Ask for a length: a query is loaded for it."""
        base = ran(state, state.evaluate(sized), Consumption.MEASURED, node)
        state.use(work, base, node.at, node.end, size=most, distinct=isinstance(base.shape, Many) and base.shape.distinct)
        return base

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """No attribute means the same on every value."""
        return None

    def method(self, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
        """A method of a collection or a text."""
        if isinstance(base.shape, External) and (known := of_outside(state, node, f"{base.shape.source}.{func.name}")) is not None:
            return known
        return method(state, node, func, base)

    def owned(self, state: State, node: tree.Call, owner: str, name: str) -> Val | None:
        """`asyncio.gather` and the class methods of built-in types."""
        known = of_outside(state, node, f"{owner}.{name}")
        return known if known is not None else owned(state, node, owner, name)

    def function(self, state: State, node: tree.Call, name: tree.Expr, func: Val) -> Val | None:
        """A built-in function."""
        if isinstance(func.shape, External) and (made := of_outside(state, node, func.shape.source)) is not None:
            return made
        if not isinstance(name, tree.Name) or state.scope.find(name.id) is not None or func.interesting:
            return None
        known = BUILT_IN.get(name.id)
        if known is not None:
            return known(state, node)
        if name.id in PURE:
            return derived(*placed(state, node, None))
        return None

    def index(self, state: State, base: Val, node: tree.Index) -> Val | None:
        """A slice, the last element, an element of a dictionary."""
        if isinstance(base.shape, Query):
            how = Consumption.SLICED if isinstance(node.key, tree.Slice) else Consumption.INDEXED
            return state.vocabulary.consumed(state, base, how, node)
        if isinstance(node.key, tree.Slice):
            return _sliced(state, base, node, node.key)
        if isinstance(node.key, tree.Op) and node.key.sign == "-":
            return works.picked(state, Work.LAST, base, node.at, node.end)
        name = node.key.value if isinstance(node.key, tree.Literal) else _constant(state, node.key)
        if isinstance(name, str):
            if (owner := inside_of(base)) is not None:
                return member(state, owner, tree.Member(node.base, name, node.at, node.end, node.key.at))
            return keyed(state, base, name)
        return None

    def contains(self, state: State, node: tree.Op) -> Val | None:
        """`item in collection`."""
        item = state.evaluate(node.operands[0])
        base = ran(state, state.evaluate(node.operands[1]), Consumption.SEARCHED, node)
        if inside_of(base) is not None:
            return replace(derived(item, base), literal=True)
        if base.origins and not isinstance(base.shape, Record):
            state.use(Work.MEMBER, base, node.at, node.end)
        if item.doc_of is not None and base.item().doc_of is not None:
            state.leak(item, Escape.PASSED, node.operands[0].at, node.operands[0].end)  # rows are compared with rows: a key alone is none
        found = tuple(Condition(o, Relation.IN, base, at=node.at, end=node.end) for o in item.origins)
        return Val(deps=derived(item, base).deps, conditions=found)

    def arguments(self, state: State, node: tree.Call, fn: tree.Fn | None) -> tuple[Val, ...]:
        """Arguments in the order of the parameters."""
        return placed(state, node, fn)


def parts_of(template: Val, value: Val) -> tuple[Val, ...]:
    """What `%` puts into a text: one value, the members of a tuple, those of a dictionary that the text names."""
    shape = value.shape
    if value.doc_of is None and isinstance(shape, Many) and shape.items is not None:
        return shape.items
    if value.doc_of is not None or not isinstance(shape, Record):
        return (value,)
    text = template.literal if isinstance(template.literal, str) else ""
    return tuple(part for name, part in shape.fields.items() if f"%({name})" in text)


def _constant(m: State, key: tree.Expr) -> object:
    """What a variable holds that is a key, where that is written down: an entry is found under it as it was put there."""
    return m.evaluate(key).literal if isinstance(key, tree.Name) else None


def keyed(m: State, base: Val, name: str) -> Val:
    """`base["name"]`."""
    shape = base.shape
    if isinstance(shape, Record):
        if name in shape.fields:
            return either_way(shape.fields[name]).with_deps(base.deps)
        rest = [part.item() if isinstance(part.shape, Many) else plain_member(m, part, name) for part in shape.rest]
        return join_all(rest).with_deps(base.deps)
    if isinstance(shape, Many):
        if name in shape.names and shape.items is not None:
            m.touch(base, name)
            return shape.items[shape.names.index(name)].with_deps(base.deps)
        return shape.item.with_deps(base.deps)
    m.touch(base, name)
    return Val(tuple(o.at(name) for o in base.origins if len(o.path) < 8), base.deps, base.pending)


def _sliced(m: State, base: Val, node: tree.Index, key: tree.Slice) -> Val:
    parts = [(m.evaluate(part), part) if part is not None else None for part in (key.start, key.stop)]
    start, stop = (m.value(*part) if part is not None else None for part in parts)
    deps = derived(*(part[0] for part in parts if part is not None)).deps
    first, last = (part[0].literal if part is not None and isinstance(part[0].literal, int) else None for part in parts)
    if isinstance(base.shape, Many) and base.shape.items is not None and not base.origins:
        known = all(part is None or n is not None for part, n in zip(parts, (first, last), strict=True))
        items = base.shape.items[first:last] if known else None
        return Val(deps=base.deps, shape=Many(base.shape.item, items))
    number = m.use(Work.SLICE, base, node.at, node.end, start=start, size=stop, deps=deps)
    most = _most(first, last, open_end=stop is None)
    if most is not None and (base.origins or isinstance(base.shape, Many)):
        keyed = isinstance(base.shape, Many) and base.shape.keyed
        base = replace(base, shape=Many(base.item(), None, keyed, most=most))
    return (base.worked(number) if number is not None else base).with_deps(deps)


def _most(start: int | None, stop: int | None, *, open_end: bool) -> int | None:
    """How many items a slice holds at most, as far as its bounds tell."""
    if stop is not None and stop >= 0:
        return max(0, stop - start) if start is not None and start >= 0 else stop
    return -start if open_end and start is not None and start < 0 else None


PYTHON: Language = Python()

__all__ = ["PYTHON", "Python"]
