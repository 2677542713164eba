"""A statement of SQLAlchemy for each item of a loop, which deletes or updates by it: one statement for the items of all rounds."""

from __future__ import annotations

import libcst as cst

from querylint.patch import Fix, Safety
from querylint.remedy import Batch
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.concrete import SPLIT, UNPARSED, Tree, around, method, name, tree_of, walk
from querylint.rewrite.python.rounds import calm, listed, pure
from querylint.rewrite.python.scopes import fresh, names

SHAPES = frozenset(("delete", "update"))
CONDITIONS = frozenset(("where", "filter"))
MISSED = "an item that is None matches no row"
LONG = "all the items go into one statement, which takes as many values as the database allows"
ALONE = "the iteration does more than run one statement for its item"
WRITTEN = "what is written may be different in every iteration"
MOVED = "the rows are found by what the statement writes"
LATER = "a variable of the last iteration is used after the loop"
WRITING = frozenset(("values", "update"))
UNDERSTOOD = CONDITIONS | WRITING | frozenset(("execute", "query", "delete", "execution_options"))
"""What a statement is made of."""
KNOWN = cst.Name | cst.Attribute | cst.Subscript | cst.Call | cst.List | cst.Set | cst.Dict
"""What can stand behind the `in` of a comprehension without brackets of its own."""
OTHERWISE = "the statement does not compare one column with the item"


def rewrite(task: Task, remedy: Batch) -> Fix | Unfit:
    """One statement with `in_`."""
    tree = tree_of(task.sources, task.found.span.path)
    if tree is None:
        return Unfit(UNPARSED)
    if task.found.operation not in SHAPES:
        return Unfit("only statements that delete or update by an item are batched so far")
    if remedy.loop is None or remedy.loop.path != tree.path:
        return Unfit("the loop is in another file than the write")
    place = tree.exactly(task.found.span)
    if place is None:
        return Unfit(SPLIT)
    node, way = place
    loop = around(way, cst.For, cst.While, cst.FunctionDef)
    if not isinstance(loop, cst.For) or tree.start(loop) != remedy.loop.start or not isinstance(loop.target, cst.Name):
        return Unfit(ALONE)
    if not _only_statement(loop, node) or loop.orelse is not None or loop.asynchronous is not None or not pure(loop.iter):
        return Unfit(ALONE)
    compared = _compared(node, loop.target.value)
    if compared is None:
        return Unfit(OTHERWISE)
    column, item = compared.left, compared.comparisons[0].comparator
    assert isinstance(column, cst.Attribute)
    if reason := _differing(task.found.operation, node, compared, column.attr.value):
        return Unfit(reason)
    scope = around(way, cst.FunctionDef) or tree.module
    inside = set(walk(loop))
    if any(isinstance(n, cst.Name) and n.value == loop.target.value and n not in inside for n in walk(scope)):
        return Unfit(LATER)
    over = _over(tree, loop)
    start, end = tree.start(loop), tree.outer(loop.iter)[1]
    colon = tree.data.find(b":", end)
    if colon < 0 or tree.data[end:colon].strip():
        return Unfit(ALONE)
    items = f"[{tree.text(item)} for {loop.target.value} in {over}]"
    tested = over
    if not listed(scope, loop.iter):  # such as a text, or columns of numbers, which have no truth of their own
        kept = fresh("items", tree.taken(scope))
        tested, items = f"{kept} := {items}", kept
    elif isinstance(item, cst.Name):
        items = over
    done = "deleted" if task.found.operation == "delete" else "updated"
    return Fix(
        f"let one statement find all the rows that are {done}",
        Safety.UNSAFE,
        (
            tree.edit(start, colon, f"if {tested}"),  # nothing is asked for no items, as before
            tree.replaced(compared, f"{tree.text(column)}.in_({items})"),
        ),
        (MISSED, LONG),
    )


def _over(tree: Tree, loop: cst.For) -> str:
    """What a loop runs over, as it can stand in a comprehension."""
    text = tree.between(*tree.outer(loop.iter))
    return text if isinstance(loop.iter, KNOWN) or (text.startswith("(") and loop.iter.lpar) else f"({text})"


