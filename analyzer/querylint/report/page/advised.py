"""The index advice as the page shows it, with the numbers of the verdict."""

from __future__ import annotations

from querylint.advise.advisor import TableAdvice, Verdict
from querylint.advise.demands import Doing
from querylint.construction import dataclass
from querylint.report.indexes import wording as words
from querylint.report.page.material import Material


@dataclass(frozen=True, slots=True)
class Line:
    """One index: what to do with it and why."""

    verdict: str
    name: str
    fields: str
    reason: str


@dataclass(frozen=True, slots=True)
class Advised:
    """One table: its indexes, what they cost, and why fewer cannot do."""

    name: str
    title: str
    place: str
    lines: tuple[Line, ...]
    price: str
    proof: str
    more: tuple[str, ...]

    @property
    def grows(self) -> bool:
        """Whether an index is added."""
        return any(line.verdict == "add" for line in self.lines)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many indexes come and go in how many tables, and how many queries of today new ones would serve."""

    tables: int
    added: int
    dropped: int
    served: int


def advised(material: Material) -> tuple[Advised, ...]:
    """The tables whose indexes change, first those that get a new one."""
    mixed = words.mixed(material.indexes.tables)
    return tuple(sorted((_table(table, mixed=mixed) for table in material.indexes.changed), key=lambda table: not table.grows))


def tally(material: Material) -> Tally:
    """The index advice in numbers."""
    indexes = [i for table in material.indexes.changed for i in table.indexes]
    added = [i for i in indexes if i.verdict is Verdict.ADD]
    served = {(d.access.chain.path, d.access.chain.start) for i in added for d in i.serves if d.doing is not Doing.READS}
    return Tally(len(material.indexes.changed), len(added), sum(i.verdict is Verdict.DROP for i in indexes), len(served))


def _table(table: TableAdvice, *, mixed: bool) -> Advised:
    told = sorted((i for i in table.indexes if not words.goes_without_saying(i)), key=lambda i: list(Verdict).index(i.verdict))
    lines = tuple(Line(i.verdict.value, i.name, words.what(i), words.reason(i, table)) for i in told)
    more = list(words.afterwards(table))
    more += [fewer] if (fewer := words.reordered(table)) else []
    more += [f"no room for {words.served(table.over)}"] if table.over else []
    more += [f"not worth an index alone: {words.served(table.spare)}"] if table.spare else []
    return Advised(
        table.table.name,
        words.title(table, stack=mixed),
        str(table.table.span) if table.table.span is not None else "",
        lines,
        words.cost(table),
        words.proof(table),
        tuple(more),
    )
