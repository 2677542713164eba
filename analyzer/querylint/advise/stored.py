"""What the code ever stores in a field: a condition on a field that always holds one constant leaves nothing out."""

from __future__ import annotations

from collections.abc import Iterable

from querylint.advise.audience import left_alone
from querylint.ir import NOT_LITERAL, Predicate, Program, Relation, Role

Constants = dict[str, object]


def idle(program: Program, root: str, table: str | None, predicates: Iterable[Predicate]) -> bool:
    """Whether every one of the conditions asks for the only value that the code ever stores in that field of the table."""
    given = list(predicates)
    return bool(given) and all(always(program, root, table, p) for p in given)


def always(program: Program, root: str, table: str | None, p: Predicate) -> bool:
    """Whether a condition asks for the only value that the code ever stores in the field."""
    if p.field is None or table is None or p.relation is not Relation.EQ or p.value is None or not p.value.constant:
        return False
    stored = _only(program, root, table).get(p.field, NOT_LITERAL)
    return stored is not NOT_LITERAL and stored == p.value.literal and type(stored) is type(p.value.literal)


def _only(program: Program, root: str, table: str) -> Constants:
    """The fields of a table of which every write that ordinary code makes stores the same constant."""
    known = program.memo.get(("only stored", root, table))
    if isinstance(known, dict):
        return known
    found: Constants | None = None
    loose: set[str] = set()
    for site, access in program.writes():
        function = site.function
        if function.root != root or access.table not in (table, None) or access.verb == "delete" or function.role is not Role.CODE:
            continue
        if left_alone(program, function):
            continue
        if access.fields is None:
            found, loose = {}, set()
            break
        constants = dict(access.constants)
        loose |= set(access.fields) - constants.keys()
        if access.verb == "insert" and access.table == table:
            shared = constants if found is None else {k: v for k, v in found.items() if k in constants and constants[k] == v}
            found = dict(shared)
        elif found is not None or access.verb != "insert":
            loose |= {k for k, v in constants.items() if found is None or found.get(k, v) != v}
    only = {k: v for k, v in (found or {}).items() if k not in loose}
    program.memo["only stored", root, table] = only
    return only
