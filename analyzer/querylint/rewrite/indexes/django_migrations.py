"""The migration that `makemigrations` would write for indexes that come and go."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field

from querylint.construction import dataclass, replace
from querylint.rewrite.indexes import Changes, Desk, Held
from querylint.rewrite.indexes.django_history import Written, index_name, newest_first, unindexed
from querylint.rewrite.migrations import LONGEST_NAME, SUFFIX, imports_of
from querylint.rewrite.python.source import PythonSource, assigned, python_source, text_of

NUMBERED = re.compile(r"^(\d{4})_\w+\.py$")


@dataclass(frozen=True, slots=True)
class Step:
    """An index of a model that comes or goes; `name` is None where only Django knows it.

    `option` says that an option of its field makes it, `written` how the field is written without that.
    """

    model: str
    name: str | None
    fields: tuple[str, ...]
    drops: bool = False
    option: bool = False
    written: Written | None = None


@dataclass(slots=True)
class Migrations:
    """The migrations of a project that are to be written, by the folder of their app."""

    desk: Desk
    steps: dict[str, list[Step]] = field(default_factory=dict)

    def step(self, path: str, step: Step) -> None:
        """Note down an index of a model in a file."""
        self.steps.setdefault(_app(path), []).append(step)

    def write(self, changes: Changes) -> None:
        """One migration for each app, where its last one is known."""
        for app, steps in sorted(self.steps.items()):
            made = self._migration(app, steps)
            if isinstance(made, str):
                changes.held.append(Held(app or "the project", "migration", f"{made}; run `python manage.py makemigrations`"))
            else:
                changes.created[made[0]] = made[1].encode()

    def _migration(self, app: str, steps: list[Step]) -> tuple[str, str] | str:
        folder = f"{app}/migrations" if app else "migrations"
        files = {path.rpartition("/")[2]: path for path in self.desk.files if path.rpartition("/")[0] == folder}
        numbered = {name.removesuffix(".py"): path for name, path in files.items() if NUMBERED.match(name)}
        if not numbered:
            return f"`{folder}` has no migrations that can be read"
        known = {name: python_source(self.desk.sources, path) for name, path in numbered.items()}
        parents = {name: _parents(source) for name, source in known.items() if source is not None}
        if len(parents) < len(known):
            return "a migration cannot be read"
        label = self._label(app, parents)
        named = {parent for found in parents.values() for of, parent in found if of == label}
        last = [name for name in numbered if name not in named]
        if len(last) != 1:
            return f"`{folder}` ends in several migrations"
        within = {name: [parent for of, parent in found if of == label and parent in numbered] for name, found in parents.items()}
        history = [source for name in newest_first(last[0], within) if (source := known[name]) is not None]
        steps = [_told(step, history) for step in steps]
        if any(step.name is None and step.written is None for step in steps):
            return "only Django knows the name of an index that goes"
        ordered = [step for step in steps if step.drops] + [step for step in steps if not step.drops]
        name = f"{int(last[0][:4]) + 1:04}_{_name(ordered)}"
        return f"{folder}/{name}.py", _text(label, last[0], ordered)

    def _label(self, app: str, parents: Mapping[str, Sequence[tuple[str, str]]]) -> str:
        """What the migrations call their own app, which is not what others with migrations of the same names are called.

        That is what its configuration says, else the name of its folder, else what most of them depend on.
        """
        config = python_source(self.desk.sources, f"{app}/apps.py" if app else "apps.py")
        classes = [node for node in config.tree.body if isinstance(node, ast.ClassDef)] if config is not None else []
        said = {text for node in classes if (text := text_of(assigned(node.body, "label")))}
        if len(said) == 1:
            return said.pop()
        folder = app.rpartition("/")[2]
        asked = Counter(of for name, found in parents.items() for of, parent in found if parent in parents and parent != name)
        return folder if not asked or asked[folder] else max(asked, key=lambda of: asked[of])


def _told(step: Step, history: Sequence[PythonSource]) -> Step:
    """A step with what only the migrations before it say."""
    if step.option and len(step.fields) == 1:
        return replace(step, written=unindexed(history, step.model, step.fields[0]))
    if step.name is None and not step.option:
        return replace(step, name=index_name(history, step.model, step.fields))
    return step


def _app(path: str) -> str:
    """The folder of the app that a module with models belongs to."""
    parts = path.removesuffix(".py").split("/")
    return "/".join(parts[: parts.index("models")] if "models" in parts else parts[:-1])


def _parents(source: PythonSource) -> list[tuple[str, str]]:
    """The migrations that one depends on, by app and name; those that it replaces count as well."""
    body = next((n.body for n in source.tree.body if isinstance(n, ast.ClassDef) and n.name == "Migration"), [])
    found = []
    for name in ("dependencies", "replaces"):
        listed = assigned(body, name)
        for item in listed.elts if isinstance(listed, ast.List | ast.Tuple) else ():
            if isinstance(item, ast.Tuple | ast.List) and len(item.elts) == 2:
                label, parent = (text_of(part) for part in item.elts)
                if label and parent:
                    found.append((label, parent))
    return found


def _name(steps: Sequence[Step]) -> str:
    """The name that Django gives a migration by itself."""
    fragments = [
        f"alter_{s.model.lower()}_{s.fields[0].lower()}"
        if s.written is not None
        else f"{'remove_' if s.drops else ''}{s.model.lower()}_{(s.name or '').lower()}"
        for s in steps
    ]
    fragments = [re.sub(r"\W+", "_", fragment) for fragment in fragments]
    name = fragments[0]
    for fragment in fragments[1:]:
        longer = f"{name}_{fragment}"
        if len(longer) > LONGEST_NAME:
            return f"{name}{SUFFIX}"
        name = longer
    return name


def _text(label: str, parent: str, steps: Sequence[Step]) -> str:
    operations = "".join(_operation(step) for step in steps)
    names = "migrations, models" if any(not step.drops or step.written is not None for step in steps) else "migrations"
    brought = {line for step in steps if step.written is not None for line in step.written.imports}
    head = imports_of({*brought, f"from django.db import {names}"})
    return (
        f"{head}\n\nclass Migration(migrations.Migration):\n\n"
        f"    dependencies = [\n        ('{label}', '{parent}'),\n    ]\n\n    operations = [\n{operations}    ]\n"
    )


def _operation(step: Step) -> str:
    head = f"            model_name='{step.model.lower()}',\n"
    if step.written is not None:
        field = f"            name='{step.fields[0]}',\n            field={step.written.text},\n"
        return f"        migrations.AlterField(\n{head}{field}        ),\n"
    if step.drops:
        return f"        migrations.RemoveIndex(\n{head}            name='{step.name}',\n        ),\n"
    listed = ", ".join(f"'{name}'" for name in step.fields)
    return f"        migrations.AddIndex(\n{head}            index=models.Index(fields=[{listed}], name='{step.name}'),\n        ),\n"
