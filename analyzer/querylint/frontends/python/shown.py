"""What a schema shows of rows: members that no code names, asked of each of them."""

from __future__ import annotations

from collections.abc import Callable

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, External, Many, Val
from querylint.frontends.python.modules import PythonModules
from querylint.frontends.python.vocabulary import PythonVocabulary
from querylint.ir import LoopKind
from querylint.syntax import tree


def each(state: State, rows: Val, node: tree.Expr, over: tree.Expr, ask: Callable[[Val], None]) -> None:
    """Ask a row, or in a loop that stands at `node` each row of a collection, which the source calls `over`."""
    if not isinstance(rows.shape, Many):
        ask(rows)
        return
    with state.loop(LoopKind.EACH, node.at, node.end, over=rows, over_text=state.text(over)) as frame:
        ask(rows.item().with_deps(frozenset({frame.id})))


def member(state: State, base: Val, way: str, node: tree.Expr) -> Val | None:
    """What `base.a.b` holds where `way` is "a.b", as if it were written at `node`; None where nothing is known of it."""
    found: Val | None = base
    for name in way.split("."):
        asked = tree.Member(tree.Opaque([], node.at, node.at), name, node.at, node.end, node.at)
        found = state.vocabulary.member(state, found, asked) if found is not None else None
    return found


def made_by(state: State, modules: PythonModules, path: str, maker: tree.Expr | None, row: Val, node: tree.Call) -> None:
    """A function is called with a row, as if at `node`; of a lambda, which may stand in another file, the attributes are read."""
    if isinstance(maker, tree.Fn):
        for way in _ways(maker):
            member(state, row, way, node)
        return
    found = modules.reference(path, maker) if isinstance(maker, tree.Name | tree.Member) else None
    if found is not None and isinstance(found.node, tree.FnDef) and isinstance(state.vocabulary, PythonVocabulary):
        state.vocabulary.reached(state, node, Closure(found.node.fn, None, found.path, found.name), (row,))


def _ways(fn: tree.Fn) -> list[str]:
    """The attributes that a function of one parameter reads of it, and of these: the longest chains, as they stand."""
    first = fn.params[0].pattern if fn.params else None
    if not isinstance(first, tree.NamePattern):
        return []
    found = [way for node in sorted(tree.find(fn.body, tree.Member), key=lambda n: n.at) if (way := _way(node, first.id))]
    return [way for way in dict.fromkeys(found) if not any(other.startswith(f"{way}.") for other in found)]


def _way(node: tree.Expr, name: str) -> str:
    parts: list[str] = []
    while isinstance(node, tree.Member):
        parts.insert(0, node.name)
        node = node.base
    return ".".join(parts) if isinstance(node, tree.Name) and node.id == name else ""


def answers(state: State) -> list[Val]:
    """What each `return` of the function that is walked gives back, without the status that stands beside it: `return rows, 200`."""
    return list({id(value.shape): value for value in (_alone(value) for value, _, _ in state.returns)}.values())


def _alone(value: Val) -> Val:
    items = value.shape.items if isinstance(value.shape, Many) else None
    if items is None or len(items) not in (2, 3):
        return value
    if isinstance(items[0].literal, int):
        return items[1]
    return items[0] if isinstance(items[1].literal, int) or isinstance(items[1].shape, External) else value


def _body(node: tree.Expr) -> tree.Expr:
    """What stands beside a status in a `return`."""
    items = node.items if isinstance(node, tree.Array) and len(node.items) in (2, 3) else []
    numbers = [isinstance(item, tree.Literal) and isinstance(item.value, int) for item in items[:2]]
    return items[numbers.index(False)] if any(numbers) and not all(numbers) else node


def last_return(fn: tree.Fn) -> tree.Expr | None:
    """What a function gives back, where that is more than nothing, without the status beside it: the last of several."""
    found = [n.value for n in tree.walk(fn.body) if isinstance(n, tree.Return) and n.value is not None]
    some = [v for v in found if not isinstance(v, tree.Literal) and not (isinstance(v, tree.Array) and not v.items)]
    last = max(some, key=lambda v: v.at, default=None)
    return _body(last) if last is not None else None
