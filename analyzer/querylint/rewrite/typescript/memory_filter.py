"""A filter in memory that an index range replaces: the rows are read by the range, and what it cannot say stays where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.ir import Access, Bound, Field, Plan, Predicate, Relation, Side, Table, Use
from querylint.patch import Fix, TextEdit
from querylint.remedy import PushDown
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import chains, filters, layout, ranges, types, waiting
from querylint.rewrite.typescript.effects import Reads, asked_before, declared, effects, free
from querylint.rewrite.typescript.source import FUNCTIONS, NAMES, Source, around, code, inner, located, names, outer, statement, walk

if TYPE_CHECKING:
    from tree_sitter import Node

RELATIONS = {"===": Relation.EQ, ">": Relation.GT, ">=": Relation.GTE, "<": Relation.LT, "<=": Relation.LTE}
TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
EXACT = frozenset(("id", "string", "boolean", "literal", "null", "int64"))
NUMBERS = "NaN and -0 are compared in another way by an index"
TEXTS = "an index orders texts by their bytes, not by their UTF-16 units"

BARE = frozenset(("variable_declarator", "return_statement", "arguments", "array", "pair", "arrow_function", "assignment_expression"))
"""Where an expression that waits stands without brackets."""


@dataclass(frozen=True, slots=True)
class Test:
    """One conjunct of the filter: `row.field === value`, or something else with no relation."""

    node: Node
    field: str = ""
    relation: Relation = Relation.OTHER
    value: Node | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rows: the chain that reads them, and the filter in memory."""

    file: Source
    access: Access
    plan: Plan
    table: Table
    read: Node
    chain: list[chains.Link]
    filter: chains.Link
    tests: list[Test]


def rewrite(task: Task, remedy: PushDown) -> Fix | Unfit:
    """Bind in the range what the filter compares for equality, and one comparison after that."""
    loaded = _loaded(task)
    if isinstance(loaded, Unfit):
        return loaded
    caveats: list[str] = []
    binds: list[ranges.Bind] = []
    for name in remedy.fields:
        found = _bound(task, loaded, name, caveats)
        if isinstance(found, Unfit):
            return found
        binds += found
        if not found or found[0].predicate.relation is not Relation.EQ:
            break
    if not any(bind.moved for bind in binds):
        return Unfit("the filter compares nothing that the index could bind")
    if sum(not bind.moved for bind in binds) != sum(p.side is Side.INDEX for p in loaded.plan.predicates):
        return Unfit("the range that is there does not fit the index")
    edits = _edits(loaded, remedy, binds)
    return ranges.fix(task, remedy, loaded.table, edits, (bind.predicate.field for bind in binds if bind.moved), caveats)


def _loaded(task: Task) -> Loaded | Unfit:
    place, function = located(task.sources, task.found.span), task.function
    link = chains.link(*place) if place is not None else None
    if place is None or function is None or link is None or link.name != "filter" or len(link.arguments) != 1:
        return Unfit("the rows are not filtered by one call of .filter()")
    file = place[0]
    tests = _tests(file, link.arguments[0])
    if tests is None:
        return Unfit("its filter does more than compare")
    callee = link.call.child_by_field_name("function")
    rows = callee.child_by_field_name("object") if callee is not None else None
    read = _read(file, rows, link, Reads(task.program, function, file.path), tests) if rows is not None else None
    if rows is None or not isinstance(read, _Node):
        return read if isinstance(read, Unfit) else Unfit("the rows are read in another function")
    chain = chains.links(file, read.node)
    span = (read.node.start_byte, read.node.end_byte)
    access = next((s for s in function.steps() if isinstance(s, Access) and (s.span.start, s.span.end) == span), None)
    table = task.program.table(function, access.table) if access is not None else None
    if access is None or table is None or len(access.plans) != 1 or access.bound is not Bound.ALL:
        return Unfit("the rows are not read by one query in this function")
    if not any(one.name == "query" for one in chain) or chain[-1].name != "collect":
        return Unfit("the query is built in several statements")
    return Loaded(file, access, access.plans[0], table, read.node, chain, link, tests)


@dataclass(frozen=True, slots=True)
class _Node:
    """The call that reads the rows."""

    node: Node


