"""The report for a person: each finding with its source, its path, its cost and its help, then what was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from querylint.remedy import Advice
from querylint.report import Options
from querylint.report.concise import line_of
from querylint.report.order import at_least, by_cost, by_place, notes_by_place
from querylint.report.paint import Paint
from querylint.report.snippet import RowKind, near, printable, snippet
from querylint.report.wording import advice, by_severity, count, gate, looked_at, noted, rules_of, verdict
from querylint.result import Note, NoteKind, Result, Summary
from querylint.rule import Finding, Severity
from querylint.text import LineIndex

PLACES_SHOWN = 20
NOTES_SHOWN = 10


def render(result: Result, options: Options) -> str:
    """The whole report."""
    paint = Paint(options.color, frozenset(rules_of(result)) if options.links else frozenset())
    shown = at_least(result.findings, options.show)
    ordered = by_cost(shown) if options.by_cost else by_place(shown)
    blocks = []
    if options.statistics:
        blocks += ["\n".join(_statistics(ordered, paint))] if ordered else []
    else:
        split = len(ordered) if options.full is None else options.full
        blocks += ["\n".join(_full(finding, result.sources.get(finding.found.span.path), options, paint)) for finding in ordered[:split]]
        blocks += ["\n".join(line_of(finding, paint) for finding in ordered[split:])] if ordered[split:] else []
    if not options.quiet:
        blocks.append("\n".join(_footer(result, ordered, options, paint)))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _full(finding: Finding, source: LineIndex | None, options: Options, paint: Paint) -> Iterator[str]:
    found = finding.found
    yield line_of(finding, paint)
    rows = snippet(source, found.span, found.trail, options.width - 10) if source else []
    gutter = max([4, *(len(str(row.number)) for row in rows if row.number)])
    for row in rows:
        body = row.body
        if row.kind is RowKind.PRIMARY:
            body = paint.severity(body, finding.severity)
        elif row.kind is RowKind.SECONDARY:
            body = paint.place(body)
        number = f"{row.number or '':>{gutter}} |"
        yield f"{paint.faint(number)} {body}".rstrip()
    margin = " " * (gutter + 1)
    if not all(rows and near(point, found.span) for point in found.trail):
        for step, point in enumerate(found.trail):
            label = "= path:" if step == 0 else "       "
            place = f"{point.span.path}:{point.span.line}:{point.span.column}"
            yield f"{margin}{paint.faint(label)} {printable(point.text)} ({paint.place(printable(place))})"
    if found.cost:
        after = f"; after the change: {found.cost.after}" if found.cost.after else ""
        yield f"{margin}{paint.faint('= cost:')} {printable(found.cost.now + after)}"
    for text in advice(found):
        yield f"{margin}{paint.faint('= help:')} {printable(text)}"
    if found.because:
        yield f"{margin}{paint.faint('= only a hint:')} {printable(found.because)}"


def _statistics(findings: list[Finding], paint: Paint) -> Iterator[str]:
    counts = Counter((finding.rule, finding.severity) for finding in findings)
    width = len(str(max(counts.values())))
    for (rule, severity), number in sorted(counts.items(), key=lambda item: (-item[1], item[0][0], item[0][1].rank)):
        yield f"{number:>{width}}  {paint.severity(f'{severity.value:<7}', severity)}  {paint.rule(rule)}"


def _footer(result: Result, shown: list[Finding], options: Options, paint: Paint) -> Iterator[str]:
    notes = sorted(notes_by_place(result.notes), key=lambda note: note.kind is not NoteKind.BUG)
    yield from (_note(note, paint) for note in notes[:NOTES_SHOWN])
    if notes[NOTES_SHOWN:]:
        yield f"{count(len(notes) - NOTES_SHOWN, 'more note')}: --format json lists them all"
    yield from (paint.severity(gate(judged), Severity.ERROR) for judged in result.gates if judged.failed)
    yield f"{paint.strong(verdict(result, options.where))} {looked_at(result)}"
    if result.summary.analysed and not result.summary.tables:
        yield "No table or model was found, so no index could be checked; is the schema in another folder?"
    if result.summary.unresolved:
        noun = count(result.summary.unresolved, "access", "accesses")
        yield f"{noun} to a table that the source does not name could not be checked{_unnamed(result.summary, options)}"
    hidden = [finding for finding in result.findings if finding.severity.rank < options.show.rank]
    for severity, number in by_severity(tuple(hidden)).items():
        if number:
            noun = "hint" if severity is Severity.INFO else severity.value
            yield f"{count(number, noun)}: --show {severity.value} shows {'it' if number == 1 else 'them'}"
    if any(finding.found.remedy is not None and not isinstance(finding.found.remedy, Advice) for finding in shown):
        yield "`querylint fix --diff` shows what it can fix for you, and changes nothing."
    pages = rules_of(result)
    if explained := [finding.rule for finding in shown if finding.rule in pages]:
        yield f"`querylint explain {explained[0]}`, or any other rule, says why it matters, what to do instead and when it stays silent."


def _unnamed(summary: Summary, options: Options) -> str:
    """Where the accesses to unknown tables are, for who asks for all there is to know."""
    if not summary.unnamed or options.show is not Severity.INFO:
        return f"; --show info says where {'it is' if summary.unresolved == 1 else 'they are'}." if summary.unnamed else "."
    places, more = summary.unnamed[:PLACES_SHOWN], len(summary.unnamed) - PLACES_SHOWN
    return f": {printable(', '.join(places))}{f' and {more} more places (--format json)' if more > 0 else ''}"


def _note(note: Note, paint: Paint) -> str:
    label = paint.severity("internal error:", Severity.ERROR) if note.kind is NoteKind.BUG else paint.faint("note:")
    return f"{label} {printable(noted(note))}"
