"""Jinja's expressions, by the precedence of its own parser."""

from __future__ import annotations

import ast
from collections.abc import Callable

from querylint.syntax import tree
from querylint.syntax.templates.bodies import Token, Word
from querylint.syntax.templates.jinja_scan import NAME, NUMBER, SIGN, STRING
from querylint.syntax.templates.jinja_words import UnreadableError, Words
from querylint.syntax.templates.page import BLOCK, FILTER, SUPER, TEST, nothing

CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "none": None, "True": True, "False": False, "None": None}
COMPARING = frozenset(("==", "!=", "<", ">", "<=", ">=", "in"))
POWERS = {"+": 1, "-": 1, "~": 2, "*": 3, "/": 3, "//": 3, "%": 3, "**": 4}
NO_ARGUMENT = frozenset(("else", "or", "and", "is", "if", "in", "not", "recursive"))
DEEPEST = 40
LONGEST = 60


class Reader(Words):
    """Reads the words of one tag or variable, from the first on."""

    def __init__(self, source: bytes, token: Token) -> None:
        super().__init__(source, token)
        self.depth = 0

    def whole(self) -> tree.Expr:
        """An expression or a tuple that uses up all words."""
        value = self.several()
        if not self.done:
            raise UnreadableError
        return value

    def several(self, *, choice: bool = True) -> tree.Expr:
        """One expression, or several with commas between."""
        at = self.at
        read = self.expression if choice else self.disjunction
        first = read()
        if not self.is_sign(","):
            return first
        items = [first]
        while self.sign(","):
            if self.done or self.is_sign(")") or self.is_name("recursive", "if"):
                break
            items.append(read())
        return tree.Array(items, at, self.last)

    def expression(self) -> tree.Expr:
        """`a if b else c` and all below it."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableError
        at = self.at
        value = self.disjunction()
        rounds = 0
        while self.keyword("if"):
            test = self.disjunction()
            other: tree.Expr = tree.Literal(tree.UNDEFINED, self.last, self.last)
            if self.keyword("else"):
                other = self.expression()
            value = tree.Ternary(test, value, other, at, self.last)
            rounds += 1
            if rounds > LONGEST:
                raise UnreadableError
        self.depth -= 1
        return value

    def disjunction(self) -> tree.Expr:
        """`or` and all below it."""
        return self._joined("or", "||", lambda: self._joined("and", "&&", self._negation))

    def _joined(self, name: str, sign: str, part: Callable[[], tree.Expr]) -> tree.Expr:
        at = self.at
        value = part()
        parts = [value]
        while self.keyword(name):
            right = part()
            parts.append(right)
            value = tree.Logic(sign, value, right, at, self.last)
        return value if len(parts) <= LONGEST else tree.Opaque(parts, at, self.last)

    def _negation(self) -> tree.Expr:
        starts: list[int] = []
        while self.is_name("not"):
            starts.append(self.next().at)
            if len(starts) > LONGEST:
                raise UnreadableError
        value = self._comparison()
        for at in reversed(starts):
            value = tree.Op("!", [value], at, self.last)
        return value

    def _comparison(self) -> tree.Expr:
        at = self.at
        left = self._arithmetic(1)
        tests: list[tree.Expr] = []
        while True:
            start = self.here
            negated = self.is_name("not") and self.here + 1 < len(self.words) and self.words[self.here + 1].text == "in"
            self.here += negated
            sign = self.word.text
            if sign not in COMPARING or (sign == "in") != (self.word.kind == NAME):
                self.here = start
                break
            self.here += 1
            right = self._arithmetic(1)
            test: tree.Expr = tree.Op(sign, [left, right], at if not tests else left.at, self.last)
            tests.append(tree.Op("!", [test], test.at, test.end) if negated else test)
            left = right
        if not tests:
            return left
        value = tests[0]
        for test in tests[1:LONGEST]:
            value = tree.Logic("&&", value, test, at, test.end)
        return value

    def _arithmetic(self, power: int) -> tree.Expr:
        at = self.at
        value = self.unary()
        rounds = 0
        while (sign := self.word.text) in POWERS and self.word.kind == SIGN and POWERS[sign] >= power:
            self.here += 1
            right = self._arithmetic(POWERS[sign] + 1)
            rounds += 1
            if isinstance(value, tree.Op) and value.sign == sign and (sign == "~" or rounds > LONGEST):
                value.operands.append(right)
                value.end = self.last
            else:
                value = tree.Op(sign, [value, right], at, self.last)
        return value

    def unary(self, *, filters: bool = True) -> tree.Expr:
        """A signed or plain operand with what hangs on it."""
        starts: list[Word] = []
        while self.is_sign("-") or self.is_sign("+"):
            starts.append(self.next())
            if len(starts) > LONGEST:
                raise UnreadableError
        at = self.at
        value = self._hung(self._primary(), at)
        if starts:
            for sign in reversed(starts):
                value = tree.Op(sign.text, [value], sign.at, self.last)
            at = starts[0].at
        return self._filtered(value, at) if filters else value

    def _primary(self) -> tree.Expr:
        word = self.next()
        if word.kind == NAME:
            if word.text in CONSTANTS:
                return tree.Literal(CONSTANTS[word.text], word.at, word.end)
            return tree.Name(self.spelled(word), word.at, word.end)
        if word.kind == STRING:
            text = [_string(self.spelled(word))]
            while self.word.kind == STRING:
                text.append(_string(self.spelled(self.next())))
            return tree.Literal("".join(text), word.at, self.last)
        if word.kind == NUMBER:
            return tree.Literal(_number(word.text), word.at, word.end)
        if word.text == "(":
            if self.sign(")"):
                return tree.Array([], word.at, self.last)
            value = self.several()
            self.expect(")")
            return value
        if word.text == "[":
            return tree.Array(self._items("]"), word.at, self.last)
        if word.text == "{":
            return self._record(word.at)
        raise UnreadableError

    def _items(self, close: str) -> list[tree.Expr]:
        items: list[tree.Expr] = []
        while not self.sign(close):
            if items:
                self.expect(",")
                if self.sign(close):
                    break
            items.append(self.expression())
        return items

    def _record(self, at: int) -> tree.Expr:
        entries: list[tuple[str | tree.Expr | None, tree.Expr]] = []
        while not self.sign("}"):
            if entries:
                self.expect(",")
                if self.sign("}"):
                    break
            key = self.expression()
            self.expect(":")
            value = self.expression()
            entries.append((key.value if isinstance(key, tree.Literal) and isinstance(key.value, str) else key, value))
        return tree.Record(entries, at, self.last)

    def _hung(self, value: tree.Expr, at: int) -> tree.Expr:
        """Members, items and calls."""
        rounds = 0
        while not self.done:
            rounds += 1
            if rounds > LONGEST:
                raise UnreadableError
            if self.sign("."):
                word = self.next()
                if word.kind == NAME:
                    value = tree.Member(value, self.spelled(word), at, word.end, word.at)
                elif word.kind == NUMBER:
                    for part in word.text.split("."):  # `xs.0.1` holds what looks like a fraction
                        value = tree.Index(value, tree.Literal(_number(part), word.at, word.end), at, word.end)
                else:
                    raise UnreadableError
            elif self.sign("["):
                value = self._subscript(value, at)
            elif self.is_sign("("):
                value = self._called(value, at)
            else:
                break
        return value

    def _subscript(self, value: tree.Expr, at: int) -> tree.Expr:
        opened = self.last
        bounds: list[tree.Expr | None] = [None]
        keys: list[tree.Expr] = []
        while not self.sign("]"):
            if self.sign(":"):
                bounds.append(None)
            elif self.sign(","):
                keys.append(bounds[-1] or nothing(self.at))
                bounds[-1] = None
            else:
                bounds[-1] = self.expression()
        if len(bounds) > 1:
            start, stop, *step = bounds
            return tree.Index(value, tree.Slice(start, stop, step[0] if step else None, opened, self.last), at, self.last)
        key = bounds[0]
        if keys or key is None:
            parts = [*keys, *([key] if key is not None else [])]
            return tree.Index(value, tree.Array(parts, at, self.last), at, self.last)
        if isinstance(key, tree.Literal) and isinstance(key.value, str):
            return tree.Member(value, key.value, at, self.last, key.at)
        return tree.Index(value, key, at, self.last)

    def _called(self, func: tree.Expr, at: int) -> tree.Expr:
        args, keywords = self.arguments()
        if isinstance(func, tree.Name) and func.id == "super":
            func = tree.Name(SUPER, func.at, func.end)
        elif isinstance(func, tree.Member) and isinstance(func.base, tree.Name) and func.base.id == "self":
            args = [tree.Literal(func.name, func.name_at, func.end)]
            func = tree.Name(BLOCK, func.at, func.end)
        return tree.Call(func, args, at, self.last, keywords=keywords)

    def arguments(self) -> tuple[list[tree.Expr], list[tuple[str, tree.Expr]]]:
        """What stands between the brackets of a call."""
        self.expect("(")
        args: list[tree.Expr] = []
        keywords: list[tuple[str, tree.Expr]] = []
        first = True
        while not self.sign(")"):
            if not first:
                self.expect(",")
                if self.sign(")"):
                    break
            first = False
            at = self.at
            if self.sign("*"):
                args.append(tree.Spread(self.expression(), at, self.last))
            elif self.sign("**"):
                keywords.append(("**", self.expression()))
            elif self.word.kind == NAME and self.here + 1 < len(self.words) and self.words[self.here + 1].text == "=":
                key = self.spelled(self.next())
                self.here += 1
                keywords.append((key, self.expression()))
            else:
                args.append(self.expression())
        return args, keywords

    def _filtered(self, value: tree.Expr, at: int) -> tree.Expr:
        """Filters, tests, and calls of what they give."""
        rounds = 0
        while not self.done:
            rounds += 1
            if rounds > LONGEST:
                raise UnreadableError
            if self.sign("|"):
                value = self._worded(FILTER, [value], at)
            elif self.is_name("is"):
                value = self._test(value, at)
            elif self.is_sign("("):
                value = self._called(value, at)
            else:
                break
        return value

    def _worded(self, sign: str, args: list[tree.Expr], at: int) -> tree.Call:
        name, start, end = self._dotted()
        given, keywords = self.arguments() if self.is_sign("(") else ([], [])
        return tree.Call(tree.Name(sign + name, start, end), [*args, *given], at, self.last, keywords=keywords)

    def filters(self, at: int) -> tree.Expr:
        """A chain of filters on text that stands elsewhere: what `{% filter … %}` names."""
        value = self._worded(FILTER, [nothing(at)], at)
        return self._filtered(value, at)

    def _dotted(self) -> tuple[str, int, int]:
        name, start, end = self.name()
        while self.sign("."):
            more, _, end = self.name()
            name = f"{name}.{more}"
        return name, start, end

    def _test(self, value: tree.Expr, at: int) -> tree.Expr:
        self.next()
        negated = self.keyword("not")
        name, start, end = self._dotted()
        args: list[tree.Expr] = []
        keywords: list[tuple[str, tree.Expr]] = []
        word = self.word
        if self.is_sign("("):
            args, keywords = self.arguments()
        elif word.kind in (STRING, NUMBER) or word.text in ("[", "{") or (word.kind == NAME and word.text not in NO_ARGUMENT):
            begin = self.at
            args = [self._hung(self._primary(), begin)]
        call: tree.Expr = tree.Call(tree.Name(TEST + name, start, end), [value, *args], at, self.last, keywords=keywords)
        return tree.Op("!", [call], at, self.last) if negated else call

    # Targets of assignments.

    def target(self) -> tree.Pattern:
        """`a`, `a, b`, `(a, b)` or `ns.a`."""
        at = self.at
        first = self._one_target()
        if not self.is_sign(","):
            return first
        items = [first]
        while self.sign(","):
            if self.word.kind != NAME and not self.is_sign("("):
                break
            if self.is_name("in"):
                break
            items.append(self._one_target())
        return tree.ArrayPattern([(i, None) for i in items], None, at, self.last)

    def _one_target(self) -> tree.Pattern:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableError
        if self.sign("("):
            inner = self.target()
            self.expect(")")
            self.depth -= 1
            return inner
        name, at, end = self.name()
        pattern: tree.Pattern = tree.NamePattern(name, at, end)
        while self.sign("."):
            base: tree.Expr = tree.Name(name, at, end) if isinstance(pattern, tree.NamePattern) else pattern  # type: ignore[assignment]
            part, part_at, part_end = self.name()
            pattern = tree.Member(base, part, at, part_end, part_at)
        self.depth -= 1
        return pattern


def _string(text: str) -> str:
    if "\\" not in text:
        return text[1:-1]
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text[1:-1]


def _number(text: str) -> int | float:
    plain = text.replace("_", "").lower()
    try:
        return int(plain, 0) if plain.startswith(("0x", "0b", "0o")) else int(plain)
    except ValueError:
        pass
    try:
        return float(plain)
    except ValueError:
        return 0
