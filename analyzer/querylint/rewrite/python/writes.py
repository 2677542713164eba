"""A write for each item of a loop: the rows are collected, and written once behind it with `bulk_create` or `bulk_update`."""

from __future__ import annotations

import libcst as cst

from querylint.ir import Access, Call, Function, Loop, Op, Program, Table, Terminal
from querylint.patch import Fix, Safety
from querylint.remedy import Batch
from querylint.rewrite import Task, Unfit
from querylint.rewrite.naming import several
from querylint.rewrite.python.classes import class_name, plain_manager
from querylint.rewrite.python.concrete import SPLIT, UNPARSED, Tree, around, method, name, tree_of, walk
from querylint.rewrite.python.imports import Names
from querylint.rewrite.python.scopes import fresh, snake

SILENT = "overridden save() methods and signals are bypassed"
UNHEARD = "overridden delete() methods are bypassed, and signals come after the last iteration"
AGAIN = "the rows are read once more to be deleted"
NOTHING = "if an iteration fails, none of the rows is written"
CONDITIONS = frozenset(("filter", "exclude", "get"))
"""What compares a row that it is handed, and leaves it as it is."""
CHECKS = frozenset(("clean", "full_clean", "clean_fields"))
"""Methods that look at a row, and may set its fields."""
UNNAMED = "which table is written is not known"
KEYLESS = "the rows have no key until all of them are written"


def rewrite(task: Task, remedy: Batch) -> Fix | Unfit:
    """Collect what is written."""
    tree = tree_of(task.sources, task.found.span.path)
    function = task.function
    table = task.program.table(function, task.found.table) if function is not None else None
    if tree is None:
        return Unfit(UNPARSED)
    if task.found.stack != "django":
        return Unfit("only Django and SQLAlchemy writes are batched so far")
    if function is None or table is None or remedy.loop is None:
        return Unfit(f"the model `{task.found.table}` is not declared in the project" if task.found.table else UNNAMED)
    if remedy.loop.path != tree.path:
        return Unfit("the loop is in another file than the write")
    place = tree.exactly(task.found.span)
    if place is None:
        return Unfit(SPLIT)
    node, way = place
    loop = around(way, cst.For, cst.While, cst.FunctionDef)
    if not isinstance(loop, cst.For) or tree.start(loop) != remedy.loop.start:
        return Unfit("the write is not directly in that loop")
    if not isinstance(way[-1], cst.Expr):
        return Unfit("what each write gives back is used")
    if reason := _hindered(task, function, table, loop, remedy):
        return Unfit(reason)
    if task.found.operation == "delete":
        return _deleted(task, tree, function, table, node, loop)
    made = _saved(tree, node, loop, table) if method(node) == "save" else _created(tree, node, table)
    if isinstance(made, Unfit):
        return made
    names_here = Names(tree)
    model = class_name(task, tree, function, table.name, names_here)
    if model is None:
        return Unfit(f"`{table.name}` is not known in {tree.path}")
    row, fields = made
    if fields and _timed(task, table):
        return Unfit(f"`{table.name}` keeps the time of its last save, which bulk_update does not set")
    if not fields and table.split is not False:
        return Unfit(f"a base of `{table.name}` may be a separate table, which bulk_create does not write")
    return _fix(tree, node, loop, row.replace("{model}", model), fields, model, names_here)


def _fix(tree: Tree, node: cst.BaseExpression, loop: cst.For, row: str, fields: tuple[str, ...], model: str, names_here: Names) -> Fix:
    rows = fresh(
        f"{'changed' if fields else 'new'}_{several(snake(model.rpartition('.')[2]))}",
        tree.taken(around(tree.way(tree.start(loop), tree.end(loop)), cst.FunctionDef) or tree.module),
    )
    indent = tree.indent(tree.start(loop))
    before, after = tree.line_start(tree.start(loop)), tree.next_line(tree.end(loop) - 1)
    listed = f", [{', '.join(tree.quoted(f) for f in fields)}]" if fields else ""
    many = "bulk_update" if fields else "bulk_create"
    edits = (
        *names_here.edits,
        tree.edit(before, before, f"{indent}{rows} = []\n"),
        tree.replaced(node, f"{rows}.append({row})"),
        tree.edit(after, after, f"{indent}{model}.objects.{many}({rows}{listed})\n"),
    )
    return Fix(f"write all rows with one {many}()", Safety.UNSAFE, edits, (SILENT, NOTHING, *(() if fields else (KEYLESS,))))


