"""A loop over items, and on what way its rounds come to a place: under which conditions, with which values worked out before."""

from __future__ import annotations

from dataclasses import field

import libcst as cst

from querylint.construction import dataclass
from querylint.rewrite import Unfit
from querylint.rewrite.python.concrete import Tree, around, method, name, walk
from querylint.rewrite.python.expressions import code, one_line, replaced, scoped
from querylint.rewrite.python.scopes import bound, changed, fresh, names, variables

PURE = frozenset(("int", "str", "float", "bool", "len", "tuple", "isinstance", "min", "max", "abs", "repr", "UUID"))
PURE_METHODS = frozenset(("get", "strip", "lower", "upper", "startswith", "endswith", "UUID", "removeprefix", "removesuffix"))
VIEWS = frozenset(("items", "keys", "values"))
CONDITIONS = frozenset(
    ("Q", "F", "Value", "Exists", "OuterRef", "or_", "and_", "not_", "desc", "asc", "in_", "is_", "is_not", "isnot", "any", "has", "like",
     "joinedload", "selectinload", "subqueryload", "contains_eager", "load_only", "defaultload", "lower",
     "nullslast", "nulls_last", "between")
)  # fmt: skip
"""What conditions and options of a query are made with."""
TRANSACTIONS = frozenset(("atomic", "begin", "begin_nested", "transaction"))
UNSEEN = "whether the read runs depends on more than the item"


