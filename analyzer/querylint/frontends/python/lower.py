"""One module of a Python project lowered: every function and method in it, in the shared language."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.construction import dataclass, replace
from querylint.frontends.flow.machine import Machine
from querylint.frontends.flow.scope import Scope
from querylint.frontends.flow.statements import bind_params
from querylint.frontends.flow.values import Val, lowered
from querylint.frontends.python.classes import ClassInfo, sets
from querylint.frontends.python.context import Local, Place
from querylint.frontends.python.inner import APART, Inner
from querylint.frontends.python.jobs import is_job
from querylint.frontends.python.project import PythonProject, returned
from querylint.frontends.python.transactions import opens_any, transactions
from querylint.ir import Escape, Function, Kind, Role
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import last_name, names_of

DATABASES = frozenset(("self", "cls", "session", "db", "conn", "connection", "cursor", "engine", "app"))
EARLY = Pattern(r"^_?(seed|migrate)_\w+$")
"""What is run once, before anybody asks: a function by its name, which need not be told anything but the database to work on."""
CACHING = Pattern(r"^(?:cache_(?:page|response|view)|cached_(?:response|view)|response_cache)$")


@dataclass(frozen=True, slots=True)
class Found:
    """A function of a module before it is walked; `around` are the functions that it stands in."""

    name: str
    fn: tree.Fn
    owner: ClassInfo | None = None
    around: tuple[tree.Fn, ...] = ()


class ModuleLowering:
    """Lowers the functions of one module."""

    def __init__(self, project: PythonProject, path: str, role: Role, root: str) -> None:
        self.project = project
        self.path = path
        self.role = role
        self.root = root
        self.lines = project.modules.lines(path)
        self._transacts = opens_any(project.modules.source(path) or b"")

    def functions(self) -> Iterator[Found]:
        """Every function and method that stands by itself.

        Of several that share a name, as in the arms of a condition, the last has it, as calls find it; the others are marked apart.
        """
        module = self.project.modules.module(self.path)
        seen: set[str] = set()
        groups: list[list[Found]] = []
        for statement in reversed(module.body if module is not None else []):
            if isinstance(statement, tree.FnDef):
                found = [Found(statement.fn.name, statement.fn)]
            elif isinstance(statement, tree.ClassDef):
                found = list(self._methods(statement, statement.name))
            else:
                continue
            groups.append([])
            for one in found:
                name = one.name
                while name in seen:
                    name += APART
                seen.add(name)
                if not any(last_name(decorator) == "overload" for decorator in one.fn.decorators):
                    groups[-1].append(replace(one, name=name))
        for group in reversed(groups):
            yield from group

    def _methods(self, node: tree.ClassDef, name: str) -> Iterator[Found]:
        owner = self.project.classes.get(self.path, name)
        methods = node.methods[::-1]
        for fn in (*(fn for fn in methods if not sets(fn)), *(fn for fn in methods if sets(fn))):
            yield Found(f"{name}.{fn.name}", fn, owner)
        for stack in self.project.stacks:
            answer = stack.answers(owner) if owner is not None else None
            if answer is not None:
                yield Found(f"{name}.{answer.name}", answer, owner)
        for inner in node.inner:
            yield from self._methods(inner, f"{name}.{inner.name}")

    def key(self, name: str) -> str:
        """The name of a function in the whole program."""
        return f"{self.path}::{name}"

    def parameters(self, found: Found) -> list[Val]:
        """What is known of the parameters of a function by now."""
        return self.project.parameters(None, found.owner, found.fn, self.key(found.name))

    def walk(self, found: Found, params: list[Val]) -> list[Function]:
        """Lower one function, its parameters being these, and those inside it that are not walked in place where they are called."""
        self.project.beliefs.walking = self.key(found.name)
        self.project.beliefs.leaned.clear()
        place = Place(self.path, self.project, found.owner, found.name)
        machine = self.project.machine(place)
        made = [self._walk(machine, found, params)]
        inner = Inner(place, self._registered)
        inner.note(machine, found.name, (found.fn,))
        while (local := place.locals.pop() if place.locals else inner.next()) is not None:
            made.append(self._local(place, local, inner, made[0]))
        return made

    def _registered(self, owner: ClassInfo | None, fn: tree.Fn, around: tuple[tree.Fn, ...]) -> bool:
        """Whether a decorator has a function answer requests, or a terminal or a schedule start it."""
        kinds = (stack.kind(owner, fn) for stack in self.project.stacks)
        return any(kind is not None for kind in kinds) or is_job(self.project.modules, self.path, owner, fn, around)

    def _local(self, place: Place, local: Local, inner: Inner, outer: Function) -> Function:
        machine = self.project.machine(place)
        if local.closure.scope is not None:
            machine.scope = local.closure.scope
        machine.store = dict(local.store)
        found = Found(local.name, local.fn, local.owner, local.around)
        made = self._walk(machine, found, self.parameters(found))
        inner.note(machine, local.name, (*local.around, local.fn))
        loose = made.kind is Kind.PLAIN and not local.fn.decorators
        kind = Kind.JOB if outer.kind is Kind.JOB and loose else made.kind  # nobody waits for what it hands on either
        return replace(made, kind=kind, role=outer.role)

    def _walk(self, machine: Machine, found: Found, params: list[Val]) -> Function:
        fn = found.fn
        machine.calling.append(fn)
        machine.scope = Scope(machine.scope)
        bind_params(machine, fn, tuple(params))
        machine.entered = dict(machine.store)
        machine.run_flat(fn.body)
        machine.dead = False
        value = returned(machine, fn)
        for stack in self.project.stacks:
            stack.returning(machine, found.owner, fn, value)
        value = machine.unbuilt(value)
        machine.leak(value, Escape.RETURNED, fn.at, fn.end)
        kind = next((k for stack in self.project.stacks if (k := stack.kind(found.owner, fn)) is not None), None)
        if kind is None:
            key = self.key(found.name)
            alone = key in self.project.scheduled() or key in self.project.unnamed()
            alone = alone or is_job(self.project.modules, self.path, found.owner, fn, found.around)
            kind = Kind.JOB if alone else Kind.PLAIN
        role = Role.TEST if self.key(found.name) in self.project.tried() else self.role
        if role is Role.CODE and kind is Kind.PLAIN and found.owner is None and (early := EARLY.match(fn.name)) and _for_all(fn):
            role = Role.SEED if early[1] == "seed" else Role.MIGRATION
        name = found.name.replace(APART, "")
        return Function(
            self.key(found.name), name, self.path, kind, tuple(_name_of(p) for p in fn.params), tuple(machine.block), lowered(value),
            self.lines.span(fn.at, fn.end), kind is Kind.HTTP, None, self.root, role, tuple(machine.touched),
            tuple(machine.outflows.values()), None, tuple(machine.built), any(_caches(d) for d in fn.decorators),
            ahead=tuple(one for stack in self.project.stacks for one in stack.loaded(machine)),
            transactions=tuple(self.lines.span(*part) for part in transactions(fn)) if self._transacts else (),
        )  # fmt: skip


def _for_all(fn: tree.Fn) -> bool:
    """Whether a function is told nothing but which database to work on."""
    return all(_name_of(param) in DATABASES or param.default is not None for param in fn.params)


def _caches(decorator: tree.Expr) -> bool:
    """`@cache_page(60)`, `@method_decorator(cache_page(60))`, `@cache_response(60)`."""
    return any(CACHING.match(name) for name in names_of(decorator))


def _name_of(param: tree.Param) -> str:
    return param.pattern.id if isinstance(param.pattern, tree.NamePattern) else ""
