from __future__ import annotations

from pathlib import Path

import pytest

from querylint import engine
from querylint.remedy import sentence

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


def test_what_comes_along_with_rows_of_a_statement_written_in_sql_has_a_query_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(
        "from django.db import models\n\nclass Author(models.Model):\n    name = models.TextField()\n\n"
        "class Post(models.Model):\n    author = models.ForeignKey(Author, on_delete=models.CASCADE)\n"
    )
    (tmp_path / "views.py").write_text(
        "from models import Post\n\ndef names(request):\n    return [post.author.name for post in Post.objects.raw('SELECT * FROM post')]\n"
    )
    (finding,) = [f for f in engine.check([tmp_path]).result.findings if f.rule == "lazy-loop"]
    assert finding.found.remedy is not None
    assert sentence(finding.found.remedy, "django").startswith('add .prefetch_related("author")')


def test_rows_of_a_query_that_is_handed_over_are_joined(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "views.py").write_text(
        "from django.db.models import QuerySet\nfrom models import Post\n\n"
        "def names(posts: QuerySet[Post]):\n    return [post.author.name for post in posts.order_by('pk')]\n"
    )
    (finding,) = [f for f in engine.check([tmp_path]).result.findings if f.rule == "lazy-loop"]
    assert finding.found.remedy is not None
    assert sentence(finding.found.remedy, "django").startswith('add .select_related("author")')
