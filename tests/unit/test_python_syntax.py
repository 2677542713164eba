"""Python in the plain tree: places in bytes, names that a function binds, files that do not parse."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from querylint.syntax import tree
from querylint.syntax.python import UnreadableError, lower_module

ROOT = Path(__file__).parent.parent.parent


def lowered(text: str) -> tree.Module:
    return lower_module("a.py", text.encode())


def function(text: str) -> tree.Fn:
    (statement,) = lowered(text).body
    assert isinstance(statement, tree.FnDef)
    return statement.fn


def declared(fn: tree.Fn) -> list[str]:
    return [s.pattern.id for s in fn.body if isinstance(s, tree.Let) and isinstance(s.pattern, tree.NamePattern)]


def test_places_are_bytes_of_the_file() -> None:
    source = '\ufeffname = "é"\r\nrow.título.x\n'.encode()
    module = lower_module("a.py", source)
    (_, second) = module.body
    assert isinstance(second, tree.Do)
    member = second.value
    assert isinstance(member, tree.Member)
    assert source[member.at : member.end].decode() == "row.título.x"
    assert source[member.name_at : member.end] == b"x"


def test_a_function_declares_the_names_that_it_binds() -> None:
    text = (
        "def f(a):\n    a = b = 1\n    for c in d:\n        e, *g = c\n    with h as i:\n        pass\n    [j for j in k]\n    import l.m\n"
    )
    assert declared(function(text)) == ["b", "c", "e", "g", "i", "l"]


def test_names_of_others_are_not_declared() -> None:
    assert declared(function("def f():\n    global a\n    a = 1\n    def g():\n        b = 2\n    class C:\n        c = 3\n")) == []


def test_a_generator_is_known_by_its_own_yields() -> None:
    assert function("def f():\n    yield 1\n").generator
    assert not function("def f():\n    def g():\n        yield 1\n    return g\n").generator


def test_a_comparison_in_a_row_is_read_pair_by_pair() -> None:
    (statement,) = lowered("a < b <= c").body
    assert isinstance(statement, tree.Do)
    logic = statement.value
    assert isinstance(logic, tree.Logic)
    assert [side.sign for side in (logic.left, logic.right) if isinstance(side, tree.Op)] == ["<", "<="]


def test_a_class_has_fields_methods_and_inner_classes() -> None:
    text = (
        "class A(B, m.C):\n    x: int = 1\n    if z:\n        y = 2\n    class Meta:\n        q = 3\n    @property\n    def p(self): ...\n"
    )
    (made,) = lowered(text).body
    assert isinstance(made, tree.ClassDef)
    assert [name for name, _, _ in made.fields] == ["x", "y"]
    assert [c.name for c in made.inner] == ["Meta"]
    assert [(f.name, f.kind) for f in made.methods] == [("p", "get")]
    assert len(made.more) == 1


def test_what_a_try_around_imports_brings_is_imported() -> None:
    module = lowered("try:\n    from a import b\nexcept ImportError:\n    from c import b\n")
    assert [(i.local, i.source) for i in module.imports] == [("b", "a"), ("b", "c")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("print 'x'\n", "Python 2"),
        ("try:\n    pass\nexcept ValueError, e:\n    pass\n", "Python 2"),
        ("def f(:\n", "syntax error"),
        ("x = '\0'\n", "syntax error"),
        ("x = " + "(" * 300 + ")" * 300, "syntax error"),
    ],
)
def test_a_file_that_does_not_parse_is_said(text: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        lowered(text)


@pytest.mark.parametrize("path", sorted((ROOT / "analyzer").rglob("*.py")), ids=lambda p: p.name)
def test_every_name_and_call_has_its_place(path: Path) -> None:
    source = path.read_bytes()
    module = lower_module(str(path), source)
    names = [n for n in tree.walk(module.body) if isinstance(n, tree.Name)]
    assert all(source[n.at : n.end].decode() == n.id for n in names if n.at < n.end)
    wanted = sum(isinstance(n, ast.Call) for n in ast.walk(ast.parse(source)))
    assert sum(isinstance(n, tree.Call) for n in tree.walk(module.body)) <= wanted
