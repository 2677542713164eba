"""Statements: what runs in which order, how often, and under which conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from querylint.frontends.flow import works
from querylint.frontends.flow.expressions import negated, tested
from querylint.frontends.flow.state import Frame, Scope, State, Var
from querylint.frontends.flow.values import NO_STEPS, NOTHING, ClassRef, Closure, Condition, Many, Query, Record, Shape, Val, derived, join
from querylint.ir import ExitKind, LoopKind, Work
from querylint.syntax import tree


def run(m: State, body: list[tree.Stmt]) -> None:
    """Walk through the statements of a block; function declarations come first, as they are hoisted."""
    outer, m.scope = m.scope, Scope(m.scope)
    hoist(m, body)
    for statement in body:
        if m.dead or m.full:
            break
        STATEMENTS[type(statement)](m, statement)
    m.scope = outer


def hoist(m: State, body: list[tree.Stmt]) -> None:
    """Declare the functions and classes of a block before its first statement."""
    for statement in body:
        if isinstance(statement, tree.FnDef):
            declare(m, statement.fn.name, Val(shape=Closure(statement.fn, m.scope, m.path)))
        elif isinstance(statement, tree.ClassDef):
            declare(m, statement.name, Val(shape=ClassRef(m.path, statement.name)))


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
            return shape.fields[name].with_deps(value.deps)
        if shape.rest:
            found = NOTHING
            for part in shape.rest:
                m.touch(part, name)
                found = join(found, _part(part, name)) if found is not NOTHING else _part(part, name)
            return found
    m.touch(value, name)
    return _part(value, name)


def _part(value: Val, name: str) -> Val:
    if isinstance(value.shape, Record) and name in value.shape.fields:
        return value.shape.fields[name]
    return Val(tuple(o.at(name) for o in value.origins if len(o.path) < 8), value.deps, value.pending)


def element_of(m: State, value: Val, number: int, node: tree.ArrayPattern) -> Val:
    """The part of a value that an array pattern takes."""
    shape = value.shape
    if isinstance(shape, Many):
        if shape.items is not None:
            return shape.items[number] if number < len(shape.items) else NOTHING
        if number == 0 and value.origins and len(node.items) == 1:
            return works.picked(m, Work.FIRST, value, node.at, node.end)
    return value.item()


def store(m: State, target: tree.Pattern | tree.Expr, value: Val, *, how: str = "=") -> None:
    """Give an existing place a new value, and note what that means for the loops around it."""
    if isinstance(target, tree.NamePattern | tree.Name):
        var = m.scope.find(target.id)
        if var is None:
            return
        if how != "=":
            note_fold(m, var, value)
            value = value.with_deps(m.why())
        m.store[var] = value
    elif isinstance(target, tree.Member):
        base = m.evaluate(target.base)
        if how != "=":
            note_fold(m, _var_of(m, target.base), value)
        if isinstance(base.shape, Record):
            replaced = Val(base.origins, base.deps | value.deps, base.pending, shape=Record({**base.shape.fields, target.name: value}, base.shape.rest))
            put_back(m, target.base, replaced)
        elif value.interesting:
            put_back(m, target.base, Val(base.origins, base.deps | value.deps, base.pending, base.literal, Record({target.name: value}, (base,)) if base.origins else base.shape))
    elif isinstance(target, tree.Index):
        base = m.evaluate(target.base)
        m.evaluate(target.key)
        add_to(m, target.base, base, value, keyed=True, how="=")
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


def add_to(m: State, target: tree.Expr, base: Val, value: Val, *, keyed: bool, how: str) -> None:
    """A value joins a collection in a variable: `push`, `set`, `add`, `xs[k] = v`."""
    var = _var_of(m, target)
    if how in ("=", "set") and not value.origins and not isinstance(value.shape, Record | Many):
        note_fold(m, var, value)
    if keyed and var is not None:
        note_group(m, var, value)
    base = base.with_deps(m.why())
    shape = base.shape
    if isinstance(shape, Many):
        item = join(shape.item, value) if shape.item is not NOTHING else value
        merged = Val(base.origins, base.deps | value.deps, base.pending | value.pending, shape=Many(item, None, shape.keyed or keyed), works=base.works)
    else:
        merged = Val(base.origins, base.deps | value.deps, base.pending | value.pending, shape=Many(value, None, keyed))
    put_back(m, target, merged)


def _var_of(m: State, target: tree.Expr) -> Var | None:
    while isinstance(target, tree.Member | tree.Index):
        target = target.base
    return m.scope.find(target.id) if isinstance(target, tree.Name) else None


def put_back(m: State, target: tree.Expr, value: Val) -> None:
    if isinstance(target, tree.Name):
        var = m.scope.find(target.id)
        if var is not None:
            m.store[var] = value
    elif isinstance(target, tree.Member):
        base = m.evaluate(target.base)
        if isinstance(base.shape, Record):
            put_back(
                m, target.base, Val(base.origins, base.deps | value.deps, base.pending, shape=Record({**base.shape.fields, target.name: value}, base.shape.rest))
            )


def note_fold(m: State, var: Var | None, value: Val) -> None:
    """A total outside a loop grows with each round of it."""
    for depth, frame in enumerate(m.frames, 1):
        if var is not None and var.depth < depth and frame.items:
            frame.folded = True
            frame.fold_deps |= value.deps


def note_group(m: State, var: Var, value: Val) -> None:
    """A map outside a loop gathers something by key in each round."""
    for depth, frame in enumerate(m.frames, 1):
        if var.depth < depth and frame.items:
            if isinstance(value.shape, Many) or not value.origins:
                frame.grouped = True
            frame.fold_deps |= value.deps


# Statements.


def _do(m: State, node: tree.Do) -> None:
    m.evaluate(node.value)


def _let(m: State, node: tree.Let) -> None:
    if node.value is None:
        bind(m, node.pattern, NOTHING)
        return
    value = m.evaluate(node.value)
    bind(m, node.pattern, value)


def _if(m: State, node: tree.If) -> None:
    value = tested(m, node.test)
    no = negated(value.conditions)

    def then() -> None:
        m.path_conditions.append(value.conditions)
        run(m, node.then)
        m.path_conditions.pop()

    def other() -> None:
        m.path_conditions.append(no)
        run(m, node.other)
        m.path_conditions.pop()

    if value.literal is True or value.literal is False:
        run(m, node.then if value.literal else node.other)
        return
    m.choose([then, other], value.deps, node.at, node.end)


def _return(m: State, node: tree.Return) -> None:
    value = m.evaluate(node.value) if node.value is not None else NOTHING
    conditions = tuple(c for more in m.path_conditions for c in more)
    m.returns.append((value.with_deps(NO_STEPS), conditions, m.why()))
    if node.implicit:
        m.dead = True
    elif m.inner:
        m.leave(ExitKind.CONTINUE, node.at, node.end, value.deps)
    else:
        for frame in m.frames:
            frame.leaves = True
        m.leave(ExitKind.RETURN, node.at, node.end, value.deps)


def _throw(m: State, node: tree.Throw) -> None:
    if node.value is not None:
        m.evaluate(node.value)
    for frame in m.frames:
        frame.leaves = True
    m.leave(ExitKind.THROW, node.at, node.end)


def _break(m: State, node: tree.Break) -> None:
    m.leave(ExitKind.BREAK, node.at, node.end)


def _continue(m: State, node: tree.Continue) -> None:
    m.leave(ExitKind.CONTINUE, node.at, node.end)


def _try(m: State, node: tree.Try) -> None:
    before = m.guards
    run(m, node.body)
    ended, m.dead = m.dead, False
    if node.handled:
        handler_dead = False

        def handler() -> None:
            nonlocal handler_dead
            if node.param is not None:
                bind(m, node.param, NOTHING)
            run(m, node.handler)
            handler_dead = m.dead

        m.choose([lambda: None, handler], NO_STEPS, node.at, node.end, handler=True)
        ended = ended and handler_dead
        if not ended:
            m.guards |= before
    m.dead = False
    if node.final:
        run(m, node.final)
    m.dead = m.dead or ended


def _switch(m: State, node: tree.Switch) -> None:
    subject = m.evaluate(node.subject)
    deps = subject.deps
    arms: list[object] = []
    has_default = False
    for test, body in node.cases:
        if test is None:
            has_default = True
        else:
            deps |= m.evaluate(test).deps
        arms.append(_case(m, body))
    if not has_default:
        arms.append(lambda: None)
    m.choose(arms, deps, node.at, node.end)


def _case(m: State, body: list[tree.Stmt]) -> Callable[[], None]:
    def walk() -> None:
        kept = body[:-1] if body and isinstance(body[-1], tree.Break) else body
        if len(kept) == 1 and isinstance(kept[0], tree.Block):
            inner = kept[0].body
            kept = inner[:-1] if inner and isinstance(inner[-1], tree.Break) else inner
        run(m, kept)

    return walk


def _block(m: State, node: tree.Block) -> None:
    run(m, node.body)


def _nothing(m: State, node: Any) -> None:
    return


# Loops.


def _for(m: State, node: tree.For) -> None:
    if node.form in (tree.LoopForm.OF, tree.LoopForm.AWAIT_OF, tree.LoopForm.IN):
        _for_each(m, node)
    else:
        _for_while(m, node)


def _for_each(m: State, node: tree.For) -> None:
    assert node.over is not None
    over = m.evaluate(node.over)
    if isinstance(over.shape, Query):
        read = m.vocabulary.rows(m, over, node.over.at, node.over.end, partial=leaves_early(node.body))
        over = read if read is not None else NOTHING
    elif node.form is tree.LoopForm.AWAIT_OF:
        over = m.wait(over, node.over.at, node.over.end)
    item = over.item()
    if node.form is tree.LoopForm.IN:
        item = derived(over)
    size = len(over.shape.items) if isinstance(over.shape, Many) and over.shape.items is not None else None
    each_item(m, node, over, item, constant=size is not None and _written_down(over), limit=size)


def _written_down(over: Val) -> bool:
    return isinstance(over.shape, Many) and over.shape.items is not None and not over.deps


def each_item(m: State, node: tree.For, over: Val, item: Val, *, constant: bool, limit: int | None) -> None:
    """One round per item, one after the other."""
    assert node.over is not None
    carried = carry(m, node.body)
    before = dict(m.store)
    with m.loop(
        LoopKind.EACH, node.at, node.head_end, over=over, over_text=m.text(node.over), constant=constant, limit=limit, carried=carried
    ) as frame:
        outer, m.scope = m.scope, Scope(m.scope)
        if node.pattern is not None:
            bind(m, node.pattern, item.with_deps(frozenset({frame.id})))
        rounds(m, node.body, frame)
        m.scope = outer
    settle(m, before)
    finish(m, frame, over, node.at, node.head_end)


def rounds(m: State, body: list[tree.Stmt], frame: Frame) -> None:
    """The body of a loop over rows; a `continue` or an `if` around all of it is a filter."""
    hoist(m, body)
    plain = True
    for number, statement in enumerate(body):
        if m.dead or m.full:
            break
        if isinstance(statement, tree.If) and plain and frame.items:
            _filter_of_rows(m, statement, frame, last=number == len(body) - 1)
        elif not isinstance(statement, tree.Let):
            plain = False
        STATEMENTS[type(statement)](m, statement)


def _filter_of_rows(m: State, node: tree.If, frame: Frame, *, last: bool) -> None:
    skips = bool(node.then) and isinstance(node.then[-1], tree.Continue) and not node.other and len(node.then) == 1
    whole = last and not node.other and not _only_leaves(node.then)
    if not (skips or whole):
        return
    with m.recording():
        conditions = tested(m, node.test).conditions
    predicates = m.predicates(negated(conditions) if skips else conditions, frame.items)
    if not predicates:
        return
    number = m.use(Work.FILTER, Val(tuple(replace(o, path=o.path[:-1]) for o in frame.items)), node.at, node.test.end, predicates=predicates)
    if number is not None:
        for var in m.scope.names.values():
            value = m.store.get(var, NOTHING)
            if any(o in frame.items for o in value.origins):
                m.store[var] = value.worked(number)


def _only_leaves(body: list[tree.Stmt]) -> bool:
    return all(isinstance(s, tree.Throw | tree.Break | tree.Return) for s in body)


def finish(m: State, frame: Frame, over: Val, at: int, end: int) -> None:
    """After a loop over rows: totals and groups that it made are work in memory."""
    if frame.folded:
        m.use(Work.FOLD, over, at, end, deps=frame.fold_deps)
    elif frame.grouped:
        m.use(Work.GROUP, over, at, end, deps=frame.fold_deps)


def settle(m: State, before: dict[Var, Val]) -> None:
    """A loop may not run at all: what it changed may also be what it was."""
    for var, old in before.items():
        new = m.store.get(var)
        if new is not None and new is not old:
            m.store[var] = join(new, old)


def _for_while(m: State, node: tree.For) -> None:
    outer, m.scope = m.scope, Scope(m.scope)
    hoist(m, node.init)
    for statement in node.init:
        STATEMENTS[type(statement)](m, statement)
    counted = node.form is tree.LoopForm.COUNT and node.test is not None and node.update is not None
    constant, limit, over, over_text = _count(m, node) if counted else (False, None, None, "")
    carried = carry(m, node.body, node.update, node.test)
    before = dict(m.store)
    kind = LoopKind.EACH if counted and over is not None else LoopKind.WHILE
    with m.loop(
        kind, node.at, node.head_end, over=over, over_text=over_text or (m.text(node.test) if node.test is not None else ""),
        constant=constant, limit=limit, counted=counted, strided=counted and _strides(node.update), carried=carried,
    ) as frame:  # fmt: skip
        if node.test is not None:
            test = tested(m, node.test)
            frame.control |= test.deps
        guards = m.guards
        rounds(m, node.body, frame)
        m.dead = False
        if node.update is not None:
            kept, m.guards = m.guards, guards
            m.evaluate(node.update)
            m.guards = kept
    settle(m, before)
    if over is not None:
        finish(m, frame, over, node.at, node.head_end)
    m.scope = outer


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


def carry(m: State, body: list[tree.Stmt], *more: tree.Expr | None) -> dict[Var, int]:
    """Variables from before the loop that its rounds change: from here on their values may be another round's."""
    names: set[str] = set()
    for statement in body:
        assigned(statement, names)
    for node in more:
        if node is not None:
            assigned(node, names)
    carried: dict[Var, int] = {}
    for name in sorted(names):
        var = m.scope.find(name)
        if var is not None and var in m.store:
            number = m.fresh()
            carried[var] = number
            old = m.store[var]
            m.store[var] = Val(
                old.origins, old.deps | {number}, old.pending, shape=_open(old.shape), works=old.works, id_of=old.id_of, doc_of=old.doc_of, type=old.type
            )
    return carried


