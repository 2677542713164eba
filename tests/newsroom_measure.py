"""Runs each pair of the newsroom application for a number of articles, and prints what it sent and gave as JSON.

A process of its own, since settings and the registry of applications are those of one process:
`DJANGO_SETTINGS_MODULE=newsroom.settings PYTHONPATH=fixtures/apps/newsroom-django python tests/newsroom_measure.py 5 10`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.core.management import call_command
from django.db import connection
from django.test import Client

COMMENTS = 3
TAGS = 2

Action = Callable[[], object]


@contextmanager
def _recorded() -> Iterator[list[str]]:
    statements: list[str] = []

    def record(execute: Callable[..., Any], sql: str, params: object, many: bool, context: object) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        yield statements


def _fill(articles: int) -> list[int]:
    from newsroom.models import Article, Author, Comment, Tag

    call_command("flush", interactive=False, verbosity=0)
    keys = []
    for number in range(articles):
        article = Article.objects.create(author=Author.objects.create(name=f"author {number}"), title=f"article {number}", views=number)
        article.tags.set([Tag.objects.create(label=f"tag {number}.{tag}") for tag in range(TAGS)])
        for comment in range(COMMENTS):
            Comment.objects.create(article=article, body=f"comment {number}.{comment}", approved=comment > 0)
        keys.append(article.pk)
    return keys


def _actions(keys: list[int]) -> dict[str, Action]:
    from newsroom import jobs
    from newsroom.models import Article

    def page(path: str) -> Action:
        def get() -> object:
            response = Client().get(path)
            assert response.status_code == 200, (path, response.status_code)
            return response.content.decode()

        return get

    def archive(job: Callable[[int], None]) -> Action:
        def run() -> object:
            job(len(keys))
            return list(Article.objects.order_by("pk").values_list("title", "archived"))

        return run

    views = ("front_page", "tag_page", "comment_counts", "approved_comments")
    names = [name + suffix for name in views for suffix in ("", "_repaired")]
    return {
        **{name: page(f"/{name.replace('_', '-')}/") for name in [*names, "comment_counts_prefetched"]},
        "ArticleViewSet": page("/api/articles/"),
        "RepairedArticleViewSet": page("/api/articles-repaired/"),
        "titles": lambda: jobs.titles(keys),
        "titles_repaired": lambda: jobs.titles_repaired(keys),
        "archive": archive(jobs.archive),
        "archive_repaired": archive(jobs.archive_repaired),
    }


def _measure(articles: int) -> dict[str, object]:
    measured: dict[str, object] = {}
    for name in _actions([]):
        action = _actions(_fill(articles))[name]
        with _recorded() as statements:
            result = action()
        measured[name] = {"statements": len(statements), "result": result}
    return measured


if __name__ == "__main__":
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    print(json.dumps({size: _measure(int(size)) for size in sys.argv[1:]}))
