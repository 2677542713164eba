"""A statement is run: the read or write that goes into the program, and what the caller has in hand then."""

from __future__ import annotations

import re
from collections.abc import Callable

from querylint.construction import dataclass, replace
from querylint.frontends.flow.amounts import amount
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NO_STEPS, NOTHING, Many, Marker, Record, Val, derived, literal, lowered, many
from querylint.frontends.python.stacks.dbapi.fetching import Fetch, Taken
from querylint.frontends.python.stacks.dbapi.vocabulary import SYSTEM_SPACES, SYSTEM_TABLES
from querylint.ir import ITEM, Access, Bound, Op, Order, Origin, Plan, Predicate, Relation, Root, Side, Table, Terminal, Value, Way
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.sql import PRIMARY, Condition, Operand, OperandKind, Operation, Output, Statement, TableUse, qualified

CURSOR = "cursor"
PART = "part of a name"
Lookup = Callable[[int | str], Val]


@dataclass(frozen=True, slots=True)
class Run:
    """One statement on its way: what it says, what its holes and placeholders hold, and how its rows are taken."""

    statement: Statement
    holes: tuple[Val, ...]
    lookup: Lookup
    deps: frozenset[int]
    taken: Taken
    many: bool = False


def lookup_in(given: Val) -> Lookup:
    """Placeholders by number in a tuple or a list, by name in a dictionary."""
    shape = given.shape

    def look(key: int | str) -> Val:
        if isinstance(shape, Record):
            return shape.fields.get(str(key), derived(given))
        if isinstance(shape, Many):
            if isinstance(key, int) and shape.items is not None:
                return shape.items[key] if key < len(shape.items) else NOTHING
            return shape.item if shape.items is None else derived(given)
        return derived(given)

    return look


def lookup_of(values: tuple[Val, ...]) -> Lookup:
    """Placeholders by number among the arguments of the call itself."""

    def look(key: int | str) -> Val:
        return values[key] if isinstance(key, int) and key < len(values) else NOTHING

    return look


def concerns(statement: Statement) -> bool:
    """Whether a statement reads or writes the program's own rows: not the catalog, not a lock on one row of a queue."""
    if statement.operation not in (Operation.READ, Operation.WRITE):
        return False
    table = main_table(statement)
    if table is None:
        return statement.operation is Operation.WRITE or bool(statement.partial)
    if (table.space or "").lower() in SYSTEM_SPACES or (table.name or "").lower().startswith(SYSTEM_TABLES):
        return False
    return not statement.locking


def main_table(statement: Statement) -> TableUse | None:
    """The table that a statement is about: the first stored one, within subqueries where there is none outside."""
    for table in statement.tables:
        if not table.derived:
            return table
    for inner in statement.subqueries:
        found = main_table(inner)
        if found is not None:
            return found
    return None


CACHING = Pattern(r"cache|memo", re.IGNORECASE)


def _kept(m: State) -> bool:
    """Whether the function at hand keeps its results, by a decorator of that name."""
    fn = m.calling[0] if m.calling else None
    return isinstance(fn, tree.Fn) and any(CACHING.search(_word(d)) for d in fn.decorators)


def _word(node: tree.Expr) -> str:
    if isinstance(node, tree.Call):
        return _word(node.func)
    return node.name if isinstance(node, tree.Member) else node.id if isinstance(node, tree.Name) else ""


def run(m: State, runs: list[Run], tables: dict[str, Table], node: tree.Call, *, pending: bool) -> Val:
    """Write down the access; the value is a cursor over its rows, whatever the method hands out itself."""
    first = runs[0]
    statement = first.statement
    use = main_table(statement)
    written = qualified(use.space, use.name) if use is not None and use.name is not None else None
    table = tables.get(written.lower()) if written is not None else None
    name = table.name if table is not None else written
    if any(not _same(r.statement, use) for r in runs[1:]):
        table, name = None, None
    number = m.fresh()
    span = m.span(node.at, node.end)
    plans = tuple(dict.fromkeys(_plan(r, use, table) for r in runs)) if statement.tables else ()
    deps = frozenset[int]().union(*(r.deps for r in runs))
    reads = statement.operation is Operation.READ
    bound, terminal, limit = _shape(m, first, table, plans, several=len(runs) > 1) if reads else (Bound.ONE, Terminal.NOTHING, None)
    if not reads and (first.many or (statement.rows is None and statement.verb in ("insert", "upsert"))):
        bound = Bound.ALL
    verb = "executemany" if first.many else statement.verb
    m.emit(
        Access(
            number, Op.READ if reads else Op.WRITE, verb, name, plans, bound, terminal, span, span, deps, m.why(), limit,
            _table_from(m, first, use), None, _key(first, use, table), _written(statement), m.broken(node.at, node.end),
            kept=reads and _kept(m),
        )
    )  # fmt: skip
    me = frozenset({number})
    if not reads and not statement.returning:
        return _waited(m, Val(deps=me, pending=me, shape=Marker(CURSOR)), node, pending=pending)
    origin = Origin(Root.STEP, number)
    labels = _labels(statement if reads else Statement(Operation.READ, outputs=statement.returning))
    most = amount(_operand(first, statement.limit)) if statement.limit is not None and len(runs) == 1 else None
    inner = row(origin, labels, me) if terminal is Terminal.ROW else rows(origin, labels, me, most)
    return _waited(m, Val(deps=me, pending=me, shape=Marker(CURSOR, (terminal.value,), inner)), node, pending=pending)


