"""What Python code adds to the words of templates: registered tags, filters and functions, the request, and methods called by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.expressions import member
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, Record, Val, literal
from querylint.frontends.python.beliefs import Entry
from querylint.frontends.python.stacks.templates.flags import Flags
from querylint.frontends.python.stacks.templates.registered import Registered, Registry
from querylint.frontends.templates.folders import Templates
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.vocabulary import PythonVocabulary
    from querylint.frontends.templates.vocabulary import TemplateVocabulary

TAGS = frozenset(("tag", "inclusion"))
FILTERS = frozenset(("filter",))
FUNCTIONS = frozenset(("function",))


class PythonWords:
    """The words of one rendering."""

    def __init__(self, inner: PythonVocabulary, templates: Templates, registry: Registry, flags: Flags, request: Val) -> None:
        self.inner = inner
        self.templates = templates
        self.registry = registry
        self.flags = flags
        self.request = request

    def leaned(self) -> int:
        """How often the walk has leaned on what objects hold so far."""
        return len(self.inner.project.beliefs.leaned)

    def since(self, count: int) -> tuple[Entry, ...]:
        """What the walk has leaned on since it had done so that often."""
        return tuple(dict.fromkeys(self.inner.project.beliefs.leaned[count:]))

    def lean(self, keys: tuple[Entry, ...]) -> None:
        """The walk leans on what others have leaned on before."""
        for key in keys:
            self.inner.project.beliefs.lean(key)

    def given(self, state: State, name: str) -> Val | None:
        """The request and its user; functions that every template may call."""
        if name == "request":
            return self.request
        if name == "user" and self.request.interesting:
            at = tree.Opaque([], 0, 0)
            return member(state, self.request, tree.Member(at, "user", 0, 0, 0))
        found = self.registry.find(name, FUNCTIONS, [])
        return Val(shape=_closure(found, None)) if found is not None else None

    def left_out(self, name: str) -> Val | None:
        """A flag that other views give to their templates."""
        return literal(False) if self.flags.given(name) else None

    def called(self, state: State, base: Val, node: tree.Call) -> Val | None:
        """A method of a row, a manager or a query that a Django template names."""
        assert isinstance(node.func, tree.Member)
        return self.inner.named_call(state, base, node)

    def tagged(self, name: str) -> bool:
        """Whether the project registers a tag of that name."""
        return self.registry.find(name, TAGS, []) is not None

    def tag(self, state: State, page: TemplateVocabulary, name: str, node: tree.Call) -> Val | None:
        """A tag of the project: its function is called, and what an inclusion tag renders is included."""
        found = self.registry.find(name, TAGS, page.page.libraries)
        if found is None:
            return None
        result = self._call(state, page, found, node)
        if found.template:
            path = self.templates.find(found.template, found.path)
            if path is not None:
                fields = result.shape.fields if isinstance(result.shape, Record) else {}
                page.include(state, path, fields, only=True)
        return result

    def filter(self, state: State, page: TemplateVocabulary, name: str, node: tree.Call) -> Val | None:
        """A filter of the project."""
        found = self.registry.find(name, FILTERS, page.page.libraries)
        if found is None:
            return None
        if found.text and node.args:
            first = node.args[0]
            node = replace(node, args=[tree.Template([first], first.at, first.end), *node.args[1:]])
        return self._call(state, page, found, node)

    def _call(self, state: State, page: TemplateVocabulary, found: Registered, node: tree.Call) -> Val:
        closure = _closure(found, page.whole() if found.context else None)
        return self.inner.call(state, node, Val(shape=closure), None) or NOTHING


def _closure(found: Registered, first: Val | None) -> Closure:
    return Closure(found.fn, None, found.path, found.fn.name, this=first)
