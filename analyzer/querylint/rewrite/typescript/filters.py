"""`.filter((q) => q.and(...))` of the database: its conjuncts, and some of them taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.patch import TextEdit
from querylint.rewrite.typescript import chains
from querylint.rewrite.typescript.layout import raised
from querylint.rewrite.typescript.source import FUNCTIONS, NAMES, Source, around, code, declarators, inner, names, walk

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_STEPS = 5
ARITHMETIC = frozenset(("add", "sub", "mul", "div", "mod", "neg"))


@dataclass(frozen=True, slots=True)
class Conjunct:
    """One condition; `field`, `method` and `value` are there where it compares a field with something else."""

    node: Node
    field: str = ""
    method: str = ""
    value: Node | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of which all conjuncts are known; `both` is the `q.and(...)` that holds them, if one does."""

    link: chains.Link
    conjuncts: tuple[Conjunct, ...]
    both: Node | None
    computes: bool


def read(file: Source, link: chains.Link) -> Filter | None:
    """A filter as its conjuncts; None where its callback does more than say a condition."""
    callback = link.arguments[0] if len(link.arguments) == 1 else None
    builder = name_of(head(file, callback) or "") if callback is not None else ""
    body = _condition(callback) if callback is not None and builder else None
    if body is None:
        return None
    both = chains.link(file, body)
    computes = any((one := chains.link(file, part)) is not None and one.name in ARITHMETIC for part in walk(body))
    if both is not None and both.name == "and" and _on(file, both, builder):
        parts = [_conjunct(file, inner(part), builder) for part in both.arguments]
        return Filter(link, tuple(parts), body, computes)
    return Filter(link, (_conjunct(file, body, builder),), None, computes)


def head(file: Source, callback: Node) -> str | None:
    """The parameters of an arrow function as they are written, if there is just one."""
    if callback.type not in FUNCTIONS:
        return None
    lone, several = callback.child_by_field_name("parameter"), callback.child_by_field_name("parameters")
    if lone is not None:
        return file.text(lone)
    return file.text(several) if several is not None and len(code(several)) == 1 else None


def head_of(file: Source, ranged: chains.Link | None, chain: Node) -> str:
    """The parameters of the callback of a range, or of a new one: without a type, unless its chain begins with what is declared `any`."""
    given = (head(file, one) for one in (ranged.arguments if ranged is not None else ()))
    return next((one for one in given if one is not None), None) or ("(q: any)" if untyped(file, chain) else "(q)")


def untyped(file: Source, value: Node, depth: int = 0) -> bool:
    """Whether an expression is `any` to the type checker, which then knows nothing of the parameters of a callback that it is given."""
    if not file.typed or depth > MOST_STEPS:
        return False
    base: Node | None = value
    while base is not None and base.type in ("call_expression", "member_expression", "await_expression", "parenthesized_expression"):
        held = base.child_by_field_name("function") or base.child_by_field_name("object")
        base = held or (code(base)[0] if code(base) else None)
    if base is not None and base.type == "as_expression":
        return file.text(base).endswith(" as any")
    if base is None or base.type != "identifier":
        return False
    function = around(value, *FUNCTIONS)
    while function is not None:
        declared = declarators(function, base)
        if declared:
            held, kind = declared[0].child_by_field_name("value"), declared[0].child_by_field_name("type")
            if kind is not None or len(declared) > 1 or held is None:
                return kind is not None and _is_any(file, kind)
            return untyped(file, held, depth + 1)
        given = function.child_by_field_name("parameters")
        for one in code(given) if given is not None else []:
            pattern, kind = one.child_by_field_name("pattern"), one.child_by_field_name("type")
            if pattern is not None and pattern.text == base.text:
                return kind is not None and _is_any(file, kind)
        function = around(function, *FUNCTIONS)
    return False


def _is_any(file: Source, kind: Node) -> bool:
    return file.text(kind).lstrip(": ") == "any"


def name_of(parameters: str) -> str:
    """The name of the one parameter, empty where it is taken apart."""
    name = parameters.strip("()").partition(":")[0].strip()
    return name if name.replace("_", "a").replace("$", "a").isalnum() else ""


def _condition(callback: Node) -> Node | None:
    body = callback.child_by_field_name("body")
    if body is None:
        return None
    if body.type != "statement_block":
        return inner(body)
    statements = code(body)
    if len(statements) != 1 or statements[0].type != "return_statement" or not code(statements[0]):
        return None
    return inner(code(statements[0])[0])


def _on(file: Source, link: chains.Link, builder: str) -> bool:
    callee = link.call.child_by_field_name("function")
    held = callee.child_by_field_name("object") if callee is not None else None
    return held is not None and held.type in NAMES and file.text(held) == builder


def _conjunct(file: Source, node: Node, builder: str) -> Conjunct:
    link = chains.link(file, node)
    if link is None or len(link.arguments) != 2 or not _on(file, link, builder):
        return Conjunct(node)
    left, right = (_field(file, argument, builder) for argument in link.arguments)
    if left and builder not in names(link.arguments[1]):
        return Conjunct(node, left, link.name, link.arguments[1])
    if right and builder not in names(link.arguments[0]):
        turned = {"lt": "gt", "gt": "lt", "lte": "gte", "gte": "lte"}.get(link.name, link.name)
        return Conjunct(node, right, turned, link.arguments[0])
    return Conjunct(node)


def _field(file: Source, node: Node, builder: str) -> str:
    link = chains.link(file, inner(node))
    if link is None or link.name != "field" or len(link.arguments) != 1 or not _on(file, link, builder):
        return ""
    return file.text(link.arguments[0])[1:-1] if link.arguments[0].type == "string" else ""


def _alone(file: Source, one: Filter, both: Node, conjunct: Conjunct) -> TextEdit:
    """The last conjunct in the place of all of them, on the line of its filter where it fits there."""
    callback, text = one.link.arguments[0], raised(file, conjunct.node, both)
    column = callback.start_byte - file.data.rfind(b"\n", 0, callback.start_byte)
    line = f"{head(file, callback)} => {text}"
    plain = callback.child_by_field_name("body") == both and callback.type == "arrow_function"
    if plain and "\n" not in line and column + len(line) < file.width and b"/" not in file.data[callback.start_byte : both.start_byte]:
        tail = file.data[both.end_byte : one.link.call.end_byte - 1]
        if not tail.strip(b", \t\r\n"):
            return file.edit(callback.start_byte, one.link.call.end_byte - 1, line)
    return file.edit(both.start_byte, both.end_byte, text)


def without(file: Source, one: Filter, gone: list[Conjunct]) -> list[TextEdit]:
    """A filter without some of its conjuncts; of two that are left one by one, the last needs no `and`."""
    assert one.both is not None
    left = [conjunct for conjunct in one.conjuncts if conjunct not in gone]
    if len(left) == 1:
        return [_alone(file, one, one.both, left[0])]
    edits: list[TextEdit] = []
    kept: Node | None = None
    run: list[Node] = []
    for conjunct in one.conjuncts:
        if conjunct in gone:
            run.append(conjunct.node)
            continue
        if run:
            edits.append(file.edit(run[0].start_byte, conjunct.node.start_byte, ""))
        kept, run = conjunct.node, []
    if run and kept is not None:
        edits.append(file.edit(kept.end_byte, run[-1].end_byte, ""))
    return edits
