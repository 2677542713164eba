from __future__ import annotations

from pathlib import Path

import pytest

from querylint import engine

MODELS = """\
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)


class Post(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    editor = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="edited")
    tags = models.ManyToManyField("Tag")


class Tag(models.Model):
    owner = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
VIEW = """\
from django.shortcuts import render
from models import Post


def show(request):
    posts = Post.objects.select_related("author").filter(pk__gt=1).prefetch_related("tags").order_by("pk")
    return render(request, "posts.html", {"posts": posts})
"""


@pytest.mark.parametrize(
    ("page", "end"),
    [
        ("{{ post.editor.name }}", 'select_related("author")'),
        ("{% for tag in post.tags.all %}{{ tag.owner.name }}{% endfor %}", 'prefetch_related("tags")'),
    ],
)
def test_the_place_ends_with_the_list_that_lacks_the_relation(tmp_path: Path, page: str, end: str) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "views.py").write_text(VIEW)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/posts.html").write_text("{% for post in posts %}" + page + "{% endfor %}")
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "lazy-loop"]
    assert VIEW[found.span.start : found.span.end].endswith(end)
