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
        ("[tag.name for post in Post.objects.all() for tag in post.tags.all()]", 'load "tags" by one query'),
    ],
)
def test_who_only_counts_related_rows_is_told_to_let_the_database_count(tmp_path: Path, value: str, said: str) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "views.py").write_text(f"from models import Post\n\n\ndef show(request):\n    return {value}\n")
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "lazy-loop"]
    assert found.remedy is not None
    assert said in sentence(found.remedy)
    assert ("mem-filter" in found.also) is ("Count" in said or "count" in said)
