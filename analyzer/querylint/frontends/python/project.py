# long: what the walk through one function asks about all the others is asked of one object
"""One Python project: its modules, classes and stacks, and what is known of functions at the places that call them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from querylint.construction import replace
from querylint.frontends.flow.comprehensions import go_through
from querylint.frontends.flow.machine import Machine
from querylint.frontends.flow.scope import Scope, Var
from querylint.frontends.flow.state import State
from querylint.frontends.flow.statements import bind_params
from querylint.frontends.flow.values import (
    NOTHING,
    ClassRef,
    Closure,
    External,
    Many,
    Marker,
    Query,
    Record,
    Space,
    Val,
    either_of,
    join_all,
    many,
)
from querylint.frontends.python.annotations import Annotations, known
from querylint.frontends.python.beats import beaten
from querylint.frontends.python.beliefs import Beliefs, Entry, Open
from querylint.frontends.python.classes import Classes, ClassInfo
from querylint.frontends.python.context import Place
from querylint.frontends.python.implementations import Implementations
from querylint.frontends.python.jobs import begun, scheduled, started
from querylint.frontends.python.language import PYTHON
from querylint.frontends.python.language.arguments import PERHAPS
from querylint.frontends.python.modules import Definition, PythonModules
from querylint.frontends.python.portable import SEVERAL, given, in_call, kept, kind_of, portable
from querylint.frontends.python.stack import Stack
from querylint.frontends.python.tried import only_tried, unnamed
from querylint.frontends.python.truths import Truths
from querylint.ir import NOT_LITERAL, Origin, Role, Root
from querylint.syntax import tree
from querylint.syntax.python import lower_module

MOST_DEEP = 6
MOST_KINDS = 6
OWN_OBJECT = ("self", "cls")
MAKER = "__init__"
WHICHEVER = "some class"


class PythonProject:
    """What the walk through one function asks about all the others."""

    def __init__(
        self,
        files: Collection[str],
        read: Callable[[str], bytes | None],
        role: Callable[[str], Role],
        stacks: Collection[Callable[[PythonProject], Stack]],
        parse: Callable[[str, bytes], tree.Module] = lower_module,
    ) -> None:
        self.files = tuple(files)
        self.role = role
        self.modules = PythonModules(files, read, parse)
        self.classes = Classes(self.modules)
        self.annotations = Annotations(self)
        self.implementations = Implementations(self)
        self.truths = Truths(self.modules)
        self.stacks = [make(self) for make in stacks]
        self.rows: dict[str, ClassInfo] = {}
        self.hints: dict[str, dict[int, dict[str, Val]]] = {}
        self.beliefs = Beliefs()
        self.wave = 0
        self._fields: dict[tuple[str, str, str], Val] = {}
        self._scheduled: frozenset[str] | None = None
        self._tried: frozenset[str] | None = None
        self._unnamed: frozenset[str] | None = None
        self._kept_by: dict[int, tuple[Query, Query]] = {}
        self._constants: dict[tuple[str, str], Val | None] = {}
        self._returning: dict[int, bool] = {}
        self._busy: set[object] = set()

    # Values of names.

    def value(self, definition: Definition) -> Val | None:
        """What a definition stands for."""
        if definition.external:
            return self.outside(definition.external)
        if definition.module:
            return Val(shape=Space(definition.path))
        node = definition.node
        if isinstance(node, tree.FnDef):
            return Val(shape=Closure(node.fn, None, definition.path, definition.name))
        if isinstance(node, tree.ClassDef):
            return Val(shape=ClassRef(definition.path, definition.name))
        return self._constant(definition.path, definition.name, node) if node is not None else None

    def outside(self, name: str) -> Val:
        """Something of outside code."""
        for stack in self.stacks:
            made = stack.external(name)
            if made is not None:
                return made
        return Val(shape=External(name, name.rpartition(".")[2]))

    def _constant(self, path: str, name: str, node: tree.Expr) -> Val | None:
        key = (path, name)
        if key not in self._constants:
            self._constants[key] = None
            value = self.expression(path, node)
            if value.literal is not NOT_LITERAL and name in self.modules.rebound(path):
                value = replace(value, literal=NOT_LITERAL)  # what it is at first says little
            self._constants[key] = value
        found = self._constants[key]
        return self.truths.steady(found, name) if found is not None else None

    def expression(self, path: str, node: tree.Expr, owner: ClassInfo | None = None) -> Val:
        """What an expression outside of functions comes to."""
        key = ("expression", path, node.at, node.end)
        with self._entering(key) as free:
            if not free:
                return NOTHING
            machine = self.machine(Place(path, self, owner, quiet=True))
            value = machine.evaluate(node)
            shape = value.shape
            if isinstance(shape, Closure) and not shape.name and isinstance(node, tree.Fn):
                return NOTHING
            return self.located(machine, portable(value))

    @contextmanager
    def _entering(self, key: object) -> Iterator[bool]:
        """Whether a walk may begin: not inside of itself, nor too deep inside of others."""
        if self._closed(key):
            yield False
            return
        self._busy.add(key)
        try:
            yield True
        finally:
            self._busy.discard(key)

    def _closed(self, key: object) -> bool:
        return key in self._busy or len(self._busy) > MOST_DEEP

    def located(self, machine: State, value: Val) -> Val:
        """A query carries the place where it was begun along, by itself or in a dictionary."""
        shape = value.shape
        if isinstance(shape, Query) and shape.made is None and shape.base is None:
            return replace(value, shape=replace(shape, made=machine.span(shape.at, shape.end)))
        if isinstance(shape, Record) and any(isinstance(part.shape, Query) for part in shape.fields.values()):
            return replace(value, shape=Record({k: self.located(machine, v) for k, v in shape.fields.items()}, shape.rest))
        return value

    def scheduled(self) -> frozenset[str]:
        """The functions that a scheduler is given."""
        if self._scheduled is None:
            code = [path for path in self.files if self.role(path) is Role.CODE]
            self._scheduled = (
                scheduled(self.modules, code) | beaten(self.modules, code) | begun(self.modules, code) | started(self.modules, code)
            )
        return self._scheduled

    def held(self, query: Query) -> Query:
        """A query as the attribute of an object: the same one for whoever asks, since it keeps its rows."""
        return self._kept_by.setdefault(id(query), (query, replace(query, held=True)))[1]

    def tried(self) -> frozenset[str]:
        """The functions that only tests call."""
        if self._tried is None:
            self._tried = only_tried(self)
        return self._tried

    def unnamed(self) -> frozenset[str]:
        """The methods of rows that nothing in the project names."""
        if self._unnamed is None:
            self._unnamed = unnamed(self)
        return self._unnamed

    # Objects.

    def info(self, ref: ClassRef) -> ClassInfo | None:
        """The class that a value refers to."""
        return self.classes.get(ref.path, ref.name)

    def object(self, path: str, name: str) -> Val:
        """An object of a class of the project."""
        info = self.classes.get(path, name)
        if info is not None:
            for stack in self.stacks:
                made = stack.instance(info)
                if made is not None:
                    return made
        return Val(shape=ClassRef(path, name, instance=True))

    def class_field(self, info: ClassInfo, name: str) -> Val | None:
        """What a class-level field of a class holds; None where there is none."""
        found = info.field(name)
        if found is None:
            return None
        owner, type_text, node = found
        whose = owner if node is not None else info  # a type may hang on what the class at hand says of a generic one
        key = (whose.path, whose.name, name)
        if key not in self._fields:
            self._fields[key] = NOTHING
            value = self.expression(owner.path, node, owner) if node is not None else NOTHING
            if not known(value) and type_text:
                value = self.annotations.value(owner.path, type_text, info, owner)
            if value.literal is not NOT_LITERAL and any(fn.kind == "class" for _, fn in info.assigned(name)):
                value = replace(value, literal=NOT_LITERAL)
            self._fields[key] = value
        return self._fields[key]

    def attribute(self, info: ClassInfo, name: str) -> Val | None:
        """What the methods of a class set an attribute of their object to; None where none does."""
        setters = info.assigned(name)
        if not setters:
            return None
        value = NOTHING
        for owner, fn in setters[:3]:
            value = self._attribute_of(info, owner, fn, name)
            if known(value):
                break
        return _begun(value, extended=info.extended(name))

    def _attribute_of(self, info: ClassInfo, owner: ClassInfo, fn: tree.Fn, name: str) -> Val:
        entry = (f"{owner.path}::{owner.name}.{fn.name}", "held", info.path, info.name)
        if entry not in self.beliefs.known:
            with self._entering(entry) as free:
                if not free:
                    return NOTHING
                self._hold(entry, info, owner, fn)
        self.beliefs.lean(entry)
        held: dict[str, Val] = self.beliefs.known[entry]
        return held.get(name, NOTHING)

    def _hold(self, entry: Entry, info: ClassInfo, owner: ClassInfo, fn: tree.Fn) -> dict[str, Val]:
        """Work out the attributes of an object after a method has run."""
        told = Open([], lambda: self.parameters(info, owner, fn, entry[0]), lambda: self._hold(entry, info, owner, fn))
        told.params = told.told()
        held: dict[str, Val] = self.beliefs.work_out(entry, told, lambda: self._held_after(info, owner, fn, told.params))
        return held

    def _held_after(self, info: ClassInfo, owner: ClassInfo, fn: tree.Fn, params: list[Val]) -> dict[str, Val]:
        machine = self.machine(Place(owner.path, self, owner, f"{owner.name}.{fn.name}", quiet=True))
        var = self._enter(machine, fn, params)
        machine.run_flat(fn.body)
        held = machine.store.get(var) if var is not None else None
        if held is None or not isinstance(held.shape, Record):
            return {}
        return {name: self.located(machine, kept(portable(value), f"{fn.name}.{name}")) for name, value in held.shape.fields.items()}

    # Functions.

    def machine(self, place: Place) -> Machine:
        """A walk at a place."""
        from querylint.frontends.python.vocabulary import PythonVocabulary

        machine = Machine(place.path, self.modules.lines(place.path), PythonVocabulary(place), PYTHON)
        machine.prefix = f"{place.name}." if place.name else ""
        return machine

    def _enter(self, machine: Machine, fn: tree.Fn, params: list[Val]) -> Var | None:
        machine.calling.append(fn)
        machine.scope = Scope(machine.scope)
        bind_params(machine, fn, tuple(params))
        first = fn.params[0].pattern if fn.params else None
        return machine.scope.names.get(first.id) if isinstance(first, tree.NamePattern) else None

    def parameters(self, receiver: ClassInfo | None, owner: ClassInfo | None, fn: tree.Fn, key: str) -> list[Val]:
        """What is known of the parameters of a function: its object, its annotations, what the stacks and its callers give."""
        return [self._parameter(receiver, owner, fn, number, key)[0] for number in range(len(fn.params))]

    def _parameter(self, receiver: ClassInfo | None, owner: ClassInfo | None, fn: tree.Fn, number: int, key: str) -> tuple[Val, bool]:
        """What is known of one parameter of a function, and whether what callers tell has a say in it."""
        value = self._declared(receiver, owner, fn, number, key.partition("::")[0])
        told = not known(value)
        kinds = self.hints.get(key, {}).get(number, {}) if told else {}
        if any(text.startswith("class ") for text in kinds) and (fn.name == MAKER or len(kinds) > 1):
            # An object that is told which class to work on is one of several as a rule, each told another.
            value = next((v for stack in self.stacks if (v := stack.any_of(tuple(kinds.values()))) is not None), NOTHING)
        elif kinds:
            value = _alike(kinds)
        return given(value, number), told

    def _declared(self, receiver: ClassInfo | None, owner: ClassInfo | None, fn: tree.Fn, number: int, path: str) -> Val:
        """What a parameter is by its place, its annotation or the stacks, whatever callers tell."""
        param = fn.params[number]
        name = param.pattern.id if isinstance(param.pattern, tree.NamePattern) else ""
        loose = fn.kind != "class" and bool(param.type) and name not in OWN_OBJECT  # a function that is called by the name of its class
        if owner is not None and number == 0 and fn.kind != "static" and not loose:
            info = receiver or owner
            return Val(shape=ClassRef(info.path, info.name)) if fn.kind == "class" else self.object(info.path, info.name)
        if param.stars:
            return NOTHING
        if param.type:
            value = self.annotations.value(path, param.type, receiver or owner, owner)
            if known(value):
                return value
        for stack in self.stacks:
            made = stack.parameter(owner, fn, number, name)
            if made is not None:
                return made
        return NOTHING

    def hint(self, key: str, args: tuple[Val, ...]) -> None:
        """A call site tells what its arguments are."""
        kinds = self.hints.setdefault(key, {})
        for number, arg in ((number, one) for number, given_ in enumerate(args) for one in _classes(given_)):
            text = kind_of(arg)
            if text:
                seen = kinds.setdefault(number, {})
                if (text not in seen and len(seen) < MOST_KINDS) or (text in seen and _manager(seen[text]) and not _manager(arg)):
                    seen[text] = portable(arg)

    def maps(self, value: Val) -> bool:
        """Whether a value is a class whose objects are rows, by the word of a stack that can speak of any such class."""
        is_class = isinstance(value.shape, ClassRef) and not value.shape.instance
        return is_class and any(stack.any_of((value,)) is not None for stack in self.stacks)

    def told(self, key: str) -> str:
        """What callers have told of the parameters of a function."""
        return repr([(n, sorted((k, _manager(v)) for k, v in kinds.items())) for n, kinds in sorted(self.hints.get(key, {}).items())])

    def outdated(self) -> set[str]:
        """The functions that lean on what was worked out when callers had told less, where that has changed."""
        self.wave += 1
        return self.beliefs.outdated()

    def result(self, closure: Closure, args: tuple[Val, ...]) -> Val:
        """What a function gives back for arguments of these kinds: values of its own, or parts of its parameters."""
        fn = closure.fn
        me = closure.this.shape if closure.this is not None else None
        within = self.info(me) if isinstance(me, ClassRef) else None
        owner = self.classes.get(closure.path, closure.name.rpartition(".")[0]) if within is not None else None
        declared = self.annotations.value(closure.path, fn.returns, within, owner) if fn.returns else NOTHING
        if not self.returns_value(fn):
            return declared
        entry = (f"{closure.path}::{closure.name}", *(_keywords(fn, n, a) or in_call(a) for n, a in enumerate(args)))
        if entry not in self.beliefs.known:
            if self._closed(entry[0]):
                return declared
            self._work_out(entry, closure, args, declared)
        self.beliefs.lean(entry)
        value: Val = self.beliefs.known[entry]
        return value

    def _work_out(self, entry: Entry, closure: Closure, args: tuple[Val, ...], declared: Val) -> Val:
        params, told = self._params(closure, args)
        opened = None
        if told:
            plain = tuple(arg if arg is NOTHING else given(arg, number) for number, arg in enumerate(args))
            bare = replace(closure, this=None)
            opened = Open(params, lambda: self._params(bare, plain)[0], lambda: self._work_out(entry, bare, plain, declared))
        value: Val = self.beliefs.work_out(entry, opened, lambda: self._result(closure, args, params, declared))
        return value

    def _result(self, closure: Closure, args: tuple[Val, ...], params: list[Val], declared: Val) -> Val:
        with self._entering(f"{closure.path}::{closure.name}"):
            value = self._run(closure, params)
        if not known(value) and known(declared):
            value = replace(declared, origins=value.origins)
        shape = value.shape
        if isinstance(shape, Query) and _written_in(closure, shape) and self._chosen_by_caller(closure, args, shape):
            value = replace(value, shape=replace(shape, made=None))
        return value

    def _chosen_by_caller(self, closure: Closure, args: tuple[Val, ...], query: Query) -> bool:
        """Whether the table of a query is that of whoever calls: of the class of the receiver, or of a class that is handed over.

        Such a function makes queries of other tables too, and is no place to change one of them.
        """
        owner = self._owner(closure)
        plain = []
        for number, arg in enumerate(args):
            shape = arg.shape
            if number == 0 and owner is not None and isinstance(shape, ClassRef) and (shape.path, shape.name) != (owner.path, owner.name):
                plain.append(replace(arg, shape=replace(shape, path=owner.path, name=owner.name)))
            elif isinstance(shape, Query) and number == 0 and owner is not None:
                plain.append(replace(arg, shape=replace(shape, table=None)))
            elif isinstance(shape, Marker) or (isinstance(shape, ClassRef) and not shape.instance and (number or owner is None)):
                plain.append(replace(arg, shape=Marker(WHICHEVER)))
            else:
                plain.append(arg)
        if plain == list(args):
            return False
        made = self.result(closure, tuple(plain)).shape
        return not isinstance(made, Query) or made.table != query.table

    def _owner(self, closure: Closure) -> ClassInfo | None:
        """The class whose method a function is."""
        return self.classes.get(closure.path, closure.name.rpartition(".")[0]) if "." in closure.name else None

    def _params(self, closure: Closure, args: tuple[Val, ...]) -> tuple[list[Val], bool]:
        """The parameters of a call, and whether what other callers tell has a say in them."""
        fn, owner, key = closure.fn, self._owner(closure), f"{closure.path}::{closure.name}"
        params: list[Val] = []
        told = False
        for number, param in enumerate(fn.params):
            arg = args[number] if number < len(args) else NOTHING
            if names := _keywords(fn, number, arg):
                value = Val(shape=Record({k: Val((Origin(Root.PARAM, number, (k,)),)) for k in names.split(",")}))
            elif in_call(arg):
                value = given(arg, number)
            elif arg is NOTHING and param.default is not None:
                value = NOTHING  # this call leaves it out, whatever others give
            else:
                value, by_callers = self._parameter(None, owner, fn, number, key)
                told = told or by_callers
            params.append(value)
        return params, told

    def _run(self, closure: Closure, params: list[Val]) -> Val:
        fn = closure.fn
        machine = self.machine(Place(closure.path, self, self._owner(closure), closure.name, quiet=True))
        self._enter(machine, fn, params)
        machine.run_flat(fn.body)
        value = returned(machine, fn)
        shape = value.shape
        if isinstance(shape, Query) and id(shape) in machine.results:
            value = replace(value, shape=replace(shape, ran=machine.results[id(shape)][1]))
        elif isinstance(shape, Query) and id(shape) in machine.hung:
            value = replace(value, shape=replace(shape, held=True))
        return self.located(machine, portable(value))

    def returns_value(self, fn: tree.Fn) -> bool:
        """Whether a function gives anything back that could be of interest."""
        if id(fn) not in self._returning:
            self._returning[id(fn)] = any(
                n.value is not None and not isinstance(n.value, tree.Literal) for n in tree.find(fn.body, tree.Return)
            ) or bool(tree.find(fn.body, tree.Yield))
        return self._returning[id(fn)]


def _keywords(fn: tree.Fn, number: int, arg: Val) -> str:
    """The names that `**given` takes in a call, where all are known: what a function does with them may hang on these."""
    shape = arg.shape
    if number >= len(fn.params) or fn.params[number].stars != 2 or not isinstance(shape, Record) or shape.rest or arg.type == PERHAPS:
        return ""
    return ",".join(sorted(shape.fields))


def _begun(value: Val, *, extended: bool) -> Val:
    """A collection as others find it in an attribute: one that begins empty is there to be filled, one that is `extended` holds more."""
    shape = value.shape
    if isinstance(shape, Many) and (shape.most == 0 or extended):
        return replace(value, shape=replace(shape, items=None, most=None))
    if isinstance(shape, Record) and not shape.fields and not shape.rest and value.doc_of is None:
        return replace(value, shape=Many(NOTHING, None, keyed=True))
    return value


def _alike(kinds: dict[str, Val]) -> Val:
    """What values of several kinds have in common, which stands for each of them.

    Of rows of several tables one stands for all: what it has in common with the others is seen, and callers know which rows they gave.
    Of records each field does, as far as anything is known of it; that a field is there is no more than possible then.
    """
    values = [kinds[text] for text in sorted(kinds)]
    first = values[0] if values else NOTHING
    if len(values) < 2:
        return first
    if all(value.doc_of is not None for value in values):
        return replace(first, type=SEVERAL)
    records = [value.shape for value in values if isinstance(value.shape, Record) and value.doc_of is None]
    return _some_record(records) if len(records) == len(values) else _some_query(values)


def _some_record(records: list[Record]) -> Val:
    fields: dict[str, dict[str, Val]] = {}
    for record in records:
        for name, value in record.fields.items():
            kinds = fields.setdefault(name, {})
            if text := kind_of(value):
                kinds.setdefault(text, value)
    rest = tuple(value for record in records for value in record.rest) or (NOTHING,)
    return Val(shape=Record({name: _alike(kinds) for name, kinds in fields.items()}, rest))


def _some_query(values: list[Val]) -> Val:
    """What queries of several tables have in common: whoever is handed them runs a query, of a table that its callers know."""
    queries = [value.shape for value in values if isinstance(value.shape, Query)]
    first = queries[0] if len(queries) == len(values) else None
    if first is None or any((q.flavor, q.yields, q.one) != (first.flavor, first.yields, first.one) for q in queries):
        return NOTHING
    return Val(shape=replace(first, table=None, cls=None, manager=False))


def _manager(val: Val) -> bool:
    return isinstance(val.shape, Query) and val.shape.manager


def _classes(value: Val) -> tuple[Val, ...]:
    """The classes of which a value is one; else the value itself."""
    ways = either_of(value)
    return ways if isinstance(ways[0].shape, ClassRef) and not ways[0].shape.instance else (value,)


def _written_in(closure: Closure, query: Query) -> bool:
    """Whether a query is begun in this very function."""
    made = query.made
    return made is not None and made.path == closure.path and closure.fn.at <= made.start < closure.fn.end


def returned(machine: Machine, fn: tree.Fn) -> Val:
    """What a walk through a function has found it to give back."""
    if fn.generator:
        return many(None, join_all(machine.yields)) if machine.yields else NOTHING
    values = [value for value, _, _ in machine.returns if value.literal is not None]
    found = join_all(values) if values else NOTHING
    if not isinstance(found.shape, Query):
        return found
    if any(_unseen(value) for value in values):
        return replace(found, shape=replace(found.shape, unsure=True))
    queries = [value for value in values if isinstance(value.shape, Query)]
    run = [value for value in queries if id(value.shape) in machine.results]
    if run and len(run) == len(queries):
        machine.results[id(found.shape)] = (found.shape, join_all([machine.ran(value) for value in run]))
    for value in run if len(run) < len(queries) else ():
        go_through(machine, machine.ran(value))  # whoever gets one of several goes on with what has been loaded
    return found


def _unseen(value: Val) -> bool:
    """Whether nothing is known of a value: it may be a query that something has kept, and whose rows are there."""
    nothing = value.shape is None and value.literal is NOT_LITERAL and not value.origins
    return nothing and value.doc_of is None and value.id_of is None and value is not NOTHING
