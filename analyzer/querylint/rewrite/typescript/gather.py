"""Reads in a row that do not need one another: one `await Promise.all([...])` whose results are taken apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.ir import Access
from querylint.patch import Fix, Safety, TextEdit
from querylint.remedy import Gather
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import layout, loops, waiting
from querylint.rewrite.typescript.effects import Reads, declared, effects, free
from querylint.rewrite.typescript.source import FUNCTIONS, Source, around, code, declarators, inner, located, names, statement, walk

if TYPE_CHECKING:
    from tree_sitter import Node

SEVERAL_ERRORS = "if several of them fail, a different error may be the one thrown"


NO_ITEM = frozenset(("spread_element", "rest_pattern", "assignment_pattern"))


@dataclass(frozen=True, slots=True)
class Member:
    """One statement that waits: what it binds to what it waits for.

    `kind` is `const`, `let`, or `=` where the variables are there already. `choice` is a choice between waiting and not, `test` the
    condition without which nothing is read and nothing bound.
    """

    statement: Node
    kind: str
    patterns: tuple[Node, ...]
    values: tuple[Node, ...]
    choice: Node | None = None
    test: Node | None = None

    @property
    def binds(self) -> frozenset[str]:
        """The variables that it declares."""
        return frozenset(name for pattern in self.patterns for name in names(pattern))

    @property
    def needs(self) -> frozenset[str]:
        """The variables that what it waits for is made of."""
        tested = free(self.test) if self.test is not None else frozenset()
        return tested | (free(self.choice) if self.choice is not None else frozenset(n for value in self.values for n in free(value)))


def rewrite(task: Task, remedy: Gather) -> Fix | Unfit:
    """Start the reads together where nothing between them can tell the difference."""
    if remedy.loop is not None:
        return loops.rewrite(task, remedy)
    places = [located(task.sources, span) for span in remedy.steps]
    function = task.function
    if function is None or not places or any(place is None for place in places):
        return Unfit("the code around it does not parse")
    file = next(place[0] for place in places if place is not None)
    found = _level_with_one_another([statement(place[1]) for place in places if place is not None])
    statements = sorted({s.start_byte: s for s in found if s is not None}.values(), key=lambda s: s.start_byte)
    if any(s is None for s in found) or len(statements) < 2:
        return Unfit("the reads are parts of one statement")
    if any(s.parent != statements[0].parent for s in statements):
        return Unfit("the reads stand in different blocks")
    members = [_member(file, s) for s in statements]
    if any(m is None for m in members):
        odd = next(s for s, m in zip(statements, members, strict=True) if m is None)
        return Unfit(f"the statement on line {odd.start_point[0] + 1} does more than wait for one thing and name it")
    return _together(file, [m for m in members if m is not None], Reads(task.program, function, file.path))


def _member(file: Source, node: Node) -> Member | None:
    """A statement `const pattern = await value`, or one whose value is a choice between waiting and not."""
    plain = waiting.named(node)
    if plain is not None:
        batch = _batch(file, node, plain.kind, plain.pattern, plain.value)
        return batch or Member(node, plain.kind, (plain.pattern,), (plain.value,))
    if (assigned := _assigning(file, node)) is not None:
        return assigned
    declared = waiting.declarator(node)
    value = declared.child_by_field_name("value") if declared is not None else None
    pattern = declared.child_by_field_name("name") if declared is not None else None
    if declared is None or value is None or pattern is None or declared.child_by_field_name("type") is not None:
        return None
    value = inner(value) if value.type == "parenthesized_expression" else value
    test = value.child_by_field_name("condition") if value.type == "ternary_expression" else None
    arms = [inner(arm) for field in ("consequence", "alternative") if (arm := value.child_by_field_name(field)) is not None]
    awaited = [arm for arm in arms if arm.type == "await_expression"]
    still = [arm for arm in arms if arm.type != "await_expression"]
    if test is None or len(awaited) != 1 or any(waiting.waits(part) for part in (test, *still, code(awaited[0])[0])):
        return None
    return Member(node, node.children[0].type, (pattern,), (awaited[0],), value)


def _level_with_one_another(found: list[Node | None]) -> list[Node | None]:
    """Statements that stand alone under an `if` give way to the `if`, where others stand beside it."""
    blocks = [s.parent for s in found if s is not None and s.parent is not None]
    outer = max(blocks, key=lambda b: b.end_byte - b.start_byte, default=None)
    return [_raised(s, outer) if s is not None and outer is not None else s for s in found]


def _raised(node: Node, block: Node) -> Node:
    holder = node.parent
    if holder is None or holder == block:
        return node
    choice = holder.parent
    if choice is not None and choice.type == "if_statement" and choice.parent == block and code(holder) == [node]:
        return choice
    return node


def _assigning(file: Source, node: Node) -> Member | None:
    """`name = await value;`, or the same as the only deed of an `if` for a variable that holds nothing before."""
    if node.type == "if_statement":
        test, then = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
        inside = code(then) if then is not None and then.type == "statement_block" else []
        made = _assigning(file, inside[0]) if len(inside) == 1 and node.child_by_field_name("alternative") is None else None
        if made is None or test is None or made.test is not None or not _empty_before(file, node, made.patterns[0]):
            return None
        return replace(made, statement=node, test=inner(test)) if not waiting.waits(test) else None
    deed = code(node)[0] if node.type == "expression_statement" and code(node) else None
    target, value = (deed.child_by_field_name(f) for f in ("left", "right")) if deed is not None else (None, None)
    if deed is None or deed.type != "assignment_expression" or target is None or value is None or target.type != "identifier":
        return None
    return (
        Member(node, "=", (target,), (code(value)[0],)) if value.type == "await_expression" and not waiting.waits(code(value)[0]) else None
    )


def _empty_before(file: Source, node: Node, name: Node) -> bool:
    """Whether a variable is declared without a value and assigned nowhere else in the function."""
    function = around(node, *FUNCTIONS)
    if function is None:
        return False
    mine = declarators(function, name)
    targets = [n.child_by_field_name("left") for n in walk(function) if n.type.endswith("assignment_expression")]
    written = [t for t in targets if t is not None and file.text(name) in names(t)]
    return len(mine) == 1 and mine[0].child_by_field_name("value") is None and len(written) == 1


def _batch(file: Source, node: Node, kind: str, pattern: Node, waited: Node) -> Member | None:
    """`const [a, b] = await Promise.all([x, y])`: its parts join the new list one by one."""
    callee = waited.child_by_field_name("function") if waited.type == "call_expression" else None
    given = waited.child_by_field_name("arguments") if callee is not None else None
    if callee is None or given is None or file.text(callee) != "Promise.all" or pattern.type != "array_pattern":
        return None
    lists = code(given)
    items = code(lists[0]) if len(lists) == 1 and lists[0].type == "array" else []
    parts = code(pattern)
    if not items or len(items) != len(parts) or any(n.type in NO_ITEM for n in (*items, *parts)):
        return None
    if any(child.type == "comment" for child in (*lists[0].children, *pattern.children)):
        return None
    return Member(node, kind, tuple(parts), tuple(items))


def _together(file: Source, members: list[Member], reads: Reads) -> Fix | Unfit:
    if len({member.kind == "=" for member in members}) > 1:
        return Unfit("some reads declare their variables, others assign them")
    reasons: list[str] = []
    for pivot in range(len(members)):
        plan = _plan(file, members, pivot, reads)
        if isinstance(plan, list):
            fallible = sum(_may_fail(member, reads) for member in members)
            title = f"await the {len(members)} reads with one Promise.all"
            level, caveats = (Safety.SAFE, ()) if fallible < 2 else (Safety.UNSAFE, (SEVERAL_ERRORS,))
            return Fix(title, level, _edits(file, members, pivot, plan), caveats)
        reasons.append(plan)
    return Unfit(reasons[0])


def _may_fail(member: Member, reads: Reads) -> bool:
    steps = reads.within(member.statement.start_byte, member.statement.end_byte)
    return not steps or any(reads.may_fail(step) for step in steps)


def _plan(file: Source, members: list[Member], pivot: int, reads: Reads) -> list[Node] | str:
    """The declarations that must come along for all members to run where one of them stands, or why they cannot."""
    block = members[0].statement.parent
    assert block is not None
    home = members[pivot].statement
    mine = {member.statement.start_byte for member in members}
    along: dict[int, Node] = {}
    for member in members[:pivot]:  # moves down, past what comes after it
        passed = _between(block, member.statement, home, mine)
        if any(member.binds & names(child) for child in passed):
            return "what is read first is used before the last read"
        if reason := _told(file, passed, member.needs, reads):
            return reason
    for member in members[pivot + 1 :]:  # moves up, past what comes before it
        passed = _between(block, home, member.statement, mine)
        if member.kind == "=" and any(member.binds & names(child) for child in passed):
            return "what a read assigns is used before it"
        needs = member.needs
        for child in reversed(passed):
            if declared(child) & needs:
                if not _movable(file, child, reads):
                    return f"`{min(declared(child) & needs)}` does not exist yet where the reads would start"
                along[child.start_byte] = child
                needs |= free(child)
        if any(other.binds & needs for other in members):
            return "one of the reads needs another"
        still = [child for child in passed if child.start_byte not in along]
        if reason := _told(file, still, needs, reads):
            return reason
    return [along[start] for start in sorted(along)]


def _between(block: Node, first: Node, last: Node, mine: set[int]) -> list[Node]:
    """The statements between two of a block that are no members."""
    inside = [child for child in block.named_children if first.start_byte < child.start_byte < last.start_byte]
    return [child for child in inside if child.type != "comment" and child.start_byte not in mine]


def _movable(file: Source, node: Node, reads: Reads) -> bool:
    """Whether a declaration only computes something, and cannot fail on the way: a query that is begun, a list of ids."""
    if node.type != "lexical_declaration":
        return False
    does = effects(file, [node], reads)
    asked = [step for step in reads.within(node.start_byte, node.end_byte) if not isinstance(step, Access)]
    return not (does.touched or does.runs or does.leaves or does.waits or asked or waiting.waits(node))


def _told(file: Source, passed: list[Node], needs: frozenset[str], reads: Reads) -> str:
    """What would tell whether a read ran before or after some statements; empty if nothing would."""
    does = effects(file, passed, reads)
    if does.leaves or does.waits:
        return "the function may be left, or waits, between the reads"
    if does.touched & needs:
        return f"`{min(does.touched & needs)}` may change between the reads"
    if any(_contact(child, reads) for child in passed):
        return "something else is asked of the database between the reads"
    return ""


def _contact(node: Node, reads: Reads) -> bool:
    """Whether code reaches the database, or may: it holds the context that reaches it."""
    contexts = {name for name in reads.function.params[:1] if name and name != "_"} | {"ctx", "db"}
    return bool(reads.within(node.start_byte, node.end_byte)) or bool(contexts & names(node))


def _edits(file: Source, members: list[Member], pivot: int, along: list[Node]) -> tuple[TextEdit, ...]:
    place = members[pivot].statement
    indent, unit = file.indent(place.start_byte), file.unit(place)
    patterns: list[str] = []
    items: list[layout.Placed] = []
    comments = [layout.comments_of(file, member.statement) for member in members]
    others = any(above for number, (above, _) in enumerate(comments) if number != pivot)
    said_along = any(layout.comments_of(file, node)[0] for node in along)
    own = comments[pivot][0] if (others and not along) or said_along else []
    for number, member in enumerate(members):
        above, behind = comments[number] if number != pivot else (own, [])
        said = layout.said(file, [*above, *behind])
        texts = _texts(file, member, indent + unit, unit)
        patterns += [layout.moved(file, pattern, unit) for pattern in member.patterns]
        items += [layout.Placed(text, said if first == 0 else ()) for first, text in enumerate(texts)]
    kind = "let" if any(member.kind == "let" for member in members) else "const"
    end = ";" if file.text(place).endswith(";") else ""
    if all(member.kind == "=" for member in members):
        kind, end = "", ";"
    head = layout.taken_apart(file, patterns, indent, unit, f"{kind} ".lstrip(), " = await Promise.all(")
    text = layout.list_of(file, items, indent, unit, head, f"){end}")
    before = "".join(f"{line}\n{indent}" for node in along for line in layout.with_comments(file, node))
    gone = [member.statement for number, member in enumerate(members) if number != pivot]
    start = own[0].start_byte if own else place.start_byte
    return (*layout.removed(file, [*gone, *along]), file.edit(start, place.end_byte, before + text))


def _texts(file: Source, member: Member, indent: str, unit: str) -> list[str]:
    """What a member waits for, as items of the list."""
    if member.choice is not None:
        return [_choice(file, member, unit)]
    texts = [layout.moved(file, value, unit) for value in member.values]
    if member.test is None:
        return texts
    test, text = file.text(member.test), texts[0]
    breaks = f"\n{indent}{unit}" if "\n" in text else " "
    return [f"{test}{breaks}? {text}{breaks}: undefined"]


def _choice(file: Source, member: Member, unit: str) -> str:
    """`test ? read : nothing`, without its `await`."""
    assert member.choice is not None
    awaited = member.values[0]
    text = layout.moved(file, member.choice, unit)
    return text.replace(layout.moved(file, awaited, unit), layout.moved(file, code(awaited)[0], unit), 1)