def _waited(m: State, value: Val, node: tree.Call, *, pending: bool) -> Val:
    return value if pending else m.wait(value, node.at, node.end)


def _same(statement: Statement, use: TableUse | None) -> bool:
    other = main_table(statement)
    return other is not None and use is not None and (other.name or "").lower() == (use.name or "").lower()


def _table_from(m: State, run: Run, use: TableUse | None) -> Origin | None:
    """The parameter that carries the name of a table, or a part of it, or the loop each round of which is about another one."""
    if use is None or use.pasted is None or use.pasted >= len(run.holes):
        return None
    hole = run.holes[use.pasted]
    loop = next((frame.id for frame in reversed(m.frames) if frame.id in hole.deps), None)
    if loop is not None:
        return Origin(Root.STEP, loop)
    given = next((o for o in hole.origins if o.root is Root.PARAM), None)
    return given if given is None or use.hole is not None else given.at(PART)


def _written(statement: Statement) -> tuple[str, ...] | None:
    if statement.operation is not Operation.WRITE or statement.assignments is None:
        return None
    return tuple(a.column for a in statement.assignments)


# Plans.


def _plan(run: Run, use: TableUse | None, table: Table | None) -> Plan:
    statement = run.statement
    if use is None or statement.combined or use not in statement.tables:
        return Plan(Way.OPAQUE)
    found = tuple(p for c in statement.conditions for p in _predicate(run, c, use, table))
    if statement.partial or statement.joins:
        found = (*found, Predicate(None, Relation.OTHER, Side.FILTER))
    way = Way.KEY if table is not None and _bound_fields(found) >= set(_primary(table)) and _primary(table) else Way.PLANNER
    return Plan(way, None, found, _order(statement, use, table), columns=_labels(statement))


def _primary(table: Table) -> tuple[str, ...]:
    return next((i.fields for i in table.indexes if i.name == PRIMARY), ())


def _bound_fields(predicates: tuple[Predicate, ...]) -> set[str]:
    return {p.field for p in predicates if p.relation is Relation.EQ and p.field is not None}


def _predicate(run: Run, condition: Condition, use: TableUse, table: Table | None) -> list[Predicate]:
    if condition.relation is Relation.ANY:
        arms = tuple(tuple(p for c in arm for p in _predicate(run, c, use, table)) for arm in condition.arms)
        return [Predicate(None, Relation.ANY, Side.FILTER, arms=arms)] if all(arms) else [Predicate(None, Relation.OTHER, Side.FILTER)]
    column = condition.column
    if column is None or column.name is None:
        return [Predicate(None, Relation.OTHER, Side.FILTER)]
    operand = condition.operand
    if not run.statement.belongs(column, use):
        known = table is not None and column.of is None and _spelled(column.name, table) in {f.name for f in table.fields or ()}
        if not known or len(run.statement.tables) > 1:
            return []
    if operand is not None and operand.kind is OperandKind.SUBQUERY:
        return [Predicate(_spelled(column.name, table), Relation.OTHER, Side.FILTER)]
    if operand is not None and operand.kind is OperandKind.COLUMN:
        return [] if len(run.statement.tables) > 1 else [Predicate(_spelled(column.name, table), Relation.OTHER, Side.FILTER)]
    value = lowered(_operand(run, operand)) if operand is not None else None
    side = Side.INDEX if condition.relation is Relation.EQ else Side.FILTER  # a planner may bind any column that is compared for equality
    return [Predicate(_spelled(column.name, table), condition.relation, side, value)]


def _spelled(name: str, table: Table | None) -> str:
    """A column as its table declares it; SQL compares names without regard to case."""
    if table is not None and table.field(name) is None:
        return next((f.name for f in table.fields or () if f.name.lower() == name.lower()), name)
    return name


def _operand(run: Run, operand: Operand) -> Val:
    if operand.kind is OperandKind.PLACEHOLDER and operand.key is not None:
        return run.lookup(operand.key)
    if operand.kind is OperandKind.LITERAL:
        return literal(operand.literal)
    if operand.kind is OperandKind.HOLE and isinstance(operand.key, int) and operand.key < len(run.holes):
        return run.holes[operand.key]
    if operand.kind is OperandKind.LIST:
        return many(tuple(_operand(run, item) for item in operand.items))
    return NOTHING


