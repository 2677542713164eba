"""What came of trying fixes, for people and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from querylint.patch import Safety
from querylint.report.paint import Paint
from querylint.report.prose import shortened
from querylint.report.snippet import printable
from querylint.report.wording import count
from querylint.rule import Severity

if TYPE_CHECKING:
    from querylint.lab.trial import Case, Outcome
    from querylint.verification import Verification, Verified

VERSION = 1
MOST = 400
"""How many characters of one value a person is shown; JSON has them all."""
MOST_ROWS = 30


def text(check: Verified, paint: Paint) -> str:
    """One fix, and what came of it, in a few lines."""
    span = check.finding.found.span
    place = paint.strong(printable(f"{span.path}:{span.line}:{span.column}:"))
    lines = [f"{place} {check.state} {paint.strong(check.finding.rule)}: {printable(check.fix.title)}"]
    if check.reason:
        lines.append(f"    {check.reason}")
    for outcome in check.outcomes:
        lines += _outcome(outcome, _again(check))
    if check.state == "not run" and any(outcome.verified for outcome in check.outcomes):
        lines.append(f"    no case that succeeds runs the changed {_lines(check.unreached)}")
    return "\n".join(lines) + "\n"


def summary(verification: Verification) -> str:
    """How many fixes came out how, and what was passed over."""
    states = [check.state for check in verification.checks]
    if states:
        verdict = f"{count(states.count('verified'), 'fix', 'fixes')} verified, {states.count('differs')} with a difference"
        lines = [f"{verdict}, {states.count('not run')} that could not be run."]
    else:
        lines = ["There is no fix to verify."]
    if verification.unsafe:
        lines.append(f"{count(verification.unsafe, 'more fix', 'more fixes')} with --unsafe.")
    if verification.python:
        lines.append(f"`verify` runs only Convex functions: {count(verification.python, 'fix', 'fixes')} of Python code skipped.")
    return "\n".join(lines) + "\n"


def as_json(verification: Verification) -> str:
    """Everything, with the whole case of every difference."""
    states = [check.state for check in verification.checks]
    told = {
        "version": VERSION,
        "fixes": [_fix(check) for check in verification.checks],
        "summary": {
            "verified": states.count("verified"),
            "differs": states.count("differs"),
            "notRun": states.count("not run"),
            "unsafe": verification.unsafe,
            "python": verification.python,
        },
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _lines(places: tuple[str, ...]) -> str:
    return printable(f"{'line' if len(places) == 1 else 'lines'} {', '.join(sorted(places))}")


def _outcome(outcome: Outcome, again: str) -> list[str]:
    head = f"    through {printable(outcome.function)}: "
    if outcome.difference is not None:
        case = outcome.difference
        return [f"{head}seed {case.seed}: {printable(case.what)}", *_case(case, again)]
    if not outcome.verified:
        return [head + printable(shortened(outcome.reason, MOST))]
    same = f"the same in {count(outcome.cases, 'case')}"
    errors = f" ({outcome.errors} of them the same error)" if outcome.errors else ""
    return [f"{head}{same}{errors}; documents scanned {outcome.before} → {outcome.after}"]


def _case(case: Case, again: str) -> list[str]:
    lines = [f"        arguments: {_value(case.args)}", f"        caller:    {_value(case.caller)}"]
    rows = [(table, row) for table, rows in case.documents for row in rows]
    lines += [f"        {printable(table)}: {_value(row)}" for table, row in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        lines.append(f"        and {count(len(rows) - MOST_ROWS, 'more document', 'more documents')}")
    lines += [f"        before:    {_value(case.before)}", f"        after:     {_value(case.after)}"]
    return [*lines, f"        again:     {again} --seed {case.seed} --cases 1"]


def _again(check: Verified) -> str:
    """The command that tries this fix alone."""
    span = check.finding.found.span
    more = " --unsafe" if check.fix.safety is Safety.UNSAFE else ""
    more += " --show info" if check.finding.severity is Severity.INFO else ""
    return printable(f"querylint verify --select {check.finding.rule} --only {span.path}:{span.line}{more}")


def _value(value: Any) -> str:
    whole = printable(json.dumps(value, ensure_ascii=False))
    return whole if len(whole) <= MOST else f"{whole[:MOST]}…"


def _fix(check: Verified) -> dict[str, Any]:
    found = check.finding.found
    return {
        "rule": check.finding.rule,
        "path": found.span.path,
        "line": found.span.line,
        "column": found.span.column,
        "function": found.function,
        "title": check.fix.title,
        "safety": check.fix.safety.value,
        "caveats": list(check.fix.caveats),
        "state": check.state,
        "reason": check.reason,
        "unreached": list(check.unreached),
        "functions": [_function(outcome) for outcome in check.outcomes],
    }


def _function(outcome: Outcome) -> dict[str, Any]:
    case = outcome.difference
    told: dict[str, Any] = {
        "name": outcome.function,
        "cases": outcome.cases,
        "errors": outcome.errors,
        "scanned": {"before": outcome.before, "after": outcome.after},
        "reason": outcome.reason,
        "difference": None,
    }
    if case is not None:
        told["difference"] = {
            "seed": case.seed,
            "what": case.what,
            "documents": dict(case.documents),
            "arguments": case.args,
            "caller": case.caller,
            "before": case.before,
            "after": case.after,
        }
    return told
