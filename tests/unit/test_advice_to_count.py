from __future__ import annotations

from pathlib import Path

import pytest

from querylint import engine
from querylint.remedy import sentence

MODELS = """\
from django.db import models


class Tag(models.Model):
    name = models.CharField(max_length=80)


class Post(models.Model):
    tags = models.ManyToManyField(Tag)
"""


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("len([tag for post in Post.objects.all() for tag in post.tags.all()])", "let one query of the related rows count them"),
        ("[len(post.tags.all()) for post in Post.objects.all()]", ".annotate(number=Count(...))"),
        ("[tag.name for post in Post.objects.all() for tag in post.tags.all()]", 'add .prefetch_related("tags")'),
    ],
)
def test_who_only_counts_related_rows_is_told_to_let_the_database_count(tmp_path: Path, value: str, said: str) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "views.py").write_text(f"from models import Post\n\n\ndef show(request):\n    return {value}\n")
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "lazy-loop"]
    assert found.remedy is not None
    assert said in sentence(found.remedy, found.stack)
    assert ("mem-filter" in found.also) is ("Count" in said or "count" in said)


def test_the_advice_is_in_the_words_of_the_stack(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(
        "from sqlalchemy import Column, ForeignKey, Integer\nfrom sqlalchemy.orm import declarative_base, relationship\n\n"
        "Base = declarative_base()\n\n\n"
        "class Post(Base):\n    __tablename__ = 'posts'\n    id = Column(Integer, primary_key=True)\n    notes = relationship('Note')\n\n\n"
        "class Note(Base):\n    __tablename__ = 'notes'\n    id = Column(Integer, primary_key=True)\n"
        "    post_id = Column(ForeignKey('posts.id'), index=True)\n"
    )
    (tmp_path / "views.py").write_text(
        "from models import Note, Post\n\n\ndef show(session):\n    return [len(post.notes) for post in session.query(Post).all()]\n\n\n"
        "def again(session, notes: list[Note]):\n    for note in notes:\n        session.refresh(note)\n"
    )
    found = {f.rule: f.found for f in engine.check([tmp_path]).result.findings}
    for rule, said in (("lazy-loop", "select(func.count())"), ("loop-read", "selectinload")):
        remedy = found[rule].remedy
        assert remedy is not None
        assert said in sentence(remedy, found[rule].stack)
