"""The search for cyclic garbage rests during looks and between them, and is made up for before it could matter."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from laid import lay
from querylint import garbage, settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.frontends.flow.machine import Machine
from querylint.garbage import undisturbed


class Knot:
    """Something that only the search for garbage can remove."""

    def __init__(self) -> None:
        self.me = self
        self.bulk = [object() for _ in range(1000)]


@pytest.fixture(autouse=True)
def searching(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(garbage, "_HEAP", garbage._Heap())
    gc.enable()
    yield
    gc.unfreeze()
    gc.enable()


def test_the_search_rests_until_the_last_of_several_looks_is_over() -> None:
    with undisturbed():
        with undisturbed():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_has_turned_it_off_keeps_it_off() -> None:
    gc.disable()
    with undisturbed():
        pass
    assert not gc.isenabled()


def test_what_a_look_leaves_is_not_looked_through_again() -> None:
    with undisturbed():
        kept = [[] for _ in range(10_000)]  # type: ignore[var-annotated]
    assert gc.get_freeze_count() >= len(kept)


def test_garbage_of_earlier_looks_is_removed_once_it_may_be_much(monkeypatch: pytest.MonkeyPatch) -> None:
    with undisturbed():
        knot = weakref.ref(Knot())
    with undisturbed():
        assert knot() is not None, "too little has come since"
    monkeypatch.setattr(garbage, "GROWTH", 0)
    with undisturbed():
        assert knot() is None


def test_walks_go_away_without_a_search_for_garbage(tmp_path: Path) -> None:
    body = "def long(names):\n    return [[n for n in name if n if n != 'a'] for name in names if name if name.title()]\n"
    lay(tmp_path, {"models.py": f"from django.db import models\n\nclass Post(models.Model):\n    pass\n\n{body}"})
    gc.collect()
    gc.disable()
    try:
        Project(Scope(tmp_path), settings.load(tmp_path, rule_names=frozenset())).program()
        assert [one for one in gc.get_objects() if isinstance(one, Machine)] == []
    finally:
        gc.enable()
