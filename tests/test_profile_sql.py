"""`querylint profile` with statistics of a SQL database: the statements that the real Django sends, at the places that ask them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from laid import lay
from querylint import cli

ROOT = Path(__file__).parents[1]
APP = ROOT / "fixtures/apps/newsroom-django"
SCHEMA = json.loads((ROOT / "docs/schema/profile-v1.json").read_text(encoding="utf-8"))
ARTICLES = 7


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "newsroom.settings", "PYTHONPATH": str(APP), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(ROOT / "tests/newsroom_statements.py"), str(ARTICLES)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    path = tmp_path_factory.mktemp("sql") / "statements.csv"
    path.write_text(done.stdout)
    return path


def profiled(path: Path, app: Path, capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    cli.run(["profile", str(path), "--project", str(app), "--format", "json", *args])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, SCHEMA)
    return told


def test_each_finding_has_the_statement_that_it_is_about(statistics: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = profiled(statistics, APP, capsys)
    calls = {s["text"]: s["calls"] for s in told["statements"]}
    per_row = {(f["path"], f["function"], f["rule"]): [s for s in f["statements"] if calls[s] == ARTICLES] for f in told["findings"]}
    about = {key: [s.partition(" FROM ")[2].split()[0] if " FROM " in s else s.split()[1] for s in texts] for key, texts in per_row.items()}
    assert about[("newsroom/views.py", "front_page", "lazy-loop")] == ['"newsroom_author"']
    assert about[("newsroom/views.py", "tag_page", "lazy-loop")] == ['"newsroom_tag"']
    assert about[("newsroom/views.py", "comment_counts", "lazy-loop")] == ['"newsroom_comment"']
    assert about[("newsroom/views.py", "approved_comments", "loop-read")] == ['"newsroom_comment"']
    assert about[("newsroom/jobs.py", "titles", "loop-read")] == ['"newsroom_article"']
    assert about[("newsroom/jobs.py", "archive", "write-per-item")] == ['"newsroom_article"']


def test_counts_and_filters_are_told_apart(statistics: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = profiled(statistics, APP, capsys)
    comments = {s["text"]: {p["function"] for p in s["places"]} for s in told["statements"] if 'FROM "newsroom_comment"' in s["text"]}
    counted = next(places for text, places in comments.items() if "COUNT(*)" in text)
    filtered = next(places for text, places in comments.items() if '"approved"' in text.partition(" WHERE ")[2])
    assert counted == {"comment_counts", "comment_counts_prefetched"}
    assert filtered == {"approved_comments"}


def test_what_a_person_is_told(statistics: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["profile", str(statistics), "--project", str(APP), "--top", "30", "--budget", "mean=0.5"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(" in all, by statements.csv.")
    author = 'SELECT ... FROM "newsroom_author" WHERE "newsroom_author"."id" = ? LIMIT ?'
    head = next(n for n, line in enumerate(lines) if line.startswith(f"{author}: {ARTICLES} calls, 1 ms on the average, "))
    assert lines[head + 1].startswith("asked at newsroom/")
    assert "newsroom/templates/newsroom/front_page.html:3" in lines[head + 1]
    block = lines[head : lines.index("", head)]
    assert any(line.startswith("newsroom/views.py:12:16: warning lazy-loop `author` is loaded for every row") for line in block)
    assert f"error {author}: time on the average 1 ms, allowed 500 µs" in lines


def test_statements_of_two_runs(statistics: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tmp_path / "before.csv"
    before.write_text(re.sub(r",(\d+),([\d.]+)$", lambda m: f",{m[1]},{4 * float(m[2])}", statistics.read_text(), flags=re.MULTILINE))
    assert cli.run(["profile", str(statistics), "--against", str(before), "--project", str(APP)]) == 0
    block = capsys.readouterr().out.partition("Compared with before.csv:\n")[2].partition("\n\n")[0].splitlines()
    assert re.split(r"  +", block[1].strip())[:4] == ["-", "4 ms \u2192 1 ms (0.25 \u00d7)", "-", "-"]
    told = profiled(statistics, APP, capsys, "--against", str(before))
    assert {s["time"]["mean"] for s in told["against"]["statements"]} == {4.0}


def test_a_page_with_statements(statistics: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert cli.run(["report", str(APP), "--logs", str(statistics), "-o", str(page)]) == 0
    text = page.read_text()
    assert '<th scope="col">statement</th>' in text
    assert "<dt>Measured</dt><dd><code>SELECT ... FROM &#34;newsroom_" in text
    assert "7 calls, 1 ms on the average" in text


MODELS = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list["Post"]] = relationship(back_populates="author")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    author: Mapped[User] = relationship(back_populates="posts")
"""
STORE = """\
import sqlite3

from sqlalchemy import select
from sqlalchemy.orm import Session

from blog.models import Post, User


def names(session: Session):
    return [post.author.name for post in session.scalars(select(Post).where(Post.title == "x"))]


def titles(session: Session):
    return [[post.title for post in user.posts] for user in session.scalars(select(User))]


def raw(connection: sqlite3.Connection, wanted):
    return [connection.execute("SELECT title FROM posts WHERE id = ? AND title <> ?", (key, "")).fetchone() for key in wanted]


def touch(connection: sqlite3.Connection, wanted):
    for key in wanted:
        connection.execute("UPDATE posts SET title = ? WHERE id = ?", ("x", key))


def clear(connection: sqlite3.Connection, wanted):
    for key in wanted:
        connection.execute("DELETE FROM posts WHERE id = ?", (key,))


def rename(session: Session):
    for user in session.scalars(select(User)).all():
        user.name = user.name.strip()
        session.commit()


def invite(session: Session, names):
    for name in names:
        session.add(User(name=name))
        session.commit()
"""
ASKED = """\
query,calls,total_exec_time
"SELECT users.id AS users_id, users.name AS users_name FROM users WHERE users.id = $1",90,30
"SELECT posts.id, posts.title, posts.author_id FROM posts WHERE $1 = posts.author_id",80,20
"SELECT posts.id, posts.title, posts.author_id FROM posts WHERE posts.title = $1",1,1
"SELECT title FROM posts WHERE id = $1 AND title <> $2",70,9
"SELECT title FROM posts WHERE id = $1",70,9
"UPDATE posts SET title = $1 WHERE id = $2",60,8
"UPDATE posts SET title = $1 WHERE author_id = $2",60,8
"DELETE FROM posts WHERE id = $1",50,7
"UPDATE users SET name = $1::VARCHAR WHERE users.id = $2::INTEGER",40,6
"INSERT INTO users (name) VALUES ($1::VARCHAR) RETURNING users.id",30,5
"SELECT * FROM pg_catalog.pg_class WHERE id = $1",5,5
BEGIN,400,1
"SELECT broken FROM FROM",1,1
"""


