"""Views of Django REST framework that list rows: which do, by which queryset, and through which serializer.

A viewset that lists gets a method that runs its serializer for each row of its queryset; it is then walked like any other method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.django import words
from querylint.frontends.python.stacks.django.nodes import Found, call_of, class_level, do, on_self
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django

LISTING = ("ModelViewSet", "ReadOnlyModelViewSet", "ListModelMixin", "ListAPIView", "ListCreateAPIView")
LISTED = "serialized_list"
LIST = "list"
OPTIONS = frozenset(
    "many read_only write_only required default initial source allow_null allow_blank allow_empty help_text label style error_messages "
    "validators context partial instance data min_length max_length trim_whitespace".split()
)
"""What the framework's own serializers and fields take."""
PICKING = frozenset(("DynamicFieldsMixin", "DynamicFieldsModelSerializer", "FlexFieldsModelSerializer", "FlexFieldsSerializerMixin"))
ROUTES = Pattern(rb"\.as_view\(\s*(?:actions\s*=\s*)?\{|\.register\(")
MOST = 3
AHEAD = frozenset(("prefetch_related_objects", "prefetch_related", "select_related"))


def lists(django: Django, info: ClassInfo) -> bool:
    """Whether a class answers with a list of its rows, by the framework's method or by that of a copy of it in the project."""
    if not any(n.rpartition(".")[2] in LISTING for n in info.ancestry()) and not any(o.name in LISTING for o in info.mro()[1:]):
        return False
    own = info.method("list")
    if own is not None and own[0].name not in LISTING and not _goes_on(own[1]):  # of the project's own: what it answers is read there
        return False
    actions = _routes(django).get((info.path, info.name))
    return actions is None or "list" in actions


def _goes_on(fn: tree.Fn) -> bool:
    """Whether a `list` of the project's own ends in the framework's."""
    return any(
        isinstance(n, tree.Call) and isinstance(n.func, tree.Member) and n.func.name == "list" and isinstance(n.func.base, tree.Call)
        for n in tree.walk(fn.body)
    )


def listed(django: Django, info: ClassInfo) -> tree.Fn | None:
    """The listing of a view: its queryset, filtered and cut to a page, each row through its serializer."""
    chosen = _serializers(django, info, LIST)
    if any(not isinstance(e, tree.Name | tree.Member) or on_self(e) for _, e in chosen) and len(chosen) > 1:
        return None  # one of several, of which not all are told
    made: list[tree.Expr] = [e for path, e in chosen if path == info.path and isinstance(e, tree.Name | tree.Member) and not on_self(e)]
    given = info.field("serializer_class")
    if not made and given is not None and given[2] is not None and given[0].path == info.path:
        made.append(given[2])
    if not made or any(own_list(django, info.path, serializer) or _chosen(django, info, serializer) for serializer in made):
        return None
    at = info.node.at
    me = tree.Name("self", at, at)
    rows = call_of(me, "filter_queryset", [_asked(info, me)], at)
    page = call_of(me, "paginate_queryset", [rows], at)
    body: list[tree.Stmt] = [
        do(call_of(tree.Call(serializer, [], serializer.at, serializer.end), "to_representation", [tree.Name("related", at, at)], at))
        for serializer in made[:MOST]
    ]
    loop = tree.For(tree.LoopForm.OF, body, at, at, at, pattern=tree.NamePattern("related", at, at), over=page)
    return tree.Fn(LISTED, [tree.Param(tree.NamePattern("self", at, at))], [loop], at, at)


def _serializers(django: Django, info: ClassInfo, action: str) -> list[Found]:
    """What names the serializers that a view may take for an action; empty where none is named."""
    chooser = info.method(words.CHOOSER)
    if chooser is None:
        return class_level(info, words.CLASS)
    from querylint.frontends.python.stacks.django.choosing import chosen  # few views choose

    def constant(path: str, name: str) -> Found | None:
        found = django.project.modules.definition(path, name)
        return (found.path, found.node) if found is not None and isinstance(found.node, tree.Record | tree.Call) else None

    return chosen(info, chooser, action, constant)


def own_list(django: Django, path: str, serializer: tree.Expr) -> bool:
    """Whether the `Meta` of a serializer names a class that makes its lists, and loads what the rows need, all at once."""
    info = _info(django, path, serializer)
    meta = info.inner("Meta") if info is not None else None
    inner = django.project.classes.get(meta[0].path, f"{meta[0].name}.Meta") if meta is not None else None
    named = inner.field("list_serializer_class") if inner is not None else None
    lists = _info(django, named[0].path, named[2]) if named is not None and named[2] is not None else None
    own = lists.method("to_representation") if lists is not None else None
    return own is not None and any(callee_name(call) in AHEAD for call in tree.find(own[1].body, tree.Call))


