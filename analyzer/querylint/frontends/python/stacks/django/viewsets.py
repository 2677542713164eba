"""Views of Django REST framework that list rows: which do, by which queryset, and through which serializer.

A viewset that lists gets a method that runs its serializer for each row of its queryset; it is then walked like any other method.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.django.nodes import call_of, do
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django

LISTING = ("ModelViewSet", "ReadOnlyModelViewSet", "ListModelMixin", "ListAPIView", "ListCreateAPIView")
LISTED = "serialized_list"
LIST = "list"
METHODS = {"list": "GET", "retrieve": "GET", "create": "POST", "update": "PUT", "partial_update": "PATCH", "destroy": "DELETE"}
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
    made: list[tree.Expr] = []
    chooser = info.method("get_serializer_class")
    if chooser is not None and chooser[0].path == info.path:
        made += [e for e in _returned(chooser[1].body, LIST) if isinstance(e, tree.Name | tree.Member) and not _on_self(e)]
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


def own_list(django: Django, path: str, serializer: tree.Expr) -> bool:
    """Whether the `Meta` of a serializer names a class that makes its lists, and loads what the rows need, all at once."""
    info = _info(django, path, serializer)
    meta = info.inner("Meta") if info is not None else None
    inner = django.project.classes.get(meta[0].path, f"{meta[0].name}.Meta") if meta is not None else None
    named = inner.field("list_serializer_class") if inner is not None else None
    lists = _info(django, named[0].path, named[2]) if named is not None and named[2] is not None else None
    own = lists.method("to_representation") if lists is not None else None
    return own is not None and any(callee_name(call) in AHEAD for call in tree.find(own[1].body, tree.Call))


def _on_self(node: tree.Expr) -> bool:
    return isinstance(node, tree.Member) and isinstance(node.base, tree.Name) and node.base.id == "self"


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
    action = method if method in METHODS or marked else ""
    chooser = info.method("get_serializer_class")
    given = info.field("serializer_class")
    named = _class(django, given[0].path, given[2]) if given is not None and given[2] is not None else None
    keys = {named}
    if chooser is not None:
        keys = set()
        for chosen in _returned(chooser[1].body, action):
            asked = isinstance(chosen, tree.Call) and callee_name(chosen) == "get_serializer_class"
            default = asked or (_on_self(chosen) and isinstance(chosen, tree.Member) and chosen.name == "serializer_class")
            keys.add(named if default else _class(django, chooser[0].path, chosen))
    key = keys.pop() if len(keys) == 1 else None
    return django.project.classes.get(*key) if key is not None else None


def picks_fields(info: ClassInfo) -> bool:
    """Whether a serializer takes an option that says which of its fields it shows."""
    if any(name.rpartition(".")[2] in PICKING for name in info.ancestry()):
        return True
    if info.method("get_fields") is not None or info.method("get_field_names") is not None:
        return True
    made = info.method("__init__")
    return made is not None and any(_on_self(n) and n.name == "fields" for n in tree.find(made[1].body, tree.Member))


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


# What is chosen for an action.


def _returned(body: list[tree.Stmt], action: str) -> Iterator[tree.Expr]:
    """What a method gives back for an action; a list is asked for by GET."""
    for statement in body:
        if isinstance(statement, tree.Return):
            if statement.value is not None:
                yield from _alternatives(statement.value, action)
            return
        if isinstance(statement, tree.If):
            holds = _holds(statement.test, action)
            if holds is not False:
                yield from _returned(statement.then, action)
            if holds is not True:
                yield from _returned(statement.other, action)
            if (holds is True and _leaves(statement.then)) or (holds is False and _leaves(statement.other)):
                return
        elif isinstance(statement, tree.Try | tree.Block):
            yield from _returned(statement.body, action)


def _alternatives(value: tree.Expr, action: str) -> Iterator[tree.Expr]:
    if isinstance(value, tree.Ternary):
        holds = _holds(value.test, action)
        if holds is not False:
            yield from _alternatives(value.then, action)
        if holds is not True:
            yield from _alternatives(value.other, action)
    else:
        yield value


def _leaves(body: list[tree.Stmt]) -> bool:
    return bool(body) and isinstance(body[-1], tree.Return)


def _holds(test: tree.Expr, action: str) -> bool | None:
    """Whether a test of the action or of the method holds for an action; None where it asks for something else."""
    if isinstance(test, tree.Logic) and test.sign in ("&&", "||"):
        left, right = _holds(test.left, action), _holds(test.right, action)
        short = test.sign == "||"
        if left is short or right is short:
            return short
        return left if left is right else None
    if isinstance(test, tree.Op) and test.sign == "!" and len(test.operands) == 1:
        inner = _holds(test.operands[0], action)
        return None if inner is None else not inner
    if not isinstance(test, tree.Op) or len(test.operands) != 2:
        return None
    asked = test.operands[0]
    known = {"action": action, "method": METHODS.get(action)}.get(asked.name) if isinstance(asked, tree.Member) else None
    names = _texts(test.operands[1])
    if not known or names is None:
        return None
    return {"===": known in names, "==": known in names, "in": known in names, "!==": known not in names, "!=": known not in names}.get(
        test.sign
    )


def _texts(node: tree.Expr) -> list[object] | None:
    if isinstance(node, tree.Literal):
        return [node.value]
    if isinstance(node, tree.Array) and all(isinstance(i, tree.Literal) for i in node.items):
        return [i.value for i in node.items if isinstance(i, tree.Literal)]
    return None


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
