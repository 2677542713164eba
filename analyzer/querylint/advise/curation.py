"""Tables that people keep by hand: settings, catalogues, definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.advise.audience import asks_for_staff, demands_right, unasked
from querylint.advise.keys import filled, inserts, keys, once_per_key, repeated, written_down
from querylint.advise.registers import registered
from querylint.advise.volume import busy, streams
from querylint.ir import (
    Access,
    Function,
    Kind,
    Mode,
    Program,
    Role,
    Root,
    Schema,
    Table,
)
from querylint.ir.program import Effect, Site
from querylint.pattern import Pattern

CATALOGUE = Pattern(
    r"^webhook|(?:settings?|configs?|configurations?|definitions?|templates?|types?|categor(?:y|ies)|classes|roles?|permissions?|plans?|tiers?|"
    r"rules?|zones?|flags?|features?|webhooks?|integrations?|connectors?|providers?|menus?|themes?|plugins?|fields?|tags?|locales?|"
    r"languages?|currencies|countries|regions?|synonyms?|policies|presets?|prompts?|models?|badges?|stages?|pipelines?|"
    r"departments?|locations?|nav(?:igation)?_?(?:items?|links?)|leaderboards?|dashboards?|territor(?:y|ies)|segments?|experiments?|banners?|redirects?|methods?|rates?|listeners?|mappings?|maps?|groups?|labels?|colors?|steps|channels?|"
    r"skills?|costs?|prices?|pricing|tariffs?|fees?|popups?|faqs?|capabilities|packs|holidays)$",
    re.IGNORECASE,
)
LOG = Pattern(r"(?:logs?|activity|activities|audits?|audit_?trail|audit_?events?|history)$", re.IGNORECASE)
RECORDS = Pattern(r"(?:audit|activity|access|event|error)_?(?:logs?|trails?)$|^audits?$|audit_?events?$", re.IGNORECASE)
OWNER = Pattern(
    r"^(?:user|owner|author|creator|member|customer|sender|recipient|assignee|player|profile|subscriber|account|buyer|student|patient)"
    r"(?:_?id)?$",
    re.IGNORECASE,
)
NAMES = frozenset(("name", "title", "label", "slug", "key", "code", "displayName"))
CODED = frozenset(("key", "code"))  # a name that code asks for: the texts of an application, one row each
PRICES = Pattern(
    r"(?:model|token|unit|feature|shipping|plan|provider)s?_?(?:costs?|prices?|pricing|rates?|fees?)$|"
    r"^(?:stripe|polar|paddle|lemon_?squeezy)_?(?:products|prices|plans|variants)$",
    re.IGNORECASE,
)
SETTINGS = Pattern(r"(?:settings?|configs?|configurations?|feature_?flags?)$", re.IGNORECASE)
SWITCHES = Pattern(
    r"^(?:is_?)?(?:active|enabled|default|published|visible|system|builtin)$|^(?:sort_?)?(?:order|priority|position|rank)$", re.I
)
CONTENT = Pattern(r"^(?:content|body|text|html|markdown|message|transcript|payload|raw)$", re.IGNORECASE)
WORD = Pattern(r"(?:name|title|label|slug|code|key)$", re.IGNORECASE)
STAMP = Pattern(r"(?:At|_at|Time|Date)$")
ENTITIES = Pattern(
    r"(?:users?|members?|posts?|articles?|pages?|media|files?|documents?|images?|orders?|products?|items?|customers?|contacts?|leads?|deals?|"
    r"tickets?|messages?|comments?|reviews?|invoices?|payments?|events?|bookings?|courses?|lessons?|recipes?|listings?|jobs?|tasks?|notes?)$",
    re.IGNORECASE,
)
STAFFED = Pattern(r"^(?:users?|members?|staff|employees|agents|operators|(?:team|staff)_?members?)$", re.IGNORECASE)
PERSONNEL = Pattern(r"^(?:admins?|administrators?|moderators?|staff|employees)$", re.IGNORECASE)
ADMINS = Pattern(r"(?:admins|administrators|moderators)$", re.IGNORECASE)
NAMED_ID = Pattern(r"[a-z](?:Id|_id|Slug|_slug)$")
OF_PERSON = Pattern(
    r"^(?:user|member|admin|administrator|moderator|staff|employee|person|profile|owner|author|account|customer|auth\w*|clerk|work_?os|kinde|stack|"
    r"better_?auth|token|subject|identity|external|firebase|supabase|google|github|discord|slack|telegram|"
    r"(?:added|created|granted|invited|approved|updated)_?by)",
    re.IGNORECASE,
)
TENANTS = Pattern(r"^(?:org(?:anization|anisation)?s?|teams|workspaces?|tenants?|clinics|schools)$", re.IGNORECASE)
TENANT = Pattern(r"^(?:org|organi[sz]ation|team|workspace|tenant|company|clinic|school)_?id$", re.IGNORECASE)
DATED = Pattern(r"^(?:start|end|due|target|period_?(?:start|end)|from|until)_?(?:date|time|at|on)?$", re.IGNORECASE)
SECRETS = frozenset(("password", "passwordHash", "hashedPassword", "tokenIdentifier"))
INVITATION = ("email", "role")
SIGNS = 2
MOST_ENTRIES = 12
MOST_HELPERS = 4


def _invited(program: Program, schema: Schema, table: Table, made: list[tuple[Site, Access]]) -> bool:
    """Whether a table of people holds those whom colleagues have added one by one: the staff of the organization that the project serves.

    Nobody signs up by himself: every insert takes the address and the role from its arguments, looks for the address first, and is reached
    from public mutations alone; no table holds organizations, and no row a password.
    """
    names = {field.name for field in table.fields or ()}
    if not STAFFED.search(table.name) or not names.isdisjoint(SECRETS) or any(map(TENANTS.search, schema.tables)):
        return False
    if any(map(TENANT.match, names)):
        return False
    addressed = any(len(key) == 1 and "email" in key for key in keys(program, schema.root, table.name))
    given = all(access.fields is not None and all(_from_argument(access, name) for name in INVITATION) for _, access in made)
    return bool(made) and addressed and given and all(_by_hand(program, site) for site, _ in made)


def _employed(program: Program, schema: Schema, table: Table, made: list[tuple[Site, Access]]) -> bool:
    """Whether a table holds those who work for the one organization that the project serves: somebody enters them one by one in a form."""
    names = {field.name for field in table.fields or ()}
    if any(map(TENANTS.search, schema.tables)) or any(map(TENANT.match, names)):
        return False
    if not PERSONNEL.search(table.name) and not (ADMINS.search(table.name) and _of_no_place(table)):
        return False
    return bool(made) and all(_by_hand(program, site, formed=True) for site, _ in made)


def _of_no_place(table: Table) -> bool:
    """Whether rows refer to people alone: the admins of one place among many are as many as there are places."""
    fields = table.fields or ()
    if any(NAMED_ID.search(field.name) and field.target is None and not OF_PERSON.search(field.name) for field in fields):
        return False  # the name of a place that another system keeps, say a guild's
    return not any(field.target is not None and not STAFFED.search(field.target) for field in fields)


def curated(program: Program, root: str, name: str | None) -> bool:
    """Whether people fill a table by hand, one row at a time: it says how the application is set up, not what happens in it.

    No row may belong to a user, and two signs must speak for it: a name such as `categories`, a check for staff before every insert, a
    name that is unique, a switch beside a name. Unless staff alone adds unique names, every insert must stand outside of loops over what
    the code does not write down and, but for settings by their names, be reached from public mutations alone. A list of prices is kept by
    hand, and so is what the code asks for by name, texts included; a register of machines has a row for each that somebody sets up, though
    they report it by themselves.
    """
    return program.once(("curated", root, name), lambda: _curated(program, root, name))


def seldom_written(program: Program, root: str, name: str) -> bool:
    """Whether people keep a table by hand, and nothing else changes it: no job, no loop, nothing that adds rows to other tables besides.

    A line in a log of what people do is no row of that kind. An insert that is made only where no row of its key was found is made once
    for each key, whatever leads to it; and staff that puts the rows in another order changes as many as the table has. Where only scripts
    and seeds add the rows, the edits of people are all that is left.
    """
    return program.once(("seldom written", root, name), lambda: _seldom_written(program, root, name))


def _seldom_written(program: Program, root: str, name: str) -> bool:
    changes = [(s, a) for s, a in program.writes_of(root, name) if a.verb != "delete"]
    mine = [(s, a) for s, a in changes if s.function.role is Role.CODE and not unasked(program, s.function)]
    if registered(program, root, name):
        return False  # every heartbeat changes a row
    if curated(program, root, name):
        return all(
            written_down(program, s, a)
            or once_per_key(program, s, a)
            or _reordered(program, s, a)
            or (_by_hand(program, s) and not _adds_elsewhere(program, s, name))
            for s, a in mine
        )
    if len(mine) == len(changes) or not _settled(program, root, name):
        return False
    return all(_edited(program, s, a) and _by_hand(program, s) and not _adds_elsewhere(program, s, name, joining=True) for s, a in mine)


def _settled(program: Program, root: str, name: str) -> bool:
    """Whether code in use inserts into a table nowhere, though some script or seed does, and no row belongs to a user."""
    schema = program.schemas.get(root)
    table = schema.tables.get(name) if schema is not None else None
    if table is None or table.fields is None or filled(program, root) & {name, None}:
        return False
    if any(OWNER.match(field.name) for field in table.fields) or LOG.search(name) or ENTITIES.search(name) or streams(program, root, name):
        return False
    return any(a.verb == "insert" for _, a in program.writes_of(root, name))


def _edited(program: Program, site: Site, access: Access) -> bool:
    """Whether a write changes one row by its id, and not by what the row held before, as a counter does."""
    if access.verb == "insert" or access.key is None:
        return False
    steps = (program.sites(site.function.key).by_id.get(number) for number in access.deps - access.key.deps)
    return not any(s is not None and isinstance(s.step, Access) and s.step.reads and s.step.table == access.table for s in steps)


def _reordered(program: Program, site: Site, access: Access) -> bool:
    """Whether staff changes rows of a table that it lists itself, or that the very function has read: the order of a menu."""
    function = site.function
    if access.verb == "insert" or access.key is None or not function.public or function.kind is not Kind.MUTATION:
        return False
    called = [program.functions[edge.caller] for edge in program.callers.get(function.key, ())]
    if any(c.kind is not Kind.CLIENT and not _by_scripts(program, c) for c in called) or not asks_for_staff(program, function):
        return False
    by_id = program.sites(function.key).by_id
    for origin in access.key.origins:
        place = by_id.get(origin.ref) if origin.root is Root.STEP and isinstance(origin.ref, int) else None
        own = place is not None and isinstance(place.step, Access) and place.step.reads and place.step.table == access.table
        if origin.root is not Root.PARAM and not own:
            return False
    return bool(access.key.origins)


def _adds_elsewhere(program: Program, site: Site, name: str, *, joining: bool = False) -> bool:
    """Whether who changes a row of a table adds rows to others as well: no seeds, nor (`joining`) the caller's own at the first call."""
    entries = program.entries(site.function.key) or (site.function,)
    added = [e for entry in entries for e in program.effects.get(entry.key, ()) if e.access.verb == "insert"]
    others = [e for e in added if e.access.table is None or (e.access.table != name and not LOG.search(e.access.table))]
    return any(not _few(program, e, joining=joining) for e in others)


