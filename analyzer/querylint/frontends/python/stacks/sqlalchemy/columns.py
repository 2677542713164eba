"""Columns, keys and indexes of mapped classes and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.python.stacks.sqlalchemy import words
from querylint.frontends.python.stacks.sqlalchemy.model import Made, Model
from querylint.frontends.python.stacks.sqlalchemy.nodes import columns_in, returned, true
from querylint.ir import Field, Index, IndexKind
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, keyword, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy.models import Models

WORDS = Pattern(r"[A-Za-z_]\w*")
EMPTY = frozenset("Mapped Optional Annotated None Union list List set Set Sequence Collection dict Dict WriteOnlyMapped DynamicMapped "
                  "typing orm t".split())  # fmt: skip


def fill(models: Models, model: Model) -> None:
    """The columns and indexes of a model, from its own body, its mixins and the models above it."""
    if model.made or model.fields:
        return
    if model.parent is not None and model.parent is not model:
        fill(models, model.parent)
    model.made = list(_made(models, model))
    table = model.node
    for number, node in enumerate(table.args if table is not None and not model.open else ()):
        if number > 0 and isinstance(node, tree.Call):
            _part(models, model, node)
    keys: list[str] = []
    deferred: list[str] = []
    for made in model.made:
        if _is_column(models, made):
            _column(models, model, made, keys)
            if made.deferred:
                deferred.append(made.name)
    model.keys = (*model.keys, *_in_order(models, model, keys)) or (model.parent.keys if model.parent is not None else ())
    model.deferred = tuple(deferred)
    if model.keys and not _more_keys(models, model) and not models.migrations.keyless(_in_database(model)):
        model.indexes.append(Index("primary key", model.keys, unique=True, implicit=True))
    if model.info is not None:
        for node, path in _table_args(models, model):
            if isinstance(node, tree.Call):
                _constraint(models, model, node, path)
        for _, _, value in model.info.node.fields:
            if isinstance(value, tree.Call) and models.word(model.path, value.func) == "Index":
                _constraint(models, model, value, model.path)
    for index in models.migrations.indexes(_in_database(model)):
        names = tuple(model.columns.get(column, "") for column in index.fields)
        if all(names) and not any(names == known.fields for known in model.indexes):
            model.indexes.append(replace(index, fields=names))
    if models.mysql:
        model.indexes[:] = [index for index in model.indexes if not _made_needless(index, model.indexes)]


def _in_order(models: Models, model: Model, keys: list[str]) -> list[str]:
    """The columns of a primary key as the table has them, which is as they were made.

    Those of bases and mixins were so before those of the class, those that methods make (`declared_attr`) after all others.
    """
    if len(keys) < 2 or model.info is None or len(model.info.mro()) < 2:
        return keys
    found: list[str] = []
    late: list[str] = []
    for owner in reversed(model.info.mro()):
        methods = {method.name for method in owner.node.methods}
        mine = [made.name for made in models.declared(owner) if made.name in keys]
        found = [*(name for name in found if name not in mine), *(name for name in mine if name not in methods)]
        late = [*(name for name in mine if name in methods), *(name for name in late if name not in mine)]
    return [*(name for name in found if name not in late), *late]


def _made_needless(index: Index, others: list[Index]) -> bool:
    """Whether it would be the one of a foreign key, which MySQL makes only where no other index begins with the column."""
    return index.implicit and not index.unique and any(o is not index and o.fields[:1] == index.fields for o in others)


def _in_database(model: Model) -> str:
    """The name that a table has in the database."""
    declared = model.node.args[0] if model.node is not None and model.node.args else None
    return (text_of(declared) if declared is not None else "") or model.table


def _more_keys(models: Models, model: Model) -> bool:
    """Whether a base of outside code may add columns to the primary key."""
    outside = model.info.ancestry() if model.info is not None else ()
    return any(not name.startswith((*words.PACKAGES, *words.PLAIN)) for name in outside)


def _made(models: Models, model: Model) -> Iterator[Made]:
    """The attributes of a model, each once, nearest first."""
    if model.info is None:
        return
    seen: set[str] = set()
    for owner in model.info.mro():
        for made in models.declared(owner):
            if made.name not in seen:
                seen.add(made.name)
                yield made


def _is_column(models: Models, made: Made) -> bool:
    """Whether an attribute is a column; a bare `Mapped[X]` is one unless X is a mapped class."""
    if made.kind == "mapped":
        return not any(models.by_text(made.path, name) is not None for name in _names(made.type))
    return made.kind == "column"


def names_in(text: str) -> list[str]:
    """The names that a type holds, without those that only wrap."""
    return _names(text)


def _names(text: str) -> list[str]:
    return [w for w in WORDS.findall(text) if w not in EMPTY]


def _column(models: Models, model: Model, made: Made, keys: list[str]) -> None:
    node = made.node
    name = made.name
    args = list(node.args) if node is not None else []
    called = text_of(args[0]) if args else ""
    model.columns[called or name] = name
    if node is not None:
        inner = keyword(node, "sa_column")
        if isinstance(inner, tree.Call):
            args, node = [*args, *inner.args], inner
    target = _foreign(models, made.path, node, args)
    if target is not None:
        model.foreign[name] = target
    types = [w for a in args if (w := callee_name(a)) in words.TYPES] or [w for w in _names(made.type) if w in words.TYPES]
    nullable = (true(keyword(node, "nullable")) if node is not None else False) or "None" in made.type or "Optional" in made.type
    kind = "id" if target is not None else words.TYPES.get(types[0], "any") if types else "any"
    large = made.deferred or any(w in words.LARGE for w in types)
    span = models.project.modules.lines(made.path).span(node.at, node.end) if node is not None else None
    refers = target[0] or None if target is not None else None
    few = any(w in words.FEW for w in (*types, *(_names(made.type))))
    texts = any(isinstance(a, tree.Call) and (as_uuid := keyword(a, "as_uuid")) is not None and not true(as_uuid) for a in args)
    uuid = not texts and any(w.upper().endswith(words.UUIDS) for w in (*map(callee_name, args), *_names(made.type)))
    model.fields.append(Field(name, kind, nullable=nullable, target=refers, large=large, few=few, span=span, uuid=uuid))
    if node is None:
        return
    if true(keyword(node, "primary_key")):
        keys.append(name)
        if _more_keys(models, model):
            model.fields[-1] = replace(model.fields[-1], span=None)  # who knows whether the key begins with it
    unique = true(keyword(node, "unique"))
    if true(keyword(node, "index")):  # with both words, one index that is unique (SQLAlchemy, Column, "unique")
        option = "unique=True and index=True" if unique else "index=True"
        model.indexes.append(Index(f"ix_{model.table}_{called or name}", (name,), unique=unique, span=span, option=option))
    elif unique:
        model.indexes.append(Index(f"{name} unique", (name,), unique=True, implicit=True, span=span))
    elif target is not None and models.mysql:
        model.indexes.append(Index(f"{name} key", (name,), implicit=True, span=span))


def _foreign(models: Models, path: str, node: tree.Call | None, args: list[tree.Expr]) -> tuple[str, str] | None:
    """The table and column that a foreign key refers to."""
    given = keyword(node, "foreign_key") if node is not None else None
    if given is None:
        call = next((a for a in args if isinstance(a, tree.Call) and callee_name(a.func) == "ForeignKey"), None)
        given = call.args[0] if call is not None and call.args else None
    if isinstance(given, tree.Fn):
        given = returned(given)
    text = text_of(given)
    if text:
        parts = text.split(".")
        found = models.named.get(".".join(parts[-2:-1])) or models.named.get(".".join(parts[:-1]))
        return (found.table if found is not None else parts[-2] if len(parts) > 1 else "", parts[-1])
    if isinstance(given, tree.Member):
        base = given.base
        if isinstance(base, tree.Member) and base.name in ("c", "columns"):
            base = base.base
        model = models.target(path, base)
        return (model.table if model is not None else "", given.name)
    return ("", "") if given is not None else None


def _part(models: Models, model: Model, node: tree.Call) -> None:
    """An argument of `Table(...)`: a column, a constraint, an index."""
    word = models.word(model.path, node.func)
    if word in words.COLUMNS:
        name = text_of(node.args[0]) if node.args else ""
        if name:
            keys: list[str] = []
            _column(models, model, Made(name, "column", node, model.path), keys)
            model.keys = (*model.keys, *keys)
    else:
        _constraint(models, model, node, model.path)


def _table_args(models: Models, model: Model) -> Iterator[tuple[tree.Expr, str]]:
    assert model.info is not None
    for owner in model.info.mro():
        value = next((v for name, _, v in reversed(owner.node.fields) if name == "__table_args__"), None)
        if value is None:
            value = next((returned(fn) for fn in owner.node.methods if fn.name == "__table_args__"), None)
        if value is not None:
            yield from _items(models, owner.path, value)
            return


def _items(models: Models, path: str, node: tree.Expr) -> Iterator[tuple[tree.Expr, str]]:
    if isinstance(node, tree.Array):
        for item in node.items:
            yield from _items(models, path, item.value) if isinstance(item, tree.Spread) else iter([(item, path)])
    elif isinstance(node, tree.Op) and node.sign == "+":
        for operand in node.operands:
            yield from _items(models, path, operand)


def _constraint(models: Models, model: Model, node: tree.Call, path: str) -> None:
    word = models.word(path, node.func)
    if word == "UniqueConstraint":
        fields = _fields(model, node.args)
        if fields:
            label = text_of(keyword(node, "name")) or "_".join(fields)
            span = models.project.modules.lines(path).span(node.at, node.end)
            later = keyword(node, "deferrable") is not None  # it is checked at the end, and is no key to conflicts until then
            model.indexes.append(Index(label, fields, unique=not later, implicit=True, span=span))
    elif word == "PrimaryKeyConstraint":
        model.keys = _fields(model, node.args) or model.keys
    elif word == "Index" and node.args:
        add_index(models, model, node, path)
    elif word == "ForeignKeyConstraint" and len(node.args) > 1 and isinstance(node.args[0], tree.Array):
        own = _fields(model, node.args[0].items)
        other = node.args[1].items[0] if isinstance(node.args[1], tree.Array) and node.args[1].items else None
        parts = text_of(other).split(".")
        found = models.named.get(parts[-2]) if len(parts) > 1 else None
        for name in own[:1] if found is not None else ():
            model.foreign.setdefault(name, (found.table if found is not None else "", parts[-1]))


def add_index(models: Models, model: Model, node: tree.Call, path: str) -> None:
    """`Index("name", column, ...)`; one over expressions or some of the rows serves only those who know it."""
    name = text_of(node.args[0])
    parts = node.args[1:] if name or (isinstance(node.args[0], tree.Literal) and node.args[0].value is None) else node.args
    fields = _fields(model, parts)
    plain = len(fields) == len(parts) and bool(fields) and not any(words.PARTIAL.search(key) for key, _ in node.keywords)
    unique = true(keyword(node, "unique"))
    span = models.project.modules.lines(path).span(node.at, node.end)
    kind = IndexKind.ORDERED if plain else IndexKind.SEARCH
    model.indexes.append(Index(name or "_".join(fields) or "index", fields, kind, unique=unique, implicit=not plain, span=span))


def _fields(model: Model, nodes: list[tree.Expr]) -> tuple[str, ...]:
    named = [name for node in nodes for name in columns_in(node)]
    return tuple(model.columns.get(name, name) for name in named) if all(named) else tuple(n for n in named if n)
