"""Django REST framework: what a serializer reads of each row, written out as the method that the framework supplies.

A serializer class gets a `to_representation` that does in plain statements what its fields declare. It is then walked like any other
method.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.frontends.flow.comprehensions import iterated
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import ClassRef, Closure, Val, derived
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.django import viewsets
from querylint.frontends.python.stacks.django.listings import admin_rows, feed_items
from querylint.frontends.python.stacks.django.nodes import ROW, at_of, call_of, do, each, is_true, path_of, row_of
from querylint.frontends.python.vocabulary import PythonVocabulary
from querylint.ir import LoopKind
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django
    from querylint.frontends.python.stacks.django.model import Model

WORDS = (b"erializer", b"ViewSet", b"APIView", b"list_display", b"Feed")
SERIALIZERS = ("Serializer", "ModelSerializer", "HyperlinkedModelSerializer", "ListSerializer", "BaseSerializer")
DECLARED = "declared_representation"
METHODS = frozenset(("SerializerMethodField", "MethodField"))
READ_WHOLE = frozenset(("StringRelatedField", "SlugRelatedField", "HyperlinkedRelatedField", "RelatedField"))
BY_KEY = frozenset(("PrimaryKeyRelatedField", "HyperlinkedRelatedField"))
"""Fields of a relation that need no more of it than the key, which is part of the row (`use_pk_only_optimization`)."""


def is_serializer(info: ClassInfo) -> bool:
    """Whether a class is a serializer."""
    return any(
        n.rpartition(".")[2].endswith(SERIALIZERS) and ("rest_framework" in n or "serializers" in n.lower() or n.startswith("serpy."))
        for n in info.ancestry()
    )


def supply(django: Django, files: list[str]) -> None:
    """Give every serializer and every listing view of the project the methods that the framework has for it."""
    for path in files:
        source = django.project.modules.source(path)
        if source is None or not any(word in source for word in WORDS):
            continue
        for info in _all(django, path):
            made = admin_rows(django, info) or feed_items(info)
            if made is not None:
                info.node.methods.append(made)
            elif is_serializer(info):
                info.node.methods += _representation(django, info)
            elif viewsets.lists(django, info):
                made = viewsets.listed(django, info)
                if made is not None:
                    info.node.methods.append(made)


def _all(django: Django, path: str) -> Iterator[ClassInfo]:
    for info in django.project.classes.of_module(path):
        yield info
        for inner in info.node.inner:
            found = django.project.classes.get(path, f"{info.name}.{inner.name}")
            if found is not None:
                yield found


# Serializers.


def _representation(django: Django, info: ClassInfo) -> list[tree.Fn]:
    """What the declared fields read, and the method that asks for it where the project has none of its own."""
    body: list[tree.Stmt] = []
    declared = {name: (owner, value) for owner, name, value in _declared(django, info)}
    at = info.node.at
    for name in _names(django, info, list(declared)):
        owner, value = declared.get(name, (info, None))
        if value is None or owner.path == info.path:
            body += _field(django, info, name, value)
        else:
            body.append(do(call_of(tree.Name("self", at, at), _elsewhere(django, owner, name, value), [row_of(info.node)], at)))
    made = [tree.Fn(DECLARED, _params(at), body, at, at)]
    own = any(f.name == "to_representation" and f.at < f.end for owner in info.mro() for f in owner.node.methods)
    if not own:
        asked = do(call_of(tree.Name("self", at, at), DECLARED, [row_of(info.node)], at))
        made.append(tree.Fn("to_representation", _params(at), [asked], at, at))
    return made


def _params(at: int) -> list[tree.Param]:
    return [tree.Param(tree.NamePattern("self", at, at)), tree.Param(tree.NamePattern(ROW, at, at))]


def _elsewhere(django: Django, owner: ClassInfo, name: str, declared: tree.Call) -> str:
    """A method of the class that declares a field, which reads it: names and places mean what they mean in its own file."""
    method = f"{DECLARED}_of_{name}"
    if not any(fn.name == method for fn in owner.node.methods):
        at = declared.at
        owner.node.methods.append(tree.Fn(method, _params(at), _field(django, owner, name, declared), at, at))
    return method


def _declared(django: Django, info: ClassInfo) -> Iterator[tuple[ClassInfo, str, tree.Call]]:
    for owner in reversed(info.mro()):
        for name, _, value in owner.node.fields:
            if isinstance(value, tree.Call) and (not name.startswith("_") or _is_field(django, owner, value)):
                yield owner, name, value


def _is_field(django: Django, owner: ClassInfo, value: tree.Call) -> bool:
    nested = _class_of(django, owner, value)
    return is_serializer(nested) if nested is not None else _kind(django, owner, value).endswith("Field")


def _names(django: Django, info: ClassInfo, declared: list[str]) -> list[str]:
    """The fields that a serializer hands out: those that `Meta` lists, or all of the model's own besides the declared ones."""
    meta = info.inner("Meta")
    fields = exclude = model_expr = None
    if meta is not None:
        inner = django.project.classes.get(meta[0].path, f"{meta[0].name}.Meta")
        if inner is not None:
            fields, exclude, model_expr = (inner.field(n) for n in ("fields", "exclude", "model"))
    if fields is not None and fields[2] is not None:
        listed = _texts(django, fields[0], fields[2])
        if listed is not None:
            return listed
    names = [*declared]
    if model_expr is not None and model_expr[2] is not None:
        model = django.model_of(django.project.expression(model_expr[0].path, model_expr[2]))
        if model is not None:
            left_out = set(_texts(django, exclude[0], exclude[2]) or ()) if exclude is not None and exclude[2] is not None else set()
            names += [m.name for m in model.made if m.name not in names and m.name not in left_out]
    return names


