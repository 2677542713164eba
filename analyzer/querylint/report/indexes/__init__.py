"""The index advice as text: one module a format, loaded when asked."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from querylint.construction import dataclass
from querylint.result import Note, Summary

if TYPE_CHECKING:
    from querylint.advise.advisor import TableAdvice

FORMATS = ("text", "json", "markdown")
MOST_PLACES = 10


@dataclass(frozen=True, slots=True)
class IndexReport:
    """The advice for the tables that were asked for, and what the run saw. `all` says that tables without changes are shown as well."""

    tables: tuple[TableAdvice, ...]
    notes: tuple[Note, ...]
    summary: Summary
    all: bool = False
    color: bool = False

    @property
    def verdict(self) -> str:
        """What is to be said where nothing is to be done; nothing where no table was seen."""
        if not self.summary.tables or self.changed:
            return ""
        waiting = self.waiting
        if not waiting:
            return "Every query has its index, and every index is needed."
        return f"No index is missing or unneeded. Still to be moved to its index: {shortened(waiting)}."

    @property
    def waiting(self) -> list[str]:
        """The queries that do not read by their index yet, and which that is."""
        from querylint.report.indexes.wording import place

        pairs = (pair for table in self.tables for pair in table.waiting)
        return list(dict.fromkeys(f"{place(demand)} by `{index.name}`" for demand, index in pairs))

    @property
    def changed(self) -> Sequence[TableAdvice]:
        """The tables for which there is something to do."""
        return [table for table in self.tables if table.changes]


def shortened(places: Sequence[str]) -> str:
    """The first few of a list of places, and how many more there are."""
    more = len(places) - MOST_PLACES
    return "; ".join(places) if more <= 0 else f"{'; '.join(places[:MOST_PLACES])}; and {more} more"


class Format(Protocol):
    """What the module of a format offers."""

    def render(self, report: IndexReport) -> str:
        """The whole report, ending in a line end."""
        ...


def render(name: str, report: IndexReport) -> str:
    """The advice in the named format, one of `FORMATS`."""
    return cast("Format", import_module(f"querylint.report.indexes.{name}")).render(report)
