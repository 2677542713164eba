"""References to registered functions (`api.notes.list`), and calls that reach one by them (convex-facts 1.5)."""

from __future__ import annotations

from functools import partial

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Marker, Val, either_of, join_all
from querylint.ir import Mode, Target, TargetKind
from querylint.syntax import tree


def reached(state: State, api_root: str, node: tree.Call, mode: Mode, *, at: int = 0, unknown: str = "") -> Val | None:
    """A call that reaches what its argument of this number refers to; where that is one of several, each is an arm of a choice.

    `unknown` is what to call a function of which nothing is known; without it, such a call is none of a registered function: None.
    """
    reference = state.evaluate(node.args[at])
    targets = _targets(api_root, reference)
    if not targets:
        if not unknown:
            return None
        targets = [Target(TargetKind.EXTERNAL, "", unknown)]
    args = (NOTHING, *(state.evaluate(arg) for arg in node.args[at + 1 :]))
    text = state.text(node.args[at])
    if len(targets) == 1:
        return state.call(targets[0], mode, args, node, text)
    results: list[Val] = []

    def arm(target: Target) -> None:
        results.append(state.call(target, mode, args, node, text))

    state.choose([partial(arm, target) for target in targets], reference.deps, node.at, node.end)
    return join_all(results)


def _targets(api_root: str, value: Val) -> list[Target]:
    """The function that a reference names; of one of several references, each; none where one of them is unknown."""
    found = [_target(api_root, one) for one in either_of(value)]
    targets = [target for target in found if target is not None]
    return list(dict.fromkeys(targets)) if len(targets) == len(found) else []


def _target(api_root: str, value: Val) -> Target | None:
    shape = value.shape
    if isinstance(shape, Marker) and shape.kind == "ref" and len(shape.data) > 2:
        head, *parts = shape.data
        if head == "components":
            return Target(TargetKind.EXTERNAL, "", ".".join(shape.data))
        return Target(TargetKind.ROUTE, api_root, f"{'/'.join(parts[:-1])}:{parts[-1]}")
    if isinstance(value.literal, str) and ":" in value.literal:
        return Target(TargetKind.ROUTE, api_root, value.literal.replace(".js:", ":"))
    return None
