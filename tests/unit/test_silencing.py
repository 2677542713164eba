"""Where a comment that silences a finding can stand, and in which form."""

from __future__ import annotations

import pytest

from querylint.silencing import comment_for

WORDS = "querylint: ignore[loop-read]"


def silenced(path: str, source: str, *, reasoned: bool = False) -> str | None:
    """The source with the comment above the line of `READ`; None where none is offered."""
    data = source.encode()
    at = data.index(b"READ")
    comment = comment_for(["loop-read"], path, data, at, " -- " if reasoned else "")
    return None if comment is None else (data[: comment[0]] + comment[1].encode() + data[comment[0] :]).decode()


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.ts", "f(() => {\n\tREAD;\n});\n", f"f(() => {{\n\t// {WORDS}\n\tREAD;\n}});\n"),
        ("a.ts", "READ;\r\n", f"// {WORDS}\r\nREAD;\r\n"),
        ("a.ts", "\ufeffREAD;\n", f"\ufeff// {WORDS}\nREAD;\n"),
        ("a.tsx", "const a = (\n  <p>\n    {READ}\n  </p>\n);\n", f"const a = (\n  <p>\n    {{/* {WORDS} */}}\n    {{READ}}\n  </p>\n);\n"),
        ("a.py", "for a in b:\n    READ\n", f"for a in b:\n    # {WORDS}\n    READ\n"),
        ("a.html", "<p>\n{{ READ }}\n</p>\n", f"<p>\n{{# {WORDS} #}}\n{{{{ READ }}}}\n</p>\n"),
    ],
)
def test_a_comment_goes_above_in_the_form_of_the_language(path: str, before: str, after: str) -> None:
    assert silenced(path, before) == after


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a.ts", "const sql = `\n  select ${READ}\n`;\n"),
        ("a.py", 'sql = f"""\n  select {READ}\n"""\n'),
        ("a.py", "text = \\\n    READ\n"),
    ],
)
def test_none_is_offered_within_a_text(path: str, source: str) -> None:
    assert silenced(path, source) is None


def test_the_reason_is_left_for_the_person_to_write() -> None:
    assert silenced("a.ts", "READ;\n", reasoned=True) == f"// {WORDS} -- \nREAD;\n"
