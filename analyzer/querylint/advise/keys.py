"""What the code says of the number of rows: keys of which it lets only one row exist, and tables in which it lets few."""

from __future__ import annotations

from querylint.advise.audience import left_alone
from querylint.advise.sequence import leaves
from querylint.advise.stored import stored_as
from querylint.advise.trace import fate
from querylint.construction import dataclass
from querylint.ir import (
    ITEM,
    Access,
    Bound,
    Branch,
    Call,
    LoopKind,
    Mode,
    Op,
    Order,
    Predicate,
    Program,
    Relation,
    Role,
    Root,
    Table,
    Terminal,
    Use,
    Work,
)
from querylint.ir.program import Effect, Site

MOST_COUNTED = 100
"""A number of rows up to which they are few."""


def keys(program: Program, root: str, name: str | None) -> tuple[frozenset[str], ...]:
    """The sets of fields whose values no two rows of a table share, as every insert looks for such a row first and then does not insert.

    One that takes the place of all the rows of its key, which are deleted before by the values that it stores, needs none
    either.
    What belongs to a row that the same function has just inserted needs no look: there is none yet.
    A look-up that runs backwards through time is a limit on the rate, not on the number, and does not count.
    """
    return program.once(("keys", root, name), lambda: _keys(program, root, name))


def told_apart(program: Program, root: str, name: str | None) -> tuple[frozenset[str], ...]:
    """The sets of fields that tell the rows of a table apart: its keys, and those by which code asks for the one row there may be, as it
    fails where there are two."""
    return program.once(("told apart", root, name), lambda: _told_apart(program, root, name))


def _told_apart(program: Program, root: str, name: str | None) -> tuple[frozenset[str], ...]:
    asked = {
        frozenset(plan.fixed())
        for site, read in program.reads_of(root, name)
        if read.verb == "unique" and site.function.role is Role.CODE
        for plan in read.plans
        if plan.fixed() and not plan.residual()
    }
    return (*keys(program, root, name), *sorted(asked, key=sorted))


def bounded(program: Program, root: str, name: str | None) -> bool:
    """Whether a table cannot outgrow what the code writes down: one row in all, one for each of a few values, a list of its own.

    So says every insert into it: it first looks for a row and finds none, of that value or at all, or takes the place of all the rows that
    were deleted before, or is refused where a number of rows is reached. An id of a table that is bounded is one of a few values, too.
    """
    return name in program.once(("bounded", root), lambda: _bounded(program, root))


@dataclass(frozen=True, slots=True)
class _Made:
    """What is known of one insert: see the functions that find it out."""

    new: frozenset[str]
    cleared: frozenset[str] | None
    looked_up: frozenset[frozenset[str]]
    repeated: bool
    rationed: frozenset[frozenset[str]]

    def confined(self, choices: set[str]) -> bool:
        """Whether it adds to a few rows at most, told apart by values of which there are a few."""
        if self.new:
            return not self.new.isdisjoint(choices)
        if (self.cleared is not None and self.cleared <= choices) or any(key <= choices for key in self.rationed):
            return True
        return any(key <= choices and (key or not self.repeated) for key in self.looked_up)


def _bounded(program: Program, root: str) -> set[str]:
    """The tables that are bounded: more and more of them, since an id of one that is found to be may bound the next."""
    schema = program.schemas.get(root)
    made = {
        table.name: (table, [_made(program, site, access) for site, access in found])
        for table in (schema.tables.values() if schema is not None else ())
        if (found := inserts(program, root, table.name))
    }
    bounded: set[str] = set()
    grown = True
    while grown:
        grown = False
        for name, (table, rows) in made.items():
            if name not in bounded and all(row.confined(_choices(table, bounded)) for row in rows):
                bounded.add(name)
                grown = True
    return bounded


def _choices(table: Table, bounded: set[str]) -> set[str]:
    """The fields of a table that take one of a few values."""
    return {
        field.name
        for field in table.fields or ()
        if field.few or field.type in ("boolean", "literal") or (field.type == "id" and field.target in bounded)
    }


