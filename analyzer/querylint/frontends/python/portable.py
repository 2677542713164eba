"""Values that leave a function: what is known of them without the steps of the function that made them."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.values import (
    EITHER,
    NO_STEPS,
    NOTHING,
    SEVERAL_TABLES,
    ClassRef,
    Closure,
    External,
    Many,
    Marker,
    OneOf,
    Query,
    Record,
    Shape,
    Space,
    Val,
    lowered,
)
from querylint.frontends.python.annotations import known
from querylint.ir import ITEM, Origin, Path, Plan, Predicate, Relation, Root, Value, Way
from querylint.text import Span

SEVERAL = "one of several"
"""The type of a row that stands for those of several tables."""
COLUMN = "column"
"""The type of what a column of a row holds, a relation excepted: no row, whatever others give in its place."""
UNTOUCHED = (Plan(Way.OPAQUE),)
DEPTH = 4
MOST_FIELDS = 40


def portable(val: Val, depth: int = 0) -> Val:
    """The value without its steps; origins that are parameters stay."""
    origins = tuple(o for o in val.origins if o.root is Root.PARAM)
    return Val(origins, literal=val.literal, shape=_shape(val.shape, depth), id_of=val.id_of, doc_of=val.doc_of, type=val.type)


def _shape(shape: Shape, depth: int) -> Shape:
    if depth > DEPTH or shape is None:
        return None
    if isinstance(shape, Many):
        items = tuple(portable(i, depth + 1) for i in shape.items) if shape.items is not None and len(shape.items) <= 8 else None
        return Many(portable(shape.item, depth + 1), items, shape.keyed, shape.distinct, shape.most)
    if isinstance(shape, Record):
        fields = dict(list(shape.fields.items())[:MOST_FIELDS])
        return Record({k: portable(v, depth + 1) for k, v in fields.items()}, tuple(portable(v, depth + 1) for v in shape.rest))
    if isinstance(shape, Query):
        follows = shape.follows if shape.follows is not None and shape.follows.root is Root.PARAM else None
        base = shape.base if shape.base is not None and shape.base.root is Root.PARAM else None
        limit = shape.limit if shape.limit is not None and isinstance(shape.limit.literal, float | int) else None
        known = portable(limit) if limit is not None else None
        ran = portable(shape.ran, depth + 1) if shape.ran is not None else None
        named = shape.table_from if shape.table_from is SEVERAL_TABLES else None
        return replace(shape, table_from=named, base=base, deps=NO_STEPS, limit=known, follows=follows, ran=ran)
    if isinstance(shape, Closure):
        return replace(shape, this=portable(shape.this, depth + 1) if shape.this is not None else None) if shape.name else None
    if isinstance(shape, OneOf):
        members = tuple(member for one in shape.members if (member := _shape(one, depth)) is not None)
        return OneOf(members) if len(members) > 1 else members[0] if members else None
    if isinstance(shape, Marker):
        return replace(shape, inner=portable(shape.inner, depth + 1)) if shape.inner is not None else shape
    return shape


def kept(val: Val, name: str) -> Val:
    """A portable value that an object keeps beyond the function whose parameters it was made of: these mean nothing to other methods."""
    shape = val.shape
    if isinstance(shape, Many):
        items = tuple(kept(i, name) for i in shape.items) if shape.items is not None else None
        shape = replace(shape, item=kept(shape.item, name), items=items)
    elif isinstance(shape, Record):
        shape = replace(shape, fields={k: kept(v, name) for k, v in shape.fields.items()}, rest=tuple(kept(v, name) for v in shape.rest))
    elif isinstance(shape, Query):
        plans = tuple(replace(p, predicates=tuple(map(_loose, p.predicates))) for p in shape.plans)
        base = Origin(Root.OUTER, name, shape.base.path) if shape.base is not None else None
        follows = Origin(Root.OUTER, name, shape.follows.path) if shape.follows is not None else None
        ran = kept(shape.ran, name) if shape.ran is not None else None
        shape = replace(shape, plans=plans, base=base, follows=follows, ran=ran)
    elif isinstance(shape, Closure) and shape.this is not None:
        shape = replace(shape, this=kept(shape.this, name))
    elif isinstance(shape, OneOf):
        shape = OneOf(tuple(kept(replace(val, shape=member), name).shape for member in shape.members))
    elif isinstance(shape, Marker) and shape.inner is not None:
        shape = replace(shape, inner=kept(shape.inner, name))
    return replace(val, origins=(), shape=shape)


def _loose(predicate: Predicate) -> Predicate:
    arms = tuple(tuple(map(_loose, arm)) for arm in predicate.arms)
    value = predicate.value
    if value is not None and any(origin.root is Root.PARAM for _, origin in value.parts):
        value = Value(deps=value.deps)
    return replace(predicate, arms=arms, value=value)


def given(val: Val, number: int) -> Val:
    """What a callee knows of an argument: its kind, as a parameter. A query comes with its table; its callers know the rest."""
    return _given(val, Origin(Root.PARAM, number), 0)


def _given(val: Val, origin: Origin, depth: int) -> Val:
    shape = val.shape
    if isinstance(shape, Query):
        way = Plan(Way.OPAQUE)
        query = Query(
            shape.table, (way,), 0, 0, base=origin, flavor=shape.flavor, one=shape.one, yields=shape.yields, cls=shape.cls,
            manager=shape.manager,
        )  # fmt: skip
        return Val((origin,), shape=query)
    if isinstance(shape, Many) and depth < DEPTH:
        item = _given(shape.item, origin.at(ITEM), depth + 1)
        shape = Many(item, None, shape.keyed, shape.distinct)
    elif isinstance(shape, Record) and depth < DEPTH:
        fields = {k: _given(v, origin.at(k), depth + 1) for k, v in list(shape.fields.items())[:MOST_FIELDS]}
        shape = Record(fields, tuple(_given(v, origin, depth + 1) for v in shape.rest))
    elif isinstance(shape, Many | Record):
        shape = None
    else:
        shape = _shape(shape, depth)
    return Val((origin,), literal=val.literal, shape=shape, id_of=val.id_of, doc_of=val.doc_of, type=val.type)


def kind_of(val: Val, depth: int = 0) -> str:
    """What a value is, as text: values of the same text are treated alike by a function. Empty for what nothing is known of."""
    shape = val.shape
    inner = ""
    if depth > 2 or shape is EITHER:
        return ""
    if isinstance(shape, Query):
        inner = f"query {shape.table} {shape.yields} {shape.cls.name if shape.cls is not None else ''}"
    elif isinstance(shape, Many):
        item = kind_of(shape.item, depth + 1)
        inner = f"many({item})" if item else ""
    elif isinstance(shape, Record):
        parts = [f"{k}:{text}" for k, v in shape.fields.items() if (text := kind_of(v, depth + 1))]
        parts += [text for v in shape.rest if (text := kind_of(v, depth + 1))]
        inner = f"record({','.join(parts)})" if parts else ""
    elif isinstance(shape, ClassRef):
        inner = f"{'object' if shape.instance else 'class'} {shape.path}:{shape.name}"
    elif isinstance(shape, OneOf):
        inner = " or ".join(kind_of(replace(val, shape=member, doc_of=None), depth) for member in shape.members)
    elif isinstance(shape, Closure):
        inner = f"function {shape.path}:{shape.name}" if shape.name else ""
    elif isinstance(shape, External):
        inner = f"external {shape.source}"
    elif isinstance(shape, Space):
        inner = f"module {shape.path}"
    elif isinstance(shape, Marker):
        inner = f"{shape.kind} {' '.join(shape.data)}"
    if val.doc_of is not None:
        return f"row {val.doc_of} {inner}".strip()
    return inner


def in_call(val: Val) -> str:
    """What an argument is to the function that is called: its kind, or that it is the value of a column."""
    return kind_of(val) or (COLUMN if val.type == COLUMN else "")


def held_by(base: Val, shape: Record) -> Val:
    """The row or object that something has been hung on, of which a record knows what that is; the record itself where it is none."""
    return next((part.with_deps(base.deps) for part in shape.rest if known(part)), base)


def rebound(found: Val, held: Val, base: Val, shape: Record) -> Val:
    """A method of an object (`held`) that was made of classes (`Repository(Product)`), and goes with what is known of these (`base`)."""
    method = found.shape
    classes = bool(shape.fields) and all(isinstance(f.shape, ClassRef) and not f.shape.instance for f in shape.fields.values())
    if isinstance(method, Closure) and method.this is held and classes:
        return replace(found, shape=replace(method, this=base))
    return found


def arrived(val: Val, call: Val, args: tuple[Val, ...], at: int, end: int, made: Span | None) -> Val:
    """A result in the caller's terms: what it takes from arguments is theirs, what the callee made comes from the call."""
    return _arrived(val, call, args, (), at, end, made)


