"""Parts of what front ends say of a project, kept from one look at it to the next: whatever nothing has changed of is not lowered again.

A part knows what it was taken from, as questions (what is in this file? which file does this import mean?) with their answers. It holds
as long as all its questions are answered in the same way. `KeptParts` lives in memory, for those who look again and again (an editor, a run
that makes fixes); `dump` and `load` take it to the disk and back.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from typing import Any, TypeVar

from querylint.cache.digest import digest
from querylint.construction import dataclass
from querylint.frontends.packed import UnpackableError, packed, unpacked

T = TypeVar("T")
Question = tuple[str, ...]
"""What is asked, and about what: `("file", path)`, `("import", folder, specifier)`, `("table", root, name)`."""

Answer = bytes | str | None
Asked = tuple[tuple[Question, Answer], ...]
ABSENT = b"absent"


@dataclass(slots=True)
class Part:
    """One part: what it was made for (`key`), what it was taken from, and its value, as bytes as long as nobody has asked for it."""

    key: bytes
    asked: Asked
    form: object = None
    value: Any = None
    data: bytes | None = None


@dataclass(slots=True)
class Room:
    """The parts of one front end by name. `ground` is what the answers to questions about imports depend on."""

    parts: dict[str, Part] = field(default_factory=dict)
    ground: Asked = ()
    grown: bool = False


@dataclass(slots=True)
class KeptParts:
    """What is kept of one project.

    `judged` is what was said of islands of it, as bytes by what was judged. `trees` are parsed files by path and source, for those who look
    again and again; None where trees are not worth their memory. `digests` are those of files as they were last seen.
    """

    rooms: dict[str, Room] = field(default_factory=dict)
    judged: dict[bytes, bytes] = field(default_factory=dict)
    trees: dict[tuple[str, bytes], Any] | None = None
    digests: dict[str, tuple[bytes | None, bytes]] = field(default_factory=dict)
    spoken: bool = False

    @property
    def grown(self) -> bool:
        """Whether anything is other than it was loaded."""
        return self.spoken or any(room.grown for room in self.rooms.values())

    def speak(self, judged: dict[bytes, bytes]) -> None:
        """Keep what this look says of each island, and forget the rest."""
        self.spoken |= judged.keys() != self.judged.keys()
        self.judged = judged

    def room(self, name: str) -> Room:
        """The parts of one front end."""
        return self.rooms.setdefault(name, Room())

    def tree(self, path: str, source: bytes, parse: Callable[[str, bytes], T]) -> T:
        """What `parse` makes of a file, once for each state of it where trees are kept."""
        if self.trees is None:
            return parse(path, source)
        key = (path, source)
        if key not in self.trees:
            self.trees[key] = parse(path, source)
        return self.trees[key]  # type: ignore[no-any-return]  # what was parsed by `parse`

    def digest(self, path: str, source: bytes) -> bytes:
        """The digest of a file, worked out once for each time that it is read."""
        known = self.digests.get(path)
        if known is None or known[0] is not source:
            known = self.digests[path] = (source, digest(source))
        return known[1]

    def forget(self, path: str) -> None:
        """Let go of the bytes of a file, and remember its digest."""
        known = self.digests.get(path)
        if known is not None:
            self.digests[path] = (None, known[1])

    def dump(self) -> bytes:
        """All parts as bytes; those that cannot be written down are left out."""
        return marshal.dumps((self.judged, [(name, room.ground, list(_rows(room))) for name, room in self.rooms.items()]))

    @classmethod
    def load(cls, data: bytes | memoryview) -> KeptParts:
        """What `dump` has made; nothing is kept where these bytes are something else."""
        try:
            judged, rooms = marshal.loads(data)
            return cls(
                {
                    room: Room({name: Part(key, asked, data=blob) for name, key, asked, blob in rows}, ground)
                    for room, ground, rows in rooms
                },
                dict(judged),
            )
        except (ValueError, TypeError, EOFError):
            return cls()


def _rows(room: Room) -> Iterator[tuple[str, bytes, Asked, bytes]]:
    for name, part in room.parts.items():
        if part.data is None:
            try:
                part.data = packed(part.form, part.value)
            except UnpackableError:
                continue
        yield name, part.key, part.asked, part.data


class Look:
    """One look at a project that keeps what it finds, and finds what was kept.

    `read` gives the bytes of a file, `answers` answers questions that are not about files.
    """

    def __init__(self, kept: KeptParts, name: str, read: Callable[[str], bytes | None], answers: Callable[[Question], Answer]) -> None:
        self._room = kept.room(name)
        self._digest = kept.digest
        self._read = read
        self._answers = answers
        self._known: dict[Question, Answer] = {}
        self._used: dict[str, Part] = {}
        self._held: set[str] = set()
        self._steady = False

    def answer(self, question: Question) -> Answer:
        """The answer of today."""
        if question not in self._known:
            if question[0] == "file":
                data = self._read(question[1])
                self._known[question] = ABSENT if data is None else self._digest(question[1], data)
            else:
                self._known[question] = self._answers(question)
        return self._known[question]

    def begin(self) -> None:
        """Find out whether imports still mean what they meant: where all that decides about them is as it was, they are not asked again."""
        self._steady = bool(self._room.ground) and all(self.answer(question) == answer for question, answer in self._room.ground)

    def has(self, name: str, key: bytes) -> bool:
        """Whether a part was kept that holds."""
        part = self._room.parts.get(name)
        return part is not None and part.key == key and self._holds(name, part)

    def part(self, name: str, form: object, key: bytes, make: Callable[[], tuple[T, Iterable[Question]]]) -> T:
        """A part as it was kept, if it holds; else what `make` gives, with the questions that it was taken from.

        `form` is the type of the value; whatever is made from something else than answers goes into the `key`.
        """
        part = self._room.parts.get(name)
        if part is None or part.key != key or not self._holds(name, part) or not _opened(part, form):
            value, questions = make()
            part = Part(key, tuple((question, self.answer(question)) for question in sorted(questions)), form, value)
        self._used[name] = part
        return part.value  # type: ignore[no-any-return]

    def changed(self, name: str) -> None:
        """The value of a part has grown since it was made or found."""
        self._used[name].data = None

    def _holds(self, name: str, part: Part) -> bool:
        """Whether all that a part was taken from is as it was, which is found out once in a look."""
        if name in self._held:
            return True
        steady, known = self._steady, self._known
        for question, answer in part.asked:
            if steady and question[0] == "import":
                continue
            if (known[question] if question in known else self.answer(question)) != answer:
                return False
        self._held.add(name)
        return True

    def end(self, ground: Iterable[Question]) -> None:
        """Keep what this look has used, and forget the rest; `ground` is what the meaning of imports hangs on."""
        before = [question for question, _ in self._room.ground] if self._steady else []
        after = tuple((question, self.answer(question)) for question in sorted({*before, *ground}))
        room = self._room
        room.grown |= room.ground != after or len(room.parts) != len(self._used) or any(p.data is None for p in self._used.values())
        room.parts, room.ground = self._used, after


def _opened(part: Part, form: object) -> bool:
    """Read the value of a part from its bytes, if nobody has yet; False where they hold none."""
    if part.form is None:
        try:
            part.value = unpacked(form, part.data or b"")
        except UnpackableError:
            return False
        part.form = form
    return True