def _few(program: Program, effect: Effect, *, joining: bool) -> bool:
    """Whether the code writes down the rows that an effect inserts, or (`joining`) looks for the one row of a field's value first."""
    place, access = program.sites(effect.function).by_id.get(effect.access.id), effect.access
    if place is None or repeated(place):
        return False
    told = access.fields is not None and set(access.fields) <= {field for field, _ in access.constants}
    return told or any(loop.constant for loop in place.loops) or (joining and once_per_key(program, place, access, most=1))


def _curated(program: Program, root: str, name: str | None) -> bool:
    schema = program.schemas.get(root)
    table = schema.tables.get(name) if schema is not None and name is not None else None
    if schema is None or table is None or table.fields is None:
        return False
    if registered(program, root, name):
        return True
    if RECORDS.search(table.name):
        return False  # a line for each thing that somebody does, staff too
    made = inserts(program, root, name)
    if _employed(program, schema, table, made):
        return True
    names = {field.name for field in table.fields}
    assigned: set[str] = set()
    if not any(map(DATED.match, names)):  # else they are plans and targets of one period after the other
        assigned = {field.name for field in table.fields if OWNER.match(field.name) and field.optional and _assigned(made, field.name)}
    if _owned(table, assigned):
        return False
    if not made:
        return _vocabulary(schema, table)
    if _invited(program, schema, table, made):
        return True
    owners = any(OWNER.match(field) for field in names - assigned)
    listed = CATALOGUE.search(table.name) is not None
    unique = [key for key in keys(program, root, name) if len(key) == 1]
    settings = SETTINGS.search(table.name) is not None and not owners and not any(map(TENANT.match, names))
    if settings and any(key & NAMES for key in unique) and not any(_repeatedly(program, site) for site, _ in made):
        return True
    if any(CONTENT.match(field) for field in names) and not listed and not any(key & CODED for key in unique):
        return False
    if PRICES.search(table.name) and not owners:
        return True
    added = [site for site, access in made if not written_down(program, site, access)]
    staff = bool(added) and all(by_staff(program, site.function) for site in added)
    signs = (
        listed,
        staff or (bool(added) and all(_permitted(program, site.function) for site in added)),
        any(key & NAMES for key in unique),
        bool(names & NAMES) and any(SWITCHES.match(field) for field in names),
        not (streams if listed else busy)(program, root, name) and not ENTITIES.search(table.name) and not owners,
    )
    if staff and unique:  # staff alone, and one row for each name
        return True
    enough = sum(signs) >= SIGNS or (staff and not ENTITIES.search(table.name))
    shared = not any(map(TENANT.match, names))  # every organization would fill in a form of its own
    return enough and all(_by_hand(program, site, formed=shared) for site in added)


