"""The other tools, each in the version that its registry gives today, installed in a folder of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PYTHON = ("oxlint", "ruff", "ast-grep-cli", "djch", "django-lsp")
NODE = ("eslint", "typescript-eslint", "typescript@5", "@convex-dev/eslint-plugin")
ESLINT = """import tseslint from "typescript-eslint";
import convex from "@convex-dev/eslint-plugin";
export default tseslint.config(
  { files: ["**/*.{ts,tsx,js,jsx,mts,mjs}"] },
  ...tseslint.configs.recommended,
  ...convex.configs.recommended,
);
"""


class Peers:
    """Where the tools lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "python"
        self.node = folder / "node"

    def install(self) -> list[str]:
        """Install what is not there; what cannot be installed is told and left out."""
        missing = []
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.python)], check=True)
        for package in PYTHON:
            if not self._installed(package):
                done = subprocess.run([str(self.python / "bin" / "pip"), "install", "-q", package], check=False, capture_output=True)
                missing += [package] if done.returncode else []
        if not (self.node / "node_modules").exists():
            self.node.mkdir(exist_ok=True)
            (self.node / "package.json").write_text('{"private": true, "type": "module"}')
            (self.node / "eslint.config.mjs").write_text(ESLINT)
            done = subprocess.run(["npm", "install", "--silent", *NODE], cwd=self.node, check=False, capture_output=True)
            missing += list(NODE) if done.returncode else []
        return missing

    def _installed(self, package: str) -> bool:
        return any(self.python.glob(f"lib/*/site-packages/{package.replace('-', '_')}-*.dist-info"))

    def tool(self, name: str) -> str | None:
        """The command of a tool from PyPI; None where it is not there."""
        path = self.python / "bin" / name
        return str(path) if path.exists() else None

    def eslint(self) -> list[str] | None:
        """The command of ESLint with its settings; None where it is not there."""
        path = self.node / "node_modules" / "eslint" / "bin" / "eslint.js"
        return ["node", str(path), "-c", str(self.node / "eslint.config.mjs"), "--no-warn-ignored", "."] if path.exists() else None

    def versions(self) -> dict[str, str]:
        """Every tool with its version."""
        found = {}
        for package in PYTHON:
            for path in self.python.glob(f"lib/*/site-packages/{package.replace('-', '_')}-*.dist-info"):
                found[package] = path.name.removesuffix(".dist-info").rpartition("-")[2]
        for package in NODE:
            name = f"{package[:1]}{package[1:].partition('@')[0]}"
            manifest = self.node / "node_modules" / name / "package.json"
            if manifest.exists():
                found[name] = json.loads(manifest.read_text())["version"]
        return found
