# long: one list of what each construct becomes
"""What each construct of TypeScript becomes in the plain tree, and that nothing makes the reader fail."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from querylint.rewrite.typescript.source import Source
from querylint.syntax import tree
from querylint.syntax.typescript import parse, parse_module

PLACES = ("at", "end", "name_at", "head_end")


def show(node: object) -> str:
    """A node on one line, without its places and without what has its default; names and constants as they are written."""
    if isinstance(node, list):
        return "[" + ", ".join(map(show, node)) + "]"
    if isinstance(node, tuple):
        return "(" + ", ".join(map(show, node)) + ")"
    if isinstance(node, tree.Name | tree.NamePattern):
        return f"{node.id}: {node.type}" if isinstance(node, tree.NamePattern) and node.type else node.id
    if isinstance(node, tree.Literal | tree.Do):
        return show(node.value)
    if isinstance(node, tree.LoopForm):
        return node.name
    if isinstance(node, Enum) or not is_dataclass(node):
        return repr(node)
    words: list[str] = []
    for part in fields(node):
        value = getattr(node, part.name)
        default = part.default_factory() if part.default_factory is not MISSING else part.default
        if part.name in PLACES or (value == default and type(value) is type(default)):
            continue
        words.append(show(value) if default is MISSING else f"{part.name}={show(value)}")
    return f"{type(node).__name__}({', '.join(words)})"


def module(source: str, path: str = "a.ts") -> tree.Module:
    return parse_module(path, source.encode())


def statements(source: str, path: str = "a.ts") -> str:
    return " ".join(show(statement) for statement in module(source, path).body)


def expression(source: str, path: str = "a.ts") -> str:
    (statement,) = module(f"({source});", path).body
    assert isinstance(statement, tree.Do)
    return show(statement.value)


@pytest.mark.parametrize(
    ("source", "lowered"),
    [
        ("a", "a"),
        ("this", "this"),
        ("null", "None"),
        ("undefined", "undefined"),
        ("[true, false]", "Array([True, False])"),
        ("1_000", "1000"),
        ("0xff", "255"),
        ("1.5e3", "1500"),
        ("1.5", "1.5"),
        ("10n", "10"),
        ("0b11", "3"),
        ("017", "15"),
        ("-1", "-1"),
        (r"'a\n\x41\u{1F600}\uD83D\uDE00\q'", "'a\\nA😀😀q'"),
        ("`a`", "'a'"),
        ("``", "''"),
        ("`a${b}c`", "Template(['a', b, 'c'])"),
        ("`${b}`", "Template([b])"),
        ("/x/g", "Opaque([])"),
        ("import.meta.url", "Member(Member(import, 'meta'), 'url')"),
        ("[a, , b]", "Array([a, undefined, b])"),
        ("[a, ...b,]", "Array([a, Spread(b)])"),
    ],
)
def test_a_constant_or_a_name_is_what_is_written(source: str, lowered: str) -> None:
    assert expression(source) == lowered


@pytest.mark.parametrize(
    ("source", "lowered"),
    [
        ("a.b", "Member(a, 'b')"),
        ("a?.b", "Member(a, 'b', optional=True)"),
        ("a!.b", "Member(a, 'b')"),
        ("a.#b", "Member(a, '#b')"),
        ("a['b']", "Member(a, 'b')"),
        ("a?.['b']", "Member(a, 'b', optional=True)"),
        ("a[0]", "Index(a, 0)"),
        ("a?.[b]", "Index(a, b)"),
        ("f(a, ...b)", "Call(f, [a, Spread(b)])"),
        ("f /* why */ (a /* this */, /* that */ b)", "Call(f, [a, b])"),
        ("f?.(a)", "Call(f, [a], optional=True)"),
        ("f<A,  B<C>>(a)", "Call(f, [a], types='A, B<C>')"),
        ("new F(a)", "Call(F, [a], new=True)"),
        ("new F", "Call(F, [], new=True)"),
        ("new a.F<B>()", "Call(Member(a, 'F'), [], new=True, types='B')"),
        ("t`a${b}`", "Call(t, ['a', b])"),
        ("import('x')", "Call(import, ['x'])"),
        ("(a as any).b", "Member(a, 'b')"),
        ("(a as B).b", "Member(Typed(a, 'B'), 'b')"),
        ("(await a).b()", "Call(Member(Await(a), 'b'), [])"),
        ("f<A>", "f"),
        (
            "a.b(c).d[e]().f",
            "Member(Call(Index(Member(Call(Member(a, 'b'), [c]), 'd'), e), []), 'f')",
        ),
    ],
)
def test_a_chain_is_read_link_by_link(source: str, lowered: str) -> None:
    assert expression(source) == lowered


@pytest.mark.parametrize(
    ("source", "lowered"),
    [
        ("a as any", "a"),
        ("a as const", "a"),
        ("a as unknown as Id<'b'>", "Typed(a, \"Id<'b'>\")"),
        ("a satisfies {\n  b: C\n}", "Typed(a, '{ b: C }')"),
        ("<B>a", "Typed(a, 'B')"),
        ("<any>a", "a"),
        ("a!", "a"),
        ("((a))", "a"),
        ("!a", "Op('!', [a])"),
        ("typeof a", "Op('typeof', [a])"),
        ("void 0", "Op('void', [0])"),
        ("delete a.b", "Op('delete', [Member(a, 'b')])"),
        ("a === b", "Op('===', [a, b])"),
        ("a instanceof B", "Op('instanceof', [a, B])"),
        ("#a in b", "Op('in', [#a, b])"),
        ("a + b + c", "Op('+', [a, b, c])"),
        ("a - b + c", "Op('+', [Op('-', [a, b]), c])"),
        ("a - (b - c)", "Op('-', [a, Op('-', [b, c])])"),
        ("a && b || c", "Logic('||', Logic('&&', a, b), c)"),
        ("a ?? b ?? c", "Logic('??', Logic('??', a, b), c)"),
        ("a ? b : c", "Ternary(a, b, c)"),
        ("a, b", "Op(',', [a, b])"),
        ("a = b", "Assign(a, b, '=')"),
        ("a.b ??= c", "Assign(Member(a, 'b'), c, '??=')"),
        ("a![0] += 1", "Assign(Index(a, 0), 1, '+=')"),
        ("(a as any).b = c", "Assign(Member(a, 'b'), c, '=')"),
        ("a++", "Assign(a, 1, '+=')"),
        ("--a.b", "Assign(Member(a, 'b'), 1, '-=')"),
        (
            "[a, b.c] = [b, a]",
            "Assign(ArrayPattern([(a, None), (Member(b, 'c'), None)], None), Array([b, a]), '=')",
        ),
    ],
)
def test_an_operator_keeps_its_sign_and_a_cast_its_type(source: str, lowered: str) -> None:
    assert expression(source) == lowered


@pytest.mark.parametrize(
    ("source", "lowered"),
    [
        ("{ a, b: 1, 'c-d': 2, 3: 4 }", "[('a', a), ('b', 1), ('c-d', 2), ('3', 4)]"),
        ("{ ...a, [b]: 1, ['c']: 2 }", "[(None, a), (b, 1), ('c', 2)]"),
        ("{ async a(b) {} }", "[('a', Fn('a', [Param(b)], [], is_async=True))]"),
        ("{ get a() {}, set a(b) {} }", "[('a', Fn('a', [], [], kind='get')), ('a', Fn('a', [Param(b)], [], kind='set'))]"),
        ("{ *a() {}, get() {} }", "[('a', Fn('a', [], [], generator=True)), ('get', Fn('get', [], []))]"),
    ],
)
def test_a_record_keeps_its_entries_in_order(source: str, lowered: str) -> None:
    assert expression(source) == f"Record({lowered})"


@pytest.mark.parametrize(
    ("source", "lowered"),
    [
        ("async (a, b) => c", "Fn('', [Param(a), Param(b)], [Return(c, implicit=True)], is_async=True)"),
        ("async => async", "Fn('', [Param(async)], [Return(async, implicit=True)])"),
        ("(a): B<C> => { }", "Fn('', [Param(a)], [], returns='B<C>')"),
        ("(a?: B) => {}", "Fn('', [Param(a: B, type='B', optional=True)], [])"),
        ("(this: A, a = 1) => {}", "Fn('', [Param(a, default=1)], [])"),
        ("(...a: B[]) => {}", "Fn('', [Param(a: B[], type='B[]', rest=True)], [])"),
        (
            "({ a, b: c = 1, ...d }: E) => {}",
            "Fn('', [Param(RecordPattern([('a', a, None), ('b', c, 1)], 'd', type='E'), type='E')], [])",
        ),
        ("function* a() { yield; yield* b }", "Fn('a', [], [Yield(None), Yield(b)], generator=True)"),
        ("async function* () {}", "Fn('', [], [], is_async=True, generator=True)"),
        ("function (a): a is B {}", "Fn('', [Param(a)], [], returns='a is B')"),
        ("class A extends f(B)<C> {}", "ClassDef('A', Call(f, [B]), [], [])"),
    ],
)
def test_a_function_keeps_its_parameters_and_what_kind_it_is(source: str, lowered: str) -> None:
    assert expression(source) == lowered


@pytest.mark.parametrize(
    ("source", "lowered"),
    [
        ("<a.B c='d' e={f} g {...h}/>", "Element(Member(a, 'B'), [('c', 'd'), ('e', f), ('g', True), (None, h)], [])"),
        ("<a>text {b} {/* none */}<c/><>{...d}</></a>", "Element(a, [], [b, Element(c, [], []), Element(None, [], [Spread(d)])])"),
        ("<A<B> c-d={<e/>}/>", "Element(A, [('c-d', Element(e, [], []))], [])"),
    ],
)  # fmt: skip
def test_an_element_is_a_call_of_its_tag(source: str, lowered: str) -> None:
    assert expression(source, "a.tsx") == lowered
    assert expression(source, "a.jsx") == lowered


@pytest.mark.parametrize(
    ("source", "lowered"),
    [
        ("const a: B = 1, c = 2, d", "Let(a: B, 1) Let(c, 2) Let(d, None)"),
        ("let [a, , b = 1, ...c] = d", "Let(ArrayPattern([(a, None), None, (b, 1)], c), d)"),
        ("var { a = 1, 'b': { c } }: D = e",
         "Let(RecordPattern([('a', a, 1), ('b', RecordPattern([('c', c, None)], None), None)], None, type='D'), e)"),
        ("using a = b()", "Let(a, Call(b, []))"),
        ("await using a = b()", "Let(a, Call(b, []))"),
        ("if (a) b; else if (c) { d } else e", "If(a, [b], [If(c, [d], [e])])"),
        ("for (const a of b) c", "For(OF, [c], pattern=a, over=b)"),
        ("for (a.b in c) {}", "For(IN, [], pattern=Member(a, 'b'), over=c)"),
        ("for await (const { a } of b) {}", "For(AWAIT_OF, [], pattern=RecordPattern([('a', a, None)], None), over=b)"),
        ("for (let a = 0; a < b; a++) {}", "For(COUNT, [], init=[Let(a, 0)], test=Op('<', [a, b]), update=Assign(a, 1, '+='))"),
        ("for (;;) {}", "For(COUNT, [])"),
        ("while (a) b", "For(WHILE, [b], test=a)"),
        ("do { a } while (b)", "For(DO, [a], test=b)"),
        ("a: for (;;) { continue a; break a; break }", "Block([For(COUNT, [Continue(label='a'), Break(label='a'), Break()])])"),
        ("switch (a) { case 1: case 2: b; break; default: c }", "Switch(a, [(1, []), (2, [b, Break()]), (None, [c])])"),
        ("try { a } catch (b: C) { d } finally { e }", "Try([a], b: C, [d], [e], True)"),
        ("try {} catch {}", "Try([], None, [], [], True)"),
        ("try {} finally { a }", "Try([], None, [], [a], False)"),
        ("throw a", "Throw(a)"),
        ("{ a }", "Block([a])"),
        ("with (a) { b }", "Block([a, b])"),
        ("'use node'; debugger;;", "'use node'"),
        ("function f(): void; function f() { return }", "FnDef(Fn('f', [], [Return(None)]))"),
        ("enum A { B, C = 5, D, E = 'e', F = g(), H }",
         "Let(A, Record([('B', 0), ('C', 5), ('D', 6), ('E', 'e'), ('F', Call(g, [])), ('H', Opaque([]))]))"),
        ("namespace A.B { export const c = 1; const d = 2; export function e() {} }",
         "Let(A, Record([('B', Record([('c', 1), ('e', Fn('e', [], []))]))]))"),
        ("import A = B.C", "Let(A, Member(B, 'C'))"),
        ("declare const a: B; declare function f(): void; declare module 'x' { const b: C } declare enum D { E }", ""),
    ],
)  # fmt: skip
def test_a_statement_keeps_its_parts(source: str, lowered: str) -> None:
    assert statements(source) == lowered


def test_a_class_has_methods_and_fields() -> None:
    source = """@a class B<T> extends c.D<T> implements E {
        @f() readonly g: string = 'g'; static h = () => 1; #i?: number; declare j: K; ['l'] = 2; [m: string]: any;
        constructor(private readonly ctx: Ctx, n: O) { super() }
        abstract p(): void; q(): void; @r async q(@s t) {}
        static async *u() {}
        get v() {} set v(w) {}
        static { x() }
    }"""
    (found,) = module(source).body
    assert isinstance(found, tree.ClassDef)
    assert (found.name, show(found.base), show(found.decorators)) == ("B", "Member(c, 'D')", "[a]")
    assert [(name, kind, show(value)) for name, kind, value in found.fields] == [
        ("g", "string", "'g'"),
        ("h", "", "Fn('', [], [Return(1, implicit=True)])"),
        ("#i", "number", "None"),
        ("j", "K", "None"),
        ("l", "", "2"),
        ("ctx", "Ctx", "None"),
    ]
    assert [show(method) for method in found.methods] == [
        "Fn('constructor', [Param(ctx: Ctx, type='Ctx'), Param(n: O, type='O')], [Call(super, [])], kind='constructor')",
        "Fn('q', [Param(t)], [], is_async=True, decorators=[r])",
        "Fn('u', [], [], is_async=True, generator=True, static=True)",
        "Fn('v', [], [], kind='get')",
        "Fn('v', [Param(w)], [], kind='set')",
        "Fn('', [], [Call(x, [])], static=True)",
    ]


@pytest.mark.parametrize(
    ("source", "imports"),
    [
        ("import d, { a as b, type C } from 'x'", [("d", "x", "default", False), ("b", "x", "a", False), ("C", "x", "C", True)]),
        ("import * as n from 'x'", [("n", "x", "*", False)]),
        ("import type { A } from './x'", [("A", "./x", "A", True)]),
        ("import { default as d, 'a-b' as b } from 'x'", [("d", "x", "default", False), ("b", "x", "a-b", False)]),
        ("import a from 'x' with { type: 'json' }", [("a", "x", "default", False)]),
        ("import 'x'", []),
        ("import a = require('x')", [("a", "x", "*", False)]),
        ("const a = require('x')", [("a", "x", "*", False)]),
        ("const { a: b, c } = require('x')", [("b", "x", "a", False), ("c", "x", "c", False)]),
        ("const a = require('x').b", [("a", "x", "b", False)]),
        ("function f() { const a = require('x') }", []),
    ],
)
def test_an_import_binds_a_name(source: str, imports: list[tuple[str, str, str, bool]]) -> None:
    assert [(found.local, found.source, found.name, found.type_only) for found in module(source).imports] == imports


@pytest.mark.parametrize(
    ("source", "exports", "body"),
    [
        ("export const a = 1, { b, c: [d] } = e", [("a", "a", None), ("b", "b", None), ("d", "d", None)], ["Let", "Let"]),
        ("export async function a() {}", [("a", "a", None)], ["FnDef"]),
        ("export abstract class A {}", [("A", "A", None)], ["ClassDef"]),
        ("@a export class B {}", [("B", "B", None)], ["ClassDef"]),
        ("export const enum A { B }", [("A", "A", None)], ["Let"]),
        ("export namespace A { export const b = 1 }", [("A", "A", None)], ["Let"]),
        ("export { a as b, type C, d as default }", [("b", "a", None), ("C", "C", None), ("default", "d", None)], []),
        ("export { a, default as b } from 'x'", [("a", "a", "x"), ("b", "default", "x")], []),
        ("export * from 'x'", [("*", "*", "x")], []),
        ("export type * from 'x'", [("*", "*", "x")], []),
        ("export * as a from 'x'", [("a", "*", "x")], []),
        ("export default a(b)", [("default", "default", None)], ["Let"]),
        ("export default function a() {}", [("default", "a", None)], ["FnDef"]),
        ("export default async () => {}", [("default", "default", None)], ["Let"]),
        ("export default class A {}", [("default", "A", None)], ["ClassDef"]),
        ("export default class {}", [("default", "default", None)], ["Let"]),
        ("export = a", [("default", "default", None)], ["Let"]),
        ("export interface A {}", [("A", "A", None)], []),
        ("export declare const a: B", [], []),
        ("exports.a = b", [("a", "b", None)], []),
        ("module.exports.a = b()", [("a", "exports.a", None)], ["Let"]),
        ("module.exports = { a, b: c, d() {}, ...require('x') }",
         [("a", "a", None), ("b", "c", None), ("d", "exports.d", None), ("*", "*", "x")], ["Let"]),
        ("module.exports = a", [("default", "default", None)], ["Let"]),
        ("function f() { exports.a = b }", [], ["FnDef"]),
    ],
)  # fmt: skip
def test_an_export_exposes_a_name(source: str, exports: list[tuple[str, str, str | None]], body: list[str]) -> None:
    found = module(source)
    assert [(export.name, export.local, export.source) for export in found.exports] == exports
    assert [type(statement).__name__ for statement in found.body] == body


def test_a_default_export_binds_the_name_default() -> None:
    assert statements("export default a(b)") == "Let(default, Call(a, [b]))"


def test_types_are_kept_as_text() -> None:
    source = "export type A<T> = {\n  a: T;\n};\ninterface B extends C, D<E> { b: string }\n"
    source += "declare interface F { }\nfunction f() { type A = 1; type G = 2 }"
    assert module(source).types == {"A": "{ a: T; }", "B": "C & D<E> & { b: string }", "F": "{ }", "G": "2"}


def test_the_suffix_picks_the_dialect() -> None:
    assert expression("<A>b", "a.mts") == expression("<A>b", "a.cts") == "Typed(b, 'A')"
    for suffix in ("tsx", "jsx", "js", "mjs", "cjs"):
        assert expression("<A/>", f"a.{suffix}") == "Element(A, [], [])"


def test_offsets_count_the_bytes_given() -> None:
    source = "\ufeffconst ä = 'ü' +\r\n  b.ç;".encode()
    found = parse_module("a.ts", source)
    for name, at, end in [(node.id, node.at, node.end) for node in walk(found) if isinstance(node, tree.Name | tree.NamePattern)]:
        assert source[at:end].decode() == name
    (member,) = [node for node in walk(found) if isinstance(node, tree.Member)]
    assert (source[member.at : member.end].decode(), source[member.name_at : member.end].decode()) == ("b.ç", "ç")


def test_a_loop_knows_where_its_body_starts() -> None:
    for source in ("for (const a of b) { c }", "while (a) { c }", "for (;;) { c }"):
        (loop,) = module(source).body
        assert isinstance(loop, tree.For)
        assert source[loop.head_end :] == "{ c }"


@pytest.mark.parametrize(
    ("source", "lowered"),
    [
        ("f(); function g() { h(; }\ni()", ["f", "g", "h", "i"]),
        ("const x = ;\nf()", ["x", "f"]),
        ("export const a = query({ handler: async (ctx) => { f(); await g(h)", ["f", "g", "h"]),
        ("<<<<<<< ours\nf()\n=======\ng()\n>>>>>>> theirs\n", ["f", "g"]),
        ("class A { a() { f() } b( { g(1) } }", ["a", "f"]),
        ("f({ a: 1, b })) ; g()", ["f", "b", "g"]),
        ("ctx.db.\nconst y = f()", ["ctx", "f"]),
    ],
)
def test_what_surrounds_a_mistake_is_still_read(source: str, lowered: list[str]) -> None:
    found = module(source)
    assert found.broken
    assert all(0 <= at <= end <= len(source) for at, end in found.broken)
    names = {node.id for node in walk(found) if isinstance(node, tree.Name | tree.NamePattern)}
    names |= {node.name for node in walk(found) if isinstance(node, tree.Fn)}
    assert names >= set(lowered)


def test_sound_code_is_not_broken() -> None:
    assert module("const a = <T,>(b: T) => b satisfies unknown; using c = d;").broken == []


@pytest.mark.parametrize(
    "text",
    [
        "Terms & Conditions",
        "R&D & more",
        "{one} & {two}",
        "a && b",
        "tea & <b>milk</b>",
        "&amp; &",
        "(m&sup2;)",
        "&frac12; &amp; &#178; more",
        "& first\n  & second & third of them",
    ],
)
def test_an_ampersand_in_the_text_of_an_element_is_text(text: str) -> None:
    found = parse_module("a.tsx", f"const a = <p>{text}</p>;\nconst b = <>{text}</>;\n".encode())
    assert found.broken == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('const a: import("./types").Id<"users">[] = b;', {"a", "b"}),
        ("async function a(): Promise<import('./types').Doc<'users'> | null> { return b; }", {"a", "b"}),
        ('const a = await load<typeof import("./types")>();', {"a", "load"}),
        ("for (let a = 0; a < unique.length - 1; a++) { load(unique[a]); }", {"unique", "load"}),
        ("type B = Map<unique symbol, string>; while (a <\nabstract) { load(a < infer[0]); }", {"abstract", "infer", "load"}),
        ('const a = lazy<import(\n"./types",\n).Props>(() => import("./other").then((m) => m.One));', {"a", "lazy", "m"}),
        ('const a = "\0"; const b = 1;', {"a", "b"}),
        ("const a = <img src=\"https://a.b/c?d=1&e=2&f=3\" alt='one & two' />; const b = 1;", {"a", "b"}),
    ],
)
def test_sound_code_that_the_grammar_cannot_read(source: str, names: set[str]) -> None:
    found = parse_module("a.tsx", source.encode())
    assert found.broken == []
    assert {node.id for node in walk(found) if isinstance(node, tree.Name | tree.NamePattern)} >= names - {"a"}


def test_a_cast_to_a_type_of_another_module_keeps_what_the_type_is_given() -> None:
    (statement,) = module("a(b.key as import('./types').Id<\"users\">, (c as D)<E>);").body
    assert isinstance(statement, tree.Do)
    assert isinstance(statement.value, tree.Call)
    first, second = statement.value.args
    assert isinstance(first, tree.Typed)
    assert first.type == "import('./types').Id<\"users\">"
    assert isinstance(second, tree.Typed)
    assert second.type == "D"


def test_types_of_other_modules_keep_their_text() -> None:
    found = module('type Row = import("./types").Doc<"users">;\nconst a: import("./types").Id<"users"> = b;')
    assert found.types["Row"] == 'import("./types").Doc<"users">'


def test_values_of_other_modules_stay_calls() -> None:
    found = module('const a = import("./other").then((m) => m.one); const b: import("./types").Id<"c"> = d;')
    assert any(isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name == "then" for node in walk(found))
    assert not any(isinstance(node, tree.Name) and set(node.id) == {"_"} for node in walk(found))


def test_what_is_broken_beside_an_ampersand_is_said() -> None:
    assert parse_module("a.tsx", b"const a = <p>one & {two +}</p>;\n").broken


LONG = {
    "nothing": "",
    "brackets": "x=" + "[" * 10_000 + "a" + "]" * 10_000,
    "parentheses": "x=" + "(" * 10_000 + "a" + ")" * 10_000,
    "open brackets": "[" * 10_000,
    "open braces": "{" * 10_000,
    "closing brackets": ")]}" * 3_000,
    "calls in calls": "f(" * 10_000 + ")" * 10_000,
    "sum": "x=" + "+".join(["a"] * 5_000),
    "mixed sum": "x=" + "+b-".join(["a"] * 5_000),
    "and": "x=" + "&&".join(["a"] * 5_000),
    "and or": "x=" + "&&b||".join(["a"] * 5_000),
    "else if": "if(a){b()}" + "else if(a){b()}" * 10_000,
    "methods": "x" + ".a(b)" * 5_000,
    "optional methods": "x" + "?.a?.(b)" * 2_500,
    "casts in chains": "x=" + "(" * 3_000 + "a" + " as A).b" * 3_000,
    "arguments": "f(" + ",".join(["a"] * 10_000) + ")",
    "ternaries": "x=" + "a?b:" * 10_000 + "c",
    "nots": "x=" + "!" * 10_000 + "a",
    "arrows": "x=" + "a=>" * 5_000 + "b",
    "defaults": "x=" + "(a=" * 3_000 + "b" + ")=>c" * 3_000,
    "functions": "function f(){" * 5_000 + "}" * 5_000,
    "classes": "class A{m(){" * 3_000 + "}}" * 3_000,
    "namespaces": "namespace A{" * 3_000 + "}" * 3_000,
    "dotted namespace": "namespace " + ".".join(["A"] * 3_000) + "{}",
    "templates": "x=" + "f`${" * 3_000 + "a" + "}`" * 3_000,
    "record patterns": "var " + "{a:" * 5_000 + "b" + "}" * 5_000 + "=x",
    "elements": "x=" + "<a>" * 3_000 + "</a>" * 3_000,
    "attributes": "x=" + "<a b={" * 3_000 + "c" + "}/>" * 3_000,
    "ifs": "if(a)" * 10_000 + "b",
    "switches": "switch(a){case 1:" * 5_000 + "}" * 5_000,
    "tries": "try{" * 5_000 + "}catch(e){}" * 5_000,
    "labels": "".join(f"l{number}:" for number in range(5_000)) + "b",
    "assignments": "a=" * 10_000 + "b",
    "types": "type A=" + "B<" * 5_000 + "C" + ">" * 5_000,
    "decorators": "@a(" * 3_000 + ")" * 3_000 + "class A{}",
}


@pytest.mark.parametrize("suffix", ["ts", "tsx"])
@pytest.mark.parametrize("name", LONG)
def test_depth_and_length_cost_no_stack_and_little_time(name: str, suffix: str) -> None:
    begin = time.process_time()
    found = module(LONG[name], f"a.{suffix}")
    assert time.process_time() - begin < 5
    assert height(found) < 400


def test_the_reader_leaves_stack_to_its_caller() -> None:
    script = "import sys; sys.setrecursionlimit(700); from querylint.syntax.typescript import parse_module; import test_typescript as t\n"
    script += "for s in t.LONG.values(): parse_module('a.ts', s.encode()); parse_module('a.tsx', s.encode())"
    run_apart(script)


def test_nothing_is_lost_by_flattening() -> None:
    for source in ("x=" + "&&".join(f"f{n}()" for n in range(500)), "x" + "".join(f".a(f{n}())" for n in range(500))):
        called = {node.func.id for node in walk(module(source)) if isinstance(node, tree.Call) and isinstance(node.func, tree.Name)}
        assert called == {f"f{n}" for n in range(500)}
    ladder = module("if(a){f0()}" + "".join(f"else if(g{n}){{f{n}()}}" for n in range(1, 500)) + "else{f500()}")
    assert {node.func.id for node in walk(ladder) if isinstance(node, tree.Call) and isinstance(node.func, tree.Name)} == {
        f"f{n}" for n in range(501)
    }


def test_bytes_that_are_no_text_are_read_all_the_same() -> None:
    found = parse_module("a.ts", b"\xff\xfe const a\xff = '\xff\x00'; f(\xe4)\r\n")
    assert any(isinstance(node, tree.Call) for node in walk(found))


def test_loading_the_grammar_imports_no_resources() -> None:
    run_apart(
        "import sys; from querylint.syntax.typescript import parse_module; parse_module('a.ts', b'a'); parse_module('a.tsx', b'a');"
        "assert 'importlib.resources' not in sys.modules and 'tree_sitter_typescript' not in sys.modules"
    )


def test_the_ordinary_import_serves_where_the_direct_one_cannot() -> None:
    run_apart(
        "from querylint.syntax.typescript import grammar, parse_module; grammar.EXTENSION_SUFFIXES = [];"
        "assert len(parse_module('a.ts', b'a; b').body) == 2 and 'tree_sitter_typescript' in sys.modules"
    )


def test_a_node_starts_with_its_parentheses() -> None:
    for source in ("(a) && (b)", "(a) + (b)", "(a) ? b : (c)", "(a).b", "(a)()", "(a)[0]"):
        (statement,) = module(source).body
        assert isinstance(statement, tree.Do)
        assert (statement.value.at, statement.value.end) == (0, len(source))


def run_apart(script: str) -> None:
    folders = [str(Path(tree.__file__).parents[2]), str(Path(__file__).parent)]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {folders!r}; {script}"], check=True, timeout=120)


SHAPES = [
    """import { query } from "./_generated/server";
