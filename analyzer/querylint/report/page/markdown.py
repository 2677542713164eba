"""The report as Markdown: the same matter, shorter. Nothing that a source holds can become markup."""

from __future__ import annotations

import re

from querylint.report.markdown import code, fence, prose
from querylint.report.page.material import Material
from querylint.report.page.view import view
from querylint.report.snippet import printable
from querylint.report.templates import environment
from querylint.report.wording import count

BLANK = re.compile(r"\n{3,}")


def render(material: Material) -> str:
    """The document."""
    templates = environment(escapes=False)
    templates.filters |= {"prose": prose, "code": code, "fenced": fenced, "counted": count}
    made = templates.get_template("report.md.j2").render(view=view(material))
    return BLANK.sub("\n\n", made).strip("\n") + "\n"


def fenced(lines: tuple[tuple[str, str], ...]) -> str:
    """A diff in a fence that nothing in it can close."""
    body = "\n".join(printable(line) for _, line in lines)
    ends = fence(body, 3)
    return f"{ends}diff\n{body}\n{ends}"
