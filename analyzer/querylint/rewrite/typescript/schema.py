"""The schema file: an index put into the chain that declares a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from querylint.ir import Table
from querylint.patch import TextEdit
from querylint.rewrite import Sources
from querylint.rewrite.typescript import chains
from querylint.rewrite.typescript.source import Source, source, walk

if TYPE_CHECKING:
    from tree_sitter import Node

NOT_ONE = "the table is not declared by one defineTable that could take the index"
DECLARING = frozenset(("defineTable", "defineEnt"))


def with_index(sources: Sources, table: Table, index: str, fields: tuple[str, ...]) -> TextEdit | None:
    """The index at the end of the table's chain; None where the chain is not found."""
    return with_indexes(sources, table, [(index, fields)])


def with_indexes(
    sources: Sources, table: Table, indexes: Sequence[tuple[str, tuple[str, ...]]], *, staged: bool = False
) -> TextEdit | None:
    """The indexes at the end of the table's chain; None where the chain is not found. No query can read by a `staged` one yet."""
    file = source(sources, table.span.path) if table.span is not None else None
    declared = _declaration(file, table) if file is not None else None
    if file is None or declared is None:
        return None
    chain = chains.whole(declared)
    links = [link for link in chains.links(file, chain) if link.call.start_byte == declared.start_byte]
    mark = chains.quote(file, links[-1].arguments[0] if links and links[-1].arguments else None)
    space = _break(file, declared, links)
    added = "".join(space + _call(file, i, f, mark, space.rpartition("\n")[2], staged=staged) for i, f in indexes)
    return file.edit(chain.end_byte, chain.end_byte, added, shared=True)


def _call(file: Source, index: str, fields: tuple[str, ...], mark: str, indent: str, *, staged: bool) -> str:
    """The call that declares an index, its fields line by line where it is too long for one."""
    quoted = [f"{mark}{name}{mark}" for name in fields]
    listed = ", ".join(quoted)
    given = f"{{ fields: [{listed}], staged: true }}" if staged else f"[{listed}]"
    line = f".index({mark}{index}{mark}, {given})"
    if staged or len(indent) + len(line) <= file.width:
        return line
    unit = file.step
    fields_in_lines = f",\n{indent}{unit}".join(quoted)
    return f".index({mark}{index}{mark}, [\n{indent}{unit}{fields_in_lines}{file.list_comma}\n{indent}])"


def _declaration(file: Source, table: Table) -> Node | None:
    """The call of `defineTable` at the place of a table; None where there are none or several."""
    assert table.span is not None
    node = file.at(table.span.start, table.span.end)
    if node is None:
        return None
    found = [n for n in walk(node, lambda n: not _declares(file, n)) if _declares(file, n)]
    here: Node | None = node
    while not found and here is not None and here.type not in ("pair", "variable_declarator", "program"):
        here = here.parent
        found = [here] if here is not None and _declares(file, here) else []
    return found[0] if len(found) == 1 else None


def _declares(file: Source, node: Node) -> bool:
    callee = node.child_by_field_name("function") if node.type == "call_expression" else None
    return callee is not None and file.text(callee) in DECLARING


def _break(file: Source, declared: Node, links: list[chains.Link]) -> str:
    """The white space before the new link: that of the one before it where it stands on a line of its own."""
    for link in reversed(links):
        if "\n" in (gap := chains.gap(file, link)):
            return gap
    outer = file.indent(declared.start_byte)
    return f"\n{outer}" + ("\t" if outer.startswith("\t") else "  ")
