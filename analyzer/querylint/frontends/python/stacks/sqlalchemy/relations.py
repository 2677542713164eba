"""Relations of mapped classes in both directions: where they lead, by which column, and how they are loaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.values import Closure
from querylint.frontends.python.stacks.sqlalchemy.columns import add_index, fill, names_in
from querylint.frontends.python.stacks.sqlalchemy.model import Made, Model, mapped_head
from querylint.frontends.python.stacks.sqlalchemy.nodes import columns_in
from querylint.ir import Link
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, keyword, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy.models import Models

COLLECTION = Pattern(r"\b(?:list|List|set|Set|Sequence|Collection|dict|Dict|Iterable|WriteOnlyMapped|DynamicMapped)\b")
QUALIFIED = Pattern(r"\b([A-Za-z_]\w*)\.(?:c\.)?([a-z_]\w*)")
LATER = Pattern(rb"^[A-Z]\w*\.\w+ *=|map_imperatively|\bmapper\(|^(?:\w+\.)?Index\(", re.MULTILINE)


def relate(models: Models) -> None:
    """Every relation of every model, the backward ones last."""
    for path in models.files:
        if LATER.search(models.project.modules.source(path) or b""):
            _later(models, path)
    backward: list[tuple[Model, Made]] = []
    for model in list(models.by_table.values()):
        for made in model.made:
            if made.kind == "proxy" and made.node is not None and len(made.node.args) > 1:
                model.proxies[made.name] = (text_of(made.node.args[0]), text_of(made.node.args[1]))
            elif made.kind in ("relation", "mapped") and made.name not in model.links and not model.has(made.name):
                _forward(models, model, made)
                backward.append((model, made))
    for model, made in backward:
        _backward(models, model, made)
    for model in models.by_table.values():
        _inherited(model)
        for name, column in model.remote.items():
            model.links[name] = replace(model.links[name], remote=column)
    for model in models.by_table.values():
        _paired(models, model)


def _paired(models: Models, model: Model) -> None:
    """Relations that do not name each other, though one leads back by the key of the other: a session that holds the row finds it."""
    for name, link in list(model.links.items()):
        target = models.by_table.get(link.target or "")
        if not link.many or link.remote is None or link.back is not None or target is None:
            continue
        back = [one for one in target.links.values() if not one.many and one.column == link.remote and one.target == model.table]
        if len(back) == 1 and back[0].back is None:
            model.links[name] = replace(link, back=back[0].name)
            target.links[back[0].name] = replace(back[0], back=name)


def _inherited(model: Model) -> None:
    parent = model.parent
    while parent is not None and parent is not model:
        for name, link in parent.links.items():
            if name not in model.links:
                model.links[name] = link
                model.lazy[name] = parent.lazy.get(name, "select")
        parent = parent.parent


def _later(models: Models, path: str) -> None:
    """What is added to classes after their bodies: attributes, imperative mappings, indexes."""
    module = models.project.modules.module(path)
    for statement in module.body if module is not None else ():
        value = statement.value if isinstance(statement, tree.Do) else None
        if isinstance(value, tree.Assign):
            target, made = value.target, value.value
            if isinstance(target, tree.Member) and isinstance(made, tree.Call):
                _added(models, path, target, made)
            if isinstance(target, tree.Member) and isinstance(made, tree.Name):
                _property(models, path, target, made)
            value = made
        if isinstance(value, tree.Call) and models.word(path, value.func) == "Index" and value.args:
            _index(models, path, value)
    for name, node in (*models.project.modules.names(path).own.items(), ("", None)):
        body = node.fn.body if isinstance(node, tree.FnDef) else module.body if module is not None and not name else ()
        for inner in tree.walk(list(body)):
            if isinstance(inner, tree.Call) and callee_name(inner.func) in ("map_imperatively", "mapper") and len(inner.args) > 1:
                _imperative(models, path, inner)


def _added(models: Models, path: str, target: tree.Member, value: tree.Call) -> None:
    made = models.attribute(path, target.name, value, "")
    if made is None:
        if models.word(path, value.func) == "Index" and value.args:
            model = models.target(path, target.base)
            if model is not None:
                add_index(models, model, value, path)
        return
    model = models.target(path, target.base) or _outside(models, path, target.base)
    if model is not None and not any(m.name == made.name for m in model.made):
        model.made.append(made)


def _property(models: Models, path: str, target: tree.Member, value: tree.Name) -> None:
    """`User.groups_to_see = seen_by`, where that is a function under `@property`."""
    found = models.project.modules.reference(path, value)
    fn = found.node.fn if found is not None and isinstance(found.node, tree.FnDef) else None
    model = models.target(path, target.base) or _outside(models, path, target.base)
    if found is not None and fn is not None and model is not None and any(callee_name(d) == "property" for d in fn.decorators):
        model.properties[target.name] = Closure(fn, None, found.path, found.name)


def _outside(models: Models, path: str, node: tree.Expr) -> Model | None:
    """A mapped class of outside code to which the project adds relations: its columns are not known."""
    found = models.project.modules.reference(path, node)
    if found is None or not found.external:
        return None
    name = found.external.rpartition(".")[2]
    if name in models.by_table or name in models.by_name:
        return None
    model = Model(name, None, name, path, open=True)
    models.by_table[name] = models.outside[found.external] = model
    models.by_name.setdefault(name, []).append(model)
    lower = name.lower()
    for table in (lower, f"{lower}s"):
        models.named.setdefault(table, model)
    return model


def _index(models: Models, path: str, node: tree.Call) -> None:
    """An index that stands by itself in a module."""
    for part in node.args:
        base = part.func.base if isinstance(part, tree.Call) and isinstance(part.func, tree.Member) else part
        if isinstance(base, tree.Member):
            owner = base.base.base if isinstance(base.base, tree.Member) and base.base.name in ("c", "columns") else base.base
            model = models.target(path, owner)
            if model is not None:
                add_index(models, model, node, path)
            return


def _imperative(models: Models, path: str, node: tree.Call) -> None:
    found = models.project.modules.reference(path, node.args[0])
    table = models.project.modules.reference(path, node.args[1])
    if found is None or table is None or not isinstance(found.node, tree.ClassDef):
        return
    model = models.variables.get((table.path, table.name))
    info = models.project.classes.get(found.path, found.name)
    if model is None or info is None:
        return
    model.info, model.name, model.path = info, info.name, info.path
    models.by_class[info.path, info.name] = model
    models.by_name.setdefault(info.name, []).append(model)
    models.project.rows[model.table] = info
    fill(models, model)
    properties = keyword(node, "properties")
    for name, value in properties.entries if isinstance(properties, tree.Record) else ():
        made = models.attribute(path, name, value, "") if isinstance(name, str) else None
        if made is not None:
            model.made.append(Made(made.name, made.kind, made.node, path))


# One relation.


def target_of(models: Models, made: Made) -> Model | None:
    """Where a relation leads, by its argument or by its type."""
    node = made.node
    given = (node.args[0] if node.args else keyword(node, "argument")) if node is not None else None
    if given is not None and not isinstance(given, tree.Literal | tree.Name | tree.Member | tree.Fn):
        return None
    found = models.target(made.path, given) if given is not None else None
    if found is None and given is None:
        found = next((m for name in names_in(made.type) if (m := models.by_text(made.path, name))), None)
    return found


def lazy_of(made: Made) -> str:
    """How a relation is loaded, in SQLAlchemy's word."""
    head = mapped_head(made.type)
    if head == "DynamicMapped" or (made.node is not None and callee_name(made.node.func) == "dynamic_loader"):
        return "dynamic"
    if head == "WriteOnlyMapped":
        return "write_only"
    return _lazy(made.node)


