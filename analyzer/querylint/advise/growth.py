"""How many rows a read may meet: tables that grow with use, tables that people keep by hand, ranges that gather rows, keys of one row."""

from __future__ import annotations

import re
from enum import IntEnum
from math import prod

from querylint.advise.curation import CATALOGUE, curated
from querylint.advise.drained import drained
from querylint.advise.keys import bounded, filled, inserts, keys, rationed, replaced, told_apart
from querylint.advise.periods import period
from querylint.advise.volume import CROWD, busy, streams
from querylint.ir import ITEM, Access, Bound, Function, Loop, Plan, Program, Relation, Root, Schema, Side, Table, Terminal, Way
from querylint.ir.program import Site
from querylint.pattern import Pattern

TENANT = Pattern(
    r"^(?:org|organization|organisation|team|workspace|tenant|account|company|firm|site|store|shop|guild|community|publisher|"
    r"clinic|hospital|school|business|brand|vendor|merchant|seller|restaurant|hotel|agency)",
    re.IGNORECASE,
)
LEAVING = Pattern(r"^(?:author|creator|created_?by|sender)", re.IGNORECASE)
PERSON = Pattern(
    r"^(?:user|owner|author|creator|member|customer|created_?by|clerk|token|subject|persona|profile|assignee|player|student|patient|"
    r"recipient|receiver|sender)",
    re.IGNORECASE,
)
SLOW = Pattern(
    r"(?:purchases?|payouts?|receipts?|orders?|invoices?|subscriptions?|plans?|settings|preferences|keys?|tokens?|connections?|"
    r"accounts?|integrations?|brands?|kits?|devices?|addresses|badges?)$",
    re.IGNORECASE,
)
IDENTITY = Pattern(r"auth|token|clerk|workos|subject|identity|password|externalId|^email$", re.IGNORECASE)
STATES = frozenset(("status", "type", "kind", "state", "category"))
TENANTS = frozenset(("organizations", "organisations", "orgs", "teams", "workspaces", "tenants", "companies"))
PEOPLE = frozenset(("users", "members", "profiles", "accounts", "customers", "players"))
MEMBERSHIP = Pattern(
    r"(?:member(?:ship)?s?|invit(?:e|ation)s?|participants?|collaborators?|seats?|assignments?|enroll?ments?)$", re.IGNORECASE
)
PASSING = frozenset(
    "pending queued running processing in_progress inprogress in-progress waiting scheduled retrying claimed leased uploading "
    "transcribing generating building executing locked started".split()
)
NAMED = frozenset(("name", "slug", "key", "type", "provider", "code", "label", "kind"))
KINDS = r"type|kind|categor(?:y|ie)|priorit(?:y|ie)|severit(?:y|ie)|status(?:e)?|tier|language|currenc(?:y|ie)|countr(?:y|ie)"
SETTLED = Pattern(
    rf"(?:{KINDS}|setting|preference|config(?:uration)?|plan|license|polic(?:y|ie)|feature|flag|plugin|plugin_?event|db_?version|extension)s?$",
    re.IGNORECASE,
)
PLACE = Pattern(
    r"(?:id|room|channel|session|thread|chat|document|doc|page|path|url|slug|game|lobby|party|match|(?:join|invite|game|room|lobby|party)_?code)s?$",
    re.IGNORECASE,
)
SMALL = 1000
HANDFUL = 16  # reads that travel together (convex-facts 0.4)
FILLED = 3


def small(program: Program, name: str | None) -> bool:
    """Whether the user said that a table stays small."""
    return name is not None and name in program.rows and program.rows[name] <= SMALL


def settled(name: str | None) -> bool:
    """Whether a table holds settings or kinds by its name: a handful of rows, which use does not add to."""
    return name is not None and SETTLED.search(name) is not None


def grows(program: Program, function: Function, name: str | None) -> bool:
    """Whether a table grows with use: somebody inserts into it outside of seeds and migrations, or nobody does that we can see."""
    return program.once(("grows", function.root, name), lambda: _grows(program, function, name))


