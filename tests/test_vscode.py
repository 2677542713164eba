"""The extension for Visual Studio Code: it packs, it loads, and it says what is wrong when the command is not there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import querylint
from git_project import ROOT
from tools import needs, unavailable

SOURCE = ROOT / "editors/vscode"
MANIFEST = json.loads((SOURCE / "package.json").read_text())


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension as it would be installed, made by the commands of its README from a copy of its sources."""
    folder = tmp_path_factory.mktemp("vscode") / "extension"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
    installed = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        unavailable(f"the packages that pack the extension cannot be installed: {installed.stderr.strip()[-200:]}")
    made = subprocess.run(["npm", "run", "package"], cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return folder / "querylint.vsix"


@needs("npm")
def test_what_is_packed_is_small_and_whole(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("extension/"))
    assert names == ["extension/LICENSE.txt", "extension/dist/extension.js", "extension/package.json", "extension/readme.md"]
    assert packed.stat().st_size < 300_000


@needs("node", "npm")
def test_it_loads_and_says_where_a_missing_command_can_be_named(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    command = ["node", str(Path(__file__).with_name("vscode_host.js")), str(tmp_path / "extension" / MANIFEST["main"])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["commands"] == [command["command"] for command in MANIFEST["contributes"]["commands"]]
    (complaint,) = told["complaints"]
    assert "`/not/there` was not found" in complaint
    assert "`querylint.path`" in complaint


def test_the_manifest_says_what_the_code_and_the_readme_do() -> None:
    code = (SOURCE / "extension.js").read_text()
    readme = (SOURCE / "README.md").read_text()
    names = set(MANIFEST["contributes"]["configuration"]["properties"])
    used = {f"querylint.{name}" for name in re.findall(r'settings\(\)\.get\("(\w+)"', code)}
    assert used | {"querylint.trace.server"} == names, "the trace is read by the library"
    assert names == set(re.findall(r"`(querylint\.[\w.]+)` \|", readme))
    assert MANIFEST["version"] == querylint.__version__
    assert (SOURCE / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