def _open(shape: Shape) -> Shape:
    """A collection that a loop may grow has no members that can be counted."""
    return Many(shape.item, None, shape.keyed, shape.distinct) if isinstance(shape, Many) else shape


GROWING = frozenset(("push", "unshift", "add", "set"))


def assigned(node: object, names: set[str]) -> None:
    """Names that are assigned or grown anywhere in a piece of code, nested functions included."""
    stack = [node]
    while stack:
        this = stack.pop()
        if isinstance(this, tree.Assign) and isinstance(this.target, tree.NamePattern):
            names.add(this.target.id)
        elif isinstance(this, tree.Call) and isinstance(this.func, tree.Member) and this.func.name in GROWING and isinstance(this.func.base, tree.Name):
            names.add(this.func.base.id)
        if isinstance(this, list | tuple):
            stack.extend(this)
        elif hasattr(this, "__slots__") and not isinstance(this, str):
            stack.extend(getattr(this, slot) for slot in this.__slots__ if slot not in ("at", "end"))


def leaves_early(body: list[tree.Stmt]) -> bool:
    """Whether a loop body may end the loop before its last item; inner loops and functions have their own."""
    stack: list[object] = list(body)
    while stack:
        this = stack.pop()
        if isinstance(this, tree.Break | tree.Return | tree.Throw):
            return True
        if isinstance(this, tree.If):
            stack.extend((*this.then, *this.other))
        elif isinstance(this, tree.Block | tree.Try):
            stack.extend(this.body)
        elif isinstance(this, tree.Switch):
            stack.extend(s for _, case in this.cases for s in case if isinstance(s, tree.Return | tree.Throw))
        elif isinstance(this, tree.For):
            stack.extend(s for s in this.body if isinstance(s, tree.Return | tree.Throw))
    return False


