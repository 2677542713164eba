"""Names to definitions, through imports, exports and aliases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from querylint.frontends.modules import Definition, Modules
from querylint.syntax import tree


def modules(files: Mapping[str, str]) -> Modules:
    return Modules(files, lambda path: files[path].encode() if path in files else None)


def define(source: str, name: str = "x", **others: str) -> Definition:
    found = modules({"a.ts": source, **{f"{path}.ts": text for path, text in others.items()}}).definition("a.ts", name)
    assert found is not None
    return found


def test_a_function_declaration() -> None:
    assert isinstance(define("export function x() { return 1 }").node, tree.FnDef)


def test_the_overload_with_a_body() -> None:
    node = define("function x(a: string): void; function x(a: number): void; function x(a: any) { return a }").node
    assert isinstance(node, tree.FnDef)
    assert node.fn.body


def test_a_class() -> None:
    assert isinstance(define("export class x {}").node, tree.ClassDef)


def test_a_variable_is_its_value() -> None:
    assert isinstance(define("const x = () => 1").node, tree.Fn)


def test_an_alias_is_what_it_stands_for() -> None:
    found = define("const x = y; const y = z as unknown as Z; function z() { return 1 }")
    assert (found.name, type(found.node)) == ("z", tree.FnDef)


def test_an_alias_of_a_global_is_itself() -> None:
    assert isinstance(define("const x = fetch").node, tree.Name)


def test_names_that_stand_for_one_another_end() -> None:
    assert isinstance(define("const x = y; const y = x").node, tree.Name)
    assert isinstance(define("const x = x").node, tree.Name)


def test_a_mutable_variable_says_so() -> None:
    assert define("let x = f()").mutable
    assert not define("const x = f()").mutable


def test_an_import_is_followed() -> None:
    found = define('import { b as x } from "./m"', m="export const b = 1")
    assert (found.path, found.name) == ("m.ts", "b")


def test_a_default_import_is_followed() -> None:
    assert isinstance(define('import x from "./m"', m="export default function () { return 1 }").node, tree.Fn)
    assert isinstance(define('import x from "./m"', m="export default function f() { return 1 }").node, tree.FnDef)
    assert define('import x from "./m"', m="const y = 1; export default y").name == "y"
    assert isinstance(define('import x from "./m"', m="export default { a: 1 }").node, tree.Record)


def test_a_namespace_is_a_module() -> None:
    found = define('import * as x from "./m"', m="")
    assert (found.namespace, found.path) == (True, "m.ts")


def test_a_member_of_a_namespace_is_followed() -> None:
    assert define('import * as ns from "./m"; const x = ns.b', m="export const b = 1").name == "b"


def test_a_re_exported_namespace_is_a_module() -> None:
    found = define('import { ns as x } from "./m"', m='export * as ns from "./n"', n="")
    assert (found.namespace, found.path) == (True, "n.ts")


def test_re_exports_are_followed() -> None:
    found = define('import { x } from "./m"', m='export { inner as x } from "./n"', n="export const inner = 1")
    assert (found.path, found.name) == ("n.ts", "inner")


def test_an_import_that_is_exported_again_is_followed() -> None:
    assert (
        define('import { x } from "./m"', m='import { inner } from "./n"; export { inner as x }', n="export const inner = 1").path == "n.ts"
    )


def test_modules_re_exported_whole_are_searched() -> None:
    assert define('import { x } from "./m"', m='export * from "./n"', n='export * from "./o"', o="export const x = 1").path == "o.ts"


def test_an_own_export_hides_one_re_exported_whole() -> None:
    assert define('import { x } from "./m"', m='export * from "./n"; export const x = 2', n="export const x = 1").path == "m.ts"


def test_modules_that_re_export_one_another_end() -> None:
    project = modules({"a.ts": 'export * from "./b"', "b.ts": 'export * from "./a"; export * from "./c"', "c.ts": "export const x = 1"})
    assert project.exported("b.ts", "x") == project.exported("a.ts", "x") != None  # noqa: E711
    assert project.exported("a.ts", "nothing") is None


def test_names_that_are_re_exported_in_a_circle_end() -> None:
    assert modules({"a.ts": 'export { x } from "./b"', "b.ts": 'export { x } from "./a"'}).exported("a.ts", "x") is None


def test_a_default_is_not_re_exported_whole() -> None:
    project = modules({"a.ts": 'export * from "./b"', "b.ts": "export default 1; export const y = 2"})
    assert project.exported("a.ts", "default") is None
    assert project.exports("a.ts").keys() == {"y"}


def test_all_exports_are_listed() -> None:
    source = 'export const a = 1; const b = 2; export { b as c }; export default b; export * from "./m"; export function d() { return 1 }'
    found = modules({"a.ts": source, "m.ts": "export const e = 1"}).exports("a.ts")
    assert {name: one.name for name, one in found.items()} == {"a": "a", "c": "b", "default": "b", "d": "d", "e": "e"}


def test_a_package_is_external() -> None:
    assert define('import { getAll as x } from "convex-helpers/server/relationships"').external == (
        "convex-helpers/server/relationships",
        "getAll",
    )
    assert define('import x from "pkg"').external == ("pkg", "default")
    assert define('import * as x from "pkg"').external == ("pkg", "*")


def test_a_member_of_an_external_namespace_is_external() -> None:
    assert define('import * as ns from "pkg"; const x = ns.f').external == ("pkg", "f")


def test_an_external_re_export_is_external() -> None:
    assert define('import { x } from "./m"', m='export { f as x } from "pkg"').external == ("pkg", "f")
    assert define('import { x } from "./m"', m='export * from "pkg"').external == ("pkg", "x")


@pytest.mark.parametrize(
    "specifier",
    [
        "./_generated/server",
        "./_generated/server.js",
        "../../convex/_generated/server",
        "@/convex/_generated/server",
        "@w/b/_generated/server.d.ts",
    ],
)
def test_generated_code_has_one_name(specifier: str) -> None:
    assert define(f'import {{ query as x }} from "{specifier}"').external == ("_generated/server", "query")


def test_what_a_module_does_not_export_is_nothing() -> None:
    assert modules({"a.ts": 'import { x } from "./m"', "m.ts": "const x = 1"}).definition("a.ts", "x") is None


def test_a_type_has_no_node() -> None:
    found = define('import type { X as x } from "./m"', m="export type X = { a: 1 }")
    assert (found.path, found.name, found.node) == ("m.ts", "X", None)


def test_a_part_of_a_record_is_its_member() -> None:
    assert isinstance(define("const { a: x } = { a: () => 1 }").node, tree.Fn)


def test_a_part_of_something_else_is_a_member_of_it() -> None:
    node = define("const { x } = make()").node
    assert isinstance(node, tree.Member)
    assert isinstance(node.base, tree.Call)


def test_a_part_of_a_known_record_elsewhere_is_its_member() -> None:
    found = define('import { all } from "./m"; const { x } = all', m="export const all = { x: () => 1 }")
    assert (found.path, type(found.node)) == ("m.ts", tree.Fn)


def test_a_broken_module_keeps_what_parsed() -> None:
    assert isinstance(define("export const x = () => 1; const = = (").node, tree.Fn)


def test_a_file_that_cannot_be_read_has_no_names() -> None:
    project = Modules(["a.ts"], lambda path: None)
    assert project.module("a.ts") is None
    assert project.lines("a.ts") is None
    assert project.definition("a.ts", "x") is None
    assert project.exports("a.ts") == {}


def test_only_files_of_the_project_are_parsed() -> None:
    assert Modules(["a.ts"], lambda path: b"export const x = 1").module("b.ts") is None


def test_a_file_is_read_once() -> None:
    reads: list[str] = []

    def read(path: str) -> bytes:
        reads.append(path)
        return b"export const x = 1"

    project = Modules(["a.ts"], read)
    assert project.definition("a.ts", "x") is project.definition("a.ts", "x")
    assert project.module("a.ts") is project.module("a.ts")
    assert project.lines("a.ts") is project.lines("a.ts")
    assert reads.count("a.ts") == 1


def test_a_chain_of_names_refers_to_what_it_reaches() -> None:
    project = modules({"a.ts": 'import * as ns from "./m"; const r = { deep: { f: ns.g } }', "m.ts": "export function g() { return 1 }"})
    chain = tree.Member(tree.Member(tree.Name("r", 0, 0), "deep", 0, 0, 0), "f", 0, 0, 0)
    found = project.refers("a.ts", chain)
    assert found is not None
    assert (found.path, found.name) == ("m.ts", "g")
