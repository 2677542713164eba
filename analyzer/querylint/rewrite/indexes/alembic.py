"""An Alembic revision for indexes that come and go."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import field
from hashlib import sha256

from querylint.construction import dataclass
from querylint.rewrite.indexes import REVISION, Changes, Desk, Held
from querylint.rewrite.python.source import assigned, python_source, text_of

MARK = re.compile(rb"^down_revision\b", re.MULTILINE)
NUMBERED = re.compile(r"^(\d{3,})_\w+$")
LONGEST_SLUG = 40
LONGEST_REVISION = 32
"""What the column holds in which Alembic keeps the revision of a database."""


@dataclass(frozen=True, slots=True)
class Step:
    """An index that comes or goes; `table` is None where its name in the database is made while the program runs."""

    table: str | None
    name: str
    columns: tuple[str, ...]
    drops: bool = False


@dataclass(slots=True)
class Revision:
    """The revision that is to be written."""

    desk: Desk
    steps: list[Step] = field(default_factory=list)

    def step(self, step: Step) -> None:
        """Note down an index."""
        self.steps.append(step)

    def write(self, changes: Changes) -> None:
        """One revision on top of the last one, where there is one last one."""
        folders = {path.rpartition("/")[0] for path in self.desk.files if "/versions/" in f"/{path}" and self._is_revision(path)}
        if not self.steps or not folders:
            return
        made = self._revision(sorted(folders)) if len(folders) == 1 else "the project has several lines of revisions"
        if isinstance(made, str):
            changes.held.append(Held("the project", REVISION, f"{made}; run `alembic revision --autogenerate`"))
        else:
            changes.created[made[0]] = made[1].encode()

    def _is_revision(self, path: str) -> bool:
        data = self.desk.sources.read(path) if path.endswith(".py") else None
        return data is not None and MARK.search(data) is not None

    def _revision(self, folders: list[str]) -> tuple[str, str] | str:
        folder = folders[0]
        known: dict[str, frozenset[str]] = {}
        places: dict[str, str] = {}
        for path in self.desk.files:
            if path.rpartition("/")[0] != folder or not self._is_revision(path):
                continue
            source = python_source(self.desk.sources, path)
            body = source.tree.body if source is not None else []
            own = text_of(assigned(body, "revision"))
            if own is None:
                return f"`{path}` cannot be read"
            places[own] = path
            known[own] = _texts(assigned(body, "down_revision"))
        parents = frozenset().union(*known.values())
        last = sorted(set(known) - parents)
        if len(last) != 1:
            return f"`{folder}` ends in several revisions"
        if any(step.table is None for step in self.steps):
            return "the name of a table is made while the program runs"
        ordered = [step for step in self.steps if not step.drops] + [step for step in self.steps if step.drops]
        number = sha256(repr((last, ordered)).encode()).hexdigest()[:12]
        title = ", ".join(f"{'drop' if step.drops else 'add'} index {step.name}" for step in ordered)
        slug = re.sub(r"\W+", "_", title).strip("_")[:LONGEST_SLUG].rstrip("_")
        counted = NUMBERED.match(last[0])
        if counted is not None and places[last[0]] == f"{folder}/{last[0]}.py":  # the project counts its revisions, and names its files so
            number = f"{int(counted[1]) + 1:0{len(counted[1])}}_{slug}"[:LONGEST_REVISION].rstrip("_")
            return f"{folder}/{number}.py", _text(number, last[0], title, ordered)
        return f"{folder}/{number}_{slug}.py", _text(number, last[0], title, ordered)


def _texts(node: ast.expr | None) -> frozenset[str]:
    """The revisions that one comes after."""
    items = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    return frozenset(text for item in items if (text := text_of(item)))


def _text(number: str, parent: str, title: str, steps: Sequence[Step]) -> str:
    up = "".join(f"    {_drop(step) if step.drops else _create(step)}\n" for step in steps)
    down = "".join(f"    {_create(step) if step.drops else _drop(step)}\n" for step in reversed(steps))
    return (
        f'"""{title}\n\nRevision ID: {number}\nRevises: {parent}\n"""\n\nfrom alembic import op\n\n'
        f'revision = "{number}"\ndown_revision = "{parent}"\nbranch_labels = None\ndepends_on = None\n\n\n'
        f"def upgrade():\n{up}\n\ndef downgrade():\n{down}"
    )


def _create(step: Step) -> str:
    columns = ", ".join(f'"{name}"' for name in step.columns)
    return f'op.create_index("{step.name}", "{step.table}", [{columns}], unique=False)'


def _drop(step: Step) -> str:
    return f'op.drop_index("{step.name}", table_name="{step.table}")'
