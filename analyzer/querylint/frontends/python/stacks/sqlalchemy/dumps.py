"""Schemas of marshmallow that rows are dumped by: what their fields name is asked of each row."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import ClassRef, Closure, Query, Val, derived
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.shown import answers, each, last_return, made_by, member
from querylint.syntax import tree
from querylint.syntax.questions import keyword, last_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy import SqlAlchemy

DUMPING = frozenset(("dump", "dumps", "jsonify"))
ANSWERING = frozenset(("response", "output", "marshal_with"))
SCHEMAS = frozenset("Schema SQLAlchemySchema SQLAlchemyAutoSchema ModelSchema TableSchema".split())
BLIND = frozenset("Constant Relationship URLFor Hyperlinks AbsoluteURLFor".split())
"""Fields that do not read the attribute of a row by their own name, or not for sure."""
DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A schema, and which of its fields one use of it names (`only`, None for all) or leaves out."""

    info: ClassInfo
    only: frozenset[str] | None = None
    but: frozenset[str] = field(default_factory=frozenset)

    def within(self, name: str, inner: Shown) -> Shown:
        """The schema of a nested field, by what is said of it from outside: `only=("author.name",)`."""
        only = frozenset(n.partition(".")[2] for n in self.only or () if n.startswith(f"{name}."))
        but = frozenset(n.partition(".")[2] for n in self.but if n.startswith(f"{name}."))
        return Shown(inner.info, only or inner.only, inner.but | but)

    def has(self, name: str) -> bool:
        """Whether a field is shown."""
        named = self.only is None or any(n == name or n.startswith(f"{name}.") for n in self.only)
        return named and name not in self.but


def dumped(stack: SqlAlchemy, state: State, node: tree.Call, name: str, base: Val) -> Val | None:
    """`PostSchema(many=True).dump(posts)`."""
    shape = base.shape
    source = node.args[0] if node.args else keyword(node, "obj")
    if name not in DUMPING or not isinstance(shape, ClassRef) or source is None:
        return None
    info = stack.project.info(shape)
    if info is None or not is_schema(stack, info):
        return None
    assert isinstance(node.func, tree.Member)
    made = _making(stack, state, node.func.base)
    shown = _told(info, made) if made is not None else None
    value = state.evaluate(source)
    rest = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords)) if a is not source]
    if isinstance(value.shape, Query):
        value = stack.rows(state, value, source.at, source.end, partial=False) or value
    if shown is not None:
        _inside(stack, state, tree.Call(node.func, [source], node.at, node.end), shown, value, 0)
    return derived(value, *rest)


def answered(stack: SqlAlchemy, state: State, fn: tree.Fn) -> None:
    """`@blp.response(200, PostSchema(many=True))` of flask-smorest, `@app.output(PostSchema(many=True))` of APIFlask: what a function gives
    back is dumped by that schema."""
    decorators = [d for d in fn.decorators if isinstance(d, tree.Call) and last_name(d.func) in ANSWERING]
    last = last_return(fn) if decorators else None
    made = [arg for d in decorators for arg in (*d.args, *(value for key, value in d.keywords if key == "schema"))]
    shown = next((one for arg in made if (one := _many(stack, state.path, arg)) is not None), None)
    if shown is None or last is None:
        return
    node = tree.Call(last, [last], last.at, last.end)
    for value in answers(state):
        rows = stack.rows(state, value, last.at, last.end, partial=False) if isinstance(value.shape, Query) else value
        _inside(stack, state, node, shown, rows or value, 0)


def _many(stack: SqlAlchemy, path: str, node: tree.Expr) -> Shown | None:
    """The schema of many rows that an expression makes, or the variable of a module holds."""
    if isinstance(node, tree.Name | tree.Member):
        found = stack.project.modules.reference(path, node)
        if found is None or not isinstance(found.node, tree.Call):
            return None
        path, node = found.path, found.node
    if not isinstance(node, tree.Call) or not _true(keyword(node, "many")):
        return None
    info = _class(stack, path, node.func)
    return _told(info, node) if info is not None and is_schema(stack, info) else None


