"""The names of one module: what it imports, exports and declares at its top level."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.construction import dataclass
from querylint.syntax import tree

Node = tree.Expr | tree.FnDef


@dataclass(frozen=True, slots=True)
class Definition:
    """What a name stands for.

    `path` and `name` say where it is declared, `node` is the declaration: a function, a class, or the value of a variable (None
    for types, namespaces and what lies outside the project). `external` is the package (or `_generated/server` and the like) and
    the exported name of something that the project only imports; `namespace` marks a whole module, which is then `path`. `mutable`
    says that the variable is declared with `let` or `var`.
    """

    path: str
    name: str
    node: Node | None
    namespace: bool = False
    external: tuple[str, str] | None = None
    mutable: bool = False


class Names:
    """The names of one module."""

    __slots__ = ("_source", "exports", "imports", "mutable", "stars", "types", "values")

    def __init__(self, module: tree.Module, source: bytes) -> None:
        self._source = source
        self.mutable: set[str] = set()
        self.imports = {one.local: one for one in module.imports}
        self.exports: dict[str, tree.Export] = {}
        self.stars: list[str] = []
        self.types = module.types
        self.values: dict[str, Node] = {}
        for export in module.exports:
            if export.source is not None and export.name == "*" and export.local == "*":
                self.stars.append(export.source)
            else:
                self.exports[export.name] = export
        for stmt in module.body:
            self._declare(stmt)

    def _declare(self, stmt: tree.Stmt) -> None:
        match stmt:
            case tree.Let(pattern=pattern, value=value, at=at) if value is not None:
                names = dict(bound(pattern, value))
                self.values |= names
                if self._source.startswith((b"let", b"var"), at):
                    self.mutable |= names.keys()
            case tree.FnDef(fn=fn):
                # Of a function's overloads the last is the one with a body.
                if fn.body or fn.name not in self.values:
                    self.values[fn.name or "default"] = stmt
            case tree.ClassDef(name=name):
                self.values[name or "default"] = stmt
            case tree.Block(body=body):
                for inner in body:
                    self._declare(inner)


def bound(pattern: tree.Pattern, value: tree.Expr) -> Iterator[tuple[str, tree.Expr]]:
    """The variables of a pattern, each with an expression for what it takes from the value."""
    match pattern:
        case tree.NamePattern(id=name):
            yield name, value
        case tree.RecordPattern(fields=fields, rest=rest):
            for key, inner, default in fields:
                member: tree.Expr = tree.Member(value, key, value.at, value.end, inner.at)
                if default is not None:
                    member = tree.Logic("??", member, default, value.at, value.end)
                yield from bound(inner, member)
            if rest is not None:
                yield rest, tree.Opaque([value], value.at, value.end)
        case tree.ArrayPattern(items=items, rest=tail):
            for position, item in enumerate(items):
                if item is not None:
                    place = tree.Literal(position, item[0].at, item[0].at)
                    yield from bound(item[0], tree.Index(value, place, value.at, value.end))
            if tail is not None:
                yield from bound(tail, tree.Opaque([value], value.at, value.end))


def entry(record: tree.Record, name: str) -> tree.Expr | None:
    """The value that a record written down has under a name; None where that is not certain."""
    for key, value in reversed(record.entries):
        if key == name:
            return value
        if not isinstance(key, str):
            return None
    return None
