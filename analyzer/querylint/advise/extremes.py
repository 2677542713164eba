"""The greatest or the least value of a field: it stands at one end of an index that ends with the field."""

from __future__ import annotations

from collections.abc import Sequence

from querylint.advise.serving import Want, full, serve
from querylint.advise.trace import Seen
from querylint.ir import Table
from querylint.remedy import Advice, Stage


def extreme(works: Sequence[Seen]) -> bool:
    """Whether rows are only gone through for the greatest or the least value of a field."""
    return bool(works) and all(s.use.extreme for s in works)


def end_of_index(table: Table | None, fixed: tuple[str, ...], works: Sequence[Seen]) -> Advice:
    """The read of one row that takes the place of the search."""
    names = tuple(dict.fromkeys(name for s in works for name in s.use.fields))[:1]
    want = Want(fixed, names)
    ready = serve(table, want, beyond=fixed) if names else None
    ends = 'one row from its end: .order("desc").first() for the greatest value, .first() for the least'
    if ready is not None and full(ready, want):
        return Advice(f"read by index `{ready.index}` {ends}")
    return Advice(f"add an index on ({', '.join((*fixed, *names)) or 'the field'}) and read by it {ends}", Stage.INDEX)
