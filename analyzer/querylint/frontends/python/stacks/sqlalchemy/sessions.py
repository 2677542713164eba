"""Sessions and connections: they run statements, and write what has gathered in them when they are flushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NO_STEPS, Many, Marker, Query, Record, Val, derived
from querylint.frontends.python.portable import SEVERAL
from querylint.frontends.python.stacks.sqlalchemy import loaders, queries, words
from querylint.frontends.python.stacks.sqlalchemy.expressions import ENTITY, LABEL, conditions, model_of, predicates, some_model
from querylint.ir import Bound, Escape, Mode, Plan, Target, TargetKind, Terminal, Way
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject
    from querylint.frontends.python.stacks.sqlalchemy import SqlAlchemy

STATEMENT = "sqlalchemy statement"
KEPT = b"expire_on_commit"
KEEPING = Pattern(rb"""\bexpire_on_commit["']?\s*[=:]\s*False\b""")


def keep_rows(project: PythonProject) -> bool:
    """Whether sessions of the project are told to keep what they know of their rows when a transaction ends."""
    sources = (project.modules.source(path) or b"" for path in project.modules.files)
    return any(KEPT in source and KEEPING.search(source) for source in sources)  # the pattern alone takes far longer where there is none


def later(state: State, node: tree.Call, base: Val) -> bool:
    """Whether what a session gives is there only when it is awaited."""
    shape = base.shape
    if isinstance(shape, Marker) and shape.kind == "session":
        return "async" in shape.data
    fn = state.calling[-1] if state.calling else None
    return isinstance(fn, tree.Fn) and fn.is_async and (node.at, node.end) in _awaited(fn)


def _awaited(fn: tree.Fn) -> frozenset[tuple[int, int]]:
    return frozenset((n.value.at, n.value.end) for n in tree.walk(fn.body) if isinstance(n, tree.Await) and isinstance(n.value, tree.Call))


def is_session(node: tree.Member, base: Val) -> bool:
    """Whether a receiver is a session, by its type or else by its name."""
    shape = base.shape
    if isinstance(shape, Marker):
        return shape.kind == "session"
    return (shape is None or base.doc_of is None) and words.SESSION.search(callee_name(node.base)) is not None


# Statements that write.


def statement(verb: str, table: str | None, node: tree.Call, deps: frozenset[int]) -> Val:
    """`insert(T)`, `update(T)`, `delete(T)`: run by whoever executes it."""
    query = Query(table, (Plan(Way.PLANNER),), node.at, node.end, flavor=STATEMENT, deps=deps, yields=verb)
    return Val(deps=deps, shape=query)


def continued(stack: SqlAlchemy, state: State, node: tree.Call, name: str, base: Val, query: Query) -> Val:
    """One more link of a statement that writes."""
    made = replace(query, end=max(query.end, node.end))
    if name in ("where", "filter"):
        found = [p for arg in node.args for p in predicates(state, stack.models, query.table, conditions(state, arg), arg)]
        deps = frozenset(n for p in found if p.value is not None for n in p.value.deps)
        plans = tuple(replace(p, predicates=(*p.predicates, *found)) for p in query.plans)
        return Val(deps=base.deps | deps, shape=replace(made, plans=plans, deps=query.deps | deps))
    args = [state.evaluate(a) for a in node.args]
    keywords = [(k, state.evaluate(v)) for k, v in node.keywords]
    deps = derived(base, *args, *(v for _, v in keywords)).deps
    if name == "values":
        many = any(isinstance(a.shape, Many) and not a.shape.keyed for a in args)
        names = tuple(k for k, _ in keywords if k != "**") or tuple(k for a in args if isinstance(a.shape, Record) for k in a.shape.fields)
        made = replace(made, cut=query.cut or many, columns=names)
    return Val(deps=deps, shape=replace(made, deps=query.deps | deps))


# What a session does.


def execute(stack: SqlAlchemy, state: State, node: tree.Call, name: str, base: Val) -> Val | None:
    """A statement is run. A result is read when its rows are asked for, so that what is asked for is known by then."""
    with state.recording() as block:
        first = state.evaluate(node.args[0])
    query = first.shape
    if not isinstance(query, Query) or query.flavor not in (queries.FLAVOR, STATEMENT):
        return None
    for step in block:
        state.emit(step)
    rest = [state.evaluate(a) for a in (*node.args[1:], *(v for _, v in node.keywords))]
    deps = derived(base, first, *rest).deps | query.deps
    wait = later(state, node, base)
    if query.flavor == STATEMENT:
        bound = Bound.ALL if query.cut or any(isinstance(a.shape, Many) and not a.shape.keyed for a in rest) else Bound.ONE
        return queries.write(
            state, query.yields, query.table, node.at, node.end, deps=deps, bound=bound, plans=query.plans, fields=query.columns or None,
            later=wait,
        )  # fmt: skip
    made = replace(
        query,
        end=max(query.end, node.end),
        flavor=queries.LATER if wait else queries.RESULT,
        deps=deps,
        at=min(query.at, node.at) or node.at,
    )
    value = Val(deps=deps, shape=made)
    if name in words.PAGES:
        found = queries.rows(state, replace(value, shape=replace(made, yields=queries.FIRST)), node.at, node.end, name, bound=Bound.PAGE)
        return Val(found.origins, found.deps, shape=Marker("page", (), found))
    if name in ("scalar", "fetch_val", "first_or_404", "one_or_404"):
        return queries.row(state, replace(value, shape=replace(made, yields=queries.FIRST)), node.at, node.end, name, later=wait)
    if name == "fetch_all":
        return queries.rows(state, value, node.at, node.end, name, later=wait)
    if name == "fetch_one":
        return queries.row(state, value, node.at, node.end, name, later=wait)
    if name in ("scalars", "stream_scalars") or (name == "exec" and len(query.columns) == 1):
        return replace(value, shape=replace(made, yields=queries.FIRST))
    return value


