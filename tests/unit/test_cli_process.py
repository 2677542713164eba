"""The command as its users run it: a process of its own, the real engine, a project on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from laid import lay

ROOT = Path(__file__).parents[2]
SCHEMAS = {"json": ROOT / "docs" / "schema" / "check-v1.json", "sarif": ROOT / "tests" / "sarif" / "sarif-schema-2.1.0.json"}
PYTHONPATH = os.pathsep.join(str(ROOT / folder) for folder in ("analyzer", "rules", "reports_templates"))

SCHEMA = """\
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  posts: defineTable({ author: v.id("users"), title: v.string() }),
  users: defineTable({ name: v.string() }),
});
"""

POSTS = """\
import { v } from "convex/values";
import { query } from "./_generated/server";

export const byTitle = query({
  args: { title: v.string() },
  handler: async (ctx, args) => {
    const posts = await ctx.db.query("posts").collect();
    return posts.filter((post) => post.title === args.title);
  },
});
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "package.json").write_text('{"dependencies": {"convex": "^1.17.0"}}')
    (tmp_path / "convex").mkdir()
    (tmp_path / "convex" / "schema.ts").write_text(SCHEMA)
    (tmp_path / "convex" / "posts.ts").write_text(POSTS)
    return tmp_path


def querylint(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "querylint", *args]
    environment = os.environ | {"PYTHONPATH": PYTHONPATH}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=60)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ([], 1),
        (["--exit-zero"], 0),
        (["--fail-on", "never"], 0),
        (["convex/schema.ts", "--fail-on", "error"], 0),
        (["missing"], 2),
        (["--select", "no-such-rule"], 2),
        (["--fail-on", "high"], 2),
        (["--nonsense"], 2),
        (["--config", "missing.toml"], 2),
        (["--output", "sarif=missing/a.sarif"], 2),
        (["rules"], 0),
        (["explain", "no-such-rule"], 2),
        (["--version"], 0),
    ],
)
def test_exit_codes(project: Path, args: list[str], code: int) -> None:
    done = querylint(project, *args)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert (done.stderr == "") == (code != 2)
    assert code != 2 or all(line.startswith("querylint: ") for line in done.stderr.splitlines())


def test_wrong_settings_are_a_sentence(project: Path) -> None:
    (project / "querylint.toml").write_text("fail-onn = 1\n")
    done = querylint(project)
    assert done.returncode == 2
    assert done.stderr.startswith("querylint: querylint.toml:1: ")


@pytest.mark.parametrize("files", [{}, {"a.md": "", "package.json": "{}"}, {".gitignore": "*.py\n", "a.py": "a = 1\n", ".git/HEAD": ""}])
def test_a_folder_without_source_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    lay(tmp_path, files)
    why = "there is no Python, TypeScript or JavaScript file under {} that is not ignored or excluded\n"
    done = querylint(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"querylint: {why.format('the current folder')}")
    done = querylint(tmp_path, "check", str(tmp_path), "--exit-zero")
    assert (done.returncode, done.stderr) == (2, f"querylint: {why.format(f'`{tmp_path}`')}")


@pytest.mark.parametrize("args", [("fix",), ("fix", "--diff"), ("indexes",), ("report", "-o", "r.html"), ("baseline", "create")])
def test_no_command_works_on_a_folder_without_source(tmp_path: Path, args: tuple[str, ...]) -> None:
    done = querylint(tmp_path, *args)
    assert done.returncode == 2
    assert "there is no Python, TypeScript or JavaScript file under" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_asked_about_a_part_names_it(project: Path) -> None:
    lay(project, {"convex/lib/quiet.ts": "export const a = 1;\n"})
    assert "Found nothing to report in the current folder. Looked at" in querylint(project / "convex/lib").stdout
    assert "Found nothing to report in `convex/lib`. Looked at" in querylint(project, "check", "convex/lib", "--format", "concise").stderr
    assert " in the current folder" not in querylint(project).stdout