def _vocabulary(schema: Schema, table: Table) -> bool:
    """Whether all that a row holds is one name, by which an index finds it: the words that other tables refer to."""
    told = [field for field in table.fields or () if not STAMP.search(field.name)]
    if len(told) != 1 or not WORD.search(told[0].name) or not any(i.fields == (told[0].name,) for i in table.indexes):
        return False
    return any(field.target == table.name for other in schema.tables.values() if other is not table for field in other.fields or ())


def _owned(table: Table, assigned: set[str]) -> bool:
    """Whether rows belong to users: an index begins with one, and not with whom a row was assigned to."""
    return any(index.fields and index.fields[0] not in assigned and OWNER.match(index.fields[0]) for index in table.indexes)


def _assigned(made: list[tuple[Site, Access]], name: str) -> bool:
    """Whether every insert leaves a field out or takes it from an argument: whoever adds the row picks somebody, if anybody at all."""
    accesses = [access for _, access in made]
    return bool(made) and all(a.fields is not None and (name not in a.fields or _from_argument(a, name)) for a in accesses)


def _from_argument(access: Access, name: str) -> bool:
    origins = dict(access.sources).get(name, ())
    return bool(origins) and all(o.root is Root.PARAM and o.path[-1:] == (name,) for o in origins)


def _by_hand(program: Program, site: Site, *, formed: bool = False) -> bool:
    """Whether only public mutations, or (`formed`) mutations that write for a public action, lead to a place, and no loop.

    What only scripts call, they run by hand.
    """
    if repeated(site):
        return False
    seen = {site.function.key}
    stack = [site.function]
    forms: set[str] = set()
    while stack:
        here = stack.pop()
        if here.kind is Kind.CLIENT or here.key in forms:
            continue
        form = _form(program, here) if formed else None
        if form is not None:
            forms.add(form)
        elif here.kind is not Kind.PLAIN and not (here.kind is Kind.MUTATION and here.public):
            return False
        for caller, again in _callers(program, here.key):
            if caller.key in seen:
                continue
            if again:
                return False
            seen.add(caller.key)
            stack.append(caller)
    return True


