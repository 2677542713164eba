"""Rounds that each wait for a read on a connection of their own: they run side by side."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from querylint.ir import Call, Function, Op
from querylint.patch import Fix, Safety, TextEdit
from querylint.remedy import Batch
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.blocks import MORE, SHARED, block_of, written
from querylint.rewrite.python.concrete import Tree, links, method, read_of, tree_of, walk
from querylint.rewrite.python.filling import appended, begun
from querylint.rewrite.python.imports import Names, merged
from querylint.rewrite.python.inline import definition_of
from querylint.rewrite.python.rounds import Rounds, pure, rounds, unsettled
from querylint.rewrite.python.scopes import MUTATORS, bound, names
from querylint.rewrite.python.sessions import fresh_one, of_own, opened, pooled, reads_only

STACKS = frozenset(("sqlalchemy", "dbapi"))
"""Where reads can run side by side; under Django all of a request's wait for one thread."""
TITLE = "run the reads in parallel with gather()"
APART = "the reads cannot run in parallel"
TAKEN = "`gather` means something else here"
TOGETHER = "all iterations start at once, each with its own connection: the pool has to be large enough"
BEGUN = "if one of them fails, the others have started anyway"
LONG = 100


@dataclass(frozen=True, slots=True)
class _Loop:
    """What is replaced by the reads side by side, and the list that they are put into, empty where the loop is one itself."""

    start: int
    end: int
    into: str
    before: str = ""


def rewrite(task: Task, remedy: Batch) -> Fix | Unfit:
    """Start all the reads, and wait for them together."""
    if remedy.loop is None or task.found.stack not in STACKS:
        return Unfit(APART)
    placed = read_of(task, remedy.loop)
    if isinstance(placed, Unfit):
        return placed
    tree, node, way = placed
    loop = next((up for up in way if isinstance(up, cst.For) and tree.start(up) == remedy.loop.start), None)
    block = block_of(way, loop) if loop is not None else None
    if loop is not None and block is not None:
        return _of_blocks(task, remedy, tree, loop, block)
    if isinstance(node, cst.Await):
        call: cst.BaseExpression = node.expression
    elif isinstance(way[-1], cst.Await):
        call, node, way = node, way[-1], way[:-1]
    else:
        return Unfit(APART)
    found = rounds(tree, way, node, remedy.loop.start)
    if isinstance(found, Unfit):
        return found
    if not isinstance(call, cst.Call) or (reason := _hindered(task, tree, found, call, way)):
        return Unfit(SHARED if not isinstance(call, cst.Call) else reason)
    place = _loop(tree, found, node, way)
    if isinstance(place, Unfit):
        return place
    text = found.text(call)
    if text is None or not all(pure(argument.value) for argument in call.args):
        return Unfit("the arguments of the read are computed in the iteration from more than the item")
    brought = Names(tree)
    gather = _gather(tree, brought)
    if gather is None:
        return Unfit(TAKEN)
    edit = _written(tree, found, place, text, gather)
    return Fix(TITLE, Safety.UNSAFE, merged([edit, *brought.edits]), (TOGETHER, BEGUN))


def _of_blocks(task: Task, remedy: Batch, tree: Tree, loop: cst.For, block: cst.With) -> Fix | Unfit:
    brought = Names(tree)
    gather = _gather(tree, brought)
    if gather is None:
        return Unfit(TAKEN)
    edit = written(task, remedy, tree, loop, block, gather)
    return edit if isinstance(edit, Unfit) else Fix(TITLE, Safety.UNSAFE, merged([edit, *brought.edits]), (TOGETHER, BEGUN))


def _gather(tree: Tree, brought: Names) -> str | None:
    return "asyncio.gather" if _imports_asyncio(tree) else brought.of("asyncio", "gather")


def _written(tree: Tree, found: Rounds, loop: _Loop, text: str, gather: str) -> TextEdit:
    target, items = tree.text(found.loop.target), tree.text(found.loop.iter)
    tests = "".join(f" if {condition}" for condition in found.conditions)
    each = f"*({text} for {target} in {items}{tests})"
    if not loop.into:
        return tree.edit(loop.start, loop.end, f"await {gather}({each})")
    indent = tree.indent(loop.start)
    head = f"{loop.before}await {gather}("
    close = "))" if loop.before.endswith("(") else ")"
    line = f"{indent}{head}{each}{close}"
    if len(line) > LONG:
        line = f"{indent}{head}\n{indent}{tree.module.default_indent}{each}\n{indent}{close}"
    return tree.edit(loop.start, loop.end, f"{line}\n")


def _hindered(task: Task, tree: Tree, found: Rounds, call: cst.Call, way: list[cst.CSTNode]) -> str:
    """Why the rounds must wait for one another."""
    if found.handler is not None or found.suppressed:
        return "errors of the read are handled in the iteration"
    if found.partial:
        return "whether the read runs depends on more than the item"
    if names(call) & unsettled(found):
        return f"the read needs `{min(names(call) & unsettled(found))}`, which the iterations change"
    if not all(pure(test) for test in found.tested):
        return "whether the read runs depends on more than the item"
    if pooled(task.sources, tree, way, call):
        return ""
    function = task.function
    start, end = tree.bounds(call)
    steps = [s for s in function.steps() if isinstance(s, Call) and s.span.start == start and s.span.end == end] if function else []
    callee = task.program.callee(function, steps[0]) if function is not None and steps else None
    if function is None or callee is None:
        return SHARED
    effects = task.program.effects_of(function, steps[0])
    if any(effect.access.op is not Op.READ or effect.trail for effect in effects):
        return f"`{callee.name.rpartition('.')[2]}` does more than read"
    return _alone(task, callee)


