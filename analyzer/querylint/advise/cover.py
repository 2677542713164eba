"""The fewest indexes that serve a set of query shapes, and why fewer cannot.

An index serves a shape when its first fields are those that the shape binds by equality, in any order, and the next ones are those that
must follow. The sets of fields that such an index passes through on its way are the *milestones* of the shape. Shapes share an index
exactly if all their milestones, taken together, form a chain of sets; that holds exactly if it holds for every two of them. So the fewest
indexes are a minimum cover of the shapes by groups that agree in pairs. Where at most one field must follow, the groups are the chains of
a partial order, and a maximum matching finds the cover (Dilworth; Subotic et al., "Automatic index selection", VLDB 2018). Elsewhere a
search does. Either way, as many shapes of which no two can share an index prove that there is nothing smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from querylint.construction import dataclass

MOST_TRIED = 10
"""So many standing keys are tried in every combination; of more, one after the other is kept as long as the number stays least."""
MOST_STEPS = 200_000
FEW = 6

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a query asks of an index: fields bound by equality, in any order, and those that follow at once (a range, then an order)."""

    equal: frozenset[str]
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """One index of a cover: its key, whether it stands already, and the shapes that it serves."""

    key: Key
    standing: bool
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Cover:
    """The fewest indexes for some shapes. `apart` are shapes of which no two can share an index.

    `least` says that there is nothing smaller: by `apart`, where it has as many members as there are indexes, else by an exhaustive search.
    """

    chosen: tuple[Chosen, ...]
    apart: tuple[Shape, ...]
    least: bool


@lru_cache(maxsize=4096)
def milestones(shape: Shape) -> tuple[frozenset[str], ...]:
    """The sets of fields that an index passes through when it serves a shape, the smallest first."""
    found = [shape.equal]
    for name in shape.then:
        found.append(found[-1] | {name})
    return tuple(dict.fromkeys(m for m in found if m))


def serves(key: Sequence[str], shape: Shape) -> bool:
    """Whether an index with this key binds all the equalities of a shape and then goes on as it must."""
    depth = len(shape.equal)
    return frozenset(key[:depth]) == shape.equal and tuple(key[depth : depth + len(shape.then)]) == shape.then


def compatible(one: Shape, other: Shape) -> bool:
    """Whether one index can serve both."""
    return all(a <= b or b <= a for a in milestones(one) for b in milestones(other))


def key_for(shapes: Iterable[Shape], prefer: Sequence[str] = ()) -> Key:
    """The shortest index that serves shapes which agree in pairs; fields whose order is free come as `prefer` has them."""
    rank = {name: number for number, name in enumerate(prefer)}
    key: list[str] = []
    for milestone in sorted({m for shape in shapes for m in milestones(shape)}, key=len):
        key += sorted(milestone.difference(key), key=lambda name: (rank.get(name, len(rank)), name))
    return tuple(key)


def cover(shapes: Iterable[Shape], standing: Sequence[Key] = (), prefer: Sequence[str] = ()) -> Cover:
    """The fewest indexes that serve all the shapes; of several such sets one that keeps most of the standing indexes."""
    wanted = [shape for shape in dict.fromkeys(shapes) if milestones(shape)]
    chosen: list[Chosen] = []
    apart: list[Shape] = []
    least = True
    for part in _parts(_leading(wanted)):
        groups, witness, sure = _groups(part)
        apart += witness
        least = least and sure
        kept, rest = _kept(part, standing, len(groups))
        chosen += [Chosen(key, True, ()) for key in kept]
        if kept:
            groups, _, _ = _groups(rest)
        chosen += [Chosen(key_for(group, prefer), False, ()) for group in groups]
    served = [Chosen(c.key, c.standing, tuple(shape for shape in wanted if serves(c.key, shape))) for c in chosen]
    return Cover(tuple(served), tuple(apart), least)


def _leading(shapes: Sequence[Shape]) -> list[Shape]:
    """The shapes without those that any index for another one serves as well."""
    marks = [frozenset(milestones(shape)) for shape in shapes]
    pairs = [(mine, n, other, m) for n, mine in enumerate(marks) for m, other in enumerate(marks)]
    spare = {n for mine, n, other, m in pairs if mine < other or (mine == other and m < n)}
    return [shape for n, shape in enumerate(shapes) if n not in spare]


def _parts(shapes: Sequence[Shape]) -> Iterator[list[Shape]]:
    """Shapes that hang together by being able to share indexes."""
    left = list(shapes)
    while left:
        part = [left.pop(0)]
        for shape in part:
            near = [other for other in left if compatible(shape, other)]
            part += near
            left = [other for other in left if other not in near]
        yield part


def _groups(shapes: Sequence[Shape]) -> tuple[list[list[Shape]], list[Shape], bool]:
    """The fewest groups that share an index each, shapes that are pairwise apart, and whether the number is proven."""
    if not shapes:
        return [], [], True
    if all(compatible(a, b) for a, b in combinations(shapes, 2)):
        return [list(shapes)], [shapes[0]], True
    if len(shapes) <= FEW:
        return _tried(shapes)
    if all(len(shape.then) <= 1 for shape in shapes):
        return (*_chains(shapes), True)
    return _search(shapes)


