"""The index advice as text: one module a format, loaded when asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from querylint.result import Note, Summary

if TYPE_CHECKING:
    from querylint.advise.advisor import TableAdvice

FORMATS = ("text", "json", "markdown")


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
        return "Every query has its index, and none is needless." if self.summary.tables and not self.changed else ""

    @property
    def changed(self) -> Sequence[TableAdvice]:
        """The tables for which there is something to do."""
        return [table for table in self.tables if table.changes]


class Format(Protocol):
    """What the module of a format offers."""

    def render(self, report: IndexReport) -> str:
        """The whole report, ending in a line end."""
        ...


def render(name: str, report: IndexReport) -> str:
    """The advice in the named format, one of `FORMATS`."""
    return cast("Format", import_module(f"querylint.report.indexes.{name}")).render(report)
