"""Django's and Jinja's templates, lowered to the plain tree."""

from __future__ import annotations

from querylint.syntax.templates.dialect import dialect_of
from querylint.syntax.templates.django import read_django
from querylint.syntax.templates.jinja import read_jinja
from querylint.syntax.templates.page import Dialect, Page

READERS = {Dialect.DJANGO: read_django, Dialect.JINJA: read_jinja}

__all__ = ["READERS", "Dialect", "Page", "dialect_of", "read_django", "read_jinja"]
