"""The report for a coding agent: few words, the dearest first, and the command that comes next.

What is quoted from source is data: it stands on the line of its label, cut short, and no line of it can pass for one of ours.
"""

from __future__ import annotations

from collections import Counter

from querylint.patch import Safety
from querylint.report import Options
from querylint.report.order import at_least, by_cost
from querylint.report.snippet import printable
from querylint.report.wording import advice, count, gate, looked_at, message, rules_of
from querylint.result import NoteKind, Result
from querylint.rule import Finding, Severity

MOST_TEXT = 200


def render(result: Result, options: Options) -> str:
    """A line for each finding at or over the floor, under it the way there, the cost, what to do."""
    shown = by_cost(at_least(result.findings, options.show))[: options.full]
    lines = [line for finding in shown for line in _finding(finding)]
    lines += [_line(note.message, "internal error: ") for note in result.notes if note.kind is NoteKind.BUG]
    lines += [gate(judged) for judged in result.gates if judged.failed]
    return "".join(f"{line}\n" for line in [*lines, _closing(result, shown)])


def _finding(finding: Finding) -> list[str]:
    found = finding.found
    span = found.span
    head = _line(f"{span.path}:{span.line}:{span.column}: {finding.severity.value} {finding.rule} {message(finding)}", "")
    steps = " -> ".join(f"{point.text} ({point.span.path}:{point.span.line})" for point in found.trail)
    cost = f"{found.cost.now} -> {found.cost.after}" if found.cost and found.cost.after else found.cost.now if found.cost else ""
    rows = [("path", steps), ("cost", cost), *(("do", text) for text in advice(found)), ("only a hint", found.because)]
    return [head, *(_line(text, f"  {label}: ") for label, text in rows if text)]


def _closing(result: Result, shown: list[Finding]) -> str:
    total = len(result.findings)
    if not shown:
        hints = f" {count(total, 'finding')} below the floor: --show info." if total else ""
        return f"0 findings.{hints} {looked_at(result)}"
    pages = rules_of(result)
    explained = next((finding.rule for finding in shown if finding.rule in pages), "")
    following = f"; next: querylint explain {explained}" if explained else ""
    verify = f"; after an edit: querylint check --format agent --select {shown[0].rule}"
    return f"{count(total, 'finding')}, {len(shown)} shown{following}{_mending(shown)}{verify}"


def _mending(shown: list[Finding]) -> str:
    """The command that shows the edits for what can be fixed, as far as it looks when nothing more is said."""
    counts = Counter(f.fix.safety for f in shown if f.fix is not None and f.severity is not Severity.INFO)
    safe, unsafe = counts[Safety.SAFE], counts[Safety.UNSAFE]
    if safe:
        return f"; {safe} with a safe fix{f' ({unsafe} more with --unsafe)' if unsafe else ''}: querylint fix --diff"
    return f"; {unsafe} with a fix that is not safe: querylint fix --unsafe --diff" if unsafe else ""


def _line(text: str, label: str) -> str:
    whole = label + printable(" ".join(text.split()))
    return whole if len(whole) <= MOST_TEXT + len(label) else f"{whole[: MOST_TEXT + len(label) - 1]}…"
