"""The Python front end: which stacks a project uses, which files matter, and what they say together."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping

from querylint.cache.digest import digest
from querylint.construction import replace
from querylint.errors import TOO_DEEP, left_out
from querylint.frontends.flow.values import Val
from querylint.frontends.kept import KeptParts, Look, Question
from querylint.frontends.lowered import Lowered, LoweredFile
from querylint.frontends.python.lower import Found, ModuleLowering
from querylint.frontends.python.project import PythonProject
from querylint.frontends.python.stack import Stack
from querylint.frontends.python.stacks import STACKS
from querylint.ir import Access, Dialect, Function, Role, Schema, Table
from querylint.pattern import Pattern
from querylint.result import Note, NoteKind
from querylint.syntax import tree
from querylint.syntax.python import lower_module

ROOT = "."
REVISION = Pattern(rb"^down_revision\b", re.MULTILINE)
INVENTORS = (b"faker", b"mimesis", b"model_bakery", b"factory.")
INVENTING = Pattern(rb"^(?:from|import) +(?:faker|mimesis|model_bakery)\b|\bfactory\.(?:Faker|Sequence|SubFactory|django\.)", re.MULTILINE)
TRYING = Pattern(rb"^(?:from|import) +(?:unittest|django\.test|rest_framework\.test|testtools)\b", re.MULTILINE)
CASES = Pattern(rb"^[ \t]*class \w+\([^)]*TestCase\b", re.MULTILINE)
PYTEST = Pattern(rb"^(?:from|import) +pytest\b", re.MULTILINE)
TRIED = Pattern(rb"^[ \t]*(?:async[ \t]+)?def[ \t]+test_\w+[ \t]*\(", re.MULTILINE)
MOST_WAVES = 5
DEEPEST = 20_000


def _by_names(source: bytes) -> Role | None:
    # The words are looked for first: a pattern takes far longer for a file in which there are none.
    if b"down_revision" in source and REVISION.search(source):
        return Role.MIGRATION
    if any(word in source for word in INVENTORS) and INVENTING.search(source):
        return Role.SEED
    if b"pytest" in source and PYTEST.search(source) and TRIED.search(source):
        return Role.TEST
    return Role.TEST if b"TestCase" in source and TRYING.search(source) and CASES.search(source) else None


def _folders(path: str) -> list[str]:
    """The folders that a file lies in, the innermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def indexed(table: Table, other: Table) -> Table:
    """A table with the indexes besides that another declaration gives it: a script of SQL beside the classes that are mapped to it."""
    names = {field.name for field in table.fields or ()}
    known = {(index.fields, index.unique) for index in table.indexes}
    more = [i for i in other.indexes if names.issuperset(i.fields) and (i.fields, i.unique) not in known and table.index(i.name) is None]
    return replace(table, indexes=(*table.indexes, *more)) if more else table


def _own(module: tree.Module) -> tree.Module:
    """The module with classes of its own: what stacks add to these is of one look, and must not stay in a tree that is kept for others."""
    return replace(module, body=[_own_class(node) if isinstance(node, tree.ClassDef) else node for node in module.body])


def _own_class(node: tree.ClassDef) -> tree.ClassDef:
    return replace(node, methods=[replace(fn) for fn in node.methods], inner=[_own_class(inner) for inner in node.inner])


