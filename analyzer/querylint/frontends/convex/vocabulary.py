"""What Convex's words mean: contexts, the database handle, queries, writes, calls of other functions (convex-facts 1.1-1.5)."""

from __future__ import annotations

import re

from querylint.construction import replace
from querylint.frontends.convex import ent_queries, helpers, hooks, makers, queries, timers
from querylint.frontends.convex.annotations import declared_result, typed
from querylint.frontends.convex.context import ModuleContext, Registered, context_value, database_value, field_value
from querylint.frontends.convex.database import on_database, vector_search
from querylint.frontends.convex.handles import SMALL, in_place
from querylint.frontends.convex.names import defined, named_reference
from querylint.frontends.convex.naming import kind_of_callee
from querylint.frontends.convex.ranges import calls_of
from querylint.frontends.convex.references import reached
from querylint.frontends.convex.registration import registration
from querylint.frontends.flow import handlers
from querylint.frontends.flow.calls import arguments, reach, run_handed_closures
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NOTHING,
    ClassRef,
    Closure,
    External,
    Made,
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
    many,
)
from querylint.frontends.flow.vocabulary import Consumption
from querylint.ir import Bound, Mode, Root, Target, TargetKind
from querylint.pattern import Pattern
from querylint.syntax import tree

RUN = {"runQuery": Mode.QUERY, "runMutation": Mode.MUTATION, "runAction": Mode.ACTION}
CLIENT_METHODS = {"query": Mode.QUERY, "mutation": Mode.MUTATION, "action": Mode.ACTION}
FETCHERS = {"fetchQuery": Mode.QUERY, "preloadQuery": Mode.QUERY, "fetchMutation": Mode.MUTATION, "fetchAction": Mode.ACTION}
ENDING = {"collect": 0, "unique": 0, "paginate": 1}  # how many arguments: `aggregate.paginate(ctx, options)` is of something else
COMPONENT = Pattern(r"(?:^|\.)component\w*\.", re.IGNORECASE)


