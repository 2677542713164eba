"""Statements: what runs in which order, how often, and under which conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from querylint.construction import replace
from querylint.frontends.flow import cases
from querylint.frontends.flow.amounts import note_refused, reaching
from querylint.frontends.flow.asked import asked
from querylint.frontends.flow.binding import bind, hoist
from querylint.frontends.flow.comprehensions import go_through
from querylint.frontends.flow.conditions import (
    BARE,
    absent,
    names_constant,
    narrowed,
    negated,
    of_database,
    outcome,
    singled_out,
    tested,
    told,
    vacant,
)
from querylint.frontends.flow.leaving import unsettle
from querylint.frontends.flow.loops import rounds, run_for
from querylint.frontends.flow.memos import Memory, answers, filled, fills, kept
from querylint.frontends.flow.merging import rejoined
from querylint.frontends.flow.scope import Frame, Scope, Var
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    NO_STEPS,
    NOTHING,
    Closure,
    Many,
    Query,
    Val,
    derived,
    join,
    join_all,
    many,
)
from querylint.ir import Branch, Exit, ExitKind, LoopKind
from querylint.syntax import tree


def execute(m: State, statement: tree.Stmt) -> None:
    """Walk through one statement."""
    STATEMENTS[type(statement)](m, statement)


def run(m: State, body: list[tree.Stmt]) -> None:
    """Walk through a block, whose names are its own in some languages; function declarations come first, as they are hoisted."""
    outer = m.scope
    if not m.language.function_scoped:
        m.scope = Scope(outer)
    run_flat(m, body)
    m.scope = outer


def run_flat(m: State, body: list[tree.Stmt]) -> None:
    """Walk through statements in the present scope."""
    hoist(m, body)
    known = len(m.path_conditions)
    memory: tuple[int, int, int, Memory] | None = None  # from which statement to which, where its steps begin, and what it fills
    for number, statement in enumerate(body):
        if m.dead or m.full:
            break
        if m.walker is None:
            STATEMENTS[type(statement)](m, statement)
        else:
            m.walker.walk(m, statement)
        if memory is not None:
            first, last, start, sought = memory
            if number == last:
                steps = tuple(m.block[start:])
                if filled(m, steps, body[first : last + 1], sought):
                    m.block[start:] = kept(steps)
                memory = None
        elif isinstance(statement, tree.If) and (found := answers(m, statement, body[number + 1 :])) is not None:
            memory = (number + 1, number + 1 + found[0], len(m.block), found[1])
        if type(statement) is tree.If:
            cases.note_rest(m, statement, body[number + 1 :])
    del m.path_conditions[known:]


# Statements.


def _do(m: State, node: tree.Do) -> None:
    m.evaluate(node.value)


def _let(m: State, node: tree.Let) -> None:
    if node.value is None:
        bind(m, node.pattern, NOTHING)
        return
    value = m.evaluate(node.value)
    if isinstance(value.shape, Closure) and isinstance(node.value, tree.Fn) and isinstance(node.pattern, tree.NamePattern):
        value = replace(value, shape=replace(value.shape, label=node.pattern.id))
    bind(m, node.pattern, value)
    if isinstance(node.pattern, tree.NamePattern) and isinstance(value.literal, str):
        var = m.scope.find(node.pattern.id)
        m.texts |= {var} if var is not None else set()
    cases.entitle(m, node.pattern, cases.known(m, node.value))
    cases.mean(m, node.pattern, node.value)


def _if(m: State, node: tree.If) -> None:
    value = told(m, tested(m, node.test), node.test)
    cases.note_if(m, node)
    no = negated(value.conditions)

    def then() -> None:
        m.path_conditions.append(value.conditions)
        narrowed(m, node.test, holds=True)
        run(m, node.then)
        m.path_conditions.pop()

    def other() -> None:
        m.path_conditions.append(no)
        narrowed(m, node.test, holds=False)
        run(m, node.other)
        m.path_conditions.pop()

    if value.literal is True or value.literal is False:
        run(m, node.then if value.literal else node.other)
        return
    special = singled_out(value.conditions) or (m.language.function_scoped and names_constant(node.test))
    question = asked(m, node.test) if m.entered else None
    run_already = _run_already(m, node.test)
    missing = absent(value.conditions) or vacant(node.test)
    begun = len(m.block)
    m.choose([then, other], value.deps, node.at, node.end, missing=missing, special=special, asked=question, enough=reaching(m, node.test))
    if len(m.block) > begun and fills(m, node, tuple(m.block[begun:])):
        m.block[begun:] = [replace(b, arms=(kept(b.arms[0]), *b.arms[1:])) if isinstance(b, Branch) else b for b in m.block[begun:]]
    note_refused(m, node)
    for var, shape, rows in run_already:
        if isinstance(now := m.store.get(var, NOTHING).shape, Query | Many) and now is not shape:
            go_through(m, rows)  # `if not rows: rows = others`: what has been loaded goes on
    if node.then and isinstance(node.then[-1], tree.Return | tree.Throw) and any(of_database(c) for c in no):
        m.path_conditions.append(no)  # who has a database handle has left


def _run_already(m: State, test: tree.Expr) -> list[tuple[Var, Query, Val]]:
    """The variables that a test asks for, whose queries it has run."""
    names = [test, *test.operands] if isinstance(test, tree.Op) and test.sign == "!" else [test]
    found = [var for node in names if isinstance(node, tree.Name) and (var := m.scope.find(node.id)) is not None]
    held = [(var, shape) for var in found if isinstance(shape := m.store.get(var, NOTHING).shape, Query)]
    return [(var, shape, m.results[id(shape)][1]) for var, shape in held if id(shape) in m.results]


def _return(m: State, node: tree.Return) -> None:
    value = m.evaluate(node.value) if node.value is not None else BARE
    conditions = tuple(c for more in m.path_conditions for c in more)
    m.returns.append((value.with_deps(NO_STEPS), conditions, m.why()))
    if node.implicit:
        m.dead = True
    elif m.inner:
        if not m.dead:
            m.left.append((m.store, m.why()))
        m.emit(Exit(ExitKind.CONTINUE, m.span(node.at, node.end), value.deps))
        m.dead = True
    else:
        for frame in m.frames:
            frame.leaves = True
        answer = value.literal if isinstance(value.literal, bool) else None
        m.leave(ExitKind.RETURN, node.at, node.end, value.deps, most=_most(value), answer=answer)


def _most(value: Val) -> int | None:
    """How many members a returned list has at most; nothing has none."""
    return 0 if value.literal in (None, tree.UNDEFINED) and not value.interesting else value.most


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
    survives = node.handled and not any(isinstance(s, tree.Throw | tree.Return | tree.Break) for s in node.handler)
    bounds = m.bounds.copy()
    if survives:
        m.caught.append(len(m.frames))
    run(m, node.body)
    if survives:
        m.caught.pop()
        m.bounds = bounds  # what has been refused goes on after the handler
    ended, m.dead = m.dead, False
    if node.handled:
        handler_dead = False

        def handler() -> None:
            nonlocal handler_dead
            unsettle(m, node.body)
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
        unsettle(m, (*node.body, *node.handler))
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
            cases.note(m, body, cases.matched(m, node, test))
        arms.append(_case(m, body))
    if not has_default:
        arms.append(lambda: None)
    m.choose(arms, deps, node.at, node.end, special=True)


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


def _imports(m: State, node: tree.Imports) -> None:
    for item in node.items:
        var = m.scope.find(item.local)
        if var is not None:
            m.store[var] = m.vocabulary.imported(m, item) or NOTHING


def _nothing(m: State, node: Any) -> None:
    return


# Loops.


def invoke(
    m: State, closure: Closure, args: tuple[Val, ...], at: int, end: int, *, inline: bool = False, rounds_of: Frame | None = None
) -> Val:
    """Run a closure in place; of an async one only a promise comes back, unless the caller's loop stands for its pace (`inline`).

    `rounds_of` is the loop over rows of which the closure is the body.
    """
    fn = closure.fn
    if any(c is fn for c in m.calling) or len(m.calling) > 12 or m.full:
        return derived(*args)
    m.calling.append(fn)
    m.run_in_place.add(id(fn))
    m.inner += 1
    scope, dead, guards, control = m.scope, m.dead, m.guards, m.control
    bounds = m.bounds.copy()
    returns, m.returns = m.returns, []
    yields, m.yields = m.yields, []
    left, m.left = m.left, []
    conditions, m.path_conditions = m.path_conditions, []
    m.scope = Scope(closure.scope)
    frame: Frame | None = None
    if fn.is_async and not inline:
        with m.loop(LoopKind.ONCE, at, end) as frame:
            _body(m, fn, args)
    else:
        _body(m, fn, args, rounds_of)
    found = m.returns
    if fn.generator and m.language.function_scoped:
        found = [(many(None, join_all(m.yields)), (), NO_STEPS)]
    m.yields = yields
    m.store, m.left = rejoined(m.store, m.left, ended=m.dead and not dead), left
    m.scope, m.dead, m.control, m.returns, m.path_conditions = scope, dead, control, returns, conditions
    m.guards, m.bounds = guards, bounds  # a closure that leaves early leaves no more than itself
    m.inner -= 1
    m.calling.pop()
    if not found:
        return Val(pending=frozenset({frame.id}) if frame is not None else NO_STEPS)
    value = found[0][0]
    for other, _, _ in found[1:]:
        value = join(value, other)
    value = outcome(m, value, [(result, path) for result, path, _ in found])
    if frame is not None:
        value = Val(
            value.origins,
            value.deps | {frame.id},
            frozenset({frame.id}),
            value.literal,
            value.shape,
            value.works,
            value.conditions,
            value.id_of,
            value.doc_of,
            value.type,
        )
    return value


def _body(m: State, fn: tree.Fn, args: tuple[Val, ...], rounds_of: Frame | None = None) -> None:
    bind_params(m, fn, args)
    if rounds_of is None:
        run(m, fn.body)
    else:
        rounds(m, fn.body, rounds_of, callback=True)


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
        cases.parameter(m, number, param)


STATEMENTS: dict[type, Callable[[State, Any], None]] = {
    tree.Do: _do,
    tree.Let: _let,
    tree.If: _if,
    tree.For: run_for,
    tree.Return: _return,
    tree.Throw: _throw,
    tree.Break: _break,
    tree.Continue: _continue,
    tree.Try: _try,
    tree.Switch: _switch,
    tree.Block: _block,
    tree.FnDef: _nothing,
    tree.ClassDef: _nothing,
    tree.Imports: _imports,
}
