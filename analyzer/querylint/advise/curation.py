"""Tables that people keep by hand (settings, catalogues, definitions), and keys of which the code lets only one row exist."""

from __future__ import annotations

import re

from querylint.advise.audience import asks_for_staff, left_alone
from querylint.advise.sequence import leaves
from querylint.advise.trace import fate
from querylint.advise.volume import busy, streams
from querylint.ir import (
    Access,
    Branch,
    Call,
    Function,
    Kind,
    LoopKind,
    Mode,
    Op,
    Order,
    Program,
    Relation,
    Role,
    Root,
    Schema,
    Table,
    Terminal,
    Work,
)
from querylint.ir.program import Effect, Site

CATALOGUE = re.compile(
    r"^webhook|(?:settings?|configs?|configurations?|definitions?|templates?|types?|categor(?:y|ies)|classes|roles?|permissions?|plans?|tiers?|"
    r"rules?|zones?|flags?|features?|webhooks?|integrations?|connectors?|providers?|menus?|themes?|plugins?|fields?|tags?|locales?|"
    r"languages?|currencies|countries|regions?|synonyms?|policies|presets?|prompts?|models?|badges?|stages?|pipelines?|"
    r"departments?|locations?|leaderboards?|dashboards?|territor(?:y|ies)|segments?|experiments?|banners?|redirects?|methods?|rates?|listeners?|mappings?|maps?|groups?|labels?|colors?|steps|channels?|"
    r"costs?|prices?|pricing|tariffs?|fees?|popups?|faqs?|capabilities|packs|holidays)$",
    re.IGNORECASE,
)
OWNER = re.compile(
    r"^(?:user|owner|author|creator|member|customer|sender|recipient|assignee|player|profile|subscriber|account|buyer|student|patient)"
    r"(?:_?id)?$",
    re.IGNORECASE,
)
NAMES = frozenset(("name", "title", "label", "slug", "key", "code", "displayName"))
CODED = frozenset(("key", "code"))  # a name that code asks for: the texts of an application, one row each
PRICES = re.compile(
    r"(?:model|token|unit|feature|shipping|plan|provider)s?_?(?:costs?|prices?|pricing|rates?|fees?)$|"
    r"^(?:stripe|polar|paddle|lemon_?squeezy)_?(?:products|prices|plans|variants)$",
    re.IGNORECASE,
)
SWITCHES = re.compile(
    r"^(?:is_?)?(?:active|enabled|default|published|visible|system|builtin)$|^(?:sort_?)?(?:order|priority|position|rank)$", re.I
)
CONTENT = re.compile(r"^(?:content|body|text|html|markdown|message|transcript|payload|raw)$", re.IGNORECASE)
WORD = re.compile(r"(?:name|title|label|slug|code|key)$", re.IGNORECASE)
STAMP = re.compile(r"(?:At|_at|Time|Date)$")
ENTITIES = re.compile(
    r"(?:users?|members?|posts?|articles?|pages?|media|files?|documents?|images?|orders?|products?|items?|customers?|contacts?|leads?|deals?|"
    r"tickets?|messages?|comments?|reviews?|invoices?|payments?|events?|bookings?|courses?|lessons?|recipes?|listings?|jobs?|tasks?|notes?)$",
    re.IGNORECASE,
)
STAFFED = re.compile(r"^(?:users?|members?|staff|employees|agents|operators|(?:team|staff)_?members?)$", re.IGNORECASE)
TENANTS = re.compile(r"^(?:org(?:anization|anisation)?s?|teams|workspaces?|tenants?|clinics|schools)$", re.IGNORECASE)
TENANT = re.compile(r"^(?:org|organi[sz]ation|team|workspace|tenant|company|clinic|school)_?id$", re.IGNORECASE)
DATED = re.compile(r"^(?:start|end|due|target|period_?(?:start|end)|from|until)_?(?:date|time|at|on)?$", re.IGNORECASE)
SECRETS = frozenset(("password", "passwordHash", "hashedPassword", "tokenIdentifier"))
INVITATION = ("email", "role")
SIGNS = 2
MOST_ENTRIES = 12


def keys(program: Program, root: str, name: str | None) -> tuple[frozenset[str], ...]:
    """The sets of fields whose values no two rows of a table share, as every insert looks for such a row first and then does not insert.

    What belongs to a row that the same function has just inserted needs no look: there is none yet.
    A look-up that runs backwards through time is a limit on the rate, not on the number, and does not count.
    """
    return program.once(("keys", root, name), lambda: _keys(program, root, name))


