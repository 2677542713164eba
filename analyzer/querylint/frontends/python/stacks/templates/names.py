"""Which templates an argument names: written down, chosen between, given by default, or by a decorator of the view."""

from __future__ import annotations

from querylint.frontends.flow.state import State
from querylint.frontends.templates.folders import Templates
from querylint.pattern import Pattern
from querylint.syntax import tree

MOST = 3
# `questions/{mobile/}list.html` of a decorator stands for two templates; without the part in braces it is the usual one.
HOLE = Pattern(r"\{[^{}]*\}")


def pages_named(state: State, templates: Templates, node: tree.Expr) -> list[str]:
    """The files of the templates that an argument may name; empty where it names none."""
    near = state.path
    found: dict[str, None] = {}
    for name in _texts(state, node):
        path = templates.find(name, near) if _looks(name) else None
        if path is not None:
            found[path] = None
    return list(found)[:MOST]


def _looks(name: str) -> bool:
    return bool(name) and len(name) < 200 and "\n" not in name and "." in name.rpartition("/")[2]


def _texts(state: State, node: tree.Expr, depth: int = 0) -> list[str]:
    if isinstance(node, tree.Literal):
        return [node.value] if isinstance(node.value, str) else []
    if depth > 4:
        return []
    if isinstance(node, tree.Ternary):
        return [*_texts(state, node.then, depth + 1), *_texts(state, node.other, depth + 1)]
    if isinstance(node, tree.Array):
        return [text for item in node.items for text in _texts(state, item, depth + 1)][:1]
    if isinstance(node, tree.Logic):
        return [*_texts(state, node.left, depth + 1), *_texts(state, node.right, depth + 1)]
    with state.recording():
        value = state.evaluate(node)
    if isinstance(value.literal, str):
        return [value.literal]
    return _of_variable(state, node.id, depth) if isinstance(node, tree.Name) else []


def _of_variable(state: State, name: str, depth: int) -> list[str]:
    """What a function assigns to a variable, or what its parameter is by default or by a decorator."""
    fn = state.calling[0] if state.calling else None
    if not isinstance(fn, tree.Fn):
        return []
    found: list[str] = []
    for this in tree.walk(fn.body):
        target = this.target if isinstance(this, tree.Assign) else this.pattern if isinstance(this, tree.Let) else None
        if not isinstance(this, tree.Assign | tree.Let) or not isinstance(target, tree.NamePattern) or target.id != name:
            continue
        if isinstance(this.value, tree.Literal | tree.Ternary):
            found.extend(_texts(state, this.value, depth + 1))
    for param in fn.params:
        if isinstance(param.pattern, tree.NamePattern) and param.pattern.id == name:
            if isinstance(param.default, tree.Literal) and isinstance(param.default.value, str):
                found.append(param.default.value)
            found.extend(_of_decorators(fn))
    return found


def _of_decorators(fn: tree.Fn) -> list[str]:
    return [
        HOLE.sub("", arg.value)
        for decorator in fn.decorators
        if isinstance(decorator, tree.Call)
        for arg in decorator.args
        if isinstance(arg, tree.Literal) and isinstance(arg.value, str)
    ]
