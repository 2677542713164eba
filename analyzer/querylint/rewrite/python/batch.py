"""One row read for each item of a loop: the rows of all the items are read by one query before it."""

from __future__ import annotations

import libcst as cst

from querylint.ir import Access, Call, Loop, Op
from querylint.patch import NO_FIX, Fix, Safety, TextEdit
from querylint.remedy import Batch
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python import lookups, writes
from querylint.rewrite.python.concrete import Tree, name, tree_of, walk
from querylint.rewrite.python.imports import bring
from querylint.rewrite.python.lookups import MISSING, Lookup
from querylint.rewrite.python.rounds import Rounds, again, pure, rounds, unsettled, whole_numbers
from querylint.rewrite.python.scopes import fresh, names

BEFORE = "the error of a key that cannot be one comes before the first round"
TYPES = "the keys must have the type of the column, since they are looked up in a dictionary"
TWICE = "a key that comes twice gives one object, and no longer two"
LONG = 100


def rewrite(task: Task, remedy: Batch) -> Fix | Unfit:
    """Read ahead by key."""
    if remedy.of == "writes":
        return writes.rewrite(task, remedy)
    if remedy.loop is None:
        return Unfit(NO_FIX)
    tree = tree_of(task.sources, task.found.span.path)
    place = tree.exactly(task.found.span) if tree is not None and remedy.loop.path == task.found.span.path else None
    if tree is None or place is None:
        return Unfit("the read and the loop are in different files, or do not parse")
    node, way = place
    if isinstance(way[-1], cst.Await):
        node, way = way[-1], way[:-1]
    lookup = _lookup(task, tree, node)
    if isinstance(lookup, Unfit):
        return lookup
    found = rounds(tree, way, node, remedy.loop.start)
    if isinstance(found, Unfit):
        return found
    if reason := _hindered(task, remedy, found, lookup):
        return Unfit(reason)
    handled = _handled(tree, found, lookup, way)
    if isinstance(handled, Unfit):
        return handled
    shared = (TWICE,) if task.found.stack == "django" and not _only_read(found, node, way) else ()
    return _ahead(task, tree, node, found, lookup, handled, shared)


def _only_read(found: Rounds, node: cst.BaseExpression, way: list[cst.CSTNode]) -> bool:
    """Whether nothing of a row is used but its fields, so that nobody can tell one object from two."""
    up = way[-1]
    if isinstance(up, cst.Attribute):
        return not (isinstance(way[-2], cst.Call) and way[-2].func is up)
    if not isinstance(up, cst.Assign) or len(up.targets) != 1 or not isinstance(up.targets[0].target, cst.Name):
        return False
    row = up.targets[0].target
    read: set[cst.CSTNode] = set()
    for here in walk(found.scope):
        if isinstance(here, cst.Attribute):
            read.add(here.value)
        elif isinstance(here, cst.If | cst.IfExp):
            read.add(here.test)
        elif isinstance(here, cst.Comparison) and isinstance(here.comparisons[0].operator, cst.Is | cst.IsNot):
            read.add(here.left)
    called = {here.func.value for here in walk(found.scope) if isinstance(here, cst.Call) and isinstance(here.func, cst.Attribute)}
    uses = [n for n in walk(found.scope) if isinstance(n, cst.Name) and n.value == row.value and n is not row]
    return all(use in read and use not in called for use in uses) and row.value not in unsettled(found)


def _lookup(task: Task, tree: Tree, node: cst.BaseExpression) -> Lookup | Unfit:
    function = task.function
    table = task.program.table(function, task.found.table) if function is not None else None
    read = {"django": lookups.django, "sqlalchemy": lookups.sqlalchemy}.get(task.found.stack)
    found = read(tree, node, table) if read is not None and table is not None else None
    return found or Unfit("what is read is not one row by a key that only it has")


