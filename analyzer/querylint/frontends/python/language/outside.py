"""Functions of outside code, by their dotted names, that hand on the items which they are given."""

from __future__ import annotations

from querylint.frontends.flow.comprehensions import iterated
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Many, Val, derived, join_all
from querylint.frontends.python.language.builtin import cast, islice
from querylint.syntax import tree

PASSING = frozenset(
    "tqdm.tqdm tqdm.auto.tqdm tqdm.std.tqdm tqdm.notebook.tqdm tqdm.autonotebook.tqdm tqdm.asyncio.tqdm tqdm.rich.tqdm rich.progress.track "
    "alive_progress.alive_it click.progressbar progressbar.progressbar".split()
)
"""Functions of outside code that hand on what they are given item by item, and show how far they are."""
CHAINING = frozenset(("itertools.chain", "itertools.chain.from_iterable"))
CASTS = frozenset(("typing.cast", "typing_extensions.cast"))


def of_outside(m: State, node: tree.Call, source: str) -> Val | None:
    """What a function of outside code gives; None for one of which nothing is known."""
    if source == "itertools.islice":
        return islice(m, node)
    if source in CASTS:
        return cast(m, node)
    if source in PASSING:
        return _passed(m, node)
    return _chained(m, node, source) if source in CHAINING else None


def _passed(m: State, node: tree.Call) -> Val:
    """`tqdm(rows, total=n)`: the rows themselves."""
    first = node.args[0] if node.args and not isinstance(node.args[0], tree.Spread) else None
    over = iterated(m, first) if first is not None else NOTHING
    for arg in (*node.args[1:], *(value for _, value in node.keywords)):
        m.evaluate(arg)
    return over


def _chained(m: State, node: tree.Call, source: str) -> Val:
    """`chain(posts, drafts)`, `chain(*lists)`, `chain.from_iterable(lists)`: the items of all of them."""
    nested = source.endswith("from_iterable")
    parts = [iterated(m, a.value if isinstance(a, tree.Spread) else a) for a in node.args]
    lists = [p.item() if nested or isinstance(a, tree.Spread) else p for a, p in zip(node.args, parts, strict=True)]
    lists = [m.vocabulary.rows(m, one, node.at, node.end, partial=False) or one for one in lists]
    return Val(deps=derived(*parts, *lists).deps, shape=Many(join_all([one.item() for one in lists]))) if lists else NOTHING