def _lazy(node: tree.Call | None) -> str:
    given = keyword(node, "lazy") if node is not None else None
    extra = keyword(node, "sa_relationship_kwargs") if node is not None else None
    if isinstance(extra, tree.Record):
        given = next((v for k, v in extra.entries if k == "lazy"), given)
    if given is None:
        return "select"
    return str(given.value) if isinstance(given, tree.Literal) else "unknown"


def _forward(models: Models, model: Model, made: Made) -> None:
    target = target_of(models, made)
    keywords = made.keywords
    many, column = _direction(models, model, target, made)
    back = text_of(keywords.get("back_populates")) or None
    model.links[made.name] = Link(made.name, target.table if target is not None else None, many, column, made.name, back)
    model.lazy[made.name] = lazy_of(made)
    if column is None and target is not None and not _through(made):
        remote = [c for c, (table, _) in target.foreign.items() if table == model.table]
        remote = [c for c in _keys(made) if c in remote] or _compared(models, model, target, made)[1] or remote
        if len(remote) == 1:
            model.remote[made.name] = remote[0]


def _through(made: Made) -> bool:
    """Whether a table between the two holds the keys of a relation: `secondary` of SQLAlchemy, `link_model` of SQLModel."""
    extra = made.keywords.get("sa_relationship_kwargs")
    return not {"secondary", "link_model"}.isdisjoint(made.keywords) or (
        isinstance(extra, tree.Record) and any(key == "secondary" for key, _ in extra.entries)
    )


