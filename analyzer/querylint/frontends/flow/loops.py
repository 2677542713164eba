"""Loops: what runs in each round, what one round hands to the next, and what a loop over rows makes of them."""

from __future__ import annotations

import re

from querylint.construction import replace
from querylint.frontends.flow.amounts import passed
from querylint.frontends.flow.binding import bind, hoist
from querylint.frontends.flow.comparators import against_kept, keeps_greatest
from querylint.frontends.flow.comprehensions import go_through
from querylint.frontends.flow.conditions import negated, stated, tested
from querylint.frontends.flow.leaving import GROWING, assigned, breaks_off, ends, leaves_early
from querylint.frontends.flow.scope import Frame, Scope, Var
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NO_STEPS, NOTHING, ClassRef, Closure, Condition, Many, Marker, Query, Shape, Val, derived, join
from querylint.ir import Access, Bound, Call, Loop, LoopKind, Root, Work
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name

EVENTS = Pattern(
    r"(?:^|_)(?:streams?|listen\w*|subscri\w*|pubsub|events?|messages?|consum\w*|watch\w*|poll\w*|notif\w*|queue|(?:web)?socket|ws)(?:_|$)",
    re.IGNORECASE,
)
"""What hands out events as they come in: nobody has all of them to ask for at once."""


def run_for(m: State, node: tree.For) -> None:
    """A loop statement."""
    if node.form in (tree.LoopForm.OF, tree.LoopForm.AWAIT_OF, tree.LoopForm.IN):
        _for_each(m, node)
    else:
        _for_while(m, node)


def _for_each(m: State, node: tree.For) -> None:
    assert node.over is not None
    over = m.evaluate(node.over)
    waiting = node.form is tree.LoopForm.AWAIT_OF
    read = None
    if waiting or isinstance(over.shape, Query | Marker):
        read = m.vocabulary.rows(m, over, node.over.at, node.over.end, partial=leaves_early(node.body))
        if read is not None:
            over = read
        elif waiting or isinstance(over.shape, Query):
            over = m.wait(over, node.over.at, node.over.end) if waiting and not isinstance(over.shape, Query) else NOTHING
    item = over.item()
    if node.form is tree.LoopForm.IN:
        item = derived(over)
    if m.language.function_scoped and isinstance(over.shape, Many) and over.shape.key is not None:
        item = over.shape.key  # a map hands out its keys
    size = over.shape.most or None if isinstance(over.shape, Many) else None
    written = isinstance(over.shape, ClassRef) and not over.shape.instance  # the members of an enumeration
    cut = over.shape.cut if isinstance(over.shape, Many) else None
    limit = size if size is not None else cut
    rows = read is not None or item.doc_of is not None
    once = m.language.function_scoped and _given_once(m, node.over)
    events = waiting and m.language.function_scoped and not rows and EVENTS.search(callee_name(node.over)) is not None
    each_item(
        m,
        node,
        over,
        item,
        constant=written or (size is not None and not over.origins),
        limit=limit,
        paced=events or once,
        arriving=waiting and not rows,
    )
    if read is not None and waiting and node.pattern is not None:
        found = ends(node.body, {pattern.id for pattern in tree.find(node.pattern, tree.NamePattern)})
        if all(found):
            _unbounded(m, read, until=bool(found))


def _unbounded(m: State, rows: Val, *, until: bool) -> None:
    """The read that hands out these rows goes on to the last, or `until` enough have passed, which may be the last as well."""
    ids = {origin.ref for origin in rows.origins if origin.root is Root.STEP}
    for number, step in enumerate(m.block):
        if isinstance(step, Access) and step.id in ids and step.bound is Bound.LIMIT and step.limit is None:
            m.block[number] = replace(step, until=True) if until else replace(step, bound=Bound.ALL)


def _given_once(m: State, over: tree.Expr) -> bool:
    """Whether a loop runs over what a generator of the project hands out only once: `async for session in get_session():`."""
    func = over.func if isinstance(over, tree.Call) else None
    while isinstance(func, tree.Member):
        func = func.base
    if not isinstance(over, tree.Call) or not isinstance(func, tree.Name):
        return False
    with m.recording():
        shape = m.evaluate(over.func).shape
    return isinstance(shape, Closure) and _yields_once(shape.fn)


def _yields_once(fn: tree.Fn) -> bool:
    """Whether a function yields in one place, which no loop repeats."""
    if not fn.generator:
        return False
    yields = tree.find(fn.body, tree.Yield)
    if len(yields) != 1 or isinstance(yields[0].value, tree.Spread):
        return False
    at = yields[0].at
    around: list[tree.For | tree.Fn] = tree.find(fn.body, tree.For, tree.Fn)
    return not any(one.at <= at < one.end for one in around)


