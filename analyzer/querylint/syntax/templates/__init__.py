"""Django's and Jinja's templates, lowered to the plain tree."""

from __future__ import annotations

from querylint.syntax.templates.django import read_django
from querylint.syntax.templates.jinja import read_jinja
from querylint.syntax.templates.page import Dialect, Page

__all__ = ["Dialect", "Page", "read_django", "read_jinja"]
