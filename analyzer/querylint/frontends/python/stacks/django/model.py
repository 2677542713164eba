"""One model of Django, and its fields as the class writes them."""

from __future__ import annotations

from dataclasses import field

from querylint.construction import dataclass
from querylint.frontends.python.classes import ClassInfo
from querylint.ir import Field, Index, Link
from querylint.syntax import tree

PRIMARY = "pk"


@dataclass(slots=True)
class Made:
    """A field as its class body writes it: the kind of field, the call, where."""

    name: str
    kind: str
    node: tree.Call
    owner: ClassInfo
    keywords: dict[str, tree.Expr] = field(default_factory=dict)


@dataclass(slots=True)
class Model:
    """One model. `managers` are its managers by name, each with the class that it is of where the project has one.

    `ordered` says that its rows come in an order by themselves, `order` names the columns where it is one of columns. `stored` is what the
    database calls its table, where no class says so.
    """

    table: str
    info: ClassInfo | None
    app: str
    label: str
    fields: list[Field] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    indexes: list[Index] = field(default_factory=list)
    managers: dict[str, ClassInfo | None] = field(default_factory=dict)
    key: str = "id"
    order: tuple[str, ...] = ()
    ordered: bool = False
    parents: list[Model] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    watched: bool = False
    stored: str = ""
