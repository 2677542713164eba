"""What was measured, in words and cells that terminals and pages share; whoever prints them makes them harmless."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath

from querylint.evidence.budget import Excess
from querylint.evidence.execution import Insight
from querylint.evidence.measures import Measured, Name
from querylint.evidence.profile import CONFLICTS, Attributed, Earlier, Located, Profile
from querylint.evidence.reading import Evidence
from querylint.evidence.statements import Asked
from querylint.report.profile.units import in_unit, number, percent, period, rate, ratio, size, time
from querylint.report.wording import count, listed
from querylint.rule import Severity

STATEMENTS = ("calls", "mean", "p95", "longest", "rows a call", "of the time", "findings", "statement")
"""The columns of `statement_row`, all but the last of numbers."""

HEAD = ("calls", "cached", "p50", "p95", "p99", "documents", "of the time", "findings", "function")
"""The columns of `row`, all but the last of numbers."""

MOST_NAMES = 3
MOST_TEXT = 160
SHORTEST = 60.0
"""Seconds from which on calls a minute mean something."""
_COLUMNS = re.compile(r"^((?:WITH .*? )?SELECT(?: DISTINCT)?) .{30,}? FROM ", re.IGNORECASE)
MEASURES = {
    "mean": "time on the average",
    "p50": "median time",
    "p95": "95th percentile of the time",
    "p99": "99th percentile of the time",
    "documents": "documents read by one run",
}
NOTICED = {
    "documentsReadLimit": "read more documents than one transaction may",
    "bytesReadLimit": "read more bytes than one transaction may",
    "documentsReadThreshold": "read nearly as many documents as one transaction may",
    "bytesReadThreshold": "read nearly as many bytes as one transaction may",
    "occRetried": "had to be tried again because of a write conflict",
    "occFailedPermanently": "failed because of write conflicts",
}
LIMITS = {
    "TooManyDocumentsRead": "of documents read by one run",
    "TooManyReads": "of ranges read by one run",
    "TooManyBytesRead": "of bytes read by one run",
    "TooManyWrites": "of documents written by one run",
    "TooManyBytesWritten": "of bytes written by one run",
    "TooManyFunctionsScheduled": "of functions scheduled by one run",
    "ScheduledFunctionsArgumentsTooLarge": "of the size of what is handed to scheduled functions",
    "TooLargeFunctionArguments": "of the size of arguments",
    "FunctionArgumentsTooLarge": "of the size of arguments",
    "TooLargeFunctionResult": "of the size of results",
    "HttpResponseTooLarge": "of the size of responses",
    "ValueTooLargeError": "of the size of one document",
    "TooNested": "of the depth of one document",
    "UserTimeout": "of the time of one run",
}
"""The limits of the platform by the codes of its warnings."""


def head(profile: Profile) -> str:
    """How much was measured, when and where."""
    evidence = profile.evidence
    names = listed([PurePath(name).name for name in evidence.names])  # a page is handed on, and folders are nobody's business
    if profile.statements and not profile.calls and not evidence.insights:
        return f"{_statements(profile)}, by {names}."
    of = f" of {listed(sorted(evidence.deployments))}" if evidence.deployments else ""
    if evidence.first is None or evidence.last is None:
        return f"No run of a function{of} is told in {names}."
    functions = count(sum(m.calls > 0 for m in (*profile.functions, *profile.foreign)), "function")
    since = datetime.fromtimestamp(evidence.first, UTC).strftime("%Y-%m-%d %H:%M")
    calls = f"{number(profile.calls)} {'call' if profile.calls == 1 else 'calls'}"
    asked = f"; {_statements(profile)}" if profile.statements else ""
    return f"{calls} of {functions}{of} in {period(evidence.last - evidence.first)} from {since} UTC{asked}, by {names}."


def _statements(profile: Profile) -> str:
    calls = number(sum(one.asked.calls for one in profile.statements))
    return f"{calls} calls of {count(len(profile.statements), 'statement')}, {time(profile.asked)} in all"


def statement_row(profile: Profile, located: Located, found: Mapping[str, int]) -> tuple[str, ...]:
    """The cells of a statement, with how many findings are shown."""
    asked = located.asked
    times = tuple(time(value) if value is not None else "-" for value in (asked.mean, asked.p95, asked.longest))
    rows = number(asked.rows / asked.calls) if asked.rows is not None and asked.calls else "-"
    shown = str(found.get(asked.text) or "-")
    return (number(asked.calls), *times, rows, percent(profile.share_of(asked)), shown, abridged(asked.text))


def abridged(text: str) -> str:
    """A statement without the columns that it gives, cut where it is long."""
    short = _COLUMNS.sub(r"\1 ... FROM ", text, count=1)
    return short if len(short) <= MOST_TEXT else f"{short[: MOST_TEXT - 3]}..."


COMPARED = ("calls a minute", "mean", "p50", "p95", "documents", "")
"""The columns of `comparison`: each holds what was, what is, and the ratio where they differ."""


def comparison(profile: Profile, earlier: Earlier) -> list[tuple[str, ...]]:
    """The cells of what both runs have, by how much more or less time it takes."""
    rows = [
        (abs(m.mean - earlier.functions[m.name].mean) * m.ran, cells)
        for m in (*profile.functions, *profile.foreign)
        if (cells := _compared(profile, earlier, m)) is not None
    ]
    rows += [
        (abs(asked.mean - earlier.statements[asked.text].mean) * asked.calls, cells)
        for asked in (one.asked for one in profile.statements)
        if (cells := _compared_statement(earlier, asked)) is not None
    ]
    return [cells for _, cells in sorted(rows, key=lambda row: -row[0])]


def _compared(profile: Profile, earlier: Earlier, m: Measured) -> tuple[str, ...] | None:
    """The cells of a function that ran in both runs; None for others."""
    was = earlier.functions.get(m.name)
    if was is None or not m.ran:
        return None
    rates = (_rate(was.calls, earlier.evidence), _rate(m.calls, profile.evidence))
    times = ((was.mean, m.mean), (was.p50, m.p50), (was.p95, m.p95))
    return (
        _change(*rates, rate),
        *(_change(*pair, time) for pair in times),
        _change(was.documents_p95, m.documents_p95, number),
        str(m.name),
    )


def _compared_statement(earlier: Earlier, asked: Asked) -> tuple[str, ...] | None:
    """The cells of a statement that both runs have; None for others. How long a database has counted, it does not tell."""
    was = earlier.statements.get(asked.text)
    if was is None:
        return None
    before, after = (s.rows / s.calls if s.rows is not None and s.calls else None for s in (was, asked))
    times = ((was.mean, asked.mean), (was.p50, asked.p50), (was.p95, asked.p95))
    return ("-", *(_change(*pair, time) for pair in times), _change(before, after, number), abridged(asked.text))


def _rate(calls: int, evidence: Evidence) -> float | None:
    seconds = (evidence.last or 0.0) - (evidence.first or 0.0)
    return calls * 60 / seconds if seconds >= SHORTEST else None


def _change(was: float | None, now: float | None, words: Callable[[float], str]) -> str:
    if was is None or now is None:
        return "-"
    if words(was) == words(now):
        return words(now)
    return f"{words(was)} \u2192 {words(now)}" + (f" ({ratio(now / was)})" if was else "")


def new_and_gone(profile: Profile, earlier: Earlier) -> Iterator[str]:
    """Functions that ran in one of two runs only: what they took may have moved."""
    now = {m.name for m in (*profile.functions, *profile.foreign) if m.ran}
    for names, what in ((now - earlier.functions.keys(), "now"), (earlier.functions.keys() - now, "then")):
        if names:
            yield f"Only {what}: {named(sorted(map(str, names)))}."


def statement_facts(profile: Profile, asked: Asked) -> str:
    """What a statement costs, in a line."""
    said = [f"{number(asked.calls)} {'call' if asked.calls == 1 else 'calls'}", f"{time(asked.mean)} on the average"]
    if asked.p95 is not None:
        said.append(f"p95 {time(asked.p95)}")
    if asked.examined is not None and asked.calls:
        said.append(f"{number(asked.examined / asked.calls)} rows examined for {number((asked.rows or 0) / asked.calls)} by one call")
    return ", ".join([*said, f"{percent(profile.share_of(asked))} of the time"])


def asked_at(located: Located) -> str:
    """The places that may have asked a statement; empty where none is known."""
    spans = list(dict.fromkeys(f"{p.access.span.path}:{p.access.span.line}" for p in located.places))
    return f"asked at {named(spans)}" if spans else ""


def shown_of(profile: Profile, show: Severity) -> Counter[Name]:
    """How many findings of a severity or more lie in the runs of each function."""
    return Counter(m.name for a in profile.attributed if a.finding.severity.rank >= show.rank for m in a.functions)


def shown_of_statements(profile: Profile, show: Severity) -> Counter[str]:
    """How many findings of a severity or more lie where each statement may be asked."""
    return Counter(asked.text for a in profile.attributed if a.finding.severity.rank >= show.rank for asked in a.statements)


def row(profile: Profile, m: Measured, found: Mapping[Name, int]) -> tuple[str, ...]:
    """The cells of a function, with how many findings are shown."""
    cached = percent(100 * m.cached / m.calls) if m.calls else "-"
    times = tuple(time(value) if m.ran else "-" for value in (m.p50, m.p95, m.p99))
    documents = number(m.documents_p95) if m.documents_p95 is not None else "-"
    return (
        number(m.calls),
        cached,
        *times,
        documents,
        percent(profile.share([m])),
        str(found.get(m.name) or "-"),
        f"{m.name} {m.kind}".strip(),
    )


def facts(profile: Profile, m: Measured) -> str:
    """What a function costs, in a line."""
    said = [f"{number(m.calls)} {'call' if m.calls == 1 else 'calls'}" if m.calls or m.ran else "not seen to run"]
    if m.ran:
        said.append(f"p95 {time(m.p95)}")
    if m.documents_p95 is not None:
        read = f"{number(m.documents_p95)} {'document' if m.documents_p95 == 1 else 'documents'}"
        said.append(f"{read} read by one run (p95), {number(m.documents or 0)} by all")
    if m.bytes:
        said.append(size(m.bytes))
    if m.most_started:
        said.append(f"{count(m.started_p95 or 0, 'function')} started by one run (p95)")
    if m.reruns and m.calls:
        said.append(f"{percent(100 * m.reruns / m.calls)} of the calls because data has changed")
    if m.failed:
        said.append(f"{percent(100 * m.failed / m.calls)} failed")
    if m.ran:
        said.append(f"{percent(profile.share([m]))} of the time")
    return ", ".join(said)


def trouble(m: Measured) -> Iterator[tuple[Severity, str]]:
    """What the platform reports of a function: limits that are near, conflicts with other writes."""
    for insight in m.insights:
        yield Severity.ERROR if insight.severity == "error" else Severity.WARNING, _noticed(insight)
    if m.conflicts:
        parts = [f"{number(n)} on `{table}`{_by(source)}" if table else number(n) for table, source, n in m.conflicts[:MOST_NAMES]]
        again = f"; {count(m.retried, 'run')} had to be repeated" if m.retried else ""
        yield Severity.WARNING, f"met other writes in {percent(100 * m.met / m.ran)} of its runs: {listed(parts)}{again}"
    for code, times in m.near:
        yield Severity.WARNING, f"came near the limit {LIMITS.get(code, code)} {_times(times)}"


def _by(source: str) -> str:
    return f" (written by {source})" if source else ""


def _noticed(insight: Insight) -> str:
    where = f" on `{insight.table}`" if insight.table else ""
    tables: dict[str, int] = {}
    for read in insight.reads:
        tables[read.table] = max(tables.get(read.table, 0), read.documents)
    ranked = sorted(tables.items(), key=lambda item: -item[1])[:MOST_NAMES]
    most = f": up to {listed([f'{number(n)} of `{table}`' for table, n in ranked])}" if ranked else ""
    return f"{NOTICED.get(insight.kind, insight.kind)}{where} {_times(insight.count)}{most}"


def _times(value: int) -> str:
    return f"{number(value)} {'time' if value == 1 else 'times'}"


def on_the_way(profile: Profile, attributed: Attributed) -> str:
    """The other functions that lead to a finding; empty where there is one only."""
    others = attributed.functions[1:]
    if not others:
        return ""
    return f"on the way of {named([str(m.name) for m in others])}; together {percent(profile.share(attributed.functions))} of the time"


def read_by_one(attributed: Attributed) -> str:
    """How much of its table one run has read, or how many runs met another over it; empty where neither is told."""
    table = attributed.finding.found.table
    if attributed.finding.pattern == CONFLICTS:
        met = sum(m.met_over(table) for m in attributed.functions)
        return f"{count(met, 'run')} met another transaction on `{table}`" if met else ""
    reads = [r for m in attributed.functions for i in m.insights for r in i.reads if table is not None and r.table == table]
    if not reads:
        return ""
    worst = max(reads, key=lambda r: r.documents)
    return f"one run has read {number(worst.documents)} documents ({size(worst.bytes)}) of `{worst.table}`"


def over(excess: Excess) -> str:
    """What takes more than it may, behind its name."""
    found, allowed = in_unit(excess.measure, excess.found), in_unit(excess.measure, excess.allowed)
    return f"{MEASURES.get(excess.measure, excess.measure)} {found}, allowed {allowed}"


def left_out(profile: Profile, least: Severity) -> Iterator[str]:
    """What the logs do not show, and what of them could not be used."""
    evidence = profile.evidence
    unseen = sum(f.severity.rank >= least.rank for f in profile.unseen)
    if unseen:
        yield f"{count(unseen, 'finding lies', 'findings lie')} in code of which the logs do not show that it ran."
    apart = sum(f.severity.rank >= least.rank for f in profile.apart)
    if apart:
        yield f"{count(apart, 'finding belongs', 'findings belong')} to no function, such as those about indexes."
    strange = sum(not one.places for one in profile.statements)
    if strange:
        yield f"Of {count(strange, 'statement')} no place in the code is known: the framework's own, tables between, rows loaded ahead."
    if profile.foreign:
        names = named([str(m.name) for m in profile.foreign])
        yield f"Not in this project, or not by this name (components, requests that no route in sight takes): {names}."
    if profile.twice:
        yield f"Several backends of the project have {named(profile.twice)}; name the folder of one."
    for name, lines in evidence.strange.items():
        if lines:
            yield f"{count(lines, 'line')} of {name} {'is' if lines == 1 else 'are'} no event of a log, and left out."
    if evidence.repeated:
        events = "event was" if evidence.repeated == 1 else "events were"
        yield f"{number(evidence.repeated)} {events} there more than once, and counted once."


def named(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return listed([*names[:MOST_NAMES], *more])
