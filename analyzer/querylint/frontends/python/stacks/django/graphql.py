"""GraphQL over models (graphene-django, strawberry-django): what a type resolves for one row, asked of every row that a field lists.

A type's own resolvers are handed a row of its model, whatever they call it. A field that lists rows gets a method that runs the resolvers
of its type for each; it is then walked like any other method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, Many, Query, Val
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.shown import each, last_return
from querylint.frontends.python.stacks.django import querysets
from querylint.frontends.python.stacks.django.nodes import call_of, do
from querylint.frontends.python.vocabulary import PythonVocabulary
from querylint.ir import Kind
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, keyword, last_name

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django
    from querylint.frontends.python.stacks.django.model import Model

WORDS = (b"graphene", b"strawberry")
RESOLVE = "resolve_"
LISTED = "listed_rows"
HANDED = "handed_over"
LISTS = Pattern(r"(?i)list|connection|paginated|iterable|sequence")
NAMES = Pattern(r"[A-Za-z_]\w*")
WRAPPERS = frozenset(("NonNull", "Field"))
LISTED_TYPE = Pattern(r"(?i)(?:list|connection|paginated|iterable|sequence)\w*\s*\[")
DECLARING = frozenset(("type", "node"))
FIELDS = frozenset(("field", "connection"))
ANSWERING = FIELDS | frozenset(("mutation",))
ASKED = frozenset(("mutate", "perform_mutation", "mutate_and_get_payload"))
AHEAD = frozenset(("only", "select_related", "prefetch_related", "annotate"))
"""Options by which a field of strawberry-django says what the query of its rows brings along."""


def supply(django: Django, files: list[str]) -> None:
    """Tell the resolvers of model types apart from methods: their first argument is a row. Note which functions give rows of which type;
    types that a field lists by itself get a method that resolves each of these rows."""
    paths = [path for path in files if any(word in (django.project.modules.source(path) or b"") for word in WORDS)]
    classes = [info for path in paths for info in django.project.classes.of_module(path)]
    resolvers = {id(info.node): found for info in classes if (found := _resolvers(info)) and _model(django, info) is not None}
    for fn in (fn for found in resolvers.values() for fn in found):
        fn.kind = "static"
    if not resolvers:
        return
    told: dict[int, tuple[ClassInfo, tree.Expr]] = {}
    handed: dict[int, tuple[ClassInfo, tree.Expr]] = {}
    for info in classes:
        for name, text, value in info.node.fields:
            value = _bare(value)
            row = _listed(django, info.path, text, value)
            if row is None or id(row.node) not in resolvers:
                continue
            giver = _giver(django, info, name, value)
            if giver is not None:
                django.listing[id(giver)] = row
                continue
            rows = _by_itself(django, info, name, value, row)
            if rows is not None and callee_name(rows) == HANDED:
                handed[id(row.node)] = (row, rows)
            elif rows is not None and (id(row.node) not in told or _model(django, info) is None):  # the whole of a model shows more
                told[id(row.node)] = (row, rows)
        for fn in info.node.methods:
            row = _listed(django, info.path, fn.returns, None) if _declares_field(fn) else None
            if row is not None and id(row.node) in resolvers:
                django.listing[id(fn)] = row
    for row, rows in (handed | told).values():
        row.node.methods.append(_by_model(row, rows, resolvers[id(row.node)]))


def _by_itself(django: Django, info: ClassInfo, name: str, value: tree.Expr | None, row: ClassInfo) -> tree.Expr | None:
    """The rows that a field gives where no method does: those of the model, those that the relation of its name leads to, or those that
    whoever makes the object has put there: rows of the model with whatever has been loaded for them."""
    named, parent = _named(django, row), _named(django, info)
    if named is None or named[0] != row.path or (value is not None and _told(value)):
        return None
    at = row.node.at
    whole = call_of(tree.Member(named[1], "objects", at, at, at), "all", [], at)
    if not _finds(django, info.path, value, parent is not None):
        return call_of(whole, HANDED, [], at) if parent is None else None
    if parent is None:
        return whole
    model = _model(django, info)
    link = model.links.get(name) if model is not None else None
    if parent[0] != row.path or link is None or not link.many:
        return None
    one = call_of(tree.Member(parent[1], "objects", at, at, at), "get", [], at)
    return call_of(tree.Member(one, name, at, at, at), "all", [], at)


def _finds(django: Django, path: str, value: tree.Expr | None, of_row: bool) -> bool:
    """Whether a field finds its rows by itself; others show what whoever makes the object has put there."""
    if not isinstance(value, tree.Call):
        return of_row
    func = value.func
    if isinstance(func, tree.Member) and _ours(func.base):
        return of_row or last_name(func.base) != "strawberry"
    return of_row if callee_name(value) in FIELDS else any(name.startswith("Django") for name in _kinds(django, path, func))


def _told(field: tree.Expr) -> bool:
    """Whether a field names a function that gives its rows, or what to load with them."""
    return isinstance(field, tree.Call) and (_loads_ahead(field) or keyword(field, "resolver") is not None)


def answered(django: Django, state: State, fn: tree.Fn, value: Val) -> None:
    """What the type of the rows that a field lists resolves of each of them."""
    row_type = django.listing.get(id(fn))
    at = last_return(fn) if row_type is not None else None
    if row_type is None or at is None or not isinstance(state.vocabulary, PythonVocabulary):
        return
    resolvers = [f for f in _resolvers(row_type) if f.kind == "static"]
    rows = querysets.rows(state, value, at.at, at.end, "iteration").settled() if isinstance(value.shape, Query) else value
    if not isinstance(rows.shape, Many) or rows.item().doc_of is None:
        return
    each(state, rows, at, at, lambda row: _resolved(state, at, row_type, resolvers, row))


def _resolved(state: State, at: tree.Expr, row_type: ClassInfo, resolvers: list[tree.Fn], row: Val) -> None:
    assert isinstance(state.vocabulary, PythonVocabulary)
    for resolver in resolvers:
        closure = Closure(resolver, None, row_type.path, f"{row_type.name}.{resolver.name}")
        func = tree.Member(at, resolver.name, at.at, at.at, at.at)
        state.vocabulary.reached(state, tree.Call(func, [], at.at, at.end), closure, (row, *(NOTHING for _ in resolver.params[1:])))


def parameter(django: Django, info: ClassInfo | None, fn: tree.Fn, number: int) -> Val | None:
    """The row that a resolver of a model's type is handed."""
    if info is None or number != 0 or fn.kind != "static" or not (fn.name.startswith(RESOLVE) or _declares_field(fn)):
        return None
    model = _model(django, info)
    return Val(doc_of=model.table) if model is not None else None