def _repeatedly(program: Program, site: Site) -> bool:
    """Whether a place, or a call that leads there, stands in a loop whose length nobody wrote down: a list from outside fills the table."""
    if repeated(site):
        return True
    seen = {site.function.key}
    stack = [site.function.key]
    while stack:
        for caller, again in _callers(program, stack.pop()):
            if caller.key in seen:
                continue
            if again:
                return True
            seen.add(caller.key)
            stack.append(caller.key)
    return False


def _callers(program: Program, key: str) -> Iterator[tuple[Function, bool]]:
    """The code that calls a function, but for clients and scripts, and whether it does so repeatedly."""
    for edge in program.callers.get(key, ()):
        caller = program.functions[edge.caller]
        if caller.kind is not Kind.CLIENT and not _by_scripts(program, caller):
            place = program.sites(edge.caller).by_id.get(edge.call.id)
            yield caller, place is not None and repeated(place)


def _by_scripts(program: Program, function: Function, depth: int = 0) -> bool:
    """Whether a function is a script, a test or a migration, or a helper that only these call."""
    if function.role is not Role.CODE:
        return True
    callers = {edge.caller for edge in program.callers.get(function.key, ())} - {function.key}
    if function.kind is not Kind.PLAIN or not callers or depth > MOST_HELPERS:
        return False
    return all(_by_scripts(program, program.functions[key], depth + 1) for key in callers)


def _form(program: Program, here: Function) -> str | None:
    """The public action for which alone a mutation writes, where nothing but clients run it."""
    edges = [e for e in program.callers.get(here.key, ()) if program.functions[e.caller].kind is not Kind.CLIENT]
    callers = {e.caller: e.call.mode for e in edges if not _by_scripts(program, program.functions[e.caller])}
    if here.kind is not Kind.MUTATION or list(callers.values()) != [Mode.MUTATION]:
        return None
    action = program.functions[next(iter(callers))]
    others = [program.functions[e.caller] for e in program.callers.get(action.key, ())]
    alone = all(caller.kind is Kind.CLIENT or _by_scripts(program, caller) for caller in others)
    return action.key if action.kind is Kind.ACTION and action.public and alone else None


def _permitted(program: Program, function: Function) -> bool:
    """Whether every way to a function demands a right by its name first."""
    entries = program.entries(function.key)[:MOST_ENTRIES]
    return bool(entries) and all(demands_right(program, entry) for entry in entries)


def by_staff(program: Program, function: Function) -> bool:
    """Whether every way to a function asks first whether the caller may manage the application."""
    entries = program.entries(function.key)[:MOST_ENTRIES]
    return bool(entries) and all(asks_for_staff(program, entry) for entry in entries)
