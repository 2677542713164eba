"""What is said of rows that are loaded to be counted: as a set, the database has to count equal values once, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import engine
from querylint.remedy import sentence

MODELS = """
from django.db import models

class Post(models.Model):
    title = models.CharField(max_length=80)
    live = models.BooleanField(default=False)
"""
EACH = "let the database count or sum: .count(), .aggregate() or .annotate()"
DIFFERENT = "let the database count the distinct ones: .distinct().count()"


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        ("len(Post.objects.filter(live=True))", EACH),
        ('len(list(Post.objects.filter(live=True).values_list("title", flat=True)))', EACH),
        ('len(set(Post.objects.filter(live=True).values_list("title", flat=True)))', DIFFERENT),
        ('len(set(Post.objects.filter(live=True).values_list("id")))', DIFFERENT),
    ],
)
def test_a_set_is_counted_by_its_different_values(counted: str, said: str, tmp_path: Path) -> None:
    view = f"from blog.models import Post\n\ndef number(request):\n    return {counted}\n"
    lay(tmp_path, {"blog/models.py": MODELS, "blog/views.py": view})
    (finding,) = engine.check([tmp_path]).result.findings
    assert finding.rule == "aggregate-in-memory"
    assert finding.found.remedy is not None
    assert sentence(finding.found.remedy, "django") == said