def _class(stack: SqlAlchemy, path: str, node: tree.Expr | None) -> ClassInfo | None:
    found = stack.project.modules.reference(path, node) if isinstance(node, tree.Name | tree.Member) else None
    return stack.project.classes.get(found.path, found.name) if found is not None and isinstance(found.node, tree.ClassDef) else None


def is_schema(stack: SqlAlchemy, info: ClassInfo) -> bool:
    """Whether a class is a schema of marshmallow, by its own name for it or by that of an extension of Flask."""
    if any(n.startswith(("marshmallow", "flask_marshmallow")) and n.rpartition(".")[2] in SCHEMAS for n in info.ancestry()):
        return True
    bases = [(owner.path, owner.node.base) for owner in info.mro() if isinstance(owner.node.base, tree.Member)]
    return any(base.name in SCHEMAS and _extension(stack, path, base.base) for path, base in bases)


def _extension(stack: SqlAlchemy, path: str, node: tree.Expr) -> bool:
    found = stack.project.modules.reference(path, node)
    return found is not None and isinstance(found.node, tree.Call) and last_name(found.node.func) == "Marshmallow"


def _making(stack: SqlAlchemy, state: State, node: tree.Expr) -> tree.Call | None:
    """The call that makes the schema; None where it is made out of sight, with nobody knows what fields."""
    if isinstance(node, tree.Call):
        return node
    if not isinstance(node, tree.Name | tree.Member):
        return None
    fn = state.calling[-1] if state.calling else None
    name = node.id if isinstance(node, tree.Name) else ""
    body = tree.walk(fn.body) if isinstance(fn, tree.Fn) else iter(())
    own = [n.value for n in body if isinstance(n, tree.Assign) and isinstance(n.target, tree.NamePattern) and n.target.id == name]
    if own:
        return own[0] if len(own) == 1 and isinstance(own[0], tree.Call) else None
    found = stack.project.modules.reference(state.path, node)
    return found.node if found is not None and isinstance(found.node, tree.Call) else None


def _told(info: ClassInfo, made: tree.Call) -> Shown | None:
    """A schema with the fields that its maker names or leaves out; None where that is not written down or the schema sees to it itself."""
    only, but, loaded = keyword(made, "only"), keyword(made, "exclude"), keyword(made, "load_only")
    taken = None if isinstance(loaded, tree.Literal) else loaded  # what a schema is told in names, a field is told by yes or no
    named, left, unshown = _names(only), _names(but), _names(taken)
    if named is None or left is None or unshown is None or info.method("__init__") is not None:
        return None
    if any(key == "**" for key, _ in made.keywords):
        return None
    return Shown(info, named if only is not None else None, left | unshown)


def _names(node: tree.Expr | None) -> frozenset[str] | None:
    """The texts of a list that is written down; none for nothing."""
    if node is None:
        return frozenset()
    items = node.items if isinstance(node, tree.Array) else None
    texts = [text_of(item) for item in items or ()]
    return frozenset(texts) if items is not None and all(texts) else None


def _inside(stack: SqlAlchemy, state: State, node: tree.Call, shown: Shown, made: Val, depth: int) -> None:
    each(state, made, node, node.args[0], lambda row: _asked(stack, state, node, shown, row, depth))


