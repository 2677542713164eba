"""Text that a program puts together: constants, templates, sums and formats, with a hole for each part that is known only at run time.

Only text that begins like a statement of SQL is followed; all other text keeps being what it was.
"""

from __future__ import annotations

import re
from itertools import product

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import MOST_TEXTS, NOTHING, TEXT, Many, Marker, Val, derived, literal, many
from querylint.frontends.flow.vocabulary import Consumption
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.tree import HOLE

MOST_LENGTH = 40_000
STARTS = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*"
    r"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CREATE|ALTER|DROP|TRUNCATE|MERGE|PRAGMA|EXPLAIN)\b(?!['’]|\s*[:=.,!?])",
    re.IGNORECASE | re.DOTALL,
)
_FIELD = Pattern(r"\{(?:(\w*)(?:[.\[][^{}]*)?(?:![rsa])?(?::[^{}]*)?)\}|\{\{|\}\}")
_PERCENT = Pattern(r"%(?:\((\w+)\))?[-+ #0]*\d*(?:\.\d+)?([srdif])|%%")
SAME = frozenset(("strip", "lstrip", "rstrip", "lower", "upper", "expandtabs", "dedent", "cleandoc", "casefold"))

CONSTRUCT = "text of SQLAlchemy"
"""The type of a text that SQLAlchemy has been handed: what runs it gives the rows back, and keeps none for itself."""

Variant = tuple[str, tuple[Val, ...]]
"""One text that a value may be, and what its holes hold."""


def variants(value: Val) -> list[Variant] | None:
    """The texts that a value may be; None where it is no text that is followed and no constant."""
    shape = value.shape
    if isinstance(shape, Marker) and shape.kind == TEXT:
        held = shape.inner.shape.items if shape.inner is not None and isinstance(shape.inner.shape, Many) else None
        return [(text, _holes(text, held[n] if held and n < len(held) else None)) for n, text in enumerate(shape.data)]
    if isinstance(value.literal, str):
        return [(value.literal, ())]
    return None


def _holes(text: str, held: Val | None) -> tuple[Val, ...]:
    count = text.count(HOLE)
    if held is not None and isinstance(held.shape, Many) and held.shape.items is not None and len(held.shape.items) == count:
        return held.shape.items
    return (NOTHING,) * count


def made(found: list[Variant], value: Val) -> Val | None:
    """A value that is one of these texts; None where none of them begins like a statement."""
    kept = list({text: (text, holes) for text, holes in reversed(found)}.values())[::-1][:MOST_TEXTS]
    if not any(STARTS.match(text) for text, _ in kept) or any(len(text) > MOST_LENGTH for text, _ in kept):
        return None
    inner = many(tuple(many(holes) for _, holes in kept)) if any(holes for _, holes in kept) else None
    only = kept[0][0] if len(kept) == 1 and HOLE not in kept[0][0] else None
    marker = Marker(TEXT, tuple(text for text, _ in kept), inner)
    return Val(deps=value.deps, literal=only if only is not None else value.literal, shape=marker)


def constant(node: tree.Literal) -> Val | None:
    """A text that is written down."""
    if isinstance(node.value, str) and STARTS.match(node.value):
        return made([(node.value, ())], literal(node.value))
    return None


def joined(values: list[Val]) -> Val | None:
    """Texts one after the other: a template, a sum."""
    if not any(_begins(v) for v in values[:1]) and not (values and isinstance(values[0].literal, str) and STARTS.match(_lead(values))):
        return _plain(values)
    return made(_product([_parts(v) for v in values]), derived(*values))


def _plain(values: list[Val]) -> Val | None:
    """Any other text, where all of its parts are constants."""
    texts = [v.literal for v in values]
    if len(texts) < 2 or not all(isinstance(text, str) for text in texts):
        return None
    return replace(derived(*values), literal="".join(str(text) for text in texts))


def _begins(value: Val) -> bool:
    return isinstance(value.shape, Marker) and value.shape.kind == TEXT


def _lead(values: list[Val]) -> str:
    """The constant beginning of a text, with a word for what follows."""
    return "".join(v.literal if isinstance(v.literal, str) else " x" for v in values[:2])


def _parts(value: Val) -> list[Variant]:
    found = variants(value)
    if found is None and isinstance(value.literal, int | float) and not isinstance(value.literal, bool):
        found = [(str(value.literal), ())]
    return found if found is not None else [(HOLE, (value,))]


def _product(parts: list[list[Variant]]) -> list[Variant]:
    found: list[Variant] = [("", ())]
    for part in parts:
        combined = product(found, part if len(found) * len(part) <= MOST_TEXTS else [(HOLE, (NOTHING,))])
        found = [(a + b, (*x, *y)) for (a, x), (b, y) in combined]
    return found