def _differing(operation: str, node: cst.BaseExpression, compared: cst.Comparison, column: str) -> str:
    """Why statements that run one after the other do something else than one; empty where they do not."""
    calls = [n for n in walk(node) if isinstance(n, cst.Call)]
    conditions = [a.value for call in calls if method(call) in CONDITIONS for a in call.args]
    if any(a.star for call in calls for a in call.args) or not all(value is compared or calm(value) for value in conditions):
        return WRITTEN
    inner = {n for value in conditions for n in walk(value)}
    rest = [call for call in calls if call not in inner]
    if any(method(call) not in UNDERSTOOD and name(call.func).rpartition(".")[2] not in SHAPES for call in rest):
        return WRITTEN
    if any(method(call) == "execute" and len(call.args) > 1 for call in rest):
        return WRITTEN
    if operation == "delete":
        return ""
    written: set[str] = set()
    for call in rest:
        if method(call) in WRITING and not _writes(call, written):
            return WRITTEN
    return MOVED if column in written else "" if written else WRITTEN


def _writes(call: cst.Call, written: set[str]) -> bool:
    """Whether a call sets columns, which are added to those `written`, to what is the same in every round; `update(Post)` sets none."""
    for argument in call.args:
        value = argument.value
        if argument.keyword is not None:
            if argument.keyword.value == "synchronize_session" and method(call) == "update":
                continue
            pairs: list[tuple[cst.BaseExpression, cst.BaseExpression]] = [(argument.keyword, value)]
        elif isinstance(value, cst.Dict) and all(isinstance(e, cst.DictElement) for e in value.elements):
            pairs = [(e.key, e.value) for e in value.elements if isinstance(e, cst.DictElement)]
        else:
            return method(call) == "update" and isinstance(value, cst.Name | cst.Attribute) and name(value)[:1].isupper()
        for key, given in pairs:
            label = key.evaluated_value if isinstance(key, cst.SimpleString) else name(key).rpartition(".")[2]
            if not isinstance(label, str) or not label or not _constant(given):
                return False
            written.add(label)
    return True


def _constant(node: cst.BaseExpression) -> bool:
    """Whether a value is written down, or has a name."""
    if isinstance(node, cst.UnaryOperation):
        return _constant(node.expression)
    return isinstance(node, cst.Name | cst.BaseNumber | cst.SimpleString | cst.ConcatenatedString) and not any(
        isinstance(n, cst.FormattedString) for n in walk(node)
    )


def _only_statement(loop: cst.For, node: cst.BaseExpression) -> bool:
    """Whether a round does nothing but to run the write."""
    body = loop.body.body if isinstance(loop.body, cst.IndentedBlock) else ()
    line = body[0] if len(body) == 1 else None
    only = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    value = only.value if isinstance(only, cst.Expr) else None
    return node in (value, value.expression if isinstance(value, cst.Await) else value)


def _compared(node: cst.BaseExpression, own: str) -> cst.Comparison | None:
    """`Post.id == item`, where nothing else of a statement depends on the item, and its condition is of `where` or `filter`."""
    found = [a.value for call in walk(node) if isinstance(call, cst.Call) and method(call) in CONDITIONS for a in call.args]
    mine = [value for value in found if own in names(value)]
    uses = sum(isinstance(n, cst.Name) and n.value == own for n in walk(node))
    only = mine[0] if len(mine) == 1 and uses == 1 else None
    if not isinstance(only, cst.Comparison) or len(only.comparisons) != 1 or only.lpar:
        return None
    compared = only.comparisons[0]
    plain = isinstance(compared.operator, cst.Equal) and isinstance(only.left, cst.Attribute) and own not in names(only.left)
    item = compared.comparator
    of_item = isinstance(item, cst.Name) or (isinstance(item, cst.Attribute) and name(item).count(".") == 1)
    return only if plain and of_item else None
