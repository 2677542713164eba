"""Relations that are followed row by row: the query of the rows loads them, too."""

from __future__ import annotations

import libcst as cst

from querylint.advise.eager import links, loaded, sources
from querylint.ir import Access, Call, Function, Link, LoopKind, Op, Path, Program, TargetKind
from querylint.ir.program import Site
from querylint.patch import Fix, Safety
from querylint.remedy import Preload
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python import preload_django, preload_sqlalchemy
from querylint.rewrite.python.concrete import Tree, around, tree_of, walk
from querylint.rewrite.python.scopes import bound
from querylint.text import Span

STALE = "later writes to {tables} do not show in the loaded rows"
SHARED = "other code extends this query, and must not drop what it loads"
TIES = "no order is given for {paths}, so it may change"
ALL_OF_THEM = "all rows of {paths} are loaded, though the code only asks whether there are any"
ALWAYS = "it is loaded whenever `{view}` reads the row, even for a response that does not show it"
SEVERAL_PLACES = "the template gets its rows from more than one place"
FOR_ALL = "the function that reads the row serves others, too, that do without them"
NOT_KNOWN = "the query of the rows is not known"
LOOSE = "a join drops rows whose key points to nothing"


def rewrite(task: Task, remedy: Preload) -> Fix | Unfit:
    """Ask for the relations where the query is written."""
    at = remedy.at
    if remedy.giver:
        return Unfit(FOR_ALL)
    if at is None:
        return Unfit(SEVERAL_PLACES if remedy.view else NOT_KNOWN)
    tree = tree_of(task.sources, at.path)
    if tree is None:
        return Unfit("the file of the query does not parse, is not in UTF-8, or is nested too deeply")
    if remedy.view and _given_again(tree, remedy):
        return Unfit(SEVERAL_PLACES)
    found = _read(task, remedy)
    if found is None:
        return Unfit(NOT_KNOWN)
    site, read = found
    if read.follows is not None and any(loop.kind is not LoopKind.ONCE for loop in site.loops):
        return Unfit("its query runs for every row of another one, which should load the rows")
    if reason := _hindered(task, site.function, read, remedy):
        return Unfit(reason)
    write = {"django": preload_django.write, "sqlalchemy": preload_sqlalchemy.write}.get(task.found.stack)
    edits = write(task, tree, site.function, read, remedy) if write is not None else Unfit("there is no way to say this in this library")
    if isinstance(edits, Unfit):
        return edits
    caveats = _caveats(task, site.function, read, remedy, tree)
    said = " and ".join(", ".join(f"`{'.'.join(path)}`" for path in paths) for paths in (remedy.joined, remedy.batched) if paths)
    return Fix(f"load {said} with the rows", Safety.UNSAFE if caveats else Safety.SAFE, edits, caveats)


def _read(task: Task, remedy: Preload) -> tuple[Site, Access] | None:
    """The read whose query is to be changed, and where it stands."""
    at = remedy.at
    assert at is not None
    hits = [
        (site, read)
        for site, read in task.program.reads()
        if read.chain.path == at.path
        and (read.chain == at or (read.chain.start <= at.start and at.end <= read.chain.end) or _says(read, at.start))
    ]
    exact = [hit for hit in hits if hit[1].chain == at]
    wanted = {path[:1] for path in (*remedy.joined, *remedy.batched)}
    for site, read in exact or hits:
        table = task.program.table(site.function, read.table)
        if table is not None and all(table.link(path[0]) is not None for path in wanted):
            return site, read
    return next((hit for hit in task.program.reads() if _given(hit, at)), None)


def _given(hit: tuple[Site, Access], at: Span) -> bool:
    """Whether the query of a read comes from a call that stands at a place."""
    site, read = hit
    return any(isinstance(step, Call) and step.span == at and step.id in read.deps for step in site.function.steps())


def _says(read: Access, start: int) -> bool:
    return any(e.span is not None and e.span.start == start for plan in read.plans for e in plan.eager)


def _hindered(task: Task, function: Function, read: Access, remedy: Preload) -> str:
    if read.follows is not None:
        for source in sources(task.program, function, read.follows):
            read_by = source.read
            if read_by is not None and source.path and loaded(task.program, source.outer, read_by.table, read_by.plans, source.path):
                return "the rows are already loaded with others, which a separate query would undo"
    table = task.program.table(function, read.table)
    keys = {link.column for path in (*remedy.joined, *remedy.batched) if table is not None and (link := table.link(path[0])) is not None}
    if any(plan.columns is not None or keys & set(plan.deferred) for plan in read.plans):
        return "the query loads only some columns of its rows"
    return ""


