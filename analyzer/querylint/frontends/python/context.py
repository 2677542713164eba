"""What the Python front end knows of the place that it walks through."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.frontends.flow.scope import Var
from querylint.frontends.flow.values import Closure, Val
from querylint.frontends.python.classes import ClassInfo
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject


@dataclass(slots=True)
class Local:
    """A function inside a function that is walked on its own: it calls itself, or somebody outside calls it.

    `store` is what the variables around it hold, `around` the functions around it, the outermost first. `owner` is the class whose method
    it is, where that class stands inside a function.
    """

    name: str
    fn: tree.Fn
    closure: Closure
    store: dict[Var, Val]
    around: tuple[tree.Fn, ...] = ()
    owner: ClassInfo | None = None


@dataclass(slots=True)
class Place:
    """One function of one module; `owner` is the class whose method it is. `quiet` walks leave no traces for other functions."""

    path: str
    project: PythonProject
    owner: ClassInfo | None = None
    name: str = ""
    quiet: bool = False
    locals: list[Local] = field(default_factory=list)
    named: dict[int, str] = field(default_factory=dict)