def _hindered(task: Task, function: Function, table: Table, loop: cst.For, remedy: Batch) -> str:
    """Why the rows must be written one by one."""
    if task.found.operation == "update":
        return "every update() has its own condition and values"
    deletes = task.found.operation == "delete"
    if table.watched:
        return f"code runs for each row of `{table.name}` that is written: an overridden save() or delete(), or a signal"
    if loop.orelse is not None or any(isinstance(n, cst.Return | cst.Break | cst.Raise | cst.Yield | cst.Try) for n in walk(loop.body)):
        return "the loop may stop before the last item"
    step = next((s for s in function.steps() if isinstance(s, Loop) and s.span == remedy.loop), None)
    if step is not None and any(_crosses(read, table) for read in _sources(function, step)):
        return "the query may return a row twice, of which only the first would be written"
    for inner in step.steps() if step is not None else ():
        done = [inner] if isinstance(inner, Access) and inner.span != task.found.span and inner.verb != "assign" else []
        if isinstance(inner, Call):
            done = [effect.access for effect in task.program.effects_of(function, inner)]
        if any(access.op is not Op.READ for access in done):
            return "an iteration writes more than this row"
        if deletes and not all(access.follows is not None and access.terminal is Terminal.ROW and not access.refined for access in done):
            return "an iteration may read what was deleted along with the previous row, by cascade"
        if not deletes and not all(_apart(task.program, function, access, table) for access in done):
            return f"an iteration may read `{table.name}`, where the rows that are not written yet would be missing"
    return ""


def _apart(program: Program, function: Function, read: Access, table: Table) -> bool:
    """Whether a read finds the same, whatever is written to a table: it is of another one, by that one's own columns."""
    other = program.table(function, read.table)
    if other is None or other.name == table.name:
        return False
    if read.follows is not None:
        return read.terminal is Terminal.ROW and not read.refined  # the one row that a key leads to
    return all(p.field is not None and other.field(p.field) is not None for plan in read.plans for p in plan.predicates)


def _sources(function: Function, loop: Loop) -> list[Access]:
    """The reads whose rows a loop runs over."""
    refs = {origin.ref for origin in (loop.over.origins if loop.over is not None else ())}
    return [s for s in function.steps() if isinstance(s, Access) and s.id in refs]


def _crosses(read: Access, table: Table) -> bool:
    """Whether a condition goes over to another table, of which several rows may belong to one, or is not clear."""
    return read.table == table.name and any(p.field is None or table.field(p.field) is None for plan in read.plans for p in plan.predicates)


def _saved(tree: Tree, node: cst.BaseExpression, loop: cst.For, table: Table) -> tuple[str, tuple[str, ...]] | Unfit:
    """The row that is saved, and the fields that the round has set."""
    assert isinstance(node, cst.Call)
    assert isinstance(node.func, cst.Attribute)
    row = node.func.value
    if isinstance(row, cst.Call) and name(row.func).rpartition(".")[2] == table.name and not node.args:
        return f"{{model}}{tree.between(tree.end(row.func), tree.end(row))}", ()
    if not isinstance(row, cst.Name) or not isinstance(loop.target, cst.Name) or row.value != loop.target.value:
        return _new(tree, node, loop, table)
    if any(arg.keyword is None or arg.keyword.value != "update_fields" for arg in node.args):
        return Unfit("save() is called with arguments")
    fields: dict[str, None] = {}
    for here in sorted(filter(tree.placed, walk(loop.body)), key=tree.start):
        if isinstance(here, cst.Call) and isinstance(here.func, cst.Attribute) and here is not node:
            base = here.func.value
            if isinstance(base, cst.Name) and base.value == row.value:
                return Unfit("a method of the row may set more of its fields")
        targets = [t.target for t in here.targets] if isinstance(here, cst.Assign) else []
        targets += [here.target] if isinstance(here, cst.AnnAssign | cst.AugAssign) else []
        for target in targets:
            if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name) and target.value.value == row.value:
                fields[target.attr.value] = None
    calls = [n for n in walk(loop.body) if isinstance(n, cst.Call) and method(n) not in CONDITIONS]
    if any(isinstance(a.value, cst.Name) and a.value.value == row.value for call in calls for a in call.args):
        return Unfit("what the row is passed to may set more of its fields")
    unknown = [f for f in fields if table.field(f.removesuffix("_id")) is None and table.field(f) is None]
    if not fields or unknown or table.key in fields or "pk" in fields:
        return Unfit("it is not clear which fields are set")
    return row.value, tuple(f.removesuffix("_id") if table.field(f) is None else f for f in fields)


