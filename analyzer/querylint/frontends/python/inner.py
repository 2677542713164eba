"""Functions and classes inside of functions: the routes of a factory, what a decorator puts around a function, classes made there.

Who calls such a function is asked first: where the function around it does, or another one beside it, the call was walked in place. What is
left stands by itself: a framework calls it, or whoever is handed it. It sees the variables around it as they are once the function
around it has run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from querylint.construction import replace
from querylint.frontends.flow.scope import Var
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import OUTSIDE, Closure, Many, Query, Record, Val
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.context import Local, Place
from querylint.frontends.python.portable import portable
from querylint.ir import NOT_LITERAL
from querylint.syntax import tree

APART = "'"
"""What a name ends with where others of the same name came first; no name of a program has it."""


class Inner:
    """What was met inside of one function and has not been walked yet."""

    def __init__(self, place: Place, registered: Callable[[ClassInfo | None, tree.Fn, tuple[tree.Fn, ...]], bool]) -> None:
        self.place = place
        self._registered = registered
        self._met: dict[int, Local] = {}
        self._called: set[int] = set()
        self._said = Counter[str]()  # the names that the functions left say, by how many of them do
        self._words: dict[int, frozenset[str]] = {}
        self._entries: dict[int, bool] = {}

    def note(self, state: State, name: str, around: tuple[tree.Fn, ...]) -> None:
        """Note what a walk has met: functions and classes inside of the function of that name, `around` being it and those around it."""
        self._called |= state.run_in_place
        if not state.declared:
            return
        store = outer(self.place, state)
        for node, scope in state.declared.values():
            if isinstance(node, tree.FnDef):
                fn = node.fn
                self._meet(f"{name}.{fn.name}", fn, Closure(fn, scope, state.path, label=fn.name), store, around, None)
            else:
                for known, one in _with_inner(f"{self.place.name}.{node.name}", node):
                    info = self.place.project.classes.get(state.path, known)
                    if info is not None and info.node is one:
                        for fn in reversed(one.methods):
                            self._meet(f"{known}.{fn.name}", fn, Closure(fn, scope, state.path), store, around, info)

    def _meet(
        self, name: str, fn: tree.Fn, closure: Closure, store: dict[Var, Val], around: tuple[tree.Fn, ...], owner: ClassInfo | None
    ) -> None:
        if fn.at not in self.place.named and id(fn) not in self._met:
            self._met[id(fn)] = Local(name, fn, closure, store, around, owner)
            self._words[id(fn)] = frozenset(word.id for word in tree.find(fn.body, tree.Name))
            self._said.update(self._words[id(fn)])

    def _drop(self, fn: tree.Fn) -> None:
        del self._met[id(fn)]
        self._said.subtract(self._words[id(fn)])

    def next(self) -> Local | None:
        """A function to be walked now, those first that nobody names: they may be the ones that call the others."""
        for local in [local for local in self._met.values() if local.fn.at in self.place.named]:
            self._drop(local.fn)
        loose = [one for one in self._met.values() if one.owner is not None or self._entered(one) or id(one.fn) not in self._called]
        if not loose:
            return None
        chosen = min(loose, key=lambda one: (one.owner is None and not self._entered(one) and self._named(one), one.fn.at))
        self._drop(chosen.fn)
        name = chosen.name
        while name in self.place.named.values():
            name += APART  # several functions of one name, such as one in each arm of an `if`
        self.place.named[chosen.fn.at] = name
        return replace(chosen, name=name)

    def _entered(self, local: Local) -> bool:
        key = id(local.fn)
        if key not in self._entries:
            self._entries[key] = bool(local.fn.decorators) and self._registered(local.owner, local.fn, local.around)
        return self._entries[key]

    def _named(self, local: Local) -> bool:
        """Whether another function that is left says its name."""
        return self._said[local.fn.name] > (local.fn.name in self._words[id(local.fn)])


def _with_inner(name: str, node: tree.ClassDef) -> Iterator[tuple[str, tree.ClassDef]]:
    """A class and those inside of it, each with its name in the whole module."""
    yield name, node
    for inner in node.inner:
        yield from _with_inner(f"{name}.{inner.name}", inner)


def outer(place: Place, state: State) -> dict[Var, Val]:
    """The variables of a function that ran earlier: their origins and steps are not those of a function that looks at them."""
    return {var: _outer(place, state, value) for var, value in state.store.items()}


def _outer(place: Place, state: State, value: Val) -> Val:
    shape = value.shape
    if isinstance(shape, Closure) and not shape.name:
        return Val(shape=shape)
    known = state.results.get(id(shape)) if isinstance(shape, Query) else None
    if known is not None and isinstance(shape, Query):
        value = replace(value, shape=replace(shape, ran=known[1]))
    return apart(place.project.located(state, portable(value)))


def apart(value: Val) -> Val:
    """A value without the parameters that it was taken from, which are those of another function.

    Of constants only texts stay: a flag or a number may be counted up or turned by whoever shares the variable.
    """
    shape = value.shape
    if isinstance(shape, Many):
        items = tuple(apart(item) for item in shape.items) if shape.items is not None else None
        shape = replace(shape, item=apart(shape.item), items=items)
    elif isinstance(shape, Record):
        shape = Record({name: apart(part) for name, part in shape.fields.items()}, tuple(apart(part) for part in shape.rest))
    elif isinstance(shape, Query):
        shape = replace(shape, base=None, follows=None, born=OUTSIDE, ran=apart(shape.ran) if shape.ran is not None else None)
    constant = value.literal if isinstance(value.literal, str) else NOT_LITERAL
    return Val(literal=constant, shape=shape, id_of=value.id_of, doc_of=value.doc_of, type=value.type)
