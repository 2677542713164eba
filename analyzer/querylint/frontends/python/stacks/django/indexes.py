"""The indexes that Django's models declare, and those that it makes without being asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.frontends.python.stacks.django import words
from querylint.ir import Index, IndexKind
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, keyword, text_of
from querylint.text import LineIndex

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django.model import Made, Model
    from querylint.frontends.python.stacks.django.models import Models


def field_indexes(lines: LineIndex, made: Made) -> Iterator[Index]:
    """The index that a field brings along: unique ones, foreign keys and slugs by nature, others by `db_index`."""
    keywords = made.keywords
    asked = keywords.get("db_index")
    wanted = asked.value if isinstance(asked, tree.Literal) else None
    span = lines.span(made.node.at, made.node.end)
    unique = keywords.get("unique")
    if made.kind in words.ONE_TO_ONE or (isinstance(unique, tree.Literal) and unique.value is True):
        yield Index(f"{made.name} unique", (made.name,), unique=True, implicit=True, span=span)
    elif made.kind in words.FOREIGN:
        if wanted is not False:
            yield Index(f"{made.name} key", (made.name,), implicit=True, span=span)
    elif made.kind == "SlugField":
        if wanted is not False:
            yield Index(f"{made.name} slug", (made.name,), implicit=True, span=span)
    elif wanted is True:
        yield Index(made.name, (made.name,), span=span, named=False, option="db_index=True")


def meta_indexes(models: Models, model: Model, lines: LineIndex) -> list[Index]:
    """What `Meta` declares: indexes, constraints, and the older pairs of names."""
    info = model.info
    assert info is not None
    found: list[Index] = []
    for node in _calls(models.meta(info, "indexes")):
        fields = _strings(keyword(node, "fields"))
        plain = (
            not any(name in ("condition", "opclasses", "expressions", "include") for name, _ in node.keywords)
            and callee_name(node) == "Index"
        )
        given = _given(node, model)
        label = given or "_".join(fields) or "index"
        fields = tuple(f.lstrip("-") for f in fields)
        kind = IndexKind.ORDERED if plain and fields else IndexKind.SEARCH
        found.append(Index(label, fields, kind, implicit=not plain, span=lines.span(node.at, node.end), named=bool(given)))
    for node in _calls(models.meta(info, "constraints")):
        fields = _strings(keyword(node, "fields"))
        if callee_name(node) == "UniqueConstraint" and fields and not any(name == "condition" for name, _ in node.keywords):
            given = _given(node, model)
            span = lines.span(node.at, node.end)
            found.append(Index(given or "_".join(fields), fields, unique=True, implicit=True, span=span, named=bool(given)))
    for option, unique in (("unique_together", True), ("index_together", False)):
        for fields, where in _together(models.meta(info, option)):
            span = lines.span(where.at, where.end)
            found.append(Index(f"{option} {'_'.join(fields)}", fields, unique=unique, implicit=unique, span=span, named=False))
    return found


def _given(node: tree.Call, model: Model) -> str:
    """The name that an index or a constraint is given, with the holes that abstract models leave filled; empty where there is none."""
    text = text_of(keyword(node, "name"))
    return text.replace("%(app_label)s", model.app.lower()).replace("%(class)s", model.label.rpartition(".")[2].lower())


def _together(node: tree.Expr | None) -> Iterator[tuple[tuple[str, ...], tree.Expr]]:
    if not isinstance(node, tree.Array) or not node.items:
        return
    plain = _strings(node)
    if plain:
        yield plain, node
        return
    for item in node.items:
        fields = _strings(item)
        if fields:
            yield fields, item


def _calls(node: tree.Expr | None) -> list[tree.Call]:
    return [i for i in node.items if isinstance(i, tree.Call)] if isinstance(node, tree.Array) else []


def _strings(node: tree.Expr | None) -> tuple[str, ...]:
    if not isinstance(node, tree.Array):
        return ()
    found = tuple(i.value for i in node.items if isinstance(i, tree.Literal) and isinstance(i.value, str))
    return found if len(found) == len(node.items) else ()
