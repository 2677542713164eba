# ruff: noqa: E501 -- a template and what becomes of it stay on one line each
"""Jinja templates in the plain tree."""

from __future__ import annotations

import time
from collections import Counter

import jinja2
import pytest
from jinja2 import nodes

from querylint.syntax import tree
from querylint.syntax.templates import Page, read_jinja
from tree_text import expr, misplaced, shown

CASES = [
    (
        '{{ a.b[0]["c"].d(1, x=y)|f(z)|g }} {{ xs[1:] }} {{ xs[-1] }} {{ "a" "b" ~ c ~ 1 }}',
        "|g(|f(a.b[0].c.d(1, x=y), z)); xs[1::]; xs[(-1)]; ('ab' ~ c ~ 1);",
    ),
    (
        "{%- for k, v in d.items() if v.ok recursive -%}{{ loop.index }}{{ loop(v.kids) }}{% else %}none{% endfor %}",
        "for [k, v] in d.items() {if v.ok {loop.index; loop(v.kids);}} if <> {'none'}",
    ),
    (
        "{% if a is defined and b is not none or c is divisibleby 3 %}x{% elif not d in e %}y{% endif %}",
        "if ((?defined(a) && (!?none(b))) || ?divisibleby(c, 3)) {'x'} else {if (!(d in e)) {'y'}}",
    ),
    (
        "{{ a if b }}{{ a if b else c if d else e }}{{ not a.b == c }}{{ a < b <= c }}{{ -x.y|abs }}{{ 2 ** 3 * 4 + 1 }}",
        "(b ? a : undefined); (b ? a : (d ? c : e)); (!(a.b == c)); ((a < b) && (b <= c)); |abs((-x.y)); (((2 ** 3) * 4) + 1);",
    ),
    (
        "{% set x = 1 %}{% if a %}{% set x = 2 %}{% set y = a.b %}{% endif %}{{ y }}{% set a, b = c %}{% set ns.q = 1 %}",
        "let y = y; let x = 1; if a {do x = 2; do y = a.b;} y; let [a, b] = c; do ns.q = 1;",
    ),
    (
        "{% set body %}text {{ a }}{% endset %}{% set body | upper %}x{% endset %}{{ body }}",
        "{'text' a;} let body = <>; {'x'} let body = |upper(<>); body;",
    ),
    (
        "{% macro m(a, b=c.d) %}{{ a.x }}{{ caller(a) }}{% endmacro %}{% call(u) m(1) %}{{ u.n }}{% endcall %}{{ m(q) }}",
        "macro m(a, b = c.d, caller) {a.x; caller(a);} do m(1, caller=(u) {u.n;}); m(q);",
    ),
    (
        '{% from "m.html" import a as b, c with context %}{% import "n.html" as n without context %}{{ n.f(x) }}{{ b() }}',
        "n.f(x); b();",
    ),
    (
        '{% extends "base.html" if not x else y %}{% block t scoped %}{{ super() }}{{ self.o() }}{% endblock t %}{% block o %}{% endblock %}',
        "block t {|super(); |block('o');} block o {}",
    ),
    (
        '{% include "a.html" %}{% include ["a", "b"] ignore missing without context %}{% include name ignore missing %}',
        "do |include('a.html', {}); do |include(['a', 'b'], {}, only=True); do |include(name, {});",
    ),
    (
        "{% trans n=a.b, count=xs|length trimmed %}one {{ n }}{% pluralize %}many{% endtrans %}{% do xs.append(a.b) %}",
        "{let n = a.b; let count = |length(xs); 'one' n; 'many'} do xs.append(a.b);",
    ),
    (
        "{% with a=b.c, d=e %}{{ a }}{% endwith %}{% filter upper|x(y) %}{{ z }}{% endfilter %}{% autoescape true %}{{ q }}{% endautoescape %}",
        "{let a = b.c; let d = e; a;} {z; do |x(|upper(<>), y);} {q;}",
    ),
    (
        '{% raw %}{{ gone }}{% endraw %}{# {{ gone }} #}{{ {"a": b.c, "d": [1, (e, f)]} }}{{ () }}',
        "'{{ gone }}' {a: b.c, d: [1, [e, f]]}; [];",
    ),
    (
        '{% cache 60, "x" ~ y.z %}{{ a.b }}{% endcache %}{% csrf_token %}{% url "x" a.b as u %}{% component "c", p=a.b %}',
        "do %cache(60, ('x' ~ y.z)); {a.b;} let u = %url('x', a.b); do %component('c', p=a.b);",
    ),
    (
        '{{ user.projects|selectattr("publishers")|map(attribute="a.b")|list|length }} {{ xs|sort(attribute="n", reverse=true)|first }}',
        "|length(|list(|map(|selectattr(user.projects, 'publishers'), attribute='a.b'))); |first(|sort(xs, attribute='n', reverse=True));",
    ),
    (
        "{% for x in xs %}{% if x.a %}{% continue %}{% endif %}{% set seen = x %}{% endfor %}{{ é.ü }}{{ 1_000 }}",
        "for x in xs {if x.a {continue;} let seen = x;} é.ü; 1000;",
    ),
]


