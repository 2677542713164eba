"""Templates that many views share: each view is told what a walk of its own through the page would tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.frontends.flow.state import State
from querylint.frontends.templates import replays
from querylint.frontends.templates.replays import Replay, Replays
from querylint.frontends.templates.vocabulary import TemplateVocabulary
from querylint.ir import Access, Call, Function
from querylint.syntax import tree

MODELS = """
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=50)

class Post(models.Model):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
TAGS = """
from django import template
from blog.models import Author, Post

register = template.Library()

@register.simple_tag
def best(number):
    return Post.objects.filter(author=number).first()

@register.simple_tag(takes_context=True)
def mine(context):
    return [post.author.name for post in Post.objects.all() if post.title == context["word"]]
"""
BASE = """{% load words %}
{% if request.user.is_authenticated %}{{ request.user.email }}{% best 1 %}{% endif %}
{% for name in names %}{% if name.short %}{% best name %}{% else %}{{ name.long }}{% endif %}{% endfor %}
{% mine %}
{% include "row.html" with it=word %}
{% block body %}{% endblock %}
<p>{{ word.title }} {{ post.author.name }}</p>
"""
ROW = "{% if it %}{{ it.text }}{% best it %}{% endif %}"
PAGE = '{% extends "base.html" %}{% block body %}{% for post in posts %}{{ post.author.name }}{% endfor %}{% endblock %}'
OTHER = """{% extends "base.html" %}{% block body %}
{% include "row.html" with it=word %}{% url "home" %}{% if post %}{% best 2 %}{% endif %}
{% block inner %}{{ post.author.name }}{% endblock %}{% endblock %}"""
THIRD = '{% extends "other.html" %}{% block inner %}{% best 3 %}{{ post.author.name }}{% endblock %}'
VIEWS = """
from django.shortcuts import render
from blog.models import Author, Post

def first(request):
    return render(request, "page.html", {"word": "a", "names": names(), "posts": Post.objects.all()})

def second(request):
    author = Author.objects.get(pk=1)
    return render(request, "page.html", {"word": author.name, "names": names(), "posts": Post.objects.filter(author=author)})

def third(request):
    count = Author.objects.count()
    return render(request, "page.html", {"word": "a", "names": names(), "posts": Post.objects.filter(id=count)})

def fourth(request, number):
    if number:
        return render(request, "page.html", {"word": "a", "post": Post.objects.get(pk=number)})
    return render(request, "page.html", {"word": "a"})

def fifth(context, request):
    return render(request, "page.html", context)

def sixth(context, request):
    return render(request, "page.html", context)

def seventh(request):
    Author.objects.update(name="")
    return render(request, "page.html", {"word": "a", "names": names(), "posts": Post.objects.filter(title="")})

def eighth(request, number):
    author = Author.objects.first()
    if author.name:
        return render(request, "other.html", {"word": "a"})
    return render(request, "third.html", {"word": "a"})

def ninth(request, number):
    Author.objects.update(name="")
    if Post.objects.exists():
        return render(request, "third.html", {"word": "a"})
    return render(request, "other.html", {"word": "a"})

def tenth(request, number):
    post = Post.objects.get(pk=number)
    if not post.title:
        return None
    return render(request, "other.html", {"word": "a", "post": post})

def eleventh(request, number):
    author = Author.objects.get(pk=number)
    post = Post.objects.get(author=author)
    if not author.name:
        return None
    return render(request, "third.html", {"word": "a", "post": post})

def held(request, number):
    post = Post.objects.get(pk=number)
    author = Author.objects.get(pk=number)
    if not author.name or not post.title:
        return None
    return render(request, "third.html", {"word": "a", "post": post})

def held_too(request, number):
    post = Post.objects.get(pk=number)
    author = Author.objects.get(pk=number)
    if not author.name or not post.title:
        return None
    return render(request, "third.html", {"word": "a", "post": post})

def held_later(request, number):
    post = Post.objects.get(pk=number)
    author = Author.objects.get(pk=number)
    if not author.name or not post.title:
        return None
    Author.objects.update(name="")
    return render(request, "third.html", {"word": "a", "post": post})

def twelfth(request, number):
    post = Post.objects.get(pk=number)
    author = Author.objects.get(pk=number)
    if not author.name:
        return None
    return render(request, "other.html", {"word": "a", "post": post})
"""


