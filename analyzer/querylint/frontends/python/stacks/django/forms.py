"""Forms of models: the row that a form stands for, and that it stores; forms by which somebody filters the rows of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, ClassRef, Closure, Query, Record, Val, derived
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.language.arguments import placed
from querylint.frontends.python.stacks.django import querysets
from querylint.frontends.python.stacks.django.serializers import model_of
from querylint.frontends.python.vocabulary import PythonVocabulary
from querylint.ir import Predicate, Relation, Side
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, keyword

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django

FORMS = frozenset(("ModelForm", "BaseModelForm", "UserCreationForm", "UserChangeForm"))
STORED = "form"
FILTERS = frozenset(("FilterSet", "BaseFilterSet"))
FILTERED = "qs"
AHEAD = frozenset(("select_related", "prefetch_related", "only", "defer"))
UNKNOWN = Predicate(None, Relation.OTHER, Side.FILTER)
"""What a visitor chooses to filter by."""


def _is_form(info: ClassInfo) -> bool:
    return any(name.rpartition(".")[2] in FORMS for name in info.ancestry())


def _filters(info: ClassInfo) -> bool:
    return any(name.rpartition(".")[2] in FILTERS for name in info.ancestry())


def made(state: State, node: tree.Call, info: ClassInfo) -> Val | None:
    """`PostFilter(request.GET, queryset=posts)` of django-filter: its `qs` are those of the rows that the visitor asks for."""
    if not _filters(info):
        return None
    args = [state.evaluate(a) for a in node.args]
    fields = {k: state.evaluate(v) for k, v in node.keywords}
    form = Val(deps=derived(*args, *fields.values()).deps, shape=ClassRef(info.path, info.name, instance=True))
    rows = fields.get("queryset", args[1] if len(args) > 1 else NOTHING)
    own = info.method("__init__")
    if own is not None and isinstance(state.vocabulary, PythonVocabulary):
        closure = Closure(own[1], None, own[0].path, f"{own[0].name}.{own[1].name}", this=form)
        with state.recording():
            given = placed(state, node, own[1], (form,))
        state.vocabulary.reached(state, node, closure, given)
    if rows is NOTHING or info.method(FILTERED) is not None:
        return form
    known = isinstance(rows.shape, Query) and not _loads(info)
    found = _filtered(rows) if known else derived(rows, form)  # of what is not known, no more is known after it
    return replace(form, shape=Record({FILTERED: found}, (form,)))


def _loads(info: ClassInfo) -> bool:
    """Whether a filter of the project says itself what comes along with its rows."""
    own = [info.method(name) for name in ("__init__", "filter_queryset")]
    return any(m is not None and any(callee_name(c) in AHEAD for c in tree.find(m[1].body, tree.Call)) for m in own)


def _filtered(rows: Val) -> Val:
    query = rows.shape
    assert isinstance(query, Query)
    plans = tuple(replace(plan, predicates=(*plan.predicates, UNKNOWN)) for plan in query.plans)
    return replace(rows, shape=replace(query, plans=plans, refined=True, manager=False, held=False))


def own_member(django: Django, info: ClassInfo, base: Val, node: tree.Member) -> Val | None:
    """`form.instance`, `self.instance`; the rows of a filter that nobody has given any are those of its model."""
    if node.name == FILTERED and _filters(info) and not _loads(info) and (filtered := model_of(django, info)) is not None:
        return _filtered(querysets.start(filtered.table, node.at, node.end))
    model = model_of(django, info) if node.name == "instance" and _is_form(info) else None
    return Val(tuple(o.at("instance") for o in base.origins), base.deps, doc_of=model.table) if model is not None else None


def own_call(django: Django, state: State, info: ClassInfo, base: Val, node: tree.Call) -> Val | None:
    """`form.save()`, `super().save(commit=False)`: the row, stored unless it is said not to."""
    assert isinstance(node.func, tree.Member)
    model = model_of(django, info) if node.func.name == "save" and _is_form(info) else None
    if model is None:
        return None
    given = keyword(node, "commit") or (node.args[0] if node.args else None)
    value = state.evaluate(given) if given is not None else None
    deps = derived(base, *((value,) if value is not None else ())).deps
    if value is not None and value.literal is not True:
        return Val(deps=deps, doc_of=model.table)
    made = querysets.write(state, STORED, model.table, node.at, node.end, deps=deps)
    return Val(made.origins, made.deps, made.pending, doc_of=model.table)
