"""The templates of pages: where they lie, and how each is filled in."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(*, escapes: bool) -> Environment:
    """The templates; a name that they do not get is an error. `escapes` makes HTML of whatever they print."""
    return Environment(
        loader=PackageLoader("querylint_templates", ""), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=escapes
    )
