"""Rows of models: columns, relations that are followed lazily, and what rows do to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import ClassRef, Many, Marker, Query, Record, Val, derived, many
from querylint.frontends.python.portable import COLUMN
from querylint.frontends.python.stacks.django import querysets, words
from querylint.ir import ITEM, Access, Bound, Escape, Link, Mode, Op, Origin, Plan, Target, TargetKind, Terminal, Way
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django

MOST_HOPS = 9
FILE = "stored file"
"""The marker of the file of a row: its table, and the row."""
STORAGE = Target(TargetKind.EXTERNAL, "", "django.core.files.storage")


def member(django: Django, state: State, base: Val, node: tree.Member) -> Val | None:
    """A column or a relation of a row; None for methods, properties and whatever else the class defines."""
    assert base.doc_of is not None
    model = django.models.by_table.get(base.doc_of)
    if model is None:
        return None
    name = node.name
    here = tuple(o.at(name) for o in base.origins if len(o.path) < MOST_HOPS)
    if isinstance(base.shape, Record) and name in base.shape.fields:
        return base.shape.fields[name].with_deps(base.deps)
    if name in ("pk", model.key):
        state.touch(base, model.key)
        return Val(tuple(o.at(model.key) for o in base.origins), base.deps, id_of=model.table)
    link = model.links.get(name)
    if link is None:
        column = next((x for x in model.links.values() if x.column == name), None)
        if column is not None:
            state.touch(base, name)
            return Val(here, base.deps, id_of=column.target)
        if any(f.name == name for f in model.fields):
            state.touch(base, name)
            kind = next((m.kind for m in model.made if m.name == name), "")
            return Val(here, base.deps, shape=Marker(FILE, (model.table,), base) if kind in words.FILES else None, type=COLUMN)
        if name in django.attributes:
            item = Val(tuple(o.at(ITEM) for o in here), base.deps, doc_of=django.attributes[name])
            return Val(here, base.deps, shape=Many(item))
        declared = model.info.field(name) if model.info is not None else None
        if declared is not None and isinstance(declared[2], tree.Call):
            state.leak(base, Escape.PASSED, node.at, node.end)  # an attribute that a function has made looks at whatever it likes
        return None
    if link.many:
        follows = here[0] if here else None
        target = django.models.by_table.get(link.target) if link.target is not None else None
        info = next(iter(target.managers.values()), None) if target is not None else None
        cls = ClassRef(info.path, info.name) if info is not None else None
        made = querysets.start(link.target, node.at, node.end, cls=cls, follows=follows, deps=base.deps, manager=True)
        if info is not None and isinstance(made.shape, Query):
            chosen = django.chosen(state, link.target, info, node.at, node.end).shape
            if isinstance(chosen, Query):
                made = replace(made, shape=replace(made.shape, cls=chosen.cls, plans=chosen.plans))
        return made
    return followed(state, base, link, here, node)


def followed(state: State, base: Val, link: Link, here: tuple[Origin, ...], node: tree.Member) -> Val:
    """A relation to one row: read when it is first asked for, then kept with the row."""
    if not here or state.dead:
        return Val(here, base.deps, doc_of=link.target)
    number = state.fresh()
    span = state.span(node.at, node.end)
    state.emit(
        Access(
            number, Op.READ, link.name, link.target, (Plan(Way.KEY),), Bound.ONE, Terminal.ROW, span, span, base.deps, state.why(),
            follows=here[0], kept=True,
        )
    )  # fmt: skip
    me = frozenset({number})
    return state.wait(Val(here, base.deps | me, me, doc_of=link.target), node.at, node.end)


def call(django: Django, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    """`row.save()`, `row.delete()`, `row.refresh_from_db()`."""
    name = func.name
    profile = django.models.profile_link(base.doc_of) if name == "get_profile" and base.doc_of is not None else None
    if profile is not None:
        here = tuple(o.at(profile.name) for o in base.origins if len(o.path) < MOST_HOPS)
        return followed(state, base, profile, here, func)
    later = name.startswith("a")
    if name in words.ROW_WRITES:
        args = {k: state.evaluate(v) for k, v in node.keywords}
        for arg in node.args:
            state.evaluate(arg)
        fields = _texts(args.get("update_fields"))
        verb = name[1:] if later else name
        return querysets.write(state, verb, base.doc_of, node.at, node.end, key=base, deps=base.deps, fields=fields, later=later)
    if name in ("refresh_from_db", "arefresh_from_db"):
        query = Query(base.doc_of, (Plan(Way.KEY),), func.base.at, node.end, flavor=querysets.FLAVOR, deps=base.deps)
        querysets.row(state, query, node.at, node.end, name, deps=base.deps, later=later)
        return derived(base)
    return None


def stored(state: State, node: tree.Call, func: tree.Member, file: Marker) -> Val | None:
    """`row.image.save(name, content)`, `row.image.delete(save=False)`: the storage is asked, and the row is saved if nobody says no."""
    if func.name not in ("save", "delete") or file.inner is None:
        return None
    args = [state.evaluate(a) for a in node.args]
    keywords = {k: state.evaluate(v) for k, v in node.keywords}
    made = state.call(
        STORAGE, Mode.DIRECT, (*args, *keywords.values()), node, "storage.delete" if func.name == "delete" else "storage.store"
    )
    along = keywords.get("save") or (args[0 if func.name == "delete" else 2] if len(args) > (0 if func.name == "delete" else 2) else None)
    if along is None or along.literal is not False:
        querysets.write(state, "save", file.data[0], node.at, node.end, key=file.inner, deps=file.inner.deps)
    return derived(made)


def written(state: State, node: tree.Call, name: str, base: Val) -> None:
    """A row is stored or deleted by a method that its model has written itself."""
    verb = name[1:] if name.startswith("a") else name
    querysets.write(state, verb, base.doc_of, node.at, node.end, key=base, deps=base.deps)


def _texts(value: Val | None) -> tuple[str, ...] | None:
    shape = value.shape if value is not None else None
    if isinstance(shape, Many) and shape.items is not None and all(isinstance(i.literal, str) for i in shape.items):
        return tuple(str(i.literal) for i in shape.items)
    return None


def bulk(django: Django, state: State, node: tree.Call, word: str, base: Val, query: Query, *, later: bool) -> Val:
    """Writes through a queryset or a manager."""
    at, end = node.at, node.end
    args = [state.evaluate(a) for a in node.args]
    keywords = {k: state.evaluate(v) for k, v in node.keywords}
    deps = derived(base, *(querysets.plain(state.ran(a)) for a in (*args, *keywords.values()))).deps
    names = tuple(k for k in keywords if k not in ("defaults", "**", "batch_size", "ignore_conflicts"))
    if word in ("get_or_create", "update_or_create"):
        looked = frozenset({querysets.read(state, query, at, end, word, Bound.ONE, Terminal.ROW, deps=deps, refined=True)})
        querysets.done(state, Val(pending=looked), at, end, later=later)
        made = querysets.write(state, word, query.table, at, end, deps=deps, fields=names, later=later)
        return Val(deps=made.deps, pending=made.pending, shape=many((replace(made, doc_of=query.table), Val(deps=made.deps))).shape)
    if word == "create":
        made = querysets.write(state, word, query.table, at, end, deps=deps, fields=names, later=later)
        fields = {k: v for k, v in keywords.items() if k != "**"}
        return replace(made, shape=Record(fields, (Val(made.origins, made.deps),)), doc_of=query.table)
    if word in ("add", "set", "remove", "clear"):
        return querysets.write(
            state, word, query.table, at, end, deps=deps, bound=Bound.ALL if word in ("set", "clear") or len(args) > 1 else Bound.ONE,
            follows=query.follows, later=later,
        )  # fmt: skip
    return querysets.write(
        state, word, query.table, at, end, deps=deps, bound=Bound.ALL, plans=query.plans, fields=names or None, later=later
    )