def each_item(
    m: State, node: tree.For, over: Val, item: Val, *, constant: bool, limit: int | None, paced: bool = False, arriving: bool = False
) -> None:
    """One round per item, one after the other, or as events come in, at a pace of their own (`paced`)."""
    assert node.over is not None
    carried = carry(m, node)
    before = dict(m.store)
    with m.loop(
        LoopKind.EACH, node.at, node.head_end, over=over, over_text=m.text(node.over), constant=constant, limit=limit, carried=carried,
        strided=m.language.function_scoped and item.doc_of is None and in_batches(node.over), kept=node.kept, arriving=arriving,
    ) as frame:  # fmt: skip
        outer, m.scope = m.scope, Scope(m.scope)
        if node.pattern is not None:
            bind(m, node.pattern, item.with_deps(frozenset({frame.id})))
        rounds(m, node.body, frame)
        if m.language.function_scoped and not leaves_early(node.body) and not frame.filters:
            go_through(m, over)
        m.scope = outer
        frame.kind = LoopKind.ONCE if paced else frame.kind
    settle(m, before, frame)
    frame.made = frame.made and not leaves_early(node.body)
    finish(m, frame, over, node.at, node.head_end)
    _otherwise(m, node)


def _otherwise(m: State, node: tree.For) -> None:
    """What runs where a loop has come to its end: not where a round has broken it off."""
    if node.other and breaks_off(node.body):
        m.choose([lambda: m.run(node.other), lambda: None], NO_STEPS, node.at, node.end)
    elif node.other:
        m.run(node.other)


def in_batches(over: tree.Expr) -> bool:
    """Whether a loop takes several items at a time: `range(0, n, size)`, `batched(rows, size)`, `enumerate(chunks(rows))`."""
    while isinstance(over, tree.Call) and isinstance(over.func, tree.Name) and over.func.id == "enumerate" and over.args:
        over = over.args[0]
    if not isinstance(over, tree.Call):
        return False
    name = over.func.name if isinstance(over.func, tree.Member) else over.func.id if isinstance(over.func, tree.Name) else ""
    if name == "range" and len(over.args) == 3:
        step = over.args[2]
        return not isinstance(step, tree.Op) and not (isinstance(step, tree.Literal) and step.value == 1)  # an operation is a step back
    return BATCHING.search(name) is not None


def rounds(m: State, body: list[tree.Stmt], frame: Frame, *, callback: bool = False) -> None:
    """The body of a loop over rows; a `continue` or an `if` around all of it is a filter, as is a bare `return` of a callback."""
    hoist(m, body)
    plain = True
    found: dict[Var, Val] = {}
    for number, statement in enumerate(body):
        if m.dead or m.full:
            break
        if isinstance(statement, tree.If) and plain and frame.items:
            found = _filter_of_rows(m, statement, frame, body, last=number == len(body) - 1, callback=callback)
            plain = _passes_over(m, statement, frame) or _only_leaves(statement.then)  # else it works on rows, which what follows keeps
        elif not isinstance(statement, tree.Let):
            plain = False
        m.execute(statement)
        for var, value in found.items():
            m.store[var] = value  # what goes on after a search is the other rows
        found = {}


def _filter_of_rows(m: State, node: tree.If, frame: Frame, body: list[tree.Stmt], *, last: bool, callback: bool) -> dict[Var, Val]:
    """Note a choice that is a filter or a search of the rows. Of a search, the variables that hold what it has not found."""
    skips = _skips(node, callback=callback)
    whole = last and not node.other and not _only_leaves(node.then) and not _only_counts(node.then)
    finds = (
        last and bool(node.then) and isinstance(node.then[-1], tree.Return | tree.Break | tree.Throw) and not node.other and not callback
    )
    if not (skips or whole or finds):
        return {}
    with m.recording():
        conditions = tested(m, node.test).conditions
    holding = negated(conditions) if skips else conditions
    predicates = stated(m, holding, frame.items)
    if not predicates or (finds and any(p.relation.ranged for p in predicates)):  # in their order, the rows end there
        return {}
    held = (m.store.get(var, NOTHING) for var in m.scope.names.values())
    done = next((value.works for value in held if any(o in frame.items for o in value.origins)), ())
    rows = Val(tuple(replace(o, path=o.path[:-1]) for o in frame.items), works=done)
    if finds:
        return _worked(m, frame, m.use(Work.FIND, rows, node.at, node.test.end, predicates=predicates))
    if not m.language.function_scoped and keeps_greatest(node, m.text):
        m.use(Work.FOLD, rows, node.at, node.test.end, fields=tuple(p.field for p in predicates[:1] if p.field), extreme=True)
        return {}
    kept = against_kept(node.test, body, set(m.scope.names))
    if kept:
        predicates = stated(m, _besides(holding, kept), frame.items)
        if not predicates:
            return {}
    number = m.use(Work.FILTER, rows, node.at, node.test.end, predicates=predicates)
    if number is not None:
        frame.filters.append(number)
    _worked(m, frame, number)
    return {}