class PythonFrontEnd:
    """Lowers the Python code of one project, for all the stacks that it uses."""

    def __init__(
        self,
        files: Collection[str],
        generated: Collection[str],
        read: Callable[[str], bytes | None],
        role: Callable[[str], Role],
        kept: KeptParts | None = None,
    ) -> None:
        self.files = sorted(f for f in files if f.endswith(".py"))
        self.all = files
        self._read = read
        self._seen: set[str] = set()
        self._kept = kept
        self._role = role
        self._roles: dict[str, Role] = {}
        self.too_deep: set[str] = set()
        self.mishaps: dict[str, Note] = {}

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
        look = Look(self._kept, "python", self._read, lambda _: None)
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
        kept = self._kept
        parse = lower_module if kept is None or kept.trees is None else lambda path, source: _own(kept.tree(path, source, lower_module))
        project = PythonProject(self.all, self.read, self.role, used, parse)
        tables: dict[str, Table] = {}
        home: dict[str, Stack] = {}
        twice: set[str] = set()
        chief: Stack | None = None
        for stack in project.stacks:
            declared_here = stack.tables()
            tables |= {
                name: indexed(tables[name], table) if name in tables else replace(table, stack=stack.name)
                for name, table in declared_here.items()
            }
            twice |= {name for name, table in declared_here.items() if name in home and table.span is not None}
            home = dict.fromkeys(declared_here, stack) | home
            if chief is None and any(table.span is not None for table in declared_here.values()):
                chief = stack
        own = [stack for stack in project.stacks if not stack.aside]
        chief = chief or max(own, key=lambda s: sum(self._mentions(path, type(s)) for path in self.files))
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, DEEPEST))  # a walk through one function may ask for the results of several others
        try:
            done = self._functions(project)
        finally:
            sys.setrecursionlimit(limit)
        notes = [Note(NoteKind.PARSE, problem.message, path, problem.line) for path, problem in sorted(project.modules.unreadable.items())]
        notes += [Note(NoteKind.LIMIT, TOO_DEEP, path) for path in sorted(self.too_deep)]
        notes += [note for _, note in sorted(self.mishaps.items())]
        notes += [note for stack in project.stacks for note in stack.notes()]
        functions = tuple(f for _, found in sorted(done.items()) for f in found)
        read = {f.path for f in functions} | {table.span.path for table in tables.values() if table.span is not None}
        tables |= {name: replace(tables[name], stack="") for name in twice}
        home = {name: stack for name, stack in home.items() if name not in twice}
        others = self._dialects(functions, home, own, chief) if len(own) > 1 else {}
        schema = Schema(ROOT, chief.name, tables, facts=chief.facts, validated=True, span=None, others=others)
        analysed = tuple(sorted(read.union(*(stack.closely() for stack in project.stacks))))
        by_file: dict[str, list[Function]] = {}
        for function in functions:
            by_file.setdefault(function.path, []).append(function)
        files = tuple(LoweredFile.of(path, tuple(found)) for path, found in by_file.items())
        return Lowered(files, {ROOT: schema}, tuple(notes), (ROOT,), analysed)

    def _dialects(self, functions: Collection[Function], home: Mapping[str, Stack], own: list[Stack], chief: Stack) -> dict[str, Dialect]:
        """The functions and files of other stacks than the chief one: by the tables that they access, else by what their file imports."""
        by_function: dict[str, Stack] = {}
        by_file: dict[str, Counter[Stack]] = {}
        for function in functions:
            named = (home.get(step.table or "") for step in function.steps() if isinstance(step, Access))
            counts = Counter(stack for stack in named if stack is not None)
            by_file.setdefault(function.path, Counter()).update(counts)
            if counts:
                by_function[function.key] = counts.most_common(1)[0][0]
        by_folder: dict[str, Counter[Stack]] = {}
        for path, counts in by_file.items():
            for folder in _folders(path):
                by_folder.setdefault(folder, Counter()).update(counts)
        files = {path: self._stack_of(path, counts, by_folder, own) or chief for path, counts in by_file.items()}
        homes = {function.key: function.path for function in functions}  # a key is no way to it: `::` may stand in the name of a folder
        apart = {key: stack for key, stack in by_function.items() if stack is not files[homes[key]]}
        foreign = {path: stack for path, stack in files.items() if stack is not chief}
        return {name: Dialect(stack.name, stack.facts) for name, stack in (*foreign.items(), *apart.items())}

    def _stack_of(self, path: str, counts: Counter[Stack], by_folder: Mapping[str, Counter[Stack]], own: list[Stack]) -> Stack | None:
        """The stack that most accesses of a file are of; without any, the one that it imports alone, or that is usual where it lies."""
        words = [stack for stack in own if self._mentions(path, type(stack))] if not counts else []
        if len(words) == 1:
            return words[0]
        usual = next((by_folder[folder] for folder in _folders(path) if by_folder[folder]), None)
        return (counts or usual or Counter[Stack]()).most_common(1)[0][0] if counts or usual else None

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
        given: dict[str, list[Val]] = {}
        wanted = list(places)
        for _ in range(MOST_WAVES):
            for key in wanted:
                module, found = places[key]
                known[key] = project.told(key)
                try:
                    given[key] = module.parameters(found)
                    done[key] = module.walk(found, given[key])
                except RecursionError:
                    self.too_deep.add(module.path)
                except MemoryError:
                    raise
                except Exception:  # a defect of ours that costs one function, not the report of all the others
                    self.mishaps[key] = Note(NoteKind.BUG, left_out(found.name), module.path)
            again = project.outdated()
            told = (key for key in places if project.told(key) != known[key])
            again |= {key for key in told if places[key][0].parameters(places[key][1]) != given.get(key)}
            wanted = [key for key in places if key in again]
            if not wanted:
                break
        return done
