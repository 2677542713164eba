"""Names and places: what is bound, assigned, and put into collections."""

from __future__ import annotations

from querylint.frontends.flow import works
from querylint.frontends.flow.conditions import field_of
from querylint.frontends.flow.scope import Var
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NO_STEPS,
    NOTHING,
    ClassRef,
    Closure,
    Many,
    Query,
    Record,
    Val,
    either_way,
    join,
    nested,
    of_one_row,
    together,
    worked_out,
)
from querylint.ir import NOT_LITERAL, Escape, Work
from querylint.syntax import tree

TEXT = "text"
"""How text is added to text: `out += "..."`."""


def hoist(m: State, body: list[tree.Stmt]) -> None:
    """Declare the functions and classes of a block before its first statement."""
    for statement in body:
        if isinstance(statement, tree.FnDef):
            m.declared[id(statement.fn)] = (statement, m.scope)
            declare(m, statement.fn.name, Val(shape=Closure(statement.fn, m.scope, m.path, label=statement.fn.name)))
        elif isinstance(statement, tree.ClassDef):
            m.declared[id(statement)] = (statement, m.scope)
            declare(m, statement.name, Val(shape=ClassRef(m.path, m.prefix + statement.name)))


def declare(m: State, name: str, value: Val) -> None:
    """Bind a new variable in the present scope."""
    var = m.scope.names.get(name)
    if var is None:
        var = m.scope.names[name] = Var(name, len(m.frames))
    m.store[var] = value


def bind(m: State, pattern: tree.Pattern, value: Val) -> None:
    """Declare the names of a pattern."""
    if isinstance(pattern, tree.NamePattern):
        declare(m, pattern.id, m.vocabulary.typed(m, value, pattern.type) if pattern.type else value)
    elif isinstance(pattern, tree.RecordPattern):
        for name, inner, default in pattern.fields:
            part = member_of(m, value, name, pattern)
            bind(m, inner, join(part, m.evaluate(default)) if default is not None else part)
        if pattern.rest:
            declare(m, pattern.rest, value)
    elif isinstance(pattern, tree.ArrayPattern):
        for number, entry in enumerate(pattern.items):
            if entry is None:
                continue
            inner, default = entry
            part = element_of(m, value, number, pattern)
            bind(m, inner, join(part, m.evaluate(default)) if default is not None else part)
        if pattern.rest is not None:
            bind(m, pattern.rest, value)
    else:
        store(m, pattern, value)


def member_of(m: State, value: Val, name: str, node: tree.RecordPattern) -> Val:
    """The part of a value that a record pattern takes."""
    fake = tree.Member(tree.Opaque([], node.at, node.at), name, node.at, node.end, node.at)
    special = m.vocabulary.member(m, value, fake)
    if special is not None:
        return special
    return plain_member(m, value, name)


def plain_member(m: State, value: Val, name: str) -> Val:
    """A field of a value, with no meaning beyond that."""
    shape = value.shape
    if isinstance(shape, Record):
        if name in shape.fields:
            return either_way(shape.fields[name]).with_deps(value.deps)
        if shape.rest:
            found = NOTHING
            for part in shape.rest:
                m.touch(part, name)
                found = join(found, _part(part, name)) if found is not NOTHING else _part(part, name)
            return found.with_deps(value.deps)
    m.touch(value, name)
    return _part(value, name)


def _part(value: Val, name: str) -> Val:
    if isinstance(value.shape, Record) and name in value.shape.fields:
        return either_way(value.shape.fields[name])
    return Val(tuple(o.at(name) for o in value.origins if len(o.path) < 8), value.deps, value.pending)


def element_of(m: State, value: Val, number: int, node: tree.ArrayPattern) -> Val:
    """The part of a value that an array pattern takes."""
    shape = value.shape
    if isinstance(shape, Many):
        if shape.items is not None:
            found = shape.items[number] if number < len(shape.items) else NOTHING
            if number < len(shape.names):
                m.touch(value, shape.names[number])
            return found.with_deps(value.deps.difference(*(item.deps for item in shape.items)))
        if number == 0 and value.origins and len(node.items) == 1:
            return works.picked(m, Work.FIRST, value, node.at, node.end)
    return value.item()


