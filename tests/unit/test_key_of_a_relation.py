"""What is said where a relation is followed only for the key of its row: the column that holds it, under the name that it has on a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import engine
from querylint.remedy import sentence

MODELS = """
from django.db import models

class Language(models.Model):
    code = models.SlugField({key})

class Post(models.Model):
    language = models.ForeignKey(Language, on_delete=models.CASCADE)
"""
VIEW = """
from blog.models import Post

def codes():
    return [post.language.{name} for post in Post.objects.all()]
"""
COLUMN = "use the column `language_id`, which is part of the row"


@pytest.mark.parametrize(("key", "name", "advice"), [("primary_key=True", "code", True), ("", "id", True), ("", "code", False)])
def test_the_column_is_named_as_the_row_has_it(tmp_path: Path, key: str, name: str, advice: bool) -> None:
    lay(tmp_path, {"blog/models.py": MODELS.format(key=key), "blog/views.py": VIEW.format(name=name)})
    (finding,) = engine.check([tmp_path]).result.findings
    assert finding.found.remedy is not None
    assert (sentence(finding.found.remedy, "django") == COLUMN) is advice