def _worked(m: State, frame: Frame, number: int | None) -> dict[Var, Val]:
    """A work has been done on the rows: what the variables that hold one, or a part of one, have held before."""
    held = {var: m.store.get(var, NOTHING) for var in m.scope.names.values()} if number is not None else {}
    rows = {var: value for var, value in held.items() if any(o in frame.items for o in value.origins)}
    for var, value in rows.items():
        assert number is not None
        m.store[var] = value.worked(number)
    return rows


def _besides(conditions: tuple[Condition, ...], places: set[tuple[int, int]]) -> tuple[Condition, ...]:
    """What conditions ask besides the comparisons in some places: an alternative with one of these in it asks nothing that is known."""
    return tuple(c for c in conditions if not _stands_in(c, places))


def _stands_in(condition: Condition, places: set[tuple[int, int]]) -> bool:
    return (condition.at, condition.end) in places or any(_stands_in(c, places) for arm in condition.arms for c in arm)


def _skips(node: tree.If, *, callback: bool) -> bool:
    left = node.then[0] if len(node.then) == 1 and not node.other else None
    return isinstance(left, tree.Continue) or (callback and isinstance(left, tree.Return) and left.value is None)


def _passes_over(m: State, node: tree.If, frame: Frame) -> bool:
    """Whether rows that a choice leaves out are left out for good: all it does besides is to say so."""
    if not node.then or not isinstance(node.then[-1], tree.Continue) or node.other:
        return False
    own = {s.pattern.id for s in node.then if isinstance(s, tree.Let) and isinstance(s.pattern, tree.NamePattern)}
    if tree.find(node.then, tree.Await) or any(
        not isinstance(change.target, tree.NamePattern) or change.target.id not in own for change in tree.find(node.then, tree.Assign)
    ):
        return False
    return not any(_changes(m, call.func, own, frame) for call in tree.find(node.then, tree.Call))


def _changes(m: State, func: tree.Expr, own: set[str], frame: Frame) -> bool:
    """Whether a method changes the row, or a collection from outside the choice."""
    if not isinstance(func, tree.Member):
        return False
    root = func.base
    while isinstance(root, tree.Member | tree.Index):
        root = root.base
    if not isinstance(root, tree.Name) or root.id in own:
        return False
    var = m.scope.find(root.id)
    value = m.store.get(var, NOTHING) if var is not None else NOTHING
    return func.name in GROWING or any(o in frame.items for o in value.origins)


def _only_counts(body: list[tree.Stmt]) -> bool:
    """Whether a choice only adds to a number: a tally of the rows, which drops none of them."""
    return bool(body) and all(isinstance(s, tree.Do) and isinstance(s.value, tree.Assign) and s.value.sign in ("+=", "-=") for s in body)


def _only_leaves(body: list[tree.Stmt]) -> bool:
    return all(isinstance(s, tree.Throw | tree.Break | tree.Return) for s in body)


def finish(m: State, frame: Frame, over: Val, at: int, end: int) -> None:
    """After a loop over rows: totals and groups that it made are work in memory, of the rows that its filters let pass."""
    over = passed(m, frame, over)
    if frame.folded and not _works(m, frame):
        m.use(Work.FOLD, over, at, end, deps=frame.fold_deps, fields=tuple(sorted(frame.fold_fields)))
    elif frame.grouped:
        m.use(Work.GROUP, over, at, end, deps=frame.fold_deps)


def _works(m: State, frame: Frame) -> bool:
    """Whether the rounds ask or change the database: what they add up besides counts their outcomes, not the rows."""
    loop = next((step for step in reversed(m.block) if isinstance(step, Loop) and step.id == frame.id), None)
    inside = loop.steps() if loop is not None else ()
    return any(isinstance(step, Access) or (isinstance(step, Call) and step.mode.remote) for step in inside)