def kind(info: ClassInfo | None, fn: tree.Fn) -> Kind | None:
    """Resolvers and mutations, which answer whoever asks for their field."""
    if info is None:
        return None
    if fn.name == LISTED and fn.at == fn.end:
        return Kind.HTTP
    if fn.name in ASKED or (fn.name.startswith(RESOLVE) and len(fn.params) > 1):
        outside = [name.rpartition(".")[2] for name in info.ancestry()]
        return Kind.HTTP if any(name.endswith(("ObjectType", "Mutation", "ClientIDMutation")) for name in outside) else None
    return Kind.HTTP if _declares_field(fn) else None


def _declares_field(fn: tree.Fn) -> bool:
    """`@strawberry.field`, `@strawberry_django.mutation(...)`, `@gql.django.field`."""
    for decorator in fn.decorators:
        func = decorator.func if isinstance(decorator, tree.Call) else decorator
        if callee_name(decorator) in ANSWERING and isinstance(func, tree.Member) and _ours(func.base):
            return True
    return False


def _ours(node: tree.Expr) -> bool:
    name = last_name(node)
    return "strawberry" in name or name == "gql" or (isinstance(node, tree.Member) and name == "django" and _ours(node.base))


def _model(django: Django, info: ClassInfo) -> Model | None:
    """The model whose rows a type shows."""
    named = _named(django, info)
    return django.model_of(django.project.expression(*named)) if named is not None else None


def _named(django: Django, info: ClassInfo) -> tuple[str, tree.Expr] | None:
    """The model that a decorator or the `Meta` of a type names, and the file where it does so."""
    for made in info.node.decorators:
        if isinstance(made, tree.Call) and callee_name(made) in DECLARING and made.args and isinstance(made.func, tree.Member):
            return (info.path, made.args[0]) if _ours(made.func.base) else None
    if not any(name.rpartition(".")[2].endswith("ObjectType") for name in info.ancestry()):
        return None
    meta = info.inner("Meta")
    inner = django.project.classes.get(meta[0].path, f"{meta[0].name}.Meta") if meta is not None else None
    found = inner.field("model") if inner is not None else None
    return (found[0].path, found[2]) if found is not None and found[2] is not None else None


