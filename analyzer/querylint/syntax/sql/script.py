"""SQL scripts cut into statements: dumps of many megabytes are passed over at the speed of the regular expression engine."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLANK = re.compile(r"(?:\s++|--[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/|;|\\[^\n]*+)*+")
_STATEMENT = re.compile(
    r"""(?:
        [^;'"`$\-/]++
      | '(?:[^']++|'')*+'
      | "[^"]*+"
      | `[^`]*+`
      | --[^\n]*+
      | /\*(?:[^*]|\*(?!/))*+\*/
      | \$(?P<tag>\w*)\$(?s:.*?)\$(?P=tag)\$
      | [^;]
    )*+""",
    re.VERBOSE,
)
_ESCAPING = re.compile(_STATEMENT.pattern.replace("'(?:[^']++|'')*+'", r"'(?:[^'\\]++|''|\\(?s:.))*+'"), re.VERBOSE)
_MYSQL = re.compile(r"ENGINE\s*=|AUTO_INCREMENT|MySQL dump|LOCK TABLES", re.IGNORECASE)
_COPY = re.compile(r"copy\b[^;]*\bfrom\s+stdin\b", re.IGNORECASE)
_DEFINING = re.compile(r"(create|alter|drop)\b", re.IGNORECASE)
_DOWN = re.compile(
    r"^[ \t]*--[ \t]*(?:\+\s*goose\s+down|\+\s*migrate\s+down|migrate\s*:\s*down|//\s*@undo|@?\s*down\s*:?|rollback\s*:?)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


def statements(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every statement; comments around them, psql's own commands and the data of COPY belong to none."""
    pattern = _ESCAPING if _MYSQL.search(text, 0, 100_000) else _STATEMENT
    at = 0
    while True:
        blank = _BLANK.match(text, at)
        at = blank.end() if blank is not None else at
        if at >= len(text):
            return
        found = pattern.match(text, at)
        end = found.end() if found is not None else len(text)
        if text[at : at + 4].lower() == "copy" and _COPY.match(text, at, end):
            data = text.find("\n\\.", end)
            at = data + 3 if data >= 0 else len(text)
            continue
        yield at, end
        at = max(end, at + 1)


def definitions(text: str) -> Iterator[tuple[int, int]]:
    """The statements that define or drop something, up to the part that undoes a migration."""
    down = _DOWN.search(text)
    end = down.start() if down is not None else len(text)
    if not _DEFINING.search(text):
        return
    for start, stop in statements(text if end == len(text) else text[:end]):
        if _DEFINING.match(text, start):
            yield start, stop
