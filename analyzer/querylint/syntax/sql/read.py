"""A statement's text to its meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from querylint.syntax.sql.conditions import NOTHING_KNOWN, Conditions
from querylint.syntax.sql.masking import Masked, hole, marked, mask, whole
from querylint.syntax.sql.parse import MOST_PARSED, parsed
from querylint.syntax.sql.statement import (
    NOT_READ,
    Assignment,
    Column,
    Join,
    Operand,
    OperandKind,
    Operation,
    OrderTerm,
    Output,
    Statement,
    TableUse,
)

_FIRST = re.compile(r"(?:[\s(]|--[^\n]*|/\*.*?\*/)*+([A-Za-z]+)", re.DOTALL)
_READS = frozenset(("select", "with", "values", "table"))
_WRITES = frozenset(("insert", "replace", "update", "delete", "truncate", "merge", "upsert"))
_OTHERS = frozenset(
    "begin start commit end rollback savepoint release set reset show pragma explain analyze vacuum attach detach lock unlock use call "
    "do execute prepare deallocate declare fetch close move copy grant revoke listen notify unlisten discard checkpoint cluster refresh "
    "optimize describe desc kill load flush abort".split()
)
_DEFINES = frozenset(("create", "alter", "drop", "rename", "comment", "reindex"))
_AGGREGATES = {
    "Count": "count", "Sum": "sum", "Avg": "avg", "Min": "min", "Max": "max", "Exists": "exists", "ArrayAgg": "array_agg",
    "GroupConcat": "group_concat", "Total": "sum", "JSONArrayAgg": "array_agg", "JSONObjectAgg": "array_agg", "LogicalOr": "any",
}  # fmt: skip


def read(text: str, dialect: str = "") -> Statement:
    """What one statement says. Never raises: a text that cannot be parsed is Operation.UNKNOWN, or what its first word tells.

    `dialect` is sqlite, postgres, mysql or nothing, as the driver suggests; the others are tried where it fails.
    """
    return _read(text, dialect)


@lru_cache(maxsize=MOST_PARSED)
def _read(text: str, dialect: str) -> Statement:
    operation = _operation(text)
    if operation not in (Operation.READ, Operation.WRITE):
        verb = _verb(text)
        return NOT_READ if operation is Operation.UNKNOWN else Statement(operation, verb)
    found = parsed(text, dialect)
    if found is None:
        return Statement(operation, _verb(text), partial=True)
    tree, masked = found
    try:
        return _Reader(masked, _verb(text)).statement(tree)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError):
        return Statement(operation, _verb(text), partial=True)


def _verb(text: str) -> str:
    found = _FIRST.match(mask(text).text) if len(text) < 2_000 else _FIRST.match(text)
    return found[1].lower() if found is not None else ""


def _operation(text: str) -> Operation:
    """What the first word of a text announces."""
    verb = _verb(text)
    if not verb or marked(verb + "_"):
        return Operation.UNKNOWN
    if verb in _READS:
        return Operation.READ
    if verb in _WRITES:
        return Operation.WRITE
    if verb in _DEFINES:
        return Operation.DDL
    return Operation.OTHER if verb in _OTHERS else Operation.UNKNOWN


class _Reader:
    """Turns one tree into a statement."""

    def __init__(self, masked: Masked, verb: str) -> None:
        self.masked = masked
        self.verb = verb
        self.conditions = Conditions(masked)

    def statement(self, tree: Any) -> Statement:
        kind = type(tree).__name__
        if kind == "Subquery":
            return self.statement(tree.this)
        if kind == "Select":
            return self.select(tree)
        if kind in ("Union", "Intersect", "Except"):
            return self.combined(tree)
        if kind == "Insert":
            return self.insert(tree)
        if kind == "Update":
            return self.update(tree)
        if kind == "Delete":
            return self.delete(tree)
        if kind == "TruncateTable":
            tables = tuple(self.table(t, frozenset()) for t in tree.expressions)
            return Statement(Operation.WRITE, "truncate", tables)
        if kind == "Merge":
            return Statement(Operation.WRITE, "upsert", (self.table(tree.this, frozenset()),), partial=True)
        if kind == "Values":
            return Statement(Operation.READ, "values")
        return Statement(_operation(self.masked.text), self.verb, partial=True)

    def select(self, tree: Any, outside: frozenset[str] = frozenset()) -> Statement:
        made = _made_names(tree) | outside
        tables: list[TableUse] = []
        joins: list[Join] = []
        source = tree.args.get("from_") or tree.args.get("from")
        if source is not None:
            tables.append(self.table(source.this, made))
            joins += self.joined(source.this.args.get("joins") or [], made)
        joins += self.joined(tree.args.get("joins") or [], made)
        tables += [j.table for j in joins]
        outputs, star = self.outputs(tree.expressions)
        where = tree.args.get("where")
        order = tree.args.get("order")
        group = tree.args.get("group")
        chosen = (NOTHING_KNOWN,) if tree.args.get("having") is not None else ()  # of the groups, by what they come to
        return Statement(
            Operation.READ,
            "select",
            tuple(tables),
            tuple(joins),
            (*(self.conditions.all(where.this) if where is not None else ()), *chosen),
            outputs,
            star,
            tree.args.get("distinct") is not None,
            tuple(self.conditions.column(e) for e in group.expressions) if group is not None else (),
            self.ordered(order),
            self.bound(tree.args.get("limit")),
            self.bound(tree.args.get("offset")),
            subqueries=self.inner(tree, made),
            locking=bool(tree.args.get("locks")),
            partial=self.masked.dropped,
        )

    def combined(self, tree: Any) -> Statement:
        """UNION and its kind: every arm is a statement of its own."""
        arms = self.inner(tree, _made_names(tree))
        tables = tuple(dict.fromkeys(t for arm in arms for t in arm.tables))
        first = arms[0] if arms else NOT_READ
        return Statement(
            Operation.READ, "select", tables, outputs=first.outputs, star=first.star, order=self.ordered(tree.args.get("order")),
            limit=self.bound(tree.args.get("limit")), offset=self.bound(tree.args.get("offset")), subqueries=arms, partial=True,
            combined=True,
        )  # fmt: skip

    def insert(self, tree: Any) -> Statement:
        target = tree.this
        names: list[str] | None = None
        if type(target).__name__ == "Schema":
            names = [str(e.name) for e in target.expressions]
            target = target.this
        source = tree.expression
        upsert = tree.args.get("conflict") is not None or str(tree.args.get("alternative") or "").upper() == "REPLACE"
        verb = "upsert" if upsert or self.verb == "replace" else "insert"
        rows = None
        assignments: tuple[Assignment, ...] | None = None
        if names is not None and not any(marked(n) for n in names):
            assignments = tuple(Assignment(n, Operand(OperandKind.OTHER)) for n in names)
        if type(source).__name__ == "Values":
            rows = len(source.expressions)
            given = source.expressions[0].expressions if rows == 1 and type(source.expressions[0]).__name__ == "Tuple" else []
            if assignments is not None and len(given) == len(assignments):
                assignments = tuple(Assignment(a.column, self.conditions.operand(e)) for a, e in zip(assignments, given, strict=True))
            if len(given) == 1 and assignments is not None and len(assignments) > 1:
                rows = None  # VALUES %s, filled with many rows
        return Statement(
            Operation.WRITE, verb, (self.table(target, frozenset()),), assignments=assignments, rows=rows,
            returning=self.returned(tree), subqueries=self.inner(tree, _made_names(tree)), partial=self.masked.dropped,
        )  # fmt: skip

    def update(self, tree: Any) -> Statement:
        assignments: list[Assignment] = []
        for part in tree.expressions:
            column = self.conditions.column(part.this) if type(part).__name__ == "EQ" else None
            if column is None or column.name is None:
                return self.changed(tree, "update", None)
            assignments.append(Assignment(column.name, self.conditions.operand(part.expression)))
        return self.changed(tree, "update", tuple(assignments))

    def delete(self, tree: Any) -> Statement:
        return self.changed(tree, "delete", ())

    def changed(self, tree: Any, verb: str, assignments: tuple[Assignment, ...] | None) -> Statement:
        made = _made_names(tree)
        joins: list[Join] = []
        source = tree.args.get("from_") or tree.args.get("from")
        if source is not None:
            joins.append(Join(self.table(source.this, made), "inner"))
        joins += [Join(self.table(used, made), "inner") for used in tree.args.get("using") or []]
        joins += self.joined(tree.this.args.get("joins") or [], made)
        where = tree.args.get("where")
        return Statement(
            Operation.WRITE, verb, (self.table(tree.this, made), *(j.table for j in joins)), tuple(joins),
            self.conditions.all(where.this) if where is not None else (), assignments=assignments, returning=self.returned(tree),
            limit=self.bound(tree.args.get("limit")), subqueries=self.inner(tree, made), partial=self.masked.dropped,
        )  # fmt: skip

    def table(self, tree: Any, made: frozenset[str]) -> TableUse:
        """A table as FROM names it."""
        kind = type(tree).__name__
        alias = tree.alias or None if hasattr(tree, "alias") else None
        if alias is not None and marked(alias):
            alias = None
        if kind != "Table" or type(tree.this).__name__ != "Identifier":
            return TableUse(None, alias, kind != "Table" or type(tree.this).__name__ != "Identifier")
        name = str(tree.name)
        space = str(tree.db) or None
        if space is not None and marked(space):
            return TableUse(None, alias, pasted=hole(space))
        if marked(name):
            return TableUse(None, alias, hole=hole(name) if whole(name) else None, space=space, pasted=hole(name))
        return TableUse(name, alias, name.lower() in made, space=space)

    def joined(self, joins: list[Any], made: frozenset[str]) -> list[Join]:
        found = []
        for join in joins:
            kind = (str(join.args.get("side") or "") or str(join.args.get("kind") or "") or "inner").lower()
            on = self.conditions.all(join.args.get("on"))
            using = join.args.get("using") or []
            if using:
                names = [Column(str(u.name)) for u in using]
                on = tuple(c for n in names for c in self.conditions.of(_equal(n.name or "")))
            found.append(Join(self.table(join.this, made), kind, on))
        return found

    def outputs(self, expressions: list[Any]) -> tuple[tuple[Output, ...] | None, bool]:
        """What is handed out, and whether it is everything."""
        found: list[Output] = []
        star = known = False
        for part in expressions:
            bare = part.this if type(part).__name__ == "Alias" else part
            name = type(bare).__name__
            if name == "Star" or (name == "Column" and type(bare.this).__name__ == "Star"):
                star = True
                continue
            column = self.conditions.column(bare)
            if column is not None and column.name is None:
                known = True
                continue
            label = str(part.alias_or_name) or None
            while name in ("Coalesce", "Cast", "Paren", "Round"):
                bare = bare.this
                name = type(bare).__name__
            aggregate = _AGGREGATES.get(name)
            if name == "Filter":
                aggregate = _AGGREGATES.get(type(bare.this).__name__)
            if aggregate in ("min", "max") and bare.expressions:
                aggregate = None  # the greatest of several columns of one row
            inner = self.conditions.column(bare.this) if aggregate in ("sum", "min", "max", "avg", "count") else None
            found.append(Output(label if label is None or not marked(label) else None, column or inner, aggregate))
        return (None if star or known else tuple(found)), star

    def returned(self, tree: Any) -> tuple[Output, ...] | None:
        returning = tree.args.get("returning")
        if returning is None:
            return None
        return self.outputs(returning.expressions)[0] or ()

    def ordered(self, order: Any) -> tuple[OrderTerm, ...]:
        if order is None:
            return ()
        terms = []
        for part in order.expressions:
            column = self.conditions.column(part.this) if type(part).__name__ == "Ordered" else self.conditions.column(part)
            known = column if column is not None and column.name is not None else None
            terms.append(OrderTerm(known, bool(part.args.get("desc"))))
        return tuple(terms)

    def bound(self, tree: Any) -> Operand | None:
        if tree is None:
            return None
        inner = tree.expression if type(tree).__name__ in ("Limit", "Offset") else tree.args.get("count")
        return self.conditions.operand(inner) if inner is not None else Operand(OperandKind.OTHER)

    def inner(self, tree: Any, made: frozenset[str]) -> tuple[Statement, ...]:
        """Every select inside, each by itself; those of deeper levels belong to the select around them."""
        return tuple(self.select(s, made) for s in _selects(tree))


def _selects(tree: Any) -> Iterator[Any]:
    queue = list(tree.iter_expressions())
    while queue:
        here = queue.pop(0)
        if type(here).__name__ == "Select":
            yield here
        else:
            queue.extend(here.iter_expressions())


def _made_names(tree: Any) -> frozenset[str]:
    """The names that WITH gives to subqueries."""
    given = tree.args.get("with_") or tree.args.get("with")
    return frozenset(str(c.alias).lower() for c in given.expressions) if given is not None else frozenset()


def _equal(name: str) -> Any:
    from sqlglot import exp

    return exp.EQ(this=exp.column(name), expression=exp.column(name))
