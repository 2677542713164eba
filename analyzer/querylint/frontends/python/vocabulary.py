"""What names, members and calls of Python mean: modules, classes and objects of the project; the rest is asked of the stacks."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.construction import replace
from querylint.frontends.flow.calls import each_way, reach, run_handed_closures, tested_by
from querylint.frontends.flow.memos import keeps
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NOTHING,
    ClassRef,
    Closure,
    External,
    Many,
    Marker,
    OneOf,
    Query,
    Record,
    Space,
    Val,
    derived,
    either_of,
    join_all,
)
from querylint.frontends.flow.vocabulary import Consumption
from querylint.frontends.python.annotations import known
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.context import Local, Place
from querylint.frontends.python.injected import injected
from querylint.frontends.python.inner import outer
from querylint.frontends.python.language.arguments import placed
from querylint.frontends.python.portable import SEVERAL, arrived, held_by, rebound
from querylint.frontends.python.put_off import enqueued, handed_on, put_off, waited_for
from querylint.ir import Escape, Mode, Target, TargetKind
from querylint.syntax import tree


class PythonVocabulary:
    """The meaning of names, members and calls in one function of Python."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.project = place.project
        self.stacks = place.project.stacks

    # Names.

    def name(self, state: State, name: str) -> Val | None:
        """A name of the module, or of the class whose body is read."""
        owner = self.place.owner
        if owner is not None and not self.place.name:
            field = self.project.class_field(owner, name)
            if field is not None:
                return field
        found = self.project.modules.definition(self.place.path, name)
        return self.project.value(found) if found is not None else None

    def imported(self, state: State, item: tree.Import) -> Val | None:
        """A name that an import inside a function binds."""
        found = self.project.modules.imported(self.place.path, item)
        return self.project.value(found) if found is not None else None

    # Members.

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """A member of a module, a class, an object, a row."""
        shape = base.shape
        if isinstance(shape, OneOf):
            either = each_way(state, base, lambda one: self.member(state, one, node) or NOTHING, node.at, node.end)
            return either if known(either) or either.origins else None
        if isinstance(shape, Record):
            if node.name in shape.fields:
                return None
            held = held_by(base, shape)
            if held is not base:
                return self.member(state, held, node)
        for stack in self.stacks:
            made = stack.member(state, base, node)
            if made is not None:
                return made
        if isinstance(shape, Space):
            found = self.project.modules.member(shape.path, node.name)
            return self.project.value(found) if found is not None else None
        if isinstance(shape, External):
            return self.project.outside(f"{shape.source}.{node.name}")
        if isinstance(shape, Marker) and shape.kind == "super":
            return self._super_member(base, shape, node.name)
        for info, instance in self._infos(base):
            made = self._object_member(state, info, base, node) if instance else self._class_member(state, info, base, node)
            if made is not None:
                return made
        return None

    def _infos(self, base: Val) -> Iterator[tuple[ClassInfo, bool]]:
        """The class of an object or row, or the class that a value is."""
        shape = base.shape
        if base.doc_of is not None and base.doc_of in self.project.rows:
            yield self.project.rows[base.doc_of], True
        elif isinstance(shape, ClassRef):
            info = self.project.info(shape)
            if info is not None:
                yield info, shape.instance
        elif isinstance(shape, Query) and shape.cls is not None:
            info = self.project.info(shape.cls)
            if info is not None:
                yield info, True

    def _class_member(self, state: State, info: ClassInfo, base: Val, node: tree.Member) -> Val | None:
        for stack in self.stacks:
            made = stack.class_member(state, info, node)
            if made is not None:
                return made.with_deps(base.deps)
        method = info.method(node.name)
        if method is not None:
            owner, fn = method
            return _method(owner, fn, base if fn.kind == "class" else None)
        inner = info.inner(node.name)
        if inner is not None:
            return Val(shape=ClassRef(inner[0].path, f"{inner[0].name}.{node.name}"))
        field = self.project.class_field(info, node.name)
        return self.project.truths.steady(field, node.name) if field is not None else None

    def _object_member(self, state: State, info: ClassInfo, base: Val, node: tree.Member) -> Val | None:
        method = info.method(node.name)
        if method is not None:
            made = self._implemented(info, method, base)
            if made is not None:
                return made
            owner, fn = method
            if fn.kind == "get":
                return self._project_call(state, node, _method(owner, fn, base).shape)  # type: ignore[arg-type]
            return _method(owner, fn, base)
        field = self.project.class_field(info, node.name)
        if field is not None and isinstance(field.shape, Many) and field.shape.items and info.extended(node.name):
            field = replace(field, shape=replace(field.shape, items=None, most=None))  # these are not all of them
        if field is None or not known(field):
            field = self.project.attribute(info, node.name) or field
        if field is None or not known(field):
            for stack in self.stacks:
                made = stack.own_member(state, info, base, node)
                if made is not None:
                    return made
        if field is None:
            return None
        state.touch(base, node.name)
        field = self.project.truths.steady(field, node.name)
        here = tuple(o.at(node.name) for o in base.origins if len(o.path) < 8)
        shape = self.project.held(field.shape) if isinstance(field.shape, Query) else field.shape
        return Val(here, base.deps, literal=field.literal, shape=shape, id_of=field.id_of, doc_of=field.doc_of, type=field.type)

    def _implemented(self, info: ClassInfo, method: tuple[ClassInfo, tree.Fn], base: Val) -> Val | None:
        """What a method that only says what there is to be done is in the one class that does it."""
        found = self.project.implementations.of(info, *method) if method[1].kind != "get" else None
        if found is None:
            return None
        whose, owner, fn = found
        shape = ClassRef(whose.path, whose.name, instance=True)
        return _method(owner, fn, replace(base, shape=shape) if fn.kind not in ("static", "class") else None)

    def _super_member(self, base: Val, shape: Marker, name: str) -> Val | None:
        info = self.project.classes.get(shape.data[0], shape.data[1])
        mine = next((own for own, _ in self._infos(shape.inner or NOTHING)), None)
        order = mine if mine is not None and info in mine.mro() else info  # a mixin hands on to what stands after it in the object's class
        found = order.method(name, after=info) if order is not None else None
        if found is None:
            return None
        owner, fn = found
        return _method(owner, fn, shape.inner if fn.kind != "static" else None)

    # Calls.

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """A call of a stack's word, of a function or a class of the project."""
        if base is not None:
            assert isinstance(node.func, tree.Member)
            handed = waited_for(state, node, base)
            if handed is not None:
                return handed
            func = self._callable(state, base, node.func)
            if isinstance(func.shape, OneOf):
                return reach(state, node, func, base)
        elif isinstance(node.func, tree.Name) and node.func.id == "super" and not func.interesting:
            return self._super(state, node)
        elif isinstance(node.func, tree.Index) and not func.interesting:
            with state.recording():
                generic = state.evaluate(node.func.base)
            func = generic if isinstance(generic.shape, ClassRef) else func  # `Repository[Note](session)`
        for stack in self.stacks:
            made = stack.call(state, node, func, base)
            if made is not None:
                return made
        shape = func.shape
        if isinstance(shape, Closure) and shape.name:
            return enqueued(self.project.modules, state, node, shape) or self._project_call(state, node, shape)
        handed = injected(self.project, state, node, shape) or put_off(self, state, node, func, base)
        handed = handed or (handed_on(self, state, node) if base is not None else None)
        if handed is not None:
            return handed
        if isinstance(shape, ClassRef) and not shape.instance:
            return self._made(state, node, shape)
        if base is not None:
            return self._own_call(state, node, base)
        return None

    def named_call(self, state: State, base: Val, node: tree.Call) -> Val | None:
        """A member that is called where Django's templates only name it: a method of a query, a row, an object. None for data."""
        assert isinstance(node.func, tree.Member)
        if isinstance(base.shape, Query):
            held = next((made for stack in self.stacks if (made := stack.member(state, base, node.func)) is not None), None)
            return held if held is not None else self.call(state, node, NOTHING, base)
        return self.call(state, node, NOTHING, base) if isinstance(self._callable(state, base, node.func).shape, Closure) else None

    def _callable(self, state: State, base: Val, node: tree.Member) -> Val:
        """What a method call reaches; data members are not looked at, since that may read them."""
        shape = base.shape
        if isinstance(shape, OneOf):
            return join_all([self._callable(state, one, node) for one in either_of(base)])
        if isinstance(shape, Record) and node.name in shape.fields:
            return shape.fields[node.name]
        if isinstance(shape, Record) and (held := held_by(base, shape)) is not base:
            return rebound(self._callable(state, held, node), held, base, shape)
        if isinstance(shape, Space | External) or (isinstance(shape, Marker) and shape.kind == "super"):
            return self.member(state, base, node) or NOTHING
        for info, instance in self._infos(base):
            method = info.method(node.name)
            if method is not None and instance and (made := self._implemented(info, method, base)) is not None:
                return made
            if method is not None and method[1].kind != "get":
                owner, fn = method
                bound = fn.kind != "static" and (instance or fn.kind == "class")
                return _method(owner, fn, base if bound else None)
            if method is None and not instance:
                return self._class_member(state, info, base, node) or NOTHING
            if method is None:
                field = self.project.class_field(info, node.name) or self.project.attribute(info, node.name) or NOTHING
                return field if isinstance(field.shape, ClassRef | Closure | External) else NOTHING
        return NOTHING

    def _super(self, state: State, node: tree.Call) -> Val | None:
        owner = self.place.owner
        if owner is None:
            return None
        me: Val | None = None
        if isinstance(node.func, tree.Name):
            var = state.scope.find("self") or state.scope.find("cls")
            me = state.store.get(var) if var is not None else None
        return Val(shape=Marker("super", (owner.path, owner.name), me))

    def _own_call(self, state: State, node: tree.Call, base: Val) -> Val | None:
        shape = base.shape
        if isinstance(shape, Marker) and shape.kind == "super":
            info = self.project.classes.get(shape.data[0], shape.data[1])
            base = shape.inner or NOTHING
            pairs = [*self._infos(base), *([(info, True)] if info is not None else [])]
        else:
            if isinstance(shape, Record):
                base = held_by(base, shape)
            pairs = list(self._infos(base))
        for info, _ in pairs:
            for stack in self.stacks:
                made = stack.own_call(state, info, base, node)
                if made is not None:
                    return made
        return None

    def _made(self, state: State, node: tree.Call, shape: ClassRef) -> Val | None:
        info = self.project.info(shape)
        if info is None:
            return None
        for stack in self.stacks:
            made = stack.made(state, node, info)
            if made is not None:
                return made
        made = Val(shape=ClassRef(shape.path, shape.name, instance=True))
        found = info.method("__init__")
        if found is not None:
            owner, fn = found
            args = placed(state, node, fn, (made,))
            self.reached(state, node, Closure(fn, None, owner.path, f"{owner.name}.{fn.name}", this=made), args)
            classes = {k: args[n] for k, n in info.stored(fn) if n < len(args) and self.project.maps(args[n])}
            if classes and self.place.quiet:  # at the top of a module, which is no walk of its own
                self.project.hint(f"{owner.path}::{owner.name}.{fn.name}", args)
            made = Val(shape=Record(classes, (made,))) if classes else made
            return made.with_deps(derived(*args).deps)  # the object holds what it was made of
        given = placed(state, node, None)
        for value in given:
            state.leak(value, Escape.PASSED, node.at, node.end)
        return made.with_deps(derived(*given).deps)

    def _project_call(self, state: State, node: tree.Call | tree.Member, closure: Closure) -> Val:
        first = (closure.this,) if closure.this is not None else ()
        args = placed(state, node, closure.fn, first) if isinstance(node, tree.Call) else first
        return self.reached(state, node, closure, args)

    def reached(self, state: State, node: tree.Call | tree.Member, closure: Closure, args: tuple[Val, ...], *, beside: bool = False) -> Val:
        """A function of the project is called with these arguments; one that runs `beside` the caller is not waited for."""
        fn = closure.fn
        target = Target(TargetKind.FUNCTION, closure.path, closure.name)
        unwritten = isinstance(node, tree.Member) and isinstance(node.base, tree.Opaque)  # what a schema names, and no code
        said = closure.name.rpartition(".")[2] if unwritten else state.text(node.func if isinstance(node, tree.Call) else node)
        if not self.place.quiet:
            self.project.hint(f"{closure.path}::{closure.name}", args)
        state.hang(arg for arg in args if arg is not closure.this)  # whoever is handed a query may run it
        result = self.project.result(closure, args)
        kept = keeps(fn)
        made = state.call(target, Mode.DIRECT, args, node, said or closure.name, kept=kept, rows=_table(result))
        if isinstance(node, tree.Call):
            run_handed_closures(state, node, args, made)
        value = arrived(result, made, args, node.at, node.end, None) if known(result) or result.origins else made
        if isinstance(value.shape, Query):
            value = state.handed_back(value, value.shape, kept=kept)
        value = tested_by(state, node, closure, args, value)
        return value if fn.is_async or beside else state.wait(value.with_pending(made.pending), node.at, node.end)

    def asks(self, source: bytes) -> bool:
        """No page of these stacks has handlers of events that are walked."""
        return False

    def called_back(self, state: State, node: tree.Call, func: Val, args: tuple[Val, ...]) -> Val | None:
        """A named function of the project that is handed to `map` and the like."""
        shape = func.shape
        if isinstance(shape, Closure) and shape.name:
            first = (shape.this,) if shape.this is not None else ()
            return self.reached(state, node, shape, (*first, *args))
        return None

    def recursive(self, state: State, closure: Closure) -> Target | None:
        """A local function that calls itself becomes a function of its own."""
        number = closure.fn.at
        if number not in self.place.named:
            name = self.place.named[number] = f"{self.place.name}.{closure.label}"
            self.place.locals.append(Local(name, closure.fn, closure, outer(self.place, state)))
        return Target(TargetKind.FUNCTION, self.place.path, self.place.named[number])

    # The rest.

    def element(self, state: State, node: tree.Element) -> Val | None:
        """Python has no elements."""
        return None

    def awaited(self, state: State, value: Val, at: int, end: int) -> Val | None:
        """Waiting for what runs only when waited for."""
        for stack in self.stacks:
            made = stack.awaited(state, value, at, end)
            if made is not None:
                return made
        return None

    def rows(self, state: State, value: Val, at: int, end: int, *, partial: bool) -> Val | None:
        """A query is iterated."""
        for stack in self.stacks:
            made = stack.rows(state, value, at, end, partial=partial)
            if made is not None:
                return made
        return None

    def consumed(self, state: State, value: Val, how: Consumption, node: tree.Expr) -> Val | None:
        """A query is run by the language; a shown object runs its `__str__`."""
        for stack in self.stacks:
            made = stack.consumed(state, value, how, node)
            if made is not None:
                return made
        if how is Consumption.SHOWN and value.doc_of is not None:
            for info, _ in self._infos(value):
                found = info.method("__str__") or info.method("__unicode__")
                if found is not None:
                    owner, fn = found
                    fake = tree.Member(tree.Opaque([], node.at, node.at), "__str__", node.at, node.end, node.at)
                    return self._project_call(state, fake, _method(owner, fn, value).shape)  # type: ignore[arg-type]
        return None

    def assigned(self, state: State, base: Val, target: tree.Member, value: Val) -> None:
        """A member of a value is set: a row may be written later for it."""
        for stack in self.stacks:
            stack.assigned(state, base, target, value)

    def typed(self, state: State, value: Val, type_text: str) -> Val:
        """An annotation says what a value is where nothing else does."""
        if known(value):
            return value
        declared = self.project.annotations.value(self.place.path, type_text)
        if not known(declared):
            return value
        shape = declared.shape
        if isinstance(shape, Many) and value.origins:
            item = Val(tuple(o.at("[]") for o in value.origins), shape=shape.item.shape, doc_of=shape.item.doc_of)
            shape = Many(item, None, shape.keyed)
        return Val(value.origins, value.deps, value.pending, shape=shape, doc_of=declared.doc_of)


def _table(value: Val) -> str | None:
    """The table whose rows a value is, or holds."""
    row = value.shape.item if isinstance(value.shape, Many) and value.doc_of is None else value
    return row.doc_of if row.type != SEVERAL else None


def _method(owner: ClassInfo, fn: tree.Fn, this: Val | None) -> Val:
    return Val(shape=Closure(fn, None, owner.path, f"{owner.name}.{fn.name}", this=this))
