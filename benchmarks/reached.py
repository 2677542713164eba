"""What the analysis does not see of a project: statements that no walk comes to, and calls of a database of which nothing was written down.

    python -m benchmarks.reached PROJECT [PROJECT ...] [--most N]

Of each function that is walked, every statement of its own blocks should be come to, but for code that can never run. Where a call in
Python asks a database by its looks (`Post.objects.get(...)`, `session.execute(...)`, `cursor.execute(...)`), or a line of a functions
folder does (`ctx.db.get(...)`), there should be a read, a write or a call of a function of the project. What neither holds for is listed,
at most N of each kind and project, to be read: dead code, texts and mocks are among it, and so is what the model lacks. Nothing of it
is run or written. The tool must not be a compiled one, whose functions nobody can watch.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from querylint import engine, settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.frontends.convex import lower as convex
from querylint.frontends.flow import statements
from querylint.frontends.flow.state import State
from querylint.frontends.python import lower as python
from querylint.ir import Access, Call, Program, Role, TargetKind
from querylint.syntax import tree

OWN = (tree.Do, tree.Let, tree.If, tree.For, tree.Return, tree.Throw, tree.Try, tree.Switch)
ORM = frozenset(
    "get create count exists first last aggregate update delete bulk_create bulk_update get_or_create update_or_create earliest latest "
    "in_bulk aget acreate acount aexists afirst".split()
)
SESSIONS = frozenset(("session", "db", "sess"))
RUN = frozenset("execute scalars scalar query fetch_all fetch_one fetchval fetchrow".split())
CONVEX = re.compile(r"\bdb\s*\.\s*(?:get|insert|patch|delete|replace|query)\b(?!<)")
QUIET = re.compile(
    r"PRAGMA|CREATE |DROP |ALTER |ATTACH|SET |SHOW |BEGIN|COMMIT|ROLLBACK|information_schema|sqlite_master|VACUUM", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line that was not seen, and its text."""

    path: str
    line: int
    text: str


