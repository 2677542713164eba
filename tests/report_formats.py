"""Results that try the formats of CI systems: hostile names, failed gates; and what the formats say of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from querylint.report import Options, render
from querylint.result import Gate, Result
from querylint.rule import Cost, Found, Point
from querylint.text import LineIndex
from report_sample import LOOP_READ, NOTHING, RESULT

NASTY = "a%0A::error::x,y:z;]]>|<img src=x>`b`\n::error::owned\n##vso[task.complete result=Failed;]##[error]\x1b[31m\x00@all #1 $x$ _u_"
NASTY_SPAN = replace(LOOP_READ.found.span, path=NASTY)
HOSTILE = replace(
    RESULT,
    findings=(
        replace(
            LOOP_READ,
            found=Found(
                NASTY_SPAN, NASTY, trail=(Point(NASTY_SPAN, NASTY),), cost=Cost(NASTY, NASTY), help=NASTY, function=NASTY, table=NASTY
            ),
        ),
    ),
    sources={NASTY: LineIndex(NASTY, f"{NASTY}\n".encode() * 40)},
    notes=(),
)
GATED = replace(NOTHING, gates=(Gate("loop-read", 0, 3), Gate("error", 2, 1)))


def said(style: str, of: Result = RESULT, **options: Any) -> str:
    return render(style, of, Options(**options))


def loaded(style: str, of: Result = RESULT, **options: Any) -> Any:
    return json.loads(said(style, of, **options))
