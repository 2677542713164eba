# ruff: noqa: E501 -- a template and what it reads stay on one line each
"""Views that render templates: what the walk sees of the rows that a template shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.ir import Access, Branch, Loop
from querylint.ir.code import Block

MODELS = """
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=50)

class Tag(models.Model):
    label = models.CharField(max_length=50)

class Post(models.Model):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    tags = models.ManyToManyField(Tag)

    def latest(self):
        return Tag.objects.filter(post=self).first()
"""


def seen(root: Path, files: dict[str, str]) -> list[str]:
    """The reads that lie in templates: place, loops around, what is read."""
    lay(root, {"blog/models.py": MODELS, "blog/__init__.py": "", **files})
    program, _ = Project(Scope(root), settings.load(root, rule_names=frozenset())).program()
    found: list[str] = []

    def walk(block: Block, depth: int) -> None:
        for step in block:
            if isinstance(step, Access) and not step.span.path.endswith(".py"):
                found.append(f"{step.span.path.rpartition('/')[2]}:{step.span.line} {'*' * depth}{step.table}")
            elif isinstance(step, Loop):
                walk(step.body, depth + 1)
            elif isinstance(step, Branch):
                for arm in step.arms:
                    walk(arm, depth)

    for key in sorted(program.functions):
        walk(program.functions[key].body, 0)
    return found


LOOP = "{% for post in posts %}\n{{ post.author.name }}\n{% endfor %}"
READS = ["index.html:1 Post", "index.html:2 *Author"]


@pytest.mark.parametrize(
    "view",
    [
        'from django.shortcuts import render\ndef index(request):\n    return render(request, "index.html", {"posts": Post.objects.all()})',
        'from django.shortcuts import render\ndef index(request):\n    return render(request, "index.html", context=dict(posts=Post.objects.all()))',
        'from django.shortcuts import render\ndef index(request):\n    posts = Post.objects.all()\n    return render(request, "index.html", locals())',
        (
            'from django.shortcuts import render\ndef index(request, template="index.html"):\n    posts = Post.objects.all()\n'
            '    return render(request, template, {"posts": posts})'
        ),
        (
            'from django.shortcuts import render\n@mobile("{m/}index.html")\ndef index(request, template):\n'
            '    return render(request, template, {"posts": Post.objects.all()})'
        ),
        (
            'from django.shortcuts import render\ndef index(request, wide):\n    name = "index.html" if wide else "other.html"\n'
            '    return render(request, name, {"posts": Post.objects.all()})'
        ),
        'from django.template.loader import render_to_string\ndef text():\n    return render_to_string("index.html", {"posts": Post.objects.all()})',
        (
            'from django.template import loader\ndef text(request):\n    page = loader.get_template("index.html")\n'
            '    return page.render({"posts": Post.objects.all()}, request)'
        ),
        (
            "from django.template.response import TemplateResponse\ndef index(request):\n"
            '    return TemplateResponse(request, ["index.html"], {"posts": Post.objects.all()})'
        ),
        (
            "from django.shortcuts import render_to_response\nfrom django.template import RequestContext\ndef index(request):\n"
            '    return render_to_response("index.html", {"posts": Post.objects.all()}, context_instance=RequestContext(request))'
        ),
        'from flask import render_template\ndef index():\n    return render_template("index.html", posts=Post.objects.all())',
        'from flask import render_template\ndef index():\n    found = {"posts": Post.objects.all()}\n    return render_template("index.html", **found)',
        (
            'from pyramid.view import view_config\n@view_config(route_name="x", renderer="blog:templates/index.html")\ndef index(request):\n'
            '    return {"posts": Post.objects.all()}'
        ),
        (
            'from pyramid.view import view_config, view_defaults\n@view_defaults(renderer="index.html")\nclass Views:\n'
            '    @view_config(route_name="x")\n    def index(self):\n        return {"posts": Post.objects.all()}'
        ),
        (
            'from starlette.templating import Jinja2Templates\ntemplates = Jinja2Templates(directory="templates")\ndef index(request):\n'
            '    return templates.TemplateResponse(request, "index.html", {"posts": Post.objects.all()})'
        ),
        (
            "from django.views.generic import TemplateView\nclass Index(TemplateView):\n    template_name = 'index.html'\n"
            "    def get_context_data(self, **kwargs):\n        context = super().get_context_data(**kwargs)\n"
            "        context['posts'] = Post.objects.all()\n        return context"
        ),
        (
            "from django.views.generic import ListView\nclass Index(ListView):\n    template_name = 'index.html'\n    model = Post\n"
            "    context_object_name = 'posts'"
        ),
        (
            "from django.core.paginator import Paginator\nfrom django.shortcuts import render\ndef index(request):\n"
            "    pages = Paginator(Post.objects.all(), 20)\n    return render(request, 'index.html', {'posts': pages.get_page(1)})"
        ),
        (
            "from django.core.paginator import Paginator\nfrom django.shortcuts import render\n"
            "def cut(request, rows):\n    page = Paginator(rows, 20).page(request.GET['page'])\n    page.url = request.path\n    return page\n"
            "def index(request):\n    return render(request, 'index.html', {'posts': cut(request, Post.objects.all())})"
        ),
    ],
    ids=range(19),
)
def test_ways_to_render(tmp_path: Path, view: str) -> None:
    assert seen(tmp_path, {"blog/views.py": f"from blog.models import Post\n{view}\n", "blog/templates/index.html": LOOP}) == READS


VIEW = """
from django.shortcuts import render
from blog.models import Post

