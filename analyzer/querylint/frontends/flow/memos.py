"""Memories that a program keeps by itself: what it reads only where a collection or an attribute lacks it, and puts there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.construction import dataclass, replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure
from querylint.ir import Access, Block, Branch, Call, Op, Step
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, text_of

STORING = frozenset(("set", "setdefault", "put", "__setitem__"))
FILLING = frozenset(("append", "add", "extend", "update"))
EQUAL = frozenset(("==", "==="))
UNEQUAL = frozenset(("!=", "!=="))
KINDS = frozenset(("hasattr", "isinstance"))
OWN = frozenset(("self", "cls"))
KEYS = frozenset(("id", "pk"))
KEEPING = re.compile(
    r"^(?:(?:a|timed_|async_)?lru_cache|ttl_cache|cache|cached|cachedmethod|cached_(?:class_?property|(?:class)?method|function)|reify"
    r"|\w*cached?_?property|memoized?\w*|lazy_property|cache_on_arguments|cache_memoize|cache_for_\w+)$"
)


@dataclass(slots=True)
class Memory:
    """What a program looks into before it reads: an attribute, an entry, or a collection with the key that is looked for there."""

    place: tree.Expr
    key: tree.Expr | None = None


def fills(m: State, node: tree.If, block: Block) -> bool:
    """Whether the first arm runs only where a memory lacks something, and puts what it reads there: `if key not in found: ...`.

    The steps of the statement are handed over: what is put must be one of them, not a flag beside them.
    """
    if not m.calling or not (m.language.function_scoped or _storing(node.then)):
        return False
    memory = _lacking(m, node.test)
    if memory is None or not (m.language.function_scoped or memory.key is not None) or not _lasts(m, node, memory):
        return False
    if _reads(m, tuple(s for b in block if isinstance(b, Branch) for s in b.arms[0]), _put(m, node.then, memory), node.then):
        return True
    return any(_marks(m, call, memory) for call in tree.find(node.then, tree.Call))


def answers(m: State, node: tree.Stmt, rest: list[tree.Stmt]) -> tuple[int, Memory] | None:
    """The statement of the rest that fills a memory, where this one leaves with what is there: `if key in found: return found[key]`."""
    if not m.language.function_scoped or not isinstance(node, tree.If) or not m.calling or node.other or not node.then:
        return None
    if not isinstance(node.then[-1], tree.Return):
        return None
    memory = _present(m, node.test)
    if memory is None:
        return None
    put = next((n for n, statement in enumerate(rest) if _put(m, [statement], memory)), None)
    return (put, memory) if put is not None and _lasts(m, node, memory) else None


def filled(m: State, block: Block, body: list[tree.Stmt], memory: Memory) -> bool:
    """Whether what these statements put into a memory is what these steps of theirs read, or that they are done, whoever asks."""
    put = _put(m, body, memory)
    return _reads(m, block, put, body) or _done(m, body, put, memory)


def _done(m: State, body: list[tree.Stmt], put: list[tree.Expr], memory: Memory) -> bool:
    """Whether statements end by setting a flag, in a function that is told nothing: `if self.ready: return`, ..., `self.ready = True`."""
    fn = m.calling[-1]
    if memory.key is not None or not isinstance(fn, tree.Fn) or any(not _own(param) for param in fn.params):
        return False
    last = body[-1]
    sets = isinstance(last, tree.Do) and isinstance(last.value, tree.Assign) and last.value.value in put
    flagged = all(isinstance(value, tree.Literal) and value.value is True for value in put)
    return sets and flagged and not tree.find(body, tree.Return)


def _own(param: tree.Param) -> bool:
    return isinstance(param.pattern, tree.NamePattern) and param.pattern.id in OWN


def keeps(fn: tree.Fn) -> bool:
    """Whether a decorator has a function keep its results: `@lru_cache`."""
    return any(KEEPING.match(callee_name(decorator)) for decorator in fn.decorators)


def kept(block: Block) -> Block:
    """Steps of which the results are kept: whoever asks again for the same reads nothing."""
    return tuple(map(_kept, block))


def _kept(step: Step) -> Step:
    if isinstance(step, Call):
        return replace(step, kept=True)
    if isinstance(step, Access) and step.op is Op.READ:
        return replace(step, memoized=True)
    return replace(step, arms=tuple(map(kept, step.arms))) if isinstance(step, Branch) else step


def _lacking(m: State, test: tree.Expr) -> Memory | None:
    """What a test finds to be missing, or to hold nothing for a key: a collection, an attribute, an entry."""
    if not isinstance(test, tree.Op):
        return None
    if test.sign == "!" and len(test.operands) == 1:
        return _present(m, test.operands[0])
    return _held(m, test.operands[0]) if test.sign in EQUAL and _nothing(test.operands[1]) else None


def _present(m: State, test: tree.Expr) -> Memory | None:
    """What a test finds to be there, or to hold something for a key."""
    if isinstance(test, tree.Logic) and test.sign == "&&":
        return _present(m, test.left) or _present(m, test.right)
    if isinstance(test, tree.Op):
        if test.sign == "in":
            return Memory(test.operands[1], test.operands[0])
        return _held(m, test.operands[0]) if test.sign in UNEQUAL and _nothing(test.operands[1]) else None
    return _held(m, test)


def _held(m: State, inner: tree.Expr) -> Memory | None:
    """The memory that an expression looks into."""
    if isinstance(inner, tree.Call) and isinstance(inner.func, tree.Name) and inner.func.id in KINDS and len(inner.args) == 2:
        if inner.func.id == "isinstance":
            return _held(m, inner.args[0])
        name = text_of(inner.args[1])
        return Memory(tree.Member(inner.args[0], name, inner.at, inner.end, inner.at)) if name else None
    if isinstance(inner, tree.Name):
        return _asked(m, inner.id) or (Memory(inner) if _outside(m, inner.id) else None)
    if isinstance(inner, tree.Index):
        return Memory(inner.base, inner.key)
    return Memory(inner) if isinstance(inner, tree.Member) else _got(inner)


def _nothing(node: tree.Expr) -> bool:
    return isinstance(node, tree.Literal) and (node.value is None or node.value is tree.UNDEFINED)


def _got(node: tree.Expr) -> Memory | None:
    """The collection that `found.get(key)` or `found.has(key)` asks, also where the answer gets a name."""
    if isinstance(node, tree.Assign):
        node = node.value
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name in ("get", "has") and node.args:
        return Memory(node.func.base, node.args[0])
    return None


def _asked(m: State, name: str) -> Memory | None:
    """The collection that was asked for what a variable holds."""
    return next((memory for value in _values(_body(m), name) if (memory := _got(value)) is not None), None)


def _outside(m: State, name: str) -> bool:
    """Whether a name that a function gives values to is no variable of its own: `global name`."""
    fn = m.calling[-1]
    if not isinstance(fn, tree.Fn):
        return False
    own = (*(param.pattern for param in fn.params), *(let.pattern for let in tree.find(fn.body, tree.Let)))
    return not any(pattern.id == name for pattern in tree.find(own, tree.NamePattern))


def _put(m: State, body: list[tree.Stmt], memory: Memory) -> list[tree.Expr]:
    """What is put into a memory by the key that was looked for, or becomes what it is."""
    name, key = _name(m, memory.place), memory.key
    found: list[tree.Expr] = []
    for node in tree.find(body, tree.Assign, tree.Call):
        if isinstance(node, tree.Assign):
            if _is_place(m, node.target, name, key):
                found.append(node.value)
        elif isinstance(node, tree.Call) and key is not None and _stores(m, node, name) and _same(m, node.args[0], key):
            found.append(node.args[1])
    return found


def _marks(m: State, call: tree.Call, memory: Memory) -> bool:
    """Whether a function that is called without knowing it from outside sets what was found to be lacking: `if not ready: load()`."""
    own = _dotted(memory.place)
    func = call.func
    if not own or not (isinstance(func, tree.Name) or (isinstance(func, tree.Member) and _dotted(func.base) in OWN)):
        return False
    with m.recording():
        shape = m.evaluate(func).shape
    if not isinstance(shape, Closure):
        return False
    if memory.key is not None:
        return shape.path == m.lines.path and bool(_put(m, shape.fn.body, memory))
    sets = (node for node in tree.find(shape.fn.body, tree.Assign) if node.sign == "=" and _dotted(node.target) == own)
    return any(not (isinstance(node.value, tree.Literal) and not node.value.value) for node in sets)


def _dotted(node: tree.Expr | tree.Pattern) -> str:
    """A name, or a path of members that begins with one; empty for anything else."""
    if isinstance(node, tree.Name | tree.NamePattern):
        return node.id
    base = _dotted(node.base) if isinstance(node, tree.Member) else ""
    return f"{base}.{node.name}" if base and isinstance(node, tree.Member) else ""


def _is_place(m: State, target: tree.Pattern, name: str, key: tree.Expr | None) -> bool:
    """Whether an assignment goes to a memory, by the key that was looked for."""
    whole = isinstance(target, tree.Member | tree.Index | tree.Name | tree.NamePattern) and _name(m, target) == name
    if key is None or (whole and isinstance(target, tree.Member)):
        return whole  # of an attribute, the entries may be read anew where one is missing
    if isinstance(target, tree.Member):
        return isinstance(key, tree.Literal) and target.name == key.value and _name(m, target.base) == name
    return isinstance(target, tree.Index) and _name(m, target.base) == name and _same(m, target.key, key)


def _storing(body: list[tree.Stmt]) -> bool:
    """Whether statements put something somewhere by a key."""
    calls = tree.find(body, tree.Call)
    return any(isinstance(call.func, tree.Member) and call.func.name in STORING and len(call.args) > 1 for call in calls)


def _stores(m: State, node: tree.Call, name: str) -> bool:
    func = node.func
    return isinstance(func, tree.Member) and func.name in STORING and len(node.args) > 1 and _name(m, func.base) == name


def _reads(m: State, block: Block, put: list[tree.Expr], body: list[tree.Stmt]) -> bool:
    """Whether something that is put is read by these steps, at once or by way of names that these statements give it."""
    values, known = list(put), set[str]()
    for value in values:  # grows as it is gone through
        for name in tree.find(value, tree.Name):
            if name.id in known:
                continue
            known.add(name.id)
            values += _values(body, name.id)
            values += _members(body, name.id)
            # what a cursor gives was read by its statement
            values += [
                call
                for call in tree.find(body, tree.Call)
                if isinstance(call.func, tree.Member) and call.func.name == "execute" and _name(m, call.func.base) == name.id
            ]
    spans = [m.span(value.at, value.end) for value in values]
    return any(span.start <= step.span.start < span.end for step in _reading(block) for span in spans)


def _reading(block: Block) -> Iterator[Access | Call]:
    for step in block:
        if isinstance(step, Call) or (isinstance(step, Access) and step.op is Op.READ):
            yield step
        elif isinstance(step, Branch):
            for arm in step.arms:
                yield from _reading(arm)


def _values(body: list[tree.Stmt], name: str) -> list[tree.Expr]:
    """What a name stands for in a piece of code."""
    given = [n.value for n in tree.find(body, tree.Assign) if any(p.id == name for p in tree.find(n.target, tree.NamePattern))]
    lets = [(n.pattern, n.value) for n in tree.find(body, tree.Let)]
    return given + [v for pattern, v in lets if v is not None and any(p.id == name for p in tree.find(pattern, tree.NamePattern))]


def _members(body: list[tree.Stmt], name: str) -> list[tree.Expr]:
    """What is put into the collection of a name, and what a loop that hands out its values goes over."""
    found = [n.value for n in tree.find(body, tree.Assign) if isinstance(n.target, tree.Index) and _dotted(n.target.base) == name]
    for call in tree.find(body, tree.Call):
        if isinstance(call.func, tree.Member) and call.func.name in FILLING and _dotted(call.func.base) == name:
            found += call.args
    for loop in tree.find(body, tree.For):
        if loop.over is not None and loop.pattern is not None and any(p.id == name for p in tree.find(loop.pattern, tree.NamePattern)):
            found.append(loop.over)
    return found


def _name(m: State, node: tree.Expr | tree.Pattern) -> str:
    if isinstance(node, tree.Member):
        return f"{_name(m, node.base)}.{node.name}"
    return m.lines.text(node.at, node.end)


def _same(m: State, one: tree.Expr, other: tree.Expr) -> bool:
    return _name(m, one) == _name(m, other)


def _body(m: State) -> list[tree.Stmt]:
    fn = m.calling[-1]
    return fn.body if isinstance(fn, tree.Fn) else []


def _lasts(m: State, node: tree.If, memory: Memory) -> bool:
    """Whether a memory is there before the loop around, or the function, begins, and may hold what a round looks for."""
    fn = m.calling[-1]
    if not isinstance(fn, tree.Fn):
        return False
    loops = [loop for loop in tree.find(fn.body, tree.For) if loop.at <= node.at < loop.end]
    loop = max(loops, key=lambda n: n.at, default=None)
    start, end = (loop.at, loop.end) if loop is not None else (fn.at, fn.end)
    root = memory.place
    while isinstance(root, tree.Member | tree.Index | tree.Call):
        root = root.func if isinstance(root, tree.Call) else root.base
    if not isinstance(root, tree.Name):
        return False
    given = {p.id for param in fn.params for p in tree.find(param.pattern, tree.NamePattern)} - OWN
    if memory.place is not root and root.id in given:
        return False  # somebody else's object, which may be another one in each round of the caller
    names = {n.id for n in tree.find(memory.place, tree.Name)}
    filling = range(node.at, node.end) if memory.place is root else range(0)
    given_here = (n for n in tree.find(fn.body, tree.NamePattern) if n.id in names and n.at not in filling)
    if any(start <= n.at < min(n.end, end) for n in given_here):
        return False
    return loop is None or memory.key is None or not _once(m, loop, memory.key)


def _once(m: State, loop: tree.For, key: tree.Expr) -> bool:
    """Whether no two rounds of a loop look for the same key: the row itself, its primary key, the number of the round."""
    items = {p.id for p in tree.find(loop.pattern, tree.NamePattern)} if loop.pattern is not None else set[str]()
    keys = [key]
    if isinstance(key, tree.Name) and key.id not in items:
        keys += _values(loop.body, key.id)
    for one in keys:
        if isinstance(one, tree.Member) and one.name in KEYS and isinstance(one.base, tree.Name) and one.base.id in items:
            return True
        if isinstance(one, tree.Name) and one.id in items:
            var = m.scope.find(one.id)
            counted = isinstance(loop.over, tree.Call) and isinstance(loop.over.func, tree.Name) and loop.over.func.id == "range"
            if counted or (var is not None and m.store.get(var, NOTHING).doc_of is not None):
                return True
    return False
