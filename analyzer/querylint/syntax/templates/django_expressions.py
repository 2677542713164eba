"""Django's expressions: a variable or constant with its filters, and what `{% if %}` tests."""

from __future__ import annotations

import re

from querylint.syntax import tree
from querylint.syntax.templates.bodies import Word
from querylint.syntax.templates.page import FILTER, SUPER, nothing

STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"|' + r"'[^'\\]*(?:\\.[^'\\]*)*'"
TRANSLATED = rf"_\(\s*(?:{STRING})\s*\)"
CONSTANT = re.compile(rf"{TRANSLATED}|{STRING}")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?![\w.])")
PATH = re.compile(r"[\w\x80-\xff]+(?:\.[\w\x80-\xff]+)*")
PIPE = re.compile(r"\s*\|\s*(\w+)")
COLON = re.compile(r"\s*:\s*")
KEYWORD = re.compile(r"(\w+)=(?!=)")
BUILTINS = {"True": True, "False": False, "None": None}
# Nothing real has so many parts, filters or words in one expression; every one is a level of the tree.
LONGEST = 60
ESCAPED = re.compile(r"\\(.)")


class Expressions:
    """Reads expressions of one file. Each reader gives the tree and the offset after it, or None where there is no expression."""

    def __init__(self, source: bytes, letters: str) -> None:
        self.source = source
        self.letters = letters

    def text(self, at: int, end: int) -> str:
        """The source between two byte offsets."""
        letters = self.letters[at:end]
        return letters if letters.isascii() else self.source[at:end].decode("utf-8", "replace")

    def read(self, at: int, end: int) -> tree.Expr | None:
        """The expression that fills the stretch; None where something else stands there."""
        while at < end and self.letters[at].isspace():
            at += 1
        while end > at and self.letters[end - 1].isspace():
            end -= 1
        found = self._filtered(at, end)
        return found[0] if found is not None and found[1] == end else None

    def word(self, piece: Word) -> tree.Expr | None:
        """The expression that a word of a tag is."""
        return self.read(piece.at, piece.end)

    def _filtered(self, at: int, end: int) -> tuple[tree.Expr, int] | None:
        found = self._operand(at, end)
        if found is None:
            return None
        value, here = found
        filters = 0
        while (match := PIPE.match(self.letters, here, end)) is not None:
            filters += 1
            if filters > LONGEST:
                return None
            args = [value]
            here = match.end()
            colon = COLON.match(self.letters, here, end)
            if colon is not None:
                given = self._operand(colon.end(), end)
                if given is None:
                    return None
                args.append(given[0])
                here = given[1]
            value = tree.Call(tree.Name(FILTER + match[1], match.start(1), match.end(1)), args, at, here)
        return value, here

    def _operand(self, at: int, end: int) -> tuple[tree.Expr, int] | None:
        match = CONSTANT.match(self.letters, at, end)
        if match is not None:
            inner = self.text(at, match.end())
            if inner.startswith("_("):
                inner = inner[2:-1].strip()
            return tree.Literal(ESCAPED.sub(r"\1", inner[1:-1]), at, match.end()), match.end()
        match = NUMBER.match(self.letters, at, end)
        if match is not None:
            return tree.Literal(_number(match[0]), at, match.end()), match.end()
        match = PATH.match(self.letters, at, end)
        if match is None or match[0].count(".") > LONGEST:
            return None
        return self._path(match), match.end()

    def _path(self, match: re.Match[str]) -> tree.Expr:
        at = match.start()
        value: tree.Expr | None = None
        here = at
        for part in match[0].split("."):
            stop = here + len(part)
            name = self.text(here, stop)
            if value is None:
                value = tree.Literal(BUILTINS[name], at, stop) if name in BUILTINS else tree.Name(name, at, stop)
            elif part.isdecimal():
                value = tree.Index(value, tree.Literal(int(part), here, stop), at, stop)
            elif name == "super" and isinstance(value, tree.Name) and value.id == "block":
                value = tree.Call(tree.Name(SUPER, at, stop), [], at, stop)
            else:
                value = tree.Member(value, name, at, stop, here)
            here = stop + 1
        assert value is not None
        return value

    def arguments(self, pieces: list[Word]) -> tuple[list[tree.Expr], list[tuple[str, tree.Expr]]]:
        """The arguments of a tag, those with a name apart; words that are no expressions fall out."""
        args: list[tree.Expr] = []
        keywords: list[tuple[str, tree.Expr]] = []
        for piece in pieces:
            named = KEYWORD.match(piece.text)
            value = self.read(piece.at + (named.end() if named is not None else 0), piece.end)
            if value is not None and named is not None:
                keywords.append((named[1], value))
            elif value is not None:
                args.append(value)
        return args, keywords


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


SIGNS = frozenset(("==", "!=", "<", ">", "<=", ">=", "in", "not in", "is", "is not"))
BINDING = {"or": 6, "and": 7, "in": 9, "not in": 9, "is": 10, "is not": 10, "==": 10, "!=": 10, "<": 10, ">": 10, "<=": 10, ">=": 10}
NOT = 8
WORDS = frozenset((*BINDING, "not"))
SPELLED = {"is": "===", "is not": "!=="}


class Test:
    """What stands behind `if`, read as Django does: by the binding power of its words, without brackets."""

    def __init__(self, expressions: Expressions, pieces: list[Word]) -> None:
        self.expressions = expressions
        self.pieces = _joined(pieces)
        self.here = 0
        self.end = pieces[-1].end if pieces else 0
        self.whole = True

    def read(self, at: int) -> tree.Expr:
        """The whole test; what is left over is walked too."""
        if not self.pieces:
            self.whole = False
            return nothing(at)
        parts: list[tree.Expr] = [] if len(self.pieces) > LONGEST else [self._expression(0)]
        while self.here < len(self.pieces):
            self.whole = False
            value = self.expressions.word(self.pieces[self.here]) if self.pieces[self.here].text not in WORDS else None
            parts.extend([value] if value is not None else [])
            self.here += 1
        return parts[0] if len(parts) == 1 else tree.Opaque(parts, at, self.end)

    def _expression(self, power: int) -> tree.Expr:
        left = self._prefix()
        while self.here < len(self.pieces):
            sign = self.pieces[self.here].text
            binding = BINDING.get(sign, 0)
            if binding <= power:
                break
            self.here += 1
            right = self._expression(binding)
            left = _operation(sign, left, right)
        return left

    def _prefix(self) -> tree.Expr:
        at = self.pieces[self.here].at if self.here < len(self.pieces) else self.end
        negations: list[int] = []
        while self.here < len(self.pieces) and self.pieces[self.here].text == "not":
            negations.append(self.pieces[self.here].at)
            self.here += 1
        if negations:
            value = self._expression(NOT)
            for start in reversed(negations):
                value = tree.Op("!", [value], start, value.end)
            return value
        if self.here >= len(self.pieces) or self.pieces[self.here].text in BINDING:
            self.whole = False
            return nothing(at)
        self.here += 1
        operand = self.expressions.word(self.pieces[self.here - 1])
        if operand is None:
            self.whole = False
            return nothing(at)
        return operand


def _joined(pieces: list[Word]) -> list[Word]:
    """`not in` and `is not` are one word each."""
    found: list[Word] = []
    for piece in pieces:
        pair = f"{found[-1].text} {piece.text}" if found else ""
        if pair in ("not in", "is not"):
            found[-1] = Word(pair, found[-1].at)
        else:
            found.append(piece)
    return found


def _operation(sign: str, left: tree.Expr, right: tree.Expr) -> tree.Expr:
    at, end = left.at, right.end
    if sign in ("and", "or"):
        return tree.Logic("&&" if sign == "and" else "||", left, right, at, end)
    if sign == "not in":
        return tree.Op("!", [tree.Op("in", [left, right], at, end)], at, end)
    return tree.Op(SPELLED.get(sign, sign), [left, right], at, end)