def _grows(program: Program, function: Function, name: str | None) -> bool:
    if small(program, name) or bounded(program, function.root, name):
        return False
    if name is not None and name.startswith("_"):
        return True
    table = program.table(function, name)
    if inserts(program, function.root, name) or (table is not None and table.filled):
        return True
    seeded = any(a.verb == "insert" for _, a in program.writes_of(function.root, name))
    return not seeded and not _filled_elsewhere(program, function)


def _filled_elsewhere(program: Program, function: Function) -> bool:
    """Whether code fills the other tables of a schema: one that none fills is then filled by hand."""
    made = filled(program, function.root)
    return len(made - {None}) >= FILLED and None not in made


class Reach(IntEnum):
    """How far a range reaches: one row, the rows of one parent, of one person, of one tenant or in one state, or the whole table."""

    ROW = 0
    PARENT = 1
    PERSON = 2
    TENANT = 3
    TABLE = 4


def accumulates(program: Program, function: Function, read: Access) -> bool:
    """Whether the range of a read grows with time: the whole table, or what one account, place or owner has gathered."""
    return reach(program, function, read) >= Reach.PERSON


def reach(program: Program, function: Function, read: Access) -> Reach:
    """How far the widest range of a read reaches. A table that does not grow, or that people keep by hand, holds the rows of one parent."""
    if not grows(program, function, read.table) or curated(program, function.root, read.table):
        return Reach.PARENT
    table = program.table(function, read.table)
    far = max((_reach(program, function, read, plan, table) for plan in read.plans), default=Reach.TABLE)
    return Reach.PARENT if far is Reach.PERSON and not busy(program, function.root, read.table) else far


def narrow(program: Program, function: Function, read: Access) -> str:
    """Why a range that reaches no further than one parent is hardly worth a change."""
    if not grows(program, function, read.table) or curated(program, function.root, read.table):
        return "the table hardly grows with use"
    return "the range holds the rows of one parent, few as a rule"


def _reach(program: Program, function: Function, read: Access, plan: Plan, table: Table | None) -> Reach:
    fixed = plan.fixed() or (asked_for(plan) if program.facts(function).planner else ())
    if plan.way in (Way.SCAN, Way.OPAQUE) or (plan.way is Way.INDEX and not plan.ranged) or not fixed:
        return Reach.TABLE
    if one_row(program, function, read, plan):
        return Reach.ROW
    chosen = [name for name in fixed if _level(name, table, program.schema(function)) is not Reach.TENANT]
    if len(chosen) > 2 or (len(fixed) > 2 and len(chosen) != 1) or _one_period(program, function, read, plan):
        return Reach.PARENT
    if _passing(plan) or drained(program, function.root, read.table, plan):
        return Reach.PARENT
    whole = replaced(program, function.root, read.table)
    if whole and whole <= set(fixed):
        return Reach.PARENT  # one list, which the next one takes the place of
    if any(few <= set(fixed) for few in rationed(program, function.root, read.table)):
        return Reach.PARENT
    narrowest = min(_level(name, table, program.schema(function)) for name in fixed)
    if narrowest is Reach.PERSON and joins_places(program, function, read.table, fixed):
        return Reach.PARENT
    if narrowest >= Reach.PERSON and read.table is not None and MEMBERSHIP.search(read.table):
        return Reach.PARENT
    if narrowest is Reach.TENANT and CATALOGUE.search(read.table or "") and not streams(program, function.root, read.table):
        return Reach.PARENT  # the categories of one team
    if narrowest is Reach.PERSON and (read.table in TENANTS or SLOW.search(read.table or "") or _only_choices(table, fixed)):
        return Reach.PARENT
    if narrowest is Reach.PARENT and len(fixed) == 1 and read.table is not None and CROWD.search(read.table):
        return Reach.PERSON  # what many people leave at one place
    if narrowest is Reach.PARENT and len(fixed) == 1 and _of_everybody(program, function, read.table, fixed[0]):
        return Reach.TENANT
    return narrowest


def _of_everybody(program: Program, function: Function, name: str | None, kind: str) -> bool:
    """Whether a range holds one row for each person there is: those of one board, season or topic, which no row stands for."""
    table = program.table(function, name)
    declared = table.field(kind) if table is not None else None
    if declared is None or declared.type != "string" or declared.target is not None or PLACE.search(kind):
        return False
    rest = (key - {kind} for key in keys(program, function.root, name) if kind in key)
    return any(len(other) == 1 and _level(next(iter(other)), table, program.schema(function)) is Reach.PERSON for other in rest)