def test_statements_of_sqlalchemy_and_of_plain_drivers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path / "p", {"blog/__init__.py": "", "blog/models.py": MODELS, "blog/store.py": STORE})
    path = tmp_path / "statements.csv"
    path.write_text(ASKED)
    told = profiled(path, tmp_path / "p", capsys, "--show", "info")
    places = {s["text"]: [p["function"] for p in s["places"]] for s in told["statements"]}
    known = {text.replace("?", "$"): functions for text, functions in places.items() if functions}
    assert known == {
        "SELECT users.id AS users_id, users.name AS users_name FROM users WHERE users.id = $": ["names"],
        "SELECT posts.id, posts.title, posts.author_id FROM posts WHERE $ = posts.author_id": ["titles"],
        "SELECT posts.id, posts.title, posts.author_id FROM posts WHERE posts.title = $": ["names"],
        "SELECT title FROM posts WHERE id = $ AND title <> $": ["raw"],
        "UPDATE posts SET title = $ WHERE id = $": ["touch"],
        "DELETE FROM posts WHERE id = $": ["clear"],
        "UPDATE users SET name = $::VARCHAR WHERE users.id = $::INTEGER": ["rename"],
        "INSERT INTO users (name) VALUES ($) RETURNING users.id": ["invite"],
    }
    changed = {f["function"]: f["statements"] for f in told["findings"] if f["rule"] == "write-per-item"}
    assert [s.split()[0] for name in ("rename", "invite") for s in changed[name]] == ["UPDATE", "INSERT"]
    first = told["findings"][0]
    assert (first["rule"], first["function"]) == ("lazy-loop", "names"), "whose statement took the longest"