def page(text: str) -> Page:
    found = read_jinja("a.html", text.encode())
    assert misplaced(found, text.encode()) == []
    return found


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[c[0][:40] for c in CASES])
def test_what_a_template_becomes(text: str, expected: str) -> None:
    found = page(text)
    assert shown(found) == expected
    assert found.broken == []


@pytest.mark.parametrize("text", [c[0] for c in CASES], ids=[c[0][:40] for c in CASES])
def test_nothing_is_lost_that_jinja_itself_reads(text: str) -> None:
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"])
    try:
        read = environment.parse(text)
    except jinja2.TemplateSyntaxError:
        pytest.skip("needs an extension")
    wanted: Counter[str] = Counter()
    for node in read.find_all((nodes.Getattr, nodes.Filter, nodes.Test, nodes.For)):
        wanted[getattr(node, "attr", None) or getattr(node, "name", None) or "for"] += 1
    found = page(text)
    given: Counter[str] = Counter()
    for this in tree.walk([found.body, [b.body for b in found.blocks.values()], found.extends]):
        if isinstance(this, tree.Member):
            given[this.name] += 1
        elif isinstance(this, tree.Name) and this.id[:1] in ("|", "?"):
            given[this.id[1:]] += 1
        elif isinstance(this, tree.For):
            given["for"] += 1
    assert {name for name in wanted if name not in given} <= {"o"}  # `self.o()` is a call of a block


def test_imports_and_extends() -> None:
    found = page('{% extends base %}{% from "m.html" import a as b, c with context %}{% import "n.html" as n %}')
    assert [(i.local, i.source, i.name) for i in found.imports] == [("b", "m.html", "a"), ("c", "m.html", "c"), ("n", "n.html", "*")]
    assert found.extends is not None
    assert expr(found.extends) == "base"


def test_macros_at_the_top_can_be_imported() -> None:
    found = page("{% macro a(x) %}{{ x.b }}{% endmacro %}{% block c %}{% macro d() %}{% endmacro %}{% endblock %}")
    assert list(found.macros) == ["a"]


def test_offsets_count_bytes() -> None:
    text = "<p>é ü</p>\n{{- row.author.name | lower -}}"
    (_, last) = page(text).body
    assert isinstance(last, tree.Do)
    assert isinstance(last.value, tree.Template)
    assert text.encode()[last.value.parts[0].at : last.value.parts[0].end] == b"row.author.name | lower"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ a b.c }}{{ d }}", "<a, b.c>; d;"),
        ("{{ a ? b }}{{ d }}", "a; d;"),
        ("{% for x %}{{ x.y }}{% endfor %}{{ d }}", "do %for(x); {x.y;} d;"),
        ("{% for a in b %}{% if c %}x{% endfor %}{{ d }}", "for a in b {if c {'x'}} d;"),
        ("{% if a. %}{{ b }}{% endif %}{{ c }}", "do %if(a); {b;} c;"),
        ("{% endfor %}{{ c }}", "c;"),
        ("{{ a.b", "'{{ a.b'"),
        ("{% set a = %}{{ b }}", "do %set(a); b;"),
    ],
)
def test_mistakes_lose_only_themselves(text: str, expected: str) -> None:
    found = page(text)
    assert shown(found) == expected
    assert bool(found.broken) == (text != "{{ a.b")


@pytest.mark.parametrize(
    "text",
    [
        "{% if a %}" * 3000,
        "{% for a in b %}" * 3000 + "{{ b }}" + "{% endfor %}" * 3000,
        "{{" * 60000,
        "{{ ( }}" * 20000,
        "{{ [ " * 20000,
        "{% if a %}" + "{% elif b %}" * 3000 + "{% endif %}",
        "{% if " + "a and " * 1500 + "b %}{% endif %}",
        "{{ a" + ".b" * 2000 + " }}",
        "{{ a" + "|b" * 2000 + " }}",
        "{{ " + "(" * 2000 + "a" + ")" * 2000 + " }}",
        "{{ " + "a if b else " * 1000 + "c }}",
        "{{ " + "a ~ " * 2000 + "c }}",
        "{{ " + "a + " * 2000 + "c }}",
        "{{ " + "-" * 4000 + "c }}",
        "{% x " + "( " * 4000 + " %}",
        "{% for " + "(" * 2000 + "a" + ")" * 2000 + " in b %}{% endfor %}",
    ],
    ids=range(16),
)
def test_long_input_takes_little_time_and_depth(text: str) -> None:
    started = time.process_time()
    found = read_jinja("a.html", text.encode())
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
