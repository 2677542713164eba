"""What was measured, for a person: the dearest functions, the findings on their way, what went wrong, what exceeds the budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from querylint.evidence.budget import Excess
from querylint.evidence.execution import Insight
from querylint.evidence.measures import Measured
from querylint.evidence.profile import Attributed, Profile
from querylint.report.concise import line_of
from querylint.report.paint import Paint
from querylint.report.profile.units import in_unit, number, percent, period, size, time
from querylint.report.snippet import printable
from querylint.report.wording import advice, count, listed
from querylint.rule import Severity

MOST_NAMES = 3
HEAD = ("calls", "cached", "p50", "p95", "p99", "documents", "of the time", "findings", "function")
MEASURES = {
    "p50": "median time",
    "p95": "95th percentile of the time",
    "p99": "99th percentile of the time",
    "documents": "documents read by one run",
}
NEAR = {
    "documentsReadLimit": "read more documents than one transaction may",
    "bytesReadLimit": "read more bytes than one transaction may",
    "documentsReadThreshold": "read nearly as many documents as one transaction may",
    "bytesReadThreshold": "read nearly as many bytes as one transaction may",
    "occRetried": "had to be tried again because of a write conflict",
    "occFailedPermanently": "failed because of write conflicts",
}


def render(profile: Profile, paint: Paint, top: int, show: Severity = Severity.WARNING) -> str:
    """The whole profile; `top` is how many functions are shown at most, with all that was found on their way."""
    shown = [a for a in profile.attributed if a.finding.severity.rank >= show.rank]
    ranked = (*profile.functions, *profile.foreign)
    blocks = [_head(profile)]
    if profile.calls:
        blocks.append("\n".join(_table(profile, profile.functions[:top], paint)))
    for m in profile.functions[:top]:
        lines = [*_trouble(m, paint), *(line for a in shown if a.functions[0] is m for line in _finding(profile, a, paint))]
        if lines:
            blocks.append("\n".join([f"{paint.strong(printable(str(m.name)))}: {', '.join(_facts(profile, m))}", *lines]))
    others = [line for m in ranked if m not in profile.functions[:top] for line in _trouble(m, paint, named=True)]
    if others:
        blocks.append("\n".join(others))
    if profile.excess:
        blocks.append("\n".join([paint.strong("Over budget:"), *(_excess(e, paint) for e in profile.excess)]))
    blocks.append("\n".join(_foot(profile, shown, top, show)))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(profile: Profile) -> str:
    evidence = profile.evidence
    names = listed([printable(name) for name in evidence.names])
    of = f" of {printable(listed(sorted(evidence.deployments)))}" if evidence.deployments else ""
    if evidence.first is None or evidence.last is None:
        return f"No run of a function{of} is told in {names}."
    functions = count(sum(m.calls > 0 for m in (*profile.functions, *profile.foreign)), "function")
    since = datetime.fromtimestamp(evidence.first, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{number(profile.calls)} calls of {functions}{of} in {period(evidence.last - evidence.first)} from {since} UTC, by {names}."


def _table(profile: Profile, functions: Iterable[Measured], paint: Paint) -> Iterator[str]:
    rows = [HEAD, *(_row(profile, m) for m in functions)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for place, row in enumerate(rows):
        line = "  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        yield paint.faint(line) if place == 0 else line


def _row(profile: Profile, m: Measured) -> tuple[str, ...]:
    cached = percent(100 * m.cached / m.calls) if m.calls else "-"
    times = tuple(time(value) if m.ran else "-" for value in (m.p50, m.p95, m.p99))
    documents = number(m.documents_p95) if m.documents_p95 is not None else "-"
    found = profile.found.get(m.name, 0)
    return (
        number(m.calls),
        cached,
        *times,
        documents,
        percent(profile.share([m])),
        str(found or "-"),
        f"{printable(str(m.name))} {m.kind}".strip(),
    )


def _finding(profile: Profile, attributed: Attributed, paint: Paint) -> Iterator[str]:
    finding, functions = attributed.finding, attributed.functions
    yield line_of(finding, paint)
    if len(functions) > 1:
        names = [printable(str(m.name)) for m in functions[1 : MOST_NAMES + 1]] + _more(len(functions) - 1)
        yield f"    {paint.faint('= also:')} on the way of {listed(names)}; together {percent(profile.share(functions))} of the time"
    table = finding.found.table
    reads = [r for m in functions for i in m.insights for r in i.reads if table is not None and r.table == table]
    if reads:
        worst = max(reads, key=lambda r: r.documents)
        read = f"{number(worst.documents)} documents ({size(worst.bytes)}) of `{printable(worst.table)}`"
        yield f"    {paint.faint('= measured:')} one run has read {read}"
    for text in advice(finding.found):
        yield f"    {paint.faint('= help:')} {printable(text)}"


def _facts(profile: Profile, m: Measured) -> list[str]:
    facts = [count_of(m.calls, "call") if m.calls else "not seen to run"]
    if m.ran:
        facts.append(f"p95 {time(m.p95)}")
    if m.documents_p95 is not None:
        facts.append(f"{number(m.documents_p95)} documents read by one run (p95), {number(m.documents or 0)} by all")
    if m.bytes:
        facts.append(size(m.bytes))
    if m.most_started:
        facts.append(f"{count(m.started_p95 or 0, 'function')} started by one run (p95)")
    if m.reruns:
        facts.append(f"{percent(100 * m.reruns / m.calls)} of the calls because data has changed")
    if m.ran:
        facts.append(f"{percent(profile.share([m]))} of the time")
    return facts


def _trouble(m: Measured, paint: Paint, *, named: bool = False) -> Iterator[str]:
    """What the platform reports of a function: limits that are near, conflicts with other writes."""
    name = f"{paint.strong(printable(str(m.name)))} " if named else ""
    warning = paint.severity("warning", Severity.WARNING)
    for insight in m.insights:
        yield f"{paint.severity('error', Severity.ERROR) if insight.severity == 'error' else warning} {name}{_noticed(insight)}"
    if m.conflicts:
        parts = [
            f"{number(n)} on `{printable(table)}`{_by(source)}" if table else number(n) for table, source, n in m.conflicts[:MOST_NAMES]
        ]
        yield f"{warning} {name}met other writes in {percent(100 * m.met / m.calls)} of its calls: {listed(parts)}"
    for code, times in m.near:
        yield f"{warning} {name}came near a limit {count_of(times, 'time')} ({printable(code)})"


def _by(source: str) -> str:
    return f" (written by {printable(source)})" if source else ""


def _noticed(insight: Insight) -> str:
    where = f" on `{printable(insight.table)}`" if insight.table else ""
    tables: dict[str, int] = {}
    for read in insight.reads:
        tables[read.table] = max(tables.get(read.table, 0), read.documents)
    ranked = sorted(tables.items(), key=lambda item: -item[1])[:MOST_NAMES]
    most = f": up to {listed([f'{number(n)} of `{printable(table)}`' for table, n in ranked])}" if ranked else ""
    return f"{NEAR.get(insight.kind, printable(insight.kind))}{where} {count_of(insight.count, 'time')}{most}"


def _excess(excess: Excess, paint: Paint) -> str:
    found, allowed = in_unit(excess.measure, excess.found), in_unit(excess.measure, excess.allowed)
    name = paint.strong(printable(str(excess.function.name)))
    return f"{paint.severity('error', Severity.ERROR)} {name}: {MEASURES.get(excess.measure, excess.measure)} {found}, allowed {allowed}"


def _foot(profile: Profile, shown: list[Attributed], top: int, show: Severity) -> Iterator[str]:
    evidence = profile.evidence
    if len(profile.functions) > top:
        yield f"Only {top} of {len(profile.functions)} functions are shown: --top {len(profile.functions)} shows all."
    hidden = len(profile.attributed) - len(shown)
    if hidden and show is Severity.WARNING:
        yield f"{count(hidden, 'hint')} on their way: --show info"
    quiet = [m for m in profile.functions[:top] if m.calls and not profile.found.get(m.name)]
    if quiet and profile.attributed:
        yield f"Nothing was found on the way of {listed([printable(str(m.name)) for m in quiet[:MOST_NAMES]] + _more(len(quiet)))}."
    unseen = sum(f.severity.rank >= show.rank for f in profile.unseen)
    if unseen:
        yield f"{count(unseen, 'finding lies', 'findings lie')} in functions that the logs do not show."
    apart = sum(f.severity.rank >= show.rank for f in profile.apart)
    if apart:
        yield f"{count(apart, 'finding belongs', 'findings belong')} to no function, such as those about indexes."
    if profile.foreign:
        names = [printable(str(m.name)) for m in profile.foreign[:MOST_NAMES]]
        names += _more(len(profile.foreign))
        yield f"Not in this project, or without a name in its code (HTTP actions, components): {listed(names)}."
    if profile.twice:
        several = [printable(name) for name in profile.twice[:MOST_NAMES]] + _more(len(profile.twice))
        yield f"Several backends of the project have {listed(several)}; name the folder of one with --project."
    for name, lines in evidence.strange.items():
        if lines:
            yield f"{count(lines, 'line')} of {printable(name)} {'is' if lines == 1 else 'are'} no event of a log, and left out."
    if evidence.repeated:
        yield f"{count(evidence.repeated, 'event was', 'events were')} there more than once, and counted once."


def _more(number_of: int) -> list[str]:
    return [f"{number_of - MOST_NAMES} more"] if number_of > MOST_NAMES else []


def count_of(value: int, noun: str) -> str:
    """`4,120 calls`."""
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"
