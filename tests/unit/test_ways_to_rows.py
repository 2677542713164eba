"""Which calls a finding says lead to the rows that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laid import lay
from querylint import engine

if TYPE_CHECKING:
    from pathlib import Path

MODELS = """\
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=20)


class Book(models.Model):
    title = models.CharField(max_length=20)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
VIEWS = """\
from django.http import HttpResponse

from shop.models import Book


def read():
    books = Book.objects.filter(title="x")
    print(len(books))
    return books


def shown():
    return read()


def names(request):
    return HttpResponse([book.author.name for book in shown()])


def all_titles(request):
    return HttpResponse([book.title for book in shown()])
"""


def test_rows_that_a_helper_gives_back_are_reached_by_who_goes_through_them(tmp_path: Path) -> None:
    lay(tmp_path, {"shop/models.py": MODELS, "shop/views.py": VIEWS})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "lazy-loop"]
    assert [point.text for point in found.trail if " calls " in point.text] == ["names calls shown", "shown calls read"]
