"""The mapped classes and tables of a project: which classes are mapped, what they are called, what a row of theirs has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.sqlalchemy import words
from querylint.frontends.python.stacks.sqlalchemy.columns import fill
from querylint.frontends.python.stacks.sqlalchemy.created import Base, bases_of, created_bases
from querylint.frontends.python.stacks.sqlalchemy.migrations import Migrations
from querylint.frontends.python.stacks.sqlalchemy.model import Made, Model, mapped_head
from querylint.frontends.python.stacks.sqlalchemy.nodes import called_after, returned
from querylint.frontends.python.stacks.sqlalchemy.relations import relate
from querylint.ir import Link, Role, Table
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, keyword, text_of
from querylint.text import Span

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

RELEVANT = Pattern(rb"Column\(|mapped_column|relationship\(|__tablename__|Mapped\[|SQLModel|\.Model\b|Table\(|__table__|\btable\s*=\s*True")
ASSOCIATION = Pattern(rb"^[A-Z]\w* *= *[\w.]+\(\s*[\"']\w+[\"'],\s*[A-Z]\w+,\s*[A-Z]\w+", re.MULTILINE)
AS_TABLE = Pattern(rb"\btable\s*=\s*True")
CAPITALS = Pattern(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
MOST_UNWRAPPED = 4


class Models:
    """All mapped classes and tables of a project."""

    def __init__(self, project: PythonProject, files: list[str]) -> None:
        self.project = project
        self.by_table: dict[str, Model] = {}
        self.by_class: dict[tuple[str, str], Model] = {}
        self.by_name: dict[str, list[Model]] = {}
        self.named: dict[str, Model] = {}
        self.outside: dict[str, Model] = {}
        self.made: set[str] = set()
        self.variables: dict[tuple[str, str], Model] = {}
        self._declarative: dict[tuple[str, str], bool] = {}
        self._below: dict[tuple[str, str], tuple[Model, ...]] = {}
        read = (Role.CODE, Role.SEED)
        self.files = [path for path in files if project.role(path) in read and RELEVANT.search(project.modules.source(path) or b"")]
        self.mysql = any(b"mysql+" in source or b"mysql://" in source for source in map(project.modules.source, files) if source)
        revisions = [path for path in files if project.role(path) is Role.MIGRATION]
        self.migrations = Migrations([source for path in revisions if (source := project.modules.source(path))])
        self._created = frozenset() if revisions else created_bases(project, files)
        self._gather(files)
        self._created = self._with_models(self._created)

    # Finding.

    def word(self, path: str, func: tree.Expr) -> str:
        """The last word of the outside name that an expression stands for; a member of an unknown value by its own name."""
        found = self.project.modules.reference(path, func)
        if found is None:
            return func.name if isinstance(func, tree.Member) else ""
        if found.external:
            return found.external.rpartition(".")[2]
        if isinstance(found.node, tree.ClassDef):
            info = self.project.classes.get(found.path, found.name)
            outside = {n.rpartition(".")[2] for n in info.ancestry()} if info is not None else set()
            return next((w for w in (*words.COLUMNS, *words.RELATIONS, "Table") if w in outside), "")
        return ""

    def attribute(self, path: str, name: str, value: tree.Expr | None, type_text: str) -> Made | None:
        """The column or relation that a class body declares by a name; None for anything else."""
        deferred = False
        for _ in range(MOST_UNWRAPPED):
            if not isinstance(value, tree.Call):
                break
            word = self.word(path, value.func)
            if word in words.COLUMNS and not (word == "Field" and not type_text):
                return Made(name, "column", value, path, type_text, deferred or _true(keyword(value, "deferred")))
            if word in words.RELATIONS or word in ("association_proxy", "AssociationProxy"):
                return Made(name, "relation" if word in words.RELATIONS else "proxy", value, path, type_text)
            if word in ("deferred", "column_property", "declared_attr", "query_expression"):
                deferred = deferred or word == "deferred"
                inner = value.args[0] if value.args else None
                if not isinstance(inner, tree.Call) or self.word(path, inner.func) not in words.COLUMNS:
                    return Made(name, "column", None, path, type_text, deferred)
                value = inner
                continue
            found = self.project.modules.reference(path, value.func)
            if found is None or not isinstance(found.node, tree.FnDef):
                break
            path, value = found.path, returned(found.node.fn)
        mapped = mapped_head(type_text) in ("Mapped", "WriteOnlyMapped", "DynamicMapped")
        return Made(name, "mapped", None, path, type_text) if mapped else None

    def declared(self, info: ClassInfo) -> Iterator[Made]:
        """The attributes that one class body declares."""
        for name, type_text, value in info.node.fields:
            made = self.attribute(info.path, name, value, type_text)
            if made is not None:
                yield made
            elif (type_text and value is None and not name.startswith("__") and self._modelled(info)) or (
                type_text and value is not None and isinstance(value, tree.Literal) and self._modelled(info)
            ):
                yield Made(name, "column", None, info.path, type_text)
        for fn in info.node.methods:
            if any(callee_name(d).startswith("declared_attr") or _declared(d) for d in fn.decorators) and not fn.name.startswith("__"):
                made = self.attribute(info.path, fn.name, returned(fn), fn.returns)
                if made is not None:
                    yield made

    def _modelled(self, info: ClassInfo) -> bool:
        """Whether plain annotations are columns: in classes of SQLModel."""
        return any(n.rpartition(".")[2] == "SQLModel" for n in info.ancestry())

    def declarative(self, info: ClassInfo) -> bool:
        """Whether a class takes after a declarative base."""
        key = (info.path, info.name)
        if key not in self._declarative:
            self._declarative[key] = any(n.rpartition(".")[2] in words.BASES for n in info.ancestry()) or any(
                self._based(owner) for owner in info.mro()
            )
        return self._declarative[key]

    def below(self, path: str, name: str) -> tuple[Model, ...]:
        """The mapped classes that take after a class without a table of its own: a mixin, a declarative base."""
        key = (path, name)
        if key not in self._below:
            info = self.project.classes.get(path, name) if key not in self.by_class else None
            found = (m for m in self.by_table.values() if m.info is not None and info in m.info.mro()) if info is not None else ()
            self._below[key] = tuple(found)
        return self._below[key]

    def _based(self, info: ClassInfo) -> bool:
        if any(callee_name(d).startswith("as_declarative") for d in info.node.decorators):
            return True
        bases = (*((info.node.base,) if info.node.base is not None else ()), *info.node.more)
        return any(self._is_base(info.path, expr) for expr in bases)

    def _is_base(self, path: str, expr: tree.Expr) -> bool:
        if isinstance(expr, tree.Call):
            return self.word(path, expr.func) in words.BASE_MAKERS or callee_name(expr.func) in words.BASE_MAKERS
        found = self.project.modules.reference(path, expr)
        if found is not None and isinstance(found.node, tree.Call):
            return self.word(found.path, found.node.func) in words.BASE_MAKERS or callee_name(found.node.func) in words.BASE_MAKERS
        if isinstance(expr, tree.Member) and expr.name in ("Model", "Base"):
            base = self.project.modules.reference(path, expr.base)
            if base is None:
                return False
            return base.external.rpartition(".")[2] in ("db", "orm") or (isinstance(base.node, tree.Call) and not base.module)
        return False

    def mapped(self, info: ClassInfo) -> bool:
        """Whether rows of a class are stored in a table: not of abstract bases and mixins."""
        own = {name: value for name, _, value in info.node.fields}
        if _true(own.get("__abstract__")) or any(callee_name(d).startswith("as_declarative") for d in info.node.decorators):
            return False
        if any(name.rpartition(".")[2] in words.ROOTS for name in info.outside):
            return False  # what others are mapped from, with columns for all of them perhaps
        if self._modelled(info):
            head = (self.project.modules.source(info.path) or b"")[info.node.at : info.node.at + 400].partition(b":\n")[0]
            return bool(AS_TABLE.search(head))
        named = isinstance(own.get("__tablename__"), tree.Literal) or "__table__" in own
        columns = any(made.kind != "proxy" for made in self.declared(info))
        if self.declarative(info):
            inherited = any(name == "__tablename__" for owner in info.mro() for name, _, _ in owner.node.fields)
            return named or columns or inherited or any(m.name == "__tablename__" for owner in info.mro() for m in owner.node.methods)
        return columns and (named or bool(info.outside) or any(base.outside for base in info.mro()[1:]))

    def _gather(self, files: list[str]) -> None:
        for path in self.files:
            self._tables_of(path)
        for path in self.files:
            for info in self.project.classes.of_module(path):
                if self.mapped(info):
                    self._add(info)
        for path in files:
            if ASSOCIATION.search(self.project.modules.source(path) or b""):
                self._associations_of(path)
        for model in list(self.by_table.values()):
            if model.info is not None:
                model.parent = next((m for base in model.info.mro()[1:] if (m := self.by_class.get((base.path, base.name)))), None)
        for model in list(self.by_table.values()):
            fill(self, model)
        relate(self)

    def _tables_of(self, path: str) -> None:
        for name, node in self.project.modules.names(path).own.items():
            if isinstance(node, tree.Call) and node.args and self.word(path, node.func) == "Table":
                table = text_of(node.args[0])
                if table and len(node.args) > 1:
                    model = Model(table, None, name, path, node=node)
                    self.by_table.setdefault(table, model)
                    self.variables[path, name] = self.by_table[table]
                    self._name(model)

    def _associations_of(self, path: str) -> None:
        """Classes that outside code makes of two mapped classes and the name of a table: what they hold besides is not known."""
        for name, node in self.project.modules.names(path).own.items():
            if not isinstance(node, tree.Call) or not node.args or not text_of(node.args[0]) or text_of(node.args[0]) in self.by_table:
                continue
            found = self.project.modules.reference(path, node.func)
            ends = [self.target(path, arg) for arg in node.args[1:3] if isinstance(arg, tree.Name)]
            if found is None or not found.external or len(ends) < 2 or not any(ends):
                continue
            model = Model(text_of(node.args[0]), None, name, path, node=node, open=True)
            self.by_table[model.table] = self.variables[path, name] = model
            self.by_name.setdefault(name, []).append(model)
            self.made.add(model.table)
            self._name(model)

    def _add(self, info: ClassInfo) -> None:
        own = {name: value for name, _, value in info.node.fields}
        given = own.get("__table__")
        table = self._table_name(info)
        built = self._variable(info.path, given) if given is not None else None
        standing = self.by_table.get(table)
        if built is not None:
            built.info, built.name = info, info.name
            model = built
        else:
            if standing is not None and standing.info is None and standing.node is not None:
                self._replaced(standing)  # a table that is written down twice: the class says more
            elif standing is not None:
                table = info.name if info.name not in self.by_table else f"{info.path}:{info.name}"
            model = Model(table, info, info.name, info.path, node=given if isinstance(given, tree.Call) else None)
            self.by_table[table] = model
        self.by_class[info.path, info.name] = model
        self.by_name.setdefault(info.name, []).append(model)
        self.project.rows[model.table] = info
        self._name(model)

    def _replaced(self, model: Model) -> None:
        del self.by_table[model.table]
        for name in [n for n, m in self.named.items() if m is model]:
            del self.named[name]

    def _variable(self, path: str, expr: tree.Expr) -> Model | None:
        found = self.project.modules.reference(path, expr)
        return self.variables.get((found.path, found.name)) if found is not None else None

    def _name(self, model: Model) -> None:
        snake = CAPITALS.sub("_", model.name).lower()
        lower = model.name.lower()
        self.named.setdefault(model.table, model)
        if model.info is not None:
            for name in (snake, lower, f"{lower}s", f"{snake}s", f"{lower.removesuffix('y')}ies", f"{lower}es"):
                self.named.setdefault(name, model)

    def _table_name(self, info: ClassInfo) -> str:
        for owner in (*info.mro(), *self._handed_to_bases(info)):
            for name, _, value in reversed(owner.node.fields):
                if name == "__tablename__":
                    text = text_of(value)
                    return text if text and (owner is info or (owner.path, owner.name) not in self.by_class) else info.name
            for method in owner.node.methods:
                if method.name == "__tablename__":
                    return called_after(returned(method), info.name) or info.name
        return info.name

    def _handed_to_bases(self, info: ClassInfo) -> Iterator[ClassInfo]:
        """The classes of which the declarative bases of a class are made: `declarative_base(cls=Named)`."""
        for owner in info.mro():
            for base in (owner.node.base, *owner.node.more):
                found = self.project.modules.reference(owner.path, base) if base is not None else None
                if found is None or not isinstance(found.node, tree.Call) or callee_name(found.node) not in words.BASE_MAKERS:
                    continue
                named = keyword(found.node, "cls")
                given = self.project.modules.reference(found.path, named) if named is not None else None
                known = self.project.classes.get(given.path, given.name) if given is not None else None
                if known is not None:
                    yield from known.mro()

    # Asking.

    def at(self, path: str, name: str) -> Model | None:
        """The model of a class of the project, or of a table in a variable."""
        return self.by_class.get((path, name)) or self.variables.get((path, name))

    def target(self, path: str, expr: tree.Expr | None) -> Model | None:
        """The model that an expression refers to: a class, its name in a string, a lambda that gives it."""
        if isinstance(expr, tree.Fn):
            expr = returned(expr)
        if expr is None:
            return None
        text = text_of(expr)
        if text:
            return self.by_text(path, text)
        if isinstance(expr, tree.Member) and expr.name in ("__table__", "id"):
            expr = expr.base
        found = self.project.modules.reference(path, expr)
        if found is None:
            return None
        return self.outside.get(found.external) if found.external else self.at(found.path, found.name)

    def by_text(self, path: str, text: str) -> Model | None:
        """The model that a text names: a class, a class with its module, a table."""
        name = text.rpartition(".")[2].strip("\"' ")
        found = self.by_name.get(name, [])
        if len(found) > 1:
            known = self.project.modules.definition(path, name)
            near = [m for m in found if known is not None and (m.path, m.name) == (known.path, known.name)]
            found = near or [m for m in found if m.path == path] or [m for m in found if m.path.rpartition("/")[0] in path] or found
        if found:
            return found[0]
        known = self.project.modules.definition(path, name)
        if known is not None and known.external:
            return self.outside.get(known.external)
        return self.by_table.get(text)

    def tables(self) -> dict[str, Table]:
        """The models as tables of the shared language."""
        return {
            name: Table(
                name, None if m.open or not m.fields else tuple(m.fields), tuple(m.indexes), not m.open and not self._elsewhere(m),
                "sqlalchemy" if m.open else None, self._span(m), _relations(m), m.key,
            )
            for name, m in self.by_table.items()
        }  # fmt: skip

    def _with_models(self, created: frozenset[Base]) -> frozenset[Base]:
        """The created bases, where each has a model: of one that has none it is not known which tables it stands for."""
        had = {base for model in self.by_table.values() if model.info is not None for base in bases_of(self.project, model.info)}
        return created if created <= had else frozenset()

    def _elsewhere(self, model: Model) -> bool:
        """Whether the project creates the tables of other bases, and not this one: somebody else does, with indexes that nobody sees."""
        if not self._created or model.info is None or any(callee_name(d).startswith("mapped") for d in model.info.node.decorators):
            return False  # the registry that maps a class by itself may be that of a base
        return self._created.isdisjoint(bases_of(self.project, model.info))

    def _span(self, model: Model) -> Span | None:
        node = model.info.node if model.info is not None else model.node
        return self.project.modules.lines(model.path).span(node.at, node.end) if node is not None else None


def _relations(model: Model) -> tuple[Link, ...]:
    """The relations of a model; one that leads to the model itself is not followed on and on by itself."""
    ahead = words.AHEAD_JOINED | words.AHEAD_BATCHED
    return tuple(replace(k, ahead=model.lazy.get(n) in ahead and k.target != model.table) for n, k in model.links.items())


def _true(node: tree.Expr | None) -> bool:
    return isinstance(node, tree.Literal) and node.value is True


def _declared(node: tree.Expr) -> bool:
    return isinstance(node, tree.Member) and callee_name(node.base).startswith("declared_attr")
