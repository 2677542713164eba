"""The report as one HTML file that asks for nothing: no script, no request, one style whose hash the policy names."""

from __future__ import annotations

import base64
import hashlib
import re

from markupsafe import Markup, escape

from querylint.report.page.material import Material
from querylint.report.page.view import view
from querylint.report.snippet import printable
from querylint.report.templates import environment
from querylint.report.wording import count

CODE = re.compile(r"`([^`]+)`")


def render(material: Material) -> str:
    """The page. Whatever a source holds is text in it."""
    templates = environment(escapes=True)
    templates.filters |= {"prose": prose, "shown": printable, "sentence": sentence, "counted": count}
    style = templates.get_template("parts/style.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = templates.get_template("report.html.j2").render(view=view(material), style=Markup(style), digest=digest)
    return page.rstrip("\n") + "\n"


def prose(text: str) -> Markup:
    """Text in which pairs of backticks mark code, and nothing else means anything."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(printable(text)))))


def sentence(text: str) -> str:
    """The text with a capital where a sentence begins with a word."""
    return text[:1].upper() + text[1:]