def test_a_project_without_a_database_is_said_once(tmp_path: Path) -> None:
    lay(tmp_path, {"b.py": "b = 1\n"})
    done = querylint(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "does not use a database in a way that querylint knows" in done.stdout


def test_models_that_only_django_declares_are_not_counted_as_tables_of_the_project(tmp_path: Path) -> None:
    model = "from django.db import models\n\n\nclass Post(models.Model):\n    owner = models.ForeignKey('auth.User', models.CASCADE)\n"
    lay(tmp_path, {"manage.py": "import django\n", "blog/models.py": model})
    assert "Django in `.` (1 table)" in querylint(tmp_path, "init").stdout
    assert ", 1 table and " in querylint(tmp_path, "check").stdout


def test_files_that_a_hook_names_may_all_be_of_other_kinds(project: Path) -> None:
    lay(project, {"README.md": "# A project\n"})
    done = querylint(project, "README.md")
    assert done.returncode == 0
    assert "README.md: this file is neither TypeScript, JavaScript, Python, SQL nor a template and is not read" in done.stdout
    assert done.stderr == "querylint: nothing in `README.md` accesses a database: looked at 0 Python and 0 TypeScript or JavaScript files\n"


@pytest.mark.parametrize("style", ["text", "json", "github"])
def test_a_folder_without_a_database_is_told_as_such(project: Path, style: str) -> None:
    lay(project, {"web/a.ts": "export const a = 1;\n", "web/b.py": "b = 1\n", "web/page.html": "<p>"})
    done = querylint(project, "check", "web", "web/b.py", "--format", style)
    assert done.returncode == 0
    assert done.stderr == (
        "querylint: nothing in `web` and `web/b.py` accesses a database: "
        "looked at 1 Python and 1 TypeScript or JavaScript file and 1 template or SQL file\n"
    )
    assert querylint(project, "check", "web", "--format", style, "--quiet").stderr == ""
    assert querylint(project, "check", "web", "convex", "--format", style).stderr == ""


@pytest.mark.parametrize("style", ["json", "sarif"])
def test_what_programs_read_follows_its_schema_wherever_it_is_run(
    project: Path, tmp_path_factory: pytest.TempPathFactory, style: str
) -> None:
    done = querylint(project, "--format", style)
    Draft202012Validator(json.loads(SCHEMAS[style].read_text(encoding="utf-8"))).validate(json.loads(done.stdout))
    assert str(project) not in done.stdout
    assert querylint(tmp_path_factory.mktemp("elsewhere"), str(project), "--format", style).stdout == done.stdout


def test_what_the_settings_name_and_nobody_has_is_noted_with_the_nearest_there_is(project: Path) -> None:
    lay(project, {
        "old/a.ts": "export const a = 1;\n",
        "README.md": "",
        "querylint.toml": (
            'exclude = ["olds/**", "old/**", "node_modules/**", "!old/b.ts", "*.md"]\n'
            'ignore-tables = [\n  "users",\n  "audit",\n]\n'
            '[tables.Posts]\nrows = "small"\n'
            '[per-file-ignores]\n"convex/post.ts" = ["loop-read"]\n"convex/**" = ["loop-read"]\n'
        ),
    })  # fmt: skip
    notes = [n for n in json.loads(querylint(project, "--format", "json").stdout)["notes"] if n["path"] == "querylint.toml"]
    assert [(note["line"], note["message"]) for note in notes] == [
        (1, "`exclude`: `*.md` matches nothing that would be read, so this changes nothing"),
        (1, "`exclude`: `olds/**` matches nothing that would be read, so this changes nothing; did you mean `old/**`?"),
        (4, "`ignore-tables`: no table `audit` was found, so this changes nothing"),
        (6, "`tables`: no table `Posts` was found, so this changes nothing; did you mean `posts`?"),
        (9, "`per-file-ignores`: `convex/post.ts` matches no file that is read, so this changes nothing; did you mean `convex/posts.ts`?"),
    ]


def test_settings_further_up_may_speak_of_other_projects(project: Path) -> None:
    (project / "querylint.toml").write_text('[tables.elsewhere]\nrows = "small"\n')
    lay(project, {"packages/one/package.json": "{}", "packages/one/convex/schema.ts": SCHEMA, "packages/one/convex/posts.ts": POSTS})
    told = querylint(project / "packages" / "one")
    assert "elsewhere" not in told.stdout + told.stderr


@pytest.mark.parametrize("name", ["bad-suppression", "unused-suppression", "stale-baseline"])
def test_whatever_is_reported_can_be_explained(project: Path, name: str) -> None:
    done = querylint(project, "explain", name)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{name} · ")
    assert (ROOT / "docs" / "rules" / f"{name}.md").is_file()


def test_a_pattern_is_explained_by_its_rules(project: Path) -> None:
    done = querylint(project, "explain", "mem-filter")
    assert done.stdout.startswith("`mem-filter` is a pattern, which these rules belong to:\n")
    assert "\nsort-in-memory " in done.stdout
    assert querylint(project, "explain", "waterfall").stdout.startswith("waterfall · ")


def test_a_bad_suppression_leads_to_its_page(project: Path) -> None:
    lay(project, {"convex/posts.ts": POSTS.replace("    const", "    // querylint: ignore[unbounded-read]\n    const")})
    told = querylint(project, "--select", "bad-suppression")
    assert "warning bad-suppression the suppression of `unbounded-read` gives no reason" in told.stdout
    assert "`querylint explain bad-suppression`" in told.stdout
    rules = json.loads(querylint(project, "--select", "bad-suppression", "--format", "sarif").stdout)["runs"][0]["tool"]["driver"]["rules"]
    assert [(rule["id"], rule["helpUri"].rpartition("/")[2]) for rule in rules] == [("bad-suppression", "bad-suppression.md")]
