"""The calls that lead from an endpoint to a table, laid out for a drawing and told in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from querylint.construction import dataclass
from querylint.ir import Loop, LoopKind, Program
from querylint.ir.program import Effect
from querylint.report.page.findings import anchor
from querylint.rule import Finding

MOST = 12
"""How many paths are drawn."""

WIDTH, BOX, GAP = 320, 44, 46
"""The drawing in its own units: so wide, boxes so high, so far apart. It is never shown larger."""

MOST_CHARS = 38
"""What fits in a box on one line."""

MOST_LABEL = 46
"""What fits beside an arrow."""


@dataclass(frozen=True, slots=True)
class Box:
    """A function or a table: its name as far as it fits, where it stands, and where its box begins, from the top."""

    short: str
    place: str
    table: bool
    top: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one box to the next: how often, for each time that the upper one runs."""

    times: str
    short: str
    start: int
    end: int
    many: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """One path; `twin` says the same in a sentence, `anchors` are the findings that lie on it."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    twin: str
    anchors: tuple[tuple[str, str], ...]
    height: int
    width: int = WIDTH
    box: int = BOX


def chains(program: Program, findings: Sequence[Finding]) -> tuple[Chain, ...]:
    """The paths to what was found, in the order of the findings.

    Left out are those whose access cannot be told for certain, and those that hold nothing to see: no helper and no loop.
    """
    found: dict[tuple[str, ...], tuple[Effect, str, list[Finding]]] = {}
    for finding in findings:
        for entry, effect in _effects(program, finding):
            key = (entry, *(edge.callee for edge in effect.trail), effect.access.table or "", str(effect.access.id))
            found.setdefault(key, (effect, entry, []))[2].append(finding)
    made = [_chain(program, entry, effect, about) for effect, entry, about in found.values()]
    return tuple(chain for chain in made if len(chain.boxes) > 2 or any(arrow.many for arrow in chain.arrows))[:MOST]


def _effects(program: Program, finding: Finding) -> Iterator[tuple[str, Effect]]:
    """The access that a finding is about, seen from the first endpoint that leads to it."""
    own = finding.found
    if own.table is None or own.function not in program.functions:
        return
    places = [own.span, *(point.span for point in own.trail)]
    for entry in program.entries(own.function) or (program.functions[own.function],):
        hit = next(
            (
                effect
                for effect in program.effects.get(entry.key, ())
                if effect.access.table == own.table
                and any(s.covers(effect.access.span) or effect.access.chain.covers(s) for s in places)
                and own.function in (entry.key, effect.function, *(edge.callee for edge in effect.trail))
            ),
            None,
        )
        if hit is not None:
            yield entry.key, hit
            return


def _chain(program: Program, entry: str, effect: Effect, about: Sequence[Finding]) -> Chain:
    keys = [entry, *(edge.callee for edge in effect.trail)]
    steps = [edge.call.id for edge in effect.trail] + [effect.access.id]
    names = [program.functions[key].name for key in keys] + [effect.access.table or ""]
    places = [str(program.functions[key].span) for key in keys] + [str(effect.access.span)]
    boxes = [
        Box(shortened(name), where, number == len(keys), number * (BOX + GAP))
        for number, (name, where) in enumerate(zip(names, places, strict=True))
    ]
    arrows = []
    for number, (key, step) in enumerate(zip(keys, steps, strict=True)):
        site = program.sites(key).by_id.get(step)
        times, many = repeated(site.loops if site is not None else ())
        verb = f"{effect.access.op.value}s " if number == len(keys) - 1 else ""
        arrows.append(
            Arrow(f"{verb}{times}", shortened(f"{verb}{times}", MOST_LABEL), boxes[number].top + BOX, boxes[number + 1].top, many)
        )
    twin = names[0] + "".join(f" → {name} ({arrow.times})" for name, arrow in zip(names[1:], arrows, strict=True))
    anchors = tuple(dict.fromkeys((anchor(finding), finding.rule) for finding in about))
    return Chain(tuple(boxes), tuple(arrows), twin, anchors, boxes[-1].top + BOX + 2)


def repeated(loops: Sequence[Loop]) -> tuple[str, bool]:
    """How often a step in these loops runs, in words, and whether that is more than once."""
    said = [words for loop in loops if (words := _rounds(loop))]
    return (" and ".join(said), True) if said else ("once", False)


def _rounds(loop: Loop) -> str:
    over = f" of {loop.over_text}" if loop.over_text else ""
    match loop.kind:
        case LoopKind.ONCE:
            return ""
        case LoopKind.WHILE:
            return "until a condition ends it"
        case LoopKind.CALLBACK:
            return "as often as its callback is called"
        case LoopKind.GATHER:
            return f"for each item{over}, at once"
    return f"for each item{over}, in turn"


def shortened(text: str, most: int = MOST_CHARS) -> str:
    """The text with its middle left out where it is too long."""
    return text if len(text) <= most else f"{text[: most - most // 3 - 1]}…{text[-(most // 3) :]}"
