"""What callers tell of parameters counts for all who call, whichever of them is looked at first."""

from __future__ import annotations

from pathlib import Path

import pytest

from querylint import engine

MODELS = """
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)


class Note(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    private = models.BooleanField()


class Draft(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    private = models.BooleanField()
"""
HELPERS = """
def public(notes):
    return notes.filter(private=False)


def shown(notes):
    return public(notes)
"""
UNSURE = """
from blog.helpers import {helper}


def names(thing):
    return [note.author.name for note in {helper}(thing)]
"""
SURE = """
from blog.helpers import {helper}
from blog.models import Note


def texts():
    return {helper}(Note.objects.all()).count()
"""
BOX = """
class Box:
    def __init__(self, **given):
        self.notes = given["notes"]
        self.title = given.get("title", "")

    def names(self):
        return [note.author.name for note in self.notes.filter(private=False)]
"""
MAKER = """
from blog.box import Box
from blog.models import Draft, Note


def {name}(one):
    return Box({given})
"""


def said(folder: Path, files: dict[str, str]) -> set[tuple[str, str]]:
    """The files in which there is a finding, each with its rule."""
    (folder / "blog").mkdir()
    for name, text in {"models": MODELS, **files}.items():
        (folder / f"blog/{name}.py").write_text(text)
    return {(f.found.span.path, f.rule) for f in engine.check([folder]).result.findings}


@pytest.mark.parametrize("helper", ["public", "shown"])
@pytest.mark.parametrize(("unsure", "sure"), [("aside", "zoo"), ("zoo", "aside")])
def test_what_one_caller_tells_is_known_to_all(tmp_path: Path, unsure: str, sure: str, helper: str) -> None:
    files = {"helpers": HELPERS, unsure: UNSURE.format(helper=helper), sure: SURE.format(helper=helper)}
    assert said(tmp_path, files) == {(f"blog/{unsure}.py", "lazy-loop")}


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("title=one, notes=Note.objects.all()", "notes=one", True),
        ("notes=one", "notes=Note.objects.all(), title=one", True),
        ("notes=Draft.objects.all()", "notes=Note.objects.all()", False),
        ("notes=Note.objects.all(), title=one", "notes=Note.objects.all(), title=Draft.objects.first()", True),
    ],
)
def test_keywords_are_told_each_for_itself(tmp_path: Path, one: str, other: str, told: bool) -> None:
    files = {"box": BOX, "aside": MAKER.format(name="one", given=one), "zoo": MAKER.format(name="other", given=other)}
    assert (("blog/box.py", "lazy-loop") in said(tmp_path, files)) is told


def test_keywords_that_only_some_callers_give_are_no_conditions_for_all(tmp_path: Path) -> None:
    found = """
from blog.models import Author


def author(**given):
    return Author.objects.filter(**given)


def all_of(texts):
    return [author(id=text).first() for text in texts], author(name=texts[0]).first()
"""
    assert said(tmp_path, {"found": found}) == {("blog/found.py", "loop-read"), ("blog/models.py", "lookup-needs-index")}


DECK = """
from django.db import models


class Node(models.Model):
    name = models.CharField(max_length=80)


class Deck(models.Model):
    def __init__(self, *args, **given):
        super().__init__(*args, **given)
        self.cards = {}
        for card in args[0]["cards"]:
            self.put(card)

    def put(self, card):
        self.cards[card.pk] = card

    def texts(self):
        other = Deck.objects.get(pk=self.pk)
        return [Node.objects.get(pk=card.node).name for card in other.cards.values()]
"""


def test_what_a_row_holds_is_no_row_of_its_table(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(DECK)
    (finding,) = engine.check([tmp_path]).result.findings
    assert "once for every item of `other.cards.values()`" in finding.found.message


FILLED = """
from blog.models import Author


class Box:
    def __init__(self):
        self.kept = {begun}

    def put(self, number):
        {put}

    def names(self):
        return [Author.objects.get(pk=number).name for number in self.kept{over}]
"""


@pytest.mark.parametrize(
    ("begun", "put", "over", "found"),
    [
        ("[]", "self.kept.append(number)", "", True),
        ("set()", "self.kept.add(number)", "", True),
        ("{}", "self.kept[number] = number", ".values()", True),
        ("[1, 2]", "self.kept += [number]", "", True),
        ("[1, 2]", "pass", "", False),
    ],
)
def test_what_begins_empty_is_filled(tmp_path: Path, begun: str, put: str, over: str, found: bool) -> None:
    files = {"box": FILLED.format(begun=begun, put=put, over=over)}
    assert (("blog/box.py", "loop-read") in said(tmp_path, files)) is found
