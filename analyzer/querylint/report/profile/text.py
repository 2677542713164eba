"""What was measured, for a person: the dearest functions, the findings on their way, what went wrong, what exceeds the budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from querylint.evidence.measures import Measured
from querylint.evidence.profile import Attributed, Earlier, Profile
from querylint.report.concise import line_of
from querylint.report.paint import Paint
from querylint.report.profile.wording import (
    COMPARED,
    HEAD,
    STATEMENTS,
    abridged,
    asked_at,
    comparison,
    facts,
    head,
    left_out,
    named,
    new_and_gone,
    on_the_way,
    over,
    read_by_one,
    row,
    shown_of,
    shown_of_statements,
    statement_facts,
    statement_row,
    trouble,
)
from querylint.report.snippet import printable
from querylint.report.wording import advice, count, listed
from querylint.rule import Severity

MOST_TROUBLES = 5
"""So many reports of the platform are told of functions that are not shown."""


def render(profile: Profile, paint: Paint, top: int, show: Severity = Severity.WARNING) -> str:
    """The whole profile; `top` is how many functions are shown at most, with all that was found on their way."""
    shown = [a for a in profile.attributed if a.finding.severity.rank >= show.rank]
    first = profile.functions[:top]
    found = shown_of(profile, show)
    blocks = [[printable(head(profile))]]
    if profile.functions:
        blocks.append(list(_columns(HEAD, [row(profile, m, found) for m in first], paint)))
    if profile.statements:
        statements = shown_of_statements(profile, show)
        rows = [statement_row(profile, one, statements) for one in profile.statements[:top]]
        blocks.append(list(_columns(STATEMENTS, rows, paint)))
    if profile.earlier is not None:
        blocks.append(list(_comparison(profile, profile.earlier, top, paint)))
    for m in first:
        lines = [*_trouble(m, paint), *(line for a in shown if m in a.functions[:1] for line in _finding(profile, a, paint))]
        if lines:
            blocks.append([f"{paint.strong(printable(str(m.name)))}: {facts(profile, m)}", *lines])
    for one in profile.statements[:top]:
        own = [a for a in shown if not a.functions and one.asked in a.statements[:1]]
        if own:
            title = f"{paint.strong(printable(abridged(one.asked.text)))}: {statement_facts(profile, one.asked)}"
            lines = [line for a in own for line in _finding(profile, a, paint)]
            blocks.append([title, printable(asked_at(one)), *lines])
    rest = (*profile.functions[top:], *profile.foreign)
    blocks.append(list(_troubles(rest, paint, MOST_TROUBLES if top < len(profile.functions) else None)))
    if profile.excess:
        error = paint.severity("error", Severity.ERROR)
        lines = [f"{error} {paint.strong(printable(abridged(e.name)))}: {over(e)}" for e in profile.excess]
        blocks.append([paint.strong("Over budget:"), *lines])
    blocks.append([printable(line) for line in _foot(profile, shown, top, show)])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _columns(names: tuple[str, ...], given: Iterable[tuple[str, ...]], paint: Paint) -> Iterator[str]:
    rows = [names, *(tuple(map(printable, cells)) for cells in given)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(names) - 1)]
    for place, cells in enumerate(rows):
        line = "  ".join([*(cell.rjust(width) for cell, width in zip(cells, widths, strict=False)), cells[-1]])
        yield paint.faint(line) if place == 0 else line


def _comparison(profile: Profile, earlier: Earlier, top: int, paint: Paint) -> Iterator[str]:
    """What both runs have, and what only one has."""
    yield paint.strong(printable(f"Compared with {listed([PurePath(name).name for name in earlier.evidence.names])}:"))
    rows = comparison(profile, earlier)
    if rows:
        yield from _columns(COMPARED, rows[:top], paint)
    else:
        yield "nothing ran in both"
    yield from map(printable, new_and_gone(profile, earlier))


def _trouble(m: Measured, paint: Paint) -> Iterator[str]:
    for severity, text in trouble(m):
        yield f"{paint.severity(severity.value, severity)} {printable(text)}"


def _troubles(functions: Iterable[Measured], paint: Paint, most: int | None) -> Iterator[str]:
    """What the platform reports of other functions, errors first; at most so many lines, where there is a limit."""
    told = [(severity, m, text) for m in functions for severity, text in trouble(m)]
    ranked = sorted(told, key=lambda one: -one[0].rank)
    for severity, m, text in ranked[:most]:
        yield f"{paint.severity(severity.value, severity)} {paint.strong(printable(str(m.name)))} {printable(text)}"
    if most is not None and len(ranked) > most:
        yield f"{count(len(ranked) - most, 'more report')} like these: --top shows more functions."


def _finding(profile: Profile, attributed: Attributed, paint: Paint) -> Iterator[str]:
    yield line_of(attributed.finding, paint)
    rows = [("also", on_the_way(profile, attributed)), ("measured", read_by_one(attributed))]
    rows += [("help", text) for text in advice(attributed.finding.found)]
    for label, text in rows:
        if text:
            yield f"    {paint.faint(f'= {label}:')} {printable(text)}"


def _foot(profile: Profile, shown: list[Attributed], top: int, show: Severity) -> Iterator[str]:
    for noun, number in (("functions", len(profile.functions)), ("statements", len(profile.statements))):
        if number > top:
            yield f"Only {top} of {number} {noun} are shown: --top {number} shows all."
    hidden = len(profile.attributed) - len(shown)
    found, every = shown_of(profile, show), shown_of(profile, Severity.INFO)
    less = [str(m.name) for m in profile.functions[:top] if every[m.name] and not found[m.name]]
    if hidden:
        only = f"; there is nothing else on that of {named(less)}" if less else ""
        what = count(hidden, "hint") if show is Severity.WARNING else count(hidden, "lesser finding")
        yield f"{what} on their way{only}: --show info"
    quiet = [str(m.name) for m in profile.functions[:top] if m.calls and not every[m.name]]
    if quiet and profile.attributed:
        yield f"Nothing was found {'in this part of the project ' if profile.partial else ''}on the way of {named(quiet)}."
    yield from left_out(profile, show)
