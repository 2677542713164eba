"""Tables that hold one row for each organization of the identity provider, and code that only those who run the application reach."""

from __future__ import annotations

import re

from querylint.advise.audience import RUNS
from querylint.advise.keys import inserts, keys
from querylint.ir import Branch, Program, Root
from querylint.ir.program import Site
from querylint.pattern import Pattern

ORGANIZATION = Pattern(
    r"^(?:clerk|workos|auth0?|stytch|kinde|external)?_?(?:org|organi[sz]ation|tenant|team|workspace)_?id$", re.IGNORECASE
)


def enrolled(program: Program, root: str, name: str | None) -> bool:
    """Whether a table has one row for each organization: every insert first looks for the id that the identity provider gave it."""
    return program.once(("enrolled", root, name), lambda: _enrolled(program, root, name))


def _enrolled(program: Program, root: str, name: str | None) -> bool:
    schema = program.schemas.get(root)
    table = schema.tables.get(name) if schema is not None and name is not None else None
    if table is None or not inserts(program, root, name):
        return False
    for key in keys(program, root, name):
        field = table.field(next(iter(key))) if len(key) == 1 else None
        if field is not None and field.type == "string" and ORGANIZATION.match(field.name):
            return True
    return False


def for_operators(program: Program, site: Site) -> bool:
    """Whether a step stands in an arm that is taken for those only who run the application: `if (caller.superuser)`."""
    steps = program.sites(site.function.key).all
    for rank, arm in site.arms:
        branch = steps[rank].step
        asked = branch.on if isinstance(branch, Branch) else frozenset[int]()
        for origin in site.function.touched if arm == 0 else ():
            if origin.root is Root.STEP and origin.ref in asked and origin.path and RUNS.search(origin.path[-1]):
                return True
    return False
