"""Functions of the program that hand SQL on to a driver: which parameter is the text, and what they give back."""

from __future__ import annotations

from querylint.construction import dataclass
from querylint.frontends.flow.values import Closure
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.project import PythonProject
from querylint.frontends.python.stacks.dbapi.fetching import FETCHES, Fetch
from querylint.frontends.python.stacks.dbapi.vocabulary import BATCHES, CURSORS, FIRST_IS_CURSOR, QUIET, READS, SCRIPTS, TEXTS
from querylint.syntax import tree
from querylint.syntax.questions import last_name

KEEPING = frozenset(("strip", "format", "replace"))
MOST_DEEP = 4
MOST_NODES = 1_500


@dataclass(frozen=True, slots=True)
class Wrapper:
    """`text` is the parameter that takes the statement, counted with `self`; `fetch` how rows are taken from it; `many` for batches."""

    text: int
    fetch: Fetch
    many: bool = False


class Wrappers:
    """The wrappers of a project, each found when it is first called."""

    def __init__(self, project: PythonProject) -> None:
        self.project = project
        self._known: dict[int, Wrapper | None] = {}

    def of(self, closure: Closure, depth: int = 0) -> Wrapper | None:
        """What a function does with SQL that it is given; None where it is no wrapper."""
        key = id(closure.fn)
        if key not in self._known:
            self._known[key] = None
            self._known[key] = self._read(closure, depth)
        return self._known[key]

    def _read(self, closure: Closure, depth: int) -> Wrapper | None:
        fn = closure.fn
        named = self._by_name(closure)
        if named is not None:
            return named
        names = {p.pattern.id: n for n, p in enumerate(fn.params) if isinstance(p.pattern, tree.NamePattern)}
        found: Wrapper | None = None
        fetches: list[Fetch] = []
        for number, node in enumerate(tree.walk(fn.body)):
            if number > MOST_NODES:
                return None
            if not isinstance(node, tree.Call):
                continue
            name = last_name(node.func)
            if name in FETCHES and not node.keywords and isinstance(node.func, tree.Member):
                fetches.append(FETCHES[name])
            if found is None:
                found = self._handing(closure, node, name, names, depth)
        if found is None:
            return None
        if found.fetch is Fetch.ELSEWHERE and fetches:
            fetch = Fetch.ROWS if Fetch.ROWS in fetches else fetches[0]
            return Wrapper(found.text, fetch, found.many)
        return found

    def _by_name(self, closure: Closure) -> Wrapper | None:
        """A method of the program that bears the name and takes the arguments of a cursor's own: an object that stands for a cursor."""
        owner, _, name = closure.name.rpartition(".")
        first = closure.fn.params[1].pattern if owner and len(closure.fn.params) > 1 else None
        if not isinstance(first, tree.NamePattern) or first.id not in TEXTS:
            return None
        if name in BATCHES:
            return Wrapper(1, Fetch.NOTHING, True)
        return Wrapper(1, Fetch.ELSEWHERE) if name in ("execute", "executescript") else None

    def _handing(self, closure: Closure, node: tree.Call, name: str, names: dict[str, int], depth: int) -> Wrapper | None:
        """What a call hands on of the parameters."""
        position = 1 if name in FIRST_IS_CURSOR else 0
        for given in (node.args[position : position + 1], [v for k, v in node.keywords if k in TEXTS][:1]):
            text = _parameter(given[0], names) if given else None
            if text is None:
                continue
            if name in CURSORS or name in SCRIPTS:
                return Wrapper(text, Fetch.ELSEWHERE)
            if name in BATCHES:
                return Wrapper(text, Fetch.NOTHING, True)
            inner = self._inner(closure, node, depth)
            if inner is not None:
                return Wrapper(text, inner.fetch, inner.many)
            if name in READS and isinstance(node.func, tree.Member) and name not in QUIET:
                return Wrapper(text, READS[name])
        return None

    def _inner(self, closure: Closure, node: tree.Call, depth: int) -> Wrapper | None:
        """A function of the same class or module that is a wrapper itself, asked for the same text."""
        if depth >= MOST_DEEP:
            return None
        func = node.func
        owner = self._owner(closure)
        if isinstance(func, tree.Member) and isinstance(func.base, tree.Name) and func.base.id in ("self", "cls") and owner is not None:
            method = owner.method(func.name)
            if method is not None:
                return self.of(Closure(method[1], None, method[0].path, f"{method[0].name}.{method[1].name}"), depth + 1)
        if isinstance(func, tree.Name):
            found = self.project.modules.definition(closure.path, func.id)
            if found is not None and isinstance(found.node, tree.FnDef):
                return self.of(Closure(found.node.fn, None, found.path, found.name), depth + 1)
        return None

    def _owner(self, closure: Closure) -> ClassInfo | None:
        name = closure.name.rpartition(".")[0]
        return self.project.classes.get(closure.path, name) if name else None


def _parameter(node: tree.Expr, names: dict[str, int]) -> int | None:
    """The parameter that an expression passes on as it is, perhaps through a method or a function that leaves a text a text."""
    while True:
        if isinstance(node, tree.Name):
            return names.get(node.id)
        if isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name in KEEPING:
            node = node.func.base
        elif isinstance(node, tree.Call) and len(node.args) == 1:
            node = node.args[0]
        else:
            return None