def index(request):
    return render(request, "index.html", {"posts": Post.objects.all()})
"""


@pytest.mark.parametrize(
    ("pages", "reads"),
    [
        ({"index.html": "{% include 'index.html' %}{% for post in posts %}{{ post.author }}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Author", "index.html:1 *Author"]),
        ({"index.html": "{% extends 'index.html' %}{% block a %}{% for post in posts %}{% endfor %}{% endblock %}"}, ["index.html:1 Post"]),
        (
            {"index.html": "{% extends 'b.html' %}{% block a %}{{ block.super }}{% endblock %}", "b.html": "{% block a %}{% for post in posts %}{{ post.author }}{% endfor %}{% endblock %}"},
            ["b.html:1 Post", "b.html:1 *Author"],
        ),
        ({"index.html": "{% regroup posts by author as groups %}{% for g in groups %}{{ g.grouper.name }}{% for post in g.list %}{{ post.title }}{% endfor %}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{% for post in posts %}{{ post.latest }}{{ post.tags.count }}{% if post.tags.exists %}x{% endif %}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Tag", "index.html:1 *Tag"]),
        ({"index.html": "{% with first=posts|first %}{{ first.author }}{% endwith %}"}, ["index.html:1 Post", "index.html:1 Author"]),
        ({"index.html": "{% for post in posts|slice:':5' %}{{ post.author_id }}{% endfor %}"}, ["index.html:1 Post"]),
        ({"index.html": "{% for post in posts|dictsort:'author.name' %}{{ post.title }}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{% if posts %}{% for post in posts %}{{ post.title }}{% endfor %}{% endif %}{{ posts|length }}"}, ["index.html:1 Post"]),
        ({"index.html": "{% load unknown %}{% thing posts.0.author as who %}{{ who.name }}"}, ["index.html:1 Post", "index.html:1 Author"]),
    ],
    ids=range(10),
)  # fmt: skip
def test_words_of_django(tmp_path: Path, pages: dict[str, str], reads: list[str]) -> None:
    assert seen(tmp_path, {"blog/views.py": VIEW, **{f"blog/templates/{name}": text for name, text in pages.items()}}) == reads


@pytest.mark.parametrize(
    ("pages", "reads"),
    [
        ({"index.html": "{% macro m(x) %}{{ x.author }}{{ m(x) }}{% endmacro %}{% for post in posts %}{{ m(post) }}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{% import 'm.html' as m %}{% for post in posts %}{{ m.row(post, x=1) }}{% endfor %}", "m.html": "{% macro row(p, x) %}{{ p.author }}{% endmacro %}"}, ["index.html:1 Post", "m.html:1 *Author"]),
        ({"index.html": "{% macro each(xs) %}{% for x in xs %}{{ caller(x) }}{% endfor %}{% endmacro %}{% call(p) each(posts) %}{{ p.author }}{% endcall %}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{% set shown = posts %}{% if x %}{% set shown = posts %}{% endif %}{% for post in shown %}{{ post.author }}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{% for who, rows in posts|groupby('author') %}{{ who }}{% for post in rows %}{{ post.title }}{% endfor %}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{{ posts|sort(attribute='author.name')|map(attribute='title')|join(', ') }}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{% for post in posts if post.author %}{{ loop.index }}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{% for post in posts %}{{ post.tags.all()|length }}{{ post['author'].name }}{% endfor %}"}, ["index.html:1 Post", "index.html:1 *Tag", "index.html:1 *Author"]),
        ({"index.html": "{% extends 'b.html' %}{% set rows = posts %}{% block a %}{{ super() }}{% for post in rows %}{{ post.author }}{% endfor %}{% endblock %}", "b.html": "{% block a %}{% endblock %}"}, ["index.html:1 Post", "index.html:1 *Author"]),
        ({"index.html": "{% include ['none.html', 'r.html'] %}", "r.html": "{% for post in posts %}{{ post.author }}{% endfor %}"}, ["r.html:1 Post", "r.html:1 *Author"]),
        ({"index.html": "{% for post in posts %}{% include 'r.html' without context %}{% endfor %}", "r.html": "{{ post.author }}"}, ["index.html:1 Post"]),
    ],
    ids=range(11),
)  # fmt: skip
def test_words_of_jinja(tmp_path: Path, pages: dict[str, str], reads: list[str]) -> None:
    assert seen(tmp_path, {"blog/views.py": VIEW, **{f"blog/jinja2/{name}": text for name, text in pages.items()}}) == reads
