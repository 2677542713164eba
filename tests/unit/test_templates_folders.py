"""Which file the name of a template stands for."""

from __future__ import annotations

from time import process_time

import pytest

from querylint.frontends.templates.folders import Templates
from querylint.syntax.templates import Dialect, dialect_of

FILES = {
    "templates/base.html": "{% block a %}{% endblock %}",
    "blog/views.py": "",
    "blog/templates/base.html": "{% block b %}{% endblock %}",
    "blog/templates/blog/index.html": "{% load x %}{% url 'x' %}",
    "blog/templates/blog/parts/row.html": "",
    "shop/views.py": "",
    "shop/jinja2/shop/index.html": "{{ a }}",
    "shop/jinja2/shop/parts/row.html": "",
    "site/pages/about.html": "",
    "pkg/admin/views/users.py": "",
    "pkg/admin/views/own.html": "",
    "pkg/admin/templates/admin/users.html": "{% set x = f(1) %}",
    "pkg/other/plain.html": "{{ neutral }}",
    "mail/templates/mail/note.txt": "{{ a|date:'Y' }}",
}


@pytest.fixture
def templates() -> Templates:
    return Templates(list(FILES), lambda path: FILES[path].encode() if path in FILES else None)


@pytest.mark.parametrize(
    ("name", "near", "path"),
    [
        ("blog/index.html", "blog/views.py", "blog/templates/blog/index.html"),
        ("base.html", "blog/views.py", "blog/templates/base.html"),
        ("base.html", "shop/views.py", "templates/base.html"),
        ("shop/index.html", "blog/views.py", "shop/jinja2/shop/index.html"),
        ("./parts/row.html", "blog/templates/blog/index.html", "blog/templates/blog/parts/row.html"),
        ("../index.html", "blog/templates/blog/parts/row.html", "blog/templates/blog/index.html"),
        ("pages/about.html", "blog/views.py", "site/pages/about.html"),
        ("pkg.admin:templates/admin/users.html", "pkg/admin/views/users.py", "pkg/admin/templates/admin/users.html"),
        ("admin/users.html", "pkg/admin/views/users.py", "pkg/admin/templates/admin/users.html"),
        ("own.html", "pkg/admin/views/users.py", "pkg/admin/views/own.html"),
        ("mail/note.txt", "blog/views.py", "mail/templates/mail/note.txt"),
        ("views.py", "blog/views.py", None),
        ("missing.html", "blog/views.py", None),
        ("../../../etc/passwd", "blog/views.py", None),
    ],
)
def test_names(templates: Templates, name: str, near: str, path: str | None) -> None:
    assert templates.find(name, near) == path


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("blog/templates/blog/index.html", Dialect.DJANGO),
        ("shop/jinja2/shop/index.html", Dialect.JINJA),
        ("pkg/admin/templates/admin/users.html", Dialect.JINJA),
        ("pkg/other/plain.html", Dialect.DJANGO),
        ("mail/templates/mail/note.txt", Dialect.DJANGO),
    ],
)
def test_languages(templates: Templates, path: str, dialect: Dialect) -> None:
    page = templates.page(path)
    assert page is not None
    assert page.dialect is dialect


@pytest.mark.parametrize("noise", [b"{", b"{%", b"{{a", b"{% if a", b"{% elif", b" ", b"| a"])
def test_the_language_of_noise_is_told_soon(noise: bytes) -> None:
    began = process_time()
    dialect_of("a.html", b"{% elif" + noise * 40_000)
    assert process_time() - began < 5


def test_a_file_that_is_not_there(templates: Templates) -> None:
    assert templates.page("nowhere.html") is None