def _new(tree: Tree, node: cst.Call, loop: cst.For, table: Table) -> tuple[str, tuple[str, ...]] | Unfit:
    """A row that the round has made, and uses no more once it is saved."""
    assert isinstance(node.func, cst.Attribute)
    own = name(node.func.value)
    other = Unfit("the row that is written is neither the item of the loop nor one that the iteration created")
    made = [n for n in walk(loop.body) if isinstance(n, cst.Assign) and any(name(t.target) == own for t in n.targets)]
    value = made[0].value if len(made) == 1 and len(made[0].targets) == 1 else None
    if not own or not isinstance(value, cst.Call) or name(value.func).rpartition(".")[2] != table.name or node.args:
        return other
    blocks = [n for n in walk(loop.body) if isinstance(n, cst.IndentedBlock)]
    home = next((b for b in blocks if any(isinstance(s, cst.SimpleStatementLine) and made[0] in s.body for s in b.body)), None)
    saved = next((b for b in blocks if any(isinstance(s, cst.SimpleStatementLine) and _only(s, node) for s in b.body)), None)
    if saved is None or home is not saved:
        return other  # it may be made in one case, and saved in another
    scope = around(tree.way(tree.start(loop), tree.end(loop)), cst.FunctionDef) or tree.module
    uses = [tree.start(n) for n in walk(scope) if isinstance(n, cst.Name) and n.value == own and tree.placed(n)]
    if any(at > tree.end(node) for at in uses):
        return Unfit("the row is used after it is saved, when it would have no key yet")
    keys = {"pk", "id", table.key}
    for call in (n for n in walk(loop.body) if isinstance(n, cst.Call)):
        if isinstance(call.func, cst.Attribute) and name(call.func.value) == own and method(call) not in (*CHECKS, "save"):
            return Unfit("a method of the row may need it to be saved, or save it")
        if any(name(a.value) == own for a in call.args):
            return Unfit("what the row is passed to may need it to be saved, or save it")
    used = [n for n in walk(loop.body) if isinstance(n, cst.Attribute) and name(n.value) == own]
    if any(n.attr.value in keys for n in used):
        return Unfit("the row has no key before it is saved")
    return own, ()


def _only(statement: cst.SimpleStatementLine, node: cst.Call) -> bool:
    """Whether a statement is a call and nothing else."""
    return len(statement.body) == 1 and isinstance(statement.body[0], cst.Expr) and statement.body[0].value is node


def _deleted(task: Task, tree: Tree, function: Function, table: Table, node: cst.BaseExpression, loop: cst.For) -> Fix | Unfit:
    """The rows that go, told by their keys once the rounds have chosen them."""
    row = node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else None
    own = row.value if isinstance(row, cst.Name) else ""
    if not isinstance(node, cst.Call) or method(node) != "delete" or node.args or name(loop.target) != own or not own:
        return Unfit("what is deleted is not the item of the loop")
    after = [n for n in walk(loop.body) if isinstance(n, cst.Name) and n.value == own and tree.start(n) > tree.end(node)]
    if after:
        return Unfit("the row is used after it is gone")
    names_here = Names(tree)
    model = class_name(task, tree, function, table.name, names_here)
    if model is None:
        return Unfit(f"`{table.name}` is not known in {tree.path}")
    scope = around(tree.way(tree.start(loop), tree.end(loop)), cst.FunctionDef) or tree.module
    rows = fresh(f"deleted_{several(snake(model.rpartition('.')[2]))}", tree.taken(scope))
    indent = tree.indent(tree.start(loop))
    before, behind = tree.line_start(tree.start(loop)), tree.next_line(tree.end(loop) - 1)
    manager = "objects" if plain_manager(task, table) else "_base_manager"
    edits = (
        *names_here.edits,
        tree.edit(before, before, f"{indent}{rows} = []\n"),
        tree.replaced(node, f"{rows}.append({own}.pk)"),
        tree.edit(behind, behind, f"{indent}{model}.{manager}.filter(pk__in={rows}).delete()\n"),
    )
    return Fix("delete all rows with one delete()", Safety.UNSAFE, edits, (UNHEARD, NOTHING, AGAIN))


def _created(tree: Tree, node: cst.BaseExpression, table: Table) -> tuple[str, tuple[str, ...]] | Unfit:
    """The row that is made."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or method(node) != "create":
        return Unfit("what is written is not one row")
    base = node.func.value
    if not isinstance(base, cst.Attribute) or base.attr.value != "objects" or name(base.value).rpartition(".")[2] != table.name:
        return Unfit("the rows are made by something else than the class")
    start, end = tree.end(node.func), tree.end(node)
    return f"{{model}}{tree.between(start, end)}", ()


def _timed(task: Task, table: Table) -> bool:
    span = table.span
    data = task.sources.read(span.path) if span is not None else None
    return data is not None and b"auto_now=" in data
