"""Memories that a program keeps by itself: what it reads only where a collection or an attribute lacks it, and puts there."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.ir import Access, Block, Branch, Call, Op, Step
from querylint.syntax import tree

STORING = frozenset(("set", "setdefault", "put", "__setitem__"))
EQUAL = frozenset(("==", "==="))


def fills(m: State, node: tree.If) -> bool:
    """Whether the first arm runs only where a memory lacks something, and puts it there: `if key not in found: found[key] = ...`."""
    if not m.language.function_scoped or not m.calling:
        return False
    memory = _lacking(m, node.test)
    return memory is not None and _puts(m, node.then, memory) and _lasts(m, node, memory)


def answers(m: State, node: tree.Stmt, rest: list[tree.Stmt]) -> int | None:
    """The statement of the rest that fills a memory, where this one leaves with what is there: `if key in found: return found[key]`."""
    if not m.language.function_scoped or not isinstance(node, tree.If) or not m.calling or node.other or not node.then:
        return None
    test = node.test
    if not isinstance(node.then[-1], tree.Return) or not isinstance(test, tree.Op) or test.sign != "in":
        return None
    memory = test.operands[1]
    put = next((n for n, statement in enumerate(rest) if _puts(m, [statement], memory)), None)
    return put if put is not None and _lasts(m, node, memory) else None


def kept(block: Block) -> Block:
    """Steps of which the results are kept: whoever asks again for the same reads nothing."""
    return tuple(map(_kept, block))


def _kept(step: Step) -> Step:
    if isinstance(step, Call):
        return replace(step, kept=True)
    if isinstance(step, Access) and step.op is Op.READ:
        return replace(step, memoized=True)
    return replace(step, arms=tuple(map(kept, step.arms))) if isinstance(step, Branch) else step


def _lacking(m: State, test: tree.Expr) -> tree.Expr | None:
    """What a test finds to be missing, or to hold nothing for a key: a collection, an attribute, an entry."""
    if not isinstance(test, tree.Op):
        return None
    denied = test.sign == "!" and len(test.operands) == 1
    inner = test.operands[0]
    if denied and isinstance(inner, tree.Op) and inner.sign == "in":
        return inner.operands[1]
    if not denied and not (test.sign in EQUAL and _nothing(test.operands[1])):
        return None
    if isinstance(inner, tree.Call) and isinstance(inner.func, tree.Name) and inner.func.id == "hasattr" and len(inner.args) == 2:
        name = inner.args[1]
        if isinstance(name, tree.Literal) and isinstance(name.value, str):
            return tree.Member(inner.args[0], name.value, inner.at, inner.end, inner.at)
        return None
    if isinstance(inner, tree.Name):
        return _asked(m, inner.id)
    return inner if isinstance(inner, tree.Member | tree.Index) else _got(inner)


def _nothing(node: tree.Expr) -> bool:
    return isinstance(node, tree.Literal) and node.value is None


def _got(node: tree.Expr) -> tree.Expr | None:
    """The collection that `found.get(key)` asks, also where the answer gets a name."""
    if isinstance(node, tree.Assign):
        node = node.value
    return node.func.base if isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name == "get" else None


def _asked(m: State, name: str) -> tree.Expr | None:
    """The collection that was asked for what a variable holds."""
    fn = m.calling[-1]
    body = fn.body if isinstance(fn, tree.Fn) else []
    values = [n for n in tree.find(body, tree.Assign) if isinstance(n.target, tree.NamePattern) and n.target.id == name]
    return next((memory for n in values if (memory := _got(n)) is not None), None)


def _puts(m: State, body: list[tree.Stmt], memory: tree.Expr) -> bool:
    """Whether something is put into a memory, or becomes what it is."""
    name = _name(m, memory)
    for node in tree.find(body, tree.Assign, tree.Call):
        if isinstance(node, tree.Assign):
            places = (node.target, node.target.base) if isinstance(node.target, tree.Index) else (node.target,)
            if any(isinstance(p, tree.Member | tree.Index | tree.Name) and _name(m, p) == name for p in places):
                return True
        elif isinstance(node, tree.Call) and _stores(m, node, name):
            return True
    return False


def _stores(m: State, node: tree.Call, name: str) -> bool:
    func = node.func
    return isinstance(func, tree.Member) and func.name in STORING and len(node.args) > 1 and _name(m, func.base) == name


def _name(m: State, node: tree.Expr) -> str:
    if isinstance(node, tree.Member):
        return f"{_name(m, node.base)}.{node.name}"
    return m.text(node)


def _lasts(m: State, node: tree.If, memory: tree.Expr) -> bool:
    """Whether a memory is there before the loop around, or the function, begins."""
    fn = m.calling[-1]
    if not isinstance(fn, tree.Fn):
        return False
    loops = [(loop.at, loop.end) for loop in tree.find(fn.body, tree.For) if loop.at <= node.at < loop.end]
    start, end = max(loops, default=(fn.at, fn.end))
    root = memory
    while isinstance(root, tree.Member | tree.Index | tree.Call):
        root = root.func if isinstance(root, tree.Call) else root.base
    if not isinstance(root, tree.Name):
        return False
    return not any(n.id == root.id and start <= n.at < min(n.end, end) for n in tree.find(fn.body, tree.NamePattern))
