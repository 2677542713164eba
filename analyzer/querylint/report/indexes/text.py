"""The index advice for a person: per table what to keep, add and drop, why, at what price, and why fewer cannot do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from querylint.advise.advisor import TableAdvice, Verdict
from querylint.report.indexes import IndexReport
from querylint.report.indexes import wording as words
from querylint.report.order import notes_by_place
from querylint.report.paint import Paint
from querylint.report.wording import count, scope

WIDTH = 140


def render(report: IndexReport) -> str:
    """The whole advice."""
    paint = Paint(report.color)
    shown = report.tables if report.all else report.changed
    mixed = words.mixed(report.tables)
    blocks = ["\n".join(_table(table, paint, mixed=mixed)) for table in shown]
    steps = words.steps(report.tables)
    if steps:
        blocks.append("\n".join(["In this order:", *(_fold(f"{number}. ", step) for number, step in enumerate(steps, 1))]))
    blocks.append("\n".join(_footer(report)))
    return "\n\n".join(blocks) + "\n"


def _table(table: TableAdvice, paint: Paint, *, mixed: bool) -> Iterator[str]:
    span = table.table.span
    place = f"{span.path}:{span.line}: " if span is not None else ""
    yield paint.strong(f"{place}{words.title(table, stack=mixed)}")
    told = [i for i in table.indexes if not words.goes_without_saying(i)]
    names = max((len(i.name) for i in told), default=0)
    fields = min(max((len(words.what(i)) for i in told), default=0), 40)
    for index in sorted(told, key=lambda i: list(Verdict).index(i.verdict)):
        head = f"  {words.SIGNS[index.verdict]} {index.name:<{names}}  {words.what(index):<{fields}}  {index.verdict.value:<4}  "
        yield _fold(head, words.reason(index, table))
    if len(told) < len(table.indexes):
        rest = len(table.indexes) - len(told)
        yield f"  = {count(rest, 'other')} {'stays' if rest == 1 else 'stay'}: keys, constraints, and what other programs may use"
    for sentence in words.afterwards(table):
        yield _fold("    ", sentence)
    if table.changes:
        yield _fold("    price: ", words.cost(table))
    if proof := words.proof(table):
        yield _fold("    proof: ", proof)
    if fewer := words.reordered(table):
        yield _fold("    ", fewer)
    if table.over:
        yield _fold("    no room: ", words.served(table.over))
    if table.spare:
        yield _fold("    not worth an index alone: ", "; ".join(f"{words.place(d)} by {words.shape(d)}" for d in table.spare))


def _fold(head: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=head, subsequent_indent=" " * min(len(head), 40), break_long_words=False)


def _footer(report: IndexReport) -> Iterator[str]:
    indexes = [i for table in report.tables for i in table.indexes]
    added = sum(i.verdict is Verdict.ADD for i in indexes)
    dropped = sum(i.verdict is Verdict.DROP for i in indexes)
    if report.changed:
        yield f"{count(len(report.changed), 'table')}: add {count(added, 'index', 'indexes')}, drop {dropped}."
    elif report.verdict:
        yield _fold("", report.verdict)
    for note in notes_by_place(report.notes):
        yield f"note: {note.path + ': ' if note.path else ''}{note.message}"
    yield scope(report.summary)