def invoke(m: State, closure: Closure, args: tuple[Val, ...], at: int, end: int, *, inline: bool = False) -> Val:
    """Run a closure in place; of an async one only a promise comes back, unless the caller's loop stands for its pace (`inline`)."""
    fn = closure.fn
    if any(c is fn for c in m.calling) or len(m.calling) > 12 or m.full:
        return derived(*args)
    m.calling.append(fn)
    m.inner += 1
    scope, dead, guards, control = m.scope, m.dead, m.guards, m.control
    returns, m.returns = m.returns, []
    conditions, m.path_conditions = m.path_conditions, []
    m.scope = Scope(closure.scope)
    frame: Frame | None = None
    if fn.is_async and not inline:
        with m.loop(LoopKind.ONCE, at, end) as frame:
            _body(m, fn, args)
    else:
        _body(m, fn, args)
    found = m.returns
    m.scope, m.dead, m.control, m.returns, m.path_conditions = scope, dead, control, returns, conditions
    m.guards = guards
    m.inner -= 1
    m.calling.pop()
    if not found:
        return Val(pending=frozenset({frame.id}) if frame is not None else NO_STEPS)
    value = found[0][0]
    for other, _, _ in found[1:]:
        value = join(value, other)
    value = _with_conditions(value, found)
    if frame is not None:
        value = Val(
            value.origins, value.deps | {frame.id}, frozenset({frame.id}), value.literal, value.shape, value.works, value.conditions, value.id_of, value.doc_of, value.type
        )
    return value


