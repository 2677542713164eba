"""Connections that a piece of code opens for itself: what runs on one of its own may run beside others."""

from __future__ import annotations

import libcst as cst

from querylint.rewrite import Sources
from querylint.rewrite.python.classes import defined
from querylint.rewrite.python.concrete import Tree, around, links, method, name, tree_of, walk
from querylint.rewrite.python.scopes import bound

MAKERS = frozenset(("async_sessionmaker",))
"""Classes whose objects make a session when they are called."""
CLASSES = frozenset(("AsyncSession",))
ENGINES = frozenset(("AsyncEngine", "create_async_engine"))
"""What a session takes a connection of its own from; one that is given a connection shares that."""
OPENERS = frozenset(("asyncpg.connect", "aiosqlite.connect", "psycopg.AsyncConnection.connect", "AsyncConnection.connect"))
POOLS = frozenset(("asyncpg.Pool", "Pool", "AsyncConnectionPool", "AsyncEngine"))
MADE = frozenset(("create_pool", "AsyncConnectionPool", "create_async_engine"))
TAKEN = frozenset(("acquire", "connection", "connect", "begin"))
"""What takes a connection out of a pool for the length of a block."""
RUNS = frozenset(("fetch", "fetchrow", "fetchval", "fetchmany"))
"""What a pool runs by itself, on a connection that it takes for that alone."""
READS = frozenset(("scalars", "scalar", "get", "get_one", "fetch", "fetchrow", "fetchval", "fetchone", "fetchall"))
DEPTH = 3


def opened(sources: Sources, tree: Tree, way: list[cst.CSTNode], base: str, depth: int = DEPTH) -> bool:
    """Whether a block of the same function around a place has opened what goes by a name, for itself."""
    for up in reversed(way):
        if isinstance(up, cst.FunctionDef | cst.Lambda):
            return False
        for item in up.items if isinstance(up, cst.With) and up.asynchronous is not None else ():
            if item.asname is not None and name(item.asname.name) == base:
                return fresh_one(sources, tree, way, item.item, depth)
    return False


def pooled(sources: Sources, tree: Tree, way: list[cst.CSTNode], call: cst.Call) -> bool:
    """Whether a pool runs a statement by itself."""
    return method(call) in RUNS and isinstance(call.func, cst.Attribute) and _is_a(sources, tree, way, call.func.value, POOLS, MADE)


def fresh_one(sources: Sources, tree: Tree, way: list[cst.CSTNode], made: cst.BaseExpression, depth: int = DEPTH) -> bool:
    """Whether a context manager opens a connection each time."""
    made = made.expression if isinstance(made, cst.Await) else made
    if not isinstance(made, cst.Call) or not depth:
        return False
    word = name(made.func)
    if word.rpartition(".")[2] in CLASSES:
        given = [
            a.value
            for n, a in enumerate(made.args)
            if (n == 0 and a.keyword is None) or (a.keyword is not None and a.keyword.value == "bind")
        ]
        return len(given) == 1 and _is_a(sources, tree, way, given[0], ENGINES, ENGINES)
    if word in OPENERS:
        return True
    if method(made) in TAKEN and isinstance(made.func, cst.Attribute) and _is_a(sources, tree, way, made.func.value, POOLS, MADE):
        return True
    if not made.args and _is_a(sources, tree, way, made.func, MAKERS, MAKERS):
        return True
    return _manages(sources, tree, made.func, depth)


