"""Django's templates as the plain tree: tags become statements, blocks and includes calls of words that no author can write."""

from __future__ import annotations

import re
from collections.abc import Callable

from querylint.syntax import tree
from querylint.syntax.templates.bodies import DEEPEST, NO_TAGS, Bodies, Token, Word
from querylint.syntax.templates.django_expressions import KEYWORD, PATH, Expressions, Test
from querylint.syntax.templates.django_scan import tokens
from querylint.syntax.templates.page import BLOCK, FILTER, INCLUDE, TAG, BlockDef, Dialect, Page, nothing, word

# Words between the arguments of tags that say how they belong together.
PARTICLES = frozenset("and as by count for from in of on only or to using with".split())

PERSONAL = frozenset(("user", "username", "user_id", "session", "session_key"))
NAME = re.compile(r"[A-Za-z_]\w*")
MINUTE = 60


def read_django(path: str, source: bytes) -> Page:
    """The template that a file holds. What is not understood lies in `Page.broken`; the rest is read."""
    return _Reader(path, source).page_of()


class _Reader(Bodies):
    """One template being read."""

    def __init__(self, path: str, source: bytes) -> None:
        letters = source.decode("latin-1")
        super().__init__(path, source, Dialect.DJANGO, list(tokens(letters)))
        self.expressions = Expressions(source, letters)
        self.kept = 0  # how many parts around are kept for all
        self.rows: list[set[str]] = []  # the names that the loops around give to their items

    def page_of(self) -> Page:
        self.page.body = self.body(NO_TAGS, "")
        return self.page

    def variable(self, token: Token) -> tree.Expr | None:
        return self.expressions.read(token.inner, token.close)

    def tag(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = None if self.deep else READERS.get(token.name)
        if reader is not None:
            reader(self, token, found)
        elif self.here in self.closed and not self.deep:
            self._unknown_block(token, found)
        else:
            if token.name.startswith("end") and not self.deep:
                self.broken(token)
            self._simple(token, found)
            self.here += 1

    # Tags with no meaning of their own: arguments are walked, and the body is what it is.

    def _simple(self, token: Token, found: list[tree.Stmt]) -> None:
        pieces = token.words
        target: Word | None = None
        if len(pieces) >= 2 and pieces[-2].text == "as" and PATH.fullmatch(pieces[-1].text):
            target = pieces[-1]
            pieces = pieces[:-2]
        args, keywords = self.expressions.arguments([p for p in pieces if p.text not in PARTICLES])
        call = word(TAG, token.name, args, token.at, token.end, keywords)
        if target is not None:
            found.append(self._let(target, call))
        elif args or keywords or token.name not in QUIET:
            found.append(tree.Do(call, token.at, token.end))

    def _let(self, target: Word, value: tree.Expr | None) -> tree.Let:
        name = self.text(target.at, target.end)
        return tree.Let(tree.NamePattern(name, target.at, target.end), value, target.at, value.end if value is not None else target.end)

    def _unknown_block(self, token: Token, found: list[tree.Stmt]) -> None:
        self._simple(token, found)
        body, end = self.whole(token, f"end{token.name}")
        found.append(tree.Block(body, token.at, end))

    def _cache(self, token: Token, found: list[tree.Stmt]) -> None:
        """`cache seconds name keys`: what stands inside is made once for all that ask with such keys."""
        shared = self._shared(token.words)
        self.kept += shared
        self._maybe(token, found)
        self.kept -= shared

    def _shared(self, pieces: list[Word]) -> bool:
        """Whether a part of a page is kept for a minute or longer, and neither for one person nor for one row of a loop around it."""
        if len(pieces) < 2 or not pieces[0].text.isdecimal() or int(pieces[0].text) < MINUTE:
            return False
        named = {name for piece in pieces[2:] for name in NAME.findall(piece.text)}
        return not named & {*PERSONAL, *(name for names in self.rows for name in names)}

    def _maybe(self, token: Token, found: list[tree.Stmt]) -> None:
        """A tag whose body may be left out: `ifchanged`."""
        args, _ = self.expressions.arguments(token.words)
        body, other, end = self.arms(token, f"end{token.name}", "else")
        found.append(tree.If(tree.Opaque(args, token.at, token.end), body, other, token.at, end))

    # Choices and loops.

    def _if(self, token: Token, found: list[tree.Stmt]) -> None:
        rungs: list[tree.If] = []
        opener = token
        stops = frozenset(("elif", "else"))
        while True:
            test = Test(self.expressions, token.words)
            value = test.read(token.inner)
            if not test.whole:
                self.broken(token)
            body, stop = self.inside(token, "endif", stops)
            rungs.append(tree.If(value, body, [], token.at, token.end))
            if stop is None or stop.name != "elif":
                break
            token = stop
        other: list[tree.Stmt] = []
        while stop is not None and stop.name in stops:  # a second `else` is a mistake, and read as more of the first
            more, stop = self.inside(stop, "endif", stops)
            other += more
        end = self.passed(stop, opener)
        self.ladder(rungs, other, end, found)

    def _if_equal(self, token: Token, found: list[tree.Stmt]) -> None:
        args, _ = self.expressions.arguments(token.words)
        sign = "==" if token.name == "ifequal" else "!="
        test: tree.Expr = tree.Op(sign, args, args[0].at, args[-1].end) if len(args) == 2 else tree.Opaque(args, token.at, token.end)
        body, other, end = self.arms(token, f"end{token.name}", "else")
        found.append(tree.If(test, body, other, token.at, end))

    def _for(self, token: Token, found: list[tree.Stmt]) -> None:
        pieces = token.words
        backward = bool(pieces) and pieces[-1].text == "reversed"
        if backward:
            pieces = pieces[:-1]
        over: tree.Expr | None = None
        targets: list[Word] = []
        place = next((n for n, p in enumerate(pieces) if p.text == "in"), -1)
        if 0 < place < len(pieces) - 1:
            targets = pieces[:place]
            over = self.expressions.read(pieces[place + 1].at, pieces[-1].end)
        if over is None:
            self.broken(token)
            over = nothing(token.inner)
        elif backward:
            over = tree.Call(tree.Name(FILTER + "reversed", over.at, over.at), [over], over.at, over.end)
        self.rows.append({"forloop", *(name for piece in targets for name in NAME.findall(piece.text))})
        body, other, end = self.arms(token, "endfor", "empty")
        self.rows.pop()
        here = token.inner
        counter = tree.Let(tree.NamePattern("forloop", here, here), None, here, here)
        found.append(
            tree.For(
                tree.LoopForm.OF,
                [counter, *body],
                token.at,
                end,
                token.end,
                pattern=self._targets(targets, token),
                over=over,
                kept=self.kept > 0,
            )
        )
        if other:
            found.append(tree.If(nothing(token.at), other, [], token.at, end))

    def _targets(self, pieces: list[Word], token: Token) -> tree.Pattern:
        names: list[tree.NamePattern] = []
        for piece in pieces:
            for match in PATH.finditer(piece.text):
                at, end = piece.at + match.start(), piece.at + match.end()
                names.append(tree.NamePattern(self.text(at, end), at, end))
        if not names:
            return tree.NamePattern("", token.inner, token.inner)
        if len(names) == 1:
            return names[0]
        return tree.ArrayPattern([(n, None) for n in names], None, names[0].at, names[-1].end)

    # Names.

    def _with(self, token: Token, found: list[tree.Stmt]) -> None:
        lets = self._bindings(token.words)
        body, end = self.whole(token, "endwith")
        found.append(tree.Block([*lets, *body], token.at, end))

    def _bindings(self, pieces: list[Word]) -> list[tree.Stmt]:
        """`a=b c=d`, and the older `b as a and d as c`."""
        lets: list[tree.Stmt] = []
        for number, piece in enumerate(pieces):
            named = KEYWORD.match(piece.text)
            if named is not None:
                value = self.expressions.read(piece.at + named.end(), piece.end)
                lets.append(self._let(Word(named[1], piece.at), value))
            elif piece.text == "as" and 0 < number < len(pieces) - 1:
                lets.append(self._let(pieces[number + 1], self.expressions.word(pieces[number - 1])))
        return lets

    def _regroup(self, token: Token, found: list[tree.Stmt]) -> None:
        pieces = token.words
        over = self.expressions.word(pieces[0]) if pieces else None
        if len(pieces) != 5 or pieces[1].text != "by" or pieces[3].text != "as" or over is None:
            self.broken(token)
            self._simple(token, found)
            self.here += 1
            return
        by = pieces[2]
        key = _of_item(self.expressions.word(by), by.at)
        args = [over]
        if key is not None:
            param = tree.Param(tree.NamePattern("", by.at, by.at))
            args.append(tree.Fn("", [param], [tree.Return(key, by.at, by.end, True)], by.at, by.end))
        found.append(self._let(pieces[4], word(FILTER, "regroup", args, token.at, token.end)))
        self.here += 1

    def _first_of(self, token: Token, found: list[tree.Stmt]) -> None:
        pieces = token.words
        target = pieces[-1] if len(pieces) > 2 and pieces[-2].text == "as" else None
        args, _ = self.expressions.arguments(pieces[:-2] if target is not None else pieces)
        self.here += 1
        if not args:
            return
        value = args[0]
        for arg in args[1 : DEEPEST // 2]:
            value = tree.Logic("||", value, arg, value.at, arg.end)
        printed = tree.Do(tree.Template([value], token.at, token.end), token.at, token.end)
        found.append(self._let(target, value) if target is not None else printed)

    # Translations.

    def _block_translation(self, token: Token, found: list[tree.Stmt]) -> None:
        lets = self._bindings([p for p in token.words if p.text != "count"])
        pieces = token.words
        target = next((pieces[n + 1] for n, p in enumerate(pieces[:-1]) if p.text == "asvar"), None)
        body, end = self.whole(token, f"end{token.name}")
        found.append(tree.Block([*lets, *body], token.at, end))
        if target is not None:
            found.append(self._let(target, None))

    # The build of pages.

    def _block(self, token: Token, found: list[tree.Stmt]) -> None:
        name = token.words[0] if token.words else Word("", token.inner)
        body, end = self.whole(token, "endblock")
        if name.text in self.page.blocks or not name.text:
            self.broken(token)
            found.append(tree.Block(body, token.at, end))
            return
        self.page.blocks[name.text] = BlockDef(name.text, body, token.at, end)
        found.append(tree.Do(word(BLOCK[:1], BLOCK[1:], [tree.Literal(name.text, name.at, name.end)], token.at, token.end), token.at, end))

    def _extends(self, token: Token, found: list[tree.Stmt]) -> None:
        value = self.expressions.read(token.words[0].at, token.words[-1].end) if token.words else None
        if value is None or self.page.extends is not None:
            self.broken(token)
        else:
            self.page.extends = value
        self.here += 1

    def _include(self, token: Token, found: list[tree.Stmt]) -> None:
        pieces = token.words
        name = self.expressions.word(pieces[0]) if pieces else None
        if name is None:
            self.broken(token)
            name = nothing(token.inner)
        entries: list[tuple[str | tree.Expr | None, tree.Expr]] = []
        keywords: list[tuple[str, tree.Expr]] = []
        for piece in pieces[1:]:
            named = KEYWORD.match(piece.text)
            if named is not None:
                value = self.expressions.read(piece.at + named.end(), piece.end)
                entries.append((named[1], value if value is not None else nothing(piece.at)))
            elif piece.text == "only":
                keywords.append(("only", tree.Literal(True, piece.at, piece.end)))
        given = tree.Record(entries, token.at, token.end)
        call = word(INCLUDE[:1], INCLUDE[1:], [name, given], token.at, token.end, keywords)
        found.append(tree.Do(call, token.at, token.end))
        self.here += 1

    def _load(self, token: Token, found: list[tree.Stmt]) -> None:
        names = [p.text for p in token.words]
        self.page.libraries.extend(names[names.index("from") + 1 :] if "from" in names else names)
        self.here += 1

    def _comment(self, token: Token, found: list[tree.Stmt]) -> None:
        self.here += 1
        while self.here < len(self.tokens) and self.tokens[self.here].name != "endcomment":
            self.here += 1
        if self.here == len(self.tokens):
            self.broken(token)
        self.here += 1


def _of_item(value: tree.Expr | None, at: int) -> tree.Expr | None:
    """`author.name|lower` read as a part of an item, which bears no name."""
    if isinstance(value, tree.Name):
        return tree.Member(tree.Name("", at, at), value.id, value.at, value.end, value.at)
    if isinstance(value, tree.Member):
        base = _of_item(value.base, at)
        return tree.Member(base, value.name, value.at, value.end, value.name_at) if base is not None else None
    if isinstance(value, tree.Index):
        base = _of_item(value.base, at)
        return tree.Index(base, value.key, value.at, value.end) if base is not None else None
    if isinstance(value, tree.Call) and value.args:
        base = _of_item(value.args[0], at)
        return tree.Call(value.func, [base, *value.args[1:]], value.at, value.end) if base is not None else None
    return tree.Index(tree.Name("", at, at), value, value.at, value.end) if isinstance(value, tree.Literal) else None


QUIET = frozenset(("csrf_token", "else", "empty", "plural", "debug"))
READERS: dict[str, Callable[[_Reader, Token, list[tree.Stmt]], None]] = {
    "if": _Reader._if, "ifequal": _Reader._if_equal, "ifnotequal": _Reader._if_equal, "for": _Reader._for, "with": _Reader._with,
    "regroup": _Reader._regroup, "firstof": _Reader._first_of, "blocktrans": _Reader._block_translation,
    "blocktranslate": _Reader._block_translation, "block": _Reader._block, "extends": _Reader._extends, "include": _Reader._include,
    "load": _Reader._load, "comment": _Reader._comment, "cache": _Reader._cache, "ifchanged": _Reader._maybe,
}  # fmt: skip
