"""A call of a helper that only gives back an expression, as that expression in the words of the caller's file."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field

import libcst as cst

from querylint.ir import Call, Function
from querylint.rewrite import Task, Unfit
from querylint.rewrite.python.classes import carried
from querylint.rewrite.python.concrete import Tree, name, tree_of, walk
from querylint.rewrite.python.expressions import replaced, scoped
from querylint.rewrite.python.imports import Names
from querylint.rewrite.python.rounds import pure
from querylint.rewrite.python.scopes import bound, names

DEPTH = 3
UNKNOWN = "the read is in a helper whose code is not known"
MORE = "`{name}` does more than return what one query finds for its arguments"
BUILT_IN = frozenset(dir(builtins))
_PLAIN = (cst.Name, cst.Attribute, cst.Integer, cst.SimpleString)
PLAIN = ("staticmethod", "classmethod")


@dataclass(frozen=True, slots=True)
class Inlined:
    """What a helper gives back; `failing` is the error that it raises where that is nothing, `none` that only None is nothing to it."""

    expression: cst.BaseExpression
    failing: cst.BaseExpression | None = None
    none: bool = False


@dataclass(slots=True)
class _Ways:
    """The names of other files that an expression uses, by what stands for them in it, and how a caller reaches that file."""

    task: Task
    found: dict[str, tuple[Tree, str, str]] = field(default_factory=dict)
    failing: cst.BaseExpression | None = None
    none: bool = False

    def stand_in(self, tree: Tree, wanted: str, prefix: str) -> cst.BaseExpression:
        """What stands for a name of a file."""
        known = next((mark for mark, (there, local, _) in self.found.items() if there is tree and local == wanted), "")
        mark = known or f"_name_{len(self.found)}_"
        self.found.setdefault(mark, (tree, wanted, prefix))
        return cst.Name(mark)


def inlined(task: Task, tree: Tree, node: cst.BaseExpression, scope: cst.CSTNode, brought: Names) -> Inlined | Unfit:
    """What a call in a scope of a file gives back, in the words of that file; `brought` are the names that have to come along."""
    function = task.function
    ways = _Ways(task)
    made = _given_back(ways, function, tree, node, DEPTH) if function is not None else Unfit(UNKNOWN)
    if isinstance(made, Unfit):
        return made
    local: dict[str, cst.BaseExpression] = {}
    for mark, (there, wanted, prefix) in ways.found.items():
        known = wanted if there is tree else carried(task.sources, tree, there, wanted, prefix, brought)
        if known is None or known.partition(".")[0] in bound(scope):
            return Unfit(
                f"`{wanted}` of {there.path} cannot be named in {tree.path}: an import could lead in a circle, or hide another name"
            )
        local[mark] = cst.parse_expression(known)
    failing = replaced(ways.failing, local) if ways.failing is not None else None
    return Inlined(replaced(made, local), failing, ways.none)


def _given_back(ways: _Ways, function: Function, tree: Tree, node: cst.BaseExpression, depth: int) -> cst.BaseExpression | Unfit:
    """What a call gives back, in the words of its caller, with stand-ins for the names of other files."""
    call = node.expression if isinstance(node, cst.Await) else node
    start, end = tree.bounds(call)
    step = next((s for s in function.steps() if isinstance(s, Call) and s.span.start == start and s.span.end == end), None)
    callee = ways.task.program.callee(function, step) if step is not None else None
    there = tree_of(ways.task.sources, callee.path) if callee is not None else None
    if callee is None or there is None or not isinstance(call, cst.Call) or not depth:
        return Unfit(UNKNOWN)
    definition = definition_of(there, callee)
    if definition is not None and not all(name(one.decorator) in PLAIN for one in definition.decorators):
        return Unfit(f"there is a decorator on `{callee.name.rpartition('.')[2]}`")
    more = Unfit(MORE.format(name=callee.name.rpartition(".")[2]))
    held = list(definition.body.body) if definition is not None else []
    guard = _guard(held) if depth == DEPTH else None
    if guard is not None:
        held = [*held[:-2], held[-1]]
    body = _returned(definition, held) if definition is not None else None
    if definition is None or body is None:
        return more
    given = _arguments(definition, call)
    if given is None or not all(pure(value) for value in given.values()):
        return Unfit(f"what `{callee.name.rpartition('.')[2]}` is passed is not clear")
    reached = depth == DEPTH and isinstance(call.func, cst.Attribute) and "." not in callee.name
    prefix = name(call.func.value) if reached and isinstance(call.func, cst.Attribute) else ""
    free = names(body) - given.keys() - BUILT_IN
    if guard is not None:
        needed = names(guard.failing) - given.keys() - BUILT_IN
        if needed & bound(definition.body) or scoped(guard.failing) or not all(isinstance(v, _PLAIN) for v in given.values()):
            return more
        ways.failing = replaced(guard.failing, {**given, **{one: ways.stand_in(there, one, prefix) for one in sorted(needed)}})
        ways.none = guard.none
    if _calls(ways.task, there, callee, body):
        inner = _given_back(ways, callee, there, body, depth - 1)
        if isinstance(inner, Unfit):
            return inner
        body, free = inner, names(inner) - given.keys() - BUILT_IN - ways.found.keys()
    if (scoped(body) and names(body) & given.keys()) or free & bound(definition.body):
        return more
    return replaced(body, {**given, **{one: ways.stand_in(there, one, prefix) for one in sorted(free)}})


def _calls(task: Task, tree: Tree, function: Function, node: cst.BaseExpression) -> bool:
    """Whether an expression of a function is the call of another helper."""
    call = node.expression if isinstance(node, cst.Await) else node
    if not isinstance(call, cst.Call) or not tree.placed(call):
        return False
    start, end = tree.bounds(call)
    steps = [s for s in function.steps() if isinstance(s, Call) and s.span.start == start and s.span.end == end]
    return any(task.program.callee(function, step) is not None for step in steps)


def definition_of(tree: Tree, function: Function) -> cst.FunctionDef | None:
    """The definition of a function."""
    wanted = function.name.rpartition(".")[2]
    for node in tree.functions:
        if node.name.value == wanted and function.span.start <= tree.start(node.name) < function.span.end:
            return node
    return None


@dataclass(frozen=True, slots=True)
class _Guard:
    """The error that a function raises where it finds nothing."""

    failing: cst.BaseExpression
    none: bool


def _guard(statements: list[cst.CSTNode]) -> _Guard | None:
    """`if not row: raise ...` before `return row`."""
    if len(statements) < 3 or not isinstance(statements[-2], cst.If) or statements[-2].orelse is not None:
        return None
    test, last = statements[-2].test, statements[-1]
    given = last.body[0] if isinstance(last, cst.SimpleStatementLine) and len(last.body) == 1 else None
    body = statements[-2].body
    only = body.body[0] if isinstance(body, cst.IndentedBlock) and len(body.body) == 1 else None
    raised = only.body[0] if isinstance(only, cst.SimpleStatementLine) and len(only.body) == 1 else None
    if not isinstance(raised, cst.Raise) or raised.exc is None or raised.cause is not None:
        return None
    if not isinstance(given, cst.Return) or not isinstance(given.value, cst.Name):
        return None
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not) and name(test.expression) == given.value.value:
        return _Guard(raised.exc, none=False)
    compared = test.comparisons[0] if isinstance(test, cst.Comparison) and len(test.comparisons) == 1 else None
    nothing = compared is not None and isinstance(compared.operator, cst.Is) and name(compared.comparator) == "None"
    return _Guard(raised.exc, none=True) if nothing and isinstance(test, cst.Comparison) and name(test.left) == given.value.value else None


def _returned(definition: cst.FunctionDef, statements: list[cst.CSTNode]) -> cst.BaseExpression | None:
    """The expression that statements of a function give back, if they do nothing else."""
    settled: dict[str, cst.BaseExpression] = {}
    if definition.get_docstring() is not None:
        statements = statements[1:]
    for statement in statements[:-1]:
        part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
        if not isinstance(part, cst.Assign) or len(part.targets) != 1 or not isinstance(part.targets[0].target, cst.Name):
            return None
        own = part.targets[0].target.value
        uses = sum(isinstance(n, cst.Name) and n.value == own for later in statements for n in walk(later)) - 1
        if own in settled or (uses > 1 and not pure(part.value)):
            return None
        settled[own] = replaced(part.value, settled)
    last = statements[-1] if statements else None
    part = last.body[0] if isinstance(last, cst.SimpleStatementLine) and len(last.body) == 1 else None
    return replaced(part.value, settled) if isinstance(part, cst.Return) and part.value is not None else None


def _arguments(definition: cst.FunctionDef, call: cst.Call) -> dict[str, cst.BaseExpression] | None:
    """What each parameter of a function is given by a call; None where that cannot be told."""
    listed = definition.params
    if listed.star_kwarg is not None or isinstance(listed.star_arg, cst.Param) or any(a.star for a in call.args):
        return None
    places = [*listed.posonly_params, *listed.params]
    given = {p.name.value: p.default for p in (*places, *listed.kwonly_params) if p.default is not None and _constant(p.default)}
    values = [a for a in call.args if a.keyword is None]
    first = places[0].name.value if places else ""
    if first in ("self", "cls") and isinstance(call.func, cst.Attribute):
        given[first] = call.func.value
        places = places[1:]
    if len(values) > len(places):
        return None
    given.update({place.name.value: a.value for place, a in zip(places, values, strict=False)})
    given.update({a.keyword.value: a.value for a in call.args if a.keyword is not None})
    return given if all(p.name.value in given for p in (*places, *listed.kwonly_params)) else None


def _constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Integer | cst.SimpleString) or name(node) in ("None", "True", "False")
