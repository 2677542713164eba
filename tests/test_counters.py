"""What a run does is counted, since seconds depend on the machine: files read and parsed, bytes compared, modules loaded."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from laid import lay
from querylint import discover, engine
from querylint.cache.digest import digest
from querylint.engine import Project
from querylint.frontends import kept
from querylint.frontends.flow.values import Val
from querylint.frontends.modules import project as modules
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.frontend import MOST_WAVES
from querylint.frontends.python.lower import Found, ModuleLowering
from querylint.ir.code import Function
from querylint.result import Result
from querylint.syntax.tree import Fn

ROOT = Path(__file__).parent.parent
APPS = ROOT / "fixtures" / "apps"


class Parsed(Counter[str]):
    """How often each file was parsed: TypeScript by path, Python by what it holds."""


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parsed:
    counted = Parsed()
    typescript, python = modules.parse_module, ast.parse

    def of_typescript(path: str, source: bytes) -> object:
        counted[path] += 1
        return typescript(path, source)

    def of_python(source: bytes | str, *more: object, **named: object) -> object:
        if isinstance(source, bytes) and source.strip():  # annotations in quotes are parsed too, and empty files are all alike
            counted[source.decode()] += 1
        return python(source, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(modules, "parse_module", of_typescript)
    monkeypatch.setattr(ast, "parse", of_python)
    return counted


def judged(root: Path) -> tuple[Project, Result]:
    rules = engine.load_rules()
    scope = discover.locate((root,))
    project = Project(scope, engine.settings_for(scope.root, rules))
    return project, engine.run(project.whole, rules)


@pytest.mark.parametrize("app", ["hooklabs", "newsroom-django", "ledger-sqlalchemy"])
def test_no_file_is_parsed_twice(app: str, parsed: Parsed) -> None:
    _, result = judged(APPS / app)
    assert result.findings
    assert parsed
    assert max(parsed.values()) == 1, parsed.most_common(3)


@pytest.mark.parametrize("app", ["hooklabs", "newsroom-django"])
def test_no_file_is_digested_twice(app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    digested: Counter[bytes] = Counter()

    def counting(data: bytes) -> bytes:
        digested[data] += 1
        return digest(data)

    monkeypatch.setattr(kept, "digest", counting)
    rules = engine.load_rules()
    scope = discover.locate((APPS / app,))
    project = Project(scope, engine.settings_for(scope.root, rules), kept=kept.KeptParts())
    assert engine.run(project.whole, rules).findings
    read = {path: data for path, data in project.contents.items() if data is not None}
    assert project.digests().items() >= {path: digest(data) for path, data in read.items()}.items()
    assert {data: digested[data] for data in read.values()} == Counter(read.values())


def test_code_that_has_nothing_to_do_with_the_database_is_not_parsed(tmp_path: Path, parsed: Parsed) -> None:
    server = (
        'import { query } from "./_generated/server";\nexport const all = query(async (ctx) => await ctx.db.query("users").collect());\n'
    )
    page = "export const Page = () => <p>{[1, 2].map((n) => n + 1)}</p>;\n"
    files = {"convex.json": "{}", "convex/users.ts": server} | {f"src/pages/p{n}.tsx": page for n in range(200)}
    project, result = judged(lay(tmp_path, files))
    assert result.findings
    assert set(parsed) == {"convex/users.ts"}
    assert len(project.contents) <= len(files) + 1


def test_tests_and_builds_are_not_even_read(tmp_path: Path) -> None:
    view = "from django.db import models\nclass Post(models.Model):\n    name = models.TextField()\n"
    files = {"manage.py": "", "blog/models.py": view} | {f"blog/tests/test_{n}.py": view for n in range(50)}
    files |= {f"node_modules/p/{n}.js": "x" for n in range(50)}
    project, _ = judged(lay(tmp_path, files))
    assert not [path for path in project.contents if "test" in path or "node_modules" in path]


def test_a_function_of_python_is_walked_only_as_often_as_its_callers_have_more_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: Counter[str] = Counter()
    walk = ModuleLowering.walk

    def counting(self: ModuleLowering, found: Found, params: list[Val]) -> list[Function]:
        walked[self.key(found.name)] += 1
        return walk(self, found, params)

    monkeypatch.setattr(ModuleLowering, "walk", counting)
    _, result = judged(APPS / "newsroom-django")
    assert result.findings
    assert max(walked.values()) <= MOST_WAVES
    assert walked.total() <= 1.5 * len(walked), walked.most_common(5)


def test_work_grows_no_faster_than_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps handed out by `Function.steps`, over everything that is done to a program: four times the code, four times the steps."""
    seen = 0
    steps = Function.steps

    def counting(self: Function) -> Iterator[object]:
        nonlocal seen
        found = list(steps(self))
        seen += len(found)
        return iter(found)

    monkeypatch.setattr(Function, "steps", counting)
    counts = []
    for copies in (4, 16):
        seen = 0
        root = tmp_path / str(copies)
        text = (APPS / "hooklabs" / "convex" / "schema.ts").read_text()
        for n in range(copies):
            lay(root / f"a{n}", {"convex.json": "{}", "convex/schema.ts": text})
            for path in (APPS / "hooklabs" / "convex").glob("*.ts"):
                lay(root / f"a{n}", {f"convex/{path.name}": path.read_text()})
        lay(root, {"querylint.toml": ""})
        _, result = judged(root)
        assert len(result.schemas) == copies
        counts.append(seen)
    assert counts[1] <= counts[0] * 4 * 1.05, counts


