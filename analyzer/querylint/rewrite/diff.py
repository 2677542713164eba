"""What changes, as a unified diff that `git apply` and `patch -p1` take."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_NO_LINE_END = "\\ No newline at end of file\n"


def unified(before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> str:
    """The difference of the files that `after` holds, in the order of their paths; None before stands for a file that is new."""
    return "".join(_file(path, before[path] or b"", after[path]) for path in sorted(after))


def _file(path: str, before: bytes, after: bytes) -> str:
    old, new = (_LINE.findall(data.decode("utf-8", "surrogateescape")) for data in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_LINE_END}" for line in lines)