def _alone(task: Task, callee: Function) -> str:
    """Why a helper may get in the way of another call of it, empty where all that it waits for runs on what it has opened itself."""
    short = callee.name.rpartition(".")[2]
    there = tree_of(task.sources, callee.path)
    made = definition_of(there, callee) if there is not None else None
    if there is None or made is None or made.asynchronous is None or made.decorators:
        return f"what `{short}` waits for is not known"
    own = bound(made.body)
    for here in walk(made.body):
        if isinstance(here, cst.Yield | cst.Global | cst.Nonlocal | cst.FunctionDef | cst.Lambda):
            return f"`{short}` may change what other iterations see"
        if _changes(here) - own:
            return f"`{short}` may change what other iterations see"
        if isinstance(here, cst.Await):
            if not reads_only(here) or not of_own(task.sources, there, here.expression):
                return SHARED
        elif isinstance(here, cst.With) and here.asynchronous is not None:
            way = there.way(there.start(here), there.start(here) + 1)
            if not all(_opens(task, there, way, item.item) for item in here.items):
                return SHARED
        elif isinstance(here, cst.For | cst.CompFor) and here.asynchronous is not None:
            return f"what `{short}` waits for is not known"
    return ""


def _opens(task: Task, tree: Tree, way: list[cst.CSTNode], made: cst.BaseExpression) -> bool:
    """Whether a block opens something of its own, or begins a transaction on what is."""
    if fresh_one(task.sources, tree, way, made):
        return True
    base = links(made)[-1]
    return method(made) == "begin" and isinstance(base, cst.Name) and opened(task.sources, tree, way, base.value)


def _changes(node: cst.CSTNode) -> frozenset[str]:
    """The variables whose values a piece of code changes in place."""
    targets: list[cst.BaseExpression] = []
    if isinstance(node, cst.Assign):
        targets = [target.target for target in node.targets]
    elif isinstance(node, cst.AnnAssign | cst.AugAssign):
        targets = [node.target]
    elif isinstance(node, cst.Call) and method(node) in MUTATORS:
        targets = [node.func]
    parts = [links(t)[-1] for t in targets if isinstance(t, cst.Attribute | cst.Subscript)]
    return frozenset(part.value if isinstance(part, cst.Name) else "" for part in parts)


def _loop(tree: Tree, found: Rounds, node: cst.BaseExpression, way: list[cst.CSTNode]) -> _Loop | Unfit:
    """The list that the rounds fill, and how."""
    if isinstance(found.loop, cst.CompFor):
        made = way[-1]
        if not isinstance(made, cst.ListComp) or made.elt is not node:
            return Unfit(MORE)
        return _Loop(*tree.bounds(made), "")
    body = found.loop.body
    if found.loop.orelse is not None or not isinstance(body, cst.IndentedBlock):
        return Unfit(MORE)
    *before, last = body.body
    into = appended(last, node)
    if not into and before:
        held = before.pop()
        part = held.body[0] if isinstance(held, cst.SimpleStatementLine) and len(held.body) == 1 else None
        if isinstance(part, cst.Assign) and part.value is node and len(part.targets) == 1:
            into = appended(last, part.targets[0].target)
    if not into or into in names(node) | found.own:
        return Unfit(MORE)
    inside = set(walk(found.loop))
    if any(isinstance(n, cst.Name) and n.value in found.own and n not in inside for n in walk(found.scope)):
        return Unfit("a variable of the last iteration is used after the loop")
    if not all(_understood(found, statement) for statement in before) or _commented(body):
        return Unfit(MORE)
    first = begun(tree, found.scope, found.loop, into)
    start = tree.line_start(tree.start(first[0] if first is not None else found.loop))
    end = tree.next_line(tree.end(found.loop) - 1)
    return _Loop(start, end, into, first[1] if first is not None else f"{into}.extend(")


def _understood(found: Rounds, statement: cst.CSTNode) -> bool:
    """Whether a statement before the read is part of what the read is asked with: a guard, or a value that is worked out."""
    if isinstance(statement, cst.If):
        last = statement.body.body[-1] if isinstance(statement.body, cst.IndentedBlock) else None
        only = isinstance(statement.body, cst.IndentedBlock) and len(statement.body.body) == 1
        return only and statement.orelse is None and isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[0], cst.Continue)
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    target = part.targets[0].target if isinstance(part, cst.Assign) and len(part.targets) == 1 else None
    return isinstance(target, cst.Name) and target.value in found.worked_out


def _imports_asyncio(tree: Tree) -> bool:
    imports = [part for s in tree.module.body if isinstance(s, cst.SimpleStatementLine) for part in s.body if isinstance(part, cst.Import)]
    return any(alias.name.value == "asyncio" and alias.asname is None for part in imports for alias in part.names)


def _commented(body: cst.IndentedBlock) -> bool:
    """Whether comments would be lost."""
    return "#" in cst.Module(body=[]).code_for_node(body)
