"""One mapped class or table, and its attributes as the source writes them."""

from __future__ import annotations

from dataclasses import field

from querylint.construction import dataclass
from querylint.frontends.flow.values import Closure
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.sqlalchemy import words
from querylint.ir import Field, Index, Link
from querylint.syntax import tree
from querylint.syntax.questions import callee_name


@dataclass(slots=True)
class Made:
    """An attribute as the source writes it: `kind` is column, relation or proxy, `path` the file in which its expression stands."""

    name: str
    kind: str
    node: tree.Call | None
    path: str
    type: str = ""
    deferred: bool = False

    @property
    def keywords(self) -> dict[str, tree.Expr]:
        """The keywords of the call."""
        return dict(self.node.keywords) if self.node is not None else {}


def mapped_head(annotation: str) -> str:
    """The name before the brackets of an annotation such as `Mapped[...]`, under whichever name its module is imported."""
    return annotation.partition("[")[0].rpartition(".")[2]


@dataclass(slots=True)
class Model:
    """One mapped class, or one table without a class.

    `columns` leads from the name of a column to the attribute that holds it, `foreign` from an attribute to the table and column that it
    refers to. `lazy` says how a relation is loaded, `remote` which column of the other side holds its key. `proxies` are attributes that
    stand for an attribute of related rows, `properties` functions that became properties of the class after its body.
    """

    table: str
    info: ClassInfo | None
    name: str
    path: str
    fields: list[Field] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, tuple[str, str]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    lazy: dict[str, str] = field(default_factory=dict)
    remote: dict[str, str] = field(default_factory=dict)
    proxies: dict[str, tuple[str, str]] = field(default_factory=dict)
    properties: dict[str, Closure] = field(default_factory=dict)
    deferred: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    indexes: list[Index] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    parent: Model | None = None
    node: tree.Call | None = None
    open: bool = False

    @property
    def key(self) -> str:
        """The first column of the primary key."""
        return self.keys[0] if self.keys else "id"

    def has(self, name: str) -> bool:
        """Whether it has a column of that name."""
        return any(f.name == name for f in self.fields)

    def works_out(self, name: str) -> bool:
        """Whether an attribute that is none of its columns and relations is an expression of SQL, too.

        It is what a hybrid property makes, or comes from a base of outside code that nobody here can see.
        """
        if self.info is None or name.startswith("_"):
            return False
        method = self.info.method(name)
        if method is not None:
            return any(callee_name(d).startswith("hybrid_property") for d in method[1].decorators)
        unseen = any(not base.startswith((*words.PACKAGES, *words.PLAIN)) for base in self.info.ancestry())
        return unseen and self.info.field(name) is None and self.info.inner(name) is None
