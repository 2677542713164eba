"""A statement of SQLAlchemy for each item of a loop, which deletes or updates by it: one statement for the items of all rounds."""

from __future__ import annotations

import libcst as cst

from querylint.patch import Fix, Safety
from querylint.remedy import Batch
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.concrete import SPLIT, UNPARSED, method, name, tree_of, walk
from querylint.rewrite.python.rounds import pure
from querylint.rewrite.python.scopes import names

SHAPES = frozenset(("delete", "update"))
CONDITIONS = frozenset(("where", "filter"))
MISSED = "an item that is None matches no row"
LONG = "all the items go into one statement, which takes as many values as the database allows"
ALONE = "the round does more than to run one statement by its item"
OTHERWISE = "the statement does not compare one column with the item"


def rewrite(task: Task, remedy: Batch) -> Fix | Unfit:
    """One statement with `in_`."""
    tree = tree_of(task.sources, task.found.span.path)
    if tree is None:
        return Unfit(UNPARSED)
    if task.found.operation not in SHAPES:
        return Unfit("only statements that delete or update by an item are put together so far")
    if remedy.loop is None or remedy.loop.path != tree.path:
        return Unfit("the loop is in another file than the write")
    place = tree.exactly(task.found.span)
    if place is None:
        return Unfit(SPLIT)
    node, way = place
    loop = next((n for n in reversed(way) if isinstance(n, cst.For | cst.While | cst.FunctionDef)), None)
    if not isinstance(loop, cst.For) or tree.start(loop) != remedy.loop.start or not isinstance(loop.target, cst.Name):
        return Unfit(ALONE)
    if not _only_statement(loop, node) or loop.orelse is not None or loop.asynchronous is not None or not pure(loop.iter):
        return Unfit(ALONE)
    compared = _compared(node, loop.target.value)
    if compared is None:
        return Unfit(OTHERWISE)
    column, item = compared.left, compared.comparisons[0].comparator
    over = tree.text(loop.iter)
    items = over if isinstance(item, cst.Name) else f"[{tree.text(item)} for {loop.target.value} in {over}]"
    done = "deleted" if task.found.operation == "delete" else "updated"
    return Fix(
        f"let one statement find all the rows that are {done}",
        Safety.UNSAFE,
        (
            tree.edit(tree.start(loop), tree.end(loop.iter), f"if {over}"),  # nothing is asked for no items, as before
            tree.replaced(compared, f"{tree.text(column)}.in_({items})"),
        ),
        (MISSED, LONG),
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
