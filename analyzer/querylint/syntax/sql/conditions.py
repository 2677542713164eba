"""WHERE and ON clauses as conjunctions of conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from querylint.ir import Relation
from querylint.syntax.sql.masking import Masked, hole, marked, placeholder
from querylint.syntax.sql.statement import Column, Condition, Operand, OperandKind

NOTHING_KNOWN = Condition(None, Relation.OTHER)
_FLIPPED = {Relation.LT: Relation.GT, Relation.GT: Relation.LT, Relation.LTE: Relation.GTE, Relation.GTE: Relation.LTE}
_NEGATED = {Relation.EQ: Relation.NE, Relation.NE: Relation.EQ}
_COMPARISONS = {
    "EQ": Relation.EQ,
    "NullSafeEQ": Relation.EQ,
    "NEQ": Relation.NE,
    "NullSafeNEQ": Relation.NE,
    "LT": Relation.LT,
    "LTE": Relation.LTE,
    "GT": Relation.GT,
    "GTE": Relation.GTE,
}


class Conditions:
    """Reads the conditions of one statement."""

    def __init__(self, masked: Masked) -> None:
        self.masked = masked
        self._of: dict[str, Callable[[Any], Iterator[Condition]]] = {
            "Paren": lambda t: self.of(t.this),
            "And": self._both,
            "Or": self._either,
            "Not": self._not,
            "Is": self._is,
            "In": self._in,
            "Between": self._between,
            "Column": lambda t: self._flag(t, True),
            "Match": self._searched,
            "MatchAgainst": self._searched,
            "Boolean": self._constant,
            "Literal": self._constant,
        }

    def all(self, tree: Any) -> tuple[Condition, ...]:
        """The conjunction that an expression states."""
        return tuple(self.of(tree)) if tree is not None else ()

    def of(self, tree: Any) -> Iterator[Condition]:
        """The conditions of an expression, one by one."""
        name = type(tree).__name__
        known = self._of.get(name)
        if known is not None:
            yield from known(tree)
        elif name in _COMPARISONS:
            yield from self._compared(tree, _COMPARISONS[name])
        else:
            found = tree.this if hasattr(tree, "this") else None
            yield Condition(self.column(found), Relation.OTHER)

    def _both(self, tree: Any) -> Iterator[Condition]:
        yield from self.of(tree.left)
        yield from self.of(tree.right)

    def _either(self, tree: Any) -> Iterator[Condition]:
        arms = tuple(tuple(self.of(arm)) for arm in _flat(tree))
        yield Condition(None, Relation.ANY, arms=arms) if all(arms) else NOTHING_KNOWN

    def _not(self, tree: Any) -> Iterator[Condition]:
        inner = tuple(self.of(tree.this))
        if len(inner) == 1 and inner[0].relation in _NEGATED:
            yield Condition(inner[0].column, _NEGATED[inner[0].relation], inner[0].operand)
        else:
            yield Condition(inner[0].column if len(inner) == 1 else None, Relation.OTHER)

    def _is(self, tree: Any) -> Iterator[Condition]:
        operand = self.operand(tree.expression)
        yield Condition(self.column(tree.this), Relation.EQ if operand.kind is OperandKind.LITERAL else Relation.OTHER, operand)

    def _in(self, tree: Any) -> Iterator[Condition]:
        given, inner = tree.args.get("expressions") or [], tree.args.get("query")
        if inner is not None:
            operand = Operand(OperandKind.SUBQUERY)
        elif tree.args.get("field") is not None:
            operand = self.operand(tree.args["field"])
        else:
            operand = Operand(OperandKind.LIST, items=tuple(self.operand(e) for e in given))
        if type(tree.this).__name__ == "Tuple":
            for part in tree.this.expressions:
                yield Condition(self.column(part), Relation.IN, Operand(OperandKind.OTHER))
            return
        column = self.column(tree.this)
        yield Condition(column, Relation.IN if column is not None else Relation.OTHER, operand)

    def _between(self, tree: Any) -> Iterator[Condition]:
        column = self.column(tree.this)
        if column is None:
            yield NOTHING_KNOWN
            return
        yield Condition(column, Relation.GTE, self.operand(tree.args["low"]))
        yield Condition(column, Relation.LTE, self.operand(tree.args["high"]))

    def _flag(self, tree: Any, value: bool) -> Iterator[Condition]:
        column = self.column(tree)
        if column is None or column.name is None:
            yield NOTHING_KNOWN
        else:
            yield Condition(column, Relation.EQ, Operand(OperandKind.LITERAL, literal=value))

    def _searched(self, tree: Any) -> Iterator[Condition]:
        yield Condition(self.column(tree.this), Relation.SEARCH)

    def _constant(self, tree: Any) -> Iterator[Condition]:
        """`WHERE 1` and `WHERE TRUE` say nothing."""
        return iter(())

    def _compared(self, tree: Any, relation: Relation) -> Iterator[Condition]:
        left, right = _bare(tree.this), _bare(tree.expression)
        if type(left).__name__ == type(right).__name__ == "Literal":
            return
        if type(left).__name__ == "Tuple":
            yield from self._row_compared(left, right, relation)
            return
        if type(right).__name__ in ("Any", "All"):
            inner = self.operand(_bare(right.this))
            meant = Relation.IN if relation is Relation.EQ and type(right).__name__ == "Any" else Relation.OTHER
            yield Condition(self.column(left), meant if self.column(left) is not None else Relation.OTHER, inner)
            return
        column = self.column(left)
        if column is None:
            column = self.column(right)
            if column is None:
                yield NOTHING_KNOWN
                return
            yield Condition(column, _FLIPPED.get(relation, relation), self.operand(left))
            return
        operand = self.operand(right)
        if operand.kind is OperandKind.OTHER and type(right).__name__ not in _STEADY and _mentions_column(right):
            relation = Relation.OTHER
        yield Condition(column, relation, operand)

    def _row_compared(self, left: Any, right: Any, relation: Relation) -> Iterator[Condition]:
        """`(a, b) = (?, ?)` binds both; `(a, b) > (?, ?)` ranges over the first, which is all that an index of both needs to know."""
        columns = [self.column(e) for e in left.expressions]
        given = list(right.expressions) if type(right).__name__ == "Tuple" else []
        if relation is Relation.EQ:
            for position, column in enumerate(columns):
                yield Condition(column, relation, self.operand(given[position]) if position < len(given) else Operand(OperandKind.OTHER))
        elif columns and columns[0] is not None and relation.ranged:
            yield Condition(columns[0], relation, self.operand(given[0]) if given else Operand(OperandKind.OTHER))
        else:
            yield NOTHING_KNOWN

    def column(self, tree: Any) -> Column | None:
        """The plain column that an expression is, if it is one; its name is None where a hole stands for it."""
        tree = _bare(tree)
        if type(tree).__name__ != "Column" or not tree.name:
            return None
        name, of = tree.name, tree.table or None
        if placeholder(name) is not None:
            return None
        if marked(name):
            return Column(None, of if of is None or not marked(of) else None)
        return Column(name, of if of is None or not marked(of) else None)

    def operand(self, tree: Any) -> Operand:
        """What a column is compared with or set to."""
        tree = _bare(tree)
        kind = type(tree).__name__
        if kind == "Cast":
            return self.operand(tree.this)
        if kind == "Column":
            number = placeholder(tree.name)
            if number is not None:
                return Operand(OperandKind.PLACEHOLDER, self.masked.keys[number])
            found = hole(tree.name)
            if found is not None:
                return Operand(OperandKind.HOLE, found)
            return Operand(OperandKind.COLUMN, column=Column(tree.name, tree.table or None))
        if kind == "Literal":
            found = hole(str(tree.this))
            if found is not None:
                return Operand(OperandKind.HOLE, found)
            return Operand(OperandKind.LITERAL, literal=str(tree.this) if tree.is_string else _number(str(tree.this)))
        if kind == "Neg" and type(tree.this).__name__ == "Literal" and not tree.this.is_string:
            value = _number(str(tree.this.this))
            return Operand(OperandKind.LITERAL, literal=-value if isinstance(value, int | float) else None)
        if kind == "Null":
            return Operand(OperandKind.LITERAL, literal=None)
        if kind == "Boolean":
            return Operand(OperandKind.LITERAL, literal=bool(tree.this))
        if kind in ("Tuple", "Array"):
            return Operand(OperandKind.LIST, items=tuple(self.operand(e) for e in tree.expressions))
        if kind in ("Select", "Subquery", "Union"):
            return Operand(OperandKind.SUBQUERY)
        return Operand(OperandKind.OTHER)


_STEADY = frozenset(("Select", "Subquery", "Union"))


def _mentions_column(tree: Any) -> bool:
    from sqlglot import exp

    return any(not marked(c.name) for c in tree.find_all(exp.Column))


def _bare(tree: Any) -> Any:
    while type(tree).__name__ in ("Paren", "Collate"):
        tree = tree.this
    return tree


def _flat(tree: Any) -> Iterator[Any]:
    """The arms of a chain of ORs."""
    tree = _bare(tree)
    if type(tree).__name__ == "Or":
        yield from _flat(tree.left)
        yield from _flat(tree.right)
    else:
        yield tree


def _number(text: str) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