class ConvexVocabulary:
    """The meaning of names, members and calls in one Convex module."""

    def __init__(self, context: ModuleContext) -> None:
        self.context = context
        self.names: dict[str, Val | None] = {}

    # Names.

    def name(self, state: State, name: str) -> Val | None:
        """A top-level name of the module, wherever it is defined."""
        if name not in self.names:
            definition = self.context.modules.definition(self.context.path, name)
            self.names[name] = defined(self.context, definition) if definition is not None else None
        return self.names[name]

    # Members.

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """Contexts lead to databases, documents to typed fields, references to longer references."""
        name, shape = node.name, base.shape
        if isinstance(shape, Marker):
            found = self._marker_member(base, shape, name)
            if found is not None:
                return found
        if isinstance(shape, Made):
            part = makers.member(base, name)
            if part is not None:
                return part
        if isinstance(shape, OneOf):
            parts = [self.member(state, one, node) for one in either_of(base)]
            return join_all([part for part in parts if part is not None]) if any(parts) else None
        if isinstance(shape, Space):
            definition = self.context.modules.exported(shape.path, name)
            return defined(self.context, definition) if definition is not None else None
        if isinstance(shape, ClassRef):
            if name in ("db", "ctx"):
                return database_value(Val()) if name == "db" else context_value(Val())
            return Val(shape=Marker("function", (shape.path, f"{shape.name}.{name}")))
        if name == "db" and not isinstance(shape, External | Record | Many) and not (base.origins and base.origins[0].root is Root.STEP):
            return database_value(base)
        if name == "ctx" and isinstance(node.base, tree.Name) and node.base.id == "this":
            return context_value(Val())
        if base.doc_of is not None:
            return self._document_member(state, base, name)
        return None

    def _marker_member(self, base: Val, shape: Marker, name: str) -> Val | None:
        if shape.kind == "ref":
            return Val(shape=Marker("ref", (*shape.data, name)))
        if shape.kind == "ctx" and name in ("db", "unsafeDb", "rawDb"):
            return database_value(base)
        if shape.kind == "db" and name == "system":
            return database_value(base, system=True)
        if shape.kind == "registrar" and name == "withArgs":
            return base
        return None

    def _document_member(self, state: State, base: Val, name: str) -> Val | None:
        table = self.context.table(base.doc_of)
        if name in ("edge", "edgeX", "doc", "length"):
            return None
        state.touch(base, name)
        if name == "_id":
            return Val(tuple(o.at("_id") for o in base.origins), base.deps, base.pending, id_of=base.doc_of)
        declared = table.field(name) if table is not None else None
        return field_value(base.origins, base.deps | base.pending, declared, name)

    # Calls.

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """A call of the database, of another function, or of a well-known library."""
        timed = timers.started(self.context, state, node, func, base)
        if timed is not None:
            return timed
        if base is not None:
            assert isinstance(node.func, tree.Member)
            return self._method(state, node, node.func, base)
        shape = func.shape
        if isinstance(shape, External):
            return self._external(state, node, shape)
        if isinstance(shape, Made):
            return makers.call(state, self.context, node, func)
        if isinstance(shape, ClassRef) and node.new:
            return Val(deps=derived(*arguments(state, node)).deps, shape=replace(shape, instance=True))
        target = self._target(func)
        if target is not None:
            asked = in_place(state, node, shape) if isinstance(shape, Closure) else None
            if asked is not None:
                return asked
            result = self._own_hook(state, node, target.name) or self._project_call(state, node, func, target)
            return declared_result(self.context, result, shape.fn.returns) if isinstance(shape, Closure) else result
        kind = kind_of_callee(self.context, self.context.path, node.func)
        if kind is not None and not isinstance(shape, Closure):
            return self._register(state, node)
        return None

    def _target(self, func: Val) -> Target | None:
        shape = func.shape
        if isinstance(shape, Closure) and shape.name:
            return Target(TargetKind.FUNCTION, shape.path, shape.name)
        if isinstance(shape, Marker) and shape.kind in ("function", "made"):
            return Target(TargetKind.FUNCTION, shape.data[0], shape.data[1])
        return None

    def _own_hook(self, state: State, node: tree.Call, name: str) -> Val | None:
        """A hook of the project that is given a query stands for one of the library."""
        if not hooks.OWN.match(name) or not node.args or not isinstance(node.args[0], tree.Member):
            return None
        made = self._reached(state, node, Mode.SUBSCRIBE)
        return hooks.result(name, made) if made is not None else None

    def _project_call(self, state: State, node: tree.Call, func: Val, target: Target) -> Val:
        args = arguments(state, node)
        result = state.call(target, Mode.DIRECT, args, node, state.text(node.func))
        run_handed_closures(state, node, args, result)
        return makers.made(self.context, result, func, target, args)

    def asks(self, source: bytes) -> bool:
        """A handler of an event asks the server by a client, for a function of the platform."""
        return b".query(" in source and b"api." in source

    def called_back(self, state: State, node: tree.Call, func: Val, args: tuple[Val, ...]) -> Val | None:
        """A named function of the project as the callback of an array method."""
        if isinstance(func.shape, Made) and func.shape.parts.fn is not None:
            return makers.reached(state, node, func.deps, func.shape, args)
        target = self._target(func)
        if target is None:
            return None
        if (
            isinstance(func.shape, Closure)
            and func.shape.path == self.context.path
            and not func.shape.fn.is_async
            and func.shape.fn.end - func.shape.fn.at < SMALL
        ):
            return state.invoke(Closure(func.shape.fn, None, func.shape.path), args, node.at, node.end, inline=True)
        return state.call(target, Mode.DIRECT, args, node, target.name)

    def _method(self, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
        name, shape = func.name, base.shape
        part = makers.member(base, name)
        if part is not None:
            return makers.call(state, self.context, node, part)
        if isinstance(shape, Marker) and shape.kind == "db":
            return on_database(state, node, func, shape)
        if isinstance(shape, Query):
            made = ent_queries.chained(state, self.context, node, func, base) if shape.flavor == "ents" else None
            return made if made is not None else queries.chained(state, self.context, node, func, shape, base.deps)
        if isinstance(shape, External):
            return self._external(state, node, External(shape.source, f"{shape.name}.{name}"))
        if name in RUN and node.args:
            return self._run(state, node, RUN[name])
        if name in ("runAfter", "runAt") and len(node.args) >= 2:
            return self._schedule(state, node)
        if name in CLIENT_METHODS and node.args and not (isinstance(shape, Marker) and shape.kind == "ctx"):
            made = self._reached(state, node, CLIENT_METHODS[name])
            if made is not None:
                return made
        if name == "vectorSearch" and len(node.args) >= 2:
            return vector_search(state, node)
        if name in ("table", "skipRules") and (shape is None or (isinstance(shape, Marker) and shape.kind == "ctx")):
            made = ent_queries.table(state, node)
            if made is not None:
                return made
        if name in ("edge", "edgeX", "doc"):
            made = ent_queries.edge(state, self.context, node, base)
            if made is not None:
                return made
        if name in queries.TERMINALS:
            query = self._awaited_before(base)
            if query is not None:
                return queries.chained(state, self.context, node, func, query, base.deps)
        handed = self._handed_in(state, node, func, base)
        if handed is not None:
            return handed
        held = NOTHING
        if isinstance(shape, Space | ClassRef | Marker | OneOf):
            held = self.member(state, base, func) or NOTHING
        elif isinstance(shape, Record):
            held = shape.fields.get(name, NOTHING)
            held = held if isinstance(held.shape, Marker | Made) else NOTHING
        if isinstance(held.shape, OneOf):
            return reach(state, node, held, base)
        if isinstance(held.shape, Made):
            return makers.call(state, self.context, node, held)
        target = self._target(held)
        return self._project_call(state, node, held, target) if target is not None else None

    def _handed_in(self, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
        """A query that someone else built: a parameter or the result of a helper, finished here."""
        if not base.origins or base.shape is not None or base.doc_of is not None or base.origins[0] in state.alone:
            return None
        name = func.name
        certain = name in ("withIndex", "withSearchIndex") or ENDING.get(name) == len(node.args)
        if name in ("first", "take"):
            certain = not base.origins[0].path and ((name == "first" and not node.args) or (name == "take" and len(node.args) == 1))
        if name == "order" and len(node.args) == 1 and isinstance(node.args[0], tree.Literal) and node.args[0].value in ("asc", "desc"):
            certain = True
        if name == "filter" and node.args and isinstance(node.args[0], tree.Fn) and _uses_field(node.args[0]):
            certain = True
        if not certain:
            return None
        whole = queries.start(None, func.base.at, node.end, base=base.origins[0], deps=base.deps)
        assert isinstance(whole.shape, Query)
        return queries.chained(state, self.context, node, func, whole.shape, base.deps)

    # Other functions.

    def _run(self, state: State, node: tree.Call, mode: Mode) -> Val | None:
        text = state.text(node.args[0])
        return self._reached(state, node, mode, unknown=f"components.{text}" if COMPONENT.search(text) else text)

    def _reached(self, state: State, node: tree.Call, mode: Mode, *, at: int = 0, unknown: str = "") -> Val | None:
        return reached(state, self.context.api_root, node, mode, at=at, unknown=unknown)

    def _schedule(self, state: State, node: tree.Call) -> Val | None:
        delay = state.evaluate(node.args[0])
        made = self._reached(state, node, Mode.SCHEDULE, at=1, unknown=state.text(node.args[1]))
        return made.with_deps(delay.deps) if made is not None else None

    def _external(self, state: State, node: tree.Call, shape: External) -> Val | None:
        name = shape.name.rpartition(".")[2]
        reference = named_reference(node)
        if reference is not None:
            return reference
        if name in hooks.NAMES and node.args:
            asked = self._reached(state, node, Mode.SUBSCRIBE)
            if asked is not None:
                return hooks.result(name, asked)
        if name in FETCHERS and node.args:
            asked = self._reached(state, node, FETCHERS[name])
            if asked is not None:
                return asked
        made = helpers.call(state, self.context, node, shape)
        if made is not None:
            return made
        if kind_of_callee(self.context, self.context.path, node.func) is not None:
            return self._register(state, node)
        return None

    def _register(self, state: State, node: tree.Call) -> Val | None:
        """A function registered inside another function: it is walked on its own."""
        found = registration(node, lambda e: kind_of_callee(self.context, self.context.path, e))
        if found is None or found.fn is None:
            return None
        if not any(r.node is node for r in self.context.inner):
            self.context.inner.append(
                Registered("", found.fn, found.kind, found.public, NOTHING, node, state.scope, dict(state.store))  # type: ignore[arg-type]
            )
        return NOTHING

    def recursive(self, state: State, closure: Closure) -> Target | None:
        """A local function that calls itself becomes a function of its own, so that its calls of itself can be seen."""
        number = closure.fn.at
        if number not in self.context.named:
            name = self.context.named[number] = f"{self.context.owner}.{closure.label}"
            self.context.inner.append(
                Registered(name, closure.fn, "plain", False, NOTHING, None, closure.scope, dict(state.store))  # type: ignore[arg-type]
            )
        return Target(TargetKind.FUNCTION, self.context.path, self.context.named[number])

    # The rest.

    def element(self, state: State, node: tree.Element) -> Val | None:
        """A component of the project is called with its properties."""
        tag = node.tag
        if not isinstance(tag, tree.Name) or not tag.id[:1].isupper():
            return None
        var = state.scope.find(tag.id)
        value = state.store.get(var, NOTHING) if var is not None else self.name(state, tag.id) or NOTHING
        target = self._target(value)
        if target is None:
            return None
        fields: dict[str, Val] = {}
        rest: list[Val] = []
        for key, attribute in node.attributes:
            given = state.evaluate(attribute)
            for one in either_of(given):
                handlers.walk(state, one)
            if key is None:
                rest.append(given)
            else:
                fields[key] = given
        children = [state.evaluate(child) for child in node.children]
        if children:
            fields.setdefault("children", many(tuple(children)))
        props = Val(deps=derived(*fields.values(), *rest).deps, shape=Record(fields, tuple(rest)))
        return state.call(target, Mode.DIRECT, (props,), node, tag.id)

    def awaited(self, state: State, value: Val, at: int, end: int) -> Val | None:
        """Waiting for a query that has no terminal: convex-ents then runs it, plain Convex fails; a promise of a query is one by then."""
        shape = value.shape
        if isinstance(shape, Query):
            if shape.flavor.startswith("ents"):
                return ent_queries.finished(state, value, at, end)
            if value.pending:
                return None
            made = queries.rows(state, shape, at, end, "", Bound.ALL)
            self.context.awaited.update((o.ref, shape) for o in made.origins if isinstance(o.ref, int))
            return made
        if isinstance(shape, Many) and isinstance(shape.item.shape, Query) and shape.items is None:
            return value
        return None

    def _awaited_before(self, value: Val) -> Query | None:
        """The query that an `await` handed back as it was, and that is run only now: the await itself was no read."""
        for origin in value.origins:
            query = self.context.awaited.get(origin.ref) if isinstance(origin.ref, int) and not origin.path else None
            if query is not None and isinstance(origin.ref, int):
                self.context.run_later.add(origin.ref)
                return query
        return None

    def rows(self, state: State, value: Val, at: int, end: int, *, partial: bool) -> Val | None:
        """`for await` over a query reads row after row, to the end unless the loop leaves early."""
        query = value.shape if isinstance(value.shape, Query) else self._awaited_before(value)
        if query is None:
            return None
        if query.one:
            return ent_queries.finished(state, value, at, end)
        read = queries.rows(state, query, at, end, "for await", Bound.LIMIT if partial else Bound.ALL)
        return state.wait(read, at, end)

    def consumed(self, state: State, value: Val, how: Consumption, node: tree.Expr) -> Val | None:
        """Queries of Convex run by their terminals only."""
        return None

    def imported(self, state: State, item: tree.Import) -> Val | None:
        """Modules of JavaScript import at their top."""
        return None

    def assigned(self, state: State, base: Val, target: tree.Member, value: Val) -> None:
        """Documents are plain values: setting a field of one writes nothing."""

    def typed(self, state: State, value: Val, type_text: str) -> Val:
        """Types that name a table, a context, a database handle or a class of the project."""
        return typed(self.context, value, type_text)


def _uses_field(fn: tree.Fn) -> bool:
    return any(True for _ in calls_of(fn.body, frozenset(("field", "eq", "neq", "gt", "gte", "lt", "lte", "and", "or"))))
