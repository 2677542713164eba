"""What functions take on databases of several sizes, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from math import inf, isinf
from typing import TYPE_CHECKING, Any

from querylint.evidence.costs import MEASURES, Growth, Sample, exponent, growth
from querylint.evidence.recorded import VERSION, Earlier
from querylint.report.paint import Paint
from querylint.report.profile.units import number, ratio, size
from querylint.report.prose import shortened
from querylint.report.snippet import printable
from querylint.report.wording import count, listed
from querylint.rule import Severity

if TYPE_CHECKING:
    from querylint.measuring import Measured, Measurement

WORDS = {"documents": "documents", "bytes": "bytes", "calls": "calls", "trips": "round trips"}
KEYS = {"documents": "documents", "bytes": "bytes", "calls": "calls", "trips": "roundTrips"}
HEAD = ("function", "documents", "round trips", "documents grow")
"""The columns of the table."""
MOST_NAMES = 3
MOST_REASON = 200
MOST_REASONS = 10
MOST_ARGUMENTS = 120
INDENT = "    "


def text(measurement: Measurement, paint: Paint, top: int, *, detailed: bool = False) -> str:
    """What was measured, the dearest functions first, `top` of them at most; `detailed` shows each at all sizes."""
    found = _ranked(measurement)
    shown = found[:top]
    blocks = [[printable(_head(measurement, found, detailed=detailed))]]
    if detailed:
        blocks += [list(_details(one, paint)) for one in shown]
    elif shown:
        blocks.append(list(_columns(HEAD, [_row(one, _title(measurement, one)) for one in shown], paint)))
    if measurement.earlier is not None:
        blocks.append(list(_comparison(measurement, measurement.earlier, top, paint)))
    blocks.append(list(_not_run(measurement, paint)))
    blocks.append(list(_failures(measurement, paint)))
    blocks.append(list(_foot(measurement, len(found), top)))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def as_json(measurement: Measurement) -> str:
    """Everything, at every size."""
    earlier = measurement.earlier
    told = {
        "version": VERSION,
        "rows": list(measurement.sizes),
        "fixes": measurement.fixes,
        "moreWithUnsafe": measurement.unsafe,
        "functions": [_function(one) for one in measurement.functions],
        "overBudget": [
            {"name": e.name, "measure": e.measure, "allowed": e.allowed, "found": None if isinf(e.found) else e.found}
            for e in measurement.excess
        ],
        "growsTooFast": [
            {
                "backend": f.function.function.root,
                "name": f.function.name,
                "measure": KEYS[f.measure],
                "growth": f.growth.value,
                "before": f.was.value if f.was is not None else None,
            }
            for f in measurement.too_fast
        ],
        "against": None if earlier is None else _against(measurement, earlier),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _ranked(measurement: Measurement) -> list[Measured]:
    """What could be measured: what the fixes change before the rest, and the dearest first, by documents and round trips as it is."""
    found = [one for one in measurement.functions if one.runs]
    return sorted(found, key=lambda one: (one.after in ((), one.before), -_weight(one.before), one.function.root, one.name))


def _weight(samples: Sequence[Sample]) -> float:
    last = _last(samples)
    return inf if samples[-1].over else last.cost.documents + last.cost.trips if last.cost is not None else 0


def _last(samples: Sequence[Sample]) -> Sample:
    """The largest size at which something could be measured, or just the largest."""
    return next((sample for sample in reversed(samples) if sample.cost is not None), samples[-1])


def _head(measurement: Measurement, found: Sequence[Measured], *, detailed: bool) -> str:
    every = len(measurement.functions)
    of = f"{len(found)} of {count(every, 'function')}" if len(found) != every else count(every, "function")
    sizes = listed([number(rows) for rows in measurement.sizes])
    said = f"Measured {of} on tables of {sizes} {'row' if measurement.sizes == (1,) else 'rows'}"
    if not found:
        return f"{said}."
    state = f"before → after {count(measurement.fixes, 'fix', 'fixes')}" if measurement.fixes else ""
    place = "" if detailed else f"at {number(measurement.sizes[-1])} rows"
    return f"{said}; {', '.join(part for part in (place, state) if part)}:" if place or state else f"{said}:"


def _title(measurement: Measurement, one: Measured) -> str:
    """What a function is called; with its backend where there are several."""
    several = len({other.function.root for other in measurement.functions}) > 1
    return f"{one.name} ({one.function.root})" if several else one.name


def _row(one: Measured, title: str) -> tuple[str, ...]:
    """What a function takes at the largest size at which it could be measured, and how that grows."""
    last, final = _last(one.before), one.before[-1]
    rows = final.rows if final.over else last.rows
    was, now = _at(one.before, rows), _at(one.after, rows)
    grows = _grows(one.before, one.after)
    if final.trouble and not final.over:
        grows = f"at {number(last.rows)} rows; with more {_trouble(final)}"
    elif now is not None and now.cost is None and not now.over:
        grows += f"; after the fixes {_trouble(now)}"
    return title, _cell("documents", was, now), _cell("trips", was, now), grows


def _at(samples: Sequence[Sample], rows: int) -> Sample | None:
    return next((sample for sample in samples if sample.rows == rows), None)


def _cell(measure: str, was: Sample | None, now: Sample | None) -> str:
    """A value before and after, with the ratio; one value where nothing changes."""
    before, after = _value(measure, was), _value(measure, now)
    if after in ("", before):
        return before or "-"
    if was is None or now is None or was.cost is None or now.cost is None or not was.cost.of(measure):
        return f"{before} → {after}"
    return f"{before} → {after} ({ratio(now.cost.of(measure) / was.cost.of(measure))})"


def _value(measure: str, sample: Sample | None) -> str:
    if sample is None:
        return ""
    if sample.cost is None:
        return "-" if measure != "documents" else "over the limit" if sample.over else "fails"
    return size(sample.cost.bytes) if measure == "bytes" else number(sample.cost.of(measure))


def _grows(before: Sequence[Sample], after: Sequence[Sample] = ()) -> str:
    """How documents grow, and round trips where they do, or did."""
    documents, trips = (
        (growth(exponent(before, measure)), growth(exponent(after, measure)) or growth(exponent(before, measure)))
        for measure in ("documents", "trips")
    )
    if None in (*documents, *trips):
        return "-"
    if trips == (Growth.NONE, Growth.NONE):
        return _changed(documents)
    return f"{_changed(documents)}, round trips {'too' if trips == documents else _changed(trips)}"


def _changed(words: tuple[Growth | None, Growth | None]) -> str:
    was, now = ("-" if word is None else word.value for word in words)
    return was if was == now else f"{was} → {now}"


def _details(one: Measured, paint: Paint) -> Iterator[str]:
    """A function at all sizes."""
    call = one.call.args if one.call is not None else {}
    yield f"{paint.strong(printable(one.name))} {printable(_brief(json.dumps(call, ensure_ascii=False)))}"
    rows = [
        (
            f"{number(sample.rows)} rows",
            *(_cell(measure, sample, _at(one.after, sample.rows)) for measure in MEASURES),
            printable(_trouble(sample)),
        )
        for sample in one.before
    ]
    grows = [(growth(exponent(one.before, measure)), growth(exponent(one.after, measure))) for measure in MEASURES]
    words = [_changed((was, now or was)) for was, now in grows]
    for line in _columns(("", *WORDS.values(), ""), [*rows, ("grows", *words, "")], paint):
        yield INDENT + line.rstrip()


def _trouble(sample: Sample) -> str:
    return shortened(sample.trouble, MOST_REASON)


def _brief(value: str) -> str:
    return value if len(value) <= MOST_ARGUMENTS else f"{value[:MOST_ARGUMENTS]}…"


def _columns(names: Sequence[str], rows: Sequence[tuple[str, ...]], paint: Paint) -> Iterator[str]:
    """A table; the first column and the last begin at the left, numbers end at the right."""
    every = [tuple(names), *(tuple(map(printable, cells)) for cells in rows)]
    widths = [max(len(cells[column]) for cells in every) for column in range(len(names))]
    for place, (first, *middle, last) in enumerate(every):
        line = "  ".join(
            [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(middle, widths[1:], strict=False)), last]
        ).rstrip()
        yield paint.faint(line) if place == 0 else line


def _comparison(measurement: Measurement, earlier: Earlier, top: int, paint: Paint) -> Iterator[str]:
    """What takes more or less than in the other run, by how much; both as they are, before any fix."""
    yield paint.strong(printable(f"Compared with {earlier.path.name}:"))
    changed, same = _compared(measurement, earlier)
    if changed:
        rows = [
            (_title(measurement, one), _cell("documents", was, now), _cell("trips", was, now), _grows(then, one.before))
            for one, then, was, now in changed
        ]
        yield from _columns(HEAD, rows[:top], paint)
        if len(rows) > top:
            yield f"Only {top} of {len(rows)} are shown: --top {len(rows)} shows all."
    if same:
        yield f"{count(same, 'function')} {'takes' if same == 1 else 'take'} what {'it' if same == 1 else 'they'} took."
    for word, names in zip(("now", "then"), _only(measurement, earlier), strict=True):
        if names:
            yield printable(f"Only {word}: {_named([name for _, name in names])}.")


def _compared(measurement: Measurement, earlier: Earlier) -> tuple[list[tuple[Measured, tuple[Sample, ...], Sample, Sample]], int]:
    """What has changed in documents or round trips, at the largest size of both runs, the greatest change first; how many are the same."""
    changed: list[tuple[Measured, tuple[Sample, ...], Sample, Sample]] = []
    same = 0
    for one in measurement.functions:
        then = earlier.functions.get((one.function.root, one.name), ())
        both = [(was, now) for was in then for now in one.before if was.rows == now.rows]
        sizes = [(was, now) for was, now in both if all(sample.over or sample.cost is not None for sample in (was, now))] or both
        if sizes and _shown(sizes[-1][0]) != _shown(sizes[-1][1]):
            changed.append((one, then, *sizes[-1]))
        elif sizes:
            same += 1
    return sorted(changed, key=lambda row: (-_change(row[2], row[3]), row[0].function.root, row[0].name)), same


def _change(was: Sample, now: Sample) -> float:
    return inf if was.over or now.over else abs(_weight((now,)) - _weight((was,)))


def _shown(sample: Sample) -> tuple[str, str]:
    return _value("documents", sample), _value("trips", sample)


def _only(measurement: Measurement, earlier: Earlier) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The functions that only this run could measure, and those that only the other could."""
    now = {(one.function.root, one.name) for one in measurement.functions if one.runs}
    then = {key for key, samples in earlier.functions.items() if any(sample.cost is not None for sample in samples)}
    return sorted(now - then), sorted(then - now)


