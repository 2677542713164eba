"""Remedies in the words of each stack of Python: what they say can be written so."""

from __future__ import annotations

import pytest

from querylint.remedy import Preload, PushDown, sentence

FILTERED = PushDown("posts", "", ("live",), create=False)
SORTED = PushDown("posts", "", ("created",), create=False, descending=True, order=("created",))
LOADED = Preload(batched=(("log", "missions"), ("tags",)))


@pytest.mark.parametrize(
    ("remedy", "stack", "said"),
    [
        (FILTERED, "django", "put the condition into the query: .filter(live=...)"),
        (FILTERED, "sqlalchemy", "put the condition into the query: .where(live == ...)"),
        (SORTED, "django", 'let the query sort: .order_by("-created")'),
        (SORTED, "sqlalchemy", "let the query sort: .order_by(created.desc())"),
        (SORTED, "dbapi", "let the query sort: ORDER BY created DESC"),
        (LOADED, "django", 'add .prefetch_related("log__missions", "tags")'),
        (LOADED, "sqlalchemy", "add selectinload(log).selectinload(missions), selectinload(tags) to .options(...)"),
    ],
)
def test_a_remedy_in_the_words_of_a_stack(remedy: Preload | PushDown, stack: str, said: str) -> None:
    assert sentence(remedy, stack) == said
