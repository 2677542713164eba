"""Rows that others have set up for one person: the project of a customer, the vaults whose owners have named somebody."""

from __future__ import annotations

import re

from querylint.advise.curation import OWNER
from querylint.advise.growth import STATES, TENANT
from querylint.advise.keys import inserts, repeated
from querylint.advise.volume import busy
from querylint.ir import Access, Function, Plan, Program, Root, Table, Way
from querylint.ir.program import Site
from querylint.pattern import Pattern

CUSTOMER = Pattern(r"^(?:customer|client|patient|student|pupil|resident|guest|buyer|home_?owner)_?(?:user)?_?id$", re.IGNORECASE)
ADDRESS = Pattern(r"e_?mail$|e_?mail_?address$", re.IGNORECASE)
ACCOUNT = Pattern(r"(?:user|account|member|person)_?id$", re.IGNORECASE)
CHILDREN = 3


def assigned(program: Program, function: Function, read: Access) -> bool:
    """Whether a range holds what an organization has set up for one customer, such as the project on which all else hangs.

    Whoever inserts a row picks the customer, and does so for his own organization; the customer adds none.
    """
    table = program.table(function, read.table)
    made = inserts(program, function.root, read.table)
    if table is None or not made or busy(program, function.root, table.name):
        return False
    fixed = _by_one(read)
    if fixed is None or not CUSTOMER.match(fixed) or _children(program, function, table) < CHILDREN:
        return False
    ours = [f.name for f in table.fields or () if f.name not in STATES and TENANT.match(f.name)]
    return any(_own(made, name) for name in ours) and all(_picked(access, fixed) for _, access in made)


def named(program: Program, function: Function, read: Access) -> bool:
    """Whether a range holds what those have added who named one person by his address: a few, as each of them does it once.

    The range is that of the address, or of the account that is put into the row when the person signs up.
    """
    table = program.table(function, read.table)
    made = inserts(program, function.root, read.table)
    fixed = _by_one(read)
    if table is None or fixed is None or not made or any(repeated(site) for site, _ in made):
        return False
    addresses = [f.name for f in table.fields or () if ADDRESS.search(f.name)]
    owned = any(OWNER.match(f.name) and f.name != fixed for f in table.fields or ())
    if not owned or not any(all(_given(access, name) for _, access in made) for name in addresses):
        return False
    field = table.field(fixed)
    later = field is not None and field.optional and not any(fixed in (access.fields or (fixed,)) for _, access in made)
    return fixed in addresses or (later and ACCOUNT.search(fixed) is not None)


def _by_one(read: Access) -> str | None:
    """The one field by whose value an index finds the rows."""
    fields = {_only(plan) for plan in read.plans}
    return fields.pop() if len(fields) == 1 else None


def _only(plan: Plan) -> str | None:
    fixed = plan.fixed()
    return fixed[0] if plan.way is Way.INDEX and len(fixed) == 1 else None


def _children(program: Program, function: Function, table: Table) -> int:
    """How many tables refer to the rows of a table."""
    schema = program.schema(function)
    others = schema.tables.values() if schema is not None else ()
    return sum(any(field.target == table.name for field in other.fields or ()) for other in others if other is not table)


def _own(made: list[tuple[Site, Access]], name: str) -> bool:
    """Whether every insert works a field out from who is asking, rather than to take it from an argument."""
    origins = [dict(access.sources).get(name, ()) for _, access in made]
    return all(found and all(o.root is Root.STEP for o in found) for found in origins)


def _picked(access: Access, name: str) -> bool:
    """Whether an insert leaves a field out, or takes it from an argument."""
    if access.fields is None:
        return False
    origins = dict(access.sources).get(name, ())
    return name not in access.fields or (bool(origins) and all(o.root is Root.PARAM and o.path[-1:] == (name,) for o in origins))


def _given(access: Access, name: str) -> bool:
    """Whether an insert fills a field, and not with something of who is asking."""
    origins = dict(access.sources).get(name, ())
    told = access.fields is not None and name in access.fields and name not in dict(access.constants)
    return told and all(o.root is Root.PARAM for o in origins)