def formatted(template: Val, args: list[Val], named: dict[str, Val]) -> Val | None:
    """`template.format(...)`."""
    if not _begins(template):
        return None
    found: list[Variant] = []
    for text, holes in variants(template) or ():
        pieces = _fields(text, args, named)
        found += _refilled(pieces, holes)
    return made(found, derived(template, *args, *named.values()))


def _fields(text: str, args: list[Val], named: dict[str, Val]) -> list[Val]:
    pieces: list[Val] = []
    at = position = 0
    for match in _FIELD.finditer(text):
        pieces.append(literal(text[at : match.start()]))
        at = match.end()
        if match.group() in ("{{", "}}"):
            pieces.append(literal(match.group()[0]))
            continue
        name = match[1] or ""
        if name.isdigit():
            pieces.append(args[int(name)] if int(name) < len(args) else NOTHING)
        elif name:
            pieces.append(named.get(name, NOTHING))
        else:
            pieces.append(args[position] if position < len(args) else NOTHING)
            position += 1
    pieces.append(literal(text[at:]))
    return pieces


def percented(template: Val, given: Val) -> Val | None:
    """`template % given`."""
    if not _begins(template) and not isinstance(template.literal, str):
        return None
    shape = given.shape
    items = list(shape.items) if isinstance(shape, Many) and shape.items is not None and not shape.keyed else [given]
    fields = getattr(shape, "fields", {})
    found: list[Variant] = []
    for text, holes in variants(template) or ():
        pieces: list[Val] = []
        at = position = 0
        for match in _PERCENT.finditer(text):
            pieces.append(literal(text[at : match.start()]))
            at = match.end()
            if match.group() == "%%":
                pieces.append(literal("%"))
            elif match[1]:
                pieces.append(fields.get(match[1], NOTHING))
            else:
                pieces.append(items[position] if position < len(items) else NOTHING)
                position += 1
        pieces.append(literal(text[at:]))
        found += _refilled(pieces, holes)
    if not _begins(template):
        return literal(found[0][0]) if len(found) == 1 and HOLE not in found[0][0] else None
    return made(found, derived(template, given))


def _refilled(pieces: list[Val], holes: tuple[Val, ...]) -> list[Variant]:
    """The product of pieces, where the holes that the template had before keep what they held."""
    parts: list[list[Variant]] = []
    rest = list(holes)
    for piece in pieces:
        if isinstance(piece.literal, str) and HOLE in piece.literal:
            count = piece.literal.count(HOLE)
            parts.append([(piece.literal, tuple(rest[:count]))])
            rest = rest[count:]
        else:
            parts.append(_parts(piece))
    return _product(parts)


def shown(m: State, values: tuple[Val, ...], node: tree.Expr) -> None:
    """Values become text: those that are rows by what their class says of them."""
    for value in values:
        if value.doc_of is not None:
            m.vocabulary.consumed(m, value, Consumption.SHOWN, node)


def _filled(m: State, node: tree.Call, template: str) -> Val | None:
    """A constant text whose holes all take constants."""
    with m.recording():
        values = [m.evaluate(arg) for arg in node.args]
    return _plain([literal(""), *_fields(template, values, {})])


def _strung(m: State, listed: tree.Expr, between: Val) -> Val | None:
    """`" ".join(parts)`, where the parts are written down one by one."""
    if not isinstance(listed, tree.Array | tree.Name):
        return None
    with m.recording() as steps:
        shape = m.evaluate(listed).shape
    items = shape.items if isinstance(shape, Many) and not shape.keyed else None
    if not items or steps or not _begins(items[0]):
        return None
    return joined([items[0], *(part for item in items[1:] for part in (between, item))])


def method(m: State, node: tree.Call, name: str, base: Val) -> Val | None:
    """A method of a followed text that gives such a text again."""
    if not _begins(base):
        if name == "join" and isinstance(base.literal, str) and len(node.args) == 1:
            return _strung(m, node.args[0], base)
        return _filled(m, node, base.literal) if name == "format" and isinstance(base.literal, str) and not node.keywords else None
    if name in SAME:
        for arg in node.args:
            m.evaluate(arg)
        return base
    if name == "format":
        args: list[Val] = []
        for arg in node.args:
            value = m.evaluate(arg)
            items = value.shape.items if isinstance(arg, tree.Spread) and isinstance(value.shape, Many) else (value,)
            args.extend(items or ())
        return formatted(base, args, {key: m.evaluate(value) for key, value in node.keywords})
    if name == "replace":
        values = [m.evaluate(arg) for arg in node.args]
        if len(values) >= 2 and isinstance(values[0].literal, str):
            old, new = values[0].literal, values[1].literal if isinstance(values[1].literal, str) else HOLE
            found: list[Variant] = [(text.replace(old, new) if old else text, ()) for text, _ in variants(base) or ()]
            return made(found, derived(base, *values))
    return None