def _asked(info: ClassInfo, me: tree.Expr) -> tree.Call:
    """`self.get_queryset()`, written where the class names its model: there its rows can be changed if it has no query of its own."""
    named = info.field("model")
    shown = named[2] if named is not None and named[0] is info else None
    at, end = (shown.at, shown.end) if shown is not None else (info.node.at, info.node.at)
    return tree.Call(tree.Member(me, "get_queryset", at, end, at), [], at, end)


def serializer_for(django: Django, info: ClassInfo, method: str) -> ClassInfo | None:
    """The serializer by which a method of a view hands out rows; None where it cannot be told. An action goes by the method's name."""
    found = info.method(method)
    marked = found is not None and any(callee_name(d) == "action" for d in found[1].decorators)
    action = method if method in words.METHODS or marked else ""
    keys = {_class(django, path, chosen) for path, chosen in _serializers(django, info, action)}
    key = keys.pop() if len(keys) == 1 else None
    return django.project.classes.get(*key) if key is not None else None


def picks_fields(info: ClassInfo) -> bool:
    """Whether a serializer takes an option that says which of its fields it shows."""
    if any(name.rpartition(".")[2] in PICKING for name in info.ancestry()):
        return True
    if info.method("get_fields") is not None or info.method("get_field_names") is not None:
        return True
    made = info.method("__init__")
    return made is not None and any(on_self(n) and n.name == "fields" for n in tree.find(made[1].body, tree.Member))


def _chosen(django: Django, info: ClassInfo, serializer: tree.Expr) -> bool:
    """Whether the view hands its serializer an option of the project's own, by which that one picks its fields."""
    found = info.method("get_serializer")
    own = _info(django, info.path, serializer)
    if found is None or own is None or not picks_fields(own):
        return False
    body = found[1].body
    keys: list[object] = [node.target.key for node in tree.find(body, tree.Assign) if isinstance(node.target, tree.Index)]
    names: list[object] = []
    for call in tree.find(body, tree.Call):
        if callee_name(call) == "setdefault":
            keys += call.args[:1]
        elif callee_name(call) in ("get_serializer", "update", "serializer_class"):
            names += [name for name, _ in call.keywords]
    names += [key.value for key in keys if isinstance(key, tree.Literal)]
    return bool(set(names) - OPTIONS - {"**"})


# Routes.


def _routes(django: Django) -> dict[tuple[str, str], frozenset[str] | None]:
    """The actions that routes written by hand give to viewsets; None for one that a router takes as a whole."""
    if django.routes is None:
        found: dict[tuple[str, str], frozenset[str] | None] = {}
        for path in sorted(django.project.modules.files):
            if ROUTES.search(django.project.modules.source(path) or b""):
                django.routing.append(path)
                _read(django, path, found)
        django.routes = found
    return django.routes


def _read(django: Django, path: str, found: dict[tuple[str, str], frozenset[str] | None]) -> None:
    module = django.project.modules.module(path)
    for node in tree.walk(module.body if module is not None else []):
        if not isinstance(node, tree.Call) or not isinstance(node.func, tree.Member):
            continue
        if node.func.name == "as_view":
            given = node.args[0] if node.args else dict(node.keywords).get("actions")
            if isinstance(given, tree.Record):
                key = _class(django, path, node.func.base)
                actions = {v.value for _, v in given.entries if isinstance(v, tree.Literal) and isinstance(v.value, str)}
                before = found.get(key, frozenset()) if key is not None else None
                if key is not None and before is not None:
                    found[key] = before | actions
        elif node.func.name == "register":
            for arg in node.args[:2]:
                key = _class(django, path, arg)
                if key is not None:
                    found[key] = None


def _info(django: Django, path: str, node: tree.Expr) -> ClassInfo | None:
    key = _class(django, path, node)
    return django.project.classes.get(*key) if key is not None else None


def _class(django: Django, path: str, node: tree.Expr) -> tuple[str, str] | None:
    named = django.project.modules.reference(path, node) if isinstance(node, tree.Name | tree.Member) else None
    return (named.path, named.name) if named is not None and isinstance(named.node, tree.ClassDef) else None
