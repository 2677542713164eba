"""The index advice as Markdown, for pull requests and wikis."""

from __future__ import annotations

from collections.abc import Iterator

from querylint.advise.advisor import TableAdvice, Verdict
from querylint.advise.demands import CREATION
from querylint.report.indexes import IndexReport
from querylint.report.indexes import wording as words
from querylint.report.wording import scope


def render(report: IndexReport) -> str:
    """The whole advice."""
    shown = report.tables if report.all else report.changed
    lines = ["# Index advice", "", scope(report.summary), ""]
    if report.verdict:
        lines += [report.verdict, ""]
    mixed = words.mixed(report.tables)
    for table in shown:
        lines += [*_table(table, mixed=mixed), ""]
    if steps := words.steps(report.tables):
        lines += ["## In this order", "", *(f"{number}. {step}" for number, step in enumerate(steps, 1)), ""]
    return "\n".join(lines[:-1]) + "\n"


def _table(table: TableAdvice, *, mixed: bool) -> Iterator[str]:
    yield f"## {_text(words.title(table, stack=mixed))}"
    yield ""
    yield "| | index | fields | why |"
    yield "| --- | --- | --- | --- |"
    told = [i for i in table.indexes if not words.goes_without_saying(i)]
    for index in sorted(told, key=lambda i: list(Verdict).index(i.verdict)):
        yield f"| {index.verdict.value} | `{index.name}` | {_text(words.what(index))} | {_text(words.reason(index, table))} |"
    yield ""
    more = [f"{sentence}." for sentence in words.afterwards(table)]
    more += [f"Price: {words.cost(table)}."] if table.changes else []
    more += [f"Proof: {proof}."] if (proof := words.proof(table)) else []
    more += [f"{fewer}."] if (fewer := words.reordered(table)) else []
    more += [f"No room: {words.served(table.over)}."] if table.over else []
    more += [f"Not worth an index alone: {words.served(table.spare)}."] if table.spare else []
    for sentence in more:
        yield f"- {_text(sentence)}"


def _text(text: str) -> str:
    """Text in which only what stands between backticks is code, where nothing is to be escaped but what ends a cell."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part if number % 2 else _escaped(part) for number, part in enumerate(parts))


def _escaped(text: str) -> str:
    return text.replace(CREATION, "creation time").replace("_", "\\_").replace("*", "\\*").replace("<", "&lt;")