def _body(m: State, fn: tree.Fn, args: tuple[Val, ...]) -> None:
    bind_params(m, fn, args)
    run(m, fn.body)


def bind_params(m: State, fn: tree.Fn, args: tuple[Val, ...]) -> None:
    """Give the parameters of a function their values."""
    for number, param in enumerate(fn.params):
        if param.rest:
            rest = args[number:]
            bind(m, param.pattern, Val(shape=Many(rest[0] if rest else NOTHING, rest or None)))
            break
        value = args[number] if number < len(args) else NOTHING
        if param.default is not None:
            value = join(value, m.evaluate(param.default)) if value is not NOTHING else m.evaluate(param.default)
        if param.type:
            value = m.vocabulary.typed(m, value, param.type)
        bind(m, param.pattern, value)


def _with_conditions(value: Val, found: list[tuple[Val, tuple[Condition, ...], frozenset[int]]]) -> Val:
    """What a predicate function tests: its returned condition, and the negation of what led to `return false`."""
    if len(found) == 1 and not found[0][1]:
        return value
    gathered: list[Condition] = []
    for result, path, _ in found:
        if result.literal is False:
            no = negated(path)
            gathered.extend(no)
        elif result.conditions:
            gathered.extend(result.conditions)
        elif result.literal is True:
            continue
    if not gathered:
        return value
    return Val(value.origins, value.deps, value.pending, value.literal, value.shape, value.works, tuple(dict.fromkeys(gathered)), value.id_of, value.doc_of)


STATEMENTS: dict[type, Callable[[State, Any], None]] = {
    tree.Do: _do,
    tree.Let: _let,
    tree.If: _if,
    tree.For: _for,
    tree.Return: _return,
    tree.Throw: _throw,
    tree.Break: _break,
    tree.Continue: _continue,
    tree.Try: _try,
    tree.Switch: _switch,
    tree.Block: _block,
    tree.FnDef: _nothing,
    tree.ClassDef: _nothing,
}

