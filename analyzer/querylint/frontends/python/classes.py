"""The classes of a Python project: bases over files, methods and fields by their order of resolution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from querylint.construction import dataclass
from querylint.frontends.flow.values import ClassRef
from querylint.frontends.python.modules import PythonModules
from querylint.syntax import tree


@dataclass(eq=False, slots=True)
class ClassInfo:
    """One class. `bases` are those of the project, `outside` the dotted names of the others; `name` has dots for inner classes."""

    path: str
    name: str
    node: tree.ClassDef
    bases: list[ClassInfo] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    _mro: list[ClassInfo] | None = None
    _assigned: dict[str, list[tree.Fn]] | None = None
    _extended: frozenset[str] | None = None
    subclasses: list[ClassInfo] = field(default_factory=list)

    def mro(self) -> list[ClassInfo]:
        """The class, then those that it takes from, nearest first."""
        if self._mro is None:
            self._mro = [self]
            found: dict[int, ClassInfo] = {id(self): self}
            for base in self.bases:
                for inner in base.mro():
                    found.pop(id(inner), None)  # a base that several share comes after all that share it
                    found[id(inner)] = inner
            self._mro = list(found.values())
        return self._mro

    def ancestry(self) -> Iterator[str]:
        """The dotted names of all bases outside the project."""
        for info in self.mro():
            yield from info.outside

    def method(self, name: str, *, after: ClassInfo | None = None) -> tuple[ClassInfo, tree.Fn] | None:
        """The method of that name and the class that declares it; with `after`, the one that `super()` in that class reaches."""
        order = self.mro()
        if after is not None:
            order = order[order.index(after) + 1 :] if after in order else after.mro()[1:]
        for info in order:
            for fn in reversed(info.node.methods):
                if fn.name == name and not sets(fn):
                    return info, fn
        return None

    def field(self, name: str) -> tuple[ClassInfo, str, tree.Expr | None] | None:
        """The class-level field of that name: who declares it, its type as text, its value."""
        for info in self.mro():
            for key, type_text, value in reversed(info.node.fields):
                if key == name:
                    return info, type_text, value
        return None

    def inner(self, name: str) -> tuple[ClassInfo, tree.ClassDef] | None:
        """The inner class of that name and the class that declares it."""
        for info in self.mro():
            for node in info.node.inner:
                if node.name == name:
                    return info, node
        return None

    def assigned(self, name: str) -> list[tuple[ClassInfo, tree.Fn]]:
        """The methods that set an attribute of that name on `self`."""
        return [(info, fn) for info in self.mro() for fn in info._assigning().get(name, ())]

    def stored(self, fn: tree.Fn) -> list[tuple[str, int]]:
        """The attributes to which a method of the class gives its parameters as they are, each with the number of the parameter."""
        numbers = {p.pattern.id: n for n, p in enumerate(fn.params) if isinstance(p.pattern, tree.NamePattern)}
        return [
            (node.target.name, numbers[node.value.id])
            for node in tree.find(fn.body, tree.Assign)
            if isinstance(node.target, tree.Member)
            and isinstance(node.target.base, tree.Name)
            and numbers.get(node.target.base.id) == 0
            and isinstance(node.value, tree.Name)
            and node.value.id in numbers
        ]

    def settable(self, name: str) -> bool:
        """Whether a property of that name has a setter."""
        found = (fn for info in self.mro() for fn in info.node.methods if fn.name == name)
        return any(isinstance(d, tree.Member) and d.name == "setter" for fn in found for d in fn.decorators)

    def extended(self, name: str) -> bool:
        """Whether a method puts more into the list that an attribute of that name is: `self.name += [...]`, `self.name.extend(...)`."""
        return any(name in info._extending() for info in self.mro())

    def _extending(self) -> frozenset[str]:
        if self._extended is None:
            nodes = (node for fn in self.node.methods for node in tree.walk(fn.body))
            self._extended = frozenset(name for node in nodes if (name := _put_into(node)))
        return self._extended

    def _assigning(self) -> dict[str, list[tree.Fn]]:
        if self._assigned is None:
            self._assigned = {}
            for fn in sorted(self.node.methods, key=lambda f: f.name != "__init__"):
                me = fn.params[0].pattern.id if fn.params and isinstance(fn.params[0].pattern, tree.NamePattern) else None
                for node in tree.walk(fn.body):
                    name = _set_on(node, me)
                    if name and fn not in self._assigned.setdefault(name, []):
                        self._assigned[name].append(fn)
        return self._assigned


def _set_on(node: object, me: str | None) -> str:
    """The attribute of `me` that an assignment sets; empty for anything else."""
    if isinstance(node, tree.Assign) and isinstance(node.target, tree.Member) and isinstance(node.target.base, tree.Name):
        return node.target.name if node.target.base.id == me else ""
    return ""


GIVEN_BASES = frozenset(("cls", "model_class"))
"""Keywords by which a function that makes a class is told what this takes after."""
BESIDE = frozenset(("setter", "deleter", "expression", "update_expression", "comparator"))


def sets(fn: tree.Fn) -> bool:
    """Whether a method is what sets or deletes a property, or says it in SQL, beside the one of the same name that gives it."""
    return any(isinstance(d, tree.Member) and d.name in BESIDE for d in fn.decorators)


def _inside(node: object, name: str) -> tree.ClassDef | tree.Fn | None:
    """What a class or a function holds by a name: an inner class, a method, a class of its body."""
    if isinstance(node, tree.ClassDef):
        inner: Iterator[tree.ClassDef | tree.Fn] = iter((*node.inner, *reversed(node.methods)))
    else:
        inner = reversed(tree.find(node.body, tree.ClassDef)) if isinstance(node, tree.Fn) else iter(())
    return next((one for one in inner if one.name == name), None)


def _put_into(node: object) -> str:
    """The attribute of `self` whose list gets more members; empty for anything else."""
    changed: object = None
    if isinstance(node, tree.Assign) and node.sign == "+=":
        changed = node.target
    elif isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name in ("extend", "append", "insert"):
        changed = node.func.base
    return changed.name if isinstance(changed, tree.Member) and isinstance(changed.base, tree.Name) and changed.base.id == "self" else ""


class Classes:
    """All classes of a project, found when asked for."""

    def __init__(self, modules: PythonModules) -> None:
        self.modules = modules
        self._known: dict[tuple[str, str], ClassInfo | None] = {}

    def of_module(self, path: str) -> list[ClassInfo]:
        """The classes at the top of a module."""
        module = self.modules.module(path)
        found = [self.get(path, s.name) for s in module.body if isinstance(s, tree.ClassDef)] if module is not None else []
        return [info for info in found if info is not None]

    def get(self, path: str, name: str) -> ClassInfo | None:
        """The class of that name, declared in that module."""
        key = (path, name)
        if key not in self._known:
            self._known[key] = None
            node = self._node(path, name)
            if node is not None:
                info = self._known[key] = ClassInfo(path, name, node)
                self._bases(info)
        return self._known[key]

    def combined(self, path: str, node: tree.Expr) -> ClassInfo | None:
        """The class that a call such as `Manager.from_queryset(Posts)` makes, as one that takes after all it is made of."""
        key = (path, f"<{node.at}>")
        if key not in self._known:
            self._known[key] = None  # `Posts = wrapped(Posts)` asks for itself
            made = ClassInfo(path, f"<{node.at}>", tree.ClassDef("", None, [], [], node.at, node.end))
            self._base(made, node)
            self._known[key] = made if made.bases or made.outside else None
        return self._known[key]

    def joined(self, first: ClassInfo, second: ClassInfo) -> ClassRef:
        """A class that has the methods of both."""
        name = f"{first.name}+{second.name}"
        if (first.path, name) not in self._known:
            self._known[first.path, name] = ClassInfo(first.path, name, tree.ClassDef(name, None, [], [], 0, 0), [first, second])
        return ClassRef(first.path, name)

    def _node(self, path: str, name: str) -> tree.ClassDef | None:
        head, *rest = name.split(".")
        found = self.modules.names(path).own.get(head)
        node: object = found.fn if isinstance(found, tree.FnDef) else found
        for part in rest:
            node = _inside(node, part)
        return node if isinstance(node, tree.ClassDef) else None

    def _bases(self, info: ClassInfo) -> None:
        node = info.node
        for expr in (*((node.base,) if node.base is not None else ()), *node.more):
            self._base(info, expr)

    def _base(self, info: ClassInfo, expr: tree.Expr) -> None:
        if isinstance(expr, tree.Call):
            # `Manager.from_queryset(Posts)`, `with_metaclass(Meta, Base)` and `declarative_base(cls=Base)` take after what they are given.
            if isinstance(expr.func, tree.Member):
                self._base(info, expr.func.base)
            for arg in (*expr.args, *(value for name, value in expr.keywords if name in GIVEN_BASES)):
                self._base(info, arg)
            called = self.modules.reference(info.path, expr.func)
            if called is not None and called.external:
                info.outside.append(f"{called.external}()")  # a class that outside code hands out, such as `get_user_model()`
            return
        beside = self._sibling(info, expr.id) if isinstance(expr, tree.Name) and "." in info.name else None
        found = self.modules.reference(info.path, expr) if beside is None else None
        if beside is not None:
            info.bases.append(beside)
        elif found is None:
            return
        elif found.external:
            info.outside.append(found.external)
        elif isinstance(found.node, tree.ClassDef):
            base = self.get(found.path, found.name)
            if base is not None and base is not info and info not in base.mro():
                info.bases.append(base)
                base.subclasses.append(info)
        elif isinstance(node := found.node.value if isinstance(found.node, tree.Typed) else found.node, tree.Call):
            # `PostManager = Manager.from_queryset(Posts)` at the top of a module.
            made = self.combined(found.path, node)
            if made is not None:
                info.bases.append(made)

    def _sibling(self, info: ClassInfo, name: str) -> ClassInfo | None:
        """The class of that name in the same class or function, which hides one at the top of the module."""
        base = self.get(info.path, f"{info.name.rpartition('.')[0]}.{name}")
        return base if base is not info else None
