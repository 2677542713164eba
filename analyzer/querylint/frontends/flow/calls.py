"""Calls with no meaning of their own: closures, one of several functions, parameters, outside code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from querylint.construction import replace
from querylint.frontends.flow.conditions import RELATIONS, field_of
from querylint.frontends.flow.memos import keeps, kept
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    Closure,
    Many,
    OneOf,
    Record,
    Val,
    derived,
    either_of,
    is_function,
    join_all,
)
from querylint.ir import Escape, LoopKind, Mode, Root, Target, TargetKind
from querylint.pattern import Pattern
from querylint.syntax import tree

ASSERTION = Pattern(r"^(?:assert|invariant|ensure|must|require)(?![a-z])")

MOST_WAYS = 64
"""So many ways are walked through choices that lie in one another."""
MOST_WAYS_IN_ALL = 2_000
WORKING = (tree.Call, tree.Await, tree.Assign, tree.Yield)
SAYING = 600  # bytes of a function that only says something of its argument
TRUTHS = frozenset(("!", "in", *RELATIONS))
ASKING = frozenset("includes startsWith endsWith has startswith endswith".split())
OF_TEXTS = ASKING | frozenset("toLowerCase toUpperCase trim lower upper strip casefold".split())
READING = (*WORKING, tree.Member, tree.Index, tree.Comprehension, tree.Logic, tree.Template)
"""What may have to be done for an argument where members of rows are read when they are asked for."""


def apply(m: State, node: tree.Call, func: Val, base: Val | None) -> Val:
    """A call of something with no special meaning: a closure, a parameter, or outside code."""
    shape = func.shape
    if isinstance(shape, Closure):
        args = m.language.arguments(m, node, shape.fn)
        if shape.label and calls_itself(shape):
            target = m.vocabulary.recursive(m, shape)
            if target is not None:
                made = m.call(target, Mode.DIRECT, args, node, m.text(node.func))
                at_once = m.language.function_scoped and not shape.fn.is_async
                return m.wait(made, node.at, node.end) if at_once else made
        start = len(m.block)
        value = m.invoke(shape, args, node.at, node.end)
        if keeps(shape.fn):
            m.block[start:] = kept(tuple(m.block[start:]))
        if isinstance(node.func, tree.Fn) or value.interesting:
            return value
        return value.with_deps(derived(*args).deps)
    args = m.language.arguments(m, node, None)
    text = m.text(node.func)
    if func.origins and func.origins[0].root is Root.PARAM:
        origin = func.origins[0]
        if m.language.function_scoped:  # a method of an object of which nothing is known
            for arg in args:
                m.leak(arg, Escape.PASSED, node.at, node.end)
        result = m.call(Target(TargetKind.PARAM, "", ".".join((str(origin.ref), *origin.path))), Mode.DIRECT, args, node, text)
        run_handed_closures(m, node, args, result)
        return result.with_deps(func.deps) if m.language.function_scoped else result
    return outside(m, node, args, text, base)


def calls_itself(closure: Closure) -> bool:
    """Whether a function that a variable holds calls that variable."""
    return any(isinstance(call.func, tree.Name) and call.func.id == closure.label for call in tree.find(closure.fn.body, tree.Call))


def outside(m: State, node: tree.Call, args: tuple[Val, ...], text: str, base: Val | None) -> Val:
    """A call of outside code: what it is given leaves our sight, the functions it is given may run."""
    for arg in args:
        m.leak(arg, Escape.PASSED, node.at, node.end)
    if ASSERTION.match(text.rpartition(".")[2]):
        m.guards |= derived(*args).deps
    result = m.call(Target(TargetKind.EXTERNAL, "", text), Mode.DIRECT, args, node, text)
    run_handed_closures(m, node, args, result, told=True)
    if base is not None and base.deps - result.deps:
        result = result.with_deps(base.deps)
    return replace(result, origins=())


def arguments(m: State, node: tree.Call) -> tuple[Val, ...]:
    """The values of a call's arguments; a spread list with known members takes their places."""
    args: list[Val] = []
    for arg in node.args:
        value = m.evaluate(arg)
        if isinstance(arg, tree.Spread) and isinstance(value.shape, Many) and value.shape.items is not None:
            args.extend(value.shape.items)
        else:
            args.append(value)
    for _, arg in node.keywords:
        args.append(m.evaluate(arg))
    return tuple(args)


