"""JavaScript's own words for the walk."""

from __future__ import annotations

from querylint.frontends.flow import globals as globals_
from querylint.frontends.flow import works
from querylint.frontends.flow.calls import arguments
from querylint.frontends.flow.conditions import has_database
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Condition, Many, Marker, Val, derived
from querylint.frontends.flow.vocabulary import Language
from querylint.ir import NOT_LITERAL, Relation, Value, Work
from querylint.syntax import tree


class JavaScript:
    """Array methods, promises, global objects, `.length`."""

    function_scoped = False
    loose_equality = True

    def composed(self, state: State, node: tree.Expr, values: list[Val]) -> Val | None:
        """Texts are not followed."""
        return None

    def sized(self, node: tree.Expr) -> tree.Expr | None:
        """`xs.length`."""
        return node.base if isinstance(node, tree.Member) and node.name == "length" else None

    def measured(self, state: State, node: tree.Expr, work: Work, sized: tree.Expr, most: Value | None = None) -> Val:
        """Ask for a length."""
        base = state.evaluate(sized)
        state.use(work, base, node.at, node.end, size=most)
        return base

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """`.length` of anything, `.size` of a collection."""
        if node.name != "length" and not (node.name == "size" and isinstance(base.shape, Many)):
            return None
        state.use(Work.COUNT, base, node.at, node.end)
        size = len(base.shape.items) if isinstance(base.shape, Many) and base.shape.items is not None else None
        return Val(deps=base.deps, literal=size if size is not None else NOT_LITERAL)

    def method(self, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
        """A method of a collection or a promise."""
        return works.method(state, node, func, base)

    def owned(self, state: State, node: tree.Call, owner: str, name: str) -> Val | None:
        """A method of a global object."""
        return globals_.global_method(state, node, owner, name)

    def function(self, state: State, node: tree.Call, name: tree.Expr, func: Val) -> Val | None:
        """A global function or constructor."""
        return globals_.function(state, node, name, func)

    def index(self, state: State, base: Val, node: tree.Index) -> Val | None:
        """`xs[xs.length - 1]`."""
        return works.picked(state, Work.LAST, base, node.at, node.end) if works.is_last_index(node) else None

    def contains(self, state: State, node: tree.Op) -> Val | None:
        """`key in object`."""
        values = [state.evaluate(operand) for operand in node.operands]
        if len(values) == 2 and values[0].literal == "db" and isinstance(values[1].shape, Marker) and values[1].shape.kind == "ctx":
            return Val(deps=values[1].deps, conditions=has_database(values[1], there=True))
        if len(values) != 2 or not values[0].origins:
            return derived(*values)
        found = tuple(Condition(o, Relation.IN, values[1], at=node.at, end=node.end) for o in values[0].origins)
        return Val(deps=derived(*values).deps, conditions=found)

    def arguments(self, state: State, node: tree.Call, fn: tree.Fn | None) -> tuple[Val, ...]:
        """Arguments by position."""
        return arguments(state, node)


JAVASCRIPT: Language = JavaScript()