def _arrived(val: Val, call: Val, args: tuple[Val, ...], path: tuple[str, ...], at: int, end: int, made: Span | None) -> Val:
    mine = [taken for o in val.origins for taken in _taken(o, args)]
    origins = tuple(dict.fromkeys(mine)) or tuple(o.at(*path) for o in call.origins)
    shape = val.shape
    if isinstance(shape, Many):
        item = _arrived(shape.item, call, args, (*path, ITEM), at, end, made)
        items = tuple(_arrived(i, call, args, (*path, ITEM), at, end, made) for i in shape.items) if shape.items is not None else None
        shape = Many(item, items, shape.keyed, shape.distinct, shape.most)
    elif isinstance(shape, Record):
        fields = {k: _arrived(v, call, args, (*path, k), at, end, made) for k, v in shape.fields.items()}
        shape = Record(fields, tuple(_arrived(v, call, args, path, at, end, made) for v in shape.rest))
    elif isinstance(shape, Query):
        shape = _query(shape, call, args, at, end, made)
    behind = [args[o.ref].deps for o in val.origins if isinstance(o.ref, int) and o.ref < len(args)]
    deps = call.deps.union(*behind)
    return Val(origins, deps, call.pending, val.literal, shape, id_of=val.id_of, doc_of=val.doc_of, type=val.type)


