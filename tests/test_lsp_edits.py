"""Edits in an editor, one after another: what is remembered of earlier texts never shows in what is found in the present ones."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_project import HELPERS, OLD_SIN, POSTS, READING_HELPERS, SCHEMA
from laid import lay
from querylint.frontends.convex import frontend as convex
from querylint.lsp.analysis import Buffer, Overtaken, Remembered, Seen, look

MODELS = """\
from django.db import models
class Author(models.Model):
    name = models.TextField()
class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
VIEWS = """\
from books.models import Book
def names():
    return [book.author.name for book in Book.objects.all()]
"""
FILES = {
    "package.json": '{"dependencies": {"convex": "^1.17.0"}}',
    "convex/schema.ts": SCHEMA, "convex/helpers.ts": READING_HELPERS, "convex/posts.ts": POSTS, "convex/old.ts": OLD_SIN,
    "books/models.py": MODELS, "books/views.py": VIEWS,
}  # fmt: skip
SOURCES = [name for name in FILES if not name.endswith(".json")]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay(tmp_path_factory.mktemp("edited"), FILES)


class Soon(Event):
    """Somebody types again while a look is going on: it is asked so often, then it is overtaken."""

    def __init__(self, questions: int) -> None:
        super().__init__()
        self.questions = questions

    def is_set(self) -> bool:
        self.questions -= 1
        return self.questions < 0


def shown(seen: Seen) -> tuple[object, ...]:
    return seen.findings, seen.notes, {path: text.data for path, text in seen.texts.items()}


def typed(text: str, place: int, gone: int, come: str) -> str:
    at = place % (len(text) + 1)
    return text[:at] + come + text[at + gone :]


COME = ["", "x", "\n", "// é🦉\n", "# 🦉\n", "await ", ".filter((p) => p.title)", '"by_title"', "((", "all()", ".select_related('author')"]
KEYS = st.tuples(st.integers(0, 2000), st.integers(0, 12), st.sampled_from(COME))
DEEDS = st.tuples(st.sampled_from(SOURCES), st.one_of(KEYS, st.sampled_from([None, "", HELPERS, *FILES.values()])), st.integers(0, 60))


@given(deeds=st.lists(DEEDS, min_size=1, max_size=5))
@settings(max_examples=15, deadline=None)
def test_after_any_edits_the_same_is_shown_as_to_who_opens_these_texts(root: Path, deeds: list[tuple[str, object, int]]) -> None:
    remembered = Remembered()
    texts = dict(FILES)
    buffers = {"books/views.py": Buffer(VIEWS.encode(), 1)}
    look(root, buffers, "utf-16", Event(), remembered)
    for version, (path, deed, patience) in enumerate(deeds, 2):
        if deed is None:
            texts[path] = FILES[path]
            buffers.pop(path, None)
        else:
            texts[path] = deed if isinstance(deed, str) else typed(texts[path], *deed)
            buffers[path] = Buffer(texts[path].encode(), version)
        try:
            look(root, buffers, "utf-16", Soon(patience), remembered)
        except Overtaken:
            continue
    assert shown(look(root, buffers, "utf-16", Event(), remembered)) == shown(look(root, buffers, "utf-16", Event()))


def test_only_what_hangs_on_an_edit_is_read_closely_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remembered = Remembered()
    look(root, {}, "utf-16", Event(), remembered)
    parsed: list[str] = []
    parse = convex.parse_module
    monkeypatch.setattr(convex, "parse_module", lambda path, source: parsed.append(path) or parse(path, source))
    for version in range(3):
        edited = READING_HELPERS + f"// {version}\n"
        seen = look(root, {"convex/helpers.ts": Buffer(edited.encode(), version)}, "utf-16", Event(), remembered)
        assert [f.rule for f in seen.of("convex/posts.ts")] == ["loop-read"]
    assert set(parsed) == {"convex/helpers.ts"}, "not the file that calls it, whose tree is still there"


def test_of_each_file_one_tree_is_remembered(root: Path) -> None:
    remembered = Remembered()
    for version in range(3):
        look(root, {"convex/helpers.ts": Buffer(f"{HELPERS}// {version}\n".encode(), version)}, "utf-16", Event(), remembered)
    assert remembered.parts is not None
    assert remembered.parts.trees is not None
    assert len({path for path, _ in remembered.parts.trees}) == len(remembered.parts.trees) > 0


def test_parts_of_the_last_run_serve_the_editor(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERYLINT_CACHE_DIR", str(tmp_path))
    truth = shown(look(root, {}, "utf-16", Event(), Remembered()))
    parsed: list[str] = []
    monkeypatch.setattr(convex, "parse_module", lambda path, source: parsed.append(path))
    assert shown(look(root, {}, "utf-16", Event(), Remembered())) == truth
    assert parsed == []
