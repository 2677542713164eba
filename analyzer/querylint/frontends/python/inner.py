"""Functions and classes inside of functions: the routes of a factory, what a decorator puts around a function, classes made there.

Who calls such a function is asked first: where the function around it does, or another one beside it, the call was walked in place. What is
left stands by itself: a framework calls it, or whoever is handed it. It sees the variables around it as they are once the function
around it has run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from querylint.construction import replace
from querylint.frontends.flow.scope import Var
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Closure, Many, Query, Record, Val
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.context import Local, Place
from querylint.frontends.python.portable import portable
from querylint.ir import NOT_LITERAL
from querylint.syntax import tree


class Inner:
    """What was met inside of one function and has not been walked yet."""

    def __init__(self, place: Place, registered: Callable[[ClassInfo | None, tree.Fn, tuple[tree.Fn, ...]], bool]) -> None:
        self.place = place
        self._registered = registered
        self._met: dict[int, Local] = {}
        self._called: set[int] = set()
        self._names: dict[int, frozenset[str]] = {}
        self._naming = Counter[str]()  # by how many of those that were met, and not walked yet, a name is used
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
                known = f"{self.place.name}.{node.name}"
                info = self.place.project.classes.get(state.path, known)
                if info is not None and info.node is node:
                    for fn in reversed(node.methods):
                        self._meet(f"{known}.{fn.name}", fn, Closure(fn, scope, state.path), store, around, info)

    def _meet(
        self, name: str, fn: tree.Fn, closure: Closure, store: dict[Var, Val], around: tuple[tree.Fn, ...], owner: ClassInfo | None
    ) -> None:
        if fn.at not in self.place.named and id(fn) not in self._met:
            local = self._met[id(fn)] = Local(name, fn, closure, store, around, owner)
            self._naming.update(self._words(local))

    def _done(self, local: Local) -> None:
        del self._met[id(local.fn)]
        self._naming.subtract(self._words(local))

    def next(self) -> Local | None:
        """A function to be walked now, those first that nobody names: they may be the ones that call the others."""
        for local in [one for one in self._met.values() if one.fn.at in self.place.named]:
            self._done(local)
        loose = [one for one in self._met.values() if one.owner is not None or self._entered(one) or id(one.fn) not in self._called]
        if not loose:
            return None
        chosen = min(loose, key=lambda one: (one.owner is None and not self._entered(one) and self._named(one), one.fn.at))
        self._done(chosen)
        name = chosen.name
        while name in self.place.named.values():
            name += "'"  # several functions of one name, such as one in each arm of an `if`
        self.place.named[chosen.fn.at] = name
        return replace(chosen, name=name)

    def _entered(self, local: Local) -> bool:
        key = id(local.fn)
        if key not in self._entries:
            self._entries[key] = bool(local.fn.decorators) and self._registered(local.owner, local.fn, local.around)
        return self._entries[key]

    def _named(self, local: Local) -> bool:
        """Whether another one names it."""
        return self._naming[local.fn.name] > (local.fn.name in self._words(local))

    def _words(self, local: Local) -> frozenset[str]:
        key = id(local.fn)
        if key not in self._names:
            self._names[key] = frozenset(name.id for name in tree.find(local.fn.body, tree.Name))
        return self._names[key]


def outer(place: Place, state: State) -> dict[Var, Val]:
    """The variables of a function that ran earlier: their origins and steps are not those of a function that looks at them."""
    return {var: _outer(place, state, value) for var, value in state.store.items()}


def _outer(place: Place, state: State, value: Val) -> Val:
    shape = value.shape
    if isinstance(shape, Closure) and not shape.name:
        return Val(shape=shape)
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
        shape = replace(shape, base=None, follows=None)
    constant = value.literal if isinstance(value.literal, str) else NOT_LITERAL
    return Val(literal=constant, shape=shape, id_of=value.id_of, doc_of=value.doc_of, type=value.type)
