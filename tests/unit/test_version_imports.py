from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"networkx", "jinja2", "tree_sitter", "tree_sitter_typescript", "libcst", "pathspec", "querylint.engine", "querylint_rules"}
PROGRAM = """
import json, sys
from querylint.cli import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize("args", [["--version"], ["--help"], ["check", "--help"]])
def test_questions_to_the_door_load_nothing_heavy(args: list[str]) -> None:
    path = os.pathsep.join(str(ROOT / folder) for folder in ("analyzer", "rules", "reports_templates"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *args],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    code, modules = json.loads(done.stderr)
    assert code == 0
    assert not HEAVY & set(modules)
