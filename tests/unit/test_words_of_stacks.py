"""Remedies in the words of each stack of Python: what they say can be written so."""

from __future__ import annotations

from pathlib import Path

import pytest

from querylint import engine
from querylint.remedy import Batch, Preload, PushDown, sentence

FILTERED = PushDown("posts", "", ("live",), create=False)
COMPARED = PushDown("posts", "", ("at", "state", "kind"), create=False, compared=(("at", "<"), ("state", "!="), ("kind", "in")))
SORTED = PushDown("posts", "", ("created",), create=False, descending=True, order=("created",))
LOADED = Preload(batched=(("log", "missions"), ("tags",)))


@pytest.mark.parametrize(
    ("remedy", "stack", "said"),
    [
        (FILTERED, "django", "put the condition into the query: .filter(live=...)"),
        (FILTERED, "sqlalchemy", "put the condition into the query: .where(live == ...)"),
        (COMPARED, "django", "put the condition into the query: .filter(at__lt=..., ~Q(state=...), kind__in=...)"),
        (COMPARED, "sqlalchemy", "put the condition into the query: .where(at < ..., state != ..., kind.in_(...))"),
        (Batch(of="alike"), "sqlalchemy", "set it in all of the rows by one statement: update(...).where(key.in_(keys)).values(...)"),
        (SORTED, "django", 'let the query sort: .order_by("-created")'),
        (SORTED, "sqlalchemy", "let the query sort: .order_by(created.desc())"),
        (SORTED, "dbapi", "let the query sort: ORDER BY created DESC"),
        (LOADED, "django", 'add .prefetch_related("log__missions", "tags")'),
        (LOADED, "sqlalchemy", "add selectinload(log).selectinload(missions), selectinload(tags) to .options(...)"),
    ],
)
def test_a_remedy_in_the_words_of_a_stack(remedy: Batch | Preload | PushDown, stack: str, said: str) -> None:
    assert sentence(remedy, stack) == said


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("post.at < now", ".filter(at__lt=...)"),
        ("post.state == 'live'", ".filter(state=...)"),
        ("post.at < now and post.at > then", ".filter(at__lt=..., at__gt=...)"),
    ],
)
def test_a_filter_is_told_as_it_compares(tmp_path: Path, test: str, said: str) -> None:
    (tmp_path / "models.py").write_text(
        "from django.db import models\n\nclass Post(models.Model):\n    at = models.DateTimeField()\n    state = models.TextField()\n"
    )
    (tmp_path / "views.py").write_text(
        f"from models import Post\n\ndef shown(request, now, then):\n    return [post.pk for post in Post.objects.all() if {test}]\n"
    )
    (finding,) = [f for f in engine.check([tmp_path]).result.findings if f.rule == "filter-in-memory"]
    assert finding.found.remedy is not None
    assert sentence(finding.found.remedy, "django") == f"put the condition into the query: {said}"


@pytest.mark.parametrize(
    ("given", "start"), [("names", "read the rows for all the items"), ("rows", "load it with the query for the rows")]
)
def test_a_query_for_the_rows_can_bring_more_only_where_there_is_one(tmp_path: Path, given: str, start: str) -> None:
    (tmp_path / "models.py").write_text(
        "from sqlalchemy import Column, Integer, String\nfrom sqlalchemy.orm import DeclarativeBase\n\n"
        "class Base(DeclarativeBase):\n    pass\n\n"
        "class Post(Base):\n    __tablename__ = 'posts'\n    id = Column(Integer, primary_key=True)\n    name = Column(String)\n"
    )
    (tmp_path / "views.py").write_text(
        "from sqlalchemy.orm import Session\nfrom models import Base, Post\n\n"
        "def get(session: Session, model: type[Base], name: str):\n    return session.query(model).filter_by(name=name).first()\n\n"
        "def by_names(session: Session, model: type[Base], names: list[str]):\n    return [get(session, model, name) for name in names]\n\n"
        "def by_rows(session: Session, model: type[Base]):\n    rows = session.query(Post).all()\n"
        "    return [get(session, model, row.name) for row in rows]\n"
    )
    (finding,) = [f for f in engine.check([tmp_path]).result.findings if f.rule == "loop-read" and f.found.function.endswith(f"by_{given}")]
    assert finding.found.remedy is not None
    assert sentence(finding.found.remedy, "sqlalchemy").startswith(start)
