"""Sound code that the grammar cannot read, written as it can, byte for byte as long; it is only tried on files that do not parse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from querylint.pattern import Pattern
from querylint.syntax.typescript.grammar import TYPESCRIPT

# The types of a module by its path; `import("x").then` is a value.
_IMPORTED = Pattern(
    rb"""(\btypeof\s+)?\bimport\(\s*(?:"[^"\n]*"|'[^'\n]*')\s*,?\s*\)(?(1)|(?=\s*\.\s*(?!(?:then|catch|finally)\b)[\w$]))"""
)
# A variable in a comparison that has the name of a word which begins a type: `i < unique.length`.
_COMPARED = Pattern(rb"(<\s*)(?:unique|abstract|infer|keyof)\b(?!\s+[\w$({\[])")
# Texts of elements, and of their attributes, with an ampersand that begins no character reference: the grammar takes it for one. Nor does
# it know those whose name holds a digit (`&sup2;`). Text that a closing tag ends is sure; what another tag or an expression ends may be an
# intersection of types.
_AMPERSAND = Pattern(rb"&(?!#\w+;|[A-Za-z]+;)")
_ATTRIBUTE = Pattern(rb"""[\w-]=(?:"[^"&<>]*+&[^"<>]*+"|'[^'&<>]*+&[^'<>]*+')""")
_CLOSED = Pattern(rb"(?:(?<!=)>|\})[^<>{}&]*+&[^<>{}]*+(?=</)")
_OPENED = Pattern(rb"(?:(?<!=)>|\})[^<>{}&]*+&(?!&)[^<>{}]*+(?=[<{])")


def repaired(path: str, source: bytes) -> Iterator[Callable[[bytes], bytes]]:
    """The ways to write a file that are worth a try, by what stands in it; each gives as many bytes as it is given."""
    if b"\0" in source:
        yield lambda text: text.replace(b"\0", b" ")  # the grammar takes it for the end
    if b"import(" in source:
        yield partial(_IMPORTED.sub, _named)
    if b"<" in source:
        yield partial(_COMPARED.sub, _named)
    if b"&" in source and not path.endswith(TYPESCRIPT):
        for texts in (_ATTRIBUTE, _CLOSED, _OPENED):
            yield partial(texts.sub, _blanked)


def _named(found: re.Match[bytes]) -> bytes:
    """A name in the place of what stands behind what is kept."""
    kept = found[1] or b""
    return kept + b"_" * (len(found[0]) - len(kept))


def _blanked(found: re.Match[bytes]) -> bytes:
    return _AMPERSAND.sub(b" ", found[0])
