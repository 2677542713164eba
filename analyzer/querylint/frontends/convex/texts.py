"""What the bare text of one file says, whatever the others say: which words it holds, which routes and indexes it names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar, cast

from querylint.frontends.convex import crons
from querylint.pattern import Pattern

T = TypeVar("T")
CLIENT_WORDS = (
    b"useQuery",
    b"useConvexQuery",
    b"useConvex(",
    b"usePaginatedQuery",
    b"fetchQuery",
    b"preloadQuery",
    b"convexQuery",
    b"ConvexHttpClient",
    b"ConvexClient",
    b"fetchMutation",
)
SERVER_WORDS = (b".db", b"{ db", b"runQuery", b"runMutation", b"runAction")
QUOTED = Pattern(rb"""(["'`])([A-Za-z_]\w*)\1""")
LAST_WORD = Pattern(rb"\w*\Z")
NAME = Pattern(rb"[\w$\x80-\xff]+")
VECTOR_SEARCH = Pattern(rb"""vectorSearch\(\s*(["'`])\w+\1\s*,\s*(["'`])(\w+)\2""")
REFERENCES = tuple(
    (word, Pattern(start + rb"""(?:\s+as\s+[\w.<>\s]+\))?((?:\s*[?!]?\.\s*[A-Za-z_$][\w$]*){2,})"""))
    for word, start in (
        (b"pi", rb"pi(?<=[aA]pi)\w*"),
        (b"nternal", rb"nternal(?<=[iI]nternal)\w*"),
        (b"components", rb"components(?<!\wcomponents)\s*\??\.\s*\w+"),
    )
)
"""What leads to the names of a reference, and a word without which there is none. Each begins with plain letters, which are found fast."""

ROUTE = Pattern(rb"""["'`]([\w/-]+)[:.]([A-Za-z_$][\w$]*)["'`]""")
RUN_BY_HAND = Pattern(rb"convex run (?:--\S+ )*[\"'`]?([\w/-]+):([A-Za-z_$][\w$]*)")
PASSED_THROUGH = Pattern(rb"^[ \t]*(?:import|export)\b[^;(){}=]*\{[^}]*\}(?:\s*from)?", re.MULTILINE)
CHOOSING = frozenset((b"withIndex", b"withSearchIndex"))
NAMING = CHOOSING | {b"index", b"searchIndex", b"vectorIndex"}
LONGEST = 400  # bytes before a quotation in which the word that calls with it is looked for


class Text:
    """One file, which `read` gives. What is found out goes into `known`, by name, for whoever keeps it and wants to be `told`."""

    __slots__ = ("known", "path", "read", "told")

    def __init__(self, read: Callable[[str], bytes | None], path: str, known: dict[str, object], told: Callable[[], None] | None) -> None:
        self.read = read
        self.path = path
        self.known = known
        self.told = told

    @property
    def source(self) -> bytes:
        """The bytes of the file."""
        return self.read(self.path) or b""

    def _once(self, name: str, make: Callable[[], T]) -> T:
        if name not in self.known:
            self.known[name] = make()
            if self.told is not None:
                self.told()
        return cast("T", self.known[name])

    def relevant(self) -> bool:
        """Whether it is about Convex at all: a client, or code of a server."""
        return self._once("relevant", lambda: _relevant(self.source))

    def ask(self, *, script: bool) -> None:
        """Ask what is asked of every file that is not about Convex, of a `script` more: then its bytes are needed no longer."""
        self.references()
        if script:
            self.routes()

    def references(self) -> list[str]:
        """The routes that references (`internal.a.b.c`) may stand for."""
        return self._once("references", lambda: sorted(set(_references(self.source))))

    def unscheduled(self) -> list[str]:
        """Those of them that stand outside of the registration of a cron."""
        return self._once("unscheduled", lambda: sorted(set(_references(crons.without(self.source)))))

    def registers_crons(self) -> bool:
        """Whether it makes a table of crons."""
        return self._once("crons", lambda: crons.registers(self.source))

    def routes(self) -> list[str]:
        """Routes that stand in quotes."""
        return self._once("routes", lambda: _routes(ROUTE, self.source))

    def run_by_hand(self) -> list[str]:
        """Routes that people are told to run."""
        return self._once("by hand", lambda: _routes(RUN_BY_HAND, self.source))

    def words(self) -> dict[bytes, int]:
        """How often each word stands there, but for what is only imported or exported."""
        return self._once("words", lambda: dict(Counter(NAME.findall(PASSED_THROUGH.sub(b"", self.source)))))

    def quoted(self, names: Collection[bytes], sign: bytes) -> tuple[list[bytes], list[bytes]]:
        """Which of some names stand in quotes, and which of them in the choice of an index only; `sign` stands for the names."""
        name = f"quoted {sign.hex()}"
        if name not in self.known:
            for other in [one for one in self.known if one.startswith("quoted ")]:
                del self.known[other]
        return self._once(name, lambda: _quoted(self.source, names))


def _relevant(source: bytes) -> bool:
    return b"onvex" in source and any(word in source for word in (*CLIENT_WORDS, *SERVER_WORDS))


def _routes(pattern: Pattern[bytes], source: bytes) -> list[str]:
    return [f"{route[1].decode()}:{route[2].decode()}" for route in pattern.finditer(source)]


def _quoted(source: bytes, names: Collection[bytes]) -> tuple[list[bytes], list[bytes]]:
    source = VECTOR_SEARCH.sub(rb'withSearchIndex("\3"', source)
    plain: set[bytes] = set()
    chosen: set[bytes] = set()
    last = 0
    for quoted in QUOTED.finditer(source):
        if (name := quoted[2]) in names:
            before = _called(source[max(last, quoted.start() - LONGEST) : quoted.start()])
            if before not in NAMING:
                plain.add(name)
            elif before in CHOOSING:
                chosen.add(name)
        last = quoted.end()
    return sorted(plain), sorted(chosen)


def _called(before: bytes) -> bytes:
    """The word right before a quotation, that calls with it where one opens a parenthesis."""
    match = LAST_WORD.search(before.rstrip().removesuffix(b"("))
    return match[0] if match is not None else b""


def _references(source: bytes) -> Iterator[str]:
    found = [match for word, pattern in REFERENCES if word in source for match in pattern.finditer(source)]
    last = 0
    for reference in sorted(found, key=lambda match: match.start()):
        if reference.start() < last:
            continue  # a part of the one before it
        last = reference.end()
        parts = [part.strip(b" \t\r\n?!").decode() for part in reference[1].split(b".")[1:]]
        yield from (f"{'/'.join(parts[:n])}:{parts[n]}" for n in range(1, len(parts)))
