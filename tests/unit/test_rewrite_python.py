"""Python files are edited where the edit is, and nowhere else: line ends, marks and odd layouts stay."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

from querylint.mend import Choice, mend
from querylint.rewrite import Sources
from querylint.rewrite.python import spans
from querylint.rewrite.python.concrete import UNPARSED, Tree, walk
from querylint.rewrite.python.imports import Names, bring, merged, released
from querylint.rewrite.python.source import python_source
from querylint.rewrite.python.wrapping import fitted

MODELS = (
    "from django.db import models\n\nclass Author(models.Model):\n    name = models.CharField(max_length=80)\n\n"
    "class Post(models.Model):\n    author = models.ForeignKey(Author, on_delete=models.CASCADE)\n"
)
MODEL = (
    "from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column\n\n\nclass Base(DeclarativeBase):\n    pass\n\n\n"
    'class Order(Base):\n    __tablename__ = "orders"\n    id: Mapped[int] = mapped_column(primary_key=True)\n    number: Mapped[int]\n\n\n'
)
LOOP = (
    "def found(session: Session, numbers: list[int]) -> list[Order]:\n    hits = []\n    for number in numbers:\n"
    "        hits.append(session.query(Order).filter(Order.number == number).one())\n    return hits\n"
)
VIEW = "from blog.models import Post\n\ndef names():\n\treturn [\n\t\tpost.author.name for post in Post.objects.all()  # é\n\t]"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_bytes_around_an_edit_stay(tmp_path: Path, mark: bytes, line_end: str) -> None:
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog/models.py").write_text(MODELS)
    data = mark + VIEW.replace("\n", line_end).encode()
    (tmp_path / "blog/views.py").write_bytes(data)
    mended = mend([tmp_path], None, {}, Choice(unsafe=True))
    assert mended.after == {"blog/views.py": data.replace(b".all()", b'.all().select_related("author")')}


def test_a_file_in_another_encoding_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog/models.py").write_text(MODELS)
    (tmp_path / "blog/views.py").write_bytes(b"# coding: latin-1\n" + VIEW.encode("latin-1"))
    (left,) = mend([tmp_path], None, {}, Choice(unsafe=True)).left
    assert left.reason == "the file of the query does not parse, is not in UTF-8, or is nested too deeply"


def test_a_file_that_declares_its_encoding_too_late_for_its_first_line_is_left_alone(tmp_path: Path) -> None:
    """Python's own parser reads it; what looks for the declaration, for libcst, does not."""
    (tmp_path / "m.py").write_bytes(b"# \xe9\n# coding: latin-1\n" + f"import sqlalchemy as sa\n{MODEL}{LOOP}".encode())
    mended = mend([tmp_path], None, {}, Choice(unsafe=True))
    assert [left.reason.partition(";")[0] for left in mended.left] == [UNPARSED]
    assert not mended.result.broken


