"""The ledger application: what the analyzer says of it, and what its functions really send to a database."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from querylint import engine
from querylint.rule import Finding

APP = Path(__file__).parent.parent / "fixtures/apps/ledger-sqlalchemy"
MARK = re.compile(r"# expect: ([a-z -]+)$")
ROW = re.compile(
    r"^\|.+\| (\w+)\.py: (\w+) \| ([a-z-]+) \| (?:(\d+) \+ )?n (statement|row)s \| (\d+) (?:statement|row)s? \|$", re.MULTILINE
)
COST = re.compile(r"(?:1 × )?n (?:queries|statements|waits)\b.*|rows\(\w+\)")
TWIN = "_repaired"
N = 6


@dataclass(frozen=True)
class Pair:
    """A row of the table of the README: a function, its finding, and what it and its twin cost."""

    module: str
    function: str
    pattern: str
    base: int
    unit: str
    repaired: int

    def counted(self, n: int) -> int:
        return self.base + n


PAIRS = [
    Pair(module, function, pattern, int(base or 0), unit, int(repaired))
    for module, function, pattern, base, unit, repaired in ROW.findall((APP / "README.md").read_text(encoding="utf-8"))
]
EACH = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.function)


@pytest.fixture(scope="module")
def findings() -> tuple[Finding, ...]:
    return tuple(engine.check([APP]).result.findings)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the application, and forgets the application afterwards."""
    monkeypatch.syspath_prepend(str(APP))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield lambda name: importlib.import_module(f"ledger.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "ledger"]:
        del sys.modules[name]


def test_the_findings_are_the_marked_ones(findings: tuple[Finding, ...]) -> None:
    marks = {
        (path.relative_to(APP).as_posix(), number): mark[1].split()
        for path in sorted(APP.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (mark := MARK.search(line))
    }
    told = {(f.found.span.path, f.found.span.line): [f.pattern, *f.found.also] for f in findings}
    assert len(told) == len(findings)
    assert told == marks


def test_the_table_lists_the_findings(findings: tuple[Finding, ...]) -> None:
    listed = sorted((f"ledger/{pair.module}.py::{pair.function}", pair.pattern) for pair in PAIRS)
    assert sorted((f.found.function, f.pattern) for f in findings) == listed


@EACH
def test_the_repaired_twin_is_silent(pair: Pair, findings: tuple[Finding, ...]) -> None:
    source = (APP / f"ledger/{pair.module}.py").read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {pair.function}{TWIN}\(", source, re.MULTILINE)
    assert not [f for f in findings if f.found.function.endswith(f"::{pair.function}{TWIN}")]


@EACH
def test_the_cost_of_the_finding_is_what_is_measured(pair: Pair, findings: tuple[Finding, ...], ledger: Callable[[str], Any]) -> None:
    (cost,) = [f.found.cost for f in findings if f.found.function.endswith(f"::{pair.function}")]
    assert cost is not None
    assert COST.fullmatch(cost.now)
    assert cost.now.startswith("rows(") == (pair.unit == "row")
    counts = {}
    for n in (N, 2 * N):
        result, now = _measured(ledger, pair, pair.function, n)
        same, repaired = _measured(ledger, pair, pair.function + TWIN, n)
        assert result == same
        assert result
        counts[n] = now, repaired
    assert counts == {n: (pair.counted(n), pair.repaired) for n in (N, 2 * N)}


def _measured(ledger: Callable[[str], Any], pair: Pair, name: str, n: int) -> tuple[object, int]:
    """What a function returns on a fresh database of n accounts, n entries and one label, and how much of its unit it costs."""
    models, function = ledger("models"), getattr(ledger(pair.module), name)
    given = {"keys": list(range(1, n + 1)), "names": [f"new {i}" for i in range(n)]}
    args = [given[name] for name in list(inspect.signature(function).parameters)[1:]]
    if inspect.iscoroutinefunction(function):
        return asyncio.run(_asynchronous(models, lambda session: function(session, *args), pair.unit, n))
    database = create_engine("sqlite://")
    try:
        with Session(database, expire_on_commit=False) as session:
            _fill(session, models, n)
        with Session(database, expire_on_commit=False) as session, _Counter(database, models, pair.unit) as counter:
            result = function(session, *args)
    finally:
        database.dispose()
    return result, counter.number


async def _asynchronous(models: Any, run: Callable[[AsyncSession], Awaitable[object]], unit: str, n: int) -> tuple[object, int]:
    database = create_async_engine("sqlite+aiosqlite:///:memory:")
    try:
        async with AsyncSession(database, expire_on_commit=False) as session:
            await session.run_sync(_fill, models, n)
        async with AsyncSession(database, expire_on_commit=False) as session:
            with _Counter(database.sync_engine, models, unit) as counter:
                result = await run(session)
    finally:
        await database.dispose()
    return result, counter.number


def _fill(session: Session, models: Any, n: int) -> None:
    """An account for each entry; two entries took money."""
    models.Base.metadata.create_all(session.connection())
    session.add(models.Label(id=1, name="rent"))
    session.add_all(models.Account(id=i, owner=f"owner {i}", open=True, terms=f"terms {i}") for i in range(1, n + 1))
    session.flush()
    session.add_all(models.Entry(id=i, account_id=i, label_id=1, amount=-i if i < 3 else i) for i in range(1, n + 1))
    session.commit()


class _Counter:
    """Counts, while it is entered, the statements that an engine sends or the rows that become objects."""

    def __init__(self, database: Engine, models: Any, unit: str) -> None:
        self.number = 0
        self._listened: tuple[Any, str] = (database, "before_cursor_execute") if unit == "statement" else (models.Base, "load")

    def __enter__(self) -> _Counter:
        target, name = self._listened
        event.listen(target, name, self._count, **({} if isinstance(target, Engine) else {"propagate": True}))
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(*self._listened, self._count)

    def _count(self, *_: object) -> None:
        self.number += 1
