"""Variables and the blocks that they live in."""

from __future__ import annotations


class Var:
    """One variable. `depth` is the number of loops around its declaration."""

    __slots__ = ("depth", "name")

    def __init__(self, name: str, depth: int) -> None:
        self.name = name
        self.depth = depth


class Scope:
    """Names of one block, function or module, inside another."""

    __slots__ = ("names", "parent")

    def __init__(self, parent: Scope | None = None) -> None:
        self.names: dict[str, Var] = {}
        self.parent = parent

    def find(self, name: str) -> Var | None:
        """The variable of that name in this scope or around it."""
        scope: Scope | None = self
        while scope is not None:
            var = scope.names.get(name)
            if var is not None:
                return var
            scope = scope.parent
        return None