@dataclass(slots=True)
class Rounds:
    """A loop. `conditions` and `worked_out` say what a round does before it comes to the place; `partial` that it does not come there for
    some items besides, `transaction` that it does so in a transaction of its own. `queries` are the values that are given to a variable on
    the way by more than plain expressions, with their statements.
    """

    tree: Tree
    loop: cst.For | cst.CompFor
    scope: cst.CSTNode
    conditions: list[str] = field(default_factory=list)
    worked_out: dict[str, cst.BaseExpression] = field(default_factory=dict)
    handler: cst.Try | None = None
    tested: list[cst.CSTNode] = field(default_factory=list)
    partial: bool = False
    suppressed: list[cst.Call] = field(default_factory=list)
    transaction: bool = False
    queries: dict[str, tuple[cst.SimpleStatementLine, cst.BaseExpression]] = field(default_factory=dict)

    @property
    def own(self) -> frozenset[str]:
        """The variables that every round has of its own."""
        return names(self.loop.target) | (bound(self.loop.body) if isinstance(self.loop, cst.For) else frozenset())

    def text(self, node: cst.BaseExpression) -> str | None:
        """An expression in terms of the item alone; None where it needs more."""
        if names(node) & (self.own - names(self.loop.target) - self.worked_out.keys()) or not one_line(node):
            return None
        return code(self.settled(node))

    def settled(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """An expression with what was worked out in the round in the place of the variables that hold it."""
        return replaced(node, self.worked_out)

    def keys(self, key: str, items: str) -> str:
        """The keys of all the items, by what these are called before the loop."""
        target = self.tree.text(self.loop.target)
        tests = "".join(f" if {condition}" for condition in dict.fromkeys(self.conditions))
        return f"[{key} for {target} in {items}{tests}]" if tests or key != target else items


def built(found: Rounds, node: cst.BaseExpression) -> tuple[cst.BaseExpression, tuple[cst.SimpleStatementLine, ...]]:
    """A read with the queries that the round has given to variables for it alone in the place of these, and the statements that did so."""
    gone: list[cst.SimpleStatementLine] = []
    while True:
        own = next((name for name in sorted(names(node) & found.queries.keys()) if _for_one(found, name)), None)
        if own is None:
            return node, tuple(gone)
        statement, value = found.queries[own]
        gone.append(statement)
        node = replaced(node, {own: value})


def _for_one(found: Rounds, own: str) -> bool:
    """Whether a variable is given one value, and used in one place, and neither has a comment that would be lost."""
    statement = found.queries[own][0]
    uses = sum(here.value == own for here in variables(found.scope))
    return uses == 2 and "#" not in found.tree.text(statement) and isinstance(found.loop, cst.For)


def rounds(tree: Tree, way: list[cst.CSTNode], node: cst.BaseExpression, start: int) -> Rounds | Unfit:
    """The loop of a place, and how its rounds come to a read."""
    scope = around(way, cst.FunctionDef) or tree.module
    last = way[-1]
    for up in reversed(way):
        if isinstance(up, cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp):
            return _comprehension(tree, up, scope, way)
        if isinstance(up, cst.For):
            break
        if isinstance(up, cst.FunctionDef | cst.Lambda | cst.While):
            return Unfit("the read is not directly in a loop over items")
        last = up
    loop = next((up for up in reversed(way) if isinstance(up, cst.For)), None)
    if loop is not None and loop.iter in (node, last):
        return Unfit("an inner loop goes through what is read for each item")
    if loop is None or tree.start(loop) != start or last is not loop.body:
        return Unfit("the read is not directly in a loop over items")
    if loop.asynchronous is not None:
        return Unfit("the items themselves arrive one by one")
    found = Rounds(tree, loop, scope)
    inner = way[way.index(loop) :]
    for outer, child in zip(inner, [*inner[1:], node], strict=True):
        if reason := _step(found, outer, child):
            return Unfit(reason)
    return found


def _comprehension(tree: Tree, made: cst.BaseExpression, scope: cst.CSTNode, way: list[cst.CSTNode]) -> Rounds | Unfit:
    assert isinstance(made, cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp)
    clause = made.for_in
    test = next((up for up in way if isinstance(up, cst.CompIf) and up in clause.ifs), None)
    if clause.inner_for_in is not None or clause.asynchronous is not None or (clause in way and test is None):
        return Unfit("the comprehension has a form that is not understood")
    around_it = way[: way.index(made)]
    if any(isinstance(up, cst.Lambda | cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp) for up in around_it):
        return Unfit("the comprehension stands in another one, whose items it may need")
    found = Rounds(tree, clause, scope)
    before = clause.ifs if test is None else clause.ifs[: list(clause.ifs).index(test)]
    found.conditions = [tree.text(one.test) for one in before]
    found.tested = [one.test for one in before]
    inner = way[way.index(made) + 1 :]
    if any(isinstance(up, cst.Lambda | cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp) for up in inner):
        return Unfit(UNSEEN)
    found.partial = any(isinstance(up, cst.IfExp | cst.BooleanOperation) for up in inner)
    return found


def _step(found: Rounds, outer: cst.CSTNode, child: cst.CSTNode) -> str:
    """One step down to the read; why it cannot be told what leads there, empty where it can."""
    if isinstance(outer, cst.IndentedBlock):
        for statement in outer.body:
            if statement is child:
                return ""
            if reason := _before(found, statement):
                return reason
    elif isinstance(outer, cst.If):
        if child is outer.body:
            return _condition(found, outer.test, holds=True)
        if child is outer.orelse:
            return _condition(found, outer.test, holds=False)
    elif isinstance(outer, cst.Try):
        if child is not outer.body or found.handler is not None:
            return "the read is part of an error handler"
        found.handler = outer
    elif isinstance(outer, cst.With):
        calls = [item.item for item in outer.items if isinstance(item.item, cst.Call)]
        found.suppressed += [call for call in calls if name(call.func).rpartition(".")[2] == "suppress"]
        found.transaction |= any(name(call.func).rpartition(".")[2] in TRANSACTIONS for call in calls)
    elif isinstance(outer, cst.IfExp | cst.BooleanOperation):
        found.partial = True
    elif isinstance(outer, cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp | cst.Lambda):
        return UNSEEN
    return ""


def _before(found: Rounds, statement: cst.CSTNode) -> str:
    if isinstance(statement, cst.If) and statement.orelse is None and _leaves(statement.body):
        return _condition(found, statement.test, holds=False)
    if bound(statement) & (found.worked_out.keys() | names(found.loop.target)):
        return UNSEEN
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        part = statement.body[0]
        target = part.targets[0].target if isinstance(part, cst.Assign) and len(part.targets) == 1 else None
        value = part.value if isinstance(part, cst.Assign) else None
        if value is not None and isinstance(target, cst.Name) and pure(value) and not scoped(value) and found.text(value) is not None:
            found.worked_out[target.value] = found.settled(value)
        elif isinstance(value, cst.Call) and isinstance(target, cst.Name) and not any(isinstance(n, cst.Await) for n in walk(value)):
            found.queries[target.value] = (statement, value)
    return ""


def _leaves(body: cst.BaseSuite) -> bool:
    """Whether a round ends there: no later statement sees an item of which the condition holds, such as a key that cannot be one."""
    last = body.body[-1] if isinstance(body, cst.IndentedBlock) and body.body else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Continue | cst.Break | cst.Return | cst.Raise)


def _condition(found: Rounds, test: cst.BaseExpression, *, holds: bool) -> str:
    text = found.text(test)
    if text is None or any(isinstance(n, cst.NamedExpr | cst.Await) for n in walk(test)):
        found.partial = True
        return ""
    found.tested.append(test)
    if holds:
        found.conditions.append(f"({text})" if isinstance(test, cst.IfExp | cst.Lambda) else text)
    elif isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not) and not test.lpar:
        found.conditions.append(found.text(test.expression) or f"not ({text})")
    else:
        found.conditions.append(f"not {text}" if isinstance(found.settled(test), cst.Name | cst.Attribute) else f"not ({text})")
    return ""


