"""Jinja's templates as the plain tree: statements, macros as functions, blocks and includes as calls that no author can write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field

from querylint.construction import dataclass
from querylint.syntax import tree
from querylint.syntax.templates.bodies import NO_TAGS, Bodies, Token
from querylint.syntax.templates.jinja_expressions import Reader
from querylint.syntax.templates.jinja_scan import NAME, tokens
from querylint.syntax.templates.jinja_words import UnreadableError
from querylint.syntax.templates.page import BLOCK, INCLUDE, TAG, BlockDef, Dialect, Page, nothing, word

# Words between the arguments of tags of extensions that say how they belong together.
PARTICLES = frozenset("as by for from in is of on using with if else not and or".split())


def read_jinja(path: str, source: bytes) -> Page:
    """The template that a file holds. What is not understood lies in `Page.broken`; the rest is read."""
    return _Reader(path, source).page_of()


@dataclass(slots=True)
class _Names:
    """Names that are set in one scope of a template; `late` are those first set in an arm of an `if`, which outlive it."""

    declared: set[str] = field(default_factory=set)
    late: dict[str, int] = field(default_factory=dict)
    arms: int = 0


class _Reader(Bodies):
    """One template being read."""

    def __init__(self, path: str, source: bytes) -> None:
        super().__init__(path, source, Dialect.JINJA, list(tokens(source.decode("latin-1"))))
        self.names = [_Names()]

    def page_of(self) -> Page:
        body = self.body(NO_TAGS, "")
        self.page.body = [*self.outliving(self.names[0]), *body]
        return self.page

    def variable(self, token: Token) -> tree.Expr | None:
        try:
            value = Reader(self.source, token).whole()
        except UnreadableError:
            args, _, _ = self._loose(token)
            self.broken(token)
            return tree.Opaque(args, token.at, token.end)
        if not token.whole:
            self.broken(token)
        return value

    def tag(self, token: Token, found: list[tree.Stmt]) -> None:
        if not token.whole:
            self.broken(token)
        reader = None if self.deep else READERS.get(token.name)
        if reader is not None:
            before = self.here
            try:
                reader(self, token, found)
                return
            except UnreadableError:
                assert self.here == before, "tags are read before their bodies"
                self.broken(token)
        if self.here in self.closed and not self.deep:
            self._unknown_block(token, found)
            return
        if token.name.startswith("end") and not self.deep:
            self.broken(token)
        self._simple(token, found)
        self.here += 1

    # Scopes.

    @contextmanager
    def scope(self) -> Iterator[_Names]:
        """What is set in here is not seen outside."""
        names = _Names()
        self.names.append(names)
        yield names
        self.names.pop()

    @contextmanager
    def arm(self) -> Iterator[None]:
        """What is set in here may not have been."""
        self.names[-1].arms += 1
        yield
        self.names[-1].arms -= 1

    def outliving(self, names: _Names) -> list[tree.Stmt]:
        """Declarations of what the arms of a scope set: before, they are what they were outside."""
        return [tree.Let(tree.NamePattern(n, at, at), tree.Name(n, at, at), at, at) for n, at in names.late.items()]

    def _bound(self, pattern: tree.Pattern, value: tree.Expr, at: int, end: int) -> tree.Stmt:
        """`set`: a declaration, or where an arm of an `if` does it an assignment."""
        names = self.names[-1]
        targets = [p for p, _ in (i for i in pattern.items if i)] if isinstance(pattern, tree.ArrayPattern) else [pattern]
        texts = [(t.id, t.at) for t in targets if isinstance(t, tree.NamePattern)]
        if len(texts) < len(targets):
            return tree.Do(tree.Assign(pattern, value, "=", at, end), at, end)
        if names.arms:
            for text, place in texts:
                if text not in names.declared:
                    names.late.setdefault(text, place)
            return tree.Do(tree.Assign(pattern, value, "=", at, end), at, end)
        names.declared.update(text for text, _ in texts)
        return tree.Let(pattern, value, at, end)

    def _scoped_body(self, opener: Token, end: str) -> tuple[list[tree.Stmt], int]:
        with self.scope() as names:
            body, stop = self.whole(opener, end)
        return [*self.outliving(names), *body], stop

    # Tags of extensions.

    def _simple(self, token: Token, found: list[tree.Stmt]) -> None:
        args, keywords, target = self._loose(token)
        call = word(TAG, token.name, args, token.at, token.end, keywords)
        if target is not None:
            found.append(self._bound(target, call, token.at, token.end))
        elif args or keywords:
            found.append(tree.Do(call, token.at, token.end))

    def _loose(self, token: Token) -> tuple[list[tree.Expr], list[tuple[str, tree.Expr]], tree.NamePattern | None]:
        """The arguments of a tag whose grammar is not known, and the name that its result gets by `as`."""
        reader = Reader(self.source, token)
        args: list[tree.Expr] = []
        keywords: list[tuple[str, tree.Expr]] = []
        target: tree.NamePattern | None = None
        while not reader.done:
            start = reader.here
            if reader.is_name("as") and start == len(reader.words) - 2 and reader.words[-1].kind == NAME:
                target = tree.NamePattern(*self._last_name(reader))
                break
            if reader.word.kind == NAME and reader.word.text in PARTICLES:
                reader.here += 1
                continue
            key = ""
            if reader.word.kind == NAME and start + 1 < len(reader.words) and reader.words[start + 1].text == "=":
                key = reader.spelled(reader.next())
                reader.here += 1
            try:
                value = reader.disjunction()
            except UnreadableError:
                reader.here = start + 1
                first = reader.words[start]
                if first.kind == NAME:
                    args.append(tree.Name(reader.spelled(first), first.at, first.end))
                continue
            if key:
                keywords.append((key, value))
            else:
                args.append(value)
        return args, keywords, target

    def _last_name(self, reader: Reader) -> tuple[str, int, int]:
        last = reader.words[-1]
        return reader.spelled(last), last.at, last.end

    def _unknown_block(self, token: Token, found: list[tree.Stmt]) -> None:
        self._simple(token, found)
        with self.arm():
            body, end = self.whole(token, f"end{token.name}")
        found.append(tree.Block(body, token.at, end))

    # Choices and loops.

    def _if(self, token: Token, found: list[tree.Stmt]) -> None:
        value = Reader(self.source, token).whole()
        rungs: list[tree.If] = []
        opener = token
        stops = frozenset(("elif", "else"))
        with self.arm():
            while True:
                body, stop = self.inside(token, "endif", stops)
                rungs.append(tree.If(value, body, [], token.at, token.end))
                if stop is None or stop.name != "elif":
                    break
                token = stop
                try:
                    value = Reader(self.source, token).whole()
                except UnreadableError:
                    self.broken(token)
                    value = nothing(token.at)
            other: list[tree.Stmt] = []
            while stop is not None and stop.name in stops:  # a second `else` is a mistake, and read as more of the first
                more, stop = self.inside(stop, "endif", stops)
                other += more
        self.ladder(rungs, other, self.passed(stop, opener), found)

    def _for(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        pattern = reader.target()
        if not reader.keyword("in"):
            raise UnreadableError
        over = reader.several(choice=False)
        test = reader.expression() if reader.keyword("if") else None
        reader.keyword("recursive")
        if not reader.done:
            raise UnreadableError
        with self.scope() as names:
            body, stop = self.inside(token, "endfor", frozenset(("else",)))
        body = [*self.outliving(names), *body]
        other: list[tree.Stmt] = []
        if stop is not None and stop.name == "else":
            with self.scope() as names:
                other, stop = self.inside(stop, "endfor")
            other = [*self.outliving(names), *other]
        end = self.passed(stop, token)
        here = token.inner
        counter = tree.Let(tree.NamePattern("loop", here, here), None, here, here)
        inner: list[tree.Stmt] = [counter, *body] if test is None else [counter, tree.If(test, body, [], token.at, end)]
        found.append(tree.For(tree.LoopForm.OF, inner, token.at, end, token.end, pattern=pattern, over=over))
        if other:
            found.append(tree.If(nothing(token.at), other, [], token.at, end))

    def _leave(self, token: Token, found: list[tree.Stmt]) -> None:
        self.here += 1
        found.append(tree.Break(token.at, token.end) if token.name == "break" else tree.Continue(token.at, token.end))

    # Names.

    def _set(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        pattern = reader.target()
        if reader.sign("="):
            value = reader.whole()
            found.append(self._bound(pattern, value, token.at, token.end))
            self.here += 1
            return
        filtered = reader.filters(token.at) if reader.sign("|") else nothing(token.at)
        if not reader.done or self.here not in self.closed:
            raise UnreadableError
        body, end = self._scoped_body(token, "endset")
        found.append(tree.Block(body, token.at, end))
        found.append(self._bound(pattern, filtered, token.at, token.end))

    def _with(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        lets: list[tree.Stmt] = []
        while not reader.done:
            if lets:
                reader.expect(",")
            at = reader.at
            pattern = reader.target()
            reader.expect("=")
            lets.append(tree.Let(pattern, reader.expression(), at, reader.last))
        body, end = self._scoped_body(token, "endwith")
        found.append(tree.Block([*lets, *body], token.at, end))

    def _do(self, token: Token, found: list[tree.Stmt]) -> None:
        found.append(tree.Do(Reader(self.source, token).whole(), token.at, token.end))
        self.here += 1

    def _translation(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        lets: list[tree.Stmt] = []
        while not reader.done:
            if reader.word.kind != NAME:
                reader.here += 1
                continue
            name, at, end = reader.name()
            if reader.sign("="):
                lets.append(tree.Let(tree.NamePattern(name, at, end), reader.expression(), at, reader.last))
        body, end = self._scoped_body(token, f"end{token.name}")
        found.append(tree.Block([*lets, *body], token.at, end))

    def _filter(self, token: Token, found: list[tree.Stmt]) -> None:
        value = Reader(self.source, token).filters(token.at)
        body, end = self._scoped_body(token, "endfilter")
        found.append(tree.Block([*body, tree.Do(value, token.at, token.end)], token.at, end))

    # Macros.

    def _macro(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        name, _, _ = reader.name()
        params = self._params(reader)
        top = len(self.names) == 1
        fn = self._function(token, name, params, "endmacro")
        found.append(tree.FnDef(fn, fn.at, fn.end))
        if top:
            self.page.macros.setdefault(name, fn)

    def _call(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        params = self._params(reader) if reader.is_sign("(") else []
        call = reader.unary()
        if not isinstance(call, tree.Call) or not reader.done:
            raise UnreadableError
        fn = self._function(token, "", params, "endcall")
        call.keywords.append(("caller", fn))
        found.append(tree.Do(call, token.at, fn.end))

    def _params(self, reader: Reader) -> list[tree.Param]:
        reader.expect("(")
        params: list[tree.Param] = []
        while not reader.sign(")"):
            if params:
                reader.expect(",")
                if reader.sign(")"):
                    break
            name, at, end = reader.name()
            default = reader.expression() if reader.sign("=") else None
            params.append(tree.Param(tree.NamePattern(name, at, end), default=default, optional=default is not None))
        return params

    def _function(self, token: Token, name: str, params: list[tree.Param], end: str) -> tree.Fn:
        body, stop = self._scoped_body(token, end)
        if name and b"caller" in self.source[token.end : stop] and _names(body, "caller"):
            params = [*params, tree.Param(tree.NamePattern("caller", token.at, token.at), optional=True)]
        return tree.Fn(name, params, body, token.at, stop)

    # The build of pages.

    def _block(self, token: Token, found: list[tree.Stmt]) -> None:
        words = token.words
        while len(words) > 1 and words[-1].text in ("scoped", "required"):
            words = words[:-1]
        name = self.text(words[0].at, words[-1].end) if words else ""
        body, end = self._scoped_body(token, "endblock")
        if not name or name in self.page.blocks:
            self.broken(token)
            found.append(tree.Block(body, token.at, end))
            return
        self.page.blocks[name] = BlockDef(name, body, token.at, end)
        call = word(BLOCK[:1], BLOCK[1:], [tree.Literal(name, words[0].at, words[-1].end)], token.at, token.end)
        found.append(tree.Do(call, token.at, end))

    def _extends(self, token: Token, found: list[tree.Stmt]) -> None:
        value = Reader(self.source, token).whole()
        if self.page.extends is None:
            self.page.extends = value
        self.here += 1

    def _include(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        name = reader.expression()
        if reader.keyword("ignore") and not reader.keyword("missing"):
            raise UnreadableError
        keywords: list[tuple[str, tree.Expr]] = []
        at = reader.at
        if reader.keyword("without"):
            keywords.append(("only", tree.Literal(True, at, reader.at)))
        call = word(INCLUDE[:1], INCLUDE[1:], [name, tree.Record([], token.at, token.at)], token.at, token.end, keywords)
        found.append(tree.Do(call, token.at, token.end))
        self.here += 1

    def _import(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        source = reader.expression()
        if not reader.keyword("as"):
            raise UnreadableError
        self._imported(source, "*", reader.name())
        self.here += 1

    def _from(self, token: Token, found: list[tree.Stmt]) -> None:
        reader = Reader(self.source, token)
        source = reader.expression()
        if not reader.keyword("import"):
            raise UnreadableError
        while not reader.done and not (reader.is_name("with", "without") and reader.words[-1].text == "context"):
            name = reader.name()
            local = reader.name() if reader.keyword("as") else name
            self._imported(source, name[0], local)
            if not reader.sign(","):
                break
        self.here += 1

    def _imported(self, source: tree.Expr, name: str, local: tuple[str, int, int]) -> None:
        if isinstance(source, tree.Literal) and isinstance(source.value, str):
            self.page.imports.append(tree.Import(local[0], source.value, name, local[1]))

    def _autoescape(self, token: Token, found: list[tree.Stmt]) -> None:
        with self.arm():
            body, end = self.whole(token, "endautoescape")
        found.append(tree.Block(body, token.at, end))


def _names(body: list[tree.Stmt], name: str) -> bool:
    return any(isinstance(this, tree.Name) and this.id == name for this in tree.walk(body))


READERS: dict[str, Callable[[_Reader, Token, list[tree.Stmt]], None]] = {
    "if": _Reader._if, "for": _Reader._for, "break": _Reader._leave, "continue": _Reader._leave, "set": _Reader._set,
    "with": _Reader._with, "do": _Reader._do, "trans": _Reader._translation, "blocktrans": _Reader._translation,
    "filter": _Reader._filter, "macro": _Reader._macro, "call": _Reader._call, "block": _Reader._block, "extends": _Reader._extends,
    "include": _Reader._include, "import": _Reader._import, "from": _Reader._from, "autoescape": _Reader._autoescape,
}  # fmt: skip
