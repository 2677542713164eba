"""The tables between models that are related many to many: `Post.tags.through`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.frontends.python.stacks.django import words
from querylint.frontends.python.stacks.django.model import PRIMARY, Made, Model
from querylint.ir import Field, Index, Link
from querylint.syntax.questions import text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django.models import Models

WORD = b".through"
NAME = "through"
NAMED = "db_table"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two models that such a table leads to, by a column."""

    column: str
    model: Model


def declare(models: Models, model: Model) -> None:
    """The tables that Django makes for the relations of a model that name none (`create_many_to_many_intermediary_model`)."""
    for made in model.made:
        link = model.links.get(made.name)
        other = models.by_table.get(link.target) if link is not None and link.target is not None else None
        name = f"{model.table}_{made.name}"
        if made.kind not in words.MANY or NAME in made.keywords or other is None or name in models.by_table:
            continue
        table = Model(name, None, model.app, f"{model.app}.{name}".lower())
        table.stored = text_of(made.keywords.get(NAMED)) or f"{models.table_name(model)}_{made.name}".lower()
        sides = _sides(model, other)
        table.fields = [Field("id", "number"), *(Field(side.column, "id", target=side.model.table) for side in sides)]
        table.links = {s.column: Link(s.column, s.model.table, column=f"{s.column}_id", lookup=s.column) for s in sides}
        columns = tuple(side.column for side in sides)
        table.indexes = [
            Index(PRIMARY, ("id",), unique=True, implicit=True),
            Index("_".join(columns), columns, unique=True, implicit=True),
            *(Index(column, (column,), implicit=True) for column in columns),
        ]
        models.by_table[name] = table
        models.by_label.setdefault(table.label, table)


def _sides(model: Model, other: Model) -> tuple[Side, Side]:
    here, there = (m.table.rpartition(".")[2].lower() for m in (model, other))
    if model is other:
        here, there = f"from_{here}", f"to_{there}"
    return Side(here, model), Side(there, other)


def of(models: Models, model: Model, name: str) -> Model | None:
    """The model of the table between, of a relation of a model by its name."""
    link = model.links.get(name)
    made = _made(model, name)
    if made is None and link is not None and link.back is not None and link.target is not None:
        model = models.by_table[link.target]
        made = _made(model, link.back)
    if made is None:
        return None
    given = made.keywords.get(NAME)
    return models.meant(given, made.owner.path, model) if given is not None else models.by_table.get(f"{model.table}_{made.name}")


def _made(model: Model, name: str) -> Made | None:
    return next((made for made in model.made if made.name == name and made.kind in words.MANY), None)
