"""A read that every round of a loop repeats: it moves before the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.patch import Fix, Safety
from querylint.remedy import Hoist
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import layout, waiting
from querylint.rewrite.typescript.effects import Reads, base, bound_names, effects, free
from querylint.rewrite.typescript.source import FUNCTIONS, LOOPS, Source, around, code, located, names, source, statement, walk

if TYPE_CHECKING:
    from tree_sitter import Node

EMPTY = "it is read even if there are no items"


def rewrite(task: Task, remedy: Hoist) -> Fix | Unfit:
    """Read once before the loop what no round changes."""
    function = task.function
    place = located(task.sources, task.found.span)
    file = source(task.sources, remedy.loop.path)
    if function is None or place is None or file is None or place[0] is not file:
        return Unfit("the read and the loop are in different files")
    held = statement(place[1])
    read = waiting.named(held) if held is not None else None
    if read is None or read.kind != "const":
        return Unfit("the read is part of a larger statement")
    body = read.statement.parent
    loop = body.parent if body is not None else None
    if body is None or loop is None or loop.type not in (*LOOPS, *FUNCTIONS) or not _is(loop, remedy.loop.start, remedy.loop.end):
        return Unfit("the read is not directly in the loop")
    before = statement(loop)
    if before is None or before.parent is None or not _may_wait(before):
        return Unfit("there is no place before the loop where it could wait")
    return _moved(file, read, loop, before, Reads(task.program, function, file.path))


def _is(loop: Node, start: int, end: int) -> bool:
    """Whether a statement or a callback is the loop of a place."""
    return loop.start_byte == start or start <= loop.start_byte <= end


def _may_wait(node: Node) -> bool:
    """Whether the function around a statement is async."""
    up = around(node, *FUNCTIONS)
    return up is not None and any(child.type == "async" for child in up.children)


def _moved(file: Source, read: waiting.Named, loop: Node, before: Node, reads: Reads) -> Fix | Unfit:
    made = bound_names(read.statement)
    mine = bound_names(loop) - made
    if free(read.value) & mine:
        return Unfit(f"the read needs `{min(free(read.value) & mine)}`, which is different in every iteration")
    does = effects(file, code(loop), reads)
    if does.touched & free(read.value):
        return Unfit(f"the iterations change `{min(does.touched & free(read.value))}`, which the read needs")
    sooner = [part for part in code(read.statement.parent) if part.end_byte <= read.statement.start_byte] if read.statement.parent else []
    relied_on = (free(read.value) - {base(file, read.value)}) & {name for part in sooner for name in names(part)}
    if relied_on and effects(file, sooner, reads).leaves:
        return Unfit(f"the iteration looks at `{min(relied_on)}` first, and may end there")
    function = around(before, *FUNCTIONS)
    outside = [n for n in walk(function, lambda n: n != loop) if n != loop and n.type == "identifier"] if function is not None else []
    if {file.text(n) for n in outside} & names(read.pattern) or made & mine:
        return Unfit("its name is taken outside of the loop")
    inside = effects(file, [part for part in code(read.statement.parent) if part != read.statement] if read.statement.parent else [], reads)
    if inside.touched & made:
        return Unfit(f"the iterations change `{min(inside.touched & made)}`, which all of them would share")
    indent = file.indent(before.start_byte)
    lines = "".join(f"{line}\n{indent}" for line in _lines(file, read, indent))
    edits = (file.edit(before.start_byte, before.start_byte, lines), *layout.removed(file, [read.statement]))
    return Fix("read it once before the loop", Safety.UNSAFE, edits, (EMPTY,))


def _lines(file: Source, read: waiting.Named, indent: str) -> tuple[str, ...]:
    """The statement as far to the left as the loop."""
    own = file.indent(read.statement.start_byte)
    return tuple(text.replace(f"\n{own}", f"\n{indent}") for text in layout.with_comments(file, read.statement))
