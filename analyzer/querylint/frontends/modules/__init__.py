"""One project's JavaScript and TypeScript modules: which file an import means, what a name stands for, what is constant."""

from __future__ import annotations

from querylint.frontends.modules.evaluate import Evaluator, Host
from querylint.frontends.modules.names import Definition
from querylint.frontends.modules.project import Modules
from querylint.frontends.modules.values import UNKNOWN

__all__ = ["UNKNOWN", "Definition", "Evaluator", "Host", "Modules"]
