"""What the two template languages share: a file as tokens, and tags whose bodies run up to an end tag of their name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum

from querylint.construction import dataclass
from querylint.syntax import tree
from querylint.syntax.templates.page import Dialect, Page

# Real templates stay below 30; every level costs two frames of Python, and the readers of the tree have to walk it too.
DEEPEST = 100
MOST_RUNGS = 50
NO_TAGS: frozenset[str] = frozenset()


class Sort(Enum):
    """What a token is."""

    TEXT = "text"
    VARIABLE = "variable"
    TAG = "tag"


@dataclass(slots=True)
class Word:
    """A word of a tag, where it starts, and for Jinja what kind of word it is."""

    text: str
    at: int
    kind: str = ""

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.at + len(self.text)


@dataclass(slots=True)
class Token:
    """A piece of a template: text, `{{ … }}` or `{% name … %}` from `at` to `end`; `inner` to `close` is what stands between the braces.

    `words` are a tag's without its name, and in Jinja those of a variable too. `whole` says that they could all be read.
    """

    sort: Sort
    at: int
    end: int
    inner: int
    close: int
    name: str
    words: list[Word]
    whole: bool = True


class Bodies(ABC):
    """A template being read, token by token: `here` is the present one, `open` the end tags of the bodies around it."""

    def __init__(self, path: str, source: bytes, dialect: Dialect, tokens: list[Token]) -> None:
        self.page = Page(path, dialect)
        self.source = source
        self.tokens = tokens
        self.closed = _closed(tokens)
        self.here = 0
        self.open: list[str] = []

    @abstractmethod
    def variable(self, token: Token) -> tree.Expr | None:
        """What `{{ … }}` prints; None where it cannot be read."""

    @abstractmethod
    def tag(self, token: Token, found: list[tree.Stmt]) -> None:
        """Read a tag and step over it."""

    def text(self, at: int, end: int) -> str:
        """The source between two byte offsets."""
        return self.source[at:end].decode("utf-8", "replace")

    def broken(self, token: Token) -> None:
        """Note a token that was not understood."""
        self.page.broken.append((token.at, token.end))

    @property
    def deep(self) -> bool:
        """Whether bodies lie in one another so deep that no further one is opened."""
        return len(self.open) >= DEEPEST

    def body(self, stops: frozenset[str], end: str) -> list[tree.Stmt]:
        """Statements up to a tag of `stops` or `end`, or to the end of a tag around; it stays the present token."""
        found: list[tree.Stmt] = []
        self.open.append(end)
        while self.here < len(self.tokens):
            token = self.tokens[self.here]
            if token.sort is Sort.TAG:
                name = token.name
                if name in stops or name == end or (name.startswith("end") and name in self.open):
                    break
                self.tag(token, found)
                continue
            if token.sort is Sort.TEXT:
                text = self.source[token.at : token.end]
                if not text.isspace():
                    found.append(tree.Do(tree.Literal(text.decode("utf-8", "replace"), token.at, token.end), token.at, token.end))
            else:
                value = self.variable(token)
                if value is None:
                    self.broken(token)
                else:
                    found.append(tree.Do(tree.Template([value], token.at, token.end), token.at, token.end))
            self.here += 1
        self.open.pop()
        return found

    def inside(self, opener: Token, end: str, stops: frozenset[str] = NO_TAGS) -> tuple[list[tree.Stmt], Token | None]:
        """The body of the present tag, and the tag that ends it, which is then the present one; None where it is missing."""
        self.here += 1
        body = self.body(stops, end)
        token = self.tokens[self.here] if self.here < len(self.tokens) else None
        if token is not None and (token.name == end or token.name in stops):
            return body, token
        self.broken(opener)
        return body, None

    def whole(self, opener: Token, end: str) -> tuple[list[tree.Stmt], int]:
        """The body of the present tag up to its end tag, which is passed, and the offset where that ends."""
        body, token = self.inside(opener, end)
        return body, self.passed(token, opener)

    def passed(self, token: Token | None, opener: Token) -> int:
        """Step over an end tag; the offset after it."""
        if token is not None:
            self.here += 1
            return token.end
        return self.tokens[self.here].at if self.here < len(self.tokens) else max(opener.end, self.tokens[-1].end)

    def arms(self, token: Token, end: str, middle: str) -> tuple[list[tree.Stmt], list[tree.Stmt], int]:
        """A body and what follows its middle tag, with the offset after the end tag."""
        body, stop = self.inside(token, end, frozenset((middle,)))
        other: list[tree.Stmt] = []
        if stop is not None and stop.name == middle:
            other, stop = self.inside(stop, end)
        return body, other, self.passed(stop, token)

    def ladder(self, rungs: list[tree.If], other: list[tree.Stmt], end: int, found: list[tree.Stmt]) -> None:
        """The arms of an `if` put into one another; those that would lie too deep follow one another instead."""
        rungs[-1].other = other
        for number, rung in enumerate(rungs):
            rung.end = end
            if number % MOST_RUNGS == 0:
                found.append(rung)
            else:
                rungs[number - 1].other = [rung]


def _closed(tokens: list[Token]) -> frozenset[int]:
    """The tags, by their place in the list, that an end tag of their name closes."""
    waiting: dict[str, list[int]] = {}
    closed: set[int] = set()
    for number, token in enumerate(tokens):
        if token.name.startswith("end") and waiting.get(token.name[3:]):
            closed.add(waiting[token.name[3:]].pop())
        elif token.name:
            waiting.setdefault(token.name, []).append(number)
    return frozenset(closed)