def _made(program: Program, site: Site, access: Access) -> _Made:
    return _Made(
        _of_new_row(program, site, access),
        _cleared(program, site, access),
        frozenset(_looked_up(program, site, access)),
        repeated(site),
        frozenset(_rationed(program, site, access)),
    )


def rationed(program: Program, root: str, name: str | None) -> frozenset[frozenset[str]]:
    """The sets of fields of whose values no more than a number of rows may exist: every insert counts them first, and gives up there."""
    return program.once(("rationed", root, name), lambda: _shared_rations(program, root, name))


def _shared_rations(program: Program, root: str, name: str | None) -> frozenset[frozenset[str]]:
    found = [_rationed(program, site, access) for site, access in inserts(program, root, name)]
    return frozenset(set.intersection(*found)) if found else frozenset()


def _rationed(program: Program, site: Site, access: Access) -> set[frozenset[str]]:
    """The fields whose rows a function counts, and inserts none where they have reached a number that the code writes down.

    A number that stops only some (`!pro && rows.length >= 5`) is no limit for the others.
    """
    if repeated(site):
        return set()
    sites = program.sites(site.function.key)
    before = [s for s in sites.all if s.rank < site.rank and set(s.arms) <= set(site.arms)]
    given_up = {span for s in before if isinstance(s.step, Branch) and s.step.enough and leaves(s.step.arms[0]) for span in s.step.enough}
    counted = {
        o.ref
        for step in (s.step for s in sites.all)
        if isinstance(step, Use) and step.work is Work.COUNT and not step.after and step.size is not None and step.span in given_up
        for o in step.of
        if isinstance(step.size.literal, int) and step.size.literal <= MOST_COUNTED and not o.path
    }
    reads = [sites.by_id[n].step for n in access.guards & counted if n in sites.by_id]
    return {
        _asked(read)
        for read in reads
        if isinstance(read, Access)
        and read.table == access.table
        and read.op is Op.READ
        and read.terminal is Terminal.ROWS
        and all(p.relation is Relation.EQ and p.field is not None and _stores(access, p) for plan in read.plans for p in plan.predicates)
    }


def replaced(program: Program, root: str, name: str | None) -> frozenset[str] | None:
    """The fields by whose values the rows of a table are replaced as a whole: a list of one parent takes the place of the one before.

    None where some insert adds to what is there.
    """
    return program.once(("replaced", root, name), lambda: _replaced(program, root, name))


def _replaced(program: Program, root: str, name: str | None) -> frozenset[str] | None:
    found = {_cleared(program, site, access) for site, access in inserts(program, root, name)}
    return found.pop() if len(found) == 1 else None


def repeated(site: Site) -> bool:
    """Whether a loop whose length nobody wrote down stands around a place."""
    return any(loop.kind is not LoopKind.ONCE and not loop.constant for loop in site.loops)


def written_down(program: Program, site: Site, access: Access) -> bool:
    """Whether the code itself lists what it inserts, and looks first whether the rows are there, or takes them away before."""
    listed = any(loop.constant for loop in site.loops) and not repeated(site)
    return listed and (bool(_looked_up(program, site, access)) or _cleared(program, site, access) is not None)


def once_per_key(program: Program, site: Site, access: Access, *, most: int | None = None) -> bool:
    """Whether an insert is made only where a look-up by the values of some fields, `most` of them if given, has found no row."""
    found = _looked_up(program, site, access) if access.verb == "insert" else set()
    return any(key and (most is None or len(key) <= most) for key in found)


def _cleared(program: Program, site: Site, access: Access) -> frozenset[str] | None:
    """The fields whose rows a function has all deleted before it inserts: the new rows take their place. None where it deletes none.

    Those that are in the list which it goes on to insert may stay.
    """
    read = _emptied(program, site, access)
    return _asked(read) if read is not None else None