def _resolvers(info: ClassInfo) -> list[tree.Fn]:
    """The methods of a type that are asked of each of its rows, but for those that say what the query of the rows brings along."""
    return [
        fn
        for fn in info.node.methods
        if fn.kind in ("", "static")
        and fn.params
        and ((fn.name.startswith(RESOLVE) and len(fn.params) > 1) or _declares_field(fn))
        and not any(map(_loads_ahead, fn.decorators))
    ]


def _loads_ahead(decorator: tree.Expr) -> bool:
    return isinstance(decorator, tree.Call) and any(name in AHEAD for name, _ in decorator.keywords)


def _bare(value: tree.Expr | None) -> tree.Expr | None:
    """A field without what is wrapped around it: `graphene.NonNull(graphene.List(BookType))`."""
    while isinstance(value, tree.Call) and callee_name(value) in WRAPPERS and value.args and isinstance(value.args[0], tree.Call):
        value = value.args[0]
    return value


def _giver(django: Django, info: ClassInfo, name: str, value: tree.Expr | None) -> tree.Fn | None:
    """The function that gives the rows of a field: the method that bears its name, or the one of `resolver=get_books`."""
    method = info.method(f"{RESOLVE}{name}")
    if method is not None:
        return method[1]
    given = keyword(value, "resolver") if isinstance(value, tree.Call) else None
    found = django.project.modules.reference(info.path, given) if isinstance(given, tree.Name | tree.Member) else None
    made = found.node if found is not None else None
    return made.fn if isinstance(made, tree.FnDef) else None


def _listed(django: Django, path: str, text: str, value: tree.Expr | None) -> ClassInfo | None:
    """The type of the rows that a field lists, by its value or by the text of its type; None for a field that lists none."""
    if isinstance(value, tree.Call) and value.args and any(map(LISTS.search, _kinds(django, path, value.func))):
        return _type_of(django, path, _written(django, path, value.args[0]))
    return _type_of(django, path, text) if text and LISTED_TYPE.search(text) else None


def _kinds(django: Django, path: str, func: tree.Expr) -> list[str]:
    """The name of the class of a field, and of those outside the project that it takes after."""
    found = django.project.modules.reference(path, func) if isinstance(func, tree.Name | tree.Member) else None
    own = django.project.classes.get(found.path, found.name) if found is not None and isinstance(found.node, tree.ClassDef) else None
    return [last_name(func), *(name.rpartition(".")[2] for name in (own.ancestry() if own is not None else ()))]


def _written(django: Django, path: str, node: tree.Expr) -> str:
    """The text of an expression that names a type: `graphene.NonNull(BookType)`, `lambda: BookType`, `"BookType"`."""
    source = django.project.modules.source(path) or b""
    return source[node.at : node.end].decode("utf-8", "replace")


def _type_of(django: Django, path: str, text: str) -> ClassInfo | None:
    for name in NAMES.findall(text):
        found = django.project.modules.definition(path, name)
        if found is not None and isinstance(found.node, tree.ClassDef):
            return django.project.classes.get(found.path, found.name)
    return None


def _by_model(row: ClassInfo, rows: tree.Expr, resolvers: list[tree.Fn]) -> tree.Fn:
    """`for row in Model.objects.all(): resolve(row, info)`, for each of the resolvers; a type may choose its rows by `get_queryset`."""
    at = row.node.at
    me = tree.Name(row.name, at, at)
    handed: list[tree.Expr] = [tree.Name("row", at, at), tree.Name("info", at, at)]
    if row.method("get_queryset") is not None:
        rows = call_of(me, "get_queryset", [rows, handed[1]], at)
    body = [do(call_of(me, fn.name, handed[: len(fn.params)], at)) for fn in resolvers]
    loop = tree.For(tree.LoopForm.OF, body, at, at, at, pattern=tree.NamePattern("row", at, at), over=rows)
    return tree.Fn(LISTED, [tree.Param(tree.NamePattern("info", at, at))], [loop], at, at, kind="static")
