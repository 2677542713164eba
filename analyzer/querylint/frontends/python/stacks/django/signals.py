"""Signals of Django: whose rows are watched by code that runs whenever one of them is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import last_name

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django.model import Model
    from querylint.frontends.python.stacks.django.models import Models

SIGNALS = Pattern(rb"(?:pre|post)_(?:save|delete)|m2m_changed")
WATCHING = frozenset("pre_save post_save pre_delete post_delete m2m_changed".split())


def watched(models: Models, files: list[str]) -> Iterator[Model]:
    """The models that a receiver of a signal names as its sender."""
    for path in files:
        source = models.project.modules.source(path) or b""
        if not SIGNALS.search(source):
            continue
        module = models.project.modules.module(path)
        body = module.body if module is not None else []
        loops = {
            loop.pattern.id: loop.over for loop in tree.find(body, tree.For) if isinstance(loop.pattern, tree.NamePattern) and loop.over
        }
        decorated = {id(decorator): node.fn for node in tree.find(body, tree.FnDef) for decorator in node.fn.decorators}
        for node in tree.walk(body):
            name = last_name(node.func) if isinstance(node, tree.Call) else ""
            if isinstance(node, tree.Call) and name in ("receiver", "connect"):
                senders = list(_senders(models, path, node, loops))
                handler = decorated.get(id(node)) if name == "receiver" else _function(models, path, node.args[0]) if node.args else None
                if handler is not None:
                    _sent(models, handler, senders)
                yield from senders


def _function(models: Models, path: str, named: tree.Expr) -> tree.Fn | None:
    found = models.project.modules.reference(path, named)
    return found.node.fn if found is not None and isinstance(found.node, tree.FnDef) else None


def _sent(models: Models, fn: tree.Fn, senders: list[Model]) -> None:
    """The rows of which model a function is sent; of several, or where one is not known, it is not known which."""
    tables = {model.table for model in senders} | ({models.sent[id(fn)]} if id(fn) in models.sent else set())
    models.sent[id(fn)] = tables.pop() if len(tables) == 1 and senders else None


def _senders(models: Models, path: str, node: tree.Call, loops: dict[str, tree.Expr]) -> Iterator[Model]:
    """The models whose signals a call connects; `loops` are what variables of loops run over."""
    places: list[tree.Expr] = [*node.args, node.func]
    places += [loops[s.id] for place in places for s in tree.walk(place) if isinstance(s, tree.Name) and s.id in loops]
    named = any(isinstance(s, tree.Name | tree.Member) and last_name(s) in WATCHING for place in places for s in tree.walk(place))
    sender = dict(node.keywords).get("sender")
    if not named or sender is None:
        return
    over = loops.get(sender.id) if isinstance(sender, tree.Name) else None
    if isinstance(over, tree.Array):
        senders = [_model(models, path, item) for item in over.items]
    elif isinstance(over, tree.Call) and last_name(over.func) == "get_models":
        senders = list(_of_app(models, over))
    else:
        senders = [_model(models, path, sender)]
    yield from (model for model in senders if model is not None)


def _model(models: Models, path: str, sender: tree.Expr) -> Model | None:
    if isinstance(sender, tree.Literal) and isinstance(sender.value, str):
        return models.named(sender.value)
    found = models.project.modules.reference(path, sender)
    return models.by_class.get((found.path, found.name)) if found is not None else None


def _of_app(models: Models, over: tree.Call) -> Iterator[Model]:
    """The models of `apps.get_app_config("shop").get_models()`, or of `apps.get_models()`."""
    config = over.func.base if isinstance(over.func, tree.Member) else None
    label = config.args[0] if isinstance(config, tree.Call) and last_name(config.func) == "get_app_config" and config.args else None
    name = label.value if isinstance(label, tree.Literal) else None
    known = isinstance(config, tree.Name) or name is not None
    yield from (m for m in models.by_table.values() if known and m.info is not None and (name is None or m.app == name))
