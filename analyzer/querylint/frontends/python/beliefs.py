"""What walks have worked out of functions while the callers of these had told so much, and who is to ask again once that has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

from querylint.construction import dataclass
from querylint.frontends.flow.values import Val

Entry = tuple[str, ...]
"""What was asked: the name of a function first, then the kinds of its arguments, or the class whose object it leaves something on."""


@dataclass(slots=True)
class Open:
    """An entry that hangs on what callers tell: what they had told of the parameters, how to find that out now, and how to ask again."""

    params: list[Val]
    told: Callable[[], list[Val]]
    again: Callable[[], object]


@dataclass(slots=True)
class Beliefs:
    """The values of entries. `behind` are the open entries that each hangs on, `users` the walks that have asked for an open one.

    `asked` are the entries behind each value that is being worked out, the innermost last. `leaned` is what the walk at hand has asked for.
    """

    known: dict[Entry, Any] = field(default_factory=dict)
    behind: dict[Entry, set[Entry]] = field(default_factory=dict)
    opened: dict[Entry, Open] = field(default_factory=dict)
    users: dict[Entry, set[str]] = field(default_factory=dict)
    asked: list[set[Entry]] = field(default_factory=list)
    leaned: list[Entry] = field(default_factory=list)
    walking: str = ""

    def work_out(self, entry: Entry, told: Open | None, make: Callable[[], Any]) -> Any:
        """The value of an entry that is not known yet, which is `told` by callers unless that is None."""
        behind = {entry} if told is not None else set()
        self.asked.append(behind)
        try:
            value = make()
        finally:
            self.asked.pop()
        self.known[entry], self.behind[entry] = value, behind
        if told is not None:
            self.opened[entry] = told
        return value

    def lean(self, entry: Entry) -> None:
        """The walk at hand, or what it is working out, hangs on an entry and on all that this hangs on."""
        behind = self.behind.get(entry, {entry})
        if self.asked:
            self.asked[-1] |= behind
            return
        for one in sorted(behind):
            self.users.setdefault(one, set()).add(self.walking)
            self.leaned.append(one)

    def outdated(self) -> set[str]:
        """The walks that have asked for what callers have told more of since, where that makes a difference; that is known anew then."""
        stale = [entry for entry, opened in self.opened.items() if opened.told() != opened.params]
        if not stale:
            return set()
        hanging = {entry for entry, behind in self.behind.items() if not behind.isdisjoint(stale)}
        before = {entry: (self.known.pop(entry), self.behind.pop(entry)) for entry in hanging}
        moved: set[Entry] = set()
        self.asked.append(set())
        try:
            moved.update(entry for entry in stale if self._differs(entry, before[entry][0]))
        finally:
            self.asked.pop()
        for entry, (value, behind) in before.items():
            if entry not in self.known and behind.isdisjoint(moved):
                self.known[entry], self.behind[entry] = value, behind
            elif entry not in self.known:
                self.opened.pop(entry, None)  # whoever has asked for it asks again, since he hangs on what has moved as well
        return {user for entry in moved for user in self.users.get(entry, ())}

    def _differs(self, entry: Entry, before: object) -> bool:
        try:
            if entry not in self.known:  # another one may have asked for it already
                self.opened.pop(entry).again()
            return bool(self.known[entry] != before)
        except MemoryError:
            raise
        except Exception:  # whoever asks again says so, each for itself
            return True
