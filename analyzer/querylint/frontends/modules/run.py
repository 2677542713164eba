"""The body of a function of the project, followed statement by statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from querylint.construction import replace
from querylint.frontends.modules.names import bound
from querylint.frontends.modules.values import (
    UNDEFINED,
    UNKNOWN,
    ArrayValue,
    Closure,
    Entry,
    RecordValue,
    Scope,
    Thing,
    Value,
    blurred,
    choice,
    text,
    truth,
)  # fmt: skip
from querylint.syntax import tree

MOST_TURNS = 200
MOST_FORKS = 32


class Evaluates(Protocol):
    """What evaluates the expressions of the body."""

    def value(self, expr: tree.Expr, scope: Scope) -> Value:
        """An expression within a scope."""


class _Never:
    """The outcome of code that throws."""


NEVER = _Never()
Outcome = Value | _Never


class Run:
    """One call of one function."""

    def __init__(self, evaluator: Evaluates) -> None:
        self._evaluator = evaluator
        self._forks = 0

    def call(self, closure: Closure, args: Sequence[Value]) -> Value:
        """What the function returns."""
        scope = Scope(closure.scope.path, {}, closure.scope)
        for position, param in enumerate(closure.fn.params):
            given: Value = UNDEFINED
            if param.rest:
                given = ArrayValue(tuple(args[position:]))
            elif position < len(args):
                given = args[position]
            if given is UNDEFINED and param.default is not None:
                given = self._evaluator.value(param.default, scope)
            self._bind(param.pattern, given, scope)
        found = self._block(closure.fn.body, scope)
        return UNKNOWN if isinstance(found, _Never) else found

    def _block(self, body: Sequence[tree.Stmt], scope: Scope) -> Outcome:
        """What the statements return; undefined where they come to their end."""
        ahead = list(reversed(body))
        while ahead:
            stmt = ahead.pop()
            match stmt:
                case tree.Return(value=value):
                    return UNDEFINED if value is None else self._evaluator.value(value, scope)
                case tree.Throw():
                    return NEVER
                case tree.If():
                    known = truth(self._evaluator.value(stmt.test, scope))
                    if known is None:
                        return self._fork(stmt, ahead, scope)
                    ahead += reversed(stmt.then if known else stmt.other)
                case tree.Block(body=inner) | tree.Try(body=inner):
                    ahead += reversed(inner)
                case tree.For(form=tree.LoopForm.OF, pattern=pattern, over=over) if pattern is not None and over is not None:
                    turns = self._evaluator.value(over, scope)
                    if isinstance(turns, ArrayValue) and turns.complete and len(turns.items) <= MOST_TURNS and _plain(stmt.body):
                        for item in turns.items:
                            self._bind(pattern, item, scope)
                            self._block(stmt.body, scope)
                    else:
                        _blur(scope)
                case tree.For() | tree.Switch():
                    _blur(scope)
                case _:
                    self._simple(stmt, scope)
        return UNDEFINED

    def _fork(self, stmt: tree.If, ahead: Sequence[tree.Stmt], scope: Scope) -> Outcome:
        """Both arms of a condition that is not known, each with all that follows."""
        self._forks += 1
        if self._forks > MOST_FORKS:
            return UNKNOWN
        rest = ahead[::-1]
        fork = Scope(scope.path, dict(scope.names), scope.outer)
        one = self._block([*stmt.then, *rest], scope)
        two = self._block([*stmt.other, *rest], fork)
        if isinstance(one, _Never) or isinstance(two, _Never):
            return two if isinstance(one, _Never) else one
        return choice(one, two)

    def _simple(self, stmt: tree.Stmt, scope: Scope) -> None:
        match stmt:
            case tree.Let(pattern=pattern, value=value):
                self._bind(pattern, UNDEFINED if value is None else self._evaluator.value(value, scope), scope)
            case tree.FnDef(fn=fn):
                scope.names[fn.name] = Closure(fn, scope)
            case tree.Do(value=tree.Assign() as assign):
                self._assign(assign, scope)
            case tree.Do(value=tree.Call() as call):
                self._effect(call, scope)

    def _bind(self, pattern: tree.Pattern, value: Value, scope: Scope) -> None:
        if isinstance(pattern, tree.NamePattern):
            scope.names[pattern.id] = value
            return
        # Taken apart by the same expressions as at the top level, over a name that no source can write.
        holder = Scope(scope.path, {"": value}, scope)
        for name, expr in bound(pattern, tree.Name("", pattern.at, pattern.end)):
            scope.names[name] = self._evaluator.value(expr, holder)

    def _assign(self, assign: tree.Assign, scope: Scope) -> None:
        value = self._evaluator.value(assign.value, scope) if assign.sign == "=" else UNKNOWN
        match assign.target:
            case tree.NamePattern(id=name):
                home = scope.home(name)
                if home is not None:
                    home.names[name] = value
            case tree.Member(base=tree.Name(id=name), name=key):
                self._put(name, key, Entry(value, scope.path, assign.at, assign.value.at, assign.value.end), scope)
            case tree.Index(base=tree.Name(id=name), key=inner):
                key_text = text(self._evaluator.value(inner, scope))
                self._put(name, key_text, Entry(value, scope.path, assign.at, assign.value.at, assign.value.end), scope)

    def _put(self, name: str, key: str | None, entry: Entry, scope: Scope) -> None:
        home = scope.home(name)
        if home is None:
            return
        record = home.names[name]
        if isinstance(record, RecordValue) and key is not None:
            home.names[name] = replace(record, entries={**record.entries, key: entry})
        else:
            home.names[name] = blurred(record)

    def _effect(self, call: tree.Call, scope: Scope) -> None:
        """A call for its effect: builders change in place, and arrays grow."""
        root: tree.Expr = call
        while isinstance(root, tree.Call | tree.Member):
            root = root.func if isinstance(root, tree.Call) else root.base
        home = scope.home(root.id) if isinstance(root, tree.Name) else None
        if home is None or not isinstance(root, tree.Name):
            # `Object.assign(tables, ..)` and its like may add to what they are given.
            for arg in call.args:
                owner = scope.home(arg.id) if isinstance(arg, tree.Name) else None
                if owner is not None and isinstance(arg, tree.Name) and isinstance(owner.names[arg.id], RecordValue):
                    owner.names[arg.id] = blurred(owner.names[arg.id])
            return
        held = home.names[root.id]
        if isinstance(held, ArrayValue):
            pushed = isinstance(call.func, tree.Member) and call.func.name == "push" and call.func.base is root
            items = [self._evaluator.value(arg, scope) for arg in call.args]
            whole = pushed and not any(isinstance(arg, tree.Spread) for arg in call.args)
            home.names[root.id] = replace(held, items=(*held.items, *items)) if whole else blurred(held)
        elif isinstance(held, Thing):
            found = self._evaluator.value(call, scope)
            home.names[root.id] = found if isinstance(found, type(held)) else blurred(held)


def _plain(body: Sequence[tree.Stmt]) -> bool:
    """Whether a loop body always runs to its end."""
    return all(isinstance(stmt, tree.Let | tree.Do | tree.FnDef) for stmt in body)


def _blur(scope: Scope) -> None:
    for name, value in scope.names.items():
        scope.names[name] = blurred(value)
