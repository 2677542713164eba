"""Classes of web frameworks whose methods answer requests: `get` of a `MethodView` of Flask, a `Resource`, a handler of Tornado."""

from __future__ import annotations

from querylint.frontends.python.classes import ClassInfo
from querylint.syntax import tree

METHODS = frozenset("get post put patch delete head options".split())
CLASSES = ("Handler", "MethodView", "Resource", "HTTPEndpoint")


def answers(info: ClassInfo | None, fn: tree.Fn) -> bool:
    """Whether a method is the one that a framework calls for a request of that name, by the bases of its class."""
    return info is not None and fn.name in METHODS and any(name.rpartition(".")[2].endswith(CLASSES) for name in info.ancestry())
