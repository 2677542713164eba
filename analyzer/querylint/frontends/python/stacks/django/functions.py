"""Functions and classes of Django that hand models, querysets and rows on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.scope import elsewhere
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import ClassRef, External, Many, Marker, Query, Record, Val, derived
from querylint.frontends.python.language.texts import shown
from querylint.frontends.python.stacks.django import ahead, permissions, querysets, through, views, words
from querylint.frontends.python.stacks.django.model import Model
from querylint.frontends.python.stacks.django.permissions import method as permission
from querylint.ir import Escape
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django

BY_NAME = "get_model"
SWAPPED = "swapper.load_model"
MODELS = ".models."
MANAGERS = frozenset(("objects", "_default_manager"))
USER_FACTORIES = frozenset(("django.contrib.auth.get_user_model", "django.contrib.auth.get_user"))

__all__ = ["class_shape", "outside", "permission"]


def outside(django: Django, state: State, node: tree.Call, source: str) -> Val | None:
    """A call of outside code by its dotted name."""
    word = source.rpartition(".")[2]
    if source in USER_FACTORIES or word == "get_user_model":
        user = django.models.user_model()
        return Val(shape=class_shape(user)) if user is not None else None
    if word in words.SHORTCUTS and node.args:
        return _shortcut(django, state, node, word)
    if word == BY_NAME or source == SWAPPED:
        return model_by_name(django, state, node)
    if word == "Prefetch" and node.args:
        return _prefetch(django, state, node)
    if word == "Q":
        args = [state.evaluate(a) for a in node.args]
        fields = {k: state.evaluate(v) for k, v in node.keywords}
        for value in fields.values():
            querysets.compared(state, django.models, value)
            if isinstance(value.shape, Many):  # whatever becomes of the condition, it asks for all of them
                state.leak(value, Escape.PASSED, node.at, node.end)
        inner = Val(shape=Record(fields)) if not args and "**" not in fields else None
        return Val(deps=derived(*args, *fields.values()).deps, shape=Marker("q", (), inner))
    if word in words.SHOWING and source.startswith("django.utils."):
        values = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
        shown(state, tuple(values), node)
        return derived(*values)
    if word == "prefetch_related_objects" and node.args:
        return ahead.asked(state, node, django.brought.of(state), django.handed.of(state))
    if word in ("sync_to_async", "async_to_sync", "cached_property", "method_decorator") and len(node.args) == 1:
        return state.evaluate(node.args[0])
    if words.ELSEWHERE.match(word):
        with state.recording():
            elsewhere(state.frames, derived(*(state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords)))).deps)
        return None
    if source.startswith("django.db.models") and not word.endswith("Error"):  # an error carries what it is given away
        return derived(*(querysets.plain(state.evaluate(a)) for a in (*node.args, *(v for _, v in node.keywords))))
    return permissions.outside(django, state, node, source) or views.outside(django, state, node, source)


def wrapped(django: Django, state: State, node: tree.Call, name: str) -> Val | None:
    """A function of the project by the name of one of Django's: it stands before that one and asks what it asks."""
    if name == BY_NAME:
        return model_by_name(django, state, node)
    return _shortcut(django, state, node, name) if name in words.SHORTCUTS and node.args else None


def model_by_name(django: Django, state: State, node: tree.Call) -> Val | None:
    """`get_model("blog", "Post")`, `apps.get_model("blog.Post")`: the model of that label, whoever looks it up, or one of outside code."""
    args = [state.evaluate(a) for a in node.args]
    if not 1 <= len(args) <= 2 or not all(isinstance(a.literal, str) for a in args):
        return None
    label = ".".join(str(a.literal) for a in args)
    model = django.models.named(label)
    if model is not None:
        return Val(shape=class_shape(model))
    app, _, name = label.rpartition(".")
    return Val(shape=External(f"{app}{MODELS}{name}", name)) if app else None


def between(django: Django, state: State, node: tree.Member) -> Val | None:
    """The model of the table between two that are related many to many: `Post.tags.through`, `post.tags.through`."""
    if node.name != through.NAME or not isinstance(node.base, tree.Member):
        return None
    with state.recording():
        owner = state.evaluate(node.base.base)
    model = django.model_of(owner) or django.models.by_table.get(owner.doc_of or "")
    found = through.of(django.models, model, node.base.name) if model is not None else None
    return Val(shape=class_shape(found)) if found is not None else None


def unseen(django: Django, base: Val, node: tree.Member) -> Val | None:
    """The manager of a model of outside code, of which the class is known and no more: `Token.objects`."""
    shape = base.shape
    if not isinstance(shape, External) or node.name not in MANAGERS or MODELS not in shape.source:
        return None
    name = shape.source.rpartition(".")[2]
    return querysets.start(shape.source if name in django.models.by_table else name, node.at, node.end, manager=True)


def class_shape(model: Model) -> Marker | ClassRef:
    """A model as a value."""
    if model.info is not None:
        return ClassRef(model.info.path, model.info.name)
    return Marker("model", (model.table,))


def _prefetch(django: Django, state: State, node: tree.Call) -> Val:
    args = [state.evaluate(a) for a in node.args]
    named = {k: state.evaluate(v) for k, v in node.keywords}
    lookup = args[0].literal if isinstance(args[0].literal, str) else ""
    query = named.get("queryset") or (args[1] if len(args) > 1 else None)
    to = named.get("to_attr") or (args[2] if len(args) > 2 else None)
    name = to.literal if to is not None and isinstance(to.literal, str) else ""
    if name and query is not None and isinstance(query.shape, Query):
        django.attributes[name] = query.shape.table
    elif name:
        django.attributes.setdefault(name, None)
    return Val(shape=Marker("prefetch", (lookup, name), query))


def _shortcut(django: Django, state: State, node: tree.Call, word: str) -> Val | None:
    first = state.evaluate(node.args[0])
    model = django.model_of(first)
    if model is not None:
        info = next(iter(model.managers.values()), None)
        at, end = node.args[0].at, node.args[0].end
        first = django.chosen(state, model.table, info, at, end) if info is not None else querysets.start(model.table, at, end)
    if not isinstance(first.shape, Query):
        return None
    rest = tree.Call(node.func, node.args[1:], node.at, node.end, keywords=node.keywords)
    made = querysets.built(state, django.models, rest, "filter", first, first.shape)
    assert isinstance(made.shape, Query)
    later = word.startswith("a")
    if words.SHORTCUTS[word] == "list":
        return querysets.rows(state, made, node.at, node.end, word, later=later)
    return django.one(state, made, node, word, later=later)