def _caveats(task: Task, function: Function, read: Access, remedy: Preload, tree: Tree) -> tuple[str, ...]:
    """What keeps the fix from being safe."""
    program = task.program
    paths = (*remedy.joined, *remedy.batched)
    tables = {link.target for path in paths for link in links(program, function, read.table, path) if link is not None and link.target}
    found: list[str] = []
    written = _written(program, _involved(task, function))
    if None in written or tables & written:
        found.append(STALE.format(tables=", ".join(f"`{name}`" for name in sorted(tables))))
    if function.built or _handed_on(tree, function, remedy):
        found.append(SHARED)
    loose = [
        ".".join(path) for path in paths if any(_unordered(program, function, link) for link in links(program, function, read.table, path))
    ]
    if remedy.batched and task.found.operation in ("exists", "aexists"):
        found.append(ALL_OF_THEM.format(paths=", ".join(f"`{'.'.join(path)}`" for path in remedy.batched)))
    elif loose:
        found.append(TIES.format(paths=", ".join(f"`{path}`" for path in loose)))
    if any(_unchecked(task, function, read, path) for path in remedy.joined):
        found.append(LOOSE)
    if remedy.view and _several_answers(tree, remedy):
        found.append(ALWAYS.format(view=remedy.view))
    return tuple(found)


def _given_again(tree: Tree, remedy: Preload) -> bool:
    """Whether the variable that holds the row for the template is given another value elsewhere."""
    at = remedy.at
    assert at is not None
    way = tree.way(at.start, at.start + 1)
    held, made = around(way, cst.FunctionDef), around(way, cst.Assign, cst.AnnAssign, cst.NamedExpr)
    if held is None or made is None:
        return False
    own = bound(made)
    kinds = cst.Assign | cst.AnnAssign | cst.AugAssign | cst.NamedExpr | cst.AsName
    return any(isinstance(node, kinds) and node is not made and bound(node) & own for node in walk(held))


def _several_answers(tree: Tree, remedy: Preload) -> bool:
    """Whether a view may end in more than one way after it has read the row."""
    at = remedy.at
    assert at is not None
    held = around(tree.way(at.start, at.start + 1), cst.FunctionDef)
    return held is None or sum(isinstance(node, cst.Return) and tree.start(node) > at.start for node in walk(held)) > 1


def _handed_on(tree: Tree, function: Function, remedy: Preload) -> bool:
    """Whether the query is made in another place than its rows are read in: in a class, or in a function that gives it back."""
    at = remedy.at
    assert at is not None
    made_in = around(tree.way(at.start, at.start + 1), cst.FunctionDef, cst.ClassDef)
    if not isinstance(made_in, cst.FunctionDef):
        return at.start < at.end and isinstance(made_in, cst.ClassDef) and not tree.text(made_in).startswith("@admin")
    return not (function.path == at.path and function.span.covers(at))


def _involved(task: Task, function: Function) -> list[Function]:
    """The functions that lead from the rows to where the relation is asked for."""
    places = [point.span for point in task.found.trail]
    program = task.program
    found = [f for f in program.functions.values() if any(f.span.path == p.path and f.span.covers(p) for p in places)]
    return [*found, function]


def _written(program: Program, functions: list[Function]) -> set[str | None]:
    """The tables that functions write to; None among them where they run what cannot be seen."""
    found: set[str | None] = set()
    for function in functions:
        found |= {e.access.table for e in program.effects.get(function.key, ()) if e.access.op is Op.WRITE}
        for step in function.steps():
            if isinstance(step, Call) and step.target.kind is not TargetKind.EXTERNAL and program.callee(function, step) is None:
                found.add(None)
    return found


def _unordered(program: Program, function: Function, link: Link | None) -> bool:
    """Whether a relation leads to several rows that come in any order."""
    if link is None or not link.many:
        return False
    table = program.table(function, link.target)
    if table is None:
        return True
    unique = {table.key, "pk", "id"} | {i.fields[0] for i in table.indexes if i.unique and len(i.fields) == 1}
    return not unique & {name.lstrip("-") for name in table.order}


def _unchecked(task: Task, function: Function, read: Access, path: Path) -> bool:
    """Whether a key on the way is not held by the database to lead somewhere, as far as the class of the rows says."""
    name = read.table
    for link in links(task.program, function, read.table, path):
        table = task.program.table(function, name)
        data = task.sources.read(table.span.path) if table is not None and table.span is not None else None
        if data is not None and b"db_constraint" in data:
            return True
        name = link.target if link is not None else None
    return False
