"""A filter of the database that an index range replaces, with the index put into the schema where it is not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import dataclass, replace
from querylint.ir import Access, Bound, Plan, Predicate, Relation, Root, Side, Table, Use, Work
from querylint.patch import Fix, TextEdit
from querylint.remedy import PushDown
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import chains, choice, filters, memory_filter, ranges, types
from querylint.rewrite.typescript.source import FUNCTIONS, Source, located, names

if TYPE_CHECKING:
    from tree_sitter import Node

CURSORS = "cursors of this list that are in use become invalid"
ARITHMETIC = "what is left of the filter may fail for rows that the index skips"


@dataclass(frozen=True, slots=True)
class Query:
    """One query as it stands: its chain, its plan, its `.withIndex(...)` if it has one, and its filters."""

    file: Source
    access: Access
    plan: Plan
    table: Table
    query: chains.Link
    ranged: chains.Link | None
    filters: tuple[filters.Filter, ...]


def rewrite(task: Task, remedy: PushDown) -> Fix | Unfit:
    """Bind in the range what the filter tests for equality, and one comparison after that."""
    if not task.found.function:
        return _elsewhere(task, remedy)
    if task.found.operation == "filter":
        return memory_filter.rewrite(task, remedy)
    query = _query(task, remedy)
    if isinstance(query, Fix | Unfit):
        return query
    binds = _binds(query, remedy)
    if isinstance(binds, Unfit):
        return binds
    caveats: list[str] = []
    typed: list[ranges.Bind] = []
    for bind in binds:
        fit = types.fits(task, query.file, bind.predicate, bind.value, query.table) if bind.moved else types.Fit.YES
        if not fit.known:
            caveats.append(ranges.TYPES.format(query.file.text(bind.value)))
        typed.append(ranges.Bind(bind.predicate, bind.value, fit.bang, bind.moved))
    taken = frozenset(bind.predicate.span for bind in binds if bind.moved and bind.predicate.span is not None)
    edits = _edits(query, remedy, typed, taken)
    if isinstance(edits, Unfit):
        return edits
    later = [CURSORS] if query.access.bound is Bound.PAGE else []
    later += [ARITHMETIC] if any(one.computes for one in query.filters) else []
    names = (bind.predicate.field for bind in binds if bind.moved)
    ordered = query.access.verb != "unique"
    return ranges.fix(task, remedy, query.table, edits, names, caveats, later=later, ordered=ordered)


def _elsewhere(task: Task, remedy: PushDown) -> Fix | Unfit:
    """The query changed that passes an index by, where the finding is about the index."""
    mine = [f for f in task.program.functions.values() if remedy.at is not None and f.path == remedy.at.path]
    for function in mine:
        for access in (s for s in function.steps() if isinstance(s, Access) and s.chain == remedy.at):
            found = replace(task.found, span=access.chain, function=function.key, operation=access.verb)
            asked = [p for plan in access.plans for p in plan.residual()]
            if any(p.arms for p in asked):
                return Unfit("the query that bypasses the index asks for alternatives: each needs a separate query")
            if not any(p.field in remedy.fields for p in asked):
                work = next((u for u in function.steps() if isinstance(u, Use) and _tests(u, access, remedy)), None)
                if work is None:
                    return Unfit("the query that bypasses the index is not filtered where it is read")
                found = replace(found, span=work.span, operation="filter")
            return rewrite(replace(task, found=found), replace(remedy, at=None))
    return Unfit("the query that bypasses the index is to be changed by hand")


def _tests(use: Use, access: Access, remedy: PushDown) -> bool:
    """Whether a work of memory filters the rows of a read by a field of the index."""
    mine = any(o.root is Root.STEP and o.ref == access.id for o in use.of)
    return mine and use.work is Work.FILTER and any(p.field in remedy.fields for p in use.predicates)


def _query(task: Task, remedy: PushDown) -> Query | Fix | Unfit:
    function = task.function
    found = [s for s in function.steps() if isinstance(s, Access) and s.chain == task.found.span] if function is not None else []
    if function is None or not found:
        return Unfit("the query is not built where it is read")
    access = found[0]
    table = task.program.table(function, access.table)
    if len(access.plans) != 1 or table is None:
        return Unfit("the query is built in several ways")
    plan = access.plans[0]
    wanted = [p for p in plan.predicates if p.side is Side.FILTER and p.field in remedy.fields]
    if wanted and all(p.conditional for p in wanted):
        return choice.rewrite(task, remedy, access, table)
    begun = _begun(task, access, plan)
    if begun is None:
        return Unfit("the code around it does not parse, or the query is built in several statements")
    file, chain, first = begun
    start = plan.span or access.chain
    others = (*(s for s in function.steps() if isinstance(s, Access)), *function.built)
    if any(o.id != access.id and (p.span or o.chain).start == start.start for o in others for p in o.plans):
        return Unfit("several reads go on from where the query is begun")
    after = chain[chain.index(first) + 1 :]
    ranged = next((link for link in after if link.name == "withIndex"), None)
    if ranged is not None and (not ranged.arguments or ranged.arguments[0].type != "string"):
        return Unfit("the name of its index is not written down")
    tested: list[filters.Filter] = []
    for link in after:
        if link.name == "filter":
            read = filters.read(file, link)
            if read is None:
                return Unfit("its filter does more than test fields")
            tested.append(read)
    if any(p.conditional for p in wanted) or not wanted:
        return Unfit("only some paths add the filter")
    return Query(file, access, plan, table, first, ranged, tuple(tested))


def _begun(task: Task, access: Access, plan: Plan) -> tuple[Source, list[chains.Link], chains.Link] | None:
    """The chain in which a query is begun: the one that reads, or the statement before it that keeps the query in a variable."""
    start = plan.span or access.chain
    for span in (start, replace(start, end=start.start + 1)):
        place = located(task.sources, span)
        chain = chains.links(place[0], chains.whole(place[1])) if place is not None else []
        first = next((link for link in chain if link.name == "query"), None)
        if place is not None and first is not None:
            return place[0], chain, first
    return None


def _binds(query: Query, remedy: PushDown) -> list[ranges.Bind] | Unfit:
    """The range on the new index: the equalities of its leading fields, then the comparisons of the next."""
    found: list[ranges.Bind] = []
    for name in remedy.fields:
        if name in remedy.order:
            break
        mine = [p for p in query.plan.predicates if p.field == name and p.side in (Side.INDEX, Side.FILTER) and not p.conditional]
        equal = next((p for p in mine if p.relation is Relation.EQ), None)
        chosen = [equal] if equal is not None else ranges.bounds(mine)
        for predicate in chosen:
            value = _value(query, predicate)
            if value is None:
                return Unfit(f"what `{name}` is compared with is not clear")
            found.append(ranges.Bind(predicate, value, moved=predicate.side is Side.FILTER))
        if equal is None:
            break
    kept = [p for p in query.plan.predicates if p.side is Side.INDEX]
    if len(kept) != len([bind for bind in found if not bind.moved]):
        return Unfit("the range that is there does not fit the index")
    return found if any(bind.moved for bind in found) else Unfit("the filter tests nothing that the index could bind")


def _value(query: Query, predicate: Predicate) -> Node | None:
    """What a field is compared with, as it stands in the filter or in the range."""
    span = predicate.span
    if span is None or predicate.relation not in ranges.METHODS or span.path != query.file.path:
        return None
    if predicate.side is Side.FILTER:
        conjuncts = (c for one in query.filters for c in one.conjuncts)
        hit = next((c for c in conjuncts if (c.node.start_byte, c.node.end_byte) == (span.start, span.end)), None)
        fitting = hit is not None and hit.field == predicate.field and hit.method == ranges.METHODS[predicate.relation]
        return hit.value if hit is not None and fitting else None
    node = query.file.at(span.start, span.end)
    link = chains.link(query.file, node) if node is not None else None
    if link is None or link.name != ranges.METHODS[predicate.relation] or len(link.arguments) != 2:
        return None
    return link.arguments[1] if query.file.text(link.arguments[0])[1:-1] == predicate.field else None


def _edits(query: Query, remedy: PushDown, binds: list[ranges.Bind], taken: frozenset[object]) -> list[TextEdit] | Unfit:
    file = query.file
    mark = chains.quote(file, query.query.arguments[0] if query.query.arguments else None)
    head = _parameter(query)
    used = {name for bind in binds for name in names(bind.value)}
    if head is None or filters.name_of(head) in used:
        return Unfit("the names of its callbacks get in the way")
    text = ranges.call(file, remedy.index, head, binds, mark)
    edits: list[TextEdit] = []
    replaced: filters.Filter | None = None
    if query.ranged is not None:
        edits.append(file.edit(query.ranged.label.start_byte, query.ranged.call.end_byte, ranges.laid_out(file, query.ranged, text, head)))
    for one in query.filters:
        gone = [c for c in one.conjuncts if c.node is not None and _is_taken(file, c, taken)]
        if not gone:
            continue
        beside = one.link.call.child_by_field_name("function")
        holder = beside.child_by_field_name("object") if beside is not None else None
        if len(gone) == len(one.conjuncts) and query.ranged is None and replaced is None and holder == query.query.call:
            replaced = one
            edits += chains.unlinted(file, one.link)
            edits.append(file.edit(one.link.label.start_byte, one.link.call.end_byte, ranges.laid_out(file, one.link, text, head)))
        elif len(gone) == len(one.conjuncts):
            edits.append(chains.without(file, one.link))
        else:
            edits += filters.without(file, one, gone)
    if query.ranged is None and replaced is None:
        after = next((one.link for one in query.filters), None)
        space = chains.gap(file, after) if after is not None else ""
        edits.append(ranges.put_in(file, query.query.call.end_byte, space, text, head))
    return edits


def _is_taken(file: Source, conjunct: filters.Conjunct, taken: frozenset[object]) -> bool:
    return file.lines.span(conjunct.node.start_byte, conjunct.node.end_byte) in taken


def _parameter(query: Query) -> str | None:
    """The parameters of the callback that is there, as written: `(q)`, `q`, `(q: any)`."""
    callbacks = [link.arguments[-1] for link in ([query.ranged] if query.ranged else []) if link.arguments[-1].type in FUNCTIONS]
    callbacks += [one.link.arguments[0] for one in query.filters]
    return next((head for callback in callbacks if (head := filters.head(query.file, callback)) is not None), None)