@pytest.mark.parametrize("first", [b"# coding: nonsense\n", b"# \xe9\n# coding: latin-1\n", b"\xef\xbb\xbf# coding: latin-1\n"])
def test_a_tree_whose_encoding_is_not_known_is_refused(first: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Tree("m.py", first + b"x = 1\n")


def test_a_chain_is_broken_behind_its_bracket_wherever_that_stands() -> None:
    given = f"owner={'o' * 50}, title={'t' * 50}"
    tree = Tree("m.py", f"rows = Post.objects.filter ({given})\n".encode())
    end = len(tree.data) - 1
    (edit,) = fitted(tree, (tree.edit(end, end, ".prefetch()"),))
    assert edit.text == f"Post.objects.filter (\n    {given}\n).prefetch()"


def test_code_that_is_nested_too_deeply_is_refused_in_words(tmp_path: Path) -> None:
    deep = f"def f(a: list[int{' + 1' * 500}]): pass\n"
    (tmp_path / "m.py").write_text(f"import sqlalchemy as sa\n{MODEL}{deep}{LOOP}")
    mended = mend([tmp_path], None, {}, Choice(unsafe=True))
    assert [left.reason.partition(";")[0] for left in mended.left] == [UNPARSED]
    assert not mended.result.broken


@pytest.mark.parametrize("deep", ["x = 1{}\n", "def f(a: list[int{}]): pass\n"])
def test_a_tree_that_is_too_deep_has_no_places(deep: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        Tree("m.py", deep.format(" + 1" * 2_000).encode())


def test_first_lines_in_no_encoding_that_they_name_are_refused() -> None:
    """Python itself lets bytes pass that are no text where they stand in a comment."""
    with pytest.raises(ValueError, match="encoding declaration"):
        Tree("m.py", b"# caf\xe9\nx = 1\n")


def test_the_plain_parser_refuses_code_that_is_nested_too_deeply() -> None:
    data = b"x = " + b"-" * 50_000 + b"1\n"
    assert python_source(Sources(lambda _: data), "m.py") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from a.b import C\n", "from a.b import C, d\n"),
        ("from a.b import (\n    C,\n    e,\n)\n", "from a.b import (\n    C,\n    d,\n    e,\n)\n"),
        ("from a.b import (\n    C,)\n", "from a.b import (\n    C,\n    d,)\n"),
        ("import os\n\nfrom a.c import E\n", "import os\n\nfrom a.b import d\nfrom a.c import E\n"),
        ('"""Text."""\nx = 1\n', '"""Text."""\nfrom a.b import d\nx = 1\n'),
        ("import os\n\nfrom z import y\n", "import os\n\nfrom a.b import d\nfrom z import y\n"),
        ("import os\n\nfrom . import y\n", "import os\n\nfrom a.b import d\n\nfrom . import y\n"),
        ("import os\n\n# ours\nfrom .m import y\n", "import os\n\nfrom a.b import d\n\n# ours\nfrom .m import y\n"),
        ("import os\nimport sys\n", "import os\nimport sys\n\nfrom a.b import d\n"),
        ("import requests\n\nfrom .m import y\n", "import requests\nfrom a.b import d\n\nfrom .m import y\n"),
        ("from a import b\n", "from a import b\n"),
        ("from a.b import d as e\n", "from a.b import d as e\n"),
    ],
)
def test_a_name_is_imported_where_its_kin_are(before: str, after: str) -> None:
    tree = Tree("x.py", before.encode())
    brought = bring(tree, "a.b", "d")
    assert brought is not None
    text = before
    for edit in brought.edits:
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == after
    cst.parse_module(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\n", "import os\n\nfrom a.b import d, e\nfrom a.c import f\n"),
        ("from a.b import c\n", "from a.b import c, d, e\nfrom a.c import f\n"),
        ("from a.b import g\n", "from a.b import d, e, g\nfrom a.c import f\n"),
    ],
)
def test_several_names_are_brought_together(before: str, after: str) -> None:
    names = Names(Tree("x.py", before.encode()))
    for module, wanted in (("a.c", "f"), ("a.b", "e"), ("a.b", "d")):
        assert names.of(module, wanted) == wanted
    text = before
    for edit in sorted(merged(names.edits), key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from a import b\nb()\n", "b()\n"),
        ("from a import b, c\nb(c)\n", "from a import c\nb(c)\n"),
        ("from a import c, b\nb(c)\n", "from a import c\nb(c)\n"),
        ("from a import (\n    b,\n    c,\n)\nb(c)\n", "from a import (\n    c,\n)\nb(c)\n"),
        ("from a import b\nb()\nb()\n", "from a import b\nb()\nb()\n"),
        ('from a import b\n__all__ = ["b"]\nb()\n', 'from a import b\n__all__ = ["b"]\nb()\n'),
    ],
)
def test_an_import_goes_with_the_last_use_of_its_name(before: str, after: str) -> None:
    tree = Tree("x.py", before.encode())
    call = next(n for n in walk(tree.module) if isinstance(n, cst.Call))
    text = before
    for edit in released(tree, [call.func], [], Names(tree)):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == after


def test_a_name_that_means_something_else_is_not_taken() -> None:
    assert bring(Tree("x.py", b"d = 1\n"), "a.b", "d") is None


ODD = (
    b"# \xc3\xa9\n@a\n\nclass A ( B ) :\n  # c\n  x : int=1 ;y=(  2 )\n\n\n"
    b'async def f ( a,*,b = "\xf0\x9f\x99\x82" ) :\n\treturn [  i for i in (a) if\\\n i ]'
)
OURS = [path.read_bytes() for path in sorted(Path(spans.__file__).parent.glob("*.py"))]


@pytest.mark.parametrize("source", [b"", b"\n", b"x = 1", ODD, ODD.replace(b"\n", b"\r\n"), *OURS])
def test_places_are_those_of_libcst(source: bytes) -> None:
    module = cst.parse_module(source)
    oracle = MetadataWrapper(module, unsafe_skip_copy=True).resolve(ByteSpanPositionProvider)
    assert spans.spans_of(module) == {id(node): (span.start, span.start + span.length) for node, span in oracle.items()}