def _one_period(program: Program, function: Function, read: Access, plan: Plan) -> bool:
    """Whether a range holds one period of something that has one row for each moment: the days of a month of one shop."""
    ranged = period(plan)
    bound = {*plan.fixed(), ranged}
    return ranged is not None and any(ranged in key and key <= bound for key in keys(program, function.root, read.table))


def memberships(program: Program, function: Function, read: Access) -> bool:
    """Whether a read finds the organizations, teams or groups that one person belongs to."""
    table, schema = program.table(function, read.table), program.schema(function)
    for plan in read.plans:
        fixed = plan.fixed()
        if plan.way is not Way.INDEX or not fixed or min(_level(name, table, schema) for name in fixed) is not Reach.PERSON:
            return False
        if not (MEMBERSHIP.search(read.table or "") or joins_places(program, function, read.table, fixed)):
            return False
    return bool(read.plans)


def joins_places(program: Program, function: Function, name: str | None, fixed: tuple[str, ...]) -> bool:
    """Whether the rows of one person are its memberships: one row lets it be in one organization or team, and no two say the same."""
    table, schema = program.table(function, name), program.schema(function)
    rest = (key - set(fixed) for key in keys(program, function.root, name) if key > set(fixed))
    return any(len(other) == 1 and _places(next(iter(other)), table, schema) for other in rest)


def _places(name: str, table: Table | None, schema: Schema | None) -> bool:
    declared = table.field(name) if table is not None else None
    told = declared is None or declared.type in ("id", "string")
    return told and name not in STATES and _level(name, table, schema) is Reach.TENANT


def asked_for(plan: Plan) -> tuple[str, ...]:
    """The fields by whose values a statement chooses its rows, whichever index the database takes; flags and constants choose nobody."""
    equal = (p for p in plan.predicates if p.relation is Relation.EQ and p.side is Side.FILTER and not p.conditional)
    return tuple(p.field for p in equal if p.field is not None and p.value is not None and not p.value.constant)


def catalogued(program: Program, function: Function, read: Access) -> bool:
    """Whether the range of a read holds one row for each of the names that something has there: integrations of a team by their slug."""
    fixed = frozenset(f for plan in read.plans for f in plan.fixed())
    table = program.table(function, read.table)
    return any(
        key > fixed and _choice(program, function.root, table, key - fixed) for key in keys(program, function.root, read.table) if fixed
    )


def _choice(program: Program, root: str, table: Table | None, rest: frozenset[str]) -> bool:
    """Whether what tells the rows of a range apart is a name, or one of a few things: rows of a table that people fill by hand."""
    if rest <= NAMED:
        return True
    declared = table.field(next(iter(rest))) if table is not None and len(rest) == 1 else None
    return (
        declared is not None and declared.target is not None and not busy(program, root, declared.target) and declared.target not in PEOPLE
    )


def one_row(program: Program, function: Function, read: Access, plan: Plan) -> bool:
    """Whether a range holds one row at most: a unique index says so, the code that inserts, or the library that owns the table."""
    fixed = frozenset(plan.fixed())
    table = program.table(function, read.table)
    index = table.index(plan.index) if table is not None and plan.index is not None else None
    if index is not None and index.unique and set(index.fields) <= fixed:
        return True
    if table is not None and table.library is not None and fixed:
        return True
    return any(key <= fixed for key in keys(program, function.root, read.table))


def _passing(plan: Plan) -> bool:
    """Whether the range holds a state that rows only pass through: what waits or runs is soon gone."""
    return any(
        p.side is Side.INDEX
        and p.relation is Relation.EQ
        and p.value is not None
        and isinstance(p.value.literal, str)
        and p.value.literal.lower() in PASSING
        for p in plan.predicates
    )


