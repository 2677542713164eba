"""What querysets of a project put into their rows besides the columns: a test for it finds it, and what stands in for it is a fallback."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import EVERYTHING, THERE, ClassRef, Closure, Marker, Val, derived, literal
from querylint.frontends.python.stacks.django import words
from querylint.ir import Eager, Loading
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, last_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.classes import Classes
    from querylint.frontends.python.modules import PythonModules
    from querylint.frontends.python.stacks.django.model import Model
    from querylint.frontends.python.stacks.django.models import Models

WORDS = (b"annotate(", b"extra(", b"to_attr")
KEPT = ("_prefetched_objects_cache", "fields_cache")
"""Where a row keeps the relations that were loaded for it, the latter in its `_state`."""


def kept(base: Val, node: tree.Member) -> Val | None:
    """`self._prefetched_objects_cache`: who looks there has two ways, and the one for rows that lists have loaded is told of lists.

    What is taken out of it is the relation of that name.
    """
    inside = node.name == KEPT[0] or (node.name == KEPT[1] and last_name(node.base) == "_state")
    return Val(deps=base.deps, shape=Marker(EVERYTHING, inner=base)) if inside else None


def stood_in_for(model: Model | None, names: Iterable[str]) -> Iterator[Eager]:
    """The values that the query itself brings in the place of what a property would work out, which is asked no more.

    `annotate` sets an attribute of the row, which comes before a `cached_property` of the class, and which a property with a setter keeps;
    a plain property takes none.
    """
    if model is None or model.info is None:
        return
    for name in names:
        found = model.info.method(name)
        if found is not None and (any(last_name(d) == "cached_property" for d in found[1].decorators) or model.info.settable(name)):
            yield Eager((name,), Loading.BATCHED)


def _has(model: Model, name: str) -> bool:
    """Whether rows of a model have a column, a relation or a property of a name, without any query's doing."""
    own = name in model.links or any(f.name == name for f in model.fields)
    return own or (model.info is not None and model.info.method(name) is not None)


def _tells(fn: tree.Fn) -> bool:
    """Whether a function looks where rows keep their relations, and answers yes or no."""
    nodes = list(tree.walk(fn.body))
    looks = any((isinstance(n, tree.Member) and n.name in KEPT) or (isinstance(n, tree.Literal) and n.value in KEPT) for n in nodes)
    answers = [n.value for n in nodes if isinstance(n, tree.Return)]
    return looks and all(
        isinstance(a, tree.Logic | tree.Op) or (isinstance(a, tree.Literal) and isinstance(a.value, bool)) for a in answers
    )


class Annotated:
    """The names that `annotate` and the like give, read when one is first asked for."""

    def __init__(self, modules: PythonModules, classes: Classes) -> None:
        self._modules = modules
        self._classes = classes
        self._names: frozenset[str] | None = None
        self._looking: dict[tuple[str, str], bool] = {}

    def looked_up(self, state: State, node: tree.Call, closure: Closure) -> Val | None:
        """`is_prefetched(row, "tags")`: a function of the project that says whether a row keeps a relation, and does nothing else."""
        key = (closure.path, closure.name)
        if key not in self._looking:
            source = self._modules.source(closure.path) or b""
            self._looking[key] = bool(closure.name) and any(name.encode() in source for name in KEPT) and _tells(closure.fn)
        if not self._looking[key]:
            return None
        return replace(derived(*(state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords)))), literal=True)

    def brought_along(self, state: State, node: tree.Call, models: Models) -> Val | None:
        """`hasattr(row, "number")`, where some queryset brings the number along: its rows are those that are read by the many.

        `getattr(row, "number", None)` gives it then.
        """
        name = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], tree.Literal) else None
        word = {2: "hasattr", 3: "getattr"}.get(len(node.args))
        if name is None or node.keywords or callee_name(node) != word:
            return None
        if word == "hasattr" and name in KEPT:
            return literal(True)
        if name not in self._known():
            return None
        with state.recording():
            row = state.evaluate(node.args[0])
        if not self._is_row(row, name, models):
            return None
        if word == "hasattr":
            return literal(True)
        with state.recording() as block:
            other = state.evaluate(node.args[2])
        if other.interesting:
            return None  # rows, as what is there then
        for step in block:
            state.emit(step)  # what stands in for it is worked out all the same
        return replace(derived(row, other), shape=Marker(THERE))

    def _is_row(self, value: Val, name: object, models: Models) -> bool:
        """Whether a value is a row that has nothing of a name by itself, or an object of what models are made of."""
        if value.doc_of is not None or not isinstance(value.shape, ClassRef) or not value.shape.instance:
            model = models.by_table.get(value.doc_of or "")
            return value.doc_of is not None and not (model is not None and _has(model, str(name)))
        info = self._classes.get(value.shape.path, value.shape.name)
        return info is not None and any(name in words.MODEL_BASES for name in info.ancestry())

    def _known(self) -> frozenset[str]:
        if self._names is None:
            self._names = frozenset(self._read())
        return self._names

    def _read(self) -> set[str]:
        found: set[str] = set()
        for path in sorted(self._modules.files):
            source = self._modules.source(path)
            if source is None or not any(word in source for word in WORDS):
                continue
            module = self._modules.module(path)
            for node in tree.walk(module.body if module is not None else []):
                if isinstance(node, tree.Call) and callee_name(node) == "Prefetch":
                    found.update(text_of(value) for name, value in node.keywords if name == "to_attr")
                elif isinstance(node, tree.Call) and callee_name(node) in ("annotate", "extra"):
                    found.update(name for name, _ in node.keywords)
                    given = (value for _, value in node.keywords if isinstance(value, tree.Record))
                    found.update(key for record in given for key, _ in record.entries if isinstance(key, str))
        return found
