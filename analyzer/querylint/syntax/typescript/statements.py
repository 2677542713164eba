"""Statements within functions and at the top of a file, but for what only a module has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.syntax import tree
from querylint.syntax.typescript.functions import annotate, method, pattern
from querylint.syntax.typescript.lowering import DEEPEST, ERROR, HOLDERS, Lowering, ReadStmt

if TYPE_CHECKING:
    from tree_sitter import Node


def _do(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    inner = low.inner(node)
    if inner is None:
        _broken(low, node, depth, found)
    elif inner.kind_id in low.statements:
        low.stmt(inner, depth, found)
    elif low.source.startswith((b"using", b"await"), inner.start_byte) and (using := _using(low, inner)) is not None:
        found.append(_declared(low, using, depth, node.start_byte, node.end_byte))
    else:
        found.append(tree.Do(low.expr(inner, depth + 1), node.start_byte, node.end_byte))


def _using(low: Lowering, node: Node) -> Node | None:
    """The binding in `using x = f()` and `await using x = f()`, which the grammar takes for an assignment."""
    if node.type == "await_expression":
        inner = low.inner(node)
        if inner is None:
            return None
        node = inner
    return node if node.type == "assignment_expression" and node.children[0].type == "using" else None


def _declared(low: Lowering, node: Node, depth: int, at: int, end: int) -> tree.Let:
    left, right = node.child_by_field_id(low.fields.left), node.child_by_field_id(low.fields.right)
    target: tree.Pattern = tree.NamePattern("", at, at) if left is None else pattern(low, left, depth + 1)
    return tree.Let(target, None if right is None else low.expr(right, depth + 1), at, end)


def _declaration(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    declarators = [child for child in node.named_children if child.type == "variable_declarator"]
    for child in declarators:
        name, value = child.child_by_field_id(low.fields.name), child.child_by_field_id(low.fields.value)
        if name is None:
            continue
        target = pattern(low, name, depth + 1)
        annotation = child.child_by_field_id(low.fields.type)
        if annotation is not None:
            annotate(target, low.annotation(annotation))
        whole = node if len(declarators) == 1 else child
        found.append(tree.Let(target, None if value is None else low.expr(value, depth + 1), whole.start_byte, whole.end_byte))


def _if(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    """A ladder of `else if` is climbed in a loop; rungs that would lie too deep follow one another instead."""
    room = found
    while True:
        test, then = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
        other = node.child_by_field_name("alternative")
        at, end = node.start_byte, node.end_byte
        rung = tree.If(tree.Opaque([], at, at) if test is None else low.expr(test, depth + 1), low.body(then, depth + 1), [], at, end)
        room.append(rung)
        if other is None:
            return
        if depth < DEEPEST // 2:
            room = rung.other
            depth += 1
        following = low.inner(other)
        if following is None or following.type != "if_statement":
            room += low.body(following, depth)
            return
        node = following


def _for_each(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    left, right = node.child_by_field_id(low.fields.left), node.child_by_field_id(low.fields.right)
    operator = node.child_by_field_id(low.fields.operator)
    form = tree.LoopForm.OF if operator is None or low.of(operator) == "of" else tree.LoopForm.IN
    if node.children[1].type == "await":
        form = tree.LoopForm.AWAIT_OF
    loop = _loop(low, node, depth, form)
    loop.pattern = None if left is None else pattern(low, left, depth + 1)
    loop.over = None if right is None else low.expr(right, depth + 1)
    found.append(loop)


def _for(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    loop = _loop(low, node, depth, tree.LoopForm.COUNT)
    init, test = node.child_by_field_name("initializer"), node.child_by_field_name("condition")
    if init is not None and init.type != "empty_statement":
        if init.kind_id in low.statements:
            low.stmt(init, depth + 1, loop.init)
        else:
            loop.init.append(tree.Do(low.expr(init, depth + 1), init.start_byte, init.end_byte))
    if test is not None and test.is_named and test.type != "empty_statement":
        loop.test = low.expr(test, depth + 1)
    update = node.child_by_field_name("increment")
    loop.update = None if update is None else low.expr(update, depth + 1)
    found.append(loop)


def _while(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    loop = _loop(low, node, depth, tree.LoopForm.DO if node.type == "do_statement" else tree.LoopForm.WHILE)
    test = node.child_by_field_name("condition")
    loop.test = None if test is None else low.expr(test, depth + 1)
    found.append(loop)


def _loop(low: Lowering, node: Node, depth: int, form: tree.LoopForm) -> tree.For:
    body = node.child_by_field_id(low.fields.body)
    at, end = node.start_byte, node.end_byte
    return tree.For(form, low.body(body, depth + 1), at, end, end if body is None else body.start_byte)


def _try(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    handler, final = node.child_by_field_name("handler"), node.child_by_field_name("finalizer")
    body = low.body(node.child_by_field_id(low.fields.body), depth + 1)
    statement = tree.Try(body, None, [], [], handler is not None, node.start_byte, node.end_byte)
    if handler is not None:
        name = handler.child_by_field_name("parameter")
        if name is not None:
            statement.param = pattern(low, name, depth + 1)
            annotate(statement.param, low.annotation(handler.child_by_field_id(low.fields.type)))
        statement.handler = low.body(handler.child_by_field_id(low.fields.body), depth + 1)
    if final is not None:
        statement.final = low.body(final.child_by_field_id(low.fields.body), depth + 1)
    found.append(statement)


def _switch(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    subject, body = node.child_by_field_id(low.fields.value), node.child_by_field_id(low.fields.body)
    at, end = node.start_byte, node.end_byte
    statement = tree.Switch(tree.Opaque([], at, at) if subject is None else low.expr(subject, depth + 1), [], at, end)
    for case in body.named_children if body is not None else []:
        if case.type not in ("switch_case", "switch_default"):
            continue
        value = case.child_by_field_id(low.fields.value)
        statements: list[tree.Stmt] = []
        for child in case.named_children:
            if child != value:
                low.stmt(child, depth + 1, statements)
        statement.cases.append((None if value is None else low.expr(value, depth + 1), statements))
    found.append(statement)


def _return(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    found.append(tree.Return(_operand(low, node, depth), node.start_byte, node.end_byte))


def _throw(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    found.append(tree.Throw(_operand(low, node, depth), node.start_byte, node.end_byte))


def _operand(low: Lowering, node: Node, depth: int) -> tree.Expr | None:
    inner = low.inner(node)
    return None if inner is None else low.expr(inner, depth + 1)


def _break(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    found.append(tree.Break(node.start_byte, node.end_byte, _label(low, node)))


def _continue(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    found.append(tree.Continue(node.start_byte, node.end_byte, _label(low, node)))


def _label(low: Lowering, node: Node) -> str:
    label = node.child_by_field_name("label")
    return "" if label is None else low.of(label)


def _block(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    found.append(tree.Block(low.body(node, depth + 1), node.start_byte, node.end_byte))


def _labelled(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    found.append(tree.Block(low.body(node.child_by_field_id(low.fields.body), depth + 1), node.start_byte, node.end_byte))


def _with(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    subject = node.child_by_field_name("object")
    body: list[tree.Stmt] = []
    if subject is not None:
        body.append(tree.Do(low.expr(subject, depth + 1), subject.start_byte, subject.end_byte))
    body += low.body(node.child_by_field_id(low.fields.body), depth + 1)
    found.append(tree.Block(body, node.start_byte, node.end_byte))


def _broken(low: Lowering, node: Node, depth: int, found: list[tree.Stmt]) -> None:
    """What did not parse: the statements and the expressions that it still holds, in order."""
    if depth > DEEPEST:
        return
    for child in node.named_children:
        kind = child.kind_id
        if kind in low.statements:
            low.stmt(child, depth + (kind == ERROR), found)
        elif kind in low.expressions:
            found.append(tree.Do(low.expr(child, depth + 1), child.start_byte, child.end_byte))
        elif child.type == "method_definition":
            found.append(tree.FnDef(method(low, child, depth + 1), child.start_byte, child.end_byte))
        elif child.type in HOLDERS:
            _broken(low, child, depth + 1, found)


READERS: dict[str, ReadStmt] = {
    "expression_statement": _do,
    "lexical_declaration": _declaration,
    "variable_declaration": _declaration,
    "if_statement": _if,
    "for_in_statement": _for_each,
    "for_statement": _for,
    "while_statement": _while,
    "do_statement": _while,
    "try_statement": _try,
    "switch_statement": _switch,
    "return_statement": _return,
    "throw_statement": _throw,
    "break_statement": _break,
    "continue_statement": _continue,
    "statement_block": _block,
    "labeled_statement": _labelled,
    "with_statement": _with,
    "ERROR": _broken,
}
