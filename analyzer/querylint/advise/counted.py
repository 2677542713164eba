"""Rows that are loaded only to be counted: related ones, for each row that has them or all together; those that are few or many."""

from __future__ import annotations

from collections.abc import Sequence

from querylint.advise.trace import Fate, Seen
from querylint.ir import ITEM, Access, Loop, Origin, Program, Root, Terminal, Use, Work
from querylint.ir.program import Site

MOST_TAKEN = 1000
"""More rows are many to read at once, by the rule of thumb of Convex (convex-facts 4.1)."""


def counted(program: Program, site: Site, step: Access, loop: Loop) -> bool | None:
    """Whether the rows of a followed relation are counted anew in each round of a loop (True), or once for all rounds (False).

    None where anything else is done with them.
    """
    if step.follows is None or step.terminal is not Terminal.ROWS:
        return None
    mine = (step.follows, Origin(Root.STEP, step.id))
    uses = [s for s in site.function.steps() if isinstance(s, Use) and set(s.of) & set(mine)]
    looked = [*site.function.touched, *(o.origin for o in site.function.outflows)]
    looked = [o for o in looked if o.path[-1:] != (ITEM,)]  # that they are gone through says nothing yet
    besides = any(o.root is m.root and o.ref == m.ref and o.path[: len(m.path)] == m.path for o in looked for m in mine)
    if not uses or besides or any(u.work is not Work.COUNT for u in uses):
        return None
    where = [program.sites(site.function.key).by_id.get(u.id) for u in uses]
    return any(w is not None and loop in w.loops for w in where)


def reached(uses: Sequence[Seen]) -> int | None:
    """The number with which alone the number of rows is compared, the greatest of several.

    None where anything else is done with the rows, and where so many of them are better counted as they come.
    """
    counts = [s.use for s in uses if s.use.work is not Work.EMPTY]
    sizes = [u.size.literal for u in counts if u.work is Work.COUNT and u.size is not None and not u.distinct]
    known = [size for size in sizes if isinstance(size, int)]
    return max(known) if known and len(known) == len(counts) and max(known) <= MOST_TAKEN else None


def enough(fate: Fate) -> int | None:
    """How many rows are enough for all that becomes of them: a number is compared, the first few are taken; None for anything else."""
    cuts = {s.mark for s in fate.uses if s.use.work in (Work.SLICE, Work.FIRST)}
    if fate.listed or fate.gone_through or any(cuts.isdisjoint(left.behind) for left in fate.whole):
        return None
    sizes = [_needed(s.use) for s in fate.uses if s.use.work is not Work.EMPTY and cuts.isdisjoint(s.behind)]
    if not sizes and fate.uses and not fate.fields:
        return 1  # it is only asked whether there are any
    known = [size for size in sizes if size is not None]
    return max(known) if known and len(known) == len(sizes) and max(known) <= MOST_TAKEN + 1 else None


def _needed(use: Use) -> int | None:
    if use.work is Work.FIRST:
        return 1 if not use.after else None
    size = use.size.literal if use.size is not None else None
    if not isinstance(size, int) or size < 0 or use.distinct or use.after:
        return None
    begins = use.start is None or use.start.literal == 0
    return size + 1 if use.work is Work.COUNT else size if use.work is Work.SLICE and begins else None