def settle(m: State, before: dict[Var, Val], frame: Frame) -> None:
    """A loop may not run at all, or be left in the middle: what it changed may also be what it was there."""
    for var, old in before.items():
        new = m.store.get(var)
        if new is not None and new is not old:
            m.store[var] = join(new, old)
        for store, why in frame.exits:
            left = store.get(var)
            if left is not None and left is not old and left is not new:
                m.store[var] = join(m.store.get(var, old), left).with_deps(why)


def _for_while(m: State, node: tree.For) -> None:
    outer, m.scope = m.scope, Scope(m.scope)
    hoist(m, node.init)
    for statement in node.init:
        m.execute(statement)
    counted = node.form is tree.LoopForm.COUNT and node.test is not None and node.update is not None
    constant, limit, over, over_text = _count(m, node) if counted else (False, None, None, "")
    carried = carry(m, node)
    before = dict(m.store)
    kind = LoopKind.EACH if counted and over is not None else LoopKind.WHILE
    with m.loop(
        kind, node.at, node.head_end, over=over, over_text=over_text or (m.text(node.test) if node.test is not None else ""),
        constant=constant, limit=limit, counted=counted, strided=_strides(node.update) if counted else _by_parts(node), carried=carried,
    ) as frame:  # fmt: skip
        if node.test is not None:
            test = tested(m, node.test)
            frame.control |= test.deps
        guards = m.guards
        rounds(m, node.body, frame)
        m.dead = False
        if node.update is not None:
            kept, m.guards = m.guards, guards
            folded = frame.folded
            m.evaluate(node.update)
            m.guards, frame.folded = kept, folded
    settle(m, before, frame)
    frame.made = frame.made and not leaves_early(node.body)
    if over is not None:
        finish(m, frame, over, node.at, node.head_end)
    m.scope = outer
    _otherwise(m, node)


def _count(m: State, node: tree.For) -> tuple[bool, int | None, Val | None, str]:
    """What an index loop counts through: `i < xs.length` runs over `xs`, `i < 5` is constant."""
    test = node.test
    if not isinstance(test, tree.Op) or len(test.operands) != 2 or test.sign not in ("<", "<=", ">", ">=", "!=="):
        return False, None, None, ""
    bound = test.operands[1] if test.sign in ("<", "<=", "!==") else test.operands[0]
    if isinstance(bound, tree.Member) and bound.name == "length":
        with m.recording():
            over = m.evaluate(bound.base)
        return False, None, over if over.interesting else None, m.text(bound.base)
    with m.recording():
        value = m.evaluate(bound)
    if isinstance(value.literal, int) and not isinstance(value.literal, bool):
        return True, value.literal, None, m.text(bound)
    return False, None, None, m.text(bound)


def _strides(update: tree.Expr | None) -> bool:
    """Whether an index moves by more than one."""
    if not isinstance(update, tree.Assign):
        return False
    step = update.value
    return update.sign in ("+=", "-=") and not (isinstance(step, tree.Literal) and step.value == 1)


def _by_parts(node: tree.For) -> bool:
    """Whether each round of a loop takes the next part of a range, by the names that the code gives it: `start += chunk_size`."""
    tested = {name.id for name in tree.find(node.test, tree.Name)} if isinstance(node.test, tree.Op) else set()
    for change in tree.find(node.body, tree.Assign):
        if isinstance(change.target, tree.NamePattern) and change.target.id in tested and change.sign in ("+=", "-="):
            names = [change.target.id, *(name.id for name in tree.find(change.value, tree.Name))]
            if any(BATCHING.search(name) for name in names):
                return True
    return False


def carry(m: State, node: tree.For) -> dict[Var, int]:
    """Variables from before the loop that its rounds change: from here on their values may be another round's."""
    if node.assigns is None:
        names: set[str] = set()
        for part in (*node.body, node.update, node.test):
            assigned(part, names)
        node.assigns = frozenset(names)
    carried: dict[Var, int] = {}
    for name in sorted(node.assigns):
        var = m.scope.find(name)
        if var is not None and var in m.store:
            number = m.fresh()
            carried[var] = number
            var.carried |= {number}
            old = m.store[var]
            m.store[var] = Val(
                old.origins,
                old.deps | {number},
                old.pending,
                shape=_open(old.shape),
                works=old.works,
                id_of=old.id_of,
                doc_of=old.doc_of,
                type=old.type,
            )
    return carried


def _open(shape: Shape) -> Shape:
    """A collection that a loop may grow has no members that can be counted."""
    if isinstance(shape, Many) and not shape.names:
        return Many(shape.item, None, shape.keyed, shape.distinct, key=shape.key, filled=shape.filled, mixed=shape.mixed)
    return shape


BATCHING = Pattern(r"batch|chunk|in_slices|partition|paginate", re.IGNORECASE)
