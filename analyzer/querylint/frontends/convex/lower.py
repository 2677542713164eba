"""One module of a Convex project lowered: every function in it, registered or plain, in the shared language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from querylint.construction import dataclass, replace
from querylint.errors import TOO_DEEP, left_out
from querylint.frontends.convex import ent_queries, makers, purpose
from querylint.frontends.convex.annotations import typed
from querylint.frontends.convex.arguments import argument_types
from querylint.frontends.convex.context import ModuleContext, Registered, context_value, database_value
from querylint.frontends.convex.naming import kind_of_callee
from querylint.frontends.convex.registration import Registration, registration
from querylint.frontends.convex.timers import starts
from querylint.frontends.convex.vocabulary import ConvexVocabulary
from querylint.frontends.flow.binding import hoist
from querylint.frontends.flow.machine import Machine
from querylint.frontends.flow.merging import without
from querylint.frontends.flow.scope import Scope, Var
from querylint.frontends.flow.values import NOTHING, Closure, Made, Marker, OneOf, Query, Record, Val, join_all, lowered
from querylint.ir import Block, Escape, Function, Kind, Origin, Role, Root
from querylint.pattern import Pattern
from querylint.result import Note, NoteKind
from querylint.syntax import tree
from querylint.text import LineIndex, Stretches

KINDS = {"query": Kind.QUERY, "mutation": Kind.MUTATION, "action": Kind.ACTION, "http": Kind.HTTP}
HOOK = Pattern(r"^use[A-Z]")
MOST_AGAIN = 4
"""So often a function is walked that is registered inside of what it calls itself."""


@dataclass(frozen=True, slots=True)
class Found:
    """A function of a module before it is walked.

    `handed` says that it is written as an argument of a call. `around` are the parameters that come before its own (`makers`); `this` is
    the object whose method it is.
    """

    name: str
    fn: tree.Fn
    registration: Registration | None = None
    owner: tree.ClassDef | None = None
    at: int = 0
    job: bool = False
    handed: bool = False
    around: tuple[str, ...] = ()
    this: Val | None = None


def functions(module: tree.Module) -> Iterator[tuple[str, tree.Expr | tree.FnDef | tree.ClassDef]]:
    """Top-level definitions and expressions by name."""
    for statement in module.body:
        if isinstance(statement, tree.FnDef):
            yield statement.fn.name, statement
        elif isinstance(statement, tree.ClassDef):
            yield statement.name, statement
        elif isinstance(statement, tree.Let) and statement.value is not None:
            pattern = statement.pattern
            yield pattern.id if isinstance(pattern, tree.NamePattern) else "", statement.value
        elif isinstance(statement, tree.Do):
            yield "", statement.value


class ModuleLowering:
    """Lowers the functions of one module."""

    def __init__(self, context: ModuleContext, module: tree.Module, lines: LineIndex, role: Role, route: str | None) -> None:
        self.context = context
        self.module = module
        self.lines = lines
        self.fragile = Stretches(module.broken)
        self.role = role
        self.route = route
        self.vocabulary = ConvexVocabulary(context)
        self.exported = {e.local for e in module.exports} | {e.name for e in module.exports}
        self.names: dict[str, int] = {}
        self.notes: list[Note] = []

    def run(self) -> list[Function]:
        """All functions of the module."""
        out: list[Function] = []
        for name, node in functions(self.module):
            for found in self.found(name, node):
                try:
                    out.append(self.walk(found))
                    out.extend(self.walk_inner(found.name))
                except RecursionError:
                    self._left_out(found, NoteKind.LIMIT, TOO_DEEP)
                except MemoryError:
                    raise
                except Exception:  # a defect of ours that costs one function, not the report of all the others
                    self._left_out(found, NoteKind.BUG, left_out(found.name))
        return out

    def _left_out(self, found: Found, kind: NoteKind, words: str) -> None:
        self.context.inner.clear()
        self.notes.append(Note(kind, words, self.context.path, self.lines.position(found.at or found.fn.at)[0]))

    # Finding.

    def found(self, name: str, node: tree.Expr | tree.FnDef | tree.ClassDef) -> Iterator[Found]:
        """The functions that a top-level definition holds."""
        if isinstance(node, tree.FnDef):
            yield Found(name, node.fn)
        elif isinstance(node, tree.ClassDef):
            for method in node.methods:
                yield Found(f"{name}.{method.name}", method, owner=node)
        else:
            yield from self._in_expression(name, node)

    def _in_expression(self, name: str, node: tree.Expr) -> Iterator[Found]:
        while isinstance(node, tree.Typed | tree.Await):
            node = node.value
        if isinstance(node, tree.Fn):
            yield Found(name or f"line{self.lines.position(node.at)[0]}", node)
        elif isinstance(node, tree.Call):
            yield from self._in_call(name, node)
        elif isinstance(node, tree.Record):
            this = self._object(name, node)
            for key, value in node.entries:
                part = key if isinstance(key, str) else ""
                inner = self._in_expression(f"{name}.{part}" if name and part else name or part, value)
                yield from inner if this is None or not isinstance(value, tree.Fn) else (replace(found, this=this) for found in inner)
        elif isinstance(node, tree.Array):
            for item in node.items:
                yield from self._in_expression(name, item)

    def _object(self, name: str, node: tree.Record) -> Val | None:
        """What `this` is in the methods of an object at the top of a module."""
        methods = [key for key, value in node.entries if isinstance(key, str) and isinstance(value, tree.Fn)]
        fields = {key: Val(shape=Marker("function", (self.context.path, f"{name}.{key}"))) for key in methods}
        return Val(shape=Record(fields)) if name and fields else None

    def _in_call(self, name: str, node: tree.Call) -> Iterator[Found]:
        found = registration(node, lambda e: kind_of_callee(self.context, self.context.path, e))
        if found is not None:
            fn = found.fn
            if fn is not None:
                yield Found(name or self._anonymous(node), fn, found, at=node.at)
            elif found.handler is not None:
                yield Found(name or self._anonymous(node), _forwarding(found.handler), found, at=node.at)
            return
        chain: tree.Expr = node.func
        if isinstance(chain, tree.Member):
            yield from self._in_expression(name, chain.base)
        elif isinstance(chain, tree.Call):
            yield from self._in_expression(name, chain)
        job = self._starts(node)
        for arg in node.args:
            if not isinstance(arg, tree.Fn | tree.Record | tree.Call | tree.Array):
                continue
            if isinstance(arg, tree.Fn):
                yield Found(name or self._anonymous(arg), arg, job=job, handed=True)
            else:
                yield from (replace(found, handed=True) for found in self._in_expression(name, arg))

    def _starts(self, node: tree.Call) -> bool:
        """Whether a call at the top of a module that belongs to a server hands a function to a clock."""
        if self.context.root is not None:
            return False
        base = node.func.base if isinstance(node.func, tree.Member) else node.func
        value = (self._machine().evaluate(base) if isinstance(base, tree.Name) else None) or NOTHING
        return starts(node, NOTHING, value) if isinstance(node.func, tree.Member) else starts(node, value, None)

    def _anonymous(self, node: tree.Expr) -> str:
        return f"line{self.lines.position(node.at)[0]}"

    # Walking.

    def key(self, name: str) -> str:
        """A key of its own for each function of the module."""
        seen = self.names.get(name, 0)
        self.names[name] = seen + 1
        return f"{self.context.path}::{name}" + (f"~{seen + 1}" if seen else "")

    def walk(self, found: Found) -> Function:
        """Lower one function."""
        machine = self._machine()
        self.context.owner = found.name
        self.context.awaited.clear()
        self.context.run_later.clear()
        params = self._params(found)
        return self._lowered(machine, found, params)

    def _machine(self) -> Machine:
        machine = Machine(self.context.path, self.lines, self.vocabulary)
        machine.fragile = self.fragile
        return machine

    def _lowered(self, machine: Machine, found: Found, params: list[Val]) -> Function:
        fn = found.fn
        machine.calling.append(fn)
        machine.scope = Scope(machine.scope)
        this = self._this(found.owner) if found.owner is not None else found.this
        if this is not None and (found.owner is not None or fn.name or machine.scope.find("this") is None):
            here = machine.scope.names["this"] = Var("this", 0)
            machine.store[here] = this
        machine.around = len(found.around)
        from querylint.frontends.flow.statements import bind_params

        bind_params(machine, fn, tuple(params))
        hoist(machine, [])
        machine.run(fn.body)
        machine.dead = False
        values = [machine.unbuilt(self._given_back(machine, found, value)) for value, _, _ in machine.returns]
        returned = join_all(values) if values else NOTHING
        for value in values:
            machine.leak(value, Escape.RETURNED, fn.at, fn.end)
        registered = found.registration
        kind = self._kind(found)
        name = found.name
        if kind is Kind.PLAIN:
            self._makes(machine, found, values)
        route = None
        if registered is not None and self.route is not None and name in self.exported:
            route = f"{self.route}:{name}"
        return Function(
            self.key(name), name, self.context.path, kind, _names(found), self._block(machine), lowered(returned),
            self.lines.span(found.at or fn.at, fn.end), registered is not None and registered.public, route,
            self.context.root.folder if self.context.root is not None else self.context.api_root, self._role(found),
            tuple(machine.touched), tuple(machine.outflows.values()), registered.wrapper if registered is not None else None,
            tuple(machine.built), cases=tuple(machine.decided.cases.values()), keyed=_keyed(machine), handed=found.handed,
        )  # fmt: skip

    def _makes(self, machine: Machine, found: Found, values: list[Val]) -> None:
        """The functions in what a function gives back are walked on their own: whoever is given them calls them."""
        made = [one for value in values for one in makers.held(value) if one[1].path == self.context.path]
        if not made:
            return
        names, owner = _names(found), found.name + makers.CALLED
        given = tuple(Val((Origin(Root.PARAM, number),)) for number in range(len(names)))
        written = makers.parts(self.context, found.fn)
        whole = Val(shape=Made(self.context.path, owner, written, given)) if written is not None else None
        store: dict[object, Val] = {var: makers.around(known) for var, known in machine.store.items()}
        for path, closure in made:
            this = makers.at(whole, path[:-1]) if whole is not None else None
            name = ".".join((owner, *path))
            self.context.inner.append(
                Registered(name, closure.fn, "plain", False, NOTHING, None, closure.scope, store, around=names, this=this)
            )

    def _block(self, machine: Machine) -> Block:
        """What the function does, without the awaits that only handed a query on."""
        later = self.context.run_later
        block = tuple(machine.block)
        return without(block, later) if later else block

    def _given_back(self, machine: Machine, found: Found, value: Val) -> Val:
        """A query of convex-ents that comes back as a promise is run by whoever waits for it."""
        shape = value.shape
        waited = found.registration is not None or found.fn.is_async
        if not waited or not isinstance(shape, Query) or not shape.flavor.startswith("ents"):
            return value
        return machine.wait(ent_queries.finished(machine, value, shape.at, shape.end), shape.at, shape.end)

    def _role(self, found: Found) -> Role:
        """A function may have a purpose of its own, wherever it stands."""
        end = found.at or found.fn.at
        return purpose.role_of(self.role, found.name, found.fn, self.lines.source[max(0, end - purpose.LONGEST) : end])

    def _kind(self, found: Found) -> Kind:
        if found.registration is not None:
            return KINDS[found.registration.kind]
        if found.job:
            return Kind.JOB
        if (
            self.context.root is None
            and (found.name[:1].isupper() or HOOK.match(found.name))
            and self.context.path.endswith(("x", ".ts", ".js"))
        ):
            return Kind.CLIENT
        return Kind.PLAIN

    def _params(self, found: Found) -> list[Val]:
        fn = found.fn
        first = len(found.around)
        values = [Val((Origin(Root.PARAM, first + number),)) for number in range(len(fn.params))]
        registered = found.registration
        if registered is not None and values:
            values[0] = context_value(values[0])
            if len(values) > 1 and registered.args is not None:
                values[1] = argument_types(self.context.modules, self.context.path, registered.args, values[1])
            return values
        for number, param in enumerate(fn.params):
            if isinstance(param.pattern, tree.NamePattern) and not _typed_otherwise(param.type):
                if param.pattern.id in ("ctx", "context", "_ctx"):
                    values[number] = context_value(values[number])
                elif param.pattern.id == "db":
                    values[number] = database_value(values[number])
            elif isinstance(param.pattern, tree.RecordPattern) and any(name == "db" for name, _, _ in param.pattern.fields):
                values[number] = context_value(values[number])
            if param.type:
                values[number] = typed(self.context, values[number], param.type)
        return values

    def _this(self, owner: tree.ClassDef) -> Val:
        fields: dict[str, Val] = {}
        base = Val((Origin(Root.PARAM, "this"),))
        for name, type_text, _ in owner.fields:
            part = Val((Origin(Root.PARAM, "this", (name,)),))
            fields[name] = typed(self.context, part, type_text)
            if name == "ctx" and fields[name].shape is None:
                fields[name] = context_value(part)
            elif name == "db" and fields[name].shape is None:
                fields[name] = database_value(part)
        for method in owner.methods:
            if method.kind != "get":
                fields.setdefault(method.name, Val(shape=Marker("function", (self.context.path, f"{owner.name}.{method.name}"))))
        return Val(base.origins, shape=Record(fields, (base,)))

    def _inside(self, pending: Registered) -> Machine:
        machine = self._machine()
        machine.scope = pending.scope if isinstance(pending.scope, Scope) else Scope()
        known = pending.store if pending.around is not None else {var: _outer(value) for var, value in pending.store.items()}
        machine.store = {var: value for var, value in known.items() if isinstance(var, Var)}
        return machine

    def walk_inner(self, owner: str) -> list[Function]:
        """Functions that were registered inside another function, each on its own; one that leads back to itself only so often."""
        out: list[Function] = []
        met: dict[int, int] = {}
        while self.context.inner:
            pending = self.context.inner.pop()
            met[id(pending.fn)] = met.get(id(pending.fn), 0) + 1
            if met[id(pending.fn)] > MOST_AGAIN:
                continue
            if pending.node is None:
                job = pending.kind == "job"
                local = Found(pending.name, pending.fn, job=job, around=pending.around or (), this=pending.this)
                out.append(self._lowered(self._inside(pending), local, self._params(local)))
                continue
            found = registration(pending.node, lambda e: kind_of_callee(self.context, self.context.path, e))
            if found is None or found.fn is None:
                continue
            machine = self._inside(pending)
            inner = Found(f"{owner}.{found.kind}", found.fn, found, at=pending.node.at)
            out.append(self._lowered(machine, inner, self._params(inner)))
        return out


def _typed_otherwise(text: str) -> bool:
    return bool(text) and text != "any" and not re.search(r"Ctx|Context|Database|\bdb\b", text)


def _outer(value: Val) -> Val:
    """A variable of an enclosing function that ran earlier: its origins and steps are not this function's."""
    shape = value.shape
    return Val(literal=value.literal, shape=shape if isinstance(shape, Closure | Marker | OneOf) else None, id_of=value.id_of)


def _forwarding(handler: tree.Expr) -> tree.Fn:
    """`handler: someFunction` read as a function that calls it."""
    at, end = handler.at, handler.end
    params = [tree.Param(tree.NamePattern(name, at, at)) for name in ("ctx", "args")]
    call = tree.Call(handler, [tree.Name("ctx", at, at), tree.Name("args", at, at)], at, end)
    return tree.Fn("", params, [tree.Return(call, at, end, True)], at, end)


def _names(found: Found) -> tuple[str, ...]:
    """The names of the parameters of a function, and of those around it."""
    return (*found.around, *(_name_of(p) for p in found.fn.params))


def _name_of(param: tree.Param) -> str:
    return param.pattern.id if isinstance(param.pattern, tree.NamePattern) else ""


__all__ = ["ModuleLowering", "Registered"]


def _keyed(machine: Machine) -> tuple[tuple[Origin, str], ...]:
    """The lists that are put into a map by a field, and gone through for nothing else."""
    return tuple((origin, name) for origin, name in machine.keyed.items() if machine.walked.get(origin, 0) <= 1)
