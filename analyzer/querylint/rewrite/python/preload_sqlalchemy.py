"""`joinedload` and `selectinload` put into the options of a query."""

from __future__ import annotations

import libcst as cst

from querylint.ir import Access, Function, Path
from querylint.patch import TextEdit
from querylint.remedy import Preload
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.calls import branches, call_after, more_arguments, without_endings
from querylint.rewrite.python.classes import class_name
from querylint.rewrite.python.concrete import Tree, around, links, method, name, walk
from querylint.rewrite.python.imports import Names, merged
from querylint.rewrite.python.wrapping import fitted

ENDINGS = frozenset(
    ("all", "first", "one", "one_or_none", "scalar", "scalar_one", "scalar_one_or_none", "scalars", "unique", "count", "get", "yield_per",
     "paginate", "first_or_404", "one_or_404", "get_or_404", "partitions", "fetchall", "fetchone", "mappings", "tuples")
)  # fmt: skip
HINDERING = {
    "union": "the query is in a union with another one",
    "union_all": "the query is in a union with another one",
    "from_statement": "the query is written in SQL",
    "yield_per": "the query returns its rows in parts",
    "load_only": "the query loads only some columns of its rows",
    "noload": "the query says which relations not to load",
    "raiseload": "the query says which relations not to load",
    "expire_all": "the session forgets its rows in between",
}
REFINES = frozenset(("filter", "where", "filter_by", "order_by", "options", "join", "outerjoin", "limit", "offset"))
COMMITS = "the session forgets its rows at every commit, and would read the relation again"
APART = frozenset(("distinct", "group_by", "with_for_update"))
"""What a join would have to join in: relations come by a query of their own there."""


def write(task: Task, tree: Tree, function: Function, read: Access, remedy: Preload) -> tuple[TextEdit, ...] | Unfit:
    """The edits, or why there are none."""
    at = remedy.at
    assert at is not None
    place = tree.expression(at.start, at.end) if at.start < at.end else None
    if place is None:
        return Unfit("the query is not written as one expression")
    node, way = place
    names = Names(tree)
    chain = _query(node)
    entity = _entity(chain) if chain is not None else ""
    if chain is None and isinstance(node, cst.Call) and _rows_of_class(node, read):
        # the query goes on with one that a variable holds, of the class that the read is known to be of
        chain, entity = without_endings(links(node), ENDINGS), class_name(task, tree, function, read.table, names) or ""
    if not chain or not entity:
        return Unfit("the rows are not read by a query of one class that is written here")
    scope = around(way, cst.FunctionDef) or node
    used = {method(n) for n in walk(scope)} | {name(n.func) for n in walk(scope) if isinstance(n, cst.Call)}
    hindering = next((HINDERING[word] for word in HINDERING if word in used), "")
    if hindering or any(method(n) in ("commit", "rollback") for loop in walk(scope) if isinstance(loop, cst.For) for n in walk(loop.body)):
        return Unfit(hindering or COMMITS)
    given: list[str] = []
    for path in (*remedy.joined, *remedy.batched):
        option = _option(task, tree, function, read, path, entity, names, apart=bool(used & APART))
        if isinstance(option, Unfit):
            return option
        given.append(option)
    others = [_query(one) for one in branches(way, node) if one is not node]
    edits: list[TextEdit] = []
    for query in (chain, *(one for one in others if one and _entity(one) == entity)):
        calls = [link for link in query if isinstance(link, cst.Call) and method(link) == "options"]
        if calls and any(argument.star or argument.keyword is not None for argument in calls[0].args):
            return Unfit("its options() says what to load in a way that is not clear")
        added = more_arguments(tree, calls[0], given) if calls else call_after(tree, query[0], "options", given)
        edits += fitted(tree, (added,))
    return (*merged(names.edits), *edits)


def _rows_of_class(node: cst.Call, read: Access) -> bool:
    """Whether a chain that begins with a variable refines a query, and all its plans are of rows as they are."""
    base, called = links(node)[-1], {method(link) for link in links(node) if isinstance(link, cst.Call)}
    return isinstance(base, cst.Name) and called <= REFINES | ENDINGS and all(plan.columns is None for plan in read.plans)


def _query(node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    """The chain of a query of one class, the longest first, without what runs it."""
    chain = links(node)
    for link in chain:
        if isinstance(link, cst.Call) and method(link) in ("scalars", "execute", "scalar", "stream", "stream_scalars") and link.args:
            held = link.args[0].value
            return _query(held) if _entity(links(held)) else None
    chain = without_endings(chain, ENDINGS)
    return chain if chain and isinstance(chain[0], cst.Call | cst.Attribute) and _entity(chain) else None


def _entity(chain: list[cst.BaseExpression]) -> str:
    """The class whose rows a query hands out, as it is called here; empty where there are several or none is named."""
    for link in reversed(chain):
        if isinstance(link, cst.Call):
            called = method(link) or name(link.func).rpartition(".")[2]
            if called in ("query", "select"):
                return name(link.args[0].value) if len(link.args) == 1 and not link.args[0].star else ""
        elif isinstance(link, cst.Attribute) and link.attr.value == "query":
            before = name(link.value)
            if before.rpartition(".")[2][:1].isupper():
                return before
    return ""


def _option(task: Task, tree: Tree, function: Function, read: Access, path: Path, entity: str, names: Names, *, apart: bool) -> str | Unfit:
    """The option that loads a path."""
    option, here, table = "", entity, read.table
    for position, step in enumerate(path):
        declared = task.program.table(function, table)
        link = declared.link(step) if declared is not None else None
        if link is None:
            return Unfit(f"`{step}` is not a relation that the class of the rows declares")
        if position and not (here := class_name(task, tree, function, table, names) or ""):
            return Unfit(f"`{table}` is not known in {tree.path}, and an import could lead in a circle")
        wanted = "selectinload" if link.many or (apart and not position) else "joinedload"
        loader = wanted if option else names.of("sqlalchemy.orm", wanted)  # behind another one it is a method
        if loader is None:
            return Unfit("a local name hides the loader option")
        option = f"{option}.{loader}({here}.{step})" if option else f"{loader}({here}.{step})"
        table = link.target
    return option
