"""Class methods that mapped classes have from bases of outside code: those that begin a statement, and those that fetch rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Query, Val, derived
from querylint.frontends.python.stacks.sqlalchemy import loaders, queries
from querylint.frontends.python.stacks.sqlalchemy.expressions import model_of
from querylint.ir import Plan, Way
from querylint.pattern import Pattern
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.sqlalchemy.model import Model
    from querylint.frontends.python.stacks.sqlalchemy.models import Models

SELECTING = ("select", "query_")
FETCHING = Pattern(r"^(?:get|find|fetch)(?:_(?:by|if|one|or|first)(?:_\w+)?)?$")


def called(state: State, models: Models, node: tree.Call, name: str, base: Val) -> Val | None:
    """`User.select(...)`, `User.get_if_readable_by(key, reader)`; None for methods that the project defines, and for other words."""
    model = model_of(models, base)
    if model is None or (model.info is not None and model.info.method(name) is not None):
        return None
    if name.startswith(SELECTING):
        return _selecting(state, models, model, node, name, base)
    if FETCHING.match(name) and node.args and _foreign(model):
        return _fetching(state, model, node, name, base)
    return None


def _foreign(model: Model) -> bool:
    """Whether a base of outside code may give a class methods that nobody here can see."""
    return model.info is None or any(True for _ in model.info.ancestry())


def _selecting(state: State, models: Models, model: Model, node: tree.Call, name: str, base: Val) -> Val:
    args = [state.evaluate(a) for a in node.args]
    keywords = {k: state.evaluate(v) for k, v in node.keywords}
    columns = keywords.get("columns")
    yields = queries.TUPLES if name == "select" or columns is not None else ""
    elements = (f"@{model.table}",) if columns is None else ("=",)
    deps = derived(base, *args, *keywords.values()).deps
    made = queries.start(state, models, elements, node.at, node.end, yields=yields, table=model.table, deps=deps)
    if "options" in keywords and isinstance(made.shape, Query):
        return replace(made, shape=loaders.apply(state, models, made.shape, node, [keywords["options"]]))
    return made


def _fetching(state: State, model: Model, node: tree.Call, name: str, base: Val) -> Val:
    """How the rows are found, and what comes along with them, is not known."""
    args = [state.evaluate(a) for a in (*node.args, *(v for _, v in node.keywords))]
    query = Query(model.table, (Plan(Way.OPAQUE, whole=True),), node.at, node.end, flavor=queries.FLAVOR, refined=True)
    return queries.row(state, Val(deps=derived(base, *args).deps, shape=query), node.at, node.end, name)
