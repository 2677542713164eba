"""
# A mutation that reads a whole table before it writes

## What it finds
A public mutation that reads a table from end to end, and writes, while public mutations insert into that table.

```ts
// convex/tickets.ts
export const open = mutation({
  args: { title: v.string() },
  handler: async (ctx, { title }) => {
    const all = await ctx.db.query("tickets").collect(); // expect: wide-read-before-write "`tickets`"
    return await ctx.db.insert("tickets", { title, number: all.length + 1 });
  },
});
```

## Why it costs
A mutation that has written is only committed if nothing that it read has changed meanwhile. One that has read all of a table conflicts with
every insert into it, its own other runs among them: it is run again, up to four times, and then fails. The busier the table, the more.

## Instead
Read only the rows that decide: bind an index range, keep a number or a total in a separate document, or let a scheduled function do what
needs the whole table.

## When it stays silent
Internal mutations, and those whose names speak of upkeep (`cleanup`, `backfill`, `archive`); reads with a range or a limit; tables that no
public mutation inserts into, or that the settings call small. A read that is filtered is an `info`, since the finding about its filter says
more, and so is one whose rows are only counted by a mutation that adds none of them. Of the arms of a choice among many (`switch`), the
first is reported and the others are hints. A register of machines, of which each insert is made once for a name and each heartbeat patches
a row, does not grow: nothing is said, and neither is it of organizations that each get one row when they first sign in. Where memory always
filters the rows by what an index range could, the finding about the read of all rows asks for that, and this one is a hint; so it is where
every insert gives up once a number of rows is reached, which keeps them few.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.conflicts import Conflict, conflicts
from querylint.advise.keys import rationed
from querylint.advise.memory import acted_on, choices
from querylint.advise.places import one_of_many, own_trail
from querylint.advise.reductions import filtered
from querylint.advise.serving import phrase, whole_table
from querylint.advise.trace import fate
from querylint.ir import Program, Work
from querylint.remedy import Advice, Stage
from querylint.rule import Confidence, Cost, Found, Point, Severity, rule

COUNTED = frozenset((Work.COUNT, Work.FILTER, Work.EMPTY))
NARROW = Advice(
    "bind an index range, keep the number in a separate document, or move what needs the whole table to a scheduled function", Stage.DATA
)


@rule(pattern="contention", severity=Severity.WARNING, cwe=362)
def wide_read_before_write(program: Program) -> Iterator[Found]:
    """Mutations that conflict with every insert."""
    told: set[tuple[str, int]] = set()
    for conflict in conflicts(program):
        read = conflict.read.access
        because = _why_little(program, conflict)
        place = program.sites(conflict.read.function).by_id.get(read.id)
        choice = one_of_many(program, place) if place is not None else None
        if choice is not None and not because:
            key = (conflict.read.function, choice)
            because = "another branch of the same choice is already reported" if key in told else ""
            told.add(key)
        others = [Point(access.span, f"`{function.name}` inserts") for function, access in conflict.inserts[:3]]
        yield Found(
            read.span,
            _message(conflict),
            (*own_trail(program, conflict.read, conflict.mutation), *others),
            NARROW,
            Severity.INFO if because else None,
            Confidence.LIKELY if read.fragile else Confidence.SURE,
            conflict.read.function,
            read.table,
            cost=Cost("a retry for every insert that is committed meanwhile", "conflicts over the rows that decide"),
            operation=read.verb,
            because=because,
        )


def _why_little(program: Program, conflict: Conflict) -> str:
    """Why a conflict is only a hint, empty where it is more."""
    if not whole_table(conflict.read.access):
        return "the range that is read is not the whole table"
    if frozenset() in rationed(program, program.functions[conflict.read.function].root, conflict.read.access.table):
        return "the code lets the table hold a few rows only"
    if _narrowed(program, conflict):
        return "the read of all rows is reported, and fixing it narrows this as well"
    return "the rows are only counted, and the number may lag behind" if _only_counts(program, conflict) else ""


def _narrowed(program: Program, conflict: Conflict) -> bool:
    """Whether memory always filters the rows by what an index range could: the finding about the read of all rows asks for that."""
    read = conflict.read
    for load, _, found in filtered(program):
        if load.access is read.access and load.function.key == read.function:
            return any(r.always for r in found)
    return False


def _only_counts(program: Program, conflict: Conflict) -> bool:
    """Whether the rows are only counted, by a mutation that adds none of them: a number that is written down may lag behind."""
    function, read = program.functions[conflict.read.function], conflict.read.access
    seen = fate(program, function, read)
    counted = bool(seen.uses) and all(s.use.work in COUNTED for s in seen.uses) and not seen.whole
    if not counted or acted_on(program, function, read) or choices(function, read):
        return False
    mine = program.effects.get(conflict.mutation.key, ())
    return not any(e.access.verb == "insert" and e.access.table == read.table for e in mine)


def _message(conflict: Conflict) -> str:
    names = [function.name for function, _ in conflict.inserts]
    others = [name for name in names if name != conflict.mutation.name]
    whom = f"every insert of {phrase(others[:3])}" if others else "its own other runs"
    return f"`{conflict.mutation.name}` reads all of `{conflict.read.access.table}` and then writes, so it conflicts with {whom}"
