"""Where the read of all rows goes, and what stands in the place of the read of one."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from querylint.patch import TextEdit
from querylint.rewrite import Unfit
from querylint.rewrite.python.concrete import Tree, around, walk
from querylint.rewrite.python.expressions import code
from querylint.rewrite.python.lookups import Lookup
from querylint.rewrite.python.rounds import Rounds, pure
from querylint.rewrite.python.scopes import fresh, names
from querylint.rewrite.python.wrapping import each_apart, shortened, width

LONG = 100


@dataclass(frozen=True, slots=True)
class Place:
    """The read as it is written, and what it stands in.

    `typed` says that its key has the type of the column for certain; `gone` are the statements that have built the query for it alone.
    """

    node: cst.BaseExpression
    way: list[cst.CSTNode]
    caveats: tuple[str, ...]
    django: bool
    typed: bool
    gone: tuple[cst.SimpleStatementLine, ...] = ()


def laid_out(tree: Tree, indent: str, result: str, text: str) -> str:
    """The statement that reads ahead, on several lines where it is long."""
    inner = f"{indent}    "
    line = f"{indent}{result} = {text}\n"
    if len(line) <= LONG:
        return line
    if text.startswith("{") and " for " in text:
        head, rest = text[1:-1].split(" for ", 1)
        word = "async for" if head.endswith(" async") else "for"
        target, rows = rest.split(" in ", 1)
        before = f"{inner}{word} {target} in "
        return f"{indent}{result} = {{\n{inner}{head.removesuffix(' async')}\n{before}{shortened(tree, rows, before)}\n{indent}}}\n"
    read = cst.parse_expression(text)
    call = read.expression if isinstance(read, cst.Await) else read
    if not isinstance(call, cst.Call):
        return line
    head = f"{'await ' if call is not read else ''}{code(call.func)}"
    most, given = width(tree), text[len(head) + 1 : -1]
    if most and len(inner) + len(given) > most and (len(call.args) > 1 or call.args[0].keyword is not None):
        return f"{indent}{result} = {head}(\n{each_apart(call, inner, most)}{indent})\n"
    return f"{indent}{result} = {head}(\n{inner}{shortened(tree, given, inner)}\n{indent})\n"


def put(tree: Tree, place: Place, over: tuple[Rounds, str], lookup: Lookup, text: str) -> tuple[TextEdit, ...] | Unfit:
    """What stands in the place of the read."""
    up = place.way[-1]
    if lookup.failing is not None:
        return _raised_before(tree, place, over, lookup, text) or _raising(tree, place, lookup, text)
    if not lookup.found:
        return (tree.replaced(place.node, text),)
    if isinstance(up, cst.UnaryOperation) and isinstance(up.operator, cst.Not):
        return (tree.replaced(up, text.replace(" in ", " not in ", 1) if text.count(" in ") == 1 else f"not ({text})"),)
    plain = isinstance(up, cst.BooleanOperation | cst.If | cst.Return | cst.Assign | cst.Arg | cst.IfExp | cst.CompIf)
    return (tree.replaced(place.node, text if plain or place.node.lpar else f"({text})"),)


def _raised_before(tree: Tree, place: Place, over: tuple[Rounds, str], lookup: Lookup, text: str) -> tuple[TextEdit, ...] | None:
    """The error that the helper raised, in a loop before a comprehension that only reads."""
    found, items = over
    made, statement = place.way[-1], statement_of(tree, found)
    if not isinstance(made, cst.ListComp) or made.elt is not place.node or found.conditions or statement is None:
        return None
    own = names(found.loop.target)
    apart = [n for n in walk(found.scope) if isinstance(n, cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp)]
    inside = {here for one in apart if names(one.for_in.target) & own for here in walk(one)}
    if any(isinstance(n, cst.Name) and n.value in own and n not in inside for n in walk(found.scope)):
        return None
    assert lookup.failing is not None
    indent, unit = tree.indent(tree.start(statement)), tree.module.default_indent
    lines = cst.Module(body=[]).code_for_node(lookup.failing).split("\n")
    test = f"{text} is None" if lookup.none else f"not {text}"
    raised = "\n".join([f"raise {lines[0]}", *(f"{indent}{unit}{unit}{line}" for line in lines[1:])])
    at = tree.line_start(tree.start(statement))
    loop = f"{indent}for {tree.text(found.loop.target)} in {items}:\n{indent}{unit}if {test}:\n{indent}{unit}{unit}{raised}\n"
    return tree.edit(at, at, loop), tree.replaced(place.node, text)


def _raising(tree: Tree, place: Place, lookup: Lookup, text: str) -> tuple[TextEdit, ...] | Unfit:
    """The row that is taken, and the error that the helper raised where there is none, before the statement that uses it."""
    assert lookup.failing is not None
    *_, statement, part = [up for up in place.way if isinstance(up, cst.BaseStatement | cst.BaseSmallStatement)]
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return Unfit("there is no place for the error that the helper raises")
    indent, unit = tree.indent(tree.start(statement)), tree.module.default_indent
    lines = cst.Module(body=[]).code_for_node(lookup.failing).split("\n")
    raised = "\n".join([f"{indent}{unit}raise {lines[0]}", *(f"{indent}{unit}{line}" for line in lines[1:])])
    target = part.targets[0].target if isinstance(part, cst.Assign) and len(part.targets) == 1 and part.value is place.node else None
    if isinstance(target, cst.Name):
        end = tree.next_line(tree.end(statement) - 1)
        test = f"{target.value} is None" if lookup.none else f"not {target.value}"
        return tree.replaced(place.node, text), tree.edit(end, end, f"{indent}if {test}:\n{raised}\n")
    call = part.value if isinstance(part, cst.Expr) else None
    if not isinstance(call, cst.Call) or not pure(call.func) or [a.value for a in call.args] != [place.node]:
        return Unfit("there is no place for the error that the helper raises")
    scope = around(place.way, cst.FunctionDef) or tree.module
    row = fresh(lookup.result.partition("_by_")[0], tree.taken(scope))
    test = f"{row} is None" if lookup.none else f"not {row}"
    start = tree.line_start(tree.start(statement))
    before = f"{indent}{row} = {text}\n{indent}if {test}:\n{raised}\n"
    return tree.edit(start, start, before), tree.replaced(place.node, row)


def statement_of(tree: Tree, found: Rounds) -> cst.CSTNode | None:
    """The statement before which the read goes: the loop, or the one that holds the comprehension."""
    if isinstance(found.loop, cst.For):
        return found.loop
    way = tree.way(tree.start(found.loop), tree.start(found.loop) + 1)
    held = next((node for node in reversed(way) if isinstance(node, cst.SimpleStatementLine | cst.IndentedBlock | cst.Module)), None)
    return held if isinstance(held, cst.SimpleStatementLine) else None
