"""Expressions as text, with some of their variables replaced: those of a helper by what it is given, those of a round by what they are."""

from __future__ import annotations

import re
from collections.abc import Mapping

import libcst as cst

from querylint.rewrite.python.concrete import walk
from querylint.rewrite.python.scopes import variables

_BREAK = re.compile(r"[ \t]*\n\s*")
_ATOMS = (cst.Name, cst.Call, cst.Attribute, cst.Subscript, cst.SimpleString, cst.Integer, cst.List, cst.Dict)


def code(node: cst.CSTNode) -> str:
    """The source of a node on one line, wherever the node comes from."""
    text = cst.Module(body=[]).code_for_node(node).strip()
    return _BREAK.sub(_joint, text) if "\n" in text else text


def _joint(found: re.Match[str]) -> str:
    before, after = found.string[found.start() - 1], found.string[found.end() : found.end() + 1]
    return "" if before in "([{" or after in (".", ")", "]", "}") else " "


def one_line(node: cst.CSTNode) -> bool:
    """Whether a node can be written on one line: it has no comments, and no texts of several lines."""
    text = cst.Module(body=[]).code_for_node(node)
    return "\n" not in text or not any(mark in text for mark in ("#", '"""', "'''", "\\\n"))


def replaced(node: cst.BaseExpression, given: Mapping[str, cst.BaseExpression]) -> cst.BaseExpression:
    """An expression with other ones in the place of its variables."""
    if isinstance(node, cst.Name):
        return given.get(node.value, node)
    places = {here for here in variables(node) if here.value in given}
    if not places:
        return node
    made = node.visit(_Replacer(places, given))
    assert isinstance(made, cst.BaseExpression)
    return made


def atom(node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression that keeps together wherever it is put."""
    if isinstance(node, _ATOMS) or node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def scoped(node: cst.CSTNode) -> bool:
    """Whether an expression has variables of its own, so that a name in it may not be what it is outside."""
    kinds = cst.Lambda | cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp | cst.NamedExpr
    return any(isinstance(here, kinds) for here in walk(node))


class _Replacer(cst.CSTTransformer):
    def __init__(self, places: set[cst.Name], given: Mapping[str, cst.BaseExpression]) -> None:
        super().__init__()
        self._places = places
        self._given = given

    def leave_Name(  # noqa: N802 - the name that libcst calls
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.BaseExpression:
        """The expression that takes the place of a variable."""
        return atom(self._given[original_node.value].deep_clone()) if original_node in self._places else updated_node
