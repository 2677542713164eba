"""Dataclasses that are declared quickly and made quickly: a run declares hundreds of them, and makes tens of millions of values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import replace as replace
else:
    from dataclasses import MISSING, FrozenInstanceError, fields
    from dataclasses import dataclass as _declared
    from operator import attrgetter
    from reprlib import recursive_repr

    def dataclass(*, frozen=False, order=False, eq=True, slots=True):
        """What `dataclasses.dataclass` does for classes with slots; the code that makes a value is written when the first one is made.

        The constructor of a frozen dataclass sets each field by a call of `object.__setattr__`. Here it sets the fields of an object of a
        twin class with the same slots, by plain assignment, and hands it over to the frozen class: a third of the time.
        """
        assert slots

        def declare(cls):
            own = vars(cls)
            named = {name for name in ("__repr__", "__eq__", "__hash__") if name in own}
            made = _declared(init=False, repr=False, eq=False, slots=True)(cls)
            every = fields(made)
            _compared(made, tuple(f.name for f in every if f.compare), named, frozen, order, eq)
            if "__repr__" not in named:
                made.__repr__ = recursive_repr()(_shown(tuple(f.name for f in every if f.repr)))
            if frozen:
                _freeze(made, tuple(f.name for f in every))
                if made.__mro__ == (made, object):
                    _made_by_twin(made)
                    return made
            _initialized(made, frozen)
            return made

        return declare

    def replace(value, /, **changes):
        """What `dataclasses.replace` does for dataclasses of this room, in a third of the time."""
        cls = value.__class__
        known = _ORDERS.get(cls)
        if known is None:
            names = [f.name for f in fields(cls) if f.init]
            known = _ORDERS[cls] = ({name: place for place, name in enumerate(names)}, _key(names))
        places, key = known
        given = list(key(value))
        for name, new in changes.items():
            given[places[name]] = new
        return cls(*given)

    _ORDERS = {}

    def _compared(cls, names, named, frozen, order, eq):
        """Comparison by the fields, as by tuples of them."""
        if not eq:
            return
        key = _key(names)
        if "__eq__" not in named:
            cls.__eq__ = lambda self, other: key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented
        if "__hash__" not in named:
            cls.__hash__ = (lambda self: hash(key(self))) if frozen else None
        if order:
            cls.__lt__ = lambda self, other: key(self) < key(other) if other.__class__ is self.__class__ else NotImplemented
            cls.__le__ = lambda self, other: key(self) <= key(other) if other.__class__ is self.__class__ else NotImplemented
            cls.__gt__ = lambda self, other: key(self) > key(other) if other.__class__ is self.__class__ else NotImplemented
            cls.__ge__ = lambda self, other: key(self) >= key(other) if other.__class__ is self.__class__ else NotImplemented

    def _key(names):
        if len(names) > 1:
            return attrgetter(*names)
        if not names:
            return lambda self: ()
        only = attrgetter(names[0])
        return lambda self: (only(self),)

    def _shown(names):
        def shown(self):
            return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

        return shown

    def _freeze(cls, names):
        def assign(self, name, value):
            if type(self) is cls or name in names:
                raise FrozenInstanceError(f"cannot assign to field {name!r}")
            super(cls, self).__setattr__(name, value)

        def delete(self, name):
            if type(self) is cls or name in names:
                raise FrozenInstanceError(f"cannot delete field {name!r}")
            super(cls, self).__delattr__(name)

        cls.__setattr__ = assign
        cls.__delattr__ = delete
        cls.__reduce__ = lambda self: (type(self), tuple(getattr(self, f.name) for f in fields(self) if f.init))

    def _made_by_twin(cls):
        def first(_kind, *args, **kwargs):
            every = fields(cls)
            twin = type(cls.__name__, (), {"__slots__": tuple(f.name for f in every)})
            scope = {"_twin": twin, "_fresh": object.__new__}
            lines = [" self = _fresh(_twin)", *_settings(cls, scope, " self.{0} = {1}"), " self.__class__ = _kind"]
            if hasattr(cls, "__post_init__"):
                lines.append(" self.__post_init__()")
            cls.__new__ = _written(cls, "__new__", f"_kind, {_parameters(cls, scope)}", [*lines, " return self"], scope)
            return cls.__new__(_kind, *args, **kwargs)

        cls.__new__ = first

    def _initialized(cls, frozen):
        def first(self, *args, **kwargs):
            scope = {"_set": object.__setattr__}
            lines = _settings(cls, scope, " _set(self, {0!r}, {1})" if frozen else " self.{0} = {1}")
            if hasattr(cls, "__post_init__"):
                lines.append(" self.__post_init__()")
            cls.__init__ = _written(cls, "__init__", f"self, {_parameters(cls, scope)}", [*lines, " return"], scope)
            cls.__init__(self, *args, **kwargs)

        cls.__init__ = first
        if hasattr(cls.__base__, "__dataclass_fields__"):  # which may be made by its twin
            cls.__new__ = lambda kind, *args, **kwargs: object.__new__(kind)

    def _parameters(cls, scope):
        """The fields as parameters of a constructor; their defaults go into the scope."""
        given = []
        for f in fields(cls):
            if not f.init:
                continue
            if f.default_factory is not MISSING:
                scope[f"_make_{f.name}"] = f.default_factory
                scope["_missing"] = MISSING
                given.append(f"{f.name}=_missing")
            elif f.default is MISSING:
                given.append(f.name)
            else:
                scope[f"_default_{f.name}"] = f.default
                given.append(f"{f.name}=_default_{f.name}")
        return ", ".join(given)

    def _settings(cls, scope, form):
        """The lines that set the fields."""
        lines = []
        for f in fields(cls):
            value = f"_make_{f.name}() if {f.name} is _missing else {f.name}" if f.default_factory is not MISSING else f.name
            if not f.init:
                scope[f"_fixed_{f.name}"] = f.default
                value = f"_fixed_{f.name}"
            lines.append(form.format(f.name, value))
        return lines

    def _written(cls, name, parameters, lines, scope):
        exec("\n".join([f"def {name}({parameters}):", *lines]), scope)  # as `dataclass` itself does
        made = scope[name]
        made.__qualname__ = f"{cls.__qualname__}.{name}"
        return made
