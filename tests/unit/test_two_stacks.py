"""A repository with Django and SQLAlchemy: what is said of a file is said in the words of its own stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint.engine import check
from querylint.report.wording import advice
from querylint.result import NoteKind
from querylint.rule import Finding

SHOP = """
from django.db import models

class Maker(models.Model):
    name = models.CharField(max_length=20)

class Ware(models.Model):
    maker = models.ForeignKey(Maker, on_delete=models.CASCADE)
"""
SHOP_VIEWS = """
from django.http import HttpResponse
from shop.models import Ware

def wares(request):
    return HttpResponse(",".join(ware.maker.name for ware in Ware.objects.all()))
"""
BOOKS = """
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

class Base(DeclarativeBase):
    pass

class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))

class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
    author: Mapped[Author] = relationship()
"""
BOOK_PAGES = """
from books.models import Book

def names(session):
    return [book.author.name for book in session.query(Book).all()]
"""
BOTH = """
from books.models import Book
from shop.models import Ware

def of_books(session):
    return [book.author.name for book in session.query(Book).all()]

def of_wares():
    return [ware.maker.name for ware in Ware.objects.all()]
"""
FILES = {"manage.py": "", "shop/__init__.py": "", "shop/models.py": SHOP, "books/__init__.py": "", "books/models.py": BOOKS}


def lazy(folder: Path, files: dict[str, str]) -> list[Finding]:
    found = check([lay(folder, FILES | files)]).result.findings
    return [finding for finding in found if finding.rule == "lazy-loop"]


@pytest.mark.parametrize("bulk", [0, 3])
def test_each_model_gets_the_words_of_its_own_stack(tmp_path: Path, bulk: int) -> None:
    more = {f"books/more{n}.py": BOOKS.replace('"authors', f'"authors{n}').replace('"books"', f'"books{n}"') for n in range(bulk)}
    found = lazy(tmp_path, {"shop/views.py": SHOP_VIEWS, "books/pages.py": BOOK_PAGES, **more})
    said = {finding.found.span.path: (finding.found.stack, "; ".join(advice(finding.found))) for finding in found}
    assert said["shop/views.py"][0] == "django"
    assert "select_related" in said["shop/views.py"][1]
    assert said["books/pages.py"][0] == "sqlalchemy"
    assert "joinedload" in said["books/pages.py"][1]


def test_functions_of_one_file_may_speak_to_different_stacks(tmp_path: Path) -> None:
    found = lazy(tmp_path, {"both.py": BOTH})
    assert {finding.found.function: finding.found.stack for finding in found} == {
        "both.py::of_books": "sqlalchemy",
        "both.py::of_wares": "django",
    }


def test_the_name_of_a_folder_may_look_like_a_key(tmp_path: Path) -> None:
    django = "from django.db import models\n\nclass Note(models.Model):\n    name = models.TextField()\n"
    raw = "import sqlite3\n\ndef names(conn: sqlite3.Connection):\n    return conn.execute('SELECT * FROM logs').fetchall()\n"
    lay(tmp_path, {"app::old/models.py": django, "app::old/raw.py": raw, "schema.sql": "CREATE TABLE logs (id INTEGER PRIMARY KEY);"})
    result = check([tmp_path]).result
    assert result.summary.tables == 2
    assert not [note for note in result.notes if note.kind is NoteKind.BUG]
