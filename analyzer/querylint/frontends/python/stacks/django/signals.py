"""Signals of Django: whose rows are watched by code that runs whenever one of them is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.syntax import tree
from querylint.syntax.questions import last_name

if TYPE_CHECKING:
    from querylint.frontends.python.stacks.django.models import Model, Models

SIGNALS = re.compile(rb"(?:pre|post)_(?:save|delete)|m2m_changed")
WATCHING = frozenset("pre_save post_save pre_delete post_delete m2m_changed".split())


def watched(models: Models, files: list[str]) -> Iterator[Model]:
    """The models that a receiver of a signal names as its sender."""
    for path in files:
        source = models.project.modules.source(path) or b""
        if not SIGNALS.search(source):
            continue
        module = models.project.modules.module(path)
        for node in tree.walk(module.body if module is not None else []):
            if isinstance(node, tree.Call) and last_name(node.func) in ("receiver", "connect"):
                model = _sender(models, path, node)
                if model is not None:
                    yield model


def _sender(models: Models, path: str, node: tree.Call) -> Model | None:
    places = (*node.args, node.func)
    named = any(isinstance(s, tree.Name | tree.Member) and last_name(s) in WATCHING for place in places for s in tree.walk(place))
    sender = dict(node.keywords).get("sender")
    if not named or sender is None:
        return None
    if isinstance(sender, tree.Literal) and isinstance(sender.value, str):
        return models.named(sender.value)
    found = models.project.modules.reference(path, sender)
    return models.by_class.get((found.path, found.name)) if found is not None else None
