"""Expressions to constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laid import lay
from querylint import engine, settings
from querylint.discover import Scope
from querylint.frontends.modules import UNKNOWN, Modules
from querylint.ir import Call, TargetKind
from querylint.syntax import tree

if TYPE_CHECKING:
    from pathlib import Path


def constant(source: str, **others: str) -> object:
    files = {"a.ts": source, **{f"{path}.ts": text for path, text in others.items()}}
    project = Modules(files, lambda path: files[path].encode() if path in files else None)
    return project.constant("a.ts", tree.Name("x", 0, 0))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"a"', "a"),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("undefined", tree.UNDEFINED),
        ('["a", "b"] as const', ["a", "b"]),
        ("{ a: 1, 'b': [2] } as const", {"a": 1, "b": [2]}),
        ("{ [`k${1}`]: 2 }", {"k1": 2}),
        ("`by_${`a` + 1}`", "by_a1"),
        ('"a" + "b"', "ab"),
        ("24 * 60 * 60", 86_400),
        ("7 / 2", 3.5),
        ("-1", -1),
        ("[...[1, 2], 3]", [1, 2, 3]),
        ("{ ...{ a: 1, b: 2 }, b: 3 }", {"a": 1, "b": 3}),
        ("{ a: { b: 4 } }.a.b", 4),
        ('{ a: 5 }["a"]', 5),
        ("[6, 7][1]", 7),
        ("[1, 2].length", 2),
        ("true ? 1 : 2", 1),
        ("null ?? 3", 3),
        ('["a", "b"].map((n) => `by_${n}`)', ["by_a", "by_b"]),
        ("Object.freeze({ a: 1 })", {"a": 1}),
        ("Object.keys({ a: 1, b: 2 })", ["a", "b"]),
        ('Object.fromEntries(["a"].map((n) => [n, 1]))', {"a": 1}),
        ("((n) => n + 1)(1)", 2),
        ('"a" satisfies string', "a"),
    ],
)
def test_a_constant_has_its_value(written: str, value: object) -> None:
    found = constant(f"export const x = {written}")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "written",
    ["f()", "[...f()]", "{ ...f() }", "`${f()}`", "cond ? 1 : 2", "process.env.X", "f() + 1", "async () => 1", "y", "1 / 0", "new Map()"],
)
def test_anything_else_is_unknown(written: str) -> None:
    assert constant(f"export const x = {written}") is UNKNOWN


def test_a_member_after_an_unknown_spread_is_known() -> None:
    assert constant("const r = { a: 0, ...f(), b: 1 }; const x = r.b") == 1


def test_parts_of_a_list_may_be_unknown() -> None:
    assert constant("const x = [1, f()]") == [1, UNKNOWN]


def test_constants_cross_modules() -> None:
    assert (
        constant(
            'import { SIZE } from "./m"; const x = SIZE * 2',
            m='import * as n from "./n"; export const SIZE = n.deep.size',
            n="export const deep = { size: 8 }",
        )
        == 16
    )


def test_a_member_of_an_enum_is_a_constant() -> None:
    assert constant('enum Kind { Open = "open" } const x = Kind.Open') == "open"


def test_a_variable_that_is_assigned_again_is_unknown() -> None:
    assert constant("let x = 1; function f() { x = 2 }") is UNKNOWN
    assert constant("let x = 1") == 1


def test_a_record_that_is_filled_later_is_unknown() -> None:
    assert constant("const x: any = { a: 1 }; x.b = 2") is UNKNOWN
    assert constant("const x: any = { a: 1 }; x[key] = 2") is UNKNOWN
    assert constant("const x = { a: 1 }; if (x.a === 2) f()") == {"a": 1}


def test_constants_that_need_one_another_are_unknown() -> None:
    assert constant("const x = y + 1; const y = x + 1") is UNKNOWN


def test_endless_recursion_is_unknown() -> None:
    assert constant("function f(n) { return f(n + 1) } const x = f(0)") is UNKNOWN
    assert constant("function f(n) { return [f(n + 1), f(n + 2)] } const x = f(0).length") == 2


def test_deep_nesting_is_survived() -> None:
    assert constant(f"const x = {'[' * 150}1{']' * 150}") is not None
    assert constant(f"const x = {'f(' * 150}1{')' * 150}") is UNKNOWN


def test_a_function_may_decide() -> None:
    source = "function f(big) { if (big) { return 'many' } return 'few' } "
    assert constant(source + "const x = f(true)") == "many"
    assert constant(source + "const x = f(0)") == "few"
    assert constant(source + "const x = f(process.env.BIG)") is UNKNOWN


def test_a_function_may_gather() -> None:
    source = "function f(names) { const out = {}; for (const name of names) { out[name] = true } return out } const x = f(['a', 'b'])"
    assert constant(source) == {"a": True, "b": True}


def test_a_loop_that_is_not_understood_leaves_nothing_certain() -> None:
    assert constant("function f() { const out = []; while (more()) { out.push(1) } return out } const x = f()") is UNKNOWN


def test_many_conditions_that_are_not_known_end() -> None:
    body = "".join(f"if (process.env.X{n}) {{ a = {n} }} " for n in range(60))
    assert constant(f"function f() {{ let a = 0; {body} return a }} const x = f()") is UNKNOWN


def test_many_conditions_that_are_known_are_followed() -> None:
    body = "".join(f"if (true) {{ a = {n} }} " for n in range(600))
    assert constant(f"function f() {{ let a = 0; {body} return a }} const x = f()") == 599


def test_work_without_end_is_given_up() -> None:
    source = "function f(n) { return [f(n + 1), f(n + 2), f(n + 3)].length } const x = f(0)"
    assert constant(source) == 3


def test_a_condition_that_throws_leaves_the_other_arm() -> None:
    assert constant("function f(n) { if (!process.env.X) { throw new Error() } return n } const x = f(1)") == 1


def test_objects_that_hold_one_another_many_times_are_not_written_out_to_the_end(tmp_path: Path) -> None:
    levels = "\n".join(f"const D{n} = {{ {', '.join(f'k{i}: D{n + 1}' for i in range(20))} }};" for n in range(12))
    code = (
        'import { query } from "./_generated/server";\n'
        f"{levels}\nconst D12 = {{ a: 1, f: async (ctx) => await ctx.db.query('notes').collect() }};\n"
        "const A = { a: B, ...B }; const B = { b: A, ...A, f: async (ctx) => 1 };\n"
        "export const get = query(async (ctx, { k }) => [D0[k][k], await D10.k0.k1.f(ctx), await A[k](ctx)]);\n"
    )
    lay(tmp_path, {"convex/notes.ts": code})
    functions = engine.Project(Scope(tmp_path), settings.Settings()).program()[0].functions
    (get,) = [f for f in functions.values() if f.name == "get"]
    assert [step.target.name for step in get.steps() if isinstance(step, Call) and step.target.kind is TargetKind.FUNCTION] == ["D12.f"]
