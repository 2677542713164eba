"""Forms of models: the row that a form stands for, and that it stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Val, derived
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.django import querysets
from querylint.frontends.python.stacks.django.serializers import model_of
from querylint.syntax import tree
from querylint.syntax.questions import keyword

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django

FORMS = frozenset(("ModelForm", "BaseModelForm", "UserCreationForm", "UserChangeForm"))
STORED = "form"


def _is_form(info: ClassInfo) -> bool:
    return any(name.rpartition(".")[2] in FORMS for name in info.ancestry())


def own_member(django: Django, info: ClassInfo, base: Val, node: tree.Member) -> Val | None:
    """`form.instance`, `self.instance`."""
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
