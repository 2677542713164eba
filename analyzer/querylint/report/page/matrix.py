"""Which endpoint reads and writes which table, and the worst that was found there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from querylint.construction import dataclass
from querylint.ir import Function, Op, Program, Role
from querylint.ir.program import Effect
from querylint.report.page.findings import anchor
from querylint.rule import Finding, Severity


@dataclass(frozen=True, slots=True)
class Cell:
    """How many places read and write the table when the endpoint is called. `worst` is the severity of what was found, `anchor` where."""

    reads: int
    writes: int
    worst: str = ""
    anchor: str = ""

    @property
    def text(self) -> str:
        """`3 reads, 1 write` in short."""
        return " ".join(part for part in (f"{self.reads}r" if self.reads else "", f"{self.writes}w" if self.writes else "") if part)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row: a registered function, and its cells in the order of the tables; None where it leaves a table alone."""

    name: str
    kind: str
    place: str
    cells: tuple[Cell | None, ...]
    worst: str

    @property
    def flagged(self) -> bool:
        """Whether it leads to a warning or an error."""
        return self.worst in ("warning", "error")

    def touched(self, tables: Sequence[str]) -> list[tuple[str, Cell]]:
        """The cells that hold something, with their tables."""
        return [(table, cell) for table, cell in zip(tables, self.cells, strict=True) if cell is not None]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows by file, and the names of the columns. `registered` is False where the rows are functions that nobody calls."""

    tables: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    registered: bool

    @property
    def flagged(self) -> int:
        """How many endpoints lead to a warning or an error."""
        return sum(endpoint.flagged for endpoint in self.endpoints)


def entries(program: Program) -> tuple[tuple[Function, ...], bool]:
    """The registered functions of the code itself, or where there are none those that touch the database and that nobody calls."""
    keys = {key for reaching in program.reached.values() for key in reaching}
    mine = [program.functions[key] for key in sorted(keys) if program.functions[key].role is Role.CODE]
    if mine:
        return tuple(mine), True
    rest = [
        f for key, f in sorted(program.functions.items()) if f.role is Role.CODE and program.effects.get(key) and key not in program.callers
    ]
    return tuple(rest), False


def matrix(program: Program, findings: Sequence[Finding]) -> Matrix:
    """The matrix of a program and what was found in it, the dearest first."""
    functions, registered = entries(program)
    touched = {f.key: _known(program, f) for f in functions}
    shown = [f for f in functions if touched[f.key]]
    tables = tuple(sorted({e.access.table or "" for f in shown for e in touched[f.key]}))
    rows = [_row(f, touched[f.key], tables, findings) for f in sorted(shown, key=lambda f: (f.path, f.span.line, f.key))]
    return Matrix(tables, tuple(rows), registered)


def _known(program: Program, function: Function) -> list[Effect]:
    return [effect for effect in program.effects.get(function.key, ()) if effect.access.table is not None]


def _row(function: Function, effects: Iterable[Effect], tables: Sequence[str], findings: Sequence[Finding]) -> Endpoint:
    by_table: dict[str, list[Effect]] = {}
    for effect in effects:
        by_table.setdefault(effect.access.table or "", []).append(effect)
    cells = [_cell(function, table, by_table.get(table, []), findings) for table in tables]
    worst = max((cell.worst for cell in cells if cell is not None and cell.worst), key=lambda name: Severity(name).rank, default="")
    return Endpoint(function.name, function.kind.value, str(function.span), tuple(cells), worst)


def _cell(function: Function, table: str, effects: Sequence[Effect], findings: Sequence[Finding]) -> Cell | None:
    if not effects:
        return None
    sites = {(effect.function, effect.access.id): effect.access.op for effect in effects}
    on_the_way = {function.key, *(e.function for e in effects), *(edge.caller for e in effects for edge in e.trail)}
    here = [f for f in findings if f.found.table == table and f.found.function in on_the_way]
    worst = max(here, key=lambda f: f.severity.rank, default=None)
    reads, writes = (sum(op is wanted for op in sites.values()) for wanted in (Op.READ, Op.WRITE))
    return Cell(reads, writes, worst.severity.value, anchor(worst)) if worst is not None else Cell(reads, writes)
