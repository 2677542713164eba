"""A read that every round of a loop repeats: it moves before the loop."""

from __future__ import annotations

import libcst as cst

from querylint.advise.asking import outside_answers
from querylint.ir import Call
from querylint.patch import Fix, Safety, TextEdit
from querylint.remedy import Hoist
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.concrete import Tree, around, links, method, read_of, walk
from querylint.rewrite.python.scopes import bound, changed, fresh, names, snake

EMPTY = "it is read even if there are no items, or none that needs it"
RAISING = frozenset(("get", "one", "earliest", "latest", "scalar_one", "get_object_or_404", "first_or_404", "one_or_404", "get_or_404"))
FAILS = "if the row is missing, it fails even if no iteration needs it"


def rewrite(task: Task, remedy: Hoist) -> Fix | Unfit:
    """Read once before the loop what no round changes."""
    read = read_of(task, remedy.loop)
    if isinstance(read, Unfit):
        return read
    tree, node, way = read
    if made := _made_anew(task):
        return Unfit(f"the helper asks `{made}` besides, which may answer something else each time")
    loop = next((n for n in way if isinstance(n, cst.For) and tree.start(n) == remedy.loop.start), None)
    if loop is None or any(isinstance(n, cst.FunctionDef | cst.Lambda | cst.CompFor) for n in way[way.index(loop) :]):
        return Unfit("the read is not directly in a loop")
    if way[way.index(loop) + 1] is not loop.body or not isinstance(loop.body, cst.IndentedBlock):
        return Unfit("the read is not directly in a loop")
    statement, block = _statement(way)
    named = _named(statement)
    if named is not None and node not in links(named[1]):
        named = None  # the statement does more than read
    value = named[1] if named is not None else node
    own = named[0] if named is not None else ""
    if reason := _hindered(loop, value, own):
        return Unfit(reason)
    whole = value is node or block is loop.body
    if named is not None and (not whole or _taken(own, loop, way) or _given(loop, own) > 1):
        named = None  # its place is taken by another name
    caveats = (EMPTY, FAILS) if method(links(node)[0]) in RAISING or _called(node) in RAISING else (EMPTY,)
    if named is not None:
        edits = _moved(tree, loop, statement, block)
        return edits if isinstance(edits, Unfit) else Fix("read it once before the loop", Safety.UNSAFE, edits, caveats)
    if not isinstance(node, cst.Call) or (isinstance(way[-1], cst.For) and way[-1].iter is node):
        return Unfit("the read is run by a separate loop")
    if "\n" in tree.text(node) and '"""' in tree.text(node):
        return Unfit("the read holds a text of several lines")
    name = fresh(snake(task.found.table or "row").rpartition(".")[2], tree.taken(around(way, cst.FunctionDef) or tree.module))
    indent = tree.indent(tree.start(loop))
    shift = len(tree.indent(tree.start(node))) - len(indent)
    text = "\n".join(
        line if not n else line[min(shift, len(line) - len(line.lstrip())) :] for n, line in enumerate(tree.text(node).split("\n"))
    )
    at = tree.line_start(tree.start(loop))
    return Fix(
        "read it once before the loop",
        Safety.UNSAFE,
        (tree.edit(at, at, f"{indent}{name} = {text}\n"), tree.replaced(node, name)),
        caveats,
    )


def _made_anew(task: Task) -> str:
    """What outside code a helper takes its answers from besides the database; empty for a read that stands in the loop itself."""
    function = task.function
    for site in task.program.sites(function.key).all if function is not None else ():
        callee = task.program.callee(site.function, site.step) if isinstance(site.step, Call) else None
        if callee is not None and isinstance(site.step, Call) and site.step.span == task.found.span:
            return next(iter(outside_answers(task.program, callee)), "")
    return ""


def _called(node: cst.BaseExpression) -> str:
    return node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) else ""


def _named(statement: cst.CSTNode) -> tuple[str, cst.BaseExpression] | None:
    """The variable that a statement of the loop gives to the read, and all that it gives it."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    part = statement.body[0]
    if not isinstance(part, cst.Assign) or len(part.targets) != 1 or not isinstance(part.targets[0].target, cst.Name):
        return None
    return part.targets[0].target.value, part.value


def _taken(own: str, loop: cst.For, way: list[cst.CSTNode]) -> bool:
    scope = around(way[: way.index(loop)], cst.FunctionDef) or way[0]
    inside = set(walk(loop))
    return any(isinstance(n, cst.Name) and n.value == own and n not in inside for n in walk(scope))


def _given(loop: cst.For, own: str) -> int:
    """How often a variable is given a value in a round."""
    targets = [n.target for n in walk(loop) if isinstance(n, cst.AssignTarget | cst.AugAssign | cst.NamedExpr)]
    return sum(own in names(target) for target in targets if not isinstance(target, cst.Attribute | cst.Subscript))


def _statement(way: list[cst.CSTNode]) -> tuple[cst.CSTNode, cst.CSTNode]:
    """The statement that a read stands in, and the block that holds it."""
    number = max(n for n, node in enumerate(way) if isinstance(node, cst.IndentedBlock))
    return (way[number + 1] if number + 1 < len(way) else way[number]), way[number]


def _hindered(loop: cst.For, value: cst.BaseExpression, own: str) -> str:
    needs = names(value)
    inner = (bound(loop.body) | names(loop.target)) - bound(value) - {own}
    if needs & inner:
        return f"the read needs `{min(needs & inner)}`, which is different in every iteration"
    moved = changed(loop.body) & (needs | {own})
    if moved:
        return f"the iterations change `{min(moved)}`, which all of them would share"
    if any(isinstance(n, cst.Await | cst.Yield) for n in walk(value)) and loop.asynchronous is not None:
        return "the items themselves arrive one by one"
    return ""


def _moved(tree: Tree, loop: cst.For, statement: cst.CSTNode, block: cst.CSTNode) -> tuple[TextEdit, ...] | Unfit:
    assert isinstance(block, cst.IndentedBlock)
    if len(block.body) == 1:
        return Unfit("the iterations do nothing but read")
    if any(isinstance(n, cst.SimpleString) and "\n" in n.value for n in walk(statement)):
        return Unfit("the read holds a text of several lines")
    indent = tree.indent(tree.start(loop))
    own = tree.indent(tree.start(statement))
    start = tree.line_start(tree.start(statement))
    while tree.data[tree.line_start(start - 1) : start].strip().startswith(b"#"):
        start = tree.line_start(start - 1)
    end = tree.next_line(tree.end(statement))
    lines = tree.between(start, end).split("\n")
    text = "\n".join(indent + line[len(own) :] if line.startswith(own) else line for line in lines)
    at = tree.line_start(tree.start(loop))
    gone = end
    while tree.data[gone : tree.next_line(gone)].strip() == b"" and gone < tree.end(loop) and statement is block.body[0]:
        gone = tree.next_line(gone)
    return tree.edit(at, at, text), tree.edit(start, gone, "")