def _hindered(task: Task, remedy: Batch, found: Rounds, lookup: Lookup) -> str:
    """Why the rows cannot be read before the loop."""
    for part in lookup.parts:
        if names(part) & (found.own | unsettled(found)):
            return f"the read needs `{min(names(part) & (found.own | unsettled(found)))}`, which every round has of its own"
    if found.text(lookup.key) is None or not pure(lookup.key) or not all(_calm(task, found, test) for test in found.tested):
        return "the key is worked out in the round, of more than the item"
    if names(found.loop.iter) & unsettled(found):
        return f"the rounds change `{min(names(found.loop.iter) & unsettled(found))}` while they run through it"
    function = task.function
    assert function is not None
    loop = next((s for s in function.steps() if isinstance(s, Loop) and s.span == remedy.loop), None)
    for step in loop.steps() if loop is not None else ():
        written = [step] if isinstance(step, Access) else []
        if isinstance(step, Call):
            written = [e.access for e in task.program.effects_of(function, step)]
        if any(a.op is Op.WRITE and a.table in (task.found.table, None) for a in written):
            return f"the rounds write to `{task.found.table}`, which the next one may look at"
    return ""


def _calm(task: Task, found: Rounds, test: cst.CSTNode) -> bool:
    """Whether a condition reads nothing, so that it can be asked once more."""
    function = task.function
    assert function is not None
    start, end = found.tree.bounds(test)
    inside = [s for s in function.steps() if isinstance(s, Access | Call) and start <= s.span.start and s.span.end <= end]
    return not any(isinstance(s, Access) or task.program.effects_of(function, s) for s in inside)


def _handled(tree: Tree, found: Rounds, lookup: Lookup, way: list[cst.CSTNode]) -> tuple[TextEdit, ...] | Unfit:
    """The edit of the handler that waits for a missing row."""
    if not lookup.error:
        return () if found.handler is None else Unfit("an error is handled together with others")
    if found.handler is not None:
        kinds = [h.type for h in found.handler.handlers]
        if len(kinds) != 1 or kinds[0] is None or not name(kinds[0]).endswith(("DoesNotExist", "NoResultFound")):
            return Unfit("an error is handled together with others")
        return (tree.replaced(kinds[0], "KeyError"),)
    for up in way:
        if isinstance(up, cst.Try) and any(h.type is not None and "DoesNotExist" in tree.text(h.type) for h in up.handlers):
            return Unfit(f"a handler around the loop waits for {lookup.error}")
    return ()


def _ahead(
    task: Task, tree: Tree, node: cst.BaseExpression, found: Rounds, lookup: Lookup, handled: tuple[TextEdit, ...], shared: tuple[str, ...]
) -> Fix | Unfit:
    taken = tree.names
    items, kept = again(found, taken)
    result = fresh(lookup.result, taken)
    key = found.text(lookup.key)
    assert key is not None
    typed = whole_numbers(found, lookup.key)
    text = lookup.ahead(found.keys(key, items))
    statement = _statement(tree, found)
    if statement is None:
        return Unfit("there is no place before the loop for the read")
    at = tree.line_start(tree.start(statement))
    indent = tree.indent(tree.start(statement))
    line = f"{indent}{result} = {text}\n"
    if len(line) > LONG and text.endswith(")") and "(" in text:
        head, _, rest = text.partition("(")
        line = f"{indent}{result} = {head}(\n{indent}    {rest[:-1]}\n{indent})\n"
    first = f"{indent}{kept}\n" if kept else ""
    edits = [tree.edit(at, at, first + line), tree.replaced(node, lookup.pick(result, tree.text(lookup.key), typed))]
    if kept:
        edits.append(tree.replaced(found.loop.iter, items))
    if "select(" in text:
        brought = bring(tree, "sqlalchemy", "select")
        if brought is None or brought.local != "select":
            return Unfit("`select` is another name here")
        edits += brought.edits
    caveats = list(shared)
    if lookup.error and not handled:
        caveats.append(MISSING.format(error=lookup.error))
    if not typed:
        caveats.append(BEFORE if task.found.stack == "django" else TYPES)
    level = Safety.UNSAFE if caveats else Safety.SAFE
    return Fix("read the rows of all keys by one query before the loop", level, (*edits, *handled), tuple(caveats))


def _statement(tree: Tree, found: Rounds) -> cst.CSTNode | None:
    """The statement before which the read goes: the loop, or the one that holds the comprehension."""
    if isinstance(found.loop, cst.For):
        return found.loop
    way = tree.way(tree.start(found.loop), tree.start(found.loop) + 1)
    held = next((node for node in reversed(way) if isinstance(node, cst.SimpleStatementLine | cst.IndentedBlock | cst.Module)), None)
    return held if isinstance(held, cst.SimpleStatementLine) else None
