"""What a session hands out without asking the database: rows that it has met, and relations that lead all rows to one and the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile

from querylint.advise.eager import links
from querylint.ir import ITEM, Access, Bound, Function, Path, Plan, Predicate, Program, Relation, Root, Value
from querylint.pattern import Pattern

IDENTITY = Pattern(
    r"^(?:(?:\w+_)?(?:serial(?:_?number)?|fingerprint|checksum|digest|md5|sha\d+|hash)|uuid|guid|slug|external_id|e?mail|token)$",
    re.IGNORECASE,
)


KINDS = Pattern(
    r"(?:^|_)(?:type|kind|category|priority|severity|status|state|level|role|language|locale|country|region|currency|unit|license|tier|"
    r"format|taxonomy|environment|instrument|telescope|org|organi[sz]ation|tenant|workspace)$",
    re.IGNORECASE,
)


def met(program: Program, function: Function, read: Access, path: Path) -> bool:
    """Whether a relation leads to one of a few rows, or to one of the very rows that were read: the session keeps those it has met.

    What hangs behind one of a few rows (`role.permissions`) is loaded once for each of these, and kept with it.
    """
    if not program.facts(function).identity:
        return False
    known = links(program, function, read.table, path)
    first, last = known[0], known[-1]
    if first is not None and first.column is not None and first.target == read.table and len(path) == 1 and read.bound is Bound.ALL:
        return True
    before = list(takewhile(lambda link: link is not None and not link.many, known))
    ends = [last] if last is not None and not last.many else []
    return any(link is not None and KINDS.search(link.name) is not None for link in (*before, *ends))


def queried(program: Program, function: Function, read: Access, paths: list[Path]) -> list[Path]:
    """Those of the relations of rows that a session has to ask the database for, once for each of many rows.

    Where the query binds the column of a relation to one value, all of its rows lead to the same row, whatever follows from there; where it
    binds it to the keys of rows that are at hand, the session knows where it leads.
    """
    if not program.facts(function).identity or not read.plans:
        return paths
    return [path for path in paths if not _known(program, function, read, path)]


def _known(program: Program, function: Function, read: Access, path: Path) -> bool:
    link = links(program, function, read.table, path)[0]
    if link is None or link.many or link.column is None:
        return False
    names = {link.name, link.column}
    if all(bound(plan.predicates, names) for plan in read.plans):
        return True
    target = program.table(function, link.target)
    return len(path) == 1 and target is not None and all(_of_rows(plan, names, target.key) for plan in read.plans)


def bound(predicates: Iterable[Predicate], names: set[str]) -> bool:
    """Whether a column is the same in all rows that meet the conditions."""
    equal = (p for p in predicates if p.relation is Relation.EQ and p.field in names and not p.conditional)
    return any(p.value is not None and (p.value.constant or p.value.parts) for p in equal)  # not to another column


def _of_rows(plan: Plan, names: set[str], key: str) -> bool:
    """Whether a column must be among the keys of rows that somebody holds: `room_id.in_([room.id for room in rooms])`."""
    among = (p for p in plan.predicates if p.relation is Relation.IN and p.field in names and not p.conditional)
    return any(p.value is not None and _keys(p.value, key) for p in among)


def _keys(value: Value, key: str) -> bool:
    ids = [o for path, o in value.parts if path in ((), (ITEM,))]
    return bool(ids) and all(o.root is not Root.OUTER and o.path[-2:] == (ITEM, key) for o in ids)


def few_by_identity(read: Access) -> bool:
    """Whether a query asks for the rows of one identity, such as a serial number: as a rule there is one, if nothing says so."""
    return bool(read.plans) and all(
        any(p.relation is Relation.EQ and not p.conditional and p.field and IDENTITY.match(p.field) for p in plan.predicates)
        for plan in read.plans
    )