def pure(node: cst.CSTNode) -> bool:
    """Whether working an expression out once more changes nothing."""
    for here in walk(node):
        if isinstance(here, cst.Await | cst.Yield | cst.NamedExpr):
            return False
        if isinstance(here, cst.Call) and name(here.func).rpartition(".")[2] not in PURE and method(here) not in PURE_METHODS:
            return False
    return True


def calm(node: cst.CSTNode) -> bool:
    """Whether a part of a query is the same whenever it is worked out."""
    calls = [here for here in walk(node) if isinstance(here, cst.Call)]
    known = PURE | PURE_METHODS | CONDITIONS
    return not any(isinstance(n, cst.Await | cst.Yield | cst.NamedExpr) for n in walk(node)) and all(
        (method(call) or name(call.func)) in known for call in calls
    )


def again(found: Rounds, taken: frozenset[str]) -> tuple[str, str]:
    """How the items are named before the loop, and the statement that keeps them, empty where they can be run through twice."""
    items = found.loop.iter
    text = found.tree.text(items)
    if isinstance(items, cst.Call) and method(items) in VIEWS and not items.args and _stable(items.func):
        return text, ""
    if isinstance(items, cst.Name) and (_listed(found.scope, items.value) or _annotated(found.scope, items.value)):
        return text, ""
    if isinstance(items, cst.List | cst.Tuple | cst.Set):
        return text, ""
    kept = fresh("items", taken)
    return kept, f"{kept} = list({text})"


LISTS = ("list", "List", "tuple", "Tuple", "set", "Set", "frozenset")


def listed(scope: cst.CSTNode, items: cst.BaseExpression) -> bool:
    """Whether what a loop runs over is a list or the like for certain: it has a truth, and can be run through again."""
    if isinstance(items, cst.List | cst.Tuple | cst.Set):
        return True
    return isinstance(items, cst.Name) and _annotation(scope, items.value).partition("[")[0].rpartition(".")[2] in LISTS


def _stable(node: cst.BaseExpression) -> bool:
    return all(isinstance(here, cst.Name | cst.Attribute | cst.Dot | cst.SimpleWhitespace) for here in walk(node))


def _listed(scope: cst.CSTNode, wanted: str) -> bool:
    """Whether a variable is given nothing but lists and the like."""
    values: list[cst.BaseExpression] = []
    for node in walk(scope):
        if isinstance(node, cst.Assign) and any(wanted in names(target.target) for target in node.targets):
            if not all(isinstance(target.target, cst.Name) for target in node.targets):
                return False
            values.append(node.value)
        elif isinstance(node, cst.AnnAssign | cst.NamedExpr | cst.For | cst.CompFor | cst.AsName | cst.AugAssign) and wanted in bound(node):
            if isinstance(node, cst.For) and wanted not in names(node.target):
                continue
            return False
    return bool(values) and all(_is_list(value) for value in values)


def _is_list(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.List | cst.Set | cst.Tuple | cst.Dict | cst.ListComp | cst.SetComp | cst.DictComp):
        return True
    return isinstance(value, cst.Call) and name(value.func) in ("list", "set", "sorted", "dict", "tuple", "frozenset")


COLLECTIONS = ("list", "List", "set", "Set", "Sequence", "tuple", "Tuple", "frozenset", "Collection", "dict", "Dict", "QuerySet")


def _annotated(scope: cst.CSTNode, wanted: str) -> bool:
    return _annotation(scope, wanted).partition("[")[0].rpartition(".")[2] in COLLECTIONS


def _annotation(scope: cst.CSTNode, wanted: str) -> str:
    """What a parameter that is never given another value is declared to be."""
    if not isinstance(scope, cst.FunctionDef) or wanted in bound(scope.body):
        return ""
    for parameter in walk(scope.params):
        if isinstance(parameter, cst.Param) and parameter.name.value == wanted and parameter.annotation is not None:
            return cst.Module(body=[]).code_for_node(parameter.annotation.annotation)
    return ""


def whole_numbers(found: Rounds, key: cst.BaseExpression) -> bool:
    """Whether the keys are integers, as far as the code says."""
    if isinstance(key, cst.Call):
        return name(key.func) == "int"
    if not isinstance(key, cst.Name):
        return False
    if key.value in names(found.loop.target):
        items = found.loop.iter
        return isinstance(items, cst.Name) and _annotation(found.scope, items.value).partition("[")[2] in ("int]", "int, ...]")
    worked = found.worked_out.get(key.value)
    return isinstance(worked, cst.Call) and name(worked.func) == "int"


def unsettled(found: Rounds) -> frozenset[str]:
    """The variables that a round may change for the next."""
    return changed(found.loop.body) if isinstance(found.loop, cst.For) else frozenset()