FACTORY = """
from flask import Flask
from sqlalchemy.orm import Session


def create_app(session: Session):
    app = Flask(__name__)
"""
ROUTE = """
    @app.get("/{n}")
    def route_{n}():
        return session.get(f"{n}", {n})
"""


def test_what_stands_inside_a_function_is_asked_about_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Counter[str]()
    registered = ModuleLowering._registered

    def counting(self: ModuleLowering, owner: ClassInfo | None, fn: Fn, around: tuple[Fn, ...]) -> bool:
        asked[fn.name] += 1
        return registered(self, owner, fn, around)

    monkeypatch.setattr(ModuleLowering, "_registered", counting)
    lay(tmp_path, {"app.py": FACTORY + "".join(ROUTE.format(n=n) for n in range(20)) + "    return app\n"})
    judged(tmp_path)
    assert len(asked) == 20
    assert max(asked.values()) == 1, asked.most_common(3)


# Modules that are loaded.

HEAVY = frozenset(("networkx", "jinja2", "sqlglot", "libcst", "pygls", "mcp", "watchfiles", "subprocess", "multiprocessing", "asyncio"))


def loaded(*args: str) -> set[str]:
    code = f"import sys\nfrom querylint.cli import run\nrun({list(args)!r})\nprint('\\n' + ' '.join(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("analyzer", "rules", "reports_templates"))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    return set(done.stdout.rpartition("\n")[0].rpartition("\n")[2].split())


def test_a_convex_project_loads_nothing_for_python_nor_what_is_heavy() -> None:
    modules = loaded("check", str(APPS / "hooklabs"), "--format", "concise")
    assert modules & HEAVY == set()
    assert not [name for name in modules if name.startswith(("querylint.frontends.python", "querylint.lsp", "querylint.syntax.sql"))]
    assert len(modules) <= 396


def test_a_python_project_loads_no_parser_of_typescript() -> None:
    modules = loaded("check", str(APPS / "newsroom-django"), "--format", "concise")
    assert modules & (HEAVY - {"sqlglot"}) == set()
    assert "tree_sitter" not in modules
    assert len(modules) <= 460


def test_help_loads_neither_front_ends_nor_rules() -> None:
    modules = loaded("rules", "--help")
    assert not [name for name in modules if name.startswith(("querylint.frontends", "querylint_rules", "querylint.link", "tree_sitter"))]
    assert len(modules) <= 180
