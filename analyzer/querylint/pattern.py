"""Regular expressions that are compiled when they are first used: a run asks few of the hundreds that there are."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, AnyStr, Generic


class Pattern(Generic[AnyStr]):
    """A regular expression with those methods of `re.Pattern` that are in use.

    A call takes a little longer than that of `re.compile(..)`, which stays where texts are taken apart character by character.
    """

    __slots__ = ("_made", "flags", "pattern")

    def __init__(self, pattern: AnyStr, flags: int = 0) -> None:
        self.pattern: AnyStr = pattern
        self.flags = flags
        self._made: re.Pattern[AnyStr] | None = None

    @property
    def made(self) -> re.Pattern[AnyStr]:
        """The expression itself."""
        if self._made is None:
            self._made = re.compile(self.pattern, self.flags)
        return self._made

    def search(self, text: AnyStr, start: int = 0, end: int = sys.maxsize) -> re.Match[AnyStr] | None:
        """The first place where it fits."""
        return (self._made or self.made).search(text, start, end)

    def match(self, text: AnyStr, start: int = 0, end: int = sys.maxsize) -> re.Match[AnyStr] | None:
        """Where it fits at the start."""
        return (self._made or self.made).match(text, start, end)

    def fullmatch(self, text: AnyStr, start: int = 0, end: int = sys.maxsize) -> re.Match[AnyStr] | None:
        """Where it fits the whole."""
        return (self._made or self.made).fullmatch(text, start, end)

    def finditer(self, text: AnyStr, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[AnyStr]]:
        """All places where it fits."""
        return (self._made or self.made).finditer(text, start, end)

    def findall(self, text: AnyStr) -> list[Any]:
        """The texts of all places where it fits; of the group where it has one."""
        return (self._made or self.made).findall(text)

    def sub(self, new: AnyStr | Callable[[re.Match[AnyStr]], AnyStr], text: AnyStr, count: int = 0) -> AnyStr:
        """The text with something else in the places where it fits."""
        return (self._made or self.made).sub(new, text, count)
