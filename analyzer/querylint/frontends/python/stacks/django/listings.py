"""Lists that Django makes by itself: the change list of an admin class, the items of a feed. What they read of each row, written out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.jobs import at_the_top
from querylint.frontends.python.stacks.django import words
from querylint.frontends.python.stacks.django.nodes import call_of, do
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django import Django
    from querylint.frontends.python.stacks.django.model import Model

ADMIN = ("ModelAdmin", "MPTTModelAdmin", "GISModelAdmin", "ImportExportModelAdmin")
CHANGE_LIST = "change_list_rows"
ITEMS = "feed_rows"
REGISTERS = Pattern(rb"^\s*[\w.]*\bregister\(\s*\w", re.MULTILINE)


def admin_rows(django: Django, info: ClassInfo) -> tree.Fn | None:
    """Every column of `list_display`, asked of every row of the change list; every action, handed the rows of the list."""
    if not any(n.rpartition(".")[2] in ADMIN for n in info.ancestry()):
        return None
    columns, actions = _own(info, "list_display"), _own(info, "actions")
    if columns is None and actions is None:
        return None
    at = info.node.at
    me, row = tree.Name("self", at, at), tree.Name("row", at, at)
    body: list[tree.Stmt] = []
    for item in columns.items if columns is not None else ():
        if not isinstance(item, tree.Literal) or not isinstance(item.value, str):
            continue
        if info.method(item.value) is not None:
            body.append(do(call_of(me, item.value, [row], at)))
        elif item.value != "__str__":
            body.append(do(tree.Member(row, item.value, item.at, item.end, item.at)))
    rows = _list_rows(django, info, columns)
    loop = tree.For(tree.LoopForm.OF, body, at, at, at, pattern=tree.NamePattern("row", at, at), over=rows)
    done: list[tree.Stmt] = [loop]
    for item in actions.items if actions is not None else ():
        if isinstance(item, tree.Literal) and isinstance(item.value, str) and info.method(item.value) is not None:
            done.append(do(call_of(me, item.value, [tree.Name("request", at, at), rows], at)))
        elif isinstance(item, tree.Name):
            done.append(do(tree.Call(item, [me, tree.Name("request", at, at), rows], at, at)))
    params = [tree.Param(tree.NamePattern(name, at, at)) for name in ("self", "request")]
    return tree.Fn(CHANGE_LIST, params, done, at, at)


def _own(info: ClassInfo, name: str) -> tree.Array | None:
    """A list that a class itself writes down."""
    found = info.field(name)
    return found[2] if found is not None and found[0] is info and isinstance(found[2], tree.Array) else None


def _list_rows(django: Django, info: ClassInfo, columns: tree.Array | None) -> tree.Expr:
    """The rows of the change list: what the class asks for, with what it says comes along."""
    at = info.node.at
    me = tree.Name("self", at, at)
    joined = info.field("list_select_related")
    rows: tree.Expr = call_of(me, "get_queryset", [tree.Name("request", at, at)], at)
    if info.method("get_list_select_related") is not None:
        told = call_of(me, "get_list_select_related", [tree.Name("request", at, at)], at)
        rows = call_of(rows, words.JOINS, [tree.Spread(told, at, at)], at)
    elif joined is None or joined[2] is None or (isinstance(joined[2], tree.Literal) and joined[2].value is False):
        if columns is not None and _shows_key(django, info, columns):
            rows = call_of(rows, words.JOINS, [], at)  # the change list does so by itself where a column is a foreign key
    elif isinstance(joined[2], tree.Literal):
        rows = call_of(rows, words.JOINS, [], at)
    else:
        own = info.extended("list_select_related")  # by what a method adds to it
        rows = call_of(
            rows, words.JOINS, [tree.Spread(tree.Member(me, "list_select_related", at, at, at) if own else joined[2], at, at)], at
        )
    return rows


def _shows_key(django: Django, info: ClassInfo, columns: tree.Array) -> bool:
    model = registered(django, info)
    links = model.links if model is not None else {}
    names = [i.value for i in columns.items if isinstance(i, tree.Literal) and isinstance(i.value, str)]
    return any(name in links and links[name].column is not None and not links[name].generic for name in names)


def feed_items(info: ClassInfo) -> tree.Fn | None:
    """Every `item_...` method of a feed, asked of every item."""
    if not any(n.rpartition(".")[2] == "Feed" for n in info.ancestry()) or not any(f.name == "items" for f in info.node.methods):
        return None
    at = info.node.at
    me, row = tree.Name("self", at, at), tree.Name("item", at, at)
    names = dict.fromkeys(f.name for owner in info.mro() for f in owner.node.methods if f.name.startswith("item_") and len(f.params) == 2)
    body: list[tree.Stmt] = [do(call_of(me, name, [row], at)) for name in names]
    items = info.method("items")
    given: list[tree.Expr] = [tree.Name("obj", at, at)] if items is not None and len(items[1].params) > 1 else []
    loop = tree.For(tree.LoopForm.OF, body, at, at, at, pattern=tree.NamePattern("item", at, at), over=call_of(me, "items", given, at))
    return tree.Fn(ITEMS, [tree.Param(tree.NamePattern(name, at, at)) for name in ("self", "obj")], [loop], at, at)


def registered(django: Django, info: ClassInfo) -> Model | None:
    """The model that an admin class is registered for, by `@admin.register(Model)` or `admin.site.register(Model, Admin)`."""
    for decorator in info.node.decorators:
        if isinstance(decorator, tree.Call) and callee_name(decorator) == "register" and decorator.args:
            value = django.project.expression(info.path, decorator.args[0])
            model = django.model_of(value)
            if model is not None:
                return model
    return _registrations(django).get((info.path, info.name))


def _registrations(django: Django) -> dict[tuple[str, str], Model]:
    """The admin classes that some module registers: often the package of the admin, for all the modules beside it."""
    if django.registered is None:
        django.registered = {}
        for path in django.project.modules.files:
            if REGISTERS.search(django.project.modules.source(path) or b"") is None:
                continue
            module = django.project.modules.module(path)
            for statement in at_the_top(module.body if module is not None else []):
                call = statement.value if isinstance(statement, tree.Do) else None
                if not isinstance(call, tree.Call) or callee_name(call) != "register" or len(call.args) < 2:
                    continue
                chosen = django.project.modules.reference(path, call.args[1])
                model = django.model_of(django.project.expression(path, call.args[0]))
                if chosen is not None and isinstance(chosen.node, tree.ClassDef) and model is not None:
                    django.routing.append(path)
                    django.registered.setdefault((chosen.path, chosen.name), model)
    return django.registered