def _tried(shapes: Sequence[Shape]) -> tuple[list[list[Shape]], list[Shape], bool]:
    """The same for a few shapes, by trying all sets of them: most tables need no more, and a graph library takes longer to load."""
    sets = (one for size in range(len(shapes), 0, -1) for one in combinations(shapes, size))
    apart = next(list(one) for one in sets if not any(compatible(a, b) for a, b in combinations(one, 2)))
    for size in range(len(apart), len(shapes) + 1):
        groups: list[list[Shape]] = []
        if _place(shapes, groups, size, [MOST_STEPS]):
            break
    return groups, apart, True


def _below(one: Shape, other: Shape) -> bool:
    """The partial order, for shapes in which at most one field follows, whose chains are the groups that share an index."""
    if one == other or not compatible(one, other):
        return False
    top, high = milestones(one)[-1], milestones(other)[-1]
    return len(one.then) > len(other.then) if top == high else top < high


def _chains(shapes: Sequence[Shape]) -> tuple[list[list[Shape]], list[Shape]]:
    """A minimum chain cover by maximum matching, and an antichain of the same size (Koenig's theorem)."""
    import networkx  # only projects whose shapes compete for indexes pay for its import

    numbers = range(len(shapes))
    high = len(shapes)  # the nodes are numbers: those of texts come out of a set in another order in every run
    graph: networkx.Graph[int] = networkx.Graph()
    graph.add_nodes_from(range(2 * high))
    graph.add_edges_from((a, high + b) for a in numbers for b in numbers if _below(shapes[a], shapes[b]))
    matching = networkx.bipartite.hopcroft_karp_matching(graph, numbers)
    follower = {a: matching[a] - high for a in numbers if a in matching}
    chains = []
    for start in sorted(set(numbers) - set(follower.values())):
        chain = [start]
        while chain[-1] in follower:
            chain.append(follower[chain[-1]])
        chains.append([shapes[n] for n in chain])
    touched = networkx.bipartite.to_vertex_cover(graph, matching, numbers)
    return chains, [shapes[n] for n in numbers if n not in touched and high + n not in touched]


def _search(shapes: Sequence[Shape]) -> tuple[list[list[Shape]], list[Shape], bool]:
    """The fewest groups by trying, from the largest set of shapes that are pairwise apart upward."""
    import networkx  # as above

    strangers: networkx.Graph[int] = networkx.Graph()
    strangers.add_nodes_from(range(len(shapes)))
    strangers.add_edges_from((a, b) for a, b in combinations(range(len(shapes)), 2) if not compatible(shapes[a], shapes[b]))
    found, _ = networkx.max_weight_clique(strangers, weight=None)
    apart = [shape for n, shape in enumerate(shapes) if n in found]
    rest = [shapes[n] for n in sorted((n for n in range(len(shapes)) if n not in found), key=lambda n: -strangers.degree(n))]
    for size in range(len(apart), len(shapes) + 1):
        groups: list[list[Shape]] = [[shape] for shape in apart]
        steps = [MOST_STEPS]
        if _place(rest, groups, size, steps):
            return groups, apart, True
        if steps[0] <= 0:
            break
    return _first_fit(shapes), apart, False


def _place(rest: Sequence[Shape], groups: list[list[Shape]], size: int, steps: list[int]) -> bool:
    """Put the shapes into groups, `size` of them at most; `steps` counts down to giving up."""
    steps[0] -= 1
    if not rest:
        return True
    if steps[0] <= 0:
        return False
    shape = rest[0]
    for group in groups:
        if all(compatible(shape, other) for other in group):
            group.append(shape)
            if _place(rest[1:], groups, size, steps):
                return True
            group.pop()
    if len(groups) < size:
        groups.append([shape])
        if _place(rest[1:], groups, size, steps):
            return True
        groups.pop()
    return False


def _first_fit(shapes: Sequence[Shape]) -> list[list[Shape]]:
    groups: list[list[Shape]] = []
    for shape in shapes:
        home = next((group for group in groups if all(compatible(shape, other) for other in group)), None)
        if home is None:
            groups.append([shape])
        else:
            home.append(shape)
    return groups


def _kept(shapes: Sequence[Shape], standing: Sequence[Key], size: int) -> tuple[tuple[Key, ...], list[Shape]]:
    """The standing keys that a cover of this size can keep, as many as possible, and the shapes that they leave over."""
    useful = [key for key in dict.fromkeys(standing) if any(serves(key, shape) for shape in shapes)]

    def left(keys: Sequence[Key]) -> list[Shape]:
        return [shape for shape in shapes if not any(serves(key, shape) for key in keys)]

    def fits(keys: Sequence[Key]) -> bool:
        return len(keys) <= size and len(keys) + len(_groups(left(keys))[0]) <= size

    if len(useful) <= MOST_TRIED:
        for number in range(min(size, len(useful)), 0, -1):
            fitting = [keys for keys in combinations(useful, number) if fits(keys)]
            if fitting:
                best = min(fitting, key=lambda keys: (sum(len(key) for key in keys), [useful.index(key) for key in keys]))
                return best, left(best)
        return (), list(shapes)
    keys: tuple[Key, ...] = ()
    for key in sorted(useful, key=lambda k: -sum(serves(k, shape) for shape in shapes)):
        if fits((*keys, key)):
            keys = (*keys, key)
    return keys, left(keys)
