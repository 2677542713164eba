"""The report on a whole project as one document: a page to hand on (HTML) or text for a wiki (Markdown)."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from querylint.report.page.material import Material

FORMATS = ("html", "markdown")


class Format(Protocol):
    """What the module of a format offers."""

    def render(self, material: Material) -> str:
        """The whole document, ending in a line end."""
        ...


def render(name: str, material: Material) -> str:
    """The report in the named format, one of `FORMATS`."""
    return cast("Format", import_module(f"querylint.report.page.{name}")).render(material)


__all__ = ["FORMATS", "Material", "render"]