def _texts(django: Django, owner: ClassInfo, node: tree.Expr) -> list[str] | None:
    if isinstance(node, tree.Array):
        found: list[str] = []
        for item in node.items:
            if isinstance(item, tree.Literal) and isinstance(item.value, str):
                found.append(item.value)
            elif isinstance(item, tree.Spread):
                found += _texts(django, owner, item.value) or []
        return found
    if isinstance(node, tree.Op) and node.sign == "+":
        return [name for part in node.operands for name in _texts(django, owner, part) or []]
    if isinstance(node, tree.Name | tree.Member):
        found_ = django.project.modules.reference(owner.path, node)
        if found_ is not None and isinstance(found_.node, tree.Array):
            return _texts(django, owner, found_.node)
        if isinstance(node, tree.Member) and node.name == "fields":
            return _inherited(django, owner, node)
    return None


def _inherited(django: Django, owner: ClassInfo, node: tree.Member) -> list[str] | None:
    """`Base.Meta.fields`."""
    found = django.project.modules.reference(owner.path, node.base)
    info = django.project.classes.get(found.path, found.name) if found is not None and found.node is not None else None
    fields = info.field("fields") if info is not None else None
    return _texts(django, fields[0], fields[2]) if fields is not None and fields[2] is not None else None


def _field(django: Django, info: ClassInfo, name: str, declared: tree.Call | None) -> list[tree.Stmt]:
    node: tree.Call | tree.ClassDef = declared if declared is not None else info.node
    row = row_of(node)
    if declared is None:
        return _automatic(django, info, name, row)
    keywords = dict(declared.keywords)
    if is_true(keywords.get("write_only")):
        return []
    kind = _kind(django, info, declared)
    if kind == "HiddenField":
        return []  # filled in for what is stored, and never shown
    source = keywords.get("source") or keywords.get("attr")  # the latter is serpy's
    text = source.value if isinstance(source, tree.Literal) and isinstance(source.value, str) else name
    if kind in METHODS:
        method = keywords.get("method_name") or (declared.args[0] if declared.args else None)
        called = method.value if isinstance(method, tree.Literal) and isinstance(method.value, str) else f"get_{name}"
        return [do(call_of(tree.Name("self", *at_of(node)), called, [row]))]
    value = row if text == "*" else path_of(row, text, node)
    nested = _class_of(django, info, declared)
    many = is_true(keywords.get("many"))
    if nested is not None and is_serializer(nested) and _chosen(nested, keywords):
        return [each(value, [], node)] if many else [do(value)]
    if nested is not None and is_serializer(nested):
        bare = tree.Call(declared.func, [], declared.at, declared.func.end)  # its name alone is what a message shows
        if many:
            item = tree.Name("related", *at_of(node))
            body: list[tree.Stmt] = [do(call_of(bare, "to_representation", [item]))]
            return [each(value, body, node)]
        return [do(call_of(bare, "to_representation", [value]))]
    if not many and kind in BY_KEY and _only_key(django, info, nested, text, keywords):
        before = text.rpartition(".")[0]
        return [do(path_of(row, before, node))] if before else []
    if kind in READ_WHOLE or nested is not None:
        return [each(value, [], node)] if many else [do(value)]
    return [do(value)]


