# ruff: noqa: E501 -- a template and what becomes of it stay on one line each
"""Django templates in the plain tree."""

from __future__ import annotations

import time

import pytest

from querylint.syntax import tree
from querylint.syntax.templates import Page, read_django
from tree_text import expr, misplaced, shown

CASES = [
    (
        '{{ a.b.0.c|filter:arg|default:"x" }}',
        "|default(|filter(a.b[0].c, arg), 'x');",
    ),
    (
        "{% for a, b in xs.items reversed %}{{ forloop.counter }}{{ a }}{% empty %}none{% endfor %}",
        "for [a, b] in |reversed(xs.items) {forloop.counter; a;} if <> {'none'}",
    ),
    (
        '{% if not a and b.c == "x" or d in e and not f %}1{% elif x not in y %}2{% else %}3{% endif %}',
        "if (((!a) && (b.c == 'x')) || ((d in e) && (!f))) {'1'} else {if (!(x in y)) {'2'} else {'3'}}",
    ),
    (
        "{% if not a == b %}x{% endif %}{% if a is not None and b >= 1.5 %}y{% endif %}",
        "if (!(a == b)) {'x'} if ((a !== None) && (b >= 1.5)) {'y'}",
    ),
    (
        "{% with a=b.c|length d=e %}{{ a }}{% endwith %}{% with b.c as q %}{{ q }}{% endwith %}",
        "{let a = |length(b.c); let d = e; a;} {let q = b.c; q;}",
    ),
    (
        '{% include "x.html" with a=b.c d="e" only %}{% include name %}',
        "do |include('x.html', {a: b.c, d: 'e'}, only=True); do |include(name, {});",
    ),
    (
        '{% extends "base.html" %}{% load i18n x from y %}{% block t %}{{ block.super }}{% block in %}i{% endblock in %}{% endblock %}',
        "block t {|super(); block in {'i'}}",
    ),
    (
        "{% regroup rows by author.name|lower as groups %}{% for g in groups %}{{ g.grouper }}{% for r in g.list %}{{ r }}{% endfor %}{% endfor %}",
        "let groups = |regroup(rows, () {return |lower(.author.name);}); for g in groups {g.grouper; for r in g.list {r;}}",
    ),
    (
        '{% cycle "a" b %}{% firstof a.b c "z" as q %}{% url "n" a.pk x=b.c as u %}{% trans "hello" as h %}',
        "do %cycle('a', b); let q = ((a.b || c) || 'z'); let u = %url('n', a.pk, x=b.c); let h = %trans('hello');",
    ),
    (
        "{% blocktrans with n=a.b trimmed count c=x|length %}one {{ n }}{% plural %}many{% endblocktrans %}",
        "{let n = a.b; let c = |length(x); 'one' n; 'many'}",
    ),
    (
        '{% comment "why" %}{{ gone }}{% endcomment %}{# {{ gone }} #}{% verbatim %}{{ gone }}{% endverbatim %}{{ here }}',
        "here;",
    ),
    (
        "{% cache 500 side u.id %}{{ a.b }}{% endcache %}{% ifchanged a.b %}{{ c }}{% else %}d{% endifchanged %}",
        "if <500, side, u.id> {a.b;} if <a.b> {c;} else {'d'}",
    ),
    (
        '{% mytag a.b "x" k=c.d as r %}{% thing obj.id %}{{ a }}{% else %}{{ b }}{% endthing %}{% single x %}{% csrf_token %}',
        "let r = %mytag(a.b, 'x', k=c.d); do %thing(obj.id); {a; b;} do %single(x);",
    ),
    (
        "{% ifequal a b.c %}x{% endifequal %}{% autoescape off %}{{ a.b|safe }}{% endautoescape %}",
        "if (a == b.c) {'x'} do %autoescape(off); {|safe(a.b);}",
    ),
]


def page(text: str) -> Page:
    found = read_django("a.html", text.encode())
    assert misplaced(found, text.encode()) == []
    return found


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[c[0][:40] for c in CASES])
def test_what_a_template_becomes(text: str, expected: str) -> None:
    found = page(text)
    assert shown(found) == expected
    assert found.broken == []


def test_extends_and_libraries() -> None:
    found = page('{% extends "base.html" %}{% load i18n x %}{% load a b from lib %}')
    assert found.extends is not None
    assert expr(found.extends) == "'base.html'"
    assert found.libraries == ["i18n", "x", "lib"]


def test_offsets_count_bytes() -> None:
    text = "<p>é ü</p>\n{{ row.author.name|lower }}"
    found = page(text)
    (_, last) = found.body
    assert isinstance(last, tree.Do)
    assert isinstance(last.value, tree.Template)
    assert text.encode()[last.value.parts[0].at : last.value.parts[0].end] == b"row.author.name|lower"


def test_a_loop_spans_its_tag() -> None:
    text = "{% for row in rows %}{{ row.name }}{% endfor %}"
    (loop,) = page(text).body
    assert isinstance(loop, tree.For)
    assert text[loop.at : loop.head_end] == "{% for row in rows %}"
    assert text[loop.at : loop.end] == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% for a in b %}{% if c %}x{% endfor %}{{ d }}", "for a in b {if c {'x'}} d;"),
        ("{% endif %}{{ a }}", "do %endif(); a;"),
        ("{% for a %}{{ a.b }}{% endfor %}{{ c }}", "for  in <> {a.b;} c;"),
        ("{{ a.b:c }}{{ d }}", "d;"),
        ("{% if %}{{ a }}{% endif %}", "if <> {a;}"),
        ("{% if a and %}{{ b }}{% endif %}", "if (a && <>) {b;}"),
        ("{% block a %}x{% endblock %}{% block a %}{{ y }}{% endblock %}", "block a {'x'} {y;}"),
        ("{% with a=b.c %}{{ a }}", "{let a = b.c; a;}"),
    ],
)
def test_mistakes_lose_only_themselves(text: str, expected: str) -> None:
    found = page(text)
    assert shown(found) == expected
    assert found.broken


def test_text_that_is_no_template() -> None:
    assert shown(page("a { b {{ c\n}} {%\n%} }")) == repr("a { b {{ c }} {% %} }")


@pytest.mark.parametrize(
    "text",
    [
        "{% if a %}" * 3000,
        "{% if a %}" * 3000 + "{{ b }}" + "{% endif %}" * 3000,
        "{{" * 60000,
        "{% " * 60000,
        "{% if a %}" + "{% elif b %}" * 3000 + "{% endif %}",
        "{% if " + "a and " * 3000 + "b %}{% endif %}",
        "{{ a" + ".b" * 3000 + " }}",
        "{{ a" + "|b" * 3000 + " }}",
        "{% x %}" * 20000 + "{% endx %}" * 20000,
        "{% x " + "'" * 20000 + " %}",
        "{% if not " + "not " * 5000 + "a %}{% endif %}",
    ],
    ids=range(11),
)
def test_long_input_takes_little_time_and_depth(text: str) -> None:
    started = time.process_time()
    found = read_django("a.html", text.encode())
    assert time.process_time() - started < 3
    assert depth(found.body) < 250


def depth(root: object) -> int:
    """How deep nodes lie in one another."""
    deepest = 0
    stack: list[tuple[object, int]] = [(root, 0)]
    while stack:
        this, level = stack.pop()
        deepest = max(deepest, level)
        if isinstance(this, list | tuple):
            stack.extend((part, level) for part in this)
        elif hasattr(this, "__slots__") and not isinstance(this, str):
            stack.extend((getattr(this, slot), level + 1) for slot in this.__slots__)
    return deepest
