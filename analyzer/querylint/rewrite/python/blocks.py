"""Rounds that each open a connection in a block of their own: the block becomes a coroutine, and all of them run side by side."""

from __future__ import annotations

import libcst as cst

from querylint.ir import Access, Call, Loop, Op
from querylint.patch import TextEdit
from querylint.remedy import Batch
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.concrete import Tree, around, links, walk
from querylint.rewrite.python.filling import appended, begun
from querylint.rewrite.python.scopes import bound, changed, fresh, names
from querylint.rewrite.python.sessions import fresh_one, of_own, reads_only

MORE = "an iteration does more than put what it reads into a list"
LEAVES = cst.Return | cst.Break | cst.Continue | cst.Yield | cst.Raise | cst.Try | cst.FunctionDef | cst.Lambda
SHARED = "the iterations share a session or a connection, which runs one statement at a time"


def block_of(way: list[cst.CSTNode], loop: cst.For) -> cst.With | None:
    """The block that is all that a round runs."""
    body = loop.body.body if isinstance(loop.body, cst.IndentedBlock) else ()
    only = body[0] if len(body) == 1 else None
    return only if isinstance(only, cst.With) and only.asynchronous is not None and only in way else None


def written(task: Task, remedy: Batch, tree: Tree, loop: cst.For, block: cst.With, gather: str) -> TextEdit | Unfit:
    """The coroutine, and the wait for all of them."""
    scope = around(tree.way(tree.start(loop), tree.end(loop)), cst.FunctionDef)
    held = block.body.body if isinstance(block.body, cst.IndentedBlock) else ()
    part = held[-1].body[0] if held and isinstance(held[-1], cst.SimpleStatementLine) and len(held[-1].body) == 1 else None
    call = part.value if isinstance(part, cst.Expr) else None
    value = call.args[0].value if isinstance(call, cst.Call) and len(call.args) == 1 else None
    into = appended(held[-1], value) if held and value is not None else ""
    if scope is None or call is None or value is None or not into or not isinstance(loop.target, cst.Name) or loop.orelse is not None:
        return Unfit(MORE)
    if reason := _hindered(task, remedy, tree, loop, block, scope, into):
        return Unfit(reason)
    found = begun(tree, scope, loop, into)
    start = tree.line_start(tree.start(found[0] if found is not None else loop))
    indent = tree.indent(tree.start(loop))
    one = fresh("read_one", tree.taken(scope))
    first = tree.line_start(tree.start(block))
    body = tree.between(first, tree.start(call)) + f"return {tree.text(value)}\n"
    made = f"{indent}async def {one}({loop.target.value}):\n{body}\n"
    head, close = (found[1], ")") if found is not None else (f"{into}.extend(", "))")
    each = f"*({one}({loop.target.value}) for {loop.target.value} in {tree.text(loop.iter)})"
    return tree.edit(start, tree.next_line(tree.end(loop) - 1), f"{made}{indent}{head}await {gather}({each}{close}\n")


def _hindered(task: Task, remedy: Batch, tree: Tree, loop: cst.For, block: cst.With, scope: cst.CSTNode, into: str) -> str:
    """Why the rounds must wait for one another."""
    inside = set(walk(loop))
    own = bound(loop.body) | names(loop.target)
    if any(isinstance(n, LEAVES) for n in walk(block)):
        return MORE
    if any(isinstance(n, cst.Name) and n.value in own and n not in inside for n in walk(scope)):
        return "a variable of the last iteration is used after the loop"
    if sum(isinstance(n, cst.Name) and n.value == into for n in inside) != 1 or changed(block.body) - own - {into}:
        return "an iteration may change what others see"
    if any(isinstance(n, cst.With) and n.asynchronous is None for n in walk(block)):
        return MORE
    for here in walk(block):
        place = tree.start(here) if isinstance(here, cst.Await | cst.With) else -1
        way = tree.way(place, place + 1) if place >= 0 else []
        if isinstance(here, cst.With):
            if not all(fresh_one(task.sources, tree, way, item.item) for item in here.items):
                return SHARED
        elif isinstance(here, cst.Await):
            if any(here in walk(item) for up in walk(block) if isinstance(up, cst.With) for item in up.items):
                continue  # what opens the connection
            if not reads_only(here) or not of_own(task.sources, tree, here.expression):
                return SHARED
        elif isinstance(here, cst.For | cst.CompFor) and here.asynchronous is not None:
            return MORE
    function = task.function
    assert function is not None
    step = next((s for s in function.steps() if isinstance(s, Loop) and s.span == remedy.loop), None)
    for done in step.steps() if step is not None else ():
        called = isinstance(done, Call) and (task.program.callee(function, done) is not None or task.program.effects_of(function, done))
        if called or (isinstance(done, Access) and done.op is not Op.READ):
            return "an iteration does more than read"
    base = links(loop.iter)[-1]
    return MORE if isinstance(base, cst.Name) and base.value == into else ""
