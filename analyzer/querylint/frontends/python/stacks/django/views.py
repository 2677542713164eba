"""Views, viewsets and admin classes: where they keep their queryset, and what their bases give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, Many, Marker, Query, Val, many
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.portable import arrived
from querylint.frontends.python.stacks.django import paging, querysets, serializers, words
from querylint.frontends.python.stacks.django.listings import ADMIN, registered
from querylint.frontends.python.stacks.django.managers import is_manager
from querylint.frontends.python.stacks.django.viewsets import serializer_for
from querylint.frontends.python.vocabulary import PythonVocabulary
from querylint.ir import ITEM, Bound, Kind, Origin, Root, Terminal
from querylint.syntax import tree
from querylint.syntax.questions import callee_name

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django

HANDLERS = frozenset(
    "get post put patch delete head options list retrieve create update partial_update destroy dispatch get_context_data form_valid "
    "get_queryset render_to_response perform_create perform_update perform_destroy changelist_view change_view".split()
)
ROWS_GIVEN = frozenset(("delete_queryset", "get_search_results"))
VIEW_WORDS = ("View", "ViewSet", "APIView", "Admin", "ModelAdmin", "Feed", "Mixin")


def kind(info: ClassInfo | None, fn: tree.Fn) -> Kind | None:
    """A function that is handed the request, unless its name keeps it to its module, or a method of a view that Django calls."""
    names = [p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern)]
    if info is None:
        return Kind.HTTP if names[:1] == ["request"] and not fn.name.startswith("_") else None
    if fn.name in HANDLERS and is_view(info):
        return Kind.HTTP
    if any(callee_name(d) in ("action", "list_route", "detail_route") for d in fn.decorators):
        return Kind.HTTP
    return None


def parameter(django: Django, info: ClassInfo | None, fn: tree.Fn, name: str) -> Val | None:
    """The request; the row that a signal sends; the row, or the rows, that an admin class is asked about beside a request."""
    if name == "request":
        return Val(shape=Marker("request"))
    if name == "instance" and (table := django.models.sent.get(id(fn))) is not None:
        return Val(doc_of=table)
    rows = fn.name in ROWS_GIVEN and name == "queryset"
    if info is None or not (rows or name == "obj") or not any(n.rpartition(".")[2] in ADMIN for n in info.ancestry()):
        return None
    names = [p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern)]
    model = next((m for owner in info.mro() if (m := registered(django, owner))), None) if "request" in names else None
    if model is None:
        return None
    return querysets.start(model.table, fn.at, fn.at) if rows else Val(doc_of=model.table)


def is_view(info: ClassInfo) -> bool:
    """Whether a class is a view, a viewset or an admin class by its bases."""
    return any(n.rpartition(".")[2].endswith(VIEW_WORDS) for n in info.ancestry())


def outside(django: Django, state: State, node: tree.Call, source: str) -> Val | None:
    """Functions of Django that hand querysets on."""
    word = source.rpartition(".")[2]
    if word == "Paginator" and node.args:
        return paging.paginator(state, node)
    return None


def own_member(django: Django, state: State, info: ClassInfo, base: Val, node: tree.Member) -> Val | None:
    """`self.request`, `self.object`, `self.model`."""
    if not is_view(info):
        return None
    if node.name == "request":
        return Val(tuple(o.at("request") for o in base.origins), shape=Marker("request"))
    if node.name == "object":
        query = queryset(django, state, info, node.at, node.end)
        table = query.shape.table if isinstance(query.shape, Query) else None
        return Val(tuple(o.at("object") for o in base.origins), doc_of=table) if table is not None else None
    return None


def queryset(django: Django, state: State, info: ClassInfo, at: int, end: int) -> Val:
    """The queryset of a view: what its `queryset` or its `model` says."""
    field = django.project.class_field(info, "queryset")
    if field is not None and isinstance(field.shape, Query):
        return Val(shape=replace(field.shape, at=at, end=end))
    named = django.project.class_field(info, "model")
    model = django.model_of(named) if named is not None else None
    if model is None:
        model = next((m for owner in info.mro() if (m := registered(django, owner))), None)
    if model is None:
        return NOTHING
    manager = next(iter(model.managers.values()), None)
    return django.chosen(state, model.table, manager, at, end) if manager is not None else querysets.start(model.table, at, end)


def rows_of_view(django: Django, state: State, info: ClassInfo, base: Val, at: int, end: int) -> Val:
    """What `self.get_queryset()` gives, as the class itself or Django defines it."""
    found = info.method("get_queryset")
    if found is None:
        return queryset(django, state, info, at, end)
    owner, fn = found
    result = django.project.result(Closure(fn, None, owner.path, f"{owner.name}.{fn.name}", this=base), (base,))
    return arrived(result, NOTHING, (base,), at, end, None)


def own_call(django: Django, state: State, info: ClassInfo, base: Val, node: tree.Call) -> Val | None:
    """`self.get_object()`, `super().get_queryset()` and the like."""
    assert isinstance(node.func, tree.Member)
    name = node.func.name
    at, end = node.at, node.end
    if is_manager(info):
        shape = base.shape
        if isinstance(shape, Query):
            if name in ("get_queryset", "get_query_set"):
                return Val(deps=base.deps, shape=replace(shape, end=max(end, shape.end)))
            return django.queried(state, node, node.func, base, shape)
        return None
    model = django.models.by_class.get((info.path, info.name))
    if model is not None and name in words.ROW_WRITES:
        return NOTHING  # the stored row is written by the `save` that was called from outside
    if name == "to_representation" and serializers.is_serializer(info):
        return serializers.inherited(django, state, node, info, base)
    if not is_view(info):
        return None
    if name == "get_queryset":
        return queryset(django, state, info, at, end)
    if name in ("filter_queryset", "paginate_queryset"):
        args = [state.evaluate(a) for a in node.args]
        if not args:
            return None
        if name == "filter_queryset":
            return args[0]
        return page(state, args[0], at, end)
    if name == "get_serializer":
        place = state.vocabulary.place.name if isinstance(state.vocabulary, PythonVocabulary) else ""
        chosen = serializer_for(django, info, place.rpartition(".")[2])
        return serializers.serialized(django, state, node, chosen) if chosen is not None else None
    if name == "get_object":
        made = rows_of_view(django, state, info, base, at, end)
        if isinstance(made.shape, Query):
            return querysets.row(state, made.shape, at, end, "get_object", deps=made.deps)
    return None


def page(state: State, value: Val, at: int, end: int) -> Val:
    """One page of a queryset."""
    query = value.shape
    if not isinstance(query, Query):
        return value
    if querysets.empty(query):
        return many(()).with_deps(value.deps)
    number = querysets.read(state, query, at, end, "page", Bound.PAGE, Terminal.ROWS, deps=value.deps)
    me = frozenset({number})
    origin = Origin(Root.STEP, number)
    return state.wait(Val((origin,), me, me, shape=Many(Val((origin.at(ITEM),), me, doc_of=query.table))), at, end)
