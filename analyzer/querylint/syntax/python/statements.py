"""Statements of Python in the plain tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from querylint.syntax import tree
from querylint.syntax.python.expressions import OPERATORS, expression, maybe, parameters, pattern
from querylint.syntax.python.places import Names, Places
from querylint.syntax.questions import last_name


def block(p: Places, body: Iterable[ast.stmt]) -> list[tree.Stmt]:
    """Statements in their order."""
    made: list[tree.Stmt] = []
    for node in body:
        at, end = p.of(node)
        lower = STATEMENTS.get(type(node))
        if lower is not None:
            made.extend(lower(p, node, at, end))
    return made


def _expression(p: Places, node: ast.Expr, at: int, end: int) -> list[tree.Stmt]:
    if isinstance(node.value, ast.Constant):
        return []
    return [tree.Do(expression(p, node.value), at, end)]


def _assign(p: Places, node: ast.Assign, at: int, end: int) -> list[tree.Stmt]:
    value = expression(p, node.value)
    made: tree.Expr = value
    for target in reversed(node.targets):
        made = tree.Assign(pattern(p, target), made, "=", at, end)
    return [tree.Do(made, at, end)]


def _annotated(p: Places, node: ast.AnnAssign, at: int, end: int) -> list[tree.Stmt]:
    if node.value is None:
        return []
    value = tree.Typed(expression(p, node.value), p.source(node.annotation), at, end)
    return [tree.Do(tree.Assign(pattern(p, node.target), value, "=", at, end), at, end)]


def _augmented(p: Places, node: ast.AugAssign, at: int, end: int) -> list[tree.Stmt]:
    sign = f"{OPERATORS[type(node.op)]}="
    return [tree.Do(tree.Assign(pattern(p, node.target), expression(p, node.value), sign, at, end), at, end)]


def _delete(p: Places, node: ast.Delete, at: int, end: int) -> list[tree.Stmt]:
    return [tree.Do(tree.Opaque([expression(p, t) for t in node.targets if not isinstance(t, ast.Name)], at, end), at, end)]


def _if(p: Places, node: ast.If, at: int, end: int) -> list[tree.Stmt]:
    return [tree.If(expression(p, node.test), block(p, node.body), block(p, node.orelse), at, end)]


def _for(p: Places, node: ast.For | ast.AsyncFor, at: int, end: int) -> list[tree.Stmt]:
    form = tree.LoopForm.AWAIT_OF if isinstance(node, ast.AsyncFor) else tree.LoopForm.OF
    over = expression(p, node.iter)
    return [
        tree.For(
            form, block(p, node.body), at, end, over.end, pattern=pattern(p, node.target), over=over, other=block(p, node.orelse)
        )
    ]  # fmt: skip


def _while(p: Places, node: ast.While, at: int, end: int) -> list[tree.Stmt]:
    test = expression(p, node.test)
    return [tree.For(tree.LoopForm.WHILE, block(p, node.body), at, end, test.end, test=test, other=block(p, node.orelse))]


def _return(p: Places, node: ast.Return, at: int, end: int) -> list[tree.Stmt]:
    return [tree.Return(maybe(p, node.value), at, end)]


def _assert(p: Places, node: ast.Assert, at: int, end: int) -> list[tree.Stmt]:
    # What is asked for on the way is asked for; that the function ends where it does not hold is not counted on.
    return [tree.Do(expression(p, node.test), at, end)]


def _raise(p: Places, node: ast.Raise, at: int, end: int) -> list[tree.Stmt]:
    return [tree.Throw(maybe(p, node.exc), at, end)]


def _break(p: Places, node: ast.Break, at: int, end: int) -> list[tree.Stmt]:
    return [tree.Break(at, end)]


def _continue(p: Places, node: ast.Continue, at: int, end: int) -> list[tree.Stmt]:
    return [tree.Continue(at, end)]


def _with(p: Places, node: ast.With | ast.AsyncWith, at: int, end: int) -> list[tree.Stmt]:
    head: list[tree.Stmt] = []
    suppressed = False
    for item in node.items:
        value = expression(p, item.context_expr)
        suppressed |= isinstance(value, tree.Call) and last_name(value.func) == "suppress"
        if isinstance(node, ast.AsyncWith):
            value = tree.Await(value, value.at, value.end)
        made = value if item.optional_vars is None else tree.Assign(pattern(p, item.optional_vars), value, "=", value.at, value.end)
        head.append(tree.Do(made, value.at, value.end))
    body = block(p, node.body)
    if suppressed:  # `with suppress(KeyError)`: what comes after goes on wherever the body was left
        body = [tree.Try(body, None, [], [], True, at, end)]
    return [tree.Block([*head, *body], at, end)]


def _try(p: Places, node: Any, at: int, end: int) -> list[tree.Stmt]:
    body = [*block(p, node.body), *block(p, node.orelse)]
    handler: list[tree.Stmt] = []
    for number, one in enumerate(reversed(node.handlers)):
        here = p.of(one)
        arm = _handler(p, one)
        handler = [tree.If(tree.Opaque([], *here), arm, handler, *here)] if number else arm
    return [tree.Try(body, None, handler, block(p, node.finalbody), bool(node.handlers), at, end)]


def _handler(p: Places, node: ast.ExceptHandler) -> list[tree.Stmt]:
    made = block(p, node.body)
    if node.name:
        at, _ = p.of(node)
        p.names.bound.add(node.name)
        caught = tree.Assign(tree.NamePattern(node.name, at, at), tree.Opaque([], at, at), "=", at, at)
        return [tree.Do(caught, at, at), *made]
    return made


def _match(p: Places, node: ast.Match, at: int, end: int) -> list[tree.Stmt]:
    subject = expression(p, node.subject)
    cases: list[tuple[tree.Expr | None, list[tree.Stmt]]] = []
    for case in node.cases:
        here = p.of(case.pattern)
        names = [n.name for n in ast.walk(case.pattern) if isinstance(n, ast.MatchAs | ast.MatchStar) and n.name]
        p.names.bound.update(names)
        head: list[tree.Stmt] = [
            tree.Do(tree.Assign(tree.NamePattern(name, *here), tree.Opaque([subject], *here), "=", *here), *here) for name in names
        ]
        plain = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
        test = None if plain else maybe(p, case.guard) or tree.Opaque([], *here)
        cases.append((test, [*head, *block(p, case.body)]))
    return [tree.Switch(subject, cases, at, end)]


def _function(p: Places, node: ast.FunctionDef | ast.AsyncFunctionDef, at: int, end: int) -> list[tree.Stmt]:
    return [tree.FnDef(function(p, node), at, end)]


def function(p: Places, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tree.Fn:
    """A function; the names that its body binds are declared first, since a name of Python belongs to its whole function."""
    at, end = p.of(node)
    params = parameters(p, node.args)
    decorators = [expression(p, d) for d in node.decorator_list]
    outer, p.names = p.names, Names()
    body = block(p, node.body)
    names, p.names = p.names, outer
    locals_ = sorted(names.bound - names.free - {q.pattern.id for q in params if isinstance(q.pattern, tree.NamePattern)})
    head: list[tree.Stmt] = [tree.Let(tree.NamePattern(name, at, at), None, at, at) for name in locals_]
    kind = next((_KINDS[name] for d in decorators if (name := last_name(d)) in _KINDS), "")
    return tree.Fn(
        node.name, params, [*head, *body], at, end, isinstance(node, ast.AsyncFunctionDef), names.yields, p.source(node.returns),
        kind == "static", kind, decorators,
    )  # fmt: skip


_KINDS = {
    "property": "get", "cached_property": "get", "hybrid_property": "get", "staticmethod": "static", "classmethod": "class",
    "abstractproperty": "get",
}  # fmt: skip


def _class(p: Places, node: ast.ClassDef, at: int, end: int) -> list[tree.Stmt]:
    return [class_definition(p, node)]


def class_definition(p: Places, node: ast.ClassDef) -> tree.ClassDef:
    """A class with its fields, methods and inner classes; what stands under an `if` or a `try` of its body counts as its own."""
    at, end = p.of(node)
    bases = [expression(p, b) for b in node.bases]
    made = tree.ClassDef(
        node.name, bases[0] if bases else None, [], [], at, end, [expression(p, d) for d in node.decorator_list], bases[1:]
    )
    stack = list(reversed(node.body))
    while stack:
        part = stack.pop()
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            made.methods.append(function(p, part))
        elif isinstance(part, ast.ClassDef):
            made.inner.append(class_definition(p, part))
        elif isinstance(part, ast.Assign):
            value = expression(p, part.value)
            made.fields += [(t.id, "", value) for t in part.targets if isinstance(t, ast.Name)]
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            made.fields.append((part.target.id, p.source(part.annotation), maybe(p, part.value)))
        elif isinstance(part, ast.If | ast.Try):
            stack.extend(reversed([*part.body, *part.orelse]))
    return made


def imports(p: Places, node: ast.Import | ast.ImportFrom) -> list[tree.Import]:
    """The names that an import binds; `import a.b` binds `a`, and its source says what was loaded."""
    at, _ = p.of(node)
    if isinstance(node, ast.Import):
        return [
            tree.Import(a.asname, a.name, "*", at) if a.asname else tree.Import(a.name.partition(".")[0], a.name.partition(".")[0], "*", at)
            for a in node.names
        ]
    source = "." * node.level + (node.module or "")
    return [tree.Import("*" if a.name == "*" else a.asname or a.name, source, a.name, at) for a in node.names]


def _import(p: Places, node: ast.Import | ast.ImportFrom, at: int, end: int) -> list[tree.Stmt]:
    items = imports(p, node)
    p.names.bound.update(i.local for i in items)
    return [tree.Imports(items, at, end)]


def _global(p: Places, node: ast.Global | ast.Nonlocal, at: int, end: int) -> list[tree.Stmt]:
    p.names.free.update(node.names)
    return []


STATEMENTS: dict[type, Callable[[Places, Any, int, int], list[tree.Stmt]]] = {
    ast.Expr: _expression, ast.Assign: _assign, ast.AnnAssign: _annotated, ast.AugAssign: _augmented, ast.Delete: _delete, ast.If: _if,
    ast.For: _for, ast.AsyncFor: _for, ast.While: _while, ast.Return: _return, ast.Raise: _raise, ast.Assert: _assert, ast.Break: _break,
    ast.Continue: _continue, ast.With: _with, ast.AsyncWith: _with, ast.Try: _try, ast.Match: _match, ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function, ast.ClassDef: _class, ast.Import: _import, ast.ImportFrom: _import,
    ast.Global: _global, ast.Nonlocal: _global,
}  # fmt: skip
if hasattr(ast, "TryStar"):
    STATEMENTS[ast.TryStar] = _try