def _direction(models: Models, model: Model, target: Model | None, made: Made) -> tuple[bool, str | None]:
    """Whether a relation leads to several rows, and the column of its own table that holds its key."""
    keywords = made.keywords
    own = [c for c, (table, _) in model.foreign.items() if target is not None and table == target.table]
    named = _keys(made)
    mine, theirs = _compared(models, model, target, made)
    if theirs and not mine and not named:
        own = []  # the condition of the join says that the key is on the other side, whatever keys this one has besides
    chosen = [c for c in named if c in model.foreign] or mine or own
    uselist = keywords.get("uselist")
    extra = keywords.get("sa_relationship_kwargs")
    if isinstance(extra, tree.Record):
        uselist = next((v for k, v in extra.entries if k == "uselist"), uselist)
    single = isinstance(uselist, tree.Literal) and uselist.value is False
    if _through(made):
        return not single, None
    if made.type:
        many = COLLECTION.search(made.type) is not None
        return many and not single, None if many else chosen[0] if len(chosen) == 1 else None
    if target is not None and target is model:
        one = "remote_side" in keywords
        return not one and not single, chosen[0] if one and len(chosen) == 1 else None
    if target is None:
        guess = [c for c in model.foreign if c == f"{made.name}_id"]
        return not guess and not single, guess[0] if guess else None
    if chosen and not (named and not any(c in model.foreign for c in named)):
        return False, chosen[0] if len(chosen) == 1 else None
    if uselist is None and target.open and f"{made.name}_id" in model.foreign:
        return False, f"{made.name}_id"
    return not single, None


def _keys(made: Made) -> list[str]:
    """The columns that `foreign_keys` names."""
    given = made.keywords.get("foreign_keys")
    return [n for item in (given.items if isinstance(given, tree.Array) else [given] if given is not None else []) for n in _named(item)]


def _compared(models: Models, model: Model, target: Model | None, made: Made) -> tuple[list[str], list[str]]:
    """The foreign keys that the condition of a join names: those of this side, and those of the other."""
    node = made.keywords.get("primaryjoin")
    if node is None or target is None or target is model:
        return [], []
    pairs = QUALIFIED.findall(models.project.modules.lines(made.path).text(node.at, node.end))
    mine = [c for owner, c in pairs if owner == model.name and model.foreign.get(c, ("",))[0] == target.table]
    theirs = [c for owner, c in pairs if owner == target.name and target.foreign.get(c, ("",))[0] == model.table]
    return list(dict.fromkeys(mine)), list(dict.fromkeys(theirs))


def _named(node: tree.Expr) -> list[str]:
    text = text_of(node).strip("[]")
    return [part.strip().rpartition(".")[2] for part in text.split(",")] if text else columns_in(node)


def _backward(models: Models, model: Model, made: Made) -> None:
    """The relation that a `backref` makes on the other side."""
    given = made.keywords.get("backref")
    link = model.links[made.name]
    if given is None or link.target is None:
        return
    call = given if isinstance(given, tree.Call) else None
    name = text_of(call.args[0] if call is not None and call.args else given)
    target = models.by_table.get(link.target)
    if not name or target is None:
        return
    uselist = keyword(call, "uselist") if call is not None else None
    many = _through(made) or not link.many
    if isinstance(uselist, tree.Literal):
        many = bool(uselist.value)
    column = model.remote.get(made.name) if link.many else None
    target.links.setdefault(name, Link(name, model.table, many, column, name, made.name))
    target.lazy.setdefault(name, _lazy(call))
    if many and link.column is not None:
        target.remote[name] = link.column
    model.links[made.name] = replace(link, back=name)