def bounded(program: Program, root: str, name: str | None) -> bool:
    """Whether a table holds one row for each of a few values that are written down, or one row in all: so says every insert into it."""
    schema = program.schemas.get(root)
    table = schema.tables.get(name) if schema is not None and name is not None else None
    if table is None:
        return False
    choices = {field.name for field in table.fields or () if field.few or field.type in ("boolean", "literal")}
    return any(key <= choices for key in keys(program, root, name))


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


def curated(program: Program, root: str, name: str | None) -> bool:
    """Whether people fill a table by hand, one row at a time: it says how the application is set up, not what happens in it.

    No row may belong to a user, and two signs must speak for it: a name such as `categories`, a check for staff before every insert, a
    name that is unique, a switch beside a name. Unless staff alone adds unique names, every insert must stand outside of loops and be
    reached from public mutations alone. A list of prices is kept by hand, and so is what the code asks for by name, texts included.
    """
    return program.once(("curated", root, name), lambda: _curated(program, root, name))


def seldom_written(program: Program, root: str, name: str) -> bool:
    """Whether people keep a table by hand, and nothing else changes it: no job, no loop, nothing that adds rows to other tables besides."""
    if not curated(program, root, name):
        return False
    changes = [site for site, access in program.writes() if access.table == name and access.verb != "delete" and site.function.root == root]
    mine = [site for site in changes if site.function.role is Role.CODE and not left_alone(program, site.function)]
    return all(_by_hand(program, site) and not _adds_elsewhere(program, site, name) for site in mine)


def _adds_elsewhere(program: Program, site: Site, name: str) -> bool:
    entries = program.entries(site.function.key) or (site.function,)
    return any(e.access.verb == "insert" and e.access.table != name for entry in entries for e in program.effects.get(entry.key, ()))


def inserts(program: Program, root: str, name: str | None) -> list[tuple[Site, Access]]:
    """The inserts into a table that ordinary code makes."""
    return _inserts(program, root).get(name, [])


def filled(program: Program, root: str) -> frozenset[str | None]:
    """The tables into which ordinary code inserts; None stands for those that it names while it runs."""
    return frozenset(_inserts(program, root))


def _inserts(program: Program, root: str) -> dict[str | None, list[tuple[Site, Access]]]:
    return program.once(("inserts", root), lambda: _inserted(program, root))


def _inserted(program: Program, root: str) -> dict[str | None, list[tuple[Site, Access]]]:
    found: dict[str | None, list[tuple[Site, Access]]] = {}
    for site, access in program.writes():
        function = site.function
        if access.verb != "insert" or function.root != root or function.role is not Role.CODE or left_alone(program, function):
            continue
        found.setdefault(access.table, []).append((site, access))
    return found


def _keys(program: Program, root: str, name: str | None) -> tuple[frozenset[str], ...]:
    shared: set[frozenset[str]] | None = None
    fresh: list[frozenset[str]] = []
    for site, access in inserts(program, root, name):
        new = _of_new_row(program, site, access)
        if new:
            fresh.append(new)
            continue
        mine = {
            key
            for effect in _guards(program, site, access)
            if (key := _looked_for(program, effect, name)) is not None and (key or _where_none_is(program, site, effect))
        }
        shared = mine if shared is None else shared & mine
        if not shared:
            return ()
    return tuple(sorted((key for key in shared or () if all(key & new for new in fresh)), key=sorted))


def _of_new_row(program: Program, site: Site, access: Access) -> frozenset[str]:
    """The fields in which an insert stores the id of a row that is always inserted just before it, in the same round."""
    table = program.table(site.function, access.table)
    by_id = program.sites(site.function.key).by_id
    before = [by_id[number] for number in access.deps if number in by_id]
    made = {
        s.step.table
        for s in before
        if isinstance(s.step, Access) and s.step.verb == "insert" and s.loops == site.loops and set(s.arms) <= set(site.arms)
    }
    return frozenset(f.name for f in (table.fields or ()) if f.target in made - {None}) if table is not None else frozenset()


def _guards(program: Program, site: Site, access: Access) -> list[Effect]:
    """The reads that decide whether an insert takes place, in helpers too."""
    by_id = program.sites(site.function.key).by_id
    found: list[Effect] = []
    for number in sorted(access.guards):
        step = by_id[number].step if number in by_id else None
        if isinstance(step, Access) and step.op is Op.READ:
            found.append(Effect(site.function.key, step))
        elif isinstance(step, Call) and step.mode is Mode.DIRECT:
            found += [e for e in program.effects_of(site.function, step) if e.access.op is Op.READ and len(e.trail) == 1]
    return found


