"""
# A foreign key without an index

## What it finds
A column that refers to rows of another table, by which queries find its rows, though no index begins with it: a condition of a query, a
relation that is followed backward, or one that is loaded along.

```py
# shop/models.py
from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[list[Order]] = relationship(back_populates="customer")


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))  # expect: unindexed-key "`customer_id`"
    customer: Mapped[Customer] = relationship(back_populates="orders")


def orders(session: Session, customer: Customer) -> list[Order]:
    return session.query(Order).filter(Order.customer_id == customer.id).all()
```

## Why it costs
Most databases index what a foreign key refers to, not the key itself: the rows of one owner are found by reading the whole table. The same
happens for every owner that is deleted, since the database looks for rows that still refer to it.

## Instead
Declare an index on the column (`index=True`), or put it first in one that is there.

## When it stays silent
Where an index, a unique constraint or the primary key begins with the column; where another condition of the query has an index; where the
platform indexes foreign keys by itself (Django, MySQL); where no query looks rows up by the column; tables that the settings call small.
It is a hint for tables that hold settings or kinds by their name, for keys that lead to kinds (many rows share one), and where only
schedules and commands look rows up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.advise.advised import added
from querylint.advise.audience import UNWAITED, unhurried
from querylint.advise.cover import Shape
from querylint.advise.growth import KINDS, settled, small
from querylint.advise.places import describe
from querylint.advise.planned import Unindexed, unindexed
from querylint.ir import Access, Program
from querylint.pattern import Pattern
from querylint.remedy import AddIndex, Advice, Stage
from querylint.rule import Cost, Found, Point, Severity, rule
from querylint.text import Span

MOST_SHOWN = 3
KIND = Pattern(rf"(?:^|_)(?:{KINDS}|state|level|role)_?(?:id|uuid|key)?$", re.IGNORECASE)


@rule(pattern="missing-index", severity=Severity.WARNING, cwe=1067)
def unindexed_key(program: Program) -> Iterator[Found]:
    """Foreign keys that rows are looked up by and that no index begins with; one for all tables that take a column from the same place."""
    declared: dict[Span, list[Unindexed]] = {}
    for one in unindexed(program):
        if one.field.span is not None and not small(program, one.table.name):
            declared.setdefault(one.field.span, []).append(one)
    for span, found in declared.items():
        dear = [one for one in found if not _little(program, one)]
        yield _found(program, span, dear or found, "" if dear else _little(program, found[0]))


def _little(program: Program, one: Unindexed) -> str:
    """Why an index would spare little: of a handful of rows, of rows that many share the key of, or where nobody waits."""
    if settled(one.table.name):
        return "the table looks small by its name"
    if KIND.search(one.field.name) is not None:
        return "many rows share the same kind, which an index narrows little"
    return UNWAITED if all(unhurried(program, site.function) for site in one.reads) else ""


def _found(program: Program, span: Span, found: list[Unindexed], because: str) -> Found:
    names, field = [one.table.name for one in found], found[0].field.name
    index = added(program, found[0].root, names[0], Shape(frozenset((field,))), (field,))
    steps = [site.step for one in found for site in one.reads if isinstance(site.step, Access)]
    places = sorted({step.span: describe(step) for step in steps}.items())
    shown = ", ".join(f"`{name}`" for name in names[:MOST_SHOWN])
    more = f" and {len(names) - MOST_SHOWN} more tables" if len(names) > MOST_SHOWN else ""
    return Found(
        span,
        f"rows of {shown}{more} are looked up by `{field}`, which no index begins with",
        tuple(Point(place, text) for place, text in places[:MOST_SHOWN]),
        AddIndex(names[0], index.index, index.fields)
        if len(names) == 1
        else Advice(f"declare an index on `{field}` where it stands", Stage.INDEX),
        Severity.INFO if because else None,
        table=names[0],
        fields=(field,),
        cost=Cost(f"rows({names[0]})", "the rows that match"),
        because=because,
    )