def _not_run(measurement: Measurement, paint: Paint) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for one in measurement.functions:
        if not one.runs:
            reasons.setdefault(one.reason, []).append(one.name)
    if reasons:
        yield paint.strong("Not measured:")
    ranked = sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    for reason, names in ranked[:MOST_REASONS]:
        yield printable(f"{INDENT}{_named(names)}: {shortened(reason, MOST_REASON)}")
    if rest := sum(len(names) for _, names in ranked[MOST_REASONS:]):
        yield f"{INDENT}{count(rest, 'more function')} for other reasons: --format json has them all."


def _failures(measurement: Measurement, paint: Paint) -> Iterator[str]:
    error = paint.severity("error", Severity.ERROR)
    for excess in measurement.excess:
        what = "documents read" if excess.measure == "documents" else "round trips"
        found = "more than Convex allows" if isinf(excess.found) else number(excess.found)
        rows = number(measurement.sizes[-1])
        yield f"{error} {paint.strong(printable(excess.name))}: {what} at {rows} rows: {found}, of {number(excess.allowed)} allowed"
    for fast in measurement.too_fast:
        was = (
            f", which {_grew(fast.was)} in {measurement.earlier.path.name}"
            if measurement.earlier is not None and fast.was is not None
            else ""
        )
        verb = "documents read grow" if fast.measure == "documents" else "round trips grow"
        yield f"{error} {paint.strong(printable(fast.function.name))}: {verb} {fast.growth.value}{printable(was)}"


