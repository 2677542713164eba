"""Lines that have become too long for their file, broken as Python's formatters break them."""

from __future__ import annotations

import re

import libcst as cst

from querylint.patch import TextEdit
from querylint.rewrite.python.concrete import Tree, links
from querylint.rewrite.python.expressions import code

WIDTHS = (79, 88, 100, 120)
"""What formatters are told to keep to."""

FEW_LINES, SOME_LINES = 40, 200
"""Fewer lines than the first say nothing of how long their author lets a line become, fewer than the second do not tell 79 from 88."""

_TEXT = re.compile(rb"([\"'])(?:(?!\1).){20,}\1")
_MANY = 2
_PART = 50
"""One line in so many may be longer."""


def width(tree: Tree) -> int:
    """How many columns the lines of a file keep to, long texts and comments aside; 0 where they keep to nothing."""
    lines = [line.rstrip(b"\r") for line in tree.data.split(b"\n")]
    if len(lines) < FEW_LINES:
        return WIDTHS[-1]
    told = [len(_TEXT.sub(b"", line)) for line in lines if b"#" not in line and b'"""' not in line and len(line) > WIDTHS[0]]
    known = WIDTHS if len(lines) >= SOME_LINES else WIDTHS[1:]
    return next((most for most in known if sum(length > most for length in told) * _PART <= len(lines)), 0)


def fitted(tree: Tree, edits: tuple[TextEdit, ...]) -> tuple[TextEdit, ...]:
    """The edits of a chain of calls, broken where they would make their line too long: link by link, or else within what they add."""
    broken = _chained(tree, edits)
    return broken if broken is not None else tuple(_spread(tree, edit, edits) for edit in edits)


def _chained(tree: Tree, edits: tuple[TextEdit, ...]) -> tuple[TextEdit, ...] | None:
    """The edits where a statement or an argument of one line is the chain; None where it is not, or cannot be broken."""
    way = tree.way(edits[0].span.start - 1, edits[0].span.start)
    kinds = cst.Assign | cst.AnnAssign | cst.Return | cst.For | cst.Arg
    number = next((n for n in reversed(range(len(way) - 1)) if isinstance(way[n], kinds)), None)
    held, node = (way[number], way[number + 1]) if number is not None else (None, None)
    if (
        not isinstance(node, cst.BaseExpression)
        or isinstance(node, cst.GeneratorExp)
        or node.lpar
        or (isinstance(held, cst.For) and held.iter is not node)
    ):
        return None
    start, end = tree.bounds(node)
    begin, stop = tree.line_start(start), tree.next_line(end - 1)
    if any(not start <= e.span.start <= e.span.end <= end or "\n" in e.text for e in edits):
        return None
    text, at = "", start
    for edit in sorted(edits, key=lambda e: e.span.start):
        text += tree.between(at, edit.span.start) + edit.text
        at = edit.span.end
    text += tree.between(at, end)
    before, behind, most = tree.between(begin, start), tree.between(end, stop).rstrip(), width(tree)
    within = isinstance(held, cst.Arg)
    more = within and behind.startswith(", ") and bool(behind.strip(", "))  # other arguments on the same line
    if "#" in behind or (within and (before.strip() or (behind.strip(", ") and not more))) or "\n" in text:
        return None
    if not most or len(before) + len(text) + len(behind) <= most:
        return edits
    indent, unit = tree.indent(start), tree.module.default_indent
    chain = cst.parse_expression(text)
    inner = indent if within else indent + unit
    parts = [in_lines(part, (inner, unit), most) for part in _parts(chain)]
    if within and parts:
        broken = f"\n{inner}".join(parts)
    elif parts:
        broken = f"(\n{inner}" + f"\n{inner}".join(parts) + f"\n{indent})"
    else:
        broken = _within_brackets(chain, (indent, unit), most - len(before), most)
    if not broken:
        return None
    return tree.edit(start, end, broken), *((tree.edit(end, end + 2, f",\n{indent}"),) if more else ())


def _spread(tree: Tree, edit: TextEdit, edits: tuple[TextEdit, ...]) -> TextEdit:
    """What an edit adds to a line that it makes too long, an argument to each line."""
    start, most = edit.span.start, width(tree)
    begin = tree.line_start(start)
    before = tree.between(begin, start)
    if "\n" in edit.text or not most or "#" in before or _length(tree, edit, edits) <= most:
        return edit
    indent, unit = tree.indent(start), tree.module.default_indent
    if edit.text.startswith("."):
        links_added = _added(edit.text)
        room, text = most - len(before) - len(edit.text), ""
        for link in reversed(links_added):  # the last of them first: what stands before it may fit then
            text = (in_lines(link, (indent, unit), 1) if room < 0 else link) + text
            room += len(link) if "\n" in text else 0
        return tree.edit(start, edit.span.end, text)
    way = [n for n in tree.way(start - 1, start) if isinstance(n, cst.Call) and n.args and tree.bounds(n.args[-1].value)[1] == start]
    if not edit.text.startswith(", ") or not way:
        return edit
    first = tree.start(way[-1].args[0])
    given = cst.parse_expression(f"_({tree.between(first, start)}{edit.text})")
    assert isinstance(given, cst.Call)
    if not tree.between(begin, first).strip():  # they stand on a line of their own already
        return tree.edit(first, edit.span.end, each_apart(given, indent).strip().removesuffix(","))
    if first < begin or tree.between(edit.span.end, edit.span.end + 1) != ")":
        return edit
    return tree.edit(first, edit.span.end, f"\n{each_apart(given, indent + unit)}{indent}")


