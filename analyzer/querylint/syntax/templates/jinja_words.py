"""A cursor over the words of one of Jinja's tags or variables."""

from __future__ import annotations

from querylint.syntax.templates.bodies import Token, Word
from querylint.syntax.templates.jinja_scan import NAME, SIGN

END = Word("", -1)


class UnreadableError(Exception):
    """The words do not make an expression."""


class Words:
    """The words of one tag or variable; `here` counts those that were stepped over, `stop` is the offset where they end."""

    def __init__(self, source: bytes, token: Token) -> None:
        self.source = source
        self.words = token.words
        self.here = 0
        self.stop = token.close

    # Words.

    @property
    def word(self) -> Word:
        """The present word; an empty one at the end."""
        return self.words[self.here] if self.here < len(self.words) else END

    @property
    def done(self) -> bool:
        """Whether no word is left."""
        return self.here >= len(self.words)

    @property
    def at(self) -> int:
        """Where the present word starts."""
        return self.words[self.here].at if self.here < len(self.words) else self.stop

    @property
    def last(self) -> int:
        """Where the word before ends."""
        return self.words[self.here - 1].end if self.here else self.at

    def next(self) -> Word:
        """The present word, stepped over."""
        word = self.word
        if word is END:
            raise UnreadableError
        self.here += 1
        return word

    def is_sign(self, text: str) -> bool:
        """Whether the present word is that sign."""
        return self.word.text == text and self.word.kind == SIGN

    def is_name(self, *texts: str) -> bool:
        """Whether the present word is one of those names."""
        return self.word.kind == NAME and self.word.text in texts

    def sign(self, text: str) -> bool:
        """Step over a sign, if it is the present word."""
        found = self.is_sign(text)
        self.here += found
        return found

    def keyword(self, *texts: str) -> bool:
        """Step over one of those names, if it is the present word."""
        found = self.is_name(*texts)
        self.here += found
        return found

    def expect(self, text: str) -> None:
        """Step over a sign that must be there."""
        if not self.sign(text):
            raise UnreadableError

    def name(self) -> tuple[str, int, int]:
        """A name, with its place."""
        word = self.next()
        if word.kind != NAME:
            raise UnreadableError
        return self.spelled(word), word.at, word.end

    def spelled(self, word: Word) -> str:
        """A word as text."""
        return word.text if word.text.isascii() else self.source[word.at : word.end].decode("utf-8", "replace")