def _read(file: Source, rows: Node, link: chains.Link, reads: Reads, tests: list[Test]) -> _Node | Unfit:
    """Where the filtered rows come from: read right there, or named before and used for nothing else."""
    direct = inner(rows)
    if direct.type == "await_expression":
        return _Node(inner(code(direct)[0]))
    here = statement(link.call)
    block = here.parent if here is not None else None
    if direct.type != "identifier" or here is None or block is None or around(link.call, *FUNCTIONS) != around(here, *FUNCTIONS):
        return Unfit("the rows are filtered where they may not be needed")
    found = [one for s in code(block) if (one := waiting.named(s)) is not None and file.text(one.pattern) == file.text(direct)]
    if len(found) != 1 or found[0].pattern.type != "identifier" or not found[0].statement.start_byte < here.start_byte:
        return Unfit("the rows are filtered where they may not be needed")
    uses = [n for n in walk(block) if n.type in NAMES and n.text == direct.text]
    if len(uses) != 2 or found[0].kind != "const":
        return Unfit("the rows are used for more than this filter")
    between = [s for s in code(block) if found[0].statement.start_byte < s.start_byte < here.start_byte]
    needs = frozenset(name for test in tests if test.value is not None for name in free(test.value))
    if needs & {name for s in between for name in declared(s)} or needs & effects(file, between, reads).touched:
        return Unfit("what the rows are compared with does not exist yet where they are read")
    if name := asked_before(file, [test.value for test in tests if test.value is not None], between):
        return Unfit(f"`{name}` is looked at between the read and the filter, which may rely on it")
    return _Node(inner(found[0].value))


def _tests(file: Source, callback: Node) -> list[Test] | None:
    head = filters.head(file, callback)
    name = filters.name_of(head) if head is not None else ""
    body = callback.child_by_field_name("body")
    if not name or body is None or body.type == "statement_block" or callback.type != "arrow_function":
        return None
    return [_test(file, part, name) for part in _conjuncts(body)]


def _conjuncts(node: Node) -> list[Node]:
    node = inner(node)
    sign = node.child_by_field_name("operator") if node.type == "binary_expression" else None
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if sign is not None and sign.type == "&&" and left is not None and right is not None:
        return [*_conjuncts(left), *_conjuncts(right)]
    return [node]


def _test(file: Source, node: Node, row: str) -> Test:
    sign = node.child_by_field_name("operator") if node.type == "binary_expression" else None
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if sign is None or left is None or right is None:
        return Test(node)
    for mine, other, word in ((left, right, sign.type), (right, left, TURNED.get(sign.type, sign.type))):
        plain = inner(mine)
        held = plain.child_by_field_name("object") if plain.type == "member_expression" else None
        label = plain.child_by_field_name("property") if held is not None else None
        optional = any(child.type == "optional_chain" for child in plain.children)
        if held is not None and label is not None and file.text(held) == row and not optional and row not in names(other):
            calm = all(n.type not in ("call_expression", "await_expression", "new_expression") for n in walk(other))
            return Test(node, file.text(label), RELATIONS.get(word, Relation.OTHER) if calm else Relation.OTHER, other)
    return Test(node)


def _bound(task: Task, loaded: Loaded, name: str, caveats: list[str]) -> list[ranges.Bind] | Unfit:
    """How one field of the index is bound: by what the range says already, else by what the filter compares it with."""
    there = [p for p in loaded.plan.predicates if p.field == name and p.side is Side.INDEX]
    if there:
        kept = [(p, _argument(loaded, p)) for p in there]
        if any(value is None for _, value in kept):
            return Unfit(f"what `{name}` is compared with is not clear")
        return [ranges.Bind(p, value) for p, value in kept if value is not None]
    mine = [t for t in loaded.tests if t.field == name and t.relation is not Relation.OTHER and t.value is not None]
    equal = next((t for t in mine if t.relation is Relation.EQ), None)
    field = Field(name, "number") if name == "_creationTime" else loaded.table.field(name)
    if field is None or (mine and field.type not in (*EXACT, "number", "union")):
        return Unfit(f"values of `{name}` are compared in another way by an index")
    if equal is None and mine and (field.optional or field.nullable or field.type not in ("number", "string")):
        return Unfit(f"an index also finds rows that have no `{name}`")
    chosen = [equal] if equal is not None else [t for t in _ends(mine) if t is not None]
    if chosen and field.type in ("number", "union"):
        caveats.append(NUMBERS)
    elif chosen and equal is None:
        caveats.append(TEXTS)
    return [_moved(task, loaded, test, caveats) for test in chosen]


def _ends(mine: list[Test]) -> tuple[Test | None, Test | None]:
    lower = next((t for t in mine if t.relation in ranges.LOWER), None)
    return lower, next((t for t in mine if t.relation.ranged and t.relation not in ranges.LOWER), None)


def _moved(task: Task, loaded: Loaded, test: Test, caveats: list[str]) -> ranges.Bind:
    assert test.value is not None
    uses = [s for s in (task.function.steps() if task.function else ()) if isinstance(s, Use) and s.span == task.found.span]
    known = next((p for use in uses for p in use.predicates if p.field == test.field and p.relation is test.relation), None)
    predicate = known or Predicate(test.field, test.relation, Side.MEMORY)
    fit = types.fits(task, loaded.file, predicate, test.value, loaded.table)
    if not fit.known:
        caveats.append(ranges.TYPES.format(loaded.file.text(test.value)))
    return ranges.Bind(predicate, test.value, fit.bang, moved=True)


