"""Index ranges as text: `withIndex("name", (q) => q.eq("field", value))`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.ir import Predicate, Relation, Table
from querylint.patch import Fix, Safety, TextEdit
from querylint.remedy import PushDown
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import chains, filters, schema
from querylint.rewrite.typescript.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

METHODS = {Relation.EQ: "eq", Relation.GT: "gt", Relation.GTE: "gte", Relation.LT: "lt", Relation.LTE: "lte"}
LOWER = (Relation.GT, Relation.GTE)

NEW_INDEX = "the index is new: every write to the table pays for it; on a large table, stage it first"
OTHER_ORDER = "rows come in the order of the index"
TYPES = "the type checker has to say whether `{}` fits the field"


@dataclass(frozen=True, slots=True)
class Bind:
    """One condition in a range: what it compares with, with a `!` where that may be nothing. `moved`: it was not in the range before."""

    predicate: Predicate
    value: Node
    bang: bool = False
    moved: bool = False


def bounds(mine: list[Predicate]) -> list[Predicate]:
    """One lower and one upper bound at most."""
    lower = next((p for p in mine if p.relation in LOWER), None)
    upper = next((p for p in mine if p.relation.ranged and p.relation not in LOWER), None)
    return [p for p in (lower, upper) if p is not None]


def call(file: Source, index: str, head: str, binds: list[Bind], mark: str) -> str:
    """The call of `withIndex` on one line. `head` are the parameters of its callback as they are written, `mark` is the quotation mark."""
    bound = "".join(
        f".{METHODS[b.predicate.relation]}({mark}{b.predicate.field}{mark}, {file.text(b.value)}{'!' if b.bang else ''})" for b in binds
    )
    return f"withIndex({mark}{index}{mark}, {head} => {filters.name_of(head)}{bound})"


def fix(
    task: Task,
    remedy: PushDown,
    table: Table,
    edits: list[TextEdit],
    names: Iterable[str | None],
    caveats: Iterable[str] = (),
    *,
    later: Iterable[str] = (),
    ordered: bool = True,
    where: str = "",
) -> Fix | Unfit:
    """The edits of a query that reads by a range, with the index in the schema where it is to be added.

    `names` are the fields that come to be bound. `ordered` says that the order of the rows may be seen; `caveats` come before what is to be
    said of the index, `later` after it.
    """
    said = list(caveats)
    if remedy.create:
        added = schema.with_index(task.sources, table, remedy.index, remedy.fields)
        if added is None:
            return Unfit(schema.NOT_ONE)
        edits = [*edits, added]
        said.append(NEW_INDEX)
    said += [OTHER_ORDER] if ordered and not remedy.keeps_order else []
    said += later
    verb = "add" if remedy.create else "use"
    listed = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
    title = f"{verb} index `{remedy.index}` and bind {listed} in its range{where}"
    return Fix(title, Safety.UNSAFE if said else Safety.SAFE, tuple(edits), tuple(dict.fromkeys(said)))


def laid_out(file: Source, link: chains.Link, text: str, head: str) -> str:
    """Such a call in the place of a link: on one line, or with its range on a line of its own where it is too long."""
    start = link.label.start_byte
    return _broken(file, file.indent(start), start - file.data.rfind(b"\n", 0, start), text, head)


def put_in(file: Source, at: int, space: str, text: str, head: str) -> TextEdit:
    """Such a call put into a chain, behind the white space that its other calls have before them."""
    column = len(space) - space.rfind("\n") if "\n" in space else at - file.data.rfind(b"\n", 0, at)
    indent = space.rpartition("\n")[2] if "\n" in space else file.indent(at)
    return file.edit(at, at, f"{space}.{_broken(file, indent, column, text, head)}")


def put_behind(file: Source, chain: list[chains.Link], query: chains.Link, text: str, head: str) -> list[TextEdit]:
    """Such a call put behind the one that begins a query, whose chain is broken into lines where its one line becomes too long."""
    at, later = query.call.end_byte, chain[chain.index(query) + 1 :]
    begin = file.data.rfind(b"\n", 0, query.dot.start_byte) + 1
    end = file.data.find(b"\n", at)
    short = chain[-1].call.end_byte <= end and end - begin + len(text) < file.width
    if short or not later or chain[-1].call.end_byte > end or b"//" in file.data[begin:end]:
        return [put_in(file, at, chains.gap(file, later[0]) if later else "", text, head)]
    indent = f"{file.indent(at)}{file.step}"
    edits = [file.edit(link.dot.start_byte, link.dot.start_byte, f"\n{indent}") for link in later[1:]]
    added = _broken(file, indent, len(indent) + 1, text, head)
    first = file.edit(query.dot.start_byte, query.dot.start_byte, f"\n{indent}")
    return [first, file.edit(at, at, f"\n{indent}.{added}\n{indent}"), *edits]


def _broken(file: Source, indent: str, column: int, text: str, head: str) -> str:
    if column + len(text) <= file.width:
        return text
    unit = file.step
    start, _, rest = text.partition(f"{head} => ")
    inside = rest[:-1]
    if len(indent) + len(unit) + len(inside) >= file.width:
        inside = f"\n{indent}{unit * 2}".join(_calls(inside))
    return f"{start}{head} =>\n{indent}{unit}{inside}{file.call_comma}\n{indent})"


def _calls(text: str) -> list[str]:
    """A range of several calls, `q.eq(...).gte(...)`, as what it begins with and its calls; one of a single call as it is."""
    found, start, depth, mark = [], 0, 0, ""
    for at, sign in enumerate(text):
        if mark:
            mark = "" if sign == mark and text[at - 1] != "\\" else mark
        elif sign in "\"'`":
            mark = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "." and not depth:
            found.append(text[start:at])
            start = at
    found.append(text[start:])
    return found if len(found) > 2 else [text]
