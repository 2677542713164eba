"""A loop that waits for its reads item by item: the reads of all items start together, and their order is kept.

Two forms. Where the rounds do nothing but fill a list, the list becomes the result of one `Promise.all`. Everywhere else the part of a
round that reads goes into a `Promise.all` before the loop, and the loop goes on over what it brought.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.ir import Function
from querylint.patch import NO_FIX, Fix, Safety, TextEdit
from querylint.remedy import Batch, Gather
from querylint.rewrite import Task, Unfit
from querylint.rewrite.naming import several
from querylint.rewrite.typescript import arrays, chains, collecting, filters, layout, waiting
from querylint.rewrite.typescript.effects import Effects, Reads, base, bound_names, declared, effects, free
from querylint.rewrite.typescript.source import FUNCTIONS, LOOPS, Source, around, code, names, own, source, walk

if TYPE_CHECKING:
    from tree_sitter import Node

FORM = "the loop has a form that is not understood"
LOADED = "loaded"
_NO_NOUN = re.compile(r"^.{1,2}$|s$|ing$|ed$|(?:data|info|meta)$", re.IGNORECASE)
"""What has no plural that says more."""

MANY_ERRORS = "if several items fail, a different error may be the one thrown"


@dataclass(frozen=True, slots=True)
class Round:
    """A loop over items: its pattern, what it runs over, its statements, and how many of them are there to read."""

    file: Source
    loop: Node
    pattern: Node
    over: Node
    body: Node
    statements: tuple[Node, ...]
    reading: int
    reads: Reads

    @property
    def first(self) -> tuple[Node, ...]:
        """The statements up to the last that waits."""
        return self.statements[: self.reading]

    @property
    def rest(self) -> tuple[Node, ...]:
        """What a round does with what it has read."""
        return self.statements[self.reading :]


def rewrite(task: Task, remedy: Gather | Batch) -> Fix | Unfit:
    """Start the reads of all items together, where no round can tell whether another has run before."""
    function = task.function
    file = source(task.sources, remedy.loop.path) if remedy.loop is not None else None
    if remedy.loop is None or function is None or file is None:
        return Unfit(NO_FIX)
    one = _round(file, file.at(remedy.loop.start, remedy.loop.start + 1), task, function)
    if isinstance(one, Unfit):
        return one
    filled = collecting.filled(file, one.loop, one.statements)
    does = effects(file, one.statements, one.reads)
    if filled is not None and not (does.touched - {filled.name}) and not _hindered(does, one, one.statements):
        level, caveats = _trust(does, one)
        value = _pushed(one, filled)
        if value is None and one.body.type != "statement_block":
            return Unfit(FORM)
        text = _collected(one, filled) if value is None else _read_alone(one, value, *_declaring(one.file, filled))
        return Fix(f"read for all items at once and make `{filled.name}` of the results", level, _instead(one, filled, text), caveats)
    return _read_ahead(one) if one.body.type == "statement_block" else Unfit(FORM)


def _round(file: Source, node: Node | None, task: Task, function: Function) -> Round | Unfit:
    kinds = (*LOOPS, *FUNCTIONS)
    loop = node if node is None or node.type in kinds else around(node, *kinds)
    if loop is not None and loop.type in FUNCTIONS:
        return Unfit("the iterations already start together: fewer queries would need another index, or fields stored on the row")
    if loop is None or loop.type != "for_in_statement" or not any(child.type == "of" for child in loop.children):
        return Unfit("the loop does not run over the items of a list")
    pattern, over, body = (loop.child_by_field_name(field) for field in ("left", "right", "body"))
    declares = loop.child_by_field_name("kind") is not None
    known = body is not None and body.type in ("statement_block", "expression_statement")
    if pattern is None or over is None or body is None or not known or not declares or _is_labelled(loop):
        return Unfit(FORM)
    if any(child.type == "await" for child in loop.children):
        return Unfit("the items themselves arrive one by one")
    statements = tuple(code(body)) if body.type == "statement_block" else (body,)
    waits = [number for number, s in enumerate(statements) if _waits(s)]
    if not waits:
        return Unfit("the loop does not wait for the read directly")
    return Round(file, loop, pattern, over, body, statements, waits[-1] + 1, Reads(task.program, function, file.path))


def _is_labelled(loop: Node) -> bool:
    return loop.parent is not None and loop.parent.type == "labeled_statement"


def _hindered(does: Effects, one: Round, statements: tuple[Node, ...]) -> str:
    """Why statements cannot run for all items at once; empty if they can. What they change is another question."""
    if does.leaves & {"return", "break"}:
        return "the loop may stop before the last item"
    if does.runs:
        return f"nothing is known of what `{min(does.runs)}` does"
    if name := _narrowed(one, statements):
        return f"the type checker forgets inside a callback what a condition has narrowed `{name}` to"
    steps = one.reads.within(statements[0].start_byte, statements[-1].end_byte) if statements else []
    if any(not one.reads.only_reads(step) for step in steps):
        return "the iterations do more than read"
    return ""


def _narrowed(one: Round, statements: tuple[Node, ...]) -> str:
    """A member of something outside of the loop that a condition before it has tested, and that rounds use by themselves; empty for none.

    It is known to hold something there, but no longer in a callback, where the checker only trusts constants.
    """
    function = around(one.loop, *FUNCTIONS)
    if function is None or not one.file.typed:
        return ""
    used = {one.file.text(part) for s in statements for part in own(s) if part.type == "member_expression"}
    mine = names(one.pattern) | {name for s in statements for name in declared(s)}
    asked = {text for text in used if text.partition(".")[0] not in mine}
    for part in walk(function):
        test = part.child_by_field_name("condition") if part.start_byte < one.loop.start_byte else None
        if test is None or one.loop.start_byte <= test.start_byte < one.loop.end_byte:
            continue
        for tested in walk(test):
            if tested.type == "member_expression" and (text := one.file.text(tested).replace("?.", ".")) in asked and _narrows(tested):
                return text
    return ""


def _narrows(node: Node) -> bool:
    """Whether a test asks what a value is, and not only how much: its truth, or what it equals."""
    up = node.parent
    while up is not None and up.type in ("parenthesized_expression", "unary_expression"):
        node, up = up, up.parent
    sign = up.child_by_field_name("operator") if up is not None and up.type == "binary_expression" else None
    if sign is not None:
        return sign.type in ("&&", "||", "===", "!==", "==", "!=")
    return up is not None and up.child_by_field_name("condition") == node


def _trust(does: Effects, one: Round) -> tuple[Safety, tuple[str, ...]]:
    fallible = "throw" in does.leaves or any(one.reads.may_fail(s) for s in one.reads.within(one.body.start_byte, one.body.end_byte))
    return (Safety.UNSAFE, (MANY_ERRORS,)) if fallible else (Safety.SAFE, ())


def _read_ahead(one: Round) -> Fix | Unfit:
    """The reading part of all rounds before the loop, the loop over what it brought."""
    file = one.file
    does, then = effects(file, one.first, one.reads), effects(file, one.rest, one.reads)
    items = names(one.pattern)
    if reason := _hindered(does, one, one.first):
        return Unfit(reason)
    if does.touched:
        return Unfit(f"the iterations change `{min(does.touched)}` while they read")
    if then.leaves & {"return", "break"}:
        return Unfit("the loop may stop before the last item")
    if _reaches(one):
        return Unfit("the iterations do more than read")
    needs = frozenset(name for s in one.first for name in free(s)) | names(one.over)
    inner = items | {name for s in one.first for name in declared(s)}
    disturbed = (then.touched & needs) - inner
    function = around(one.loop, *FUNCTIONS)
    local = then.runs & (bound_names(function) if function is not None else set())
    if disturbed or local or base(file, one.over) in then.touched:
        return Unfit(f"an iteration changes `{min(disturbed or local or {base(file, one.over)})}`, which the next one looks at")
    if not one.rest:
        return Unfit("what the iterations read is not used in the loop")
    used = {name for s in one.rest for name in names(s)}
    carried = [name for name in _in_order(one) if name in used]
    if not carried or any(s.type == "lexical_declaration" and _untold(s) for s in one.first):
        return Unfit("what the iterations read is not used in the loop")
    level, caveats = _trust(does, one)
    return Fix("read for all items at once before the loop", level, _ahead(one, does, then, carried), caveats)


def _untold(statement: Node) -> bool:
    return any(n.type == "class_declaration" for n in code(statement))


def _reaches(one: Round) -> bool:
    """Whether the rest of a round reaches the database, or holds what would."""
    steps = one.reads.within(one.rest[0].start_byte, one.rest[-1].end_byte) if one.rest else []
    if any(not one.reads.idle(step) for step in steps):
        return True
    contexts = {name for name in one.reads.function.params[:1] if name and name != "_"} | {"ctx", "db"}
    return any(contexts & names(s) for s in one.rest)


def _in_order(one: Round) -> list[str]:
    """The variables that a round hands from its reading part to the rest."""
    own_names = sorted(names(one.pattern), key=lambda name: one.file.text(one.pattern).find(name))
    read = [name for s in one.first for name in sorted(declared(s), key=lambda name: one.file.text(s).find(name))]
    return list(dict.fromkeys((*own_names, *read)))


def _ahead(one: Round, does: Effects, then: Effects, carried: list[str]) -> tuple[TextEdit, ...]:
    file, loop = one.file, one.loop
    indent, unit = file.indent(loop.start_byte), file.unit(one.statements[0])
    skips = "continue" in does.leaves
    wanted = _wanted(file, loop)
    name = arrays.fresh(wanted, loop, sum(_wanted(file, other) == wanted for other in _loops_before(loop)))
    listed = f"{{ {', '.join(carried)} }}"
    end = ";" if file.text(one.statements[-1]).endswith((";", "}")) else ""
    inside = collecting.rewritten(file, one.body, one.first, [])
    lines = [*layout.deeper(file, inside, one.body, unit), f"{indent}{unit * 2}return {f'[{listed}]' if skips else listed}{end}"]
    pattern = _parameter(one)
    alone = _alone(one, carried)
    if alone is not None:
        made = _read_alone(one, alone.value, f"const {name} = ", end)
        return _before(one, made, then, carried, f"{file.text(alone.pattern)} of {name}")
    text = layout.all_of(file, arrays.each(file, one.over, f"async ({pattern}) => {{"), lines, indent, unit, flat=skips)
    return _before(one, f"const {name} = {text}{end}", then, carried, f"{listed} of {name}")


def _parameter(one: Round) -> str:
    """The pattern of an item as that of a parameter, whose type the checker must be told where it knows nothing of the list."""
    return f"{one.file.text(one.pattern)}{': any' if filters.untyped(one.file, one.over) else ''}"


def _wanted(file: Source, loop: Node) -> str:
    """A name for what all rounds read: the plural of what one round calls it, where that is a plain noun which is free."""
    body, pattern = loop.child_by_field_name("body"), loop.child_by_field_name("left")
    inside = code(body) if body is not None and body.type == "statement_block" else []
    alone = bool(inside) and collecting.filled(file, loop, tuple(inside)) is None
    named = waiting.named(inside[0]) if alone else None
    rest = {name for s in inside[1:] for name in names(s)}
    if (
        named is None
        or pattern is None
        or named.pattern.type != "identifier"
        or names(pattern) & rest
        or any(_waits(s) for s in inside[1:])
    ):
        return LOADED
    noun = file.text(named.pattern)
    plural = several(noun)
    function = around(loop, *FUNCTIONS, "program")
    taken = names(function) if function is not None else frozenset()
    return LOADED if _NO_NOUN.search(noun) is not None or plural in taken else plural


def _waits(statement: Node) -> bool:
    return any(part.type == "await_expression" for part in own(statement))


def _loops_before(loop: Node) -> list[Node]:
    """The loops of the function that wait and stand before this one: they may get names of their own at the same time."""
    function = around(loop, *FUNCTIONS, "program")
    found = [n for n in walk(function) if n.type == "for_in_statement" and n.start_byte < loop.start_byte] if function is not None else []
    return [n for n in found if (body := n.child_by_field_name("body")) is not None and _waits(body)]


def _alone(one: Round, carried: list[str]) -> waiting.Named | None:
    """The statement that reads, where that is all that the reading part does, and what it takes all that the rest of a round needs."""
    named = waiting.named(one.first[0]) if len(one.first) == 1 else None
    if named is None or set(carried) - names(named.pattern) or any(child.type == "comment" for child in walk(one.first[0])):
        return None
    return None if any(layout.comments_of(one.file, one.first[0])) or names(named.pattern) & names(one.pattern) else named


def _read_alone(one: Round, read: Node, head: str, end: str) -> str:
    """`const loaded = await Promise.all(items.map((item) => read));`, broken into lines as far as it has to be."""
    file = one.file
    indent, unit = file.indent(one.loop.start_byte), file.unit(one.statements[0])
    value = layout.moved(file, read, unit)
    start = arrays.each(file, one.over, f"({_parameter(one)}) =>")
    short = f"{head}await Promise.all({start} {value})){end}"
    if "\n" not in short and len(indent) + len(short) <= file.width:
        return short
    line = f"{indent}{unit}{start} {value}){file.call_comma}"
    if "\n" in line or len(line) > file.width:
        line = f"{indent}{unit}{start}\n{indent}{unit * 2}{value}{file.call_comma}\n{indent}{unit}){file.call_comma}"
    return f"{head}await Promise.all(\n{line}\n{indent}){end}"


def _before(one: Round, made: str, then: Effects, carried: list[str], head: str) -> tuple[TextEdit, ...]:
    """A statement before the loop, which goes on over what that brings, with the rest of its rounds."""
    file, loop = one.file, one.loop
    kind = "let" if then.assigns & set(carried) else "const"
    above, _ = layout.comments_of(file, one.rest[0])
    gone_to = above[0].start_byte if above else one.rest[0].start_byte
    opening = one.body.start_byte
    return (
        file.edit(loop.start_byte, opening, f"{made}\n{file.indent(loop.start_byte)}for ({kind} {head}) "),
        file.edit(opening + 1, file.line_start(gone_to), "\n"),
    )


def _collected(one: Round, filled: collecting.Filled) -> str:
    """The declaration of what the rounds put into a list or a map, made of what each of them gives."""
    file, loop = one.file, one.loop
    head, end = _declaring(file, filled)
    indent, unit = file.indent(loop.start_byte), file.unit(one.statements[0])
    flat = not filled.always
    inside = collecting.rewritten(file, one.body, one.statements, filled.pushes, flat=flat)
    lines = layout.deeper(file, inside, one.body, unit)
    if flat and not filled.closed:
        lines.append(f"{indent}{unit * 2}return []{end}")
    item = filled.item.replace("\n", f"\n{unit * (2 if flat else 1)}")
    returns = f": Promise<{item}{'[]' if flat else ''}>" if item else ""
    start = arrays.each(file, one.over, f"async ({_parameter(one)}){returns} => {{")
    return f"{head}{layout.all_of(file, start, lines, indent, unit, flat=flat)}{end}"


def _pushed(one: Round, filled: collecting.Filled) -> Node | None:
    """What a round waits for, where all that it does is to push that: `posts.push(await ctx.db.get(id))`."""
    if len(one.statements) != 1 or not filled.always or any(part.type == "comment" for part in walk(one.body)):
        return None
    link = chains.link(one.file, code(one.statements[0])[0])
    given = link.arguments[0] if link is not None else None
    return code(given)[0] if given is not None and given.type == "await_expression" else None


def _declaring(file: Source, filled: collecting.Filled) -> tuple[str, str]:
    """How the declaration of what a loop has filled begins, and how it ends."""
    return f"{filled.kind} {filled.name}{filled.annotation} = ", ";" if file.text(filled.declaration).endswith(";") else ""


def _instead(one: Round, filled: collecting.Filled, text: str) -> tuple[TextEdit, ...]:
    """A declaration in the place of a loop, with the comments of the one that the loop has filled."""
    file, loop = one.file, one.loop
    indent = file.indent(loop.start_byte)
    above, behind = layout.comments_of(file, filled.declaration)
    said = "".join(f"{line}\n{indent}" for line in layout.said(file, [*above, *behind]))
    return (*layout.removed(file, [filled.declaration]), file.edit(loop.start_byte, loop.end_byte, f"{said}{text}"))