def _argument(loaded: Loaded, predicate: Predicate) -> Node | None:
    """The value in a call of the range that is there."""
    span = predicate.span
    node = loaded.file.at(span.start, span.end) if span is not None and span.path == loaded.file.path else None
    link = chains.link(loaded.file, node) if node is not None else None
    if link is None or link.name != ranges.METHODS.get(predicate.relation) or len(link.arguments) != 2:
        return None
    return link.arguments[1]


def _edits(loaded: Loaded, remedy: PushDown, binds: list[ranges.Bind]) -> list[TextEdit]:
    file = loaded.file
    query = next(link for link in loaded.chain if link.name == "query")
    ranged = next((link for link in loaded.chain if link.name == "withIndex"), None)
    mark = chains.quote(file, query.arguments[0] if query.arguments else None)
    head = filters.head_of(file, ranged, loaded.read)
    text = ranges.call(file, remedy.index, head, binds, mark)
    if ranged is not None:
        edits = [file.edit(ranged.label.start_byte, ranged.call.end_byte, ranges.laid_out(file, ranged, text, head))]
    else:
        edits = ranges.put_behind(file, loaded.chain, query, text, head)
    taken = {id(bind.value) for bind in binds if bind.moved}
    left = [test for test in loaded.tests if id(test.value) not in taken]
    if left:
        body = loaded.filter.arguments[0].child_by_field_name("body")
        assert body is not None
        edits.append(_left(file, loaded.filter, body, _joined(file, body, [outer(test.node) for test in left])))
    else:
        edits += _named(loaded) or _without(file, loaded.filter)
    return edits


def _joined(file: Source, body: Node, left: list[Node]) -> str:
    """The conditions that are left: on one line where they fit on it, else on lines of their own as they were."""
    line = " && ".join(file.text(node) for node in left)
    column = body.start_byte - file.data.rfind(b"\n", 0, body.start_byte) - 1
    apart = file.data.count(b"\n", body.start_byte, left[-1].start_byte)
    if not apart or ("\n" not in line and column + len(line) < file.width):
        return line
    return f" &&\n{file.indent(left[-1].start_byte)}".join(file.text(node) for node in left)


def _without(file: Source, link: chains.Link) -> list[TextEdit]:
    """The rows without the filter, and without the brackets around what is waited for, where only the filter asked for them."""
    callee, user = link.call.child_by_field_name("function"), link.call.parent
    rows = callee.child_by_field_name("object") if callee is not None else None
    if rows is None or rows.type != "parenthesized_expression" or user is None or user.type not in BARE:
        return [chains.without(file, link)]
    waited = rows.named_children[0]
    tight = (waited.start_byte, waited.end_byte) == (rows.start_byte + 1, rows.end_byte - 1)  # `return` must not end its line
    if waited.type != "await_expression" or not tight or file.data[rows.end_byte : link.dot.start_byte].strip():
        return [chains.without(file, link)]
    return [file.edit(rows.start_byte, rows.start_byte + 1, ""), file.edit(rows.end_byte - 1, link.call.end_byte, "")]


def _left(file: Source, link: chains.Link, body: Node, text: str) -> TextEdit:
    """What is left of a filter, on the line of its call where that was broken for the length of the filter alone."""
    callback = link.arguments[0]
    given = link.call.child_by_field_name("arguments")
    assert given is not None
    line = f"({file.between(callback.start_byte, body.start_byte)}{text})"
    column = given.start_byte - file.data.rfind(b"\n", 0, given.start_byte)
    around_it = file.data[given.start_byte + 1 : callback.start_byte] + file.data[callback.end_byte : given.end_byte - 1]
    if b"\n" in around_it and not around_it.strip(b", \t\r\n") and "\n" not in line and column + len(line) < file.width:
        return file.edit(given.start_byte, given.end_byte, line)
    return file.edit(body.start_byte, body.end_byte, text)


def _named(loaded: Loaded) -> list[TextEdit]:
    """The rows under the name that the filtered ones had, where their own is used for nothing but the filter."""
    file = loaded.file
    here, read = statement(loaded.filter.call), statement(loaded.read)
    made, mine = (waiting.declarator(one) if one is not None else None for one in (here, read))
    if here is None or read is None or here == read or made is None or mine is None or made.child_by_field_name("type") is not None:
        return []
    if made.child_by_field_name("value") != loaded.filter.call or not file.text(here).startswith("const"):
        return []
    label, own = made.child_by_field_name("name"), mine.child_by_field_name("name")
    if label is None or own is None or label.type != "identifier" or own.type != "identifier":
        return []
    above, behind = layout.comments_of(file, here)
    said = "".join(f"{line}\n{file.indent(read.start_byte)}" for line in layout.said(file, [*above, *behind]))
    moved = [file.edit(read.start_byte, read.start_byte, said)] if said else []
    return [*moved, file.edit(own.start_byte, own.end_byte, file.text(label)), *layout.removed(file, [here])]
