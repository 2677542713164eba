"""A read that repeats an earlier one: its result is taken from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.ir import Access
from querylint.patch import Fix, Safety
from querylint.remedy import Reuse
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import waiting
from querylint.rewrite.typescript.effects import Reads, base, bindings, bound_names, free, touched
from querylint.rewrite.typescript.source import BLOCKS, FUNCTIONS, Source, around, inner, located, statement
from querylint.text import Span

if TYPE_CHECKING:
    from tree_sitter import Node


def rewrite(task: Task, remedy: Reuse) -> Fix | Unfit:
    """Name the earlier result again, where nobody changes it."""
    function = task.function
    earlier, later = located(task.sources, remedy.first), located(task.sources, task.found.span)
    if function is None or earlier is None or later is None:
        return Unfit("the code around it does not parse")
    first, again = (_named(place[1]) for place in (earlier, later))
    if first is None or again is None or first.pattern.type != "identifier":
        return Unfit("one of the two reads is part of a larger statement")
    if first.kind != "const" or not _in_reach(first.statement, again.statement):
        return Unfit("the first result is not there where it is read again")
    reads = {step.span: step.verb for step in function.steps() if isinstance(step, Access)}
    if task.found.span not in reads or remedy.first not in reads:
        return Unfit("a helper reads it, which may do more than return it")
    if not _is(earlier[0], first, remedy.first) or not _is(later[0], again, task.found.span):
        return Unfit("one of the two results is changed before it is stored")
    if reads[remedy.first] != reads[task.found.span]:
        return Unfit("the two reads answer in different forms")
    file = later[0]
    return _taken(file, first, again, Reads(task.program, function, file.path))


def _taken(file: Source, first: waiting.Named, again: waiting.Named, reads: Reads) -> Fix | Unfit:
    function = around(first.statement, *FUNCTIONS)
    name = file.text(first.pattern)
    if function is None or sum(name in bound for bound in bindings(function)) != 1:
        return Unfit("the variable is bound more than once in the function")
    needs = free(again.value) - {base(file, again.value)}
    moved = needs & touched(file, function, reads, first.statement.start_byte, again.statement.end_byte)
    if moved:
        return Unfit(f"`{min(moved)}` is changed between the two reads, which may ask for different rows")
    changed = {name, *bound_names(again.statement)} & touched(file, function, reads)
    if changed:
        return Unfit(f"`{min(changed)}` is changed, and both names would stand for the same object")
    return Fix(f"take what `{name}` holds", Safety.SAFE, (file.edit(again.waiting.start_byte, again.waiting.end_byte, name),))


def _named(node: Node) -> waiting.Named | None:
    held = statement(node)
    return waiting.named(held) if held is not None else None


def _is(file: Source, named: waiting.Named, read: Span) -> bool:
    """Whether what a statement waits for is a read itself, and not what something makes of that."""
    value = inner(named.value)
    return file.lines.span(value.start_byte, value.end_byte) == read


def _in_reach(first: Node, again: Node) -> bool:
    """Whether what the first statement declares can be named in the second: its block is around it, in the same function."""
    up = again.parent
    while up is not None and up != first.parent:
        if up.type in FUNCTIONS:
            return False
        up = up.parent
    return up is not None and up.type in BLOCKS and first.start_byte < again.start_byte
