"""The arguments of a call, in the order of the parameters that take them."""

from __future__ import annotations

from querylint.frontends.flow.calls import arguments
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Many, Record, Val, derived, join_all, literal, many
from querylint.syntax import tree

PERHAPS = "perhaps"
"""The type of keywords of which some come out of a dictionary, which may have them in some cases only."""


def placed(m: State, node: tree.Call, fn: tree.Fn | None, first: tuple[Val, ...] = ()) -> tuple[Val, ...]:
    """The values of a call's arguments by parameter; `first` are those that the call does not write (`self`).

    Where the function is not known, keywords follow the positional arguments.
    """
    if fn is None:
        return (*first, *arguments(m, node))
    given = list(first)
    spread: list[Val] = []
    for arg in node.args:
        value = m.evaluate(arg)
        if isinstance(arg, tree.Spread):
            if isinstance(value.shape, Many) and value.shape.items is not None:
                given.extend(value.shape.items)
            else:
                spread.append(value.item())
        else:
            given.append(value)
    named = {}
    loose: list[Val] = []
    perhaps: set[str] = set()  # names that a dictionary brings
    for name, value_node in node.keywords:
        value = m.evaluate(value_node)
        if name != "**":
            named[name] = value
        elif isinstance(value.shape, Record):
            named.update(value.shape.fields)
            perhaps.update(value.shape.fields)
            loose.extend(value.shape.rest)
        else:
            loose.append(value)
    unseen = bool(spread or loose)
    return _by_parameter(fn, given, named, perhaps, join_all(spread), join_all(loose), unseen=unseen)


def _by_parameter(
    fn: tree.Fn, given: list[Val], named: dict[str, Val], perhaps: set[str], spread: Val, loose: Val, *, unseen: bool
) -> tuple[Val, ...]:
    out: list[Val] = []
    position = 0
    for param in fn.params:
        name = param.pattern.id if isinstance(param.pattern, tree.NamePattern) else ""
        if param.stars == 1:
            rest = tuple(given[position:])
            out.append(many(rest) if rest else Val(shape=Many(spread)))
            position = len(given)
        elif param.stars == 2:
            rests = (loose,) if loose.interesting else ()
            certain = "" if perhaps.isdisjoint(named) else PERHAPS
            out.append(Val(deps=derived(*named.values(), loose).deps, shape=Record(dict(named), rests), type=certain))
        elif name in named:
            out.append(named.pop(name))
        elif position < len(given) and not param.named:
            out.append(given[position])
            position += 1
        else:
            out.append(spread if not param.named and spread.interesting else NOTHING if unseen else _default(param))
    return tuple(out)


def _default(param: tree.Param) -> Val:
    """What a parameter is that a call leaves out, where the function writes it down."""
    return literal(param.default.value) if isinstance(param.default, tree.Literal) else NOTHING