def store(m: State, target: tree.Pattern | tree.Expr, value: Val, *, how: str = "=") -> None:
    """Give an existing place a new value, and note what that means for the loops around it."""
    if isinstance(target, tree.NamePattern | tree.Name):
        var = m.scope.find(target.id)
        if var is None:
            return
        if how not in ("=", TEXT):
            note_fold(m, var, value)
        elif how == TEXT:
            note_made(m, var, value)
        if how != "=":
            value = value.with_deps(m.why())
        elif m.language.function_scoped and len(m.frames) > var.depth and m.store.get(var) is NOTHING:
            var.depth = len(m.frames)  # it is born in this round
        m.store[var] = value
    elif isinstance(target, tree.Member):
        base = m.evaluate(target.base)
        m.vocabulary.assigned(m, base, target, value)
        asked = isinstance(value.shape, Query) and id(value.shape) not in m.results  # a query that has run keeps its rows
        m.hang((value,))
        if m.language.function_scoped and not isinstance(base.shape, Record | Query) and not asked:
            m.leak(value, Escape.STORED, target.at, target.end)  # whoever holds the object has it from now on
        if how not in ("=", TEXT):
            note_fold(m, _var_of(m, target.base), value)
        elif how == TEXT:
            note_made(m, _var_of(m, target.base), value)
        if isinstance(base.shape, Record):
            put_back(m, target.base, _with_field(base, base.shape, target.name, value))
        elif m.language.function_scoped and isinstance(base.shape, Many):
            pass  # what is hung on a list or a page is no part of its rows
        elif value.interesting and not isinstance(base.shape, Query):  # nor is what is hung on a query
            kept = base.doc_of if m.language.function_scoped else None
            put_back(
                m,
                target.base,
                Val(
                    base.origins,
                    base.deps | value.deps,
                    base.pending,
                    base.literal,
                    Record({target.name: value}, (base,)) if base.origins or kept else base.shape,
                    doc_of=kept,
                ),
            )
    elif isinstance(target, tree.Index):
        base = m.evaluate(target.base)
        key = m.evaluate(target.key)
        if m.language.function_scoped and key.doc_of is not None:
            m.leak(key, Escape.STORED, target.key.at, target.key.end)  # a row that is a key is kept like one that is a value
        if isinstance(base.shape, Record):
            if how not in ("=", TEXT):
                note_fold(m, _var_of(m, target.base), value)
            name = key.literal if isinstance(key.literal, str) else None
            known = _with_field(base, base.shape, name, value) if name is not None else _with_some(base, base.shape, value, key)
            put_back(m, target.base, known)
            return
        if m.language.function_scoped and base.shape is None and isinstance(key.literal, str):
            # A dictionary of which nothing is known has one field that is.
            rest = (base,) if base.origins or base.deps else ()
            put_back(m, target.base, Val(base.origins, base.deps | value.deps, base.pending, shape=Record({key.literal: value}, rest)))
            return
        add_to(m, target.base, base, value, keyed=True, how="=", key=key)
    elif isinstance(target, tree.RecordPattern | tree.ArrayPattern):
        bind_existing(m, target, value)


def bind_existing(m: State, pattern: tree.RecordPattern | tree.ArrayPattern, value: Val) -> None:
    """A destructuring assignment to variables that exist already."""
    if isinstance(pattern, tree.RecordPattern):
        for name, inner, _ in pattern.fields:
            store(m, inner, member_of(m, value, name, pattern))
        return
    for number, entry in enumerate(pattern.items):
        if entry is not None:
            store(m, entry[0], element_of(m, value, number, pattern))


def add_to(m: State, target: tree.Expr, base: Val, value: Val, *, keyed: bool, how: str, key: Val = NOTHING) -> None:
    """A value joins a collection in a variable: `push`, `set`, `add`, `xs[k] = v`."""
    value = m.ran(value)
    if _in_an_entry(target):  # `groups[key].rows.push(row)`: what the entries of a map hold is not followed
        m.leak(value, Escape.STORED, target.at, target.end)
    var = _var_of(m, target)
    grouping = keyed and m.language.function_scoped  # `totals[key] += value` is a total for each key
    if (
        how in ("=", "set")
        and not grouping
        and not (how == "set" and _looked_up_later(target, var, value))
        and not value.origins
        and value.literal is NOT_LITERAL
        and not isinstance(value.shape, Record | Many)
        and not of_one_row(key)
    ):
        note_fold(m, var, value, keyed=True)
    if keyed and var is not None:
        note_group(m, var, value)
    elif not keyed:
        note_made(m, var, value)
    base = base.with_deps(m.why())
    shape = base.shape
    if isinstance(shape, Many):
        item = join(shape.item, value) if shape.item is not NOTHING else value
        merged = Val(
            base.origins,
            base.deps | value.deps,
            base.pending | value.pending,
            shape=Many(
                item,
                None,
                shape.keyed or keyed,
                most=_one_more(m, var, shape),
                key=shape.key or row(key),
                filled=shape.filled | _inside(m, var),
                mixed=True,
            ),
            works=base.works,
        )
    else:
        made = Many(value, None, keyed, key=row(key), filled=_inside(m, var), mixed=True)
        merged = Val(base.origins, base.deps | value.deps, base.pending | value.pending, shape=made)
    put_back(m, target, merged)


