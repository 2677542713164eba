"""One row read for each item of a loop: the rows of all the items are read by one query before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst

from querylint.ir import ITEM, Access, Call, Loop, Op, Root, Table, Terminal, Way
from querylint.patch import NO_FIX, Fix, Safety, TextEdit
from querylint.remedy import Batch
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python import gather, lookups_django, lookups_sqlalchemy, writes, writes_sqlalchemy
from querylint.rewrite.python.classes import default_manager
from querylint.rewrite.python.concrete import Tree, name, read_of, walk
from querylint.rewrite.python.expressions import code
from querylint.rewrite.python.imports import Names, known, merged, released
from querylint.rewrite.python.inline import Inlined, inlined
from querylint.rewrite.python.lookups import ALL_OF_KEY, MISSING, Asking, Lookup
from querylint.rewrite.python.placing import Place, laid_out, put, statement_of
from querylint.rewrite.python.rounds import UNSEEN, Rounds, again, built, calm, pure, rounds, unsettled, whole_numbers
from querylint.rewrite.python.scopes import fresh, names

BEFORE = "the error of an invalid key comes before the first iteration"
TYPES = "the keys must have the type of the column, since they are looked up in a dictionary"
TWICE = "a key that occurs twice gives one object, no longer two"
UNNEEDED = "it is also read for items that are not looked up now"
APART = "each iteration reads in its own transaction, and would no longer see what others have written since the loop began"
HANDLED = "a KeyError of the statements around it is handled as a missing row, too"


@dataclass(frozen=True, slots=True)
class Handled:
    """The edits of the code that waits for a missing row, what is to be minded of them, and what of it goes away."""

    edits: tuple[TextEdit, ...] = ()
    caveats: tuple[str, ...] = ()
    gone: tuple[cst.CSTNode, ...] = ()


def rewrite(task: Task, remedy: Batch) -> Fix | Unfit:
    """Read ahead by key, or side by side where each round has a connection of its own."""
    if remedy.of in ("writes", "alike"):
        return writes_sqlalchemy.rewrite(task, remedy) if task.found.stack == "sqlalchemy" else writes.rewrite(task, remedy)
    keyed = _keyed(task, remedy)
    if not isinstance(keyed, Unfit):
        return keyed
    beside = gather.rewrite(task, remedy)
    if isinstance(beside, Unfit):
        return keyed if beside.reason == gather.APART else Unfit(f"{keyed.reason}; in parallel: {beside.reason}")
    return beside


def _keyed(task: Task, remedy: Batch) -> Fix | Unfit:
    """Read ahead by key."""
    if remedy.loop is None:
        return Unfit(NO_FIX)
    placed = read_of(task, remedy.loop)
    if isinstance(placed, Unfit):
        return placed
    tree, node, way = placed
    if isinstance(way[-1], cst.Await):
        node, way = way[-1], way[:-1]
    found = rounds(tree, way, node, remedy.loop.start)
    if isinstance(found, Unfit):
        return found
    brought = Names(tree)
    whole, gone = built(found, node)
    lookup = _lookup(task, tree, (node, whole), found, brought)
    if isinstance(lookup, Unfit):
        return lookup
    if reason := _seen_again(task, found, lookup) or _hindered(task, remedy, found, lookup):
        return Unfit(reason)
    handled = _handled(tree, found, lookup, way)
    if isinstance(handled, Unfit):
        return handled
    django = task.found.stack == "django"
    shared = (TWICE,) if django and not (lookup.found or lookup.counted) and not _only_read(found, node, way) else ()
    read = Place(node, way, shared, django=django, typed=_of_row(lookup.key, _rows(task, found)), gone=gone)
    return _ahead(tree, read, found, lookup, handled, brought)


def _never_fails(found: Rounds, key: cst.BaseExpression, rows: frozenset[str]) -> bool:
    """Whether a key can be worked out for every item, even one that the round asks nothing for."""
    settled = found.settled(key)
    return isinstance(settled, cst.Name) or _of_row(settled, rows)


def _of_row(key: cst.BaseExpression, rows: frozenset[str]) -> bool:
    """Whether a key is what a row of a query holds, which has the type of the column by itself."""
    if not isinstance(key, cst.Attribute) or not isinstance(key.value, cst.Name) or key.value.value not in rows:
        return False
    return key.attr.value in ("id", "pk") or key.attr.value.endswith("_id")


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


def _lookup(
    task: Task, tree: Tree, read_as: tuple[cst.BaseExpression, cst.BaseExpression], found: Rounds, brought: Names
) -> Lookup | Unfit:
    """The read that an expression is: as it stands, and with all that it is built of."""
    node, whole = read_as
    function = task.function
    table = task.program.table(function, task.found.table) if function is not None else None
    read = {"django": lookups_django.lookup, "sqlalchemy": lookups_sqlalchemy.lookup}.get(task.found.stack)
    if function is None or read is None:
        return Unfit(NO_FIX)
    if table is None:
        return Unfit("which table is read is not known")
    rows, records = _rows(task, found), _rows(task, found, whole=False)
    django = task.found.stack == "django"
    select = Names(tree).of("sqlalchemy", "select") or "select"
    count = Names(tree).of("django.db.models", "Count") or "Count" if django else Names(tree).of("sqlalchemy", "func") or "func"
    asking = Asking(found.own, rows, records, tree.quoted("")[:1], select, count, _whole(task, tree, node))
    call = node.expression if isinstance(node, cst.Await) else node
    start, end = tree.bounds(call)
    if any(isinstance(s, Call) and s.span.start == start and s.span.end == end for s in function.steps()):
        made = inlined(task, tree, node, found.scope, brought)
        if isinstance(made, Unfit):
            return made
        lookup = read(made.expression, table, asking)
        return lookup if isinstance(lookup, Unfit) or made.failing is None else _failing(made, lookup)
    if django and isinstance(whole, cst.Call) and name(whole.func).rpartition(".")[2] == "get_object_or_404":
        return _or_404(task, whole, table, asking, brought)
    return read(whole, table, asking)


def _or_404(task: Task, call: cst.Call, table: Table, asking: Asking, brought: Names) -> Lookup | Unfit:
    """What `get_object_or_404(Post, pk=key)` reads, and what it raises where there is no such row."""
    if name(call.func) not in known(brought.tree, "django.shortcuts", "get_object_or_404"):
        return Unfit("get_object_or_404 is not the one of django.shortcuts, and may raise something else")
    written = lookups_django.first_of(call, default_manager(task, table))
    error = brought.of("django.http", "Http404")
    if written is None or error is None:
        return Unfit("the first argument is not a class or a queryset that is written here")
    lookup = lookups_django.lookup(written, table, asking)
    if isinstance(lookup, Unfit):
        return lookup
    if ALL_OF_KEY in lookup.caveats or not all(_of_one(table, condition) for condition in _conditions(written)):
        return Unfit("several rows may have one key, which is an error in get_object_or_404")
    said = f"No {table.name.rpartition('.')[2]} matches the given query."
    return replace(lookup, failing=cst.parse_expression(f"{error}({asking.quote}{said}{asking.quote})"), none=True)


def _conditions(query: cst.BaseExpression) -> list[str]:
    """The names of all that a query compares, in its calls and in what is handed to these."""
    return [n.keyword.value for n in walk(query) if isinstance(n, cst.Arg) and n.keyword is not None]


def _of_one(table: Table, condition: str) -> bool:
    """Whether a condition finds a row once: it is of a column, and follows no relation, which may lead to several rows."""
    first, _, more = condition.partition("__")
    link = table.link(first)
    return not link.many and not more if link is not None else first == "pk" or not more or table.field(first) is not None


def _whole(task: Task, tree: Tree, node: cst.BaseExpression) -> bool:
    """Whether a read hands out rows of one class as they are."""
    start, end = tree.bounds(node.expression if isinstance(node, cst.Await) else node)
    steps = task.function.steps() if task.function is not None else ()
    reads = [s for s in steps if isinstance(s, Access) and s.op is Op.READ and start <= s.span.start and s.span.end <= end]
    return len(reads) == 1 and bool(reads[0].plans) and all(p.columns is None and p.way is not Way.OPAQUE for p in reads[0].plans)


def _failing(made: Inlined, lookup: Lookup) -> Lookup | Unfit:
    """A read whose helper raises an error of its own where there is no row."""
    if lookup.error or lookup.found:
        return Unfit("the helper raises an error other than that of the read")
    return replace(lookup, failing=made.failing, none=made.none)


def _seen_again(task: Task, found: Rounds, lookup: Lookup) -> str:
    """Why a row is asked for that the loop has just read, empty where it is another one: to see what has become of it meanwhile."""
    key = found.settled(lookup.key)
    own = isinstance(key, cst.Attribute) and key.attr.value in ("id", "pk") and name(key.value) in _rows(task, found)
    if own and any(read.table == task.found.table for read in _run_through(task)[0]):
        return "the iteration reads its row again, to see what has changed since the loop read it"
    return ""


def _run_through(task: Task) -> tuple[list[Access], int]:
    """The reads whose rows the loop runs over, and how many sources it has at all."""
    function, remedy = task.function, task.found.remedy
    if function is None or not isinstance(remedy, Batch):
        return [], 0
    over = next((s.over for s in function.steps() if isinstance(s, Loop) and s.span == remedy.loop), None)
    reads = {s.id: s for s in function.steps() if isinstance(s, Access) and s.op is Op.READ and s.terminal is Terminal.ROWS}
    origins = over.origins if over is not None else ()
    made = [reads[o.ref] for o in origins if o.root is Root.STEP and isinstance(o.ref, int) and o.ref in reads and not set(o.path) - {ITEM}]
    return made, len(origins)


def _rows(task: Task, found: Rounds, *, whole: bool = True) -> frozenset[str]:
    """The item, where the loop runs over what a query finds: over `whole` rows, or over records of some columns."""
    target = found.loop.target
    made, sources = _run_through(task)
    if not isinstance(target, cst.Name):
        return frozenset()
    if whole:
        fits = len(made) == sources and all(plan.columns is None for read in made for plan in read.plans)
    else:
        single = [found.tree.between(r.span.start, r.span.end) for r in made if r.span.path == found.tree.path]
        fits = any(plan.columns is not None for read in made for plan in read.plans) and not any("scalars(" in text for text in single)
    return frozenset((target.value,)) if made and fits else frozenset()


def _hindered(task: Task, remedy: Batch, found: Rounds, lookup: Lookup) -> str:
    """Why the rows cannot be read before the loop."""
    for part in lookup.parts:
        if names(part) & found.own:
            return f"the read needs `{min(names(part) & found.own)}`, which is different in every iteration"
        if names(part) & unsettled(found):
            return f"the read needs `{min(names(part) & unsettled(found))}`, which the iterations change"
    if not all(calm(part) for part in lookup.parts):
        return "the query may be a different one in every iteration"
    if found.partial and not _never_fails(found, lookup.key, _rows(task, found)):
        return UNSEEN
    if found.text(lookup.key) is None or not pure(lookup.key) or not all(_calm(task, found, test) for test in found.tested):
        return "the key is computed in the iteration from more than the item"
    if names(found.loop.iter) & unsettled(found):
        return f"the iterations change `{min(names(found.loop.iter) & unsettled(found))}` while they run through it"
    function = task.function
    assert function is not None
    loop = next((s for s in function.steps() if isinstance(s, Loop) and s.span == remedy.loop), None)
    for step in loop.steps() if loop is not None else ():
        written = [step] if isinstance(step, Access) else []
        if isinstance(step, Call):
            written = [e.access for e in task.program.effects_of(function, step)]
        if any(a.op is Op.WRITE and a.table in (task.found.table, None) for a in written):
            return f"the iterations write to `{task.found.table}`, which the next one may look at"
    return ""


def _calm(task: Task, found: Rounds, test: cst.CSTNode) -> bool:
    """Whether a condition reads nothing, so that it can be asked once more."""
    function = task.function
    assert function is not None
    start, end = found.tree.bounds(test)
    inside = [s for s in function.steps() if isinstance(s, Access | Call) and start <= s.span.start and s.span.end <= end]
    return not any(isinstance(s, Access) or task.program.effects_of(function, s) for s in inside)


def _handled(tree: Tree, found: Rounds, lookup: Lookup, way: list[cst.CSTNode]) -> Handled | Unfit:
    """What becomes of the code that waits for a missing row."""
    inner, outer = found.handler, way[: way.index(found.loop)] if found.loop in way else way
    if not lookup.error:
        return Handled() if inner is None and not found.suppressed else Unfit("errors of the read are handled in the iteration")
    if inner is not None:
        held = inner.body.body if isinstance(inner.body, cst.IndentedBlock) else ()
        return _waiting(tree, inner, alone=len(held) == 1)
    if found.suppressed:
        call = found.suppressed[-1]
        if len(call.args) != 1 or not _missing(call.args[0].value):
            return Unfit("an error is handled together with others")
        end = tree.end(call.args[0].value)
        return Handled((tree.edit(end, end, ", KeyError"),), (HANDLED,))
    for up in reversed(outer):
        if isinstance(up, cst.Try) and any(h.type is not None and _names_missing(h.type) for h in up.handlers):
            return _waiting(tree, up, alone=False)
    return Handled()


def _waiting(tree: Tree, handler: cst.Try, *, alone: bool) -> Handled | Unfit:
    """A handler that waits for a missing row, of one read alone or of all that it holds."""
    kinds = [h.type for h in handler.handlers]
    if len(kinds) != 1 or kinds[0] is None or not _missing(kinds[0]):
        return Unfit("an error is handled together with others")
    if alone:
        return Handled((tree.replaced(kinds[0], "KeyError"),), gone=(kinds[0],))
    return Handled((tree.replaced(kinds[0], f"({tree.text(kinds[0])}, KeyError)"),), (HANDLED,))


def _missing(kind: cst.BaseExpression) -> bool:
    return name(kind).endswith(("DoesNotExist", "NoResultFound"))


def _names_missing(kind: cst.BaseExpression) -> bool:
    return any(isinstance(n, cst.Name | cst.Attribute) and _missing(n) for n in walk(kind))


def _ahead(tree: Tree, place: Place, found: Rounds, lookup: Lookup, handled: Handled, brought: Names) -> Fix | Unfit:
    items, kept = again(found, tree.taken(found.scope))
    result = fresh(lookup.result, tree.taken(found.scope) | _outer(place.way, found, lookup.result))
    key = found.text(lookup.key)
    assert key is not None
    typed = place.typed or (whole_numbers(found, lookup.key) and lookup.number)
    statement = statement_of(tree, found)
    if statement is None:
        return Unfit("there is no place for the read before the loop")
    at = tree.line_start(tree.start(statement))
    indent = tree.indent(tree.start(statement))
    first = f"{indent}{kept}\n" if kept else ""
    line = laid_out(tree, indent, result, lookup.ahead(found.keys(key, items)))
    picked = put(tree, place, (found, items), lookup, lookup.pick(result, code(lookup.key), typed))
    if isinstance(picked, Unfit):
        return picked
    edits = [tree.edit(at, at, first + line), *picked]
    edits += [tree.edit(tree.line_start(tree.start(one)), tree.next_line(tree.end(one) - 1), "") for one in place.gone]
    if kept:
        edits.append(tree.replaced(found.loop.iter, items))
    for module, wanted in lookup.needs:
        if brought.of(module, wanted) is None:
            return Unfit(f"`{wanted}` means something else here")
    caveats = [*place.caveats, *lookup.caveats, *handled.caveats, *((UNNEEDED,) if found.partial else ())]
    caveats += [APART] if found.transaction else []
    if lookup.error and not handled.edits:
        caveats.append(MISSING.format(error=lookup.error))
    if not typed:
        caveats.append(BEFORE if place.django else TYPES)
    called = place.node.expression if isinstance(place.node, cst.Await) else place.node
    gone = [*([called.func] if isinstance(called, cst.Call) else []), *handled.gone, *place.gone]
    imports = released(tree, gone, edits, brought)
    level = Safety.UNSAFE if caveats else Safety.SAFE
    asked = "which keys have a row" if lookup.found else "how many rows each key has" if lookup.counted else "the rows of all keys"
    title = f"read {asked} by one query before the loop"
    return Fix(title, level, (*merged([*edits, *brought.edits]), *handled.edits, *imports), tuple(caveats))


def _outer(way: list[cst.CSTNode], found: Rounds, wanted: str) -> frozenset[str]:
    """The name that a loop around this one would use, whose rounds need it beside that of this one."""
    loops = [up for up in way if isinstance(up, cst.For) and up is not found.loop]
    return frozenset(wanted if n == 0 else f"{wanted}_{n + 1}" for n in range(len(loops)))