export const list = query({ args: { id: v.id("a") }, handler: async (ctx, { id, ...rest }: Args): Promise<Doc<"a">[]> => {
  for (const x of await ctx.db.query("a").withIndex("by_b", (q) => q.eq("b", id).gt("c", 1)).collect()) {
    if (!x) continue; else if (x.y) await ctx.db.patch(x._id, { n: x.n + 1, [x.k]: `a${x.v}b` });
  }
  return (await Promise.all(ids.map(async (id) => ctx.db.get(id as Id<"a">))))!.filter(Boolean);
} });
""",
    """export class Loader<T extends Base> extends f(Base)<T> { @dec() private x?: Map<string, T> = new Map();
  constructor(private db: Db, public readonly n = 1) { super(); } static async *all<U>(this: U, ...a: U[]) { yield* a; }
  get y() { try { return this.#z?.[0]?.(1) ?? null } catch { throw new Error(`${1}`) } finally { done: for (;;) break done } } }
enum E { A, B = "b" } namespace N { export const c = 1 } export = N; declare module "m" { }
switch (a) { case 1: do { i++ } while (i < 3 && j-- || k); default: var [p, , q = 1] = r, { s: { t } } = u as const }
""",
    """const App = ({ items = [] }) => <Foo.Bar a="b" {...rest} c={d => <>{items.map((i) => <li key={i.id}>{i.name}</li>)}</>}>
  text {/* note */} &amp; {cond ? <A/> : null}</Foo.Bar>;
module.exports = { App, other: require("x").y, async z() { await using k = open(); delete a.b, void 0; } };
""",
]
PIECES = st.sampled_from(
    ["(", ")", "{", "}", "[", "]", "`", '"', "'", "${", "=>", "await ", "<", ">", "/*", "\\", "\0", "é", "\r\n", "as ", "?.", "..."]
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_mutilation_makes_the_reader_fail(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(SHAPES))
    for _ in range(data.draw(st.integers(0, 6))):
        begin = data.draw(st.integers(0, len(source)))
        end = min(len(source), begin + data.draw(st.integers(0, 30)))
        source = source[:begin] + data.draw(st.one_of(st.just(""), PIECES, st.just(source[begin:end] * 2))) + source[end:]
    check(source[: data.draw(st.integers(0, len(source)))], data.draw(st.sampled_from(["a.ts", "a.tsx"])))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=40).map(lambda pieces: "a".join(pieces).encode())))
def test_no_noise_makes_the_reader_fail(source: bytes) -> None:
    parse_module("a.ts", source)
    parse_module("a.tsx", source)


@pytest.mark.parametrize("source", SHAPES)
def test_real_shapes_have_sound_offsets(source: str) -> None:
    check(source, "a.tsx")


def check(text: str, path: str) -> None:
    """Read it, and see that every node lies within the source and every name is what stands there."""
    source = text.encode()
    found = parse_module(path, source)
    for node in walk(found):
        if hasattr(node, "end"):
            assert 0 <= node.at <= node.end <= len(source)
        if isinstance(node, tree.Name):
            assert source[node.at : node.end].decode() == node.id
        if isinstance(node, tree.Member):
            assert node.at <= node.name_at <= node.end


def walk(node: Any) -> Iterator[Any]:
    """Every node of a tree."""
    return (found for found, _ in _levels(node))


def height(node: Any) -> int:
    """How many nodes lie one within another."""
    return max(level for _, level in _levels(node))


def _levels(node: Any) -> Iterator[tuple[Any, int]]:
    waiting = [(node, 0)]
    while waiting:
        node, level = waiting.pop()
        if isinstance(node, list | tuple | dict):
            waiting += [(part, level) for part in node]
        elif is_dataclass(node):
            yield node, level
            waiting += [(getattr(node, part.name), level + 1) for part in fields(node)]


def test_a_file_that_takes_too_long_is_read_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    source = b"export const a = 1;\n" * 20_000
    assert parse_module("a.ts", source).unread is None
    monkeypatch.setattr(parse, "SECONDS", 0)
    monkeypatch.setattr(parse, "SECONDS_A_BYTE", 0)
    module = parse_module("a.ts", source)
    assert module.unread is not None
    assert 0 < len(module.body) < 20_000
    assert all(statement.end <= module.unread for statement in module.body)
    assert parse_module("a.ts", source[:50_000]).unread is None, "what is short is read whole"


def test_a_file_that_does_not_come_to_an_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECONDS", "SECONDS_A_BYTE", "ENDING"):
        monkeypatch.setattr(parse, name, 0)
    module = parse_module("a.ts", b"export const a = 1;\n" * 20_000)
    assert (module.unread, module.body) == (0, [])
    monkeypatch.undo()
    assert parse_module("a.ts", b"export const a = 1;").body, "the next file is read"


class Interruption(BaseException):
    """What ends a run from outside, as the language server does."""


def test_a_parser_that_was_interrupted_begins_the_next_file_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> float:
        if next(calls) > 3:
            raise Interruption
        return 0.0

    calls = count()
    monkeypatch.setattr(parse.time, "process_time", interrupted)
    with pytest.raises(Interruption):
        parse_module("a.ts", b"export const a = 1;\n" * 20_000)
    monkeypatch.undo()
    module = parse_module("a.ts", b'import { b } from "./b";\n')
    assert ([imported.source for imported in module.imports], module.body) == (["./b"], [])


def test_a_file_that_takes_too_long_is_not_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"export const a = 1;\n" * 20_000
    assert Source("a.ts", data).at(13, 14) is not None
    for name in ("SECONDS", "SECONDS_A_BYTE"):
        monkeypatch.setattr(parse, name, 0)
    assert Source("a.ts", data).at(13, 14) is None


def test_a_repair_that_takes_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    source = b'type A = import("b").C;\nlet x = 1 +\0 1;\n'
    cuts = iter((None, 1))
    read = parse.syntax_tree
    assert parse_module("a.ts", source).broken == []
    monkeypatch.setattr(parse, "syntax_tree", lambda parser, text: (read(parser, text)[0], next(cuts, 1)))
    assert parse_module("a.ts", source).broken


def test_what_is_looked_for_is_found_in_the_order_of_a_walk() -> None:
    source = b"const f = (a = g(1), { b: c = h() }) => { x.y = `${i(a)}`; for (const k of l([m()])) { new N(`t`, k); } };"
    module = parse_module("a.ts", source)
    for kinds in ((tree.Call,), (tree.Name, tree.Literal), (tree.Fn, tree.Assign, tree.For)):
        assert tree.find(module.body, *kinds) == [node for node in tree.walk(module.body) if isinstance(node, kinds)]
