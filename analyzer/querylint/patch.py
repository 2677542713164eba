"""What to write, and where: edits of source text, and how far they may be trusted."""

from __future__ import annotations

from enum import Enum

from querylint.construction import dataclass
from querylint.text import Span

NO_FIX = "there is no automatic fix for it"


class Safety(Enum):
    """How far a fix may be trusted.

    SAFE: what the code means is proven the same (rows, their order, errors, null handling). UNSAFE: valid code that helps, though
    something that a person should look at may change. DISPLAY: shown, never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display-only"


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Text that takes the place of a stretch of a file; an empty stretch is an insertion. Line ends are written as the file has them.

    `shared` says that other fixes may ask for the very same edit, which is then made once (an index that serves several queries).
    """

    span: Span
    text: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is not there yet, such as a migration. Two fixes that write into one `sequence` come one after the other."""

    path: str
    text: str
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits over one or more files, and files that are new, that are made together or not at all.

    `title` says what they do, as an order. `caveats` say what keeps the fix from being safe.
    """

    title: str
    safety: Safety
    edits: tuple[TextEdit, ...]
    caveats: tuple[str, ...] = ()
    created: tuple[NewFile, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that it touches, in the order of the alphabet."""
        return tuple(sorted({*(edit.span.path for edit in self.edits), *(file.path for file in self.created)}))
