"""The Python front end: which stacks a project uses, which files matter, and what they say together."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection

from querylint.cache.digest import digest
from querylint.frontends.kept import Kept, Look, Question
from querylint.frontends.lowered import Lowered
from querylint.frontends.python.lower import Found, ModuleLowering
from querylint.frontends.python.project import PythonProject
from querylint.frontends.python.stack import Stack
from querylint.frontends.python.stacks import STACKS
from querylint.ir import Function, Role, Schema, Table
from querylint.result import Note, NoteKind

ROOT = "."
REVISION = re.compile(rb"^down_revision\b", re.MULTILINE)
INVENTORS = (b"faker", b"mimesis", b"model_bakery", b"factory.")
INVENTING = re.compile(
    rb"^(?:from|import) +(?:faker|mimesis|model_bakery)\b|\bfactory\.(?:Faker|Sequence|SubFactory|django\.)", re.MULTILINE
)
TRYING = re.compile(rb"^(?:from|import) +(?:unittest|django\.test|rest_framework\.test|testtools)\b", re.MULTILINE)
CASES = re.compile(rb"^[ \t]*class \w+\([^)]*TestCase\b", re.MULTILINE)
MOST_WAVES = 5
DEEPEST = 20_000


def _by_names(source: bytes) -> Role | None:
    # The words are looked for first: a pattern takes far longer for a file in which there are none.
    if b"down_revision" in source and REVISION.search(source):
        return Role.MIGRATION
    if any(word in source for word in INVENTORS) and INVENTING.search(source):
        return Role.SEED
    return Role.TEST if b"TestCase" in source and TRYING.search(source) and CASES.search(source) else None


class PythonFrontEnd:
    """Lowers the Python code of one project, for all the stacks that it uses."""

    def __init__(
        self,
        files: Collection[str],
        generated: Collection[str],
        read: Callable[[str], bytes | None],
        role: Callable[[str], Role],
        kept: Kept | None = None,
    ) -> None:
        self.files = sorted(f for f in files if f.endswith(".py"))
        self.all = files
        self._read = read
        self._seen: set[str] = set()
        self._kept = kept
        self._role = role
        self._roles: dict[str, Role] = {}
        self.too_deep: set[str] = set()

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where it cannot be read."""
        self._seen.add(path)
        return self._read(path)

    def role(self, path: str) -> Role:
        """The role of a file by its path, or by the names that it holds: a revision of Alembic, a maker of invented rows, test cases."""
        if path not in self._roles:
            known = self._role(path)
            source = (self.read(path) or b"") if known is Role.CODE and path.endswith(".py") else b""
            self._roles[path] = _by_names(source) or known
        return self._roles[path]

    def lower(self) -> Lowered:
        """Everything that the project says about its databases: one part, since every function may tell something of every other."""
        if self._kept is None:
            return self._lowered()
        roles = "\0".join(f"{path} {self._role(path).value}" for path in self.files)
        layout = "\0".join((roles, "", *sorted(self.all))).encode("utf-8", "surrogateescape")
        look = Look(self._kept.room("python"), self._read, lambda _: None)
        lowered = look.part("whole", Lowered, digest(layout), self._whole)
        look.end(())
        return lowered

    def _whole(self) -> tuple[Lowered, list[Question]]:
        lowered = self._lowered()
        return lowered, [("file", path) for path in self._seen]

    def _lowered(self) -> Lowered:
        used = [stack for stack in STACKS if any(self._mentions(path, stack) for path in self.files)]
        if all(stack.aside for stack in used):
            return Lowered()
        project = PythonProject(self.all, self.read, self.role, used)
        tables: dict[str, Table] = {}
        chief: Stack | None = None
        for stack in project.stacks:
            declared_here = stack.tables()
            tables |= {name: table for name, table in declared_here.items() if name not in tables}
            if chief is None and any(table.span is not None for table in declared_here.values()):
                chief = stack
        own = [stack for stack in project.stacks if not stack.aside]
        chief = chief or max(own, key=lambda s: sum(self._mentions(path, type(s)) for path in self.files))
        schema = Schema(ROOT, chief.name, tables, facts=chief.facts, validated=True, span=None)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, DEEPEST))  # a walk through one function may ask for the results of several others
        try:
            done = self._functions(project)
        finally:
            sys.setrecursionlimit(limit)
        notes = [Note(NoteKind.PARSE, problem.message, path, problem.line) for path, problem in sorted(project.modules.unreadable.items())]
        notes += [Note(NoteKind.LIMIT, "a function is nested too deeply to be analysed", path) for path in sorted(self.too_deep)]
        notes += [note for stack in project.stacks for note in stack.notes()]
        functions = tuple(f for _, found in sorted(done.items()) for f in found)
        read = {f.path for f in functions} | {table.span.path for table in tables.values() if table.span is not None}
        analysed = tuple(sorted(read.union(*(stack.closely() for stack in project.stacks))))
        return Lowered(functions, {ROOT: schema}, tuple(notes), (ROOT,), analysed)

    def _mentions(self, path: str, stack: type[Stack]) -> bool:
        if self.role(path) is Role.TEST:
            return False
        source = self.read(path)
        return source is not None and any(word in source for word in stack.words)

    def _functions(self, project: PythonProject) -> dict[str, list[Function]]:
        """Every function once, and again while its callers have more to tell of its parameters."""
        places: dict[str, tuple[ModuleLowering, Found]] = {}
        for path in self.files:
            role = self.role(path)
            if role is Role.CODE:
                module = ModuleLowering(project, path, role, ROOT)
                places |= {module.key(found.name): (module, found) for found in module.functions()}
        done: dict[str, list[Function]] = {}
        known: dict[str, str] = {}
        wanted = list(places)
        for _ in range(MOST_WAVES):
            for key in wanted:
                known[key] = project.told(key)
                module, found = places[key]
                try:
                    done[key] = module.walk(found)
                except RecursionError:
                    self.too_deep.add(module.path)
            again = project.outdated()
            wanted = [key for key in places if key in again or project.told(key) != known[key]]
            if not wanted:
                break
        return done
