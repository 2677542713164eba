"""What is said of a class of the admin whose list lacks a relation: the place to mend is the class, which has no query of its own."""

from __future__ import annotations

from pathlib import Path

from querylint import engine
from querylint.remedy import sentence

MODELS = """
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=80)

class Post(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    tags = models.ManyToManyField("Tag")

class Tag(models.Model):
    name = models.CharField(max_length=80)
"""
ADMIN = """
from django.contrib import admin
from blog.models import Post

@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ("labels",)
    list_select_related = ("author",)

    def labels(self, post):
        return [tag.name for tag in post.tags.all()]
"""


def test_the_class_is_named_and_not_its_list_of_joins(tmp_path: Path) -> None:
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog/models.py").write_text(MODELS)
    (tmp_path / "blog/admin.py").write_text(ADMIN)
    (finding,) = engine.check([tmp_path]).result.findings
    assert finding.found.span.line == 11
    assert finding.found.remedy is not None
    said = sentence(finding.found.remedy, "django")
    assert said == 'add .prefetch_related("tags") to the rows of the class on line 6 of blog/admin.py'