def _length(tree: Tree, edit: TextEdit, edits: tuple[TextEdit, ...]) -> int:
    """How long the line becomes that an edit of one line stands in."""
    begin, stop = tree.line_start(edit.span.start), tree.next_line(max(edit.span.start, edit.span.end))
    text, at, here = "", begin, 0
    for one in sorted((e for e in edits if begin <= e.span.start < stop), key=lambda e: e.span.start):
        text += tree.between(at, one.span.start)
        here = len(text) if one is edit else here
        text += one.text
        at = one.span.end
    text += tree.between(at, stop)
    first = text.rfind("\n", 0, here) + 1
    return len(text[first:].partition("\n")[0].rstrip())


def _added(text: str) -> list[str]:
    """The links of a chain that goes on from something, `.filter(..).first()`, each with its call; empty where it is no such thing."""
    found: list[str] = []
    node = cst.parse_expression(f"_{text}")
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        held = code(node.func.value)
        found.insert(0, code(node)[len(held) :])
        node = node.func.value
    return found if isinstance(node, cst.Name) else [text]


def shortened(tree: Tree, text: str, before: str) -> str:
    """A chain of calls that stands behind `before` on a line within brackets, broken where the line is too long.

    On a line of its own link by link, else within the call that is handed the most.
    """
    most = width(tree)
    if not most or len(before) + len(text) <= most or "(await " in text:
        return text
    read = cst.parse_expression(text)
    chain = read.expression if isinstance(read, cst.Await) else read
    head = text[: len(text) - len(code(chain))]
    indent = before[: len(before) - len(before.lstrip())]
    unit = tree.module.default_indent
    if not before.strip() and (parts := _parts(chain)):
        return head + f"\n{indent}".join(in_lines(part, (indent, unit), most) for part in parts)
    calls = [call for call in _calls(chain) if call.args]
    if not calls:
        return text
    widest = max(calls, key=lambda call: len(code(call)) - len(code(call.func)))
    return f"{head}{_opened(widest, code(chain), (indent, unit), most)}"


def in_lines(link: str, layout: tuple[str, str], most: int) -> str:
    """A link of a chain, `.options(one, two)`, with each of its arguments on a line of its own where it is too long for one."""
    indent, unit = layout
    if not link.startswith(".") or not most or len(indent) + len(link) <= most:
        return link
    call = cst.parse_expression(f"_{link}")
    if not isinstance(call, cst.Call) or not call.args:
        return link
    head = link[: link.index("(") + 1]
    return f"{head}\n{each_apart(call, indent + unit)}{indent})"


def each_apart(call: cst.Call, indent: str, most: int = 0) -> str:
    """The arguments of a call, each on a line of its own; a list that is too long for that clause by clause, where there is a limit."""
    given = [_clauses(a, indent, most) or code(a.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for a in call.args]
    end = "" if isinstance(call.args[0].value, cst.GeneratorExp) else ","  # which has no brackets of its own where it stands alone
    return "".join(f"{indent}{one}{end}\n" for one in given)


def _clauses(argument: cst.Arg, indent: str, most: int) -> str:
    """A list that a comprehension makes, too long for a line, with what it holds, its loop and its conditions on lines of their own."""
    made = argument.value
    if not most or not isinstance(made, cst.ListComp) or made.for_in.inner_for_in or len(indent) + len(code(made)) + 1 <= most:
        return ""
    loop = code(made.for_in.with_changes(ifs=[])).strip()
    parts = [code(made.elt), loop, *(code(one).strip() for one in made.for_in.ifs)]
    return "[\n" + "".join(f"{indent}    {part}\n" for part in parts) + f"{indent}]"


def _calls(chain: cst.BaseExpression) -> list[cst.Call]:
    """The calls of methods in a chain, the first first."""
    return [link for link in reversed(links(chain)) if isinstance(link, cst.Call) and isinstance(link.func, cst.Attribute)]


def _parts(chain: cst.BaseExpression) -> list[str]:
    """A chain call by call, empty where it has too few of them to be broken so."""
    after = [
        c.func.value for c in _calls(chain) if isinstance(c.func, cst.Attribute) and not isinstance(c.func.value, cst.Name | cst.Attribute)
    ]
    parts: list[str] = []
    rest = code(chain)
    for value in reversed(after):
        held = code(value)
        parts.insert(0, rest[len(held) :])
        rest = held
    return [rest, *parts] if len(after) >= _MANY else []


def _within_brackets(chain: cst.BaseExpression, layout: tuple[str, str], room: int, most: int) -> str:
    """A chain broken within the brackets of the last of its calls whose beginning fits, empty where none does."""
    whole = code(chain)
    for call in [call for call in reversed(_calls(chain)) if call.args]:
        if len(code(call.func)) + 1 <= room:
            return _opened(call, whole, layout, most)
    return ""


def _opened(call: cst.Call, whole: str, layout: tuple[str, str], most: int) -> str:
    """A chain broken within the brackets of one of its calls."""
    indent, unit = layout
    text = code(call)
    begun = text.index("(", len(code(call.func))) + 1
    held = text[begun:-1]
    lines = each_apart(call, indent + unit) if len(indent) + len(unit) + len(held) > most else f"{indent}{unit}{held}\n"
    return f"{text[:begun]}\n{lines}{indent}){whole[len(text) :]}"
