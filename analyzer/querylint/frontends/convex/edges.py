"""What `defineEntSchema` of convex-ents makes of the edges that tables declare: tables of their own, and unique ids."""

from __future__ import annotations

from collections.abc import Mapping

from querylint.construction import replace
from querylint.frontends.convex.tables import Edge, TableValue, join
from querylint.ir import Table


def linked(tables: Mapping[str, TableValue]) -> tuple[dict[str, TableValue], list[Table]]:
    """The tables, with ids that can only be held once marked unique, and the tables that hold edges from many to many."""
    found = dict(tables)
    joins: list[Table] = []
    done: set[tuple[str, str]] = set()
    for name, table in tables.items():
        for edge in table.edges:
            if edge.many and edge.inverse is None and (name, edge.name) not in done:
                other = _inverse(name, edge, tables)
                if other is None and edge.to != name:
                    continue
                done.add((name, edge.name))
                if other is not None:
                    done.add((edge.to, other.name))
                joins.append(_join(name, edge, other))
            elif not edge.multiple and not edge.stored and edge.to in found:
                found[edge.to] = _held_once(found[edge.to], name, edge)
    return found, joins


def _inverse(name: str, edge: Edge, tables: Mapping[str, TableValue]) -> Edge | None:
    """The edge of the other table that is this one seen from there."""
    for candidate in tables[edge.to].edges if edge.to in tables else ():
        if candidate.to != name or not candidate.many:
            continue
        if edge.to == name:
            if candidate.inverse == edge.name:
                return candidate
        elif candidate.table == edge.table:
            return candidate
    return None


def _join(name: str, edge: Edge, other: Edge | None) -> Table:
    if other is None:
        return join(name, edge.to, edge.field or "aId", edge.inverse_field or "bId", edge.table or f"{name}_{edge.name}", symmetric=True)
    loop = edge.to == name
    forward = edge.field or (f"{other.name}Id" if loop else f"{name}Id")
    backward = (edge.inverse_field if loop else other.field) or (f"{edge.name}Id" if loop else f"{edge.to}Id")
    between = f"{other.name}_to_{edge.name}"
    return join(name, edge.to, forward, backward, edge.table or (between if other.name == name else f"{name}_{between}"), symmetric=False)


def _held_once(table: TableValue, name: str, edge: Edge) -> TableValue:
    """The table at the other end of an edge from one to one: its id of this table occurs once."""
    ends = [one for one in table.edges if one.stored and one.to == name and edge.ref in (None, one.field)]
    if len(ends) != 1:
        return table
    indexes = tuple(replace(one, unique=True) if one.implicit and one.fields == (ends[0].field,) else one for one in table.indexes)
    return replace(table, indexes=indexes)
