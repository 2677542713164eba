"""The shared language as stable text: for snapshots, stories, and a look at what the front end understood."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.ir.access import Access, Plan, Predicate, Relation
from querylint.ir.code import Block, Branch, Call, Clock, Exit, Function, Loop, LoopKind, Use, Wait
from querylint.ir.value import Value


def dump(function: Function) -> str:
    """A function, a line a step; steps bear their own numbers from 1."""
    numbers: dict[int, int] = {}
    for step in function.steps():
        if isinstance(step, Access | Call | Loop | Clock):
            numbers[step.id] = len(numbers) + 1
    head = f"{function.kind.value} {function.name}({', '.join(p or '_' for p in function.params)})"
    return "\n".join([head, *_block(function.body, "  ", numbers)]) + "\n"


def _block(block: Block, indent: str, numbers: dict[int, int]) -> Iterator[str]:
    for step in block:
        match step:
            case Access():
                yield f"{indent}#{numbers[step.id]} {_access(step, numbers)}"
            case Call():
                target = f"{step.target.kind.value} {step.target.name}"
                yield f"{indent}#{numbers[step.id]} call {target} {step.mode.value}{_deps(step.deps, numbers)}"
            case Wait():
                named = sorted(numbers[n] for n in step.on if n in numbers)
                if named:
                    yield f"{indent}wait {' '.join(f'#{n}' for n in named)}"
            case Loop():
                over = f" over {step.over_text}" if step.over_text and step.kind is not LoopKind.ONCE else ""
                extra = " constant" if step.constant else ""
                yield f"{indent}#{numbers[step.id]} {step.kind.value}{over}{extra}"
                yield from _block(step.body, indent + "  ", numbers)
            case Branch():
                yield f"{indent}{'handler' if step.handler else 'if'}{_deps(step.on, numbers)}"
                for number, arm in enumerate(step.arms):
                    if arm:
                        yield f"{indent}  arm {number + 1}"
                        yield from _block(arm, indent + "    ", numbers)
            case Exit():
                yield f"{indent}{step.kind.value}{_deps(step.deps, numbers)}"
            case Use():
                fields = f" by {', '.join(step.fields)}" if step.fields else ""
                predicates = f" where {' and '.join(_predicate(p) for p in step.predicates)}" if step.predicates else ""
                yield f"{indent}{step.work.value} {_origins(step, numbers)}{fields}{predicates}"
            case Clock():
                yield f"{indent}#{numbers[step.id]} clock{' of the day' if step.daily else ''}"


def _access(access: Access, numbers: dict[int, int]) -> str:
    plans = " | ".join(_plan(p) for p in access.plans)
    fields = f" ({', '.join(access.fields)})" if access.fields else ""
    limit = f" {access.limit.text or access.limit.literal}" if access.limit is not None else ""
    result = f"{access.terminal.value} {access.bound.value}{limit}{' until enough' if access.until else ''}"
    followed = f" follows {'.'.join(access.follows.path)}{' refined' if access.refined else ''}" if access.follows is not None else ""
    return f"{access.op.value} {access.table or '?'} {plans}{fields}{followed} -> {result}{_deps(access.deps, numbers)}"


def _plan(plan: Plan) -> str:
    index = f" {plan.index}" if plan.index else ""
    where = f" where {' and '.join(_predicate(p) for p in plan.predicates)}" if plan.predicates else ""
    order = " down" if plan.order and plan.order.descending else ""
    eager = f" with {', '.join('.'.join(e.path) for e in plan.eager)}" if plan.eager else " with all" if plan.whole else ""
    return f"by {plan.way.value}{index}{where}{order}{eager}"


def _predicate(p: Predicate) -> str:
    optional = "?" if p.conditional else ""
    if p.relation is Relation.ANY:
        return "(" + " or ".join(" and ".join(_predicate(a) for a in arm) for arm in p.arms) + ")" + optional
    return f"{p.side.value}:{p.field or '?'}{p.relation.value}{_value(p.value)}{optional}"


def _value(value: Value | None) -> str:
    if value is None:
        return ""
    return repr(value.literal) if value.constant else value.text


def _deps(deps: frozenset[int], numbers: dict[int, int]) -> str:
    named = sorted(numbers[n] for n in deps if n in numbers)
    return f" needs {' '.join(f'#{n}' for n in named)}" if named else ""


def _origins(use: Use, numbers: dict[int, int]) -> str:
    parts = []
    for o in use.of:
        ref = f"#{numbers.get(o.ref, o.ref)}" if isinstance(o.ref, int) and o.root.value == "step" else f"{o.root.value} {o.ref}"
        parts.append(".".join((ref, *o.path)))
    return ", ".join(parts)