def _order(statement: Statement, use: TableUse, table: Table | None) -> Order | None:
    """The order asked for, where it is one of plain columns of the table that all run the same way."""
    names: list[str] = []
    down = bool(statement.order) and statement.order[0].descending
    for term in statement.order:
        column = term.column
        if column is None or column.name is None or not statement.belongs(column, use) or term.descending is not down:
            return None
        names.append(_spelled(column.name, table))
    return Order(tuple(names), down) if names else None


def _key(run: Run, use: TableUse | None, table: Table | None) -> Value | None:
    """What a primary key of one column is compared with."""
    keys = _primary(table) if table is not None else ()
    if use is None or len(keys) != 1:
        return None
    for condition in run.statement.on(use):
        column, operand = condition.column, condition.operand
        if column is None or column.name is None or operand is None or condition.relation is not Relation.EQ:
            continue
        if _spelled(column.name, table) == keys[0]:
            return lowered(_operand(run, operand))
    return None


# What is handed out.


def _shape(m: State, run: Run, table: Table | None, plans: tuple[Plan, ...], *, several: bool) -> tuple[Bound, Terminal, Value | None]:
    statement, fetch = run.statement, run.taken.fetch
    if not several:
        if statement.counts:
            return Bound.ALL, Terminal.COUNT, None
        if statement.probes:
            return Bound.ONE, Terminal.EXISTS, None
        if statement.outputs and not statement.grouped and all(o.aggregate for o in statement.outputs):
            return Bound.ONE, Terminal.ROW, None
    one = fetch in (Fetch.ROW, Fetch.VALUE)
    limit = statement.limit
    if one or _unique(table, plans):
        return Bound.ONE, Terminal.ROW if one else Terminal.ROWS, None
    if limit is not None:
        value = lowered(_operand(run, limit))
        return Bound.ONE if value.literal == 1 else Bound.LIMIT, Terminal.ROWS, value
    if statement.partial or several or fetch is Fetch.ELSEWHERE:
        return Bound.LIMIT, Terminal.ROWS, None  # a limit may be among what cannot be seen
    return Bound.PAGE if fetch is Fetch.BATCHES else Bound.ALL, Terminal.ROWS, None


def _unique(table: Table | None, plans: tuple[Plan, ...]) -> bool:
    """Whether at most one row can match."""
    if table is None or not plans:
        return False
    keys = [set(i.fields) for i in table.indexes if i.unique and not i.partial and i.fields]
    return all(any(key <= _bound_fields(plan.predicates) for key in keys) for plan in plans)


def _labels(statement: Statement) -> tuple[str, ...] | None:
    if statement.outputs is None or any(o.label is None for o in statement.outputs):
        return None
    return tuple(_label(o) for o in statement.outputs)


def _label(output: Output) -> str:
    """The column that stands behind an output, else its own name."""
    column = output.column
    return column.name if column is not None and column.name is not None and output.aggregate is None else output.label or ""


def rows(origin: Origin, labels: tuple[str, ...] | None, me: frozenset[int], most: int | None = None) -> Val:
    """A list of rows, of which there are `most` at most."""
    return Val((origin,), me, shape=Many(row(origin.at(ITEM), labels, me), most=most))


def row(origin: Origin, labels: tuple[str, ...] | None, me: frozenset[int]) -> Val:
    """One row: a tuple whose members have names."""
    if not labels:
        return Val((origin,), me)
    items = tuple(Val((origin.at(name),), me) for name in labels)
    return Val((origin,), me, shape=Many(Val((origin.at("*"),), me), items, names=labels))


def first_columns(cursor: Marker) -> Marker:
    """A cursor that hands out the first column of each row."""
    inner = cursor.inner
    item = inner.item() if inner is not None else NOTHING
    if inner is None or not isinstance(item.shape, Many) or not item.shape.items or (cursor.data and cursor.data[0] != Terminal.ROWS.value):
        return cursor
    return replace(cursor, inner=replace(inner, shape=Many(item.shape.items[0])))


def fetched(cursor: Marker, fetch: Fetch, deps: frozenset[int], pending: frozenset[int]) -> Val:
    """What a fetch takes from a cursor."""
    inner = cursor.inner
    if inner is None:
        return Val(deps=deps, pending=pending)
    single = bool(cursor.data) and cursor.data[0] != Terminal.ROWS.value
    if fetch in (Fetch.ROW, Fetch.VALUE):
        found = inner if single else inner.item()
        if fetch is Fetch.VALUE and isinstance(found.shape, Many) and found.shape.items:
            found = found.shape.items[0]
    else:
        found = many((inner,)) if single else inner
    return Val(found.origins, found.deps | deps, pending, shape=found.shape, works=found.works)


__all__ = ["CURSOR", "NO_STEPS", "Run", "concerns", "fetched", "lookup_in", "lookup_of", "main_table", "run"]