def _where_none_is(program: Program, site: Site, effect: Effect) -> bool:
    """Whether an insert stands where a look-up in its function has found no row at all: the table then holds one."""
    if effect.function != site.function.key or effect.access.terminal is not Terminal.ROW:
        return False
    places = program.sites(site.function.key).all
    for rank, arm in site.arms:
        branch = places[rank].step
        if isinstance(branch, Branch) and effect.access.id in branch.on:
            return branch.missing == (arm == 0)
    return any(
        isinstance(other.step, Branch)
        and effect.access.id in other.step.on
        and not other.step.missing
        and other.rank < site.rank
        and leaves(other.step.arms[0])
        for other in places
    )


def _looked_for(program: Program, effect: Effect, name: str | None) -> frozenset[str] | None:
    """The fields by which a read looks for a row before an insert; none of them where it asks for any row. None where it is no look-up."""
    read = effect.access
    if read.table != name or read.by_key or len(read.plans) != 1:
        return None
    found: frozenset[str] = frozenset()
    if read.terminal is not Terminal.ROW:
        seen = fate(program, program.functions[effect.function], read)
        sought = [s for s in seen.uses if s.use.work in (Work.FIND, Work.SOME)]
        if seen.truncated or not seen.uses or not {s.use.work for s in seen.uses} - {Work.FIND, Work.SOME} <= {Work.EMPTY, Work.FIRST}:
            return None
        for s in sought:
            if any(p.relation is not Relation.EQ or p.field is None or p.conditional for p in s.use.predicates):
                return None
            found |= {p.field for p in s.use.predicates if p.field is not None}
    plan = read.plans[0]
    if (plan.order or Order()).descending or any(p.relation is not Relation.EQ or p.field is None for p in plan.predicates):
        return None
    return found | {p.field for p in plan.predicates if p.field is not None and not p.conditional}


def _curated(program: Program, root: str, name: str | None) -> bool:
    schema = program.schemas.get(root)
    table = schema.tables.get(name) if schema is not None and name is not None else None
    if schema is None or table is None or table.fields is None:
        return False
    made = inserts(program, root, name)
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
    if any(CONTENT.match(field) for field in names) and not listed and not any(key & CODED for key in unique):
        return False
    if PRICES.search(table.name) and not owners:
        return True
    signs = (
        listed,
        all(by_staff(program, site.function) for site, _ in made),
        any(key & NAMES for key in unique),
        bool(names & NAMES) and any(SWITCHES.match(field) for field in names),
        not (streams if listed else busy)(program, root, name) and not ENTITIES.search(table.name) and not owners,
    )
    if signs[1] and unique:  # staff alone, and one row for each name
        return True
    enough = sum(signs) >= SIGNS or (signs[1] and not ENTITIES.search(table.name))
    shared = not any(map(TENANT.match, names))  # every organization would fill in a form of its own
    return enough and all(_by_hand(program, site, formed=shared) for site, _ in made)


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
    """Whether only public mutations, or (`formed`) internal ones that write for a public action, lead to a place, and no loop."""
    if _repeated(site):
        return False
    seen = {site.function.key}
    stack = [site.function]
    forms: set[str] = set()
    while stack:
        here = stack.pop()
        if here.kind is Kind.CLIENT:
            continue
        if here.kind is not Kind.PLAIN and not (here.kind is Kind.MUTATION and here.public) and here.key not in forms:
            form = _form(program, here) if formed else None
            if form is None:
                return False
            forms.add(form)
        for edge in program.callers.get(here.key, ()):
            caller = program.functions[edge.caller]
            if caller.role is not Role.CODE or edge.caller in seen or caller.kind is Kind.CLIENT:
                continue
            place = program.sites(edge.caller).by_id.get(edge.call.id)
            if place is not None and _repeated(place):
                return False
            seen.add(edge.caller)
            stack.append(caller)
    return True


def _repeated(site: Site) -> bool:
    """Whether a loop whose length nobody wrote down stands around a place."""
    return any(loop.kind is not LoopKind.ONCE and not loop.constant for loop in site.loops)


def _form(program: Program, here: Function) -> str | None:
    """The public action for which alone an internal mutation writes, where nothing but clients run it."""
    callers = {e.caller: e.call.mode for e in program.callers.get(here.key, ()) if program.functions[e.caller].role is Role.CODE}
    if here.kind is not Kind.MUTATION or here.public or list(callers.values()) != [Mode.MUTATION]:
        return None
    action = program.functions[next(iter(callers))]
    edges = (program.functions[e.caller].kind for e in program.callers.get(action.key, ()))
    return action.key if action.kind is Kind.ACTION and action.public and all(kind is Kind.CLIENT for kind in edges) else None


def by_staff(program: Program, function: Function) -> bool:
    """Whether every way to a function asks first whether the caller may manage the application."""
    entries = program.entries(function.key)[:MOST_ENTRIES]
    return bool(entries) and all(asks_for_staff(program, entry) for entry in entries)
