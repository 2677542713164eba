"""Variables, the blocks that they live in, and the loops around a place."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.ir import LoopKind, Origin

if TYPE_CHECKING:
    from querylint.frontends.flow.values import Val


class Var:
    """One variable. `depth` is the number of loops around its declaration, `carried` what stands for its value in rounds before."""

    __slots__ = ("carried", "depth", "name")

    def __init__(self, name: str, depth: int) -> None:
        self.name = name
        self.depth = depth
        self.carried: frozenset[int] = frozenset()


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


@dataclass(slots=True)
class Frame:
    """One loop that the walk is inside of: what it runs over, and what was seen of it so far.

    `made` says that something worked out of the item of each round joins a list or a text that outlives the round.
    """

    id: int
    kind: LoopKind
    items: tuple[Origin, ...] = ()
    control: frozenset[int] = frozenset()
    folded: bool = False
    grouped: bool = False
    leaves: bool = False
    made: bool = False
    strided: bool = False
    filters: list[int] = field(default_factory=list)
    exits: list[tuple[dict[Var, Val], frozenset[int]]] = field(default_factory=list)
    fold_deps: frozenset[int] = frozenset()
    fold_fields: set[str] = field(default_factory=set)
    looked_up: frozenset[int] = frozenset()


def elsewhere(frames: list[Frame], deps: frozenset[int]) -> None:
    """Another database is asked, one that these steps choose: no query serves several rounds of a loop among them."""
    for frame in frames:
        frame.strided = frame.strided or frame.id in deps


def control(frames: list[Frame], on: frozenset[int], *, out: bool, home: bool) -> None:
    """A round that is left early: where it leaves the loop (`out`), `on` decides whether another round of it, or of one around it, runs.

    Where it leaves the function (`home`), that is so for each of the loops around it.
    """
    left = False
    for frame in reversed(frames):
        sequential = frame.kind in (LoopKind.EACH, LoopKind.WHILE)
        if left and not sequential:
            break
        if out:
            frame.control |= on
        left = left or sequential
        if left and not home:
            break
