"""Imports to files: suffixes, manifests, packages of the project, aliases, generated code."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from querylint.frontends.modules import Modules


def modules(files: Mapping[str, str]) -> Modules:
    return Modules(files, lambda path: files[path].encode() if path in files else None)


def resolve(specifier: str, *files: str, importer: str = "app/a.ts", **manifests: str) -> str | None:
    named = {path.replace("__", "/") + ".json": text for path, text in manifests.items()}
    return modules({**dict.fromkeys((importer, *files), ""), **named}).resolve(importer, specifier)


@pytest.mark.parametrize("file", ["b.ts", "b.tsx", "b.mts", "b.cts", "b.js", "b.jsx", "b.mjs", "b.cjs", "b/index.ts", "b/index.js"])
def test_a_relative_import_finds_every_suffix(file: str) -> None:
    assert resolve("./b", f"app/{file}") == f"app/{file}"


@pytest.mark.parametrize(
    ("written", "file"), [("./b.js", "b.ts"), ("./b.js", "b.tsx"), ("./b.jsx", "b.tsx"), ("./b.mjs", "b.mts"), ("./b.cjs", "b.cts")]
)
def test_a_compiled_suffix_means_its_source(written: str, file: str) -> None:
    assert resolve(written, f"app/{file}") == f"app/{file}"


def test_a_dotted_name_is_no_suffix() -> None:
    assert resolve("./b.config", "app/b.config.ts") == "app/b.config.ts"


def test_dots_alone_mean_the_index_of_a_folder() -> None:
    assert resolve("..", "index.ts") == "index.ts"
    assert resolve(".", "app/index.ts") == "app/index.ts"


def test_nothing_outside_the_project_is_found() -> None:
    assert resolve("../../b", "b.ts") is None
    assert resolve("/b", "b.ts") is None


def test_what_is_no_code_is_not_found() -> None:
    assert resolve("./b.json", "app/b.json") is None
    assert resolve("./b.css", "app/b.css") is None


def test_a_query_after_the_path_is_ignored() -> None:
    assert resolve("./b?raw", "app/b.ts") == "app/b.ts"


def test_paths_of_a_tsconfig_map_an_import() -> None:
    config = '{"compilerOptions": {"paths": {"@lib/*": ["./lib/*"], "one": ["./single.ts"]}}}'
    assert resolve("@lib/b", "lib/b.ts", tsconfig=config) == "lib/b.ts"
    assert resolve("one", "single.ts", tsconfig=config) == "single.ts"


def test_the_longest_pattern_wins() -> None:
    config = '{"compilerOptions": {"paths": {"*": ["./any/*"], "@a/*": ["./short/*"], "@a/b/*": ["./long/*"]}}}'
    assert resolve("@a/b/c", "any/@a/b/c.ts", "short/b/c.ts", "long/c.ts", tsconfig=config) == "long/c.ts"


def test_a_later_target_is_tried_when_the_first_is_not_there() -> None:
    config = '{"compilerOptions": {"paths": {"@/*": ["./gone/*", "./here/*"]}}}'
    assert resolve("@/b", "here/b.ts", tsconfig=config) == "here/b.ts"


def test_a_base_url_is_the_start_of_bare_imports_and_of_paths() -> None:
    config = '{"compilerOptions": {"baseUrl": "./src", "paths": {"~x/*": ["x/*"]}}}'
    assert resolve("lib/b", "src/lib/b.ts", tsconfig=config) == "src/lib/b.ts"
    assert resolve("~x/b", "src/x/b.ts", tsconfig=config) == "src/x/b.ts"


def test_the_nearest_tsconfig_speaks_first_and_those_above_after_it() -> None:
    near = '{"compilerOptions": {"paths": {"@n/*": ["./near/*"]}}}'
    far = '{"compilerOptions": {"paths": {"@n/*": ["./far/*"], "@f/*": ["./far/*"]}}}'
    files = ("app/near/b.ts", "far/b.ts")
    assert resolve("@n/b", *files, app__tsconfig=near, tsconfig=far) == "app/near/b.ts"
    assert resolve("@f/b", *files, app__tsconfig=near, tsconfig=far) == "far/b.ts"


def test_a_tsconfig_may_have_comments_and_trailing_commas() -> None:
    config = '{ // note\n "compilerOptions": { /* more */ "paths": { "@l/*": ["./lib/*",], }, "x": "http://no/comment", }, }'
    assert resolve("@l/b", "lib/b.ts", tsconfig=config) == "lib/b.ts"


def test_a_tsconfig_inherits_paths_from_where_they_are_written() -> None:
    base = '{"compilerOptions": {"paths": {"@l/*": ["./lib/*"]}}}'
    files = {"app/a.ts": "", "config/lib/b.ts": "", "tsconfig.json": '{"extends": "./config/base"}', "config/base.json": base}
    assert modules(files).resolve("app/a.ts", "@l/b") == "config/lib/b.ts"


def test_the_config_folder_may_be_named_in_a_path() -> None:
    base = '{"compilerOptions": {"paths": {"@l/*": ["${configDir}/lib/*"]}}}'
    files = {"app/a.ts": "", "app/lib/b.ts": "", "app/tsconfig.json": '{"extends": "../config/base.json"}', "config/base.json": base}
    assert modules(files).resolve("app/a.ts", "@l/b") == "app/lib/b.ts"


def test_a_referenced_tsconfig_is_read_too() -> None:
    split = '{"compilerOptions": {"paths": {"@l/*": ["./lib/*"]}}}'
    files = {
        "app/a.ts": "",
        "lib/b.ts": "",
        "tsconfig.json": '{"references": [{"path": "./tsconfig.app.json"}]}',
        "tsconfig.app.json": split,
    }
    assert modules(files).resolve("app/a.ts", "@l/b") == "lib/b.ts"


@pytest.mark.parametrize(
    "config",
    [
        '{"extends": "./tsconfig.json"}',
        '{"extends": ["./other", 3, "@base/x"], "references": "no", "compilerOptions": 1}',
        "[1, 2]",
        "{ broken",
        "",
        '{"compilerOptions": {"paths": [], "baseUrl": 7}}',
        '{"compilerOptions": {"paths": {"@l/*": "./lib/*", "*": [1, null], "x": ["/etc/passwd"], "y": ["../../../up"]}}}',
        "[" * 100_000,
    ],
)
def test_a_hostile_tsconfig_maps_nothing(config: str) -> None:
    files = {"app/a.ts": "", "lib/b.ts": "", "tsconfig.json": config, "other.json": '{"extends": "./tsconfig"}'}
    assert modules(files).resolve("app/a.ts", "@l/b") is None
    assert modules(files).resolve("app/a.ts", "x") is None
    assert modules(files).resolve("app/a.ts", "y") is None


def test_subpath_imports_come_from_the_nearest_package() -> None:
    manifest = '{"imports": {"#lib/*": "./source/*.ts", "#one": {"node": "./dist/one.js", "default": "./one.ts"}}}'
    assert resolve("#lib/b", "app/source/b.ts", app__package=manifest) == "app/source/b.ts"
    assert resolve("#one", "app/one.ts", app__package=manifest) == "app/one.ts"
    assert resolve("#one", "app/src/one.ts", app__package=manifest) == "app/src/one.ts"


@pytest.mark.parametrize(
    ("manifest", "specifier", "file"),
    [
        ('{"name": "@w/p", "main": "./dist/index.js"}', "@w/p", "src/index.ts"),
        ('{"name": "@w/p", "types": "./dist/types/main.d.ts"}', "@w/p", "src/main.ts"),
        ('{"name": "@w/p", "source": "./code.ts"}', "@w/p", "code.ts"),
        ('{"name": "@w/p"}', "@w/p", "src/index.ts"),
        ('{"name": "@w/p"}', "@w/p", "index.ts"),
        ('{"name": "@w/p"}', "@w/p/sub/b", "src/sub/b.ts"),
        ('{"name": "@w/p"}', "@w/p/sub/b", "sub/b.ts"),
        ('{"name": "@w/p", "exports": "./dist/esm/index.js"}', "@w/p", "src/index.ts"),
        ('{"name": "@w/p", "exports": {"import": "./lib/index.mjs"}}', "@w/p", "src/index.mts"),
        ('{"name": "@w/p", "exports": {"./s": {"import": {"types": "./dist/s.d.ts", "default": "./dist/s.js"}}}}', "@w/p/s", "src/s.ts"),
        ('{"name": "@w/p", "exports": {"./*": "./dist/inner/*.js"}}', "@w/p/s", "src/inner/s.ts"),
        ('{"name": "@w/p", "exports": {"./s": ["./src/s.ts"]}}', "@w/p/s", "src/s.ts"),
        ('{"name": "p", "exports": 5, "main": {}}', "p/s", "src/s.ts"),
    ],
)
def test_a_package_of_the_project_is_found_by_its_name(manifest: str, specifier: str, file: str) -> None:
    assert resolve(specifier, f"packages/p/{file}", packages__p__package=manifest) == f"packages/p/{file}"


@pytest.mark.parametrize(
    ("specifier", "file"),
    [
        ("@/lib/b", "app/lib/b.ts"),
        ("@/lib/b", "app/src/lib/b.ts"),
        ("~/b", "app/src/b.ts"),
        ("@convex/b", "app/convex/b.ts"),
        ("$lib/b", "app/src/lib/b.ts"),
    ],
)
def test_common_aliases_need_no_manifest(specifier: str, file: str) -> None:
    assert resolve(specifier, file, app__package="{}") == file


def test_an_alias_may_reach_the_root_of_a_monorepo() -> None:
    assert resolve("@convex/b", "convex/b.ts", app__package="{}") == "convex/b.ts"


def test_the_package_called_convex_is_never_a_file() -> None:
    files = ("convex/server.ts", "convex/values.ts")
    assert resolve("convex/server", *files, tsconfig='{"compilerOptions": {"baseUrl": "."}}') is None
    assert resolve("convex/values", *files) is None


def test_a_package_that_is_not_in_the_project_is_not_found() -> None:
    assert resolve("react", "react.ts") is None
    assert resolve("@scope/x", "src/x.ts") is None


def test_manifests_are_read_from_the_disk_where_the_files_do_not_list_them() -> None:
    source = {"app/a.ts": b"", "lib/b.ts": b"", "tsconfig.json": b'{"compilerOptions": {"paths": {"@l/*": ["./lib/*"]}}}'}
    assert Modules(["app/a.ts", "lib/b.ts"], source.get).resolve("app/a.ts", "@l/b") == "lib/b.ts"


def test_generated_code_is_no_file() -> None:
    files = ("app/_generated/server.ts", "app/_generated/api.js")
    assert resolve("./_generated/server", *files) is None
    assert resolve("./_generated/api.js", *files) is None


@pytest.mark.parametrize(
    ("importer", "specifier", "folder"),
    [
        ("convex/a.ts", "./_generated/api", "convex"),
        ("convex/deep/a.ts", "../_generated/server.js", "convex"),
        ("src/app.tsx", "../convex/_generated/api", "convex"),
        ("src/app.tsx", "@/convex/_generated/api", "convex"),
        ("src/app.tsx", "@convex/_generated/api", "convex"),
        ("src/app.tsx", "@w/backend/convex/_generated/api", "packages/backend/convex"),
        ("src/app.tsx", "elsewhere/_generated/api", None),
        ("src/app.tsx", "react", None),
    ],
)
def test_the_folder_of_generated_code_is_told(importer: str, specifier: str, folder: str | None) -> None:
    files = {
        "convex/a.ts": "",
        "src/app.tsx": "",
        "packages/backend/convex/a.ts": "",
        "packages/backend/package.json": '{"name": "@w/backend"}',
    }
    assert modules(files).generated_folder(importer, specifier) == folder