def run_handed_closures(m: State, node: tree.Call, args: tuple[Val, ...], result: Val, *, told: bool = False, first: int = 0) -> None:
    """Functions handed to someone else run when and as often as that one pleases; `told` says that what they return leaves our sight.

    The first argument is the parameter of that number.
    """
    number = next(iter(result.pending), 0)
    for position, arg in enumerate(args, first):
        candidates = [arg, *arg.shape.fields.values()] if isinstance(arg.shape, Record) else [arg]
        held = isinstance(arg.shape, Record)
        for candidate in (one for value in candidates for one in either_of(value)):
            if isinstance(candidate.shape, Closure) and not candidate.shape.name:
                fn = candidate.shape.fn
                names = ", ".join(m.text(p.pattern) for p in fn.params)
                with m.loop(LoopKind.CALLBACK, fn.at, fn.end, handed=(number, position), over_text=names, detached=held) as frame:
                    some = Val(deps=frozenset({frame.id}) | result.deps)
                    made = m.wait(m.unbuilt(m.invoke(candidate.shape, (some,) * len(fn.params), fn.at, fn.end)), fn.at, fn.end)
                    if told:
                        m.leak(made, Escape.PASSED, fn.at, fn.end)


def each_way(m: State, func: Val, run: Callable[[Val], Val], at: int, end: int) -> Val:
    """What comes of a function when it is run; of each that it may be, as an arm of a choice.

    Functions of a table may call the table again: then, and where there are too many ways, those are left out that would be walked in
    place; a call of one that stands elsewhere is but a step.
    """
    if not isinstance(func.shape, OneOf):
        return run(func)
    ways, outer = either_of(func), m.ways
    again = any(isinstance(one.shape, Closure) and any(fn is one.shape.fn for fn in m.calling) for one in ways)
    if again or outer * len(ways) > MOST_WAYS or m.ways_in_all > MOST_WAYS_IN_ALL:
        ways = tuple(one for one in ways if not (isinstance(one.shape, Closure) and not one.shape.name))
    if not ways:
        return derived(func)
    results: list[Val] = []

    def arm(one: Val) -> None:
        results.append(run(one))

    arms: list[object] = [partial(arm, one) for one in ways]
    by_item = any(frame.id in func.deps for frame in m.frames)
    if by_item:  # as in a switch over the item, none of whose cases it need be
        arms.insert(0, lambda: None)
    m.ways = outer * len(ways)
    m.ways_in_all += len(ways)
    try:
        m.choose(arms, func.deps, at, end, special=by_item)
    finally:
        m.ways = outer
    return join_all(results)


def reach(m: State, node: tree.Call, func: Val, base: Val | None) -> Val:
    """A call of a function that a value is known to be; of one of several, each is an arm of a choice."""
    if not isinstance(func.shape, OneOf):
        return _reach(m, node, base, func)
    return each_way(m, func, partial(_reach, m, _with_arguments_known(m, node), base), node.at, node.end)


def _reach(m: State, node: tree.Call, base: Val | None, func: Val) -> Val:
    made = m.vocabulary.call(m, node, func, None)
    return made if made is not None else apply(m, node, func, base)


def _with_arguments_known(m: State, node: tree.Call) -> tree.Call:
    """The call, with what has to be done for its arguments done before, once, and not in each of the arms."""
    args = [_known(m, arg, f"#{node.at}.{number}") for number, arg in enumerate(node.args)]
    keywords = [(name, _known(m, arg, f"#{node.at}.{name}.{number}")) for number, (name, arg) in enumerate(node.keywords)]
    return replace(node, args=args, keywords=keywords)


