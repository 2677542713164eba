"""A list of which the first rows are used, or only whether there are any: `.collect()` becomes `.first()` or `.take(n)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.ir import Access
from querylint.patch import Fix, Safety, TextEdit
from querylint.remedy import Limit, Probe
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript.source import NAMES, Source, around, code, inner, located, outer, walk

if TYPE_CHECKING:
    from tree_sitter import Node

MOST = 100
"""More rows than this are no look at the first few."""

MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
EQUALITIES = frozenset(("===", "!==", "==", "!="))


def rewrite(task: Task, remedy: Limit | Probe) -> Fix | Unfit:
    """Read no more rows than are looked at; whatever is looked at stays the same."""
    if isinstance(remedy, Limit) and (remedy.paginate or remedy.count != 1):
        return Unfit("how many rows are enough is for you to say")
    place = _ending(task)
    if place is None:
        return Unfit("the code around it does not parse, or the query is not read by .collect()")
    file, call = place
    waiting = outer(call).parent
    if waiting is None or waiting.type != "await_expression":
        return Unfit("the rows are not awaited where they are read by .collect()")
    whole = outer(waiting)
    instead = _instead(file, call, waiting, whole)
    if instead is not None:
        return Fix("read with .first()", Safety.SAFE, (instead,))
    needed = _needed(file, whole)
    if needed is None:
        return Unfit("the rows are used in a way that does not show how many of them are needed")
    return Fix(f"read with .take({needed})", Safety.SAFE, (_read_by(file, call, f"take({needed})"),))


def _ending(task: Task) -> tuple[Source, Node] | None:
    """The call of `.collect()` that reads the rows, be it far from where the query was begun."""
    function = task.function
    ends = [s.span for s in function.steps() if isinstance(s, Access) and s.chain == task.found.span] if function is not None else []
    for span in (task.found.span, *ends):
        place = located(task.sources, span)
        call = _collecting(*place) if place is not None else None
        if place is not None and call is not None:
            return place[0], call
    return None


def _collecting(file: Source, node: Node) -> Node | None:
    """The call of `.collect()` that ends the chain which a node is, or is part of."""
    here: Node | None = node
    while here is not None and here.type in ("call_expression", "member_expression", "await_expression", "parenthesized_expression"):
        call = inner(here)
        call = inner(code(call)[0]) if call.type == "await_expression" else call
        if _method(file, call) == "collect" and not _arguments(call):
            return call
        here = here.parent
    return None


def _method(file: Source, node: Node) -> str:
    """The name of the method that is called, empty where none is."""
    callee = node.child_by_field_name("function") if node.type == "call_expression" else None
    label = callee.child_by_field_name("property") if callee is not None else None
    return file.text(label) if label is not None else ""


def _arguments(node: Node) -> list[Node]:
    given = node.child_by_field_name("arguments")
    return code(given) if given is not None else []


def _read_by(file: Source, call: Node, ending: str) -> TextEdit:
    callee = call.child_by_field_name("function")
    label = callee.child_by_field_name("property") if callee is not None else None
    assert label is not None
    return file.edit(label.start_byte, call.end_byte, ending)


def _instead(file: Source, call: Node, waiting: Node, whole: Node) -> TextEdit | None:
    """An expression of which `.first()` gives the very value: `(...)[0] ?? null`, and comparisons of the length with nothing."""
    used = whole.parent
    if used is None:
        return None
    asked = outer(used)
    around_it = asked.parent
    if around_it is None or around_it.type != "binary_expression":
        return None
    left, right = around_it.child_by_field_name("left"), around_it.child_by_field_name("right")
    sign = around_it.child_by_field_name("operator")
    if left is None or right is None or sign is None or left != asked:
        return None
    head = file.between(waiting.start_byte, _read_by(file, call, "").span.start)
    tail = file.between(call.end_byte, waiting.end_byte)
    if _position(file, used) == 0 and sign.type == "??" and right.type == "null":
        outer_indent, own_indent = file.indent(around_it.start_byte), file.indent(waiting.start_byte)
        if own_indent.startswith(outer_indent):  # the brackets around it, which stood on lines of their own, go
            head = head.replace(f"\n{own_indent}", f"\n{outer_indent}")
        return file.edit(around_it.start_byte, around_it.end_byte, f"{head}first(){tail}")
    label = used.child_by_field_name("property")
    if label is not None and file.text(label) == "length" and _least(sign.type, _number(file, right)) == 1:
        there = "!==" if sign.type in (">", ">=", "!==", "!=") else "==="
        return file.edit(around_it.start_byte, around_it.end_byte, f"({head}first(){tail}) {there} null")
    return None


def _needed(file: Source, rows: Node) -> int | None:
    """How many rows have to be read for all that is done with them to stay the same; None where that is not clear."""
    used = rows.parent
    if used is None:
        return None
    if used.type == "variable_declarator" and used.child_by_field_name("value") == rows:
        pattern = used.child_by_field_name("name")
        if pattern is not None and pattern.type == "array_pattern":
            return _taken_apart(pattern)
        return _by_name(file, used, pattern) if pattern is not None and pattern.type == "identifier" else None
    return _by_use(file, rows)


def _taken_apart(pattern: Node) -> int | None:
    """How many items `[a, b]` takes."""
    if any(child.type not in ("identifier", ",", "[", "]", "comment") for child in pattern.children):
        return None
    return 1 + sum(child.type == "," for child in pattern.children)


def _by_name(file: Source, declared: Node, name: Node) -> int | None:
    scope = around(declared, "statement_block", "program", "switch_case", "switch_default")
    if scope is None:
        return None
    most = 0
    for use in walk(scope):
        if use.type not in NAMES or use == name or use.text != name.text:
            continue
        needed = _by_use(file, use) if use.type == "identifier" else None
        if needed is None:
            return None
        most = max(most, needed)
    return most or None


def _by_use(file: Source, rows: Node) -> int | None:
    """How many rows one use looks at."""
    here = outer(rows)
    used = here.parent
    if used is None or used.child_by_field_name("object") != here:
        return 0 if _tested(here) else None
    position = _position(file, used)
    if position is not None:
        return position + 1 if position < MOST and not _assigned(used) else None
    label = used.child_by_field_name("property")
    if label is not None and file.text(label) == "slice":
        return _sliced(file, used)
    if label is None or file.text(label) != "length" or _assigned(used):
        return None
    length = outer(used)
    if _tested(length):
        return 1
    compared = length.parent
    if compared is None or compared.type != "binary_expression":
        return None
    left, right, sign = (compared.child_by_field_name(field) for field in ("left", "right", "operator"))
    if left is None or right is None or sign is None:
        return None
    if left == length:
        return _least(sign.type, _number(file, right))
    return _least(MIRRORED.get(sign.type, sign.type), _number(file, left))


def _position(file: Source, used: Node) -> int | None:
    """The place of the one row that is picked: `rows[0]`, `rows.at(0)`."""
    if used.type == "subscript_expression":
        key = used.child_by_field_name("index")
        return _number(file, key) if key is not None else None
    call = used.parent
    if call is not None and call.type == "call_expression" and _method(file, call) == "at" and call.child_by_field_name("function") == used:
        given = _arguments(call)
        return _number(file, given[0]) if len(given) == 1 else None
    return None


def _sliced(file: Source, used: Node) -> int | None:
    call = used.parent
    given = _arguments(call) if call is not None and call.type == "call_expression" else []
    bounds = [_number(file, one) for one in given]
    if len(bounds) != 2 or bounds[0] is None or bounds[1] is None:
        return None
    return bounds[1] if 0 < bounds[1] <= MOST else None


def _least(sign: str, number: int | None) -> int | None:
    """How many rows decide a comparison of the length with a number."""
    if number is None or number > MOST:
        return None
    if sign in (">", "<=") or sign in EQUALITIES:
        return number + 1
    return number if sign in (">=", "<") and number > 0 else None


def _number(file: Source, node: Node) -> int | None:
    text = file.text(node) if node.type == "number" else ""
    return int(text) if text.isdecimal() else None


def _tested(node: Node) -> bool:
    """Whether only the truth of a value counts."""
    up = node.parent
    if up is None:
        return False
    if up.type == "unary_expression":
        sign = up.child_by_field_name("operator")
        return sign is not None and sign.type == "!"
    return up.type in ("if_statement", "ternary_expression", "while_statement") and up.child_by_field_name("condition") == node


def _assigned(node: Node) -> bool:
    up = node.parent
    if up is None:
        return False
    target = up.child_by_field_name("left") if up.type in ("assignment_expression", "augmented_assignment_expression") else None
    return target == node or up.type == "update_expression" or (up.type == "unary_expression" and b"delete" in (up.text or b"")[:6])
