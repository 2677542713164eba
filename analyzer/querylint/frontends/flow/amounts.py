"""Numbers that are written down: of limits, and of the members that a list has at most."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.construction import replace
from querylint.frontends.flow.leaks import use_each
from querylint.frontends.flow.scope import Frame
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Many, Val
from querylint.ir import LoopKind
from querylint.syntax import tree
from querylint.text import Span

MORE = {">": 0, ">=": -1, "!==": 0, "!=": 0}
FLIPPED = {"<": ">", "<=": ">=", "!==": "!==", "!=": "!="}


def amount(value: Val | None) -> int | None:
    """The number that a limit is, where it is written down."""
    known = value.literal if value is not None else None
    return known if isinstance(known, int) and not isinstance(known, bool) and known >= 0 else None


def done(value: Val) -> tuple[int, ...]:
    """The works already done on a list."""
    return value.item().works or value.works


def passed(m: State, frame: Frame, over: Val) -> Val:
    """What the filters of a loop let pass of a list; where there are none, something may come of every row."""
    for number in frame.filters:
        over = over.worked(number)
    if frame.made and not frame.filters:
        use_each(m, frame.items, done(over))
    return over


def cut_to(value: Val, args: list[Val]) -> Val:
    """What a slice leaves of a list: no more members than are written down."""
    start, end = amount(args[0]) if args else 0, amount(args[1]) if len(args) > 1 else None
    if start is None or end is None or not isinstance(value.shape, Many):
        return value
    shape, most = value.shape, max(end - start, 0)
    before = [most, *(number for number in (shape.cut,) if number is not None)]
    cut = replace(shape, cut=min(before)) if shape.most is None else replace(shape, most=min(shape.most, most))
    return replace(value, shape=cut)


def note_refused(m: State, node: tree.If) -> None:
    """Note how many members a list has at most once a function has left where it has more: `if (ids.length > 50) throw ...`."""
    leaves = bool(node.then) and isinstance(node.then[-1], tree.Return | tree.Throw) and not node.other
    if not leaves or m.control or any(f.kind is not LoopKind.ONCE for f in m.frames):
        return
    for test in _alternatives(node.test):
        if not isinstance(test, tree.Op) or len(test.operands) != 2:
            continue
        sizes = [m.language.sized(operand) for operand in test.operands]
        at = next((n for n, sized in enumerate(sizes) if sized is not None), None)
        sign = test.sign if at == 0 else FLIPPED.get(test.sign, "")
        if at is None or (sized := sizes[at]) is None or sign not in MORE:
            continue
        with m.recording():
            listed, most = m.evaluate(sized), amount(m.evaluate(test.operands[1 - at]))
        if most is None or done(listed):
            continue  # what is left of a list says nothing of all of it
        most = max(most + MORE[sign], 0)
        m.bounds.update({origin: min(most, m.bounds.get(origin, most)) for origin in listed.origins})


def reaching(m: State, test: tree.Expr) -> tuple[Span, ...]:
    """The places of the sizes of which each makes a condition hold once it has reached what it is compared with."""
    found: list[Span] = []
    for one in _alternatives(test):
        if isinstance(one, tree.Op) and len(one.operands) == 2:
            signs = (one.sign, FLIPPED.get(one.sign, ""))
            sizes = zip(one.operands, signs, strict=True)
            found += [m.span(size.at, size.end) for size, sign in sizes if sign in (">", ">=") and m.language.sized(size) is not None]
    return tuple(found)


def _alternatives(test: tree.Expr) -> Iterator[tree.Expr]:
    """The tests of which none holds where all of them together fail."""
    if isinstance(test, tree.Logic) and test.sign == "||":
        yield from _alternatives(test.left)
        yield from _alternatives(test.right)
    else:
        yield test