def _known(m: State, arg: tree.Expr, name: str) -> tree.Expr:
    """An argument by a name that stands for what it yields, where something has to be done for it."""
    working = READING if m.language.function_scoped else WORKING
    if isinstance(arg, tree.Fn) or not any(isinstance(part, working) for part in tree.walk(arg)):
        return arg
    if isinstance(arg, tree.Record):  # whose constants tell which of the arms of the function are taken
        return replace(arg, entries=[(key, _known(m, value, f"{name}.{number}")) for number, (key, value) in enumerate(arg.entries)])
    m.bind(tree.NamePattern(name, arg.at, arg.end), m.evaluate(arg))
    known = tree.Name(name, arg.at, arg.end)
    return tree.Spread(known, arg.at, arg.end) if isinstance(arg, tree.Spread) else known


def own(base: Val, name: str) -> Val | None:
    """The function that an object has been given by a name, whatever else objects have by that name; None where it has none.

    What may be something else as well has no such name for sure.
    """
    shape = base.shape if not base.origins else None
    held = shape.fields.get(name) if isinstance(shape, Record) else None
    return held.with_deps(base.deps) if held is not None and is_function(held.shape) else None


def tested_by(m: State, node: tree.Call | tree.Member, closure: Closure, args: tuple[Val, ...], value: Val) -> Val:
    """What a call has given back, with what a small function without effects tests of the row that a loop is at (`post.is_live()`)."""
    items = tuple(item for frame in m.frames for item in frame.items)
    if not items or not any(field_of(o, items) is not None for arg in args for o in arg.origins):
        return value
    if not says(closure, m.path) or not tests(closure.fn) or any(fn is closure.fn for fn in m.calling):
        return value
    names = {p.id for p in tree.find([param.pattern for param in closure.fn.params], tree.NamePattern)}
    if not all(isinstance(one.base, tree.Name) and one.base.id in names for one in tree.find(closure.fn.body, tree.Member)):
        return value
    with m.recording():
        return replace(value, conditions=said(m, node, closure, args).conditions)


def said(m: State, node: tree.Call | tree.Member, closure: Closure, args: tuple[Val, ...]) -> Val:
    """What a function gives back that is walked where it is called: all of it stands there."""
    outer, m.placed = m.placed, (closure.fn.at, closure.fn.end, m.span(node.at, node.end))
    try:
        return m.invoke(Closure(closure.fn, None, closure.path), args, node.at, node.end, inline=True)
    finally:
        m.placed = outer


def says(closure: Closure, path: str) -> bool:
    """Whether all that a function does is to work out what it gives back, of what it is given and of what its own module holds."""
    fn = closure.fn
    if fn.is_async or fn.generator or fn.end - fn.at > SAYING:
        return False
    if tree.find(fn.body, tree.Await, tree.Assign, tree.For, tree.Throw, tree.Fn, tree.Yield, tree.Try):
        return False
    calls = tree.find(fn.body, tree.Call)
    if any(not isinstance(call.func, tree.Member) or call.func.name not in OF_TEXTS for call in calls):
        return False
    if closure.path == path:
        return True
    own = {p.id for p in tree.find([param.pattern for param in fn.params], tree.NamePattern)}
    own |= {p.id for let in tree.find(fn.body, tree.Let) for p in tree.find(let.pattern, tree.NamePattern)}
    return all(name.id in own or name.id == "undefined" for name in tree.find(fn.body, tree.Name))


def tests(fn: tree.Fn) -> bool:
    """Whether a function gives back true or false, and nothing else."""
    results = [one.value for one in tree.find(fn.body, tree.Return)]
    return bool(results) and all(one is not None and _is_truth(one) for one in results)


def _is_truth(node: tree.Expr) -> bool:
    if isinstance(node, tree.Literal):
        return isinstance(node.value, bool)
    if isinstance(node, tree.Logic):
        return node.sign in ("&&", "||") and _is_truth(node.left) and _is_truth(node.right)
    if isinstance(node, tree.Call):
        return isinstance(node.func, tree.Member) and node.func.name in ASKING
    return isinstance(node, tree.Op) and node.sign in TRUTHS
