"""By which serializer a view of Django REST framework answers an action: what its `get_serializer_class` gives back for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from querylint.construction import dataclass
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.django import words
from querylint.frontends.python.stacks.django.nodes import Found, class_level, on_self
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, text_of

Constant = Callable[[str, str], "Found | None"]
MOST = 6
"""Choosers that go on with those of the classes above."""


def chosen(info: ClassInfo, chooser: tuple[ClassInfo, tree.Fn], action: str, constant: Constant) -> list[Found]:
    """What names the serializers that a view may take for an action by its `chooser`; empty where none is named.

    `constant` gives what a name of a module stands for.
    """
    return _Chooser(info, *chooser, action, constant).found()


@dataclass(slots=True)
class _Chooser:
    """One method that chooses, of the class `owner`, for a view and an action.

    `names` are what its variables hold, `looked_up` those that hold what a table has, which may be nothing.
    """

    info: ClassInfo
    owner: ClassInfo
    fn: tree.Fn
    action: str
    constant: Constant
    depth: int = 0
    names: dict[str, list[Found]] = field(default_factory=dict)
    looked_up: set[str] = field(default_factory=set)

    def found(self) -> list[Found]:
        """What the method may give back."""
        return self._returned(self.fn.body)[0]

    def _returned(self, body: list[tree.Stmt]) -> tuple[list[Found], bool]:
        """What statements give back, and whether nothing after them is reached."""
        found: list[Found] = []
        for statement in body:
            if isinstance(statement, tree.Return):
                return [*found, *(self._of(statement.value) if statement.value is not None else [])], True
            if isinstance(statement, tree.Throw):
                return found, True
            if isinstance(statement, tree.Do) and isinstance(statement.value, tree.Assign):
                self._assign(statement.value)
            elif isinstance(statement, tree.If):
                inner, left = self._if(statement)
                found += inner
                if left:
                    return found, True
            elif isinstance(statement, tree.Try | tree.Block):
                inner, left = self._returned(statement.body)
                if not inner and left and isinstance(statement, tree.Try):  # the table has no entry for the action
                    inner, left = self._returned(statement.handler)
                found += inner
                if left:
                    return found, True
        return found, False

    def _if(self, node: tree.If) -> tuple[list[Found], bool]:
        holds = self._holds(node.test)
        if holds is not None:
            return self._returned(node.then if holds else node.other)
        before = dict(self.names)
        then, left = self._returned(node.then)
        one, self.names = self.names, before
        other, gone = self._returned(node.other)
        if gone:
            self.names = one
        elif not left:
            mine = self.names
            both = {name: [*one.get(name, []), *mine.get(name, [])] for name in (*one, *mine)}
            self.names = {name: list({id(value): (path, value) for path, value in found}.values()) for name, found in both.items()}
            self.looked_up -= {name for name in both if one.get(name) != mine.get(name)}
        return [*then, *other], left and gone

    def _assign(self, node: tree.Assign) -> None:
        if not isinstance(node.target, tree.NamePattern | tree.Name):
            return
        entry, name = self._entry(node.value), node.target.id
        self.names[name] = self._of(node.value) if entry is None else entry
        self.looked_up.discard(name)
        if entry is not None:
            self.looked_up.add(name)

    def _of(self, value: tree.Expr) -> list[Found]:
        """The serializers that an expression names."""
        if isinstance(value, tree.Ternary):
            holds = self._holds(value.test)
            then = self._of(value.then) if holds is not False else []
            return [*then, *(self._of(value.other) if holds is not True else [])]
        if isinstance(value, tree.Logic) and value.sign == "||":
            return self._of(value.left) or self._of(value.right)
        if isinstance(value, tree.Name) and value.id in self.names:
            return self.names[value.id]
        entry = self._entry(value)
        if entry is not None:
            return entry
        if isinstance(value, tree.Call) and callee_name(value) == words.CHOOSER:
            above = self.info.method(words.CHOOSER, after=self.owner)
            if above is None or self.depth >= MOST:
                return class_level(self.info, words.CLASS)
            return _Chooser(self.info, *above, self.action, self.constant, self.depth + 1).found()
        if isinstance(value, tree.Member) and on_self(value):
            return class_level(self.info, value.name) or [(self.owner.path, value)]
        return [(self.owner.path, value)]

    def _entry(self, value: tree.Expr) -> list[Found] | None:
        """What a table holds for the action, or the class for it under a name of its own; None for anything else.

        `self.serializers[self.action]`, `self.serializers.get(self.action, Default)`, `getattr(self, f"{self.action}_serializer")`.
        """
        if not self.action:
            return None
        if isinstance(value, tree.Index) and self._is_action(value.key):
            return self._looked_up(value.base, [])
        if not isinstance(value, tree.Call) or not value.args:
            return None
        if isinstance(value.func, tree.Member) and value.func.name == "get" and self._is_action(value.args[0]):
            return self._looked_up(value.func.base, value.args[1:])
        if callee_name(value) == "getattr" and len(value.args) > 1 and isinstance(value.args[1], tree.Template):
            parts = [self.action if self._is_action(part) else text_of(part) for part in value.args[1].parts]
            named = class_level(self.info, "".join(parts)) if all(parts) else []
            return named or [found for default in value.args[2:] for found in self._of(default)]
        return None

    def _looked_up(self, base: tree.Expr, default: list[tree.Expr]) -> list[Found] | None:
        held = class_level(self.info, base.name) if isinstance(base, tree.Member) and on_self(base) else [(self.owner.path, base)]
        path, table = held[0] if held else ("", base)
        if isinstance(table, tree.Name) and table.id not in self.names:
            path, table = self.constant(path, table.id) or (path, table)
        entries = _entries(table)
        if entries is None:
            return None
        if self.action in entries:
            return [(path, entries[self.action])]
        return [] if not default or isinstance(default[0], tree.Literal) else self._of(default[0])

    def _is_action(self, node: tree.Expr) -> bool:
        return isinstance(node, tree.Member) and on_self(node) and node.name == "action"

    def _holds(self, test: tree.Expr) -> bool | None:
        """Whether a test of the action, of the method or of what a table holds is true; None where it asks for something else."""
        if isinstance(test, tree.Name) and test.id in self.looked_up:
            return bool(self.names[test.id])
        if isinstance(test, tree.Logic) and test.sign in ("&&", "||"):
            left, right = self._holds(test.left), self._holds(test.right)
            short = test.sign == "||"
            if left is short or right is short:
                return short
            return left if left is right else None
        if isinstance(test, tree.Op) and test.sign == "!" and len(test.operands) == 1:
            inner = self._holds(test.operands[0])
            return None if inner is None else not inner
        if not isinstance(test, tree.Op) or len(test.operands) != 2:
            return None
        asked, among = test.operands
        if isinstance(asked, tree.Name) and asked.id in self.looked_up and isinstance(among, tree.Literal) and among.value is None:
            is_there = bool(self.names[asked.id])
            return {"!==": is_there, "!=": is_there, "===": not is_there, "==": not is_there}.get(test.sign)
        known = (
            {"action": self.action, "method": words.METHODS.get(self.action)}.get(asked.name) if isinstance(asked, tree.Member) else None
        )
        names = _texts(among, self.info)
        if not known or names is None:
            return None
        return {
            "===": known in names, "==": known in names, "in": known in names, "!==": known not in names, "!=": known not in names,
        }.get(test.sign)  # fmt: skip


def _texts(node: tree.Expr, info: ClassInfo) -> list[object] | None:
    """The texts that are written down, there or in an attribute of the class: the keys of a table stand for it."""
    if isinstance(node, tree.Literal):
        return [node.value]
    if isinstance(node, tree.Array) and all(isinstance(i, tree.Literal) for i in node.items):
        return [i.value for i in node.items if isinstance(i, tree.Literal)]
    if isinstance(node, tree.Member) and on_self(node):
        held = class_level(info, node.name)
        entries = _entries(held[0][1]) if held else None
        if entries is not None:
            return list(entries)
        return _texts(held[0][1], info) if held and isinstance(held[0][1], tree.Array) else None
    return None


def _entries(node: tree.Expr) -> dict[str, tree.Expr] | None:
    """What is written in a dictionary, by its keys; None where a key is not written down."""
    if isinstance(node, tree.Call) and callee_name(node) == "dict" and not node.args:
        return None if any(key == "**" for key, _ in node.keywords) else dict(node.keywords)
    if not isinstance(node, tree.Record):
        return None
    written = {key: value for key, value in node.entries if isinstance(key, str)}
    return written if len(written) == len(node.entries) else None
