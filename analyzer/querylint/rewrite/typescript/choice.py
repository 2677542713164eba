"""A filter that a query gets on some paths only: where the caller asks for it, the query begins with an index range instead."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.ir import Access, Function, Plan, Predicate, Relation, Side, Table
from querylint.patch import Fix, TextEdit
from querylint.remedy import PushDown
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import chains, filters, layout, ranges, types, waiting
from querylint.rewrite.typescript.effects import Reads, asked_before, effects, free
from querylint.rewrite.typescript.source import Source, code, inner, located, names, statement, walk

if TYPE_CHECKING:
    from tree_sitter import Node

CALM = frozenset(("call_expression", "await_expression", "new_expression", "assignment_expression", "update_expression"))
_GIVEN = re.compile(r"\s*!==?\s*(?:undefined|null)$")
SEVERAL = "the query is built in several statements"


@dataclass(frozen=True, slots=True)
class Choice:
    """`let query = chain; if (test) query = query.filter(...)`: the chain, the `if`, its test, and the one condition of its filter."""

    file: Source
    declaration: Node
    name: str
    chain: list[chains.Link]
    value: Node
    choice: Node
    test: Node
    condition: filters.Conjunct
    predicate: Predicate


def rewrite(task: Task, remedy: PushDown, access: Access, table: Table) -> Fix | Unfit:
    """Begin with the range where the filter is asked for, and as before where it is not."""
    function, plan = task.function, access.plans[0]
    found = _choice(task, remedy, access) if function is not None else Unfit(SEVERAL)
    if isinstance(found, Unfit) or function is None:
        return found if isinstance(found, Unfit) else Unfit(SEVERAL)
    if reason := _disturbed(found, function, task):
        return Unfit(reason)
    caveats: list[str] = []
    binds = _binds(task, remedy, plan, table, found, caveats)
    if binds is None:
        return Unfit("the range that is there does not fit the index")
    edits = _edits(found, remedy, binds)
    return ranges.fix(task, remedy, table, edits, [found.predicate.field], caveats, where=" when it is given")


def _choice(task: Task, remedy: PushDown, access: Access) -> Choice | Unfit:
    plan = access.plans[0]
    wanted = [f for f in remedy.fields if f not in plan.fixed() and f not in remedy.order]
    mine = [p for p in plan.predicates if p.side is Side.FILTER and p.field in wanted and p.relation is Relation.EQ]
    start = plan.span or access.chain
    begun = located(task.sources, replace(start, end=start.start + 1))
    asked = located(task.sources, mine[0].span) if len(wanted) == len(mine) == 1 and mine[0].span is not None else None
    if begun is None or asked is None or begun[0] is not asked[0]:
        return Unfit(SEVERAL)
    file = begun[0]
    value = chains.whole(begun[1])
    declaration = statement(value)
    declarator = waiting.declarator(declaration) if declaration is not None else None
    name = declarator.child_by_field_name("name") if declarator is not None else None
    if declaration is None or declarator is None or name is None or declarator.child_by_field_name("type") is not None:
        return Unfit(SEVERAL)
    if inner(declarator.child_by_field_name("value") or name) != value or not file.text(declaration).startswith("let"):
        return Unfit(SEVERAL)
    held = _filtering(file, asked[1], file.text(name))
    if held is None or held[0].parent != declaration.parent or held[0].start_byte < declaration.start_byte:
        return Unfit("only some paths add the filter, in a form that is not understood")
    chain = chains.links(file, value)
    if all(link.name != "query" for link in chain):
        return Unfit("the query begins elsewhere")
    return Choice(file, declaration, file.text(name), chain, value, *held, mine[0])


def _filtering(file: Source, condition: Node, name: str) -> tuple[Node, Node, filters.Conjunct] | None:
    """The `if` whose only deed is `name = name.filter(...)` with that one condition, with its test."""
    call = condition
    link = chains.link(file, call)
    while (link is None or link.name != "filter") and call.parent is not None:
        call = call.parent
        link = chains.link(file, call)
    read = filters.read(file, link) if link is not None and link.name == "filter" else None
    assigned = call.parent
    if link is None or read is None or len(read.conjuncts) != 1 or not read.conjuncts[0].field or assigned is None:
        return None
    if assigned.type != "assignment_expression" or file.text(assigned).partition("=")[0].strip() != name:
        return None
    if file.between(call.start_byte, link.dot.start_byte).strip() != name or assigned.parent is None:
        return None
    block = assigned.parent.parent
    choice = block.parent if block is not None and block.type == "statement_block" else block
    alone = block is not None and (block.type == "if_statement" or code(block) == [assigned.parent])
    if choice is None or choice.type != "if_statement" or not alone or choice.child_by_field_name("alternative") is not None:
        return None
    test = choice.child_by_field_name("condition")
    return (choice, inner(test), read.conjuncts[0]) if test is not None else None


def _disturbed(found: Choice, function: Function, task: Task) -> str:
    """Why the choice cannot be made where the query begins; empty if it can."""
    file, block = found.file, found.declaration.parent
    assert block is not None
    if any(part.type in CALM for part in walk(found.test)):
        return "it is not clear when the filter applies"
    between = [c for c in code(block) if found.declaration.start_byte < c.start_byte < found.choice.start_byte]
    for child in between:
        only_filters = child.type == "if_statement" and f"{found.name} = {found.name}.filter(" in file.text(child)
        if found.name in names(child) and not only_filters:
            return "the query is used before the filter is added"
    asked = [found.test, *([found.condition.value] if found.condition.value is not None else [])]
    if name := asked_before(file, asked, between):
        return f"`{name}` is looked at before the filter is added, which may rely on it"
    needs = frozenset(name for part in asked for name in free(part))
    does = effects(file, between, Reads(task.program, function, file.path))
    made = {n for child in between for part in walk(child) if part.type == "variable_declarator" for n in names(part)}
    return "what the filter compares with does not exist yet where the query begins" if needs & (does.touched | made) else ""


def _binds(
    task: Task, remedy: PushDown, plan: Plan, table: Table, found: Choice, caveats: list[str]
) -> list[ranges.Bind] | None:  # fmt: skip
    value = found.condition.value
    binds: list[ranges.Bind] = []
    for field in remedy.fields:
        there = next((p for p in plan.predicates if p.field == field and p.side is Side.INDEX and p.relation is Relation.EQ), None)
        if there is not None:
            node = found.file.at(there.span.start, there.span.end) if there.span is not None else None
            link = chains.link(found.file, node) if node is not None else None
            if link is None or link.name != "eq" or len(link.arguments) != 2:
                return None
            binds.append(ranges.Bind(there, link.arguments[1]))
        elif field == found.predicate.field and value is not None:
            fit = types.fits(task, found.file, found.predicate, value, table)
            caveats += [] if fit.known else [ranges.TYPES.format(found.file.text(value))]
            # What is asked for is there, though the type checker forgets it inside of a callback.
            asked = _GIVEN.sub("", found.file.text(found.test)) == found.file.text(value)
            binds.append(ranges.Bind(found.predicate, value, fit.bang or (asked and not fit.known), moved=True))
    kept = sum(p.side is Side.INDEX for p in plan.predicates)
    return binds if any(b.moved for b in binds) and sum(not b.moved for b in binds) == kept else None


def _edits(found: Choice, remedy: PushDown, binds: list[ranges.Bind]) -> list[TextEdit]:
    file, value = found.file, found.value
    query = next(link for link in found.chain if link.name == "query")
    ranged = next((link for link in found.chain if link.name == "withIndex"), None)
    mark = chains.quote(file, query.arguments[0] if query.arguments else None)
    head = filters.head_of(file, ranged, value)
    text = ranges.call(file, remedy.index, head, binds, mark)
    indent, unit = file.indent(found.declaration.start_byte), file.unit(found.declaration)
    deeper = unit * 2 if unit in ("  ", "\t") else f"{unit}  "
    old = layout.moved(file, value, deeper)
    if ranged is not None:
        new = file.between(value.start_byte, ranged.label.start_byte) + text + file.between(ranged.call.end_byte, value.end_byte)
    else:
        after = found.chain[found.chain.index(query) + 1] if found.chain[-1] != query else None
        space = chains.gap(file, after) if after is not None else ""
        new = file.between(value.start_byte, query.call.end_byte) + f"{space}.{text}" + file.between(query.call.end_byte, value.end_byte)
    new = new.replace("\n", f"\n{deeper}")
    above, behind = layout.comments_of(file, found.choice)
    inside = [part for part in walk(found.choice) if part.type == "comment"]
    said = "".join(f"{line}\n{indent}" for line in layout.said(file, [*above, *inside, *behind]))
    chosen = f"{file.text(found.test)}\n{indent}{unit}? {new}\n{indent}{unit}: {old}"
    edits = [file.edit(value.start_byte, value.end_byte, chosen), *layout.removed(file, [found.choice])]
    return [file.edit(found.declaration.start_byte, found.declaration.start_byte, said), *edits] if said else edits
