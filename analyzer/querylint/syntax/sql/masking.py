"""SQL text with its placeholders and holes replaced by names that any dialect can parse."""

from __future__ import annotations

import re

from querylint.construction import dataclass
from querylint.syntax.tree import HOLE

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[A-Za-z_\x1a][\w\x1a\ ]*\]|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<cast>::)
    | (?P<named>%\((?P<pyname>[^()\n]*)\)[a-z]|(?<![\w:\]]):(?P<name>[A-Za-z_]\w*)|\$(?P<dollar>[A-Za-z_]\w*)\b(?!\$))
    | (?P<numbered>\$(?P<number>\d+)|(?<![\w:\]]):(?P<colon>\d+)|\?(?P<sqlite>\d+))
    | (?P<positional>%[sbt](?!\w)|\?)
    | (?P<percent>%%)
    | (?P<hole>\x1a)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<digits>\d[\w.]*)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_TERM_WORDS = frozenset(
    "from join into update table select distinct by and or not where on set limit offset in values like ilike glob match between is having "
    "returning as then else when case using exists only ignore any all with column index interval fetch".split()
)
_TERM_SIGNS = frozenset(",(=<>+-/|.[!^&~:")
_MARK = re.compile(r"ql([ph])_(\d+)_")
_OPERAND_NEXT = re.compile(r"\s+(?:\?|%s|%\(|:\w|\$\d|'|\d|\()")


@dataclass(frozen=True, slots=True)
class Masked:
    """A text that parses, and what its marks stand for: the keys of placeholders in order, and the number of holes.

    `dropped` says that a hole stood where a whole clause may follow, so that the text says only part of it.
    """

    text: str
    keys: tuple[int | str, ...]
    holes: int
    dropped: bool


def mask(text: str) -> Masked:
    """Replace placeholders and holes by names; a hole in the place of a clause vanishes, one in the place of an operator becomes LIKE."""
    out: list[str] = []
    keys: list[int | str] = []
    holes = positional = 0
    dropped = False
    previous = ""
    percents = "%s" in text or "%(" in text or "$1" in text
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        token = found.group()
        if kind in ("comment", "space"):
            out.append(" ")
            continue
        if kind == "named":
            keys.append(found["pyname"] or found["name"] or found["dollar"] or "")
            token = f"qlp_{len(keys) - 1}_"
        elif kind == "numbered":
            keys.append(int(found["number"] or found["colon"] or found["sqlite"]) - 1)
            token = f"qlp_{len(keys) - 1}_"
        elif kind == "positional" and (token != "?" or not percents):
            keys.append(positional)
            positional += 1
            token = f"qlp_{len(keys) - 1}_"
        elif kind == "percent":
            token = "%"
        elif kind == "quoted":
            for _ in range(token.count(HOLE)):
                token = token.replace(HOLE, f"qlh_{holes}_", 1)
                holes += 1
            token = token.replace("%%", "%")
        elif kind == "hole":
            token = _hole(text, found.start(), previous, f"qlh_{holes}_")
            holes += 1
            if not token:
                dropped = True
                continue
        out.append(token)
        previous = token.lower()
    return Masked("".join(out).strip(), tuple(keys), holes, dropped)


def _hole(text: str, at: int, previous: str, name: str) -> str:
    """What a hole becomes at its place."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    glued = bool(before) and (before.isalnum() or before in '_."`' or before == HOLE) and not previous[:1].isdigit()
    if previous and (glued or after.isalnum() or after in ("_", ".")):
        return name
    if previous and (previous in _TERM_WORDS or previous[-1] in _TERM_SIGNS):
        return name
    if previous and _OPERAND_NEXT.match(text, at + 1) and (previous[-1].isalnum() or previous[-1] in '_)"`'):
        return "LIKE"
    return ""


def placeholder(name: str) -> int | None:
    """The number of the placeholder that a name stands for, if it stands for one."""
    found = _MARK.fullmatch(name)
    return int(found[2]) if found is not None and found[1] == "p" else None


def hole(name: str) -> int | None:
    """The number of the first hole in a name, if one is pasted into it."""
    found = _MARK.search(name)
    return int(found[2]) if found is not None and found[1] == "h" else None


def marked(name: str) -> bool:
    """Whether a name is not written down in the text."""
    return _MARK.search(name) is not None


def whole(name: str) -> bool:
    """Whether a mark is all of a name."""
    return _MARK.fullmatch(name) is not None