def _only_key(django: Django, info: ClassInfo, own: ClassInfo | None, source: str, keywords: dict[str, tree.Expr]) -> bool:
    """Whether a field takes the key out of the row: that of a relation which the row holds, unless its class or an option wants more."""
    model = model_of(django, info) if "." not in source else None
    link = model.links.get(source) if model is not None else None
    held = model is None or (link is not None and link.column is not None and not link.generic)
    declared = own.field("lookup_field") if own is not None else None
    looked_up = keywords.get("lookup_field") or (declared[2] if declared is not None else None)
    more = own is not None and own.method("use_pk_only_optimization") is not None
    return held and not more and (looked_up is None or text_of(looked_up) == "pk")


def _chosen(nested: ClassInfo, keywords: dict[str, tree.Expr]) -> bool:
    """Whether a nested serializer is told by an option of the project's own which of its fields to show: which, nobody knows here."""
    return bool(keywords.keys() - viewsets.OPTIONS) and nested.method("__init__") is not None


def _automatic(django: Django, info: ClassInfo, name: str, row: tree.Expr) -> list[tree.Stmt]:
    """A field that the framework makes from the model: a foreign key by its id, many of them by theirs, a property by its value."""
    model = model_of(django, info)
    link = model.links.get(name) if model is not None else None
    built = _built(info, name) if link is not None else None
    if built is not None:
        return _nested(built, name, row, info)
    if link is None:
        return [do(tree.Member(row, name, *at_of(info.node), info.node.at))]
    if link.many:
        return [each(tree.Member(row, name, *at_of(info.node), info.node.at), [], info.node)]
    return []


def _built(info: ClassInfo, name: str) -> tuple[tree.Fn, tree.Expr, bool] | None:
    """What `build_relational_field` of the serializer chooses for a relation: the serializer, and whether it is for many."""
    found = info.method("build_relational_field")
    if found is None or found[0].path != info.path:
        return None
    for statement in tree.walk(found[1].body):
        if not isinstance(statement, tree.If) or not _names_field(statement.test, name):
            continue
        for inner in statement.then:
            if isinstance(inner, tree.Return) and isinstance(inner.value, tree.Array) and inner.value.items:
                given = inner.value.items[-1]
                several = isinstance(given, tree.Record) and any(key == "many" and is_true(value) for key, value in given.entries)
                return found[1], inner.value.items[0], several
    return None


def _names_field(test: tree.Expr, name: str) -> bool:
    return (
        isinstance(test, tree.Op)
        and test.sign in ("==", "===")
        and any(isinstance(operand, tree.Literal) and operand.value == name for operand in test.operands)
    )


def _nested(built: tuple[tree.Fn, tree.Expr, bool], name: str, row: tree.Expr, info: ClassInfo) -> list[tree.Stmt]:
    """A relation through a serializer that a method chooses, with what that method imports."""
    fn, serializer, several = built
    at = serializer.at
    value = tree.Member(row, name, at, at, at)
    bare = tree.Call(serializer, [], at, at)
    imports = [statement for statement in fn.body if isinstance(statement, tree.Imports)]
    names = [item.local for statement in imports for item in statement.items]
    brought: list[tree.Stmt] = [*(tree.Let(tree.NamePattern(local, at, at), None, at, at) for local in names), *imports]
    if several:
        item = tree.Name("related", at, at)
        return [*brought, each(value, [do(call_of(bare, "to_representation", [item], at))], info.node)]
    return [*brought, do(call_of(bare, "to_representation", [value], at))]