@dataclass(slots=True)
class Walks:
    """The functions that were walked, by file and place, and the statements that a walk has come to."""

    functions: dict[tuple[str, int], tree.Fn] = field(default_factory=dict)
    reached: set[tuple[str, int]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is told of one project: how many statements and calls there are, and those that were not seen."""

    statements: int
    lost: tuple[Place, ...]
    calls: int
    silent: tuple[Place, ...]


def main() -> None:
    """Print what is not seen of each project."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reached", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("projects", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=10, help="how many places of each kind are shown (%(default)s)")
    given = parser.parse_args()
    for root in given.projects:
        seen = look(root)
        print(
            f"{root.name}: {len(seen.lost)} of {seen.statements} statements not reached, {len(seen.silent)} of {seen.calls} calls not seen"
        )
        for kind, places in (("not reached", seen.lost), ("not seen", seen.silent)):
            for place in places[: given.most]:
                print(f"  {kind}: {place.path}:{place.line}: {place.text}")


def look(root: Path) -> Seen:
    """Analyze a project, and tell what of it was not seen."""
    chosen = settings.load(root, rule_names=engine.names_of(engine.load_rules()))
    project = Project(Scope(root), chosen)
    with _watched() as walks:
        program, lowered = project.program()
    every = [(path, fn, s) for (path, _), fn in sorted(walks.functions.items()) for s in _own(fn.body)]
    lost = {_place(project, path, s.at) for path, _, s in every if (path, s.at) not in walks.reached}
    calls = sorted(set(_calls(project, lowered.roots)))
    lines = _lines(program)
    silent = [
        Place(path, first, text) for path, first, last, text in calls if not lines.get(path, set()).intersection(range(first, last + 1))
    ]
    return Seen(len(every), tuple(sorted(lost)), len(calls), tuple(silent))


@contextmanager
def _watched() -> Iterator[Walks]:
    """Watch which functions are walked, and which statements are come to."""
    walks, known = Walks(), dict(statements.STATEMENTS)
    of_python, of_convex = python.ModuleLowering._walk, convex.ModuleLowering._lowered

    def noting(run: Callable[[State, Any], None]) -> Callable[[State, Any], None]:
        def noted(m: State, statement: Any) -> None:
            walks.reached.add((m.path, statement.at))
            run(m, statement)

        return noted

    def python_walk(self: Any, machine: Any, found: Any, params: Any) -> Any:
        walks.functions[self.path, found.fn.at] = found.fn
        return of_python(self, machine, found, params)

    def convex_walk(self: Any, machine: Any, found: Any, *rest: Any) -> Any:
        walks.functions[self.context.path, found.fn.at] = found.fn
        return of_convex(self, machine, found, *rest)

    statements.STATEMENTS.update({kind: noting(run) for kind, run in known.items()})
    python.ModuleLowering._walk, convex.ModuleLowering._lowered = python_walk, convex_walk  # type: ignore[method-assign]
    try:
        yield walks
    finally:
        statements.STATEMENTS.update(known)
        python.ModuleLowering._walk, convex.ModuleLowering._lowered = of_python, of_convex  # type: ignore[method-assign]


def _own(body: list[tree.Stmt]) -> Iterator[tree.Stmt]:
    """The statements of a function's own blocks, not of functions and classes inside of it."""
    for statement in body:
        if isinstance(statement, OWN):
            yield statement
        if isinstance(statement, tree.Switch):
            for _, case in statement.cases:
                yield from _own(case)
        elif not isinstance(statement, tree.FnDef | tree.ClassDef):
            for name in ("then", "other", "body", "handler", "final"):
                yield from _own(getattr(statement, name, []))


def _place(project: Project, path: str, at: int) -> Place:
    source = project.read(path) or b""
    text = source[at : at + 100].decode("utf-8", "replace").split("\n")[0]
    return Place(path, source.count(b"\n", 0, at) + 1, text)


def _lines(program: Program) -> dict[str, set[int]]:
    """The lines on which something was read or written, or a function of the project called, by file."""
    found: dict[str, set[int]] = {}
    for function in program.functions.values():
        for step in function.steps():
            own = isinstance(step, Call) and step.target.kind is TargetKind.FUNCTION
            for span in (step.span, step.chain) if isinstance(step, Access) else (step.span,) if own else ():
                found.setdefault(span.path, set()).update(range(span.line, span.end_line + 1))
    return found


def _calls(project: Project, roots: tuple[str, ...]) -> Iterator[tuple[str, int, int, str]]:
    """Where a database is asked by the looks of it: file, first line, last line, text."""
    for path in project.found.files:
        if project.role(path) is not Role.CODE or "migration" in path or "alembic" in path:
            continue
        if path.endswith(".py"):
            yield from _of_python(path, project.read(path) or b"")
        elif path.endswith((".ts", ".js")) and not path.endswith(".d.ts") and any(root and path.startswith(root) for root in roots):
            lines = (project.read(path) or b"").decode("utf-8", "replace").split("\n")
            for number, text in enumerate(lines, 1):
                if CONVEX.search(text) and not text.lstrip().startswith(("//", "*", "/*")) and "typeof" not in text:
                    yield path, number, number, text.strip()[:100]


def _of_python(path: str, source: bytes) -> Iterator[tuple[str, int, int, str]]:
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    lines = source.decode("utf-8", "replace").split("\n")
    for fn in ast.walk(module):
        for node in ast.walk(fn) if isinstance(fn, ast.FunctionDef | ast.AsyncFunctionDef) else ():
            if isinstance(node, ast.Call) and _asks(_chain(node)):
                end = node.end_lineno or node.lineno
                text = " ".join(line.strip() for line in lines[node.lineno - 1 : end])
                if not QUIET.search(text):
                    yield path, node.lineno, end, text[:100]


def _chain(node: ast.expr) -> list[str]:
    """The names of a chain of members and calls, the first first: `Post.objects.get(...)` is `Post`, `objects`, `get`."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Await | ast.Subscript):
            node = node.value
        else:
            names.append(node.id if isinstance(node, ast.Name) else "")
            return names[::-1]


def _asks(chain: list[str]) -> bool:
    first, last = chain[0], chain[-1]
    if "objects" in chain[1:]:
        return last in ORM and first[:1].isupper()
    return last in RUN and len(chain) > 1 and (bool(SESSIONS.intersection(chain)) or "cur" in chain[-2].lower())


if __name__ == "__main__":
    main()