def _grew(was: Growth) -> str:
    return "did not grow" if was is Growth.NONE else f"grew {was.value}"


def _foot(measurement: Measurement, found: int, top: int) -> Iterator[str]:
    if found > top:
        yield f"Only {top} of {found} functions are shown: --top {found} shows all."
    if measurement.unsafe:
        yield f"{count(measurement.unsafe, 'more fix', 'more fixes')} with --unsafe."


def _named(names: Sequence[str]) -> str:
    rest = len(names) - MOST_NAMES
    return ", ".join(names) if rest <= 1 else f"{', '.join(names[:MOST_NAMES])} and {rest} more"


def _function(one: Measured) -> dict[str, Any]:
    function = one.function
    return {
        "backend": function.root,
        "name": one.name,
        "kind": function.kind.value,
        "path": function.path,
        "line": function.span.line,
        "reason": one.reason or None,
        "arguments": one.call.args if one.call is not None else None,
        "sizes": [
            {
                "rows": sample.rows,
                "before": _sample(sample),
                "after": _sample(now) if (now := _at(one.after, sample.rows)) is not None else None,
            }
            for sample in one.before
        ],
        "growth": {"before": _powers(one.before), "after": _powers(one.after)},
    }


def _sample(sample: Sample) -> dict[str, Any]:
    return _keyed(sample.cost.of) if sample.cost is not None else {"reason": sample.trouble}


def _powers(samples: Sequence[Sample]) -> dict[str, Any] | None:
    if exponent(samples, "documents") is None:
        return None
    return _keyed(
        lambda measure: {"exponent": (power := exponent(samples, measure)), "words": word.value if (word := growth(power)) else None}
    )


def _keyed(value: Callable[[str], Any]) -> dict[str, Any]:
    return {KEYS[measure]: value(measure) for measure in MEASURES}


def _against(measurement: Measurement, earlier: Earlier) -> dict[str, Any]:
    changed, same = _compared(measurement, earlier)
    now, then = _only(measurement, earlier)
    return {
        "file": earlier.path.name,
        "same": same,
        "changed": [
            {"backend": one.function.root, "name": one.name, "rows": was.rows, "then": _sample(was), "now": _sample(to)}
            for one, _, was, to in changed
        ],
        "onlyNow": [{"backend": backend, "name": name} for backend, name in now],
        "onlyThen": [{"backend": backend, "name": name} for backend, name in then],
    }
