"""Whole small applications: every defect that its author marked is found, and nothing else is called a warning."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from querylint import engine
from querylint.rule import Finding, Severity

APPS = Path(__file__).parent.parent / "fixtures/apps"
MARK = re.compile(r"// expect: ([a-z -]+)$")


def _marks(app: Path) -> dict[tuple[str, int], list[str]]:
    found: dict[tuple[str, int], list[str]] = {}
    for path in sorted(app.rglob("*.[tj]s*")):
        for number, line in enumerate(path.read_bytes().decode().splitlines(), 1):
            if mark := MARK.search(line.rstrip()):
                found[path.relative_to(app).as_posix(), number] = mark[1].split()
    return found


def _findings(app: Path) -> dict[tuple[str, int], list[Finding]]:
    found: dict[tuple[str, int], list[Finding]] = {}
    for finding in engine.check([app]).result.findings:
        found.setdefault((finding.found.span.path, finding.found.span.line), []).append(finding)
    return found


def test_every_marked_defect_of_hooklabs_is_found() -> None:
    app = APPS / "hooklabs"
    marks, findings = _marks(app), _findings(app)
    assert len(marks) > 35
    missed = {place: wanted for place, wanted in marks.items() if wanted[0] not in {f.pattern for f in findings.get(place, [])}}
    assert not missed


def test_hooklabs_warns_of_nothing_that_is_not_marked() -> None:
    app = APPS / "hooklabs"
    marks = _marks(app)
    loud = [
        (place, f.rule, f.found.message)
        for place, found in _findings(app).items()
        for f in found
        if f.severity is not Severity.INFO and f.pattern not in marks.get(place, [])
    ]
    assert not loud


def test_the_mended_twin_is_silent() -> None:
    loud = [(place, f.rule, f.found.message) for place, found in _findings(APPS / "hooklabs-optimized").items() for f in found]
    assert not [entry for entry in loud if entry]


@pytest.mark.parametrize("app", ["hooklabs", "hooklabs-optimized"])
def test_two_runs_say_the_same(app: str) -> None:
    first, second = (engine.check([APPS / app]).result for _ in range(2))
    assert first.findings == second.findings
    assert first.notes == second.notes


BOOKS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    isbn: Mapped[str]
    shelf: Mapped[int]
    state: Mapped[str]
"""
STORE = """
from sqlalchemy import desc, nulls_last, select
from sqlalchemy.orm import Session

from books import Book


def book_of(session: Session, isbn: str) -> Book:
    return session.scalars(select(Book).where(Book.isbn == isbn).order_by(desc(Book.id), nulls_last(Book.state))).one_or_none()
"""
DESK = """
from sqlalchemy.orm import Session

from books import Base
from store import book_of


def tables() -> list[str]:
    return list(Base.metadata.tables)


def titles(session: Session, isbns: list[str]) -> list[int]:
    return [book_of(session, isbn).id for isbn in isbns]
"""


@pytest.fixture(name="shelves")
def _shelves(tmp_path: Path) -> Path:
    """A helper whose words have to come along when its read is made in another file."""
    for name, text in (("books", BOOKS), ("store", STORE), ("desk", DESK)):
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize("app", ["hooklabs", "ledger-sqlalchemy", "newsroom-django", "shelves"])
def test_what_is_said_hangs_on_no_order_of_a_set(app: str, shelves: Path) -> None:
    """Python orders sets anew in each process, unless it is told a seed."""
    command = [sys.executable, "-m", "querylint", "check", "--no-cache", "--show", "info", "--format", "json", "."]
    said = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": str(seed)}, cwd=shelves if app == "shelves" else APPS / app,
            capture_output=True, text=True, check=False,
        ).stdout
        for seed in range(4)
    }  # fmt: skip
    assert len(said) == 1
    assert app != "shelves" or "nulls_last" in said.pop()