def _keyed(plan: Plan) -> int:
    """How many fields of a key a range binds; flags and absent fields choose nobody."""
    bound = [p for p in plan.predicates if p.side is Side.INDEX and p.relation is Relation.EQ]
    return sum(1 for p in bound if p.value is None or not p.value.constant or isinstance(p.value.literal, str))


def few(program: Program, site: Site, loop: Loop) -> bool:
    """Whether a loop runs over a handful of rows: single documents, small takes, ranges that bind a whole compound key."""
    origins = [o for _, o in loop.over.parts] if loop.over is not None else []
    for origin in origins:
        found = program.sites(site.function.key).of(origin)
        if found is None or not isinstance(found.step, Access):
            return False
        read = found.step
        if read.terminal is Terminal.ROW and ITEM not in origin.path:
            continue
        if read.bound is Bound.LIMIT and read.limit is not None and isinstance(read.limit.literal, int) and read.limit.literal <= 10:
            continue
        if ITEM not in origin.path and handful(program, site.function, read):
            continue
        if read.terminal is Terminal.ROWS and all(_keyed(p) > 1 for p in read.plans) and not accumulates(program, site.function, read):
            continue
        return False
    return bool(origins)


def handful(program: Program, function: Function, read: Access) -> bool:
    """Whether a range leaves only fields of its key open that take a few values by the schema: no more rows than that fit in it."""
    table = program.table(function, read.table)
    if table is None or not read.plans or read.terminal is not Terminal.ROWS:
        return False
    apart = told_apart(program, function.root, read.table)
    return all(plan.fixed() and any(0 < _rows(table, key, plan.fixed()) <= HANDFUL for key in apart) for plan in read.plans)


def _rows(table: Table, key: frozenset[str], fixed: tuple[str, ...]) -> int:
    """How many rows a range holds by what a key leaves open; 0 where the schema does not say."""
    if not key & set(fixed):
        return 0
    counts = [field.choices if (field := table.field(name)) is not None else None for name in key - set(fixed)]
    return prod(count or 0 for count in counts)


def _only_choices(table: Table | None, fixed: tuple[str, ...]) -> bool:
    """Whether all that a row holds beside its key is a choice among a few values: then one key has a few rows."""
    rest = [f for f in (table.fields or ()) if f.name not in fixed] if table is not None else []
    return bool(rest) and all(f.type in ("boolean", "union", "literal", "null") for f in rest)


def _identified(schema: Schema | None, name: str) -> bool:
    """Whether the rows of a table stand for people who sign in, not for records that somebody keeps (patients of a doctor, pets)."""
    table = schema.tables.get(name) if schema is not None else None
    return table is None or table.fields is None or any(IDENTITY.search(f.name) for f in table.fields)


def left_by_others(program: Program, function: Function, name: str | None, field: str) -> bool:
    """Whether a field says which person has left a row, at what is another's as a rule: the author of a comment, who likes a post.

    It is not so where whoever inserts the row takes the field from another row.
    """
    table = program.table(function, name)
    if table is None or _level(field, table, program.schema(function)) is not Reach.PERSON:
        return False
    if not (LEAVING.match(field) or CROWD.search(table.name)):
        return False
    made = list(inserts(program, function.root, name))
    return not made or not all(_copied(program, site.function, access, field) for site, access in made)


def _copied(program: Program, function: Function, access: Access, field: str) -> bool:
    """Whether an insert stores in a field what a row has in one of that name."""
    reads = program.sites(function.key).by_id
    origins = dict(access.sources).get(field, ())
    return bool(origins) and all(o.root is Root.STEP and o.ref in reads and o.path[-1:] == (field,) for o in origins)


def _level(name: str, table: Table | None, schema: Schema | None) -> Reach:
    declared = table.field(name) if table is not None else None
    last = name.rpartition(".")[2]
    target = declared.target if declared is not None else None
    if declared is not None and declared.type in ("boolean", "literal", "union"):
        return Reach.TENANT
    if last in STATES or target in TENANTS or TENANT.match(last):
        return Reach.TENANT
    if target in PEOPLE or (target is None and PERSON.match(last)):
        return Reach.PERSON
    if target is not None and PERSON.match(last):
        return Reach.PERSON if _identified(schema, target) else Reach.PARENT
    return Reach.PARENT
