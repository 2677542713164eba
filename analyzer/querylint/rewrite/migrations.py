"""Migrations of one app that are made in the same breath: one file with the operations of all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from querylint.patch import NewFile

WHOLE = re.compile(
    r"(?P<imports>(?:(?:from|import) [^\n]+\n)+)\n\n(?P<head>class Migration\(migrations\.Migration\):\n\n"
    r"    dependencies = \[\n[^\]]*    \]\n\n    operations = \[\n)(?P<operations>.*)    \]\n",
    re.DOTALL,
)
FROM = re.compile(r"^from (?P<module>[\w.]+) import (?P<names>[\w, ]+)$")
SUFFIX = "_and_more"
LONGEST_NAME = 52
"""From here on Django shortens the name of a migration."""


def joined(files: Sequence[NewFile]) -> NewFile | None:
    """One migration of Django that does what several do which come after the same one; None where they are no such files."""
    first = files[0]
    if all(file == first for file in files):
        return first
    parts = [WHOLE.fullmatch(file.text) for file in files]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or len({(f.sequence, p["head"]) for f, p in zip(files, found, strict=True)}) > 1:
        return None
    imports = _imports([line for part in found for line in part["imports"].splitlines()])
    if imports is None:
        return None
    operations = "".join(dict.fromkeys(part["operations"] for part in found))
    return NewFile(_named(first.path), f"{imports}\n\n{found[0]['head']}{operations}    ]\n", first.sequence)


def _imports(lines: Sequence[str]) -> str | None:
    """The imports of all, each module once; None for a form that Django does not write."""
    plain = {line for line in lines if line.startswith("import ")}
    names: dict[str, set[str]] = {}
    for line in (line for line in lines if line not in plain):
        match = FROM.match(line)
        if match is None:
            return None
        names.setdefault(match["module"], set()).update(name.strip() for name in match["names"].split(","))
    every = [*plain, *(f"from {module} import {', '.join(sorted(given))}" for module, given in names.items())]
    return imports_of(every)


def imports_of(lines: Iterable[str]) -> str:
    """Lines that import, in the order of Django."""
    return "".join(f"{line}\n" for line in sorted(lines, key=lambda line: (line.split()[0] == "from", line.split()[1])))


def _named(path: str) -> str:
    """The name that Django gives a migration that does more than its name has room for."""
    stem = path.removesuffix(".py")
    folder, _, name = stem.rpartition("/")
    if name.endswith(SUFFIX):
        return path
    number, _, words = name.partition("_")
    return f"{folder}/{number}_{words[: LONGEST_NAME - len(SUFFIX)].rstrip('_')}{SUFFIX}.py"
