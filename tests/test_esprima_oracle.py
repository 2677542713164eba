"""A second opinion on plain JavaScript: esprima reads the same files, and both must see the same calls, loops and functions.

The extractor over esprima's tree shares nothing with the analyzer, not even a name for a node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import esprima
import pytest

from querylint.syntax import tree
from querylint.syntax.typescript import parse_module

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures" / "oracle").glob("*.js"))
each_fixture = pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)


class Seen(NamedTuple):
    """A call as both parsers can tell it; or, with another word for `chain`, an await, a loop or a function."""

    chain: str
    arguments: int
    in_loop: bool
    in_function: bool
    awaited: bool


@each_fixture
def test_both_parsers_see_the_same(path: Path) -> None:
    source = path.read_bytes()
    ours, theirs = seen_by_us(parse_module(path.name, source)), seen_by_esprima(source.decode())
    assert ours - theirs == Counter()
    assert theirs - ours == Counter()


@each_fixture
def test_a_fixture_has_calls_that_differ_in_every_way(path: Path) -> None:
    calls = [seen for seen in seen_by_esprima(path.read_text()) if seen.chain not in ("await", "loop", "function")]
    assert len({seen.chain for seen in calls}) > 10
    assert any(seen.arguments > 1 for seen in calls)


def test_the_fixtures_together_hold_every_situation() -> None:
    calls = [seen for path in FIXTURES for seen in seen_by_esprima(path.read_text())]
    assert len(FIXTURES) >= 6
    assert {(seen.in_loop, seen.in_function, seen.awaited) for seen in calls} >= {
        (loop, function, awaited) for loop in (False, True) for function in (True,) for awaited in (False, True)
    } | {(False, False, False)}


@each_fixture
def test_a_call_that_gets_lost_is_noticed(path: Path) -> None:
    source = path.read_bytes()
    theirs = seen_by_esprima(source.decode())
    module = parse_module(path.name, source)
    for index, statement in enumerate(module.body):
        if any(isinstance(node, tree.Call) for node in _nodes(statement)):
            without = tree.Module(module.path, [], [], module.body[:index] + module.body[index + 1 :])
            assert theirs - seen_by_us(without)


def seen_by_us(module: tree.Module) -> Counter[Seen]:
    """What the plain tree tells."""
    found: Counter[Seen] = Counter()
    for statement in module.body:
        _ours(statement, False, False, False, found)
    return found


def _ours(node: Any, in_loop: bool, in_function: bool, awaited: bool, found: Counter[Seen]) -> None:
    match node:
        case list() | tuple():
            for item in node:
                _ours(item, in_loop, in_function, False, found)
        case tree.For():
            found[Seen("loop", 0, in_loop, in_function, False)] += 1
            _ours([node.pattern, node.over, node.init], in_loop, in_function, False, found)
            _ours([node.test, node.update, node.body], True, in_function, False, found)
        case tree.Fn():
            found[Seen("function", len(node.params), in_loop, in_function, False)] += 1
            for decorated in (node.params, node.body):
                _ours(decorated, False, True, False, found)
        case tree.Await():
            found[Seen("await", 0, in_loop, in_function, False)] += 1
            _ours(node.value, in_loop, in_function, True, found)
        case tree.Call():
            found[Seen(_our_chain(node), len(node.args), in_loop, in_function, awaited)] += 1
            _ours([node.func, node.args], in_loop, in_function, False, found)
        case _ if hasattr(node, "__slots__"):
            for slot in node.__slots__:
                _ours(getattr(node, slot), in_loop, in_function, False, found)
        case _:
            pass


def _our_chain(node: tree.Expr) -> str:
    match node:
        case tree.Call(func=func, new=new):
            return "new " + _our_chain(func) if new else _our_chain(func)
        case tree.Member(base=base, name=name):
            return f"{_our_chain(base)}.{name}"
        case tree.Index(base=base):
            return f"{_our_chain(base)}.[]"
        case tree.Name(id=name):
            return name
        case _:
            return "?"


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, list | tuple):
        for item in node:
            yield from _nodes(item)
    elif hasattr(node, "__slots__"):
        yield node
        for slot in node.__slots__:
            yield from _nodes(getattr(node, slot))


LOOPS = {"ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement"}
ONCE = {"ForStatement": {"init"}, "ForInStatement": {"left", "right"}, "ForOfStatement": {"left", "right"}}
FUNCTIONS = {"FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"}


def seen_by_esprima(source: str) -> Counter[Seen]:
    """What ESTree tells. A `require` at the top of a file counts as an import, which is no call."""
    found: Counter[Seen] = Counter()
    _theirs(esprima.parseModule(source, {"jsx": True}), False, False, False, found)
    for seen in list(found):
        if seen.chain.split(".")[0] == "require" and not seen.in_function:
            del found[seen]
    return found


def _theirs(node: Any, in_loop: bool, in_function: bool, awaited: bool, found: Counter[Seen]) -> None:
    if isinstance(node, list):
        for item in node:
            _theirs(item, in_loop, in_function, False, found)
        return
    kind = getattr(node, "type", None)
    if kind is None:
        return
    if kind in LOOPS:
        found[Seen("loop", 0, in_loop, in_function, False)] += 1
    elif kind in FUNCTIONS:
        found[Seen("function", len(node.params), in_loop, in_function, False)] += 1
    elif kind == "AwaitExpression":
        found[Seen("await", 0, in_loop, in_function, False)] += 1
    elif kind in ("CallExpression", "NewExpression"):
        found[Seen(_their_chain(node), len(node.arguments), in_loop, in_function, awaited)] += 1
    elif kind == "TaggedTemplateExpression":
        written = [part for part in node.quasi.quasis if part.value.raw]
        found[Seen(_their_chain(node.tag), len(written) + len(node.quasi.expressions), in_loop, in_function, awaited)] += 1
    for name, child in vars(node).items():
        if kind in LOOPS and name not in ONCE.get(kind, set()):
            _theirs(child, True, in_function, False, found)
        elif kind in FUNCTIONS:
            _theirs(child, False, True, False, found)
        else:
            _theirs(child, in_loop, in_function, kind == "AwaitExpression", found)


def _their_chain(node: Any) -> str:
    if node.type == "CallExpression":
        return _their_chain(node.callee)
    if node.type == "NewExpression":
        return "new " + _their_chain(node.callee)
    if node.type == "MemberExpression":
        computed = node.computed and not isinstance(node.property.value, str)
        name = "[]" if computed else node.property.value if node.computed else node.property.name
        return f"{_their_chain(node.object)}.{name}"
    words = {"ThisExpression": "this", "Super": "super", "Import": "import"}
    return str(node.name) if node.type == "Identifier" else words.get(node.type, "?")