def model_of(django: Django, info: ClassInfo) -> Model | None:
    """The model that the `Meta` of a class names."""
    meta = info.inner("Meta")
    inner = django.project.classes.get(meta[0].path, f"{meta[0].name}.Meta") if meta is not None else None
    found = inner.field("model") if inner is not None else None
    if found is None or found[2] is None:
        return None
    return django.model_of(django.project.expression(found[0].path, found[2]))


def _kind(django: Django, info: ClassInfo, node: tree.Call) -> str:
    """The class of a declared field, by the framework's name for it."""
    own = _class_of(django, info, node)
    if own is not None:
        return next((w for n in own.ancestry() if (w := n.rpartition(".")[2]).endswith("Field")), "")
    return callee_name(node)


def _class_of(django: Django, info: ClassInfo, node: tree.Call) -> ClassInfo | None:
    """The class of the project that a declared field is made of."""
    found = django.project.modules.reference(info.path, node.func)
    return django.project.classes.get(found.path, found.name) if found is not None and isinstance(found.node, tree.ClassDef) else None


# Serializers at work in code.


def row_given(django: Django, info: ClassInfo, fn: tree.Fn) -> Val | None:
    """The row that a method of a model's serializer is handed."""
    if fn.name not in ("to_representation", DECLARED) and not fn.name.startswith("get_"):
        return None
    model = model_of(django, info)
    return Val(doc_of=model.table) if model is not None else None


def serialized(django: Django, state: State, node: tree.Call, info: ClassInfo) -> Val | None:
    """`PostSerializer(posts, many=True)`: each row is read as the serializer says. It is taken to be asked for its data."""
    keywords = dict(node.keywords)
    first = node.args[0] if node.args and not isinstance(node.args[0], tree.Spread) else keywords.get("instance")
    rest = [state.evaluate(a) for a in (*node.args[1:], *(v for k, v in node.keywords if k != "instance"))]
    made = Val(deps=derived(*rest).deps, shape=ClassRef(info.path, info.name, instance=True))
    if first is None or "data" in keywords:
        return made
    found = info.method("to_representation")
    several = is_true(keywords.get("many"))
    value = iterated(state, first) if several else state.evaluate(first)
    if keywords.keys() - viewsets.OPTIONS - {"**"} and viewsets.picks_fields(info):
        return made  # which of its fields it shows, nobody knows here
    if several and viewsets.own_list(django, info.path, tree.Name(info.name, node.at, node.end)):
        return made
    if found is None or (not value.interesting and value.doc_of is None) or not isinstance(state.vocabulary, PythonVocabulary):
        return made
    owner, fn = found
    closure = Closure(fn, None, owner.path, f"{owner.name}.{fn.name}", this=made)
    if not several:
        state.vocabulary.reached(state, node, closure, (made, value))
        return made
    with state.loop(LoopKind.EACH, node.at, node.end, over=value, over_text=state.text(first)) as frame:
        state.vocabulary.reached(state, node, closure, (made, value.item().with_deps(frozenset({frame.id}))))
    return made


def inherited(django: Django, state: State, node: tree.Call, info: ClassInfo, base: Val) -> Val | None:
    """`super().to_representation(instance)`: what the fields of the object's own class declare."""
    shape = base.shape
    own = django.project.info(shape) if isinstance(shape, ClassRef) else None
    found = (own or info).method(DECLARED)
    args = [state.evaluate(a) for a in node.args]
    if found is None or not args or not isinstance(state.vocabulary, PythonVocabulary):
        return None
    owner, fn = found
    return state.vocabulary.reached(state, node, Closure(fn, None, owner.path, f"{owner.name}.{fn.name}", this=base), (base, args[0]))