def get(stack: SqlAlchemy, state: State, node: tree.Call, base: Val) -> Val | None:
    """`session.get(Model, key)`."""
    if len(node.args) + len(node.keywords) < 2 or not node.args:
        return None
    with state.recording():
        asked = state.evaluate(node.args[0])
    model = model_of(stack.models, asked)
    if model is None:
        if not some_model(stack.models, asked):
            return None
        return queries.by_key(state, stack.models, node, "get", None, key_at=1, later=later(state, node, base))
    held = stack.holds(state, model.table)
    if held:
        values = [state.evaluate(a) for a in node.args[1:]]
        return Val(deps=derived(*values).deps, doc_of=model.table)
    return queries.by_key(state, stack.models, node, "get", model.table, key_at=1, later=later(state, node, base))


def rows(stack: SqlAlchemy, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    """What is done with rows: adding and deleting gather in the session, flushing writes them."""
    name = func.name
    at, end = node.at, node.end
    if name in ("flush", "commit"):
        if node.args and name == "commit":
            return None
        gathered = stack.gathered(state)
        if not is_session(func, base):
            return None
        if not gathered:  # what others have left to be written is none of this function's
            return state.call(Target(TargetKind.EXTERNAL, "", name), Mode.DIRECT, (), node, state.text(func))
        deps = frozenset(n for more, _ in gathered for n in more)
        tables = {table for _, table in gathered}
        stack.flushed(state)
        if stack.worked(state):
            return Val()
        table = next(iter(tables)) if len(tables) == 1 else None
        return queries.write(state, name, table, at, end, deps=deps, later=later(state, node, base))
    if name == "rollback":
        stack.flushed(state)
        return None
    if not node.args:
        return None
    with state.recording() as block:
        first = state.evaluate(node.args[0])
    row = first if first.doc_of is not None else first.item() if isinstance(first.shape, Many) else first
    model = stack.models.by_table.get(row.doc_of or "")
    if name in words.BULK:
        model = model_of(stack.models, first) or model
    if model is None and not (is_session(func, base) and isinstance(base.shape, Marker)):
        return None
    for step in block:
        state.emit(step)
    state.leak(first, Escape.STORED, at, end)
    rest = [state.evaluate(a) for a in (*node.args[1:], *(v for _, v in node.keywords))]
    table = model.table if model is not None and row.type != SEVERAL else None
    wait = later(state, node, base)
    if name in ("refresh", "merge"):
        query = Query(table, (loaders.plan_of(stack.models, model, Plan(Way.KEY)),), at, end, flavor=queries.FLAVOR, deps=first.deps)
        number = queries.read(state, query, at, end, name, Bound.ONE, Terminal.ROW, deps=derived(first, *rest).deps)
        me = frozenset({number})
        if name == "merge":
            stack.gather(state, first.deps | me, table)
        made = Val(first.origins, first.deps | me, me, doc_of=first.doc_of, type=first.type)
        return queries.done(state, made, at, end, later=wait)
    if name in words.BULK:
        return queries.write(state, name, table, at, end, deps=derived(first, *rest).deps, bound=Bound.ALL, later=wait)
    if name in ("add", "add_all", "delete"):
        stack.gather(state, first.deps | state.why(), table)
    return Val(deps=NO_STEPS)


def query(stack: SqlAlchemy, state: State, node: tree.Call, func: tree.Member, base: Val) -> Val | None:
    """`session.query(...)`; what a session is asked for is rows of some table, also where nobody knows of which."""
    if not node.args:
        return None
    made = queries.selection(state, stack.models, node, legacy=True)
    if made is not None or not is_session(func, base) or any(isinstance(a, tree.Literal | tree.Template | tree.Spread) for a in node.args):
        return made
    values = [state.evaluate(a) for a in node.args]
    if any(isinstance(value.literal, str) for value in values):
        return derived(*values)  # a statement as text, for a database that goes by the name of a session
    whole = len(node.args) == 1 and isinstance(node.args[0], tree.Name)
    elements = (ENTITY,) if whole else (LABEL,) * len(values)
    yields = "" if whole else queries.TUPLES
    return queries.start(state, stack.models, elements, node.at, node.end, yields=yields, deps=derived(*values).deps)