def _taken(origin: Origin, args: tuple[Val, ...]) -> list[Origin]:
    value, path = _reached(origin, args)
    return [o.at(*path) for o in value.origins if len(o.path) + len(path) <= 10]


def _reached(origin: Origin, args: tuple[Val, ...]) -> tuple[Val, Path]:
    """The part of an argument that a callee has taken, as far as it is known, and what is left of the way to it."""
    if not isinstance(origin.ref, int) or origin.ref >= len(args):
        return NOTHING, origin.path
    value = args[origin.ref]
    path = origin.path
    while path:
        if isinstance(value.shape, Record) and path[0] in value.shape.fields:
            value, path = value.shape.fields[path[0]], path[1:]
        elif isinstance(value.shape, Many) and path[0] == ITEM:
            value, path = value.item(), path[1:]
        else:
            break
    return value, path


def _term(predicate: Predicate, args: tuple[Val, ...]) -> Predicate:
    """A condition of a callee's query in the caller's terms: what a parameter is compared with is what the call gives for it."""
    if predicate.arms:
        return replace(predicate, arms=tuple(tuple(_term(p, args) for p in arm) for arm in predicate.arms))
    if predicate.named is not None:
        refs = [o.ref for _, o in predicate.named.parts if o.root is Root.PARAM and isinstance(o.ref, int) and o.ref < len(args)]
        predicate = replace(predicate, named=Value(deps=NO_STEPS.union(*(args[ref].deps for ref in refs))))
    value = predicate.value
    origin = value.parts[0][1] if value is not None and len(value.parts) == 1 and value.parts[0][0] == () else None
    if origin is None or origin.root is not Root.PARAM or not isinstance(origin.ref, int) or origin.ref >= len(args):
        return predicate
    given_ = args[origin.ref]
    for name in origin.path:
        if not isinstance(given_.shape, Record) or name not in given_.shape.fields:
            return predicate
        given_ = given_.shape.fields[name]
    shape = given_.shape
    if isinstance(shape, Query | Marker):
        return replace(predicate, value=Value(deps=given_.deps))
    if isinstance(shape, External) and not given_.origins:
        given_ = replace(given_, origins=(Origin(Root.OUTER, shape.source),))
    nothing = given_.literal is None and predicate.relation in (Relation.EQ, Relation.NE)
    return replace(predicate, value=lowered(given_), relation=Relation.OTHER if nothing else predicate.relation)


def _query(query: Query, call: Val, args: tuple[Val, ...], at: int, end: int, made: Span | None) -> Query:
    follows = next(iter(_taken(query.follows, args)), None) if query.follows is not None else None
    terms = tuple(replace(p, predicates=tuple(_term(q, args) for q in p.predicates)) for p in query.plans)
    query = replace(query, plans=terms) if terms != query.plans else query
    ran = _arrived(query.ran, call, args, (), at, end, made) if query.ran is not None else None
    done = replace(query, at=at, end=end, deps=call.deps, follows=follows, made=query.made or made, ran=ran)
    base = query.base
    if base is None or not isinstance(base.ref, int) or base.ref >= len(args):
        return done
    held, left = _reached(base, args)
    given_ = held.shape
    if not isinstance(given_, Query) or left:
        return replace(done, base=held.origins[0] if held.origins and not base.path else None, unsure=done.unsure or bool(base.path))
    if query.plans == UNTOUCHED and not (query.refined or query.unsure or query.cut or query.ran is not None):
        return given_  # handed back as it is
    plans = tuple(
        replace(
            mine, way=outer.way, index=outer.index, predicates=(*outer.predicates, *mine.predicates), order=mine.order or outer.order,
            eager=(*outer.eager, *mine.eager), columns=mine.columns if mine.columns is not None else outer.columns,
            deferred=(*outer.deferred, *mine.deferred), whole=mine.whole or outer.whole,
        )
        for outer in given_.plans
        for mine in query.plans
    )  # fmt: skip
    return replace(
        done, plans=plans[:8], base=given_.base, deps=call.deps | given_.deps, follows=given_.follows,
        refined=given_.refined or query.refined, made=given_.made, cut=given_.cut or query.cut,
        at=given_.at if given_.end else at, end=given_.end or end,
    )  # fmt: skip