def _taken_over(program: Program, site: Site, access: Access) -> frozenset[str] | None:
    """The fields of the rows that an insert takes the place of, where it stores in each the value by which those were deleted.

    With any other value the new row stands beside those of its own value, which nobody has deleted.
    """
    read = _emptied(program, site, access)
    if read is None or not all(_stores(access, p) for plan in read.plans for p in plan.predicates):
        return None
    return _asked(read)


def _asked(read: Access) -> frozenset[str]:
    return frozenset(p.field for plan in read.plans for p in plan.predicates if p.field is not None)


def _stores(access: Access, p: Predicate) -> bool:
    """Whether an insert stores the very value that a condition asks for."""
    if p.field is None or p.value is None:
        return False
    if p.value.constant:
        return stored_as(dict(access.constants), p.field, p.value.literal)
    asked = set(p.value.origins)
    return len(asked) == 1 and set(dict(access.sources).get(p.field, ())) == asked  # of several, each may give another one


def _emptied(program: Program, site: Site, access: Access) -> Access | None:
    """The read of the rows which a function has all deleted before it inserts."""
    sites = program.sites(site.function.key)
    for other in sites.all:
        gone = other.step
        if not isinstance(gone, Access) or gone.verb != "delete" or gone.key is None or other.rank > site.rank:
            continue
        for origin in gone.key.origins:
            found = sites.of(origin)
            read = found.step if found is not None else None
            if (
                found is not None
                and isinstance(read, Access)
                and read.table == access.table
                and read.terminal is Terminal.ROWS
                and read.bound is Bound.ALL
                and ITEM in origin.path
                and (set(other.arms) <= set(site.arms) or _strangers(read, other, site))
                and found.loops == other.loops[:-1] == site.loops[: len(other.loops) - 1]
                and all(p.relation is Relation.EQ and p.field is not None for plan in read.plans for p in plan.predicates)
            ):
                return read
    return None


def _strangers(read: Access, gone: Site, site: Site) -> bool:
    """Whether those rows are deleted that are not in the list of an argument whose items are then inserted, one for each."""
    if not site.loops or site.loops[-1].over is None:
        return False
    lists = [o for o in site.loops[-1].over.origins if o.root is Root.PARAM]
    if len(lists) != 1 or len(gone.loops) != len(site.loops) or len(set(gone.arms) - set(site.arms)) != 1:
        return False
    items = (*lists[0].path, ITEM)
    tests = [s for s in gone.loops[-1].steps() if isinstance(s, Use) and s.work is Work.FILTER and any(o.ref == read.id for o in s.of)]
    values = [p.value for s in tests for p in s.predicates if p.relation is Relation.OTHER]
    return len(tests) == 1 and any(
        value is not None and bool(value.parts) and all(o.ref == lists[0].ref and o.path[: len(items)] == items for _, o in value.parts)
        for value in values
    )


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
    for site, access in program.writes(root):
        function = site.function
        if access.verb != "insert" or function.role is not Role.CODE or left_alone(program, function):
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
        mine = _looked_up(program, site, access)
        cleared = _taken_over(program, site, access)
        if cleared:
            mine.add(cleared)
        if any(loop.kind is not LoopKind.ONCE for loop in site.loops):
            mine -= {frozenset(), cleared}  # several rows where there was none
        shared = mine if shared is None else shared & mine
        if not shared:
            return ()
    return tuple(sorted((key for key in shared or () if all(key & new for new in fresh)), key=sorted))


def _looked_up(program: Program, site: Site, access: Access) -> set[frozenset[str]]:
    """The keys for which an insert has looked first, and found no row; the empty one where there is none at all."""
    return {
        key
        for effect in _guards(program, site, access)
        if (key := _looked_for(program, effect, access.table)) is not None and (key or _where_none_is(program, site, effect))
    }


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
    if effect.function != site.function.key or effect.access.terminal not in (Terminal.ROW, Terminal.ROWS):
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