SHOP = """
from flask import Flask, render_template
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)

class Maker(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String)

class Tool(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    maker_id = db.Column(db.Integer, db.ForeignKey("maker.id"))
    maker = db.relationship(Maker)

def newest():
    return Tool.query.all()

@app.route("/makers")
def makers():
    held = Maker.query.all()
    return render_template("tools.html", newest=newest)

@app.route("/again")
def again():
    held = Maker.query.all()
    return render_template("tools.html", newest=newest)

@app.route("/tools")
def tools():
    return render_template("tools.html", newest=newest)

@app.route("/last")
def last():
    held = Maker.query.all()
    return render_template("tools.html", newest=newest)
"""
LIST = "<ul>{% for tool in newest() %}<li>{{ tool.maker.name }}</li>{% endfor %}</ul>"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    lay(tmp_path, {"app.py": SHOP, "templates/tools.html": LIST})
    return tmp_path


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    lay(
        tmp_path,
        {
            "blog/__init__.py": "", "blog/models.py": MODELS, "blog/views.py": VIEWS, "blog/templatetags/__init__.py": "",
            "blog/templatetags/words.py": TAGS, "blog/templates/base.html": BASE, "blog/templates/page.html": PAGE,
            "blog/templates/row.html": ROW, "blog/templates/other.html": OTHER, "blog/templates/third.html": THIRD,
        },
    )  # fmt: skip
    return tmp_path


def functions(root: Path) -> dict[str, Function]:
    return dict(Project(Scope(root), settings.load(root, rule_names=frozenset())).program()[0].functions)


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[Replay]:
    found: list[Replay] = []
    again = Replay.again

    def counted(replay: Replay, page: TemplateVocabulary, state: State) -> None:
        found.append(replay)
        again(replay, page, state)

    monkeypatch.setattr(Replay, "again", counted)
    monkeypatch.setattr(replays, "LONG", 0)  # so that what is short here stands for what is long in pages
    return found


def test_views_are_told_what_a_walk_of_their_own_tells(blog: Path, replayed: list[Replay], monkeypatch: pytest.MonkeyPatch) -> None:
    known = functions(blog)
    assert any(replay.steps for replay in replayed)
    assert any(replay.traces for replay in replayed)
    _no_replays(monkeypatch)
    assert functions(blog) == known


def test_what_a_session_holds_is_seen(shop: Path, replayed: list[Replay], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the makers are held already, the loop reads none of them; a view that holds none is told so."""
    known = functions(shop)
    assert replayed
    reads = {name: len([s for s in known[f"app.py::{name}"].steps() if isinstance(s, Access)]) for name in ("makers", "tools")}
    assert reads["tools"] == reads["makers"]  # the makers themselves in one, those of each tool in the other
    _no_replays(monkeypatch)
    assert functions(shop) == known


def _no_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    def walked(_: Replays, __: TemplateVocabulary, state: State, statement: tree.Stmt) -> None:
        state.execute(statement)

    monkeypatch.setattr(Replays, "walk", walked)


def test_steps_of_a_replay_have_numbers_of_their_own(blog: Path, replayed: list[Replay]) -> None:
    known = functions(blog)
    assert replayed
    for function in known.values():
        numbers = [step.id for step in function.steps() if isinstance(step, Call)]
        assert len(numbers) == len(set(numbers))


def test_a_view_that_hands_over_something_else_is_walked_on_its_own(blog: Path, replayed: list[Replay]) -> None:
    found = functions(blog)
    assert replayed
    in_pages = {
        name: {
            step.args[0].literal
            for step in found[f"blog/views.py::{name}"].steps()
            if isinstance(step, Call) and step.span.path.endswith("row.html")
        }
        for name in ("first", "second")
    }
    assert in_pages["first"] == {"a"}
    assert "a" not in in_pages["second"]
