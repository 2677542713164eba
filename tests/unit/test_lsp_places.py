"""Offsets as an editor counts them."""

from __future__ import annotations

import pytest
from lsprotocol import types

from querylint.lsp.places import Text
from querylint.text import LineIndex, Span

OWL = "a🦉é read".encode()


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 8), ("utf-16", 5), ("utf-32", 4)])
def test_a_character_takes_as_many_units_as_the_encoding_gives_it(encoding: str, column: int) -> None:
    assert Text("a.ts", OWL, encoding).position(OWL.index(b"read")) == types.Position(0, column)


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"one\r\ntwo\r\nread", 2), (b"one\rtwo\rread", 2), (b"one\x0ctwo\nread", 1), ("one\u2028two\nread".encode(), 1)],
)
def test_lines_end_where_the_protocol_ends_them(data: bytes, line: int) -> None:
    assert Text("a.py", data, "utf-16").position(data.index(b"read")) == types.Position(line, 0)


def test_no_editor_shows_a_byte_order_mark() -> None:
    assert Text("a.ts", b"\xef\xbb\xbfread", "utf-16").position(3) == types.Position(0, 0)


def test_a_stretch_is_found_by_its_bytes_or_by_lines_and_columns() -> None:
    data = b"first\n" + OWL + b"\nlast\n"
    at = data.index(b"read")
    whole = LineIndex("a.ts", data).span(at, at + 4)
    bare = Span("a.ts", whole.line, whole.column, whole.end_line, whole.end_column)
    text = Text("a.ts", data, "utf-16")
    assert text.range(whole) == text.range(bare) == types.Range(types.Position(1, 5), types.Position(1, 9))


def test_the_end_of_the_text_is_a_place() -> None:
    assert Text("a.ts", b"one\n", "utf-16").position(4) == types.Position(1, 0)
    assert Text("a.ts", b"", "utf-16").position(0) == types.Position(0, 0)
