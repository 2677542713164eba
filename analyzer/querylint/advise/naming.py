"""Names for new indexes, in the style that the names of a schema's indexes show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from querylint.advise.serving import BUILT_IN
from querylint.advise.stacks import declaring
from querylint.construction import dataclass, replace
from querylint.ir import IndexKind, Program, Schema
from querylint.pattern import Pattern

WORDS = Pattern(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")
TRIMMED = Pattern(r"(?<=[a-z0-9])(?:Id|_[iI]d)$|(?<=[a-z0-9])At$")
LONGEST = {"convex": 64, "django": 30}
LONGEST_OF_SQL = 63


def _raw(name: str) -> str:
    return name.replace(".", "_")


def _short(name: str) -> str:
    return TRIMMED.sub("", _raw(name))


def _snake(name: str) -> str:
    return "_".join(word.lower() for word in WORDS.findall(name))


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[._]", name) if part)


FORMS: dict[str, Callable[[str], str]] = {
    "raw": _raw,
    "short": _short,
    "snake": _snake,
    "short snake": lambda name: _snake(_short(name)),
    "camel": _camel,
    "short camel": lambda name: _camel(_short(name)),
}
BEFORE = Pattern(r"^(?:by_?|idx_?|ix_?|index_?)?(?:\{table\}_?)?$", re.IGNORECASE)
AFTER = Pattern(r"^(?:_(?:idx|ix|index))?$", re.IGNORECASE)
JOINTS = ("_and_", "_", "And", "")


@dataclass(frozen=True, slots=True)
class Style:
    """How a schema names its indexes: what stands before and after the fields (`{table}` for the table), their form, what joins them."""

    before: str
    form: str
    joint: str
    after: str = ""

    def name(self, table: str, fields: Sequence[str], words: Mapping[str, str] | None = None) -> str:
        """The name of an index on these fields; `words` says how some of them are written here, whatever the form."""
        write, known = FORMS[self.form], words or {}
        core = self.joint.join(known.get(f) or write(f) for f in fields)
        return self.before.replace("{table}", _raw(table)) + core + self.after


DEFAULTS = {
    "convex": Style("by_", "raw", "_and_"),
    "django": Style("{table}_", "snake", "_", "_idx"),
    "sqlalchemy": Style("ix_{table}_", "raw", "_"),
}
DEFAULT = Style("{table}_", "raw", "_", "_idx")


def style(schema: Schema) -> Style:
    """The style that most of the names of a schema follow."""
    own = DEFAULTS.get(schema.stack, DEFAULT)
    votes: Counter[Style] = Counter()
    for table in schema.tables.values():
        for index in table.indexes:
            given = index.kind is IndexKind.ORDERED and not index.implicit and index.name != "_".join(index.fields)
            if given and index.fields and not any(f.startswith("(") for f in index.fields):
                votes.update(
                    {shown: 1 + 2 * (len(index.fields) > 1) for shown in _shown(index.name, _label(schema, table.name), index.fields)}
                )
    if not votes:
        return own
    most = max(votes.values())
    return min((s for s, count in votes.items() if count == most), key=lambda s: _unlike(s, own))


def words(schema: Schema, shown: Style) -> dict[str, str]:
    """How the names of a schema's indexes write fields that none of them writes in the style of most: `by_user` of `userId`."""
    write = FORMS[shown.form]
    votes: dict[str, Counter[str]] = {}
    styled: set[str] = set()
    for table in schema.tables.values():
        before = shown.before.replace("{table}", _raw(_label(schema, table.name)))
        for index in table.indexes:
            if index.kind is not IndexKind.ORDERED or index.implicit:
                continue
            styled.update(f for f in index.fields if write(f).lower() in index.name.lower())
            written, field = index.name.removeprefix(before).removesuffix(shown.after), index.fields[0]
            like = (written == written.lower()) if shown.form.endswith("snake") else "_" not in written
            alone = len(index.fields) == 1 and "." not in field and before != "" and index.name.startswith(before)
            if alone and like and set() < _parts(written) <= _parts(field):
                votes.setdefault(field, Counter())[written] += 1
    return {field: counted.most_common(1)[0][0] for field, counted in votes.items() if field not in styled}


def _parts(name: str) -> set[str]:
    return {word.lower() for word in WORDS.findall(name)}


def _shown(name: str, table: str, fields: Sequence[str]) -> Iterable[Style]:
    """The styles that would give an index this name."""
    for form, write in FORMS.items():
        for joint in JOINTS:
            core = joint.join(write(f) for f in fields)
            before, found, after = name.partition(core)
            before = before.replace(_raw(table), "{table}")
            if found and BEFORE.match(before) and AFTER.match(after):
                yield Style(before, form, joint, after)


def _label(schema: Schema, table: str) -> str:
    """How names of indexes write a table: models by their class in small letters."""
    name = table.rpartition(".")[2].rpartition(":")[2]
    if schema.stack == "django":
        return name.lower()
    return _snake(name) if schema.stack == "sqlalchemy" and name != name.lower() else table


def _unlike(one: Style, own: Style) -> tuple[bool, int, int, int]:
    """How far a style is from the stack's own; capitals join by `And`, small letters by what the stack has."""
    capital = one.form.endswith("camel") and not one.before.endswith("_")
    joints = ("And", "", "_and_", "_") if capital else (own.joint, "_and_", "_", "And", "")
    return one.before != own.before, list(FORMS).index(one.form), joints.index(one.joint), len(one.before) + len(one.after)


def index_name(program: Program, schema: Schema, table: str, fields: Sequence[str], taken: Iterable[str] = ()) -> str:
    """A name for an index on these fields as the stack of the table has them, that is not taken and not too long for the platform."""
    schema = declaring(program, schema, table)
    longest = LONGEST.get(schema.stack, LONGEST_OF_SQL)
    shown, others = program.once(("index style", schema.root, schema.stack), lambda: style(schema)), set(taken)
    known = program.once(("words of fields", schema.root), lambda: words(schema, shown)) if schema.stack == "convex" else {}
    name = shown.name(_label(schema, table), fields, known)
    if name in others:
        name = shown.name(_label(schema, table), fields)
    if name in others and shown.form.startswith("short"):  # what the short form leaves out tells the two apart
        name = replace(shown, form=shown.form.removeprefix("short").strip() or "raw").name(_label(schema, table), fields)
    if schema.stack == "convex" and (name in BUILT_IN.values() or name.startswith("_")):
        name = f"{name.lstrip('_')}_field"
    if len(name) > longest:
        from hashlib import sha256  # for names that are too long only

        digest = sha256(name.encode()).hexdigest()[:6]
        name = f"{name[: longest - 7].rstrip('_')}_{digest}"
    number = 2
    free = name
    while free in others:
        free = f"{name[: longest - 3]}_{number}"
        number += 1
    return free