def _is_a(
    sources: Sources, tree: Tree, way: list[cst.CSTNode], node: cst.BaseExpression, kinds: frozenset[str], makers: frozenset[str]
) -> bool:
    """Whether a name stands for an object of one of these classes, by its annotation or by the call that alone has made it."""
    if not isinstance(node, cst.Name):
        return False
    held = around(way, cst.FunctionDef)
    while isinstance(held, cst.FunctionDef):
        for parameter in walk(held.params):
            if isinstance(parameter, cst.Param) and parameter.name.value == node.value:
                return parameter.annotation is not None and _names_one(parameter.annotation.annotation, kinds)
        if node.value in bound(held.body):
            return _made_in(held.body, node.value, kinds, makers)
        way = way[: way.index(held)]
        held = around(way, cst.FunctionDef)
    if node.value in bound(cst.Module(body=_top(tree))):
        return _made_in(cst.Module(body=_top(tree)), node.value, kinds, makers)
    found = defined(sources, tree, node.value)
    there = tree_of(sources, found[0]) if found is not None else None
    return found is not None and there is not None and _made_in(cst.Module(body=_top(there)), found[1], kinds, makers)


def _top(tree: Tree) -> list[cst.SimpleStatementLine]:
    """The assignments at the top of a file."""
    return [
        s
        for s in tree.module.body
        if isinstance(s, cst.SimpleStatementLine) and any(isinstance(p, cst.Assign | cst.AnnAssign) for p in s.body)
    ]


def _made_in(block: cst.CSTNode, wanted: str, kinds: frozenset[str], makers: frozenset[str]) -> bool:
    given = [n for n in walk(block) if isinstance(n, cst.Assign | cst.AnnAssign | cst.AugAssign | cst.NamedExpr | cst.For | cst.AsName)]
    mine = [n for n in given if wanted in bound(n)]
    if len(mine) != 1:
        return False
    made = mine[0]
    if isinstance(made, cst.AnnAssign) and _names_one(made.annotation.annotation, kinds):
        return True
    value = made.value if isinstance(made, cst.Assign | cst.AnnAssign) else None
    value = value.expression if isinstance(value, cst.Await) else value
    return isinstance(value, cst.Call) and name(value.func).rpartition(".")[2] in makers


def _names_one(annotation: cst.BaseExpression, kinds: frozenset[str]) -> bool:
    plain = annotation.value if isinstance(annotation, cst.Subscript) else annotation
    return name(plain) in kinds


def _manages(sources: Sources, tree: Tree, func: cst.BaseExpression, depth: int) -> bool:
    """Whether a function of the project is a context manager that hands out what it opens itself."""
    there, wanted = tree, name(func)
    if not any(isinstance(s, cst.FunctionDef) and s.name.value == wanted for s in tree.module.body):
        found = defined(sources, tree, wanted)
        other = tree_of(sources, found[0]) if found is not None else None
        if found is None or other is None:
            return False
        there, wanted = other, found[1]
    made = next((s for s in there.module.body if isinstance(s, cst.FunctionDef) and s.name.value == wanted), None)
    if made is None or [name(d.decorator).rpartition(".")[2] for d in made.decorators] != ["asynccontextmanager"]:
        return False
    given = [n for n in walk(made.body) if isinstance(n, cst.Yield)]
    value = given[0].value if len(given) == 1 else None
    if not isinstance(value, cst.Name):
        return False
    start = there.start(value)
    return opened(sources, there, there.way(start, start + 1), value.value, depth - 1)


def reads_only(wait: cst.Await) -> bool:
    """Whether only a read is waited for."""
    call = wait.expression
    if method(call) in READS:
        return True
    if not isinstance(call, cst.Call) or method(call) != "execute":
        return False
    texts = [n.raw_value.lstrip().upper() for n in walk(call) if isinstance(n, cst.SimpleString)]
    return any(isinstance(n, cst.Call) and name(n.func) == "select" for n in walk(call)) or any(t.startswith("SELECT") for t in texts)


def of_own(sources: Sources, tree: Tree, call: cst.BaseExpression) -> bool:
    """Whether a call goes to a connection that a block around it has opened, or to a pool."""
    start = tree.start(call)
    way = tree.way(start, start + 1)
    if isinstance(call, cst.Call) and pooled(sources, tree, way, call):
        return True
    base = links(call)[-1]
    return isinstance(base, cst.Name) and opened(sources, tree, way, base.value)
