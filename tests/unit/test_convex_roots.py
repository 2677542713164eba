"""Which folders are Convex roots, and how the files below them are called."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from querylint.frontends.convex.frontend import ConvexFrontEnd
from querylint.frontends.convex.roots import ConvexRoot, api_root, find_roots, is_function_module, root_of, route_of
from querylint.frontends.modules import Modules
from querylint.ir import Role

SCHEMA = 'import { defineSchema } from "convex/server"; export default defineSchema({});'
COMPONENT = 'import { defineComponent } from "convex/server"; export default defineComponent("c");'
APP = 'import { defineApp } from "convex/server"; export default defineApp();'
FUNCTION = 'import { query } from "./_generated/server"; export const f = query({ handler: async () => 1 });'


def roots(files: dict[str, str], generated: Collection[str] = ()) -> tuple[ConvexRoot, ...]:
    modules = Modules(files, lambda path: files[path].encode() if path in files else None)
    return find_roots(files, generated, modules)


def test_a_project_without_convex_has_no_roots() -> None:
    assert roots({"src/schema.ts": "export const s = z.object({})", "src/convex/hull.ts": "export function area() {}"}) == ()


def test_a_folder_called_convex_with_a_schema() -> None:
    assert roots({"convex/schema.ts": SCHEMA, "convex/a.ts": FUNCTION}) == (ConvexRoot("convex", "convex/schema.ts"),)


def test_a_component_inside_another_that_hands_its_schema_on_is_part_of_it() -> None:
    files = {
        "parts/convex.config.ts": COMPONENT,
        "parts/schema.ts": SCHEMA,
        "parts/core/convex.config.ts": COMPONENT,
        "parts/core/schema.ts": 'export { default } from "../schema.js";',
        "parts/own/convex.config.ts": COMPONENT,
        "parts/own/schema.ts": SCHEMA,
    }
    assert [root.folder for root in roots(files)] == ["parts", "parts/own"]


def test_a_schema_may_be_javascript() -> None:
    assert roots({"convex/schema.js": SCHEMA}) == (ConvexRoot("convex", "convex/schema.js"),)


def test_a_folder_called_convex_that_imports_as_functions_do() -> None:
    assert roots({"convex/a.ts": FUNCTION}) == (ConvexRoot("convex", None),)
    assert roots({"convex/deep/a.ts": 'import { query } from "../_generated/server.js"'}) == (ConvexRoot("convex", None),)
    generic = "import { queryGeneric } from 'convex/server'; export const f = queryGeneric(async () => 1)"
    assert roots({"convex/a.ts": generic}) == (ConvexRoot("convex", None),)
    assert roots({"convex/a.ts": generic, "convex/package.json": '{"name": "convex"}'}) == ()


def test_a_folder_called_convex_that_only_uses_the_client() -> None:
    files = {
        "src/convex/client.ts": 'import { ConvexReactClient } from "convex/react"',
        "tests/convex/a.ts": 'import { api } from "../../convex/_generated/api"',
    }
    assert roots(files) == ()


def test_a_test_folder_that_imports_from_another_root() -> None:
    files = {"convex/a.ts": FUNCTION, "tests/convex/a.ts": 'import { query } from "../../convex/_generated/server"'}
    assert [root.folder for root in roots(files)] == ["convex"]


def test_a_folder_beside_generated_code() -> None:
    assert roots({"backend/a.ts": ""}, ["backend"]) == (ConvexRoot("backend", None),)
    assert roots({"backend/a.ts": ""}, ["backend/_generated"]) == (ConvexRoot("backend", None),)
    assert roots({"backend/a.ts": ""}, ["backend/_generated/api.d.ts"]) == (ConvexRoot("backend", None),)
    assert roots({"backend/a.ts": "", "backend/_generated/api.js": ""}) == (ConvexRoot("backend", None),)


def test_generated_code_with_nothing_beside_it_is_no_root() -> None:
    assert roots({"src/a.ts": ""}, ["backend"]) == ()


def test_a_project_may_itself_be_the_functions_folder() -> None:
    assert roots({"schema.ts": SCHEMA, "a.ts": FUNCTION}, [""]) == (ConvexRoot("", "schema.ts"),)


@pytest.mark.parametrize(
    ("path", "text", "folder"),
    [
        ("convex.json", '{"functions": "backend/functions/"}', "backend/functions"),
        ("apps/web/convex.json", '{"functions": "./server"}', "apps/web/server"),
        ("apps/web/convex.json", '{"functions": "../../backend/functions"}', "backend/functions"),
        ("apps/web/convex.json", "{ // the default\n}", "apps/web/convex"),
        ("apps/web/convex.json", '{"functions": 3}', "apps/web/convex"),
    ],
)
def test_a_manifest_names_the_functions_folder(path: str, text: str, folder: str) -> None:
    assert roots({path: text, f"{folder}/a.ts": "export const x = 1"}) == (ConvexRoot(folder, None),)


def test_a_manifest_that_names_no_folder_of_the_project() -> None:
    assert roots({"convex.json": '{"functions": "../up"}', "src/a.ts": ""}) == ()
    assert roots({"convex.json": "[", "src/a.ts": ""}) == ()


def test_nested_packages_each_have_their_own_root() -> None:
    files = {"a/convex/schema.ts": SCHEMA, "b/convex.json": '{"functions": "fn"}', "b/fn/schema.ts": SCHEMA}
    assert [root.folder for root in roots(files)] == ["a/convex", "b/fn"]


def test_a_component_within_an_app() -> None:
    files = {
        "convex/convex.config.ts": APP,
        "convex/schema.ts": SCHEMA,
        "convex/auth/convex.config.ts": COMPONENT,
        "convex/auth/schema.ts": SCHEMA,
    }
    assert roots(files) == (ConvexRoot("convex", "convex/schema.ts"), ConvexRoot("convex/auth", "convex/auth/schema.ts", True))


def test_a_component_in_a_package_of_its_own() -> None:
    files = {"packages/c/src/component/convex.config.ts": COMPONENT, "packages/c/src/component/schema.ts": SCHEMA}
    assert roots(files) == (ConvexRoot("packages/c/src/component", "packages/c/src/component/schema.ts", True),)


def test_an_app_config_lies_in_its_functions_folder() -> None:
    assert roots({"src/backend/convex.config.ts": APP, "src/backend/a.ts": ""}) == (ConvexRoot("src/backend", None),)


def test_a_schema_makes_a_root_of_any_folder() -> None:
    assert roots({"src/backend/schema.ts": SCHEMA}) == (ConvexRoot("src/backend", "src/backend/schema.ts"),)
    ents = 'import { defineEntSchema } from "convex-ents"; const schema = defineEntSchema<X>({}); export default schema'
    assert roots({"src/backend/schema.ts": ents}) == (ConvexRoot("src/backend", "src/backend/schema.ts"),)


def test_a_schema_of_something_else_makes_no_root() -> None:
    assert roots({"src/schema.ts": 'import { defineSchema } from "my-forms"; export default defineSchema({})'}) == ()
    assert roots({"src/schemas.ts": SCHEMA}) == ()
    library = 'import { defineSchema } from "convex/server"; export function defineEntSchema(tables) { return defineSchema(tables) }'
    assert roots({"src/schema.ts": library}) == ()
    assert roots({"src/schema.ts": f"// export default defineSchema({{}})\n{library}"}) == ()


def test_a_schema_below_a_root_that_is_no_component_makes_none() -> None:
    assert [root.folder for root in roots({"convex/schema.ts": SCHEMA, "convex/old/schema.ts": SCHEMA})] == ["convex"]


def test_roots_come_in_order() -> None:
    files = {f"{name}/convex/schema.ts": SCHEMA for name in ("c", "a", "b")}
    assert [root.folder for root in roots(files)] == ["a/convex", "b/convex", "c/convex"]


def test_the_nearest_root_governs_a_file() -> None:
    outer, inner = ConvexRoot("convex", None), ConvexRoot("convex/auth", None, True)
    assert root_of("convex/a.ts", (outer, inner)) == outer
    assert root_of("convex/auth/a.ts", (outer, inner)) == inner
    assert root_of("convex/authors.ts", (outer, inner)) == outer
    assert root_of("src/a.ts", (outer, inner)) is None
    assert root_of("src/a.ts", (ConvexRoot("", None),)) == ConvexRoot("", None)


def test_a_route_is_the_path_below_the_root() -> None:
    assert route_of("convex/users/admin.ts", ConvexRoot("convex", None)) == "users/admin"
    assert route_of("users.tsx", ConvexRoot("", None)) == "users"


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("convex/a.ts", True),
        ("convex/deep/a.tsx", True),
        ("convex/a.js", True),
        ("convex/a.mjs", True),
        ("convex/http.ts", True),
        ("convex/schema.ts", False),
        ("convex/deep/schema.ts", False),
        ("convex/_generated/api.js", False),
        ("convex/_generated/deep/api.ts", False),
        ("convex/deep/_generated/a.ts", True),
        ("convex/a.test.ts", False),
        ("convex/a.d.ts", False),
        ("convex/auth.config.ts", False),
        ("convex/convex.config.ts", False),
        ("convex/.hidden.ts", False),
        ("convex/#a.ts", False),
        ("convex/a b.ts", False),
        ("convex/a folder/b.ts", False),
        ("convex/a.json", False),
        ("convex/README.md", False),
    ],
)
def test_which_files_convex_looks_for_functions_in(path: str, held: bool) -> None:
    assert is_function_module(path, ConvexRoot("convex", None)) == held


@pytest.mark.parametrize(("exports", "read"), [("", False), ('export * from "./posts.old";', True)])
def test_what_convex_passes_over_is_read_where_another_file_takes_it_in(exports: str, read: bool) -> None:
    files = {"convex/schema.ts": SCHEMA, "convex/a.ts": f"{exports}{FUNCTION}", "convex/posts.old.ts": FUNCTION}
    lowered = ConvexFrontEnd(files, (), lambda path: files[path].encode() if path in files else None, lambda _: Role.CODE).lower()
    assert ("convex/posts.old.ts" in {function.path for function in lowered.functions}) is read


@pytest.mark.parametrize(
    ("path", "text", "root"),
    [
        ("apps/web/page.tsx", "", "packages/convex"),  # convex.json at the top names it
        ("apps/web/page.tsx", 'import { api } from "../../old/convex/_generated/api";', "old/convex"),
        ("apps/web/page.tsx", 'import { api } from "@all/convex";', "packages/convex"),
        ("old/app/page.tsx", "", "old/convex"),
        ("parts/box/page.tsx", "", "packages/convex"),
    ],
)
def test_the_application_that_a_client_asks(path: str, text: str, root: str) -> None:
    files = {
        "convex.json": '{"functions": "./packages/convex"}',
        "packages/convex/schema.ts": SCHEMA,
        "old/convex/schema.ts": SCHEMA,
        "parts/box/convex.config.ts": COMPONENT,
        path: text,
    }
    assert api_root(path, lambda name: files[name].encode(), roots(files)) == root


def test_a_client_beside_two_applications_may_ask_either() -> None:
    files = {"one/convex/schema.ts": SCHEMA, "two/convex/schema.ts": SCHEMA, "web/page.tsx": ""}
    assert api_root("web/page.tsx", lambda name: files[name].encode(), roots(files)) == ""