def _inside(m: State, var: Var | None) -> frozenset[int]:
    """The loops around this place that a variable stands outside of."""
    return frozenset(frame.id for frame in m.frames[var.depth :]) if var is not None else NO_STEPS


def _looked_up_later(target: tree.Expr, var: Var | None, value: Val) -> bool:
    """Whether an entry of a map owes nothing to those of rounds before: it waits there to be looked up, and adds nothing up."""
    return isinstance(target, tree.Name) and var is not None and bool(var.carried) and not var.carried & value.deps


def _in_an_entry(target: tree.Expr) -> bool:
    """Whether a collection is a field of what a map holds under a key."""
    while isinstance(target, tree.Member):
        target = target.base
        if isinstance(target, tree.Index) and not isinstance(target.key, tree.Literal):
            return True
    return False


def row(key: Val) -> Val | None:
    """A row as the key of a map; None for any other key."""
    return key if key.doc_of is not None else None


def _one_more(m: State, var: Var | None, shape: Many) -> int | None:
    """How many members a collection has at most after one more has joined it, outside of any loop that it is not made in itself."""
    return shape.most + 1 if shape.most is not None and var is not None and var.depth == len(m.frames) else None


def _var_of(m: State, target: tree.Expr) -> Var | None:
    while isinstance(target, tree.Member | tree.Index):
        target = target.base
    return m.scope.find(target.id) if isinstance(target, tree.Name) else None


def put_back(m: State, target: tree.Expr, value: Val) -> None:
    """Note what became of the value in a variable or in a field of one."""
    if isinstance(target, tree.Name):
        var = m.scope.find(target.id)
        if var is not None:
            m.store[var] = value
    elif isinstance(target, tree.Member):
        base = m.evaluate(target.base)
        if isinstance(base.shape, Record):
            put_back(m, target.base, _with_field(base, base.shape, target.name, value))
    elif isinstance(target, tree.Index):
        base, key = m.evaluate(target.base), m.evaluate(target.key).literal
        if isinstance(base.shape, Record) and isinstance(key, str):
            put_back(m, target.base, _with_field(base, base.shape, key, value))


def _with_field(base: Val, shape: Record, name: str, value: Val) -> Val:
    return Val(
        base.origins,
        base.deps | value.deps,
        base.pending,
        shape=Record({**shape.fields, name: nested(value)}, shape.rest),
        doc_of=base.doc_of,
    )


def _with_some(base: Val, shape: Record, value: Val, key: Val) -> Val:
    """A field whose name is not written down: any field may be that one."""
    some = value.interesting or row(key) is not None
    rest = together(shape.rest, (Val(deps=value.deps, shape=Many(nested(value), None, True, key=row(key))),)) if some else shape.rest
    return Val(base.origins, base.deps | value.deps, base.pending, shape=Record(shape.fields, rest), doc_of=base.doc_of)


def note_fold(m: State, var: Var | None, value: Val, *, keyed: bool = False) -> None:
    """A total outside a loop grows with each round of it.

    With one total for each key, the loops within such a loop gather into the same totals what they find for all of its items.
    """
    for depth, frame in enumerate(m.frames, 1):
        if m.language.function_scoped and any(step > frame.id for step in value.deps):
            continue  # the round works out, or asks for, what it adds: no database could
        if var is not None and var.depth < depth and frame.items:
            frame.folded = True
            frame.fold_deps |= value.deps
            if keyed:
                break


def note_made(m: State, var: Var | None, value: Val) -> None:
    """What each round works out of its item joins a list or a text from outside the loop."""
    for depth, frame in enumerate(m.frames, 1):
        if var is not None and var.depth < depth and frame.items and worked_out(value, frame.id):
            frame.made = True


def note_added(m: State, value: Val) -> None:
    """What each round adds to a total: fields of the items, where it is that."""
    for frame in m.frames:
        frame.fold_fields.update(name for o in value.origins if (name := field_of(o, frame.items)))


def note_group(m: State, var: Var, value: Val) -> None:
    """A map outside a loop gathers something by key in each round; totals as `note_fold` says."""
    for depth, frame in enumerate(m.frames, 1):
        if var.depth < depth and frame.items:
            if isinstance(value.shape, Many) or not value.origins:
                frame.grouped = True
            frame.fold_deps |= value.deps
            if not isinstance(value.shape, Many) and not value.origins:
                break
