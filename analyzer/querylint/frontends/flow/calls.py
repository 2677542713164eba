"""Calls with no meaning of their own: closures, parameters, outside code."""

from __future__ import annotations

from querylint.construction import replace
from querylint.frontends.flow.memos import keeps, kept
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import (
    Closure,
    Many,
    Record,
    Val,
    derived,
)
from querylint.ir import Escape, LoopKind, Mode, Root, Target, TargetKind
from querylint.pattern import Pattern
from querylint.syntax import tree

ASSERTION = Pattern(r"^(?:assert|invariant|ensure|must|require)(?![a-z])")


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
        for candidate in candidates:
            if isinstance(candidate.shape, Closure) and not candidate.shape.name:
                fn = candidate.shape.fn
                names = ", ".join(m.text(p.pattern) for p in fn.params)
                with m.loop(LoopKind.CALLBACK, fn.at, fn.end, handed=(number, position), over_text=names, detached=held) as frame:
                    some = Val(deps=frozenset({frame.id}) | result.deps)
                    made = m.wait(m.unbuilt(m.invoke(candidate.shape, (some,) * len(fn.params), fn.at, fn.end)), fn.at, fn.end)
                    if told:
                        m.leak(made, Escape.PASSED, fn.at, fn.end)