def _asked(stack: SqlAlchemy, state: State, node: tree.Call, shown: Shown, row: Val, depth: int) -> None:
    model = stack.models.by_table.get(row.doc_of or "")
    options = _options(stack, shown.info)
    named, left, unshown = (_names(options.get(key)) for key in ("fields", "exclude", "load_only"))
    if model is None or depth > DEEPEST or named is None or left is None or unshown is None:
        return
    told: dict[str, tuple[str, tree.Call | None]] = {}
    if _true(options.get("include_relationships")):
        told |= dict.fromkeys(model.links, (shown.info.path, None))
    for name, (path, value) in (told | _fields(shown.info)).items():
        if not shown.has(name) or name in left or name in unshown or (named and name not in named):
            continue
        word = last_name(value.func) if value is not None else ""
        if word in BLIND or (value is not None and _true(keyword(value, "load_only"))):
            continue
        if value is not None and word in ("Method", "Function"):
            maker = value.args[0] if value.args else keyword(value, "serialize")
            if word == "Method":
                _method(state, node, shown.info, text_of(maker), row)
            else:
                made_by(state, stack.project.modules, path, maker, row, node)
            continue
        made = member(state, row, (text_of(keyword(value, "attribute")) if value is not None else "") or name, node)
        inner = _nested(stack, path, value) if value is not None and made is not None else None
        if made is not None and inner is not None and inner.info is not shown.info:
            _inside(stack, state, node, shown.within(name, inner), made, depth + 1)


def _options(stack: SqlAlchemy, info: ClassInfo) -> dict[str, tree.Expr | None]:
    """What the `Meta` of a schema says, and what that takes over from the classes that it names as its own bases."""
    meta = info.inner("Meta")
    inner = stack.project.classes.get(meta[0].path, f"{meta[0].name}.Meta") if meta is not None else None
    return {name: value for owner in reversed(inner.mro() if inner is not None else []) for name, _, value in owner.node.fields}


def _fields(info: ClassInfo) -> dict[str, tuple[str, tree.Call | None]]:
    """The fields of a schema and of those above, each with the module that declares it; a class may drop one: `author = None`."""
    found: dict[str, tuple[str, tree.Call | None]] = {}
    for owner in reversed(info.mro()):
        for name, _, value in owner.node.fields:
            found.pop(name, None)
            if isinstance(value, tree.Call):
                found[name] = (owner.path, value)
    return found


def _true(node: tree.Expr | None) -> bool:
    return isinstance(node, tree.Literal) and node.value is True


def _method(state: State, node: tree.Call, info: ClassInfo, name: str, row: Val) -> None:
    """`fields.Method("name")`: a method of the schema is called with each row."""
    found = info.method(name)
    if found is None:
        return
    owner, fn = found
    this = Val(shape=ClassRef(info.path, info.name, instance=True))
    state.vocabulary.reached(state, node, Closure(fn, None, owner.path, f"{owner.name}.{fn.name}", this=this), (this, row))  # type: ignore[attr-defined]


def _nested(stack: SqlAlchemy, path: str, value: tree.Call) -> Shown | None:
    """The schema of `fields.Nested(AuthorSchema, only=("id",))`, also in a list of them; None for other fields and for what is not seen."""
    word = last_name(value.func)
    if word == "List" and value.args and isinstance(value.args[0], tree.Call):
        return _nested(stack, path, value.args[0])
    given = (value.args[0] if value.args else keyword(value, "nested")) if word in ("Nested", "Pluck") else None
    if isinstance(given, tree.Fn) and len(given.body) == 1 and isinstance(given.body[0], tree.Return):
        given = given.body[0].value
    made = given if isinstance(given, tree.Call) else None
    named = made.func if made is not None else given
    info: ClassInfo | None = None
    if isinstance(named, tree.Literal):
        info = stack.project.classes.get(path, text_of(named))
    else:
        info = _class(stack, path, named)
    if info is None or not is_schema(stack, info):
        return None
    if word == "Pluck":
        return Shown(info, frozenset((text_of(value.args[1]) if len(value.args) > 1 else "",)))
    outer, inner = _told(info, value), _told(info, made) if made is not None else Shown(info)
    if outer is None or inner is None:
        return None
    return Shown(info, outer.only if outer.only is not None else inner.only, outer.but | inner.but)
