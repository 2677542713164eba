"""Expressions evaluated without running them: literals, constants of any module, records, and calls of simple functions.

Schemas and settings are programs, mostly small ones: a table in another file, a helper that adds an index, a spread under a
condition. This reads them as far as their meaning is certain. What a package exports is a Host's to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from querylint.construction import replace
from querylint.frontends.modules import builtin, operators
from querylint.frontends.modules.names import Definition
from querylint.frontends.modules.run import Run
from querylint.frontends.modules.values import (
    UNDEFINED,
    UNKNOWN,
    ArrayValue,
    Choice,
    Closure,
    Entry,
    External,
    Gap,
    Missing,
    Namespace,
    RecordValue,
    Scope,
    Site,
    Thing,
    Value,
    blurred,
    choice,
    options,
    text,
    truth,
)  # fmt: skip
from querylint.syntax import tree

DEEPEST = 100
MOST_STEPS = 200_000
_FILLED = rb"(?<![\w$.])NAME(?:\.[\w$]+|\[[^\]\n]*\])\s*=(?![=>])|assign\(\s*NAME\b"
_ASSIGNED = rb"(?<![\w$.])NAME\s*(?::[^=;\n]*)?(?:[-+*/%|&^?]{0,3}=(?![=>])|\+\+|--)"


class Lookup(Protocol):
    """What is asked about the modules of a project."""

    def definition(self, path: str, name: str) -> Definition | None:
        """What a top-level name of a module is."""

    def exported(self, path: str, name: str) -> Definition | None:
        """What a module exports under a name."""

    def source(self, path: str) -> bytes | None:
        """The bytes of a file."""


class Host:
    """What a front end knows about packages; this one knows none."""

    def external(self, specifier: str, name: str) -> Value | None:
        """What a package exports under a name, None where that is not known."""
        return None

    def foreign(self, args: Sequence[Value], site: Site) -> Value:
        """What a call comes to whose function is not known, or does what is not understood."""
        return UNKNOWN


class Evaluator:
    """Evaluates expressions of one project; what a module's name comes to is kept."""

    def __init__(self, modules: Lookup, host: Host, most_steps: int = MOST_STEPS) -> None:
        self._modules = modules
        self._host = host
        self._most_steps = most_steps
        self._named: dict[tuple[str, str], Value] = {}
        self._active: set[tuple[str, str]] = set()
        self._depth = 0
        self._steps = 0

    def top(self, path: str, expr: tree.Expr) -> Value:
        """An expression at the top level of a module."""
        return self.value(expr, Scope(path))

    def named(self, path: str, name: str) -> Value:
        """A top-level name of a module; the globals of the language are among them."""
        key = (path, name)
        if key in self._named:
            return self._named[key]
        if key in self._active:
            return UNKNOWN
        definition = self._modules.definition(path, name)
        if definition is None:
            return builtin.GLOBALS.get(name, UNKNOWN)
        self._active.add(key)
        try:
            found = self.defined(definition)
        finally:
            self._active.discard(key)
        self._named[key] = found
        return found

    def defined(self, definition: Definition) -> Value:
        """What a definition comes to."""
        if definition.external is not None:
            return self._external(*definition.external)
        if definition.namespace:
            return Namespace(definition.path)
        node = definition.node
        if node is None:
            return UNKNOWN
        if isinstance(node, tree.FnDef):
            return Closure(node.fn, Scope(definition.path))
        found = self._class(definition.path, node) if isinstance(node, tree.ClassDef) else self.top(definition.path, node)
        if definition.mutable and self._written(definition, _ASSIGNED, 2):
            return UNKNOWN
        return blurred(found) if isinstance(found, RecordValue) and self._written(definition, _FILLED, 1) else found

    def _class(self, path: str, node: tree.ClassDef) -> RecordValue:
        """A class by its fields, of which code that names the class asks for the static ones: `User.Table`. Its methods are not known."""
        entries: dict[str, Entry] = {}
        for name, _, given in node.fields:
            known = given is not None and name not in entries
            value = self.top(path, given) if given is not None and known else UNKNOWN
            at, end = (given.at, given.end) if given is not None else (node.at, node.end)
            entries[name] = Entry(value, path, node.at, at, end)
        return RecordValue(entries, (Gap(path, node.at, node.end, UNKNOWN),))

    def value(self, expr: tree.Expr, scope: Scope) -> Value:
        """An expression within a scope."""
        if self._depth >= DEEPEST or self._steps >= self._most_steps:
            return UNKNOWN
        self._depth += 1
        self._steps += 1
        try:
            return self._value(expr, scope)
        finally:
            self._depth -= 1
            if not self._depth:
                self._steps = 0

    def _value(self, expr: tree.Expr, scope: Scope) -> Value:
        match expr:
            case tree.Literal():
                return expr.value
            case tree.Name():
                home = scope.home(expr.id)
                return home.names[expr.id] if home is not None else self.named(scope.path, expr.id)
            case tree.Member() | tree.Call() | tree.Typed():
                return self._spine(expr, scope)
            case tree.Record():
                return self._record(expr, scope)
            case tree.Array():
                items, complete = self._items(expr.items, scope)
                return ArrayValue(tuple(items), complete)
            case tree.Fn():
                return Closure(expr, scope)
            case tree.Template():
                parts = [text(self.value(part, scope)) for part in expr.parts]
                return UNKNOWN if None in parts else "".join(part for part in parts if part is not None)
            case tree.Ternary():
                known = truth(self.value(expr.test, scope))
                if known is not None:
                    return self.value(expr.then if known else expr.other, scope)
                return choice(self.value(expr.then, scope), self.value(expr.other, scope))
            case tree.Logic():
                return self._logic(expr, scope)
            case tree.Index():
                return self._at(self.value(expr.base, scope), self.value(expr.key, scope))
            case tree.Op():
                return operators.apply(expr.sign, [self.value(operand, scope) for operand in expr.operands])
        return UNKNOWN

    def _spine(self, expr: tree.Expr, scope: Scope) -> Value:
        """A chain of members and calls, from its root outward: chains grow long, and the stack is short."""
        links: list[tree.Member | tree.Call] = []
        root = expr
        while True:
            match root:
                case tree.Member():
                    links.append(root)
                    root = root.base
                case tree.Call():
                    links.append(root)
                    root = root.func
                case tree.Typed():
                    root = root.value
                case _:
                    break
        found = self.value(root, scope)
        for link in reversed(links):
            if link.optional and (found is None or found is UNDEFINED):
                return UNDEFINED
            if isinstance(link, tree.Member):
                found = self.member(found, link.name)
            elif link.new:
                found = UNKNOWN
            else:
                args, _ = self._items(link.args, scope)
                found = self.call(found, args, _site(scope.path, link))
        return found

    def _record(self, record: tree.Record, scope: Scope) -> RecordValue:
        entries: dict[str, Entry] = {}
        gaps: list[Gap] = []
        low = record.at
        for key, expr in record.entries:
            found = self.value(expr, scope)
            if key is None:
                spread: dict[str, Entry] = {}
                for option in options(found):
                    match option:
                        case RecordValue():
                            for name, entry in option.entries.items():
                                either = spread.get(name)
                                spread[name] = entry if either is None else replace(entry, value=choice(either.value, entry.value))
                            gaps += option.gaps
                        case None | Missing() | str() | int() | float():
                            pass
                        case _:
                            gaps.append(Gap(scope.path, expr.at, expr.end, option))
                # As in the language, a member that is set again keeps its place but takes the new value.
                entries |= spread
            else:
                title = key if isinstance(key, str) else text(self.value(key, scope))
                if title is None:
                    gaps.append(Gap(scope.path, expr.at, expr.end, found))
                else:
                    entries[title] = Entry(found, scope.path, low, expr.at, expr.end)
            low = expr.end
        return RecordValue(entries, tuple(gaps))

    def _items(self, exprs: Sequence[tree.Expr], scope: Scope) -> tuple[list[Value], bool]:
        """The items of an array or of arguments, and whether these are all."""
        items: list[Value] = []
        complete = True
        for expr in exprs:
            if not isinstance(expr, tree.Spread):
                items.append(self.value(expr, scope))
                continue
            spread = self.value(expr.value, scope)
            if isinstance(spread, ArrayValue):
                items += spread.items
                complete = complete and spread.complete
            else:
                items.append(UNKNOWN)
                complete = False
        return items, complete

    def _logic(self, expr: tree.Logic, scope: Scope) -> Value:
        left = self.value(expr.left, scope)
        if expr.sign == "??":
            if left is None or left is UNDEFINED:
                return self.value(expr.right, scope)
            sure = not isinstance(left, Choice | External) and left is not UNKNOWN
            return left if sure else choice(left, self.value(expr.right, scope))
        known = truth(left)
        if known is None:
            right = self.value(expr.right, scope)
            # What `condition && value` gives when the condition fails is nothing that anybody goes on with.
            return choice(False, right) if expr.sign == "&&" else choice(left, right)
        return left if known == (expr.sign == "||") else self.value(expr.right, scope)

    def _at(self, base: Value, key: Value) -> Value:
        if isinstance(base, ArrayValue) and isinstance(key, int) and not isinstance(key, bool):
            if base.complete:
                return base.items[key] if 0 <= key < len(base.items) else UNDEFINED
            return UNKNOWN
        name = text(key)
        return UNKNOWN if name is None else self.member(base, name)

    def member(self, base: Value, name: str) -> Value:
        """`base.name`."""
        match base:
            case RecordValue():
                found = base.entries.get(name)
                return found.value if found is not None else UNKNOWN if base.gaps else UNDEFINED
            case Namespace():
                definition = self._modules.exported(base.path, name)
                return UNKNOWN if definition is None else self.defined(definition)
            case External():
                return self._external(base.specifier, name if base.name == "*" else f"{base.name}.{name}")
            case Choice():
                return choice(*(self.member(option, name) for option in base.options))
            case Thing():
                return base.member(name)
            case ArrayValue():
                return builtin.array_member(base, name, self.call)
            case str():
                return len(base) if name == "length" else UNKNOWN
        return UNKNOWN

    def call(self, func: Value, args: Sequence[Value], site: Site) -> Value:
        """`func(...args)`."""
        match func:
            case Closure():
                found = UNKNOWN if func.fn.is_async or func.fn.generator else Run(self).call(func, args)
                return self._host.foreign(args, site) if found is UNKNOWN else found
            case Thing():
                return func.call(args, site)
            case Choice():
                return choice(*(self.call(option, args, site) for option in func.options))
        return self._host.foreign(args, site)

    def _external(self, specifier: str, name: str) -> Value:
        found = self._host.external(specifier, name)
        return External(specifier, name) if found is None else found

    def _written(self, definition: Definition, pattern: bytes, times: int) -> bool:
        """Whether the text of a module writes to a top-level name at least so many times."""
        source = self._modules.source(definition.path) or b""
        found = re.finditer(pattern.replace(b"NAME", re.escape(definition.name.encode())), source)
        return sum(1 for _ in found) >= times


def _site(path: str, call: tree.Call) -> Site:
    match call.func:
        case tree.Member(name=name, name_at=name_at):
            return Site(path, call.at, call.end, name, name_at, method=True)
        case tree.Name(id=name, at=name_at):
            return Site(path, call.at, call.end, name, name_at)
    return Site(path, call.at, call.end, name_at=call.func.at)
