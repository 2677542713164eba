"""Templates as part of the Python code that renders them: views, renderers, registered tags and filters."""

from __future__ import annotations

from querylint.frontends.python.stacks.templates.stack import TemplateStack

__all__ = ["TemplateStack"]
