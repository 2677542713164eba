"""Django: models, managers, querysets, rows and their relations, views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from querylint.construction import replace
from querylint.frontends.flow import works
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NOTHING,
    ClassRef,
    Closure,
    External,
    Many,
    Marker,
    Query,
    Record,
    Val,
    derived,
    literal,
)
from querylint.frontends.flow.vocabulary import Consumption
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.portable import arrived
from querylint.frontends.python.stack import Noted, Stack
from querylint.frontends.python.stacks.django import (
    ahead,
    annotated,
    forms,
    functions,
    graphql,
    managers,
    ninja,
    paging,
    querysets,
    rows,
    serializers,
    views,
    words,
)
from querylint.frontends.python.stacks.django.annotated import Annotated
from querylint.frontends.python.stacks.django.managers import is_manager
from querylint.frontends.python.stacks.django.model import Model
from querylint.frontends.python.stacks.django.models import Models
from querylint.ir import Eager, Facts, Kind, Loading, Path, Plan, Relation, Role, Table, Way, Work
from querylint.result import Note, NoteKind
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject


class Django(Stack):
    """Everything that reaches a database through Django."""

    name: ClassVar[str] = "django"
    words: ClassVar[tuple[bytes, ...]] = (b"django.db", b"from django", b"import django")
    facts: Facts = Facts(bulk_writes=True, bulk_reads=True, parallel=False, planner=True, lazy=True, once=False)

    def __init__(self, project: PythonProject) -> None:
        super().__init__(project)
        self.models: Models
        self.guarded = False
        self.attributes: dict[str, str | None] = {}
        self.routes: dict[tuple[str, str], frozenset[str] | None] | None = None
        self.routing: list[str] = []
        self.registered: dict[tuple[str, str], Model] | None = None
        self.brought: Noted[dict[int, list[Eager]]] = Noted("rows brought along", dict)
        self.handed: Noted[list[tuple[int, Path]]] = Noted("rows handed on", list)
        self.annotations = Annotated(project.modules, project.classes)
        self._managers: dict[tuple[str, str, str], Val] = {}
        self.listing: dict[int, ClassInfo] = {}  # by a function of GraphQL, the type of the rows that it gives

    def tables(self) -> Mapping[str, Table]:
        """The models of the project."""
        files = [f for f in sorted(self.project.modules.files) if self.project.role(f) is not Role.TEST]
        self.models = Models(self.project, files)
        serializers.supply(self, files)
        graphql.supply(self, files)
        self.guarded = any(b"guardian" in (self.project.modules.source(f) or b"") for f in files)
        return self.models.tables()

    def notes(self) -> list[Note]:
        """A project without models is said."""
        if not any(m.info is not None for m in self.models.by_table.values()):
            return [Note(NoteKind.HINT, "no Django model was found, so relations and indexes are not checked")]
        return []

    def closely(self) -> list[str]:
        """The files whose routes say which views have a list, and those that register admin classes."""
        return self.routing

    # Models as values.

    def model_of(self, val: Val) -> Model | None:
        """The model that a value is."""
        shape = val.shape
        if isinstance(shape, Marker) and shape.kind == "model":
            return self.models.by_table.get(shape.data[0])
        if isinstance(shape, ClassRef) and not shape.instance:
            return self.models.by_class.get((shape.path, shape.name))
        return None

    def external(self, name: str) -> Val | None:
        """Models that Django brings along, and its markers."""
        model = self.models.outside.get(name)
        if model is not None:
            return Val(shape=Marker("model", (model.table,)))
        if name.endswith("settings.AUTH_USER_MODEL"):
            return literal(self.models.user)
        return None

    def annotated(self, name: str, args: tuple[Val, ...]) -> Val | None:
        """`QuerySet[Post]`, `Manager[Post]`, `User`, `HttpRequest`."""
        model = self.models.outside.get(name)
        if model is not None:
            return Val(doc_of=model.table)
        word = name.rpartition(".")[2]
        if word in ("QuerySet", "Manager", "BaseManager", "RelatedManager", "QuerySetAny", "ValuesQuerySet"):
            table = args[0].doc_of if args else None
            return querysets.start(table, 0, 0)
        if word in ("HttpRequest", "Request", "WSGIRequest", "ASGIRequest", "AuthenticatedHttpRequest"):
            return Val(shape=Marker("request"))
        return None

    def instance(self, info: ClassInfo) -> Val | None:
        """A row of a model; a manager or queryset of one."""
        model = self.models.by_class.get((info.path, info.name))
        if model is not None:
            return Val(doc_of=model.table)
        if is_manager(info):
            tables = {t for owner in (info, *info.subclasses) for t in self.models.managed.get((owner.path, owner.name), ())}
            table = next(iter(tables)) if len(tables) == 1 else None
            return querysets.start(table, 0, 0, cls=ClassRef(info.path, info.name))
        return None

    def made(self, state: State, node: tree.Call, info: ClassInfo) -> Val | None:
        """A new row, not stored yet; a queryset over the model at hand."""
        model = self.models.by_class.get((info.path, info.name))
        if model is not None:
            args = [state.evaluate(a) for a in node.args]
            fields = {k: state.evaluate(v) for k, v in node.keywords}
            loose = fields.pop("**", None)
            return Val(
                deps=derived(*args, *fields.values()).deps, shape=Record(fields, (loose,) if loose is not None else ()), doc_of=model.table
            )
        if paging.is_paginator(info) and (node.args or node.keywords):
            return paging.paginator(state, node)
        if serializers.is_serializer(info):
            return serializers.serialized(self, state, node, info)
        if is_manager(info):
            args = [state.evaluate(a) for a in node.args]
            given = next(
                (m for a in (*args, *(state.evaluate(v) for k, v in node.keywords if k == "model")) if (m := self.model_of(a))), None
            )
            table = given.table if given is not None else managers.own_table(state)
            return querysets.start(table, node.at, node.end, cls=ClassRef(info.path, info.name))
        return forms.made(state, node, info)

    def class_member(self, state: State, info: ClassInfo, node: tree.Member) -> Val | None:
        """`Post.objects`."""
        model = self.models.by_class.get((info.path, info.name))
        return self.manager(state, model, node) if model is not None else None

    def manager(self, state: State, model: Model, node: tree.Member) -> Val | None:
        """A manager of a model, with the rows that it chooses by itself."""
        name = node.name
        if name not in model.managers and name not in ("objects", "_default_manager", "_base_manager", "all_objects"):
            return literal(name) if name == "DoesNotExist" else None
        info = model.managers.get(name)
        if name == "_default_manager" and model.managers:
            info = next(iter(model.managers.values()))
        if info is None:
            return querysets.start(model.table, node.at, node.end, manager=True)
        made = self.chosen(state, model.table, info, node.at, node.end)
        return replace(made, shape=replace(made.shape, manager=True)) if isinstance(made.shape, Query) else made

    def chosen(self, state: State, table: str | None, info: ClassInfo, at: int, end: int) -> Val:
        """The queryset of a manager class, as its `get_queryset` makes it."""
        base = querysets.start(table, at, end, cls=ClassRef(info.path, info.name))
        found = info.method("get_queryset") or info.method("get_query_set")
        if found is None:
            return base
        owner, fn = found
        result = self.project.result(Closure(fn, None, owner.path, f"{owner.name}.{fn.name}", this=base), (base,))
        made = arrived(result, NOTHING, (base,), at, end, None)
        if not isinstance(made.shape, Query) or made.shape.yields:
            return base
        own = made.shape.cls
        cls = own if own is not None else ClassRef(info.path, info.name)
        return Val(shape=replace(made.shape, table=made.shape.table or table, made=None, refined=False, cls=self._both(info, cls)))

    def _both(self, info: ClassInfo, cls: ClassRef) -> ClassRef:
        """A manager hands calls on to the queryset that it makes: the methods of both count."""
        other = self.project.info(cls)
        if other is None or other is info or info in other.mro():
            return cls
        return self.project.classes.joined(info, other)

    # Members.

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """Columns and relations of rows, managers of built-in models, the user of a request."""
        shape = base.shape
        if (found := paging.member(state, base, node) or annotated.kept(base, node) or functions.between(self, state, node)) is not None:
            return found
        if isinstance(shape, Marker):
            if shape.kind == "model":
                model = self.models.by_table.get(shape.data[0])
                return self.manager(state, model, node) if model is not None else None
            if shape.kind == "request":
                if node.name == "user":
                    user = self.models.user_model()
                    return Val(tuple(o.at("user") for o in base.origins), base.deps, doc_of=user.table if user is not None else None)
                return None
        if isinstance(shape, Query) and shape.flavor == querysets.FLAVOR:
            if node.name == "model" and shape.table is not None:
                return Val(shape=Marker("model", (shape.table,)))
            return None
        if base.doc_of is not None:
            return rows.member(self, state, base, node)
        return functions.unseen(self, base, node)

    # Calls.

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """Methods of querysets and rows, shortcuts, models by name."""
        shape = func.shape
        if isinstance(shape, External):
            return functions.outside(self, state, node, shape.source)
        if isinstance(shape, Marker) and shape.kind == "model" and base is None:
            fields = {k: state.evaluate(v) for k, v in node.keywords}
            return Val(deps=derived(*fields.values()).deps, shape=Record(fields), doc_of=shape.data[0])
        if isinstance(shape, Closure) and base is None:
            return self.annotations.looked_up(state, node, shape) or functions.wrapped(self, state, node, shape.name)
        if base is None or not isinstance(node.func, tree.Member):
            return self.annotations.brought_along(state, node, self.models) if base is None else None
        if isinstance(shape, Closure) and shape.name:
            if base.doc_of in self.models.by_table and node.func.name in words.ROW_WRITES:
                rows.written(state, node, node.func.name, base)  # before what the model's own method does besides
            if isinstance(base.shape, Query) and managers.keeps_for_later(shape.fn):
                return querysets.unread(state, node, base, base.shape)
            return self.annotations.looked_up(state, node, shape)
        if isinstance(shape, ClassRef) and not shape.instance:
            return None  # a class that a manager holds: `self.queryset_class(self.model)`
        asked = functions.permission(self, state, node, node.func, base)
        if asked is not None:
            return asked
        receiver = base.shape
        if isinstance(receiver, Marker) and receiver.kind == paging.PAGINATOR:
            return paging.call(state, node, node.func, base, receiver)
        if isinstance(receiver, Marker) and receiver.kind == rows.FILE:
            return rows.stored(state, node, node.func, receiver)
        if isinstance(receiver, Query) and receiver.flavor == querysets.FLAVOR:
            return self.queried(state, node, node.func, base, receiver)
        if base.doc_of is not None:
            return rows.call(self, state, node, node.func, base)
        return None

    def one(self, state: State, made: Val, node: tree.Call, verb: str, *, later: bool) -> Val:
        """One row, by its key where the conditions are nothing else."""
        query = made.shape
        assert isinstance(query, Query)
        model = self.models.by_table.get(query.table) if query.table is not None else None
        found = [p for p in query.plans[0].predicates if p.relation is Relation.EQ]
        if model is not None and len(query.plans) == 1 and query.base is None:
            by_key = next((p for p in found if p.field == model.key), None)
            if by_key is not None:
                plan = replace(query.plans[0], way=Way.KEY)
                key = by_key.value
                return querysets.row(state, replace(query, plans=(plan,)), node.at, node.end, verb, deps=made.deps, key=key, later=later)
        return querysets.row(state, query, node.at, node.end, verb, deps=made.deps, later=later)

    def queried(self, state: State, node: tree.Call, func: tree.Member, base: Val, query: Query) -> Val | None:
        """A method of a queryset or a manager."""
        name = func.name
        later = name.startswith("a") and name[1:] in words.WRITES | words.ONE | words.COUNTS | {"in_bulk"}
        word = name[1:] if later else name
        at, end = node.at, node.end
        if word in words.BUILDERS or word in (words.OWN, words.JOINS):
            return querysets.built(state, self.models, node, word, base, query)
        if word in words.OTHER_TABLE | words.REMEMBERED and query.table == "ContentType":
            args = [querysets.plain(state.evaluate(a)) for a in (*node.args, *(v for _, v in node.keywords))]
            return replace(derived(base, *args), doc_of=query.table if word in words.REMEMBERED else None)
        if name == "model" and query.table is not None:  # `self.model(...)` makes a row of the kind that the manager is for
            loose = [state.evaluate(a) for a in node.args]
            fields = {k: state.evaluate(v) for k, v in node.keywords}
            return Val(deps=derived(*loose, *fields.values()).deps, shape=Record(fields), doc_of=query.table)
        if word == "raw":
            for arg in node.args:
                state.evaluate(arg)
            # A raw query keeps what comes along by queries of their own; a join that the statement does not have is lost.
            batched = tuple(e for plan in query.plans for e in plan.eager if e.loading is Loading.BATCHED)
            return Val(deps=base.deps, shape=replace(query, end=end, refined=True, manager=False, plans=(Plan(Way.OPAQUE, eager=batched),)))
        known = state.results.get(id(query))
        if word in ("count", "exists") and known is not None:
            state.use(Work.COUNT if word == "count" else Work.EMPTY, known[1], at, end)
            return Val(deps=known[1].deps)
        if word in words.ONE:
            if word == "first" and known is not None and self._ordered(query):  # the last one is asked for by a query of its own
                return works.picked(state, Work.FIRST, known[1], at, end)
            if word == "first" and query.follows is not None and not query.refined and not node.args and self._ordered(query):
                deps = query.deps | base.deps  # cut from the rows that were loaded ahead, where they were
                return querysets.row(state, replace(query, end=end), at, end, name, deps=deps, refined=False, later=later)
            made = querysets.built(state, self.models, node, "filter", base, query)
            return self.one(state, made, node, name, later=later)
        if word in words.COUNTS:
            args = [querysets.plain(state.evaluate(a)) for a in (*node.args, *(v for _, v in node.keywords))]
            return querysets.number_of(state, query, at, end, word, derived(base, *args).deps, later=later)
        if word == "in_bulk":
            args = [state.evaluate(a) for a in node.args]
            found = querysets.rows(
                state, Val(deps=derived(base, *args).deps, shape=replace(query, end=end, refined=True)), at, end, name, later=later
            )
            return replace(found, shape=Many(found.item(), None, True))
        if word in words.WRITES:
            return rows.bulk(self, state, node, word, base, query, later=later)
        if word == "iterator":
            return base
        return querysets.unread(state, node, base, query) if query.table is not None and not name.startswith("_") else None

    def _ordered(self, query: Query) -> bool:
        """Whether the rows come in an order by themselves: else `first` asks for one, and for the rows again."""
        model = self.models.by_table.get(query.table) if query.table is not None else None
        return (model is not None and model.ordered) or all(plan.order is not None for plan in query.plans)

    # Consumption.

    def rows(self, state: State, value: Val, at: int, end: int, *, partial: bool) -> Val | None:
        """A queryset is iterated."""
        if not isinstance(value.shape, Query) or value.shape.flavor != querysets.FLAVOR:
            return None
        return querysets.rows(state, value, at, end, "iteration").settled()

    def consumed(self, state: State, value: Val, how: Consumption, node: tree.Expr) -> Val | None:
        """A queryset is measured, tested, searched, indexed or cut."""
        query = value.shape
        if not isinstance(query, Query) or query.flavor != querysets.FLAVOR or how is Consumption.SHOWN:
            return None
        if query.unsure or (query.manager and how is Consumption.TESTED):
            return derived(value)  # it may be a number or a list as well; a manager is always true
        at, end = node.at, node.end
        if how is Consumption.SLICED:
            return paging.sliced(state, value, query, node)
        if how is Consumption.INDEXED:
            assert isinstance(node, tree.Index)
            state.evaluate(node.key)
            known = state.results.get(id(query))
            if known is not None or (query.follows is not None and not query.refined):
                first = known is not None and isinstance(node.key, tree.Literal) and node.key.value == 0
                found = querysets.rows(state, value, at, end, "index")
                return works.picked(state, Work.FIRST if first else Work.PICK, found, at, end)
            return querysets.row(state, replace(query, end=end), at, end, "index", deps=value.deps)
        found = querysets.rows(state, value, at, end, {"measured": "len", "tested": "truth test", "searched": "in"}[how.value])
        if how is Consumption.TESTED:
            state.use(Work.EMPTY, found, at, end)
        return found.settled()

    def assigned(self, state: State, base: Val, target: tree.Member, value: Val) -> None:
        """A relation of a row is set."""
        if base.doc_of in self.models.by_table:
            ahead.put(state, self.models.by_table[base.doc_of], base, target, value, self.brought.of(state), self.handed.of(state))

    # Functions.

    def own_member(self, state: State, info: ClassInfo, base: Val, node: tree.Member) -> Val | None:
        """What views and admin classes have from Django."""
        return views.own_member(self, state, info, base, node) or forms.own_member(self, info, base, node)

    def own_call(self, state: State, info: ClassInfo, base: Val, node: tree.Call) -> Val | None:
        """What views, managers and admin classes do by methods of Django's."""
        return views.own_call(self, state, info, base, node) or forms.own_call(self, state, info, base, node)

    def parameter(self, info: ClassInfo | None, fn: tree.Fn, number: int, name: str) -> Val | None:
        """What views, signals and admin classes are given; the row that a serializer of a model is given."""
        given = views.parameter(self, info, fn, name)
        if given is not None:
            return given
        if info is not None and number == 1 and serializers.is_serializer(info):
            return serializers.row_given(self, info, fn)
        return graphql.parameter(self, info, fn, number)

    def returning(self, state: State, info: ClassInfo | None, fn: tree.Fn, value: Val) -> None:
        """What a schema shows of rows; what was loaded for rows after they were read."""
        graphql.answered(self, state, fn, value)
        ninja.answered(self, state, fn)
        brought = self.brought.taken(state)
        if brought:
            state.block[:] = ahead.known(state.block, brought)

    def loaded(self, state: State) -> tuple[tuple[int, Path], ...]:
        """What `prefetch_related_objects` has loaded for rows that callers hand over."""
        return tuple(self.handed.taken(state))

    def kind(self, info: ClassInfo | None, fn: tree.Fn) -> Kind | None:
        """Views answer requests."""
        return views.kind(info, fn) or graphql.kind(info, fn)
