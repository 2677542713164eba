"""The language server in a real Neovim, without a screen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fix_cases import FixCase, fix_cases
from git_project import POSTS, READING_HELPERS, GitProject, environment
from laid import lay
from tools import needs

SCRIPT = """
local python, out = ...
local function text_of(d) return vim.api.nvim_buf_get_text(0, d.lnum, d.col, d.end_lnum, d.end_col, {})[1] end
local function seen(number) return vim.wait(30000, function() return #vim.diagnostic.get(0) == number end, 50) end
local told = {}
vim.cmd("edit convex/posts.ts")
local id = vim.lsp.start_client({ name = "querylint", cmd = { python, "-m", "querylint", "lsp" }, root_dir = vim.fn.getcwd() })
vim.lsp.buf_attach_client(0, id)
vim.cmd("edit convex/helpers.ts")
vim.lsp.buf_attach_client(0, id)
vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.fn.readfile("helpers.txt"))
vim.cmd("buffer convex/posts.ts")
told.found = seen(1)
local found = vim.diagnostic.get(0)[1]
told.code, told.text = found.code, text_of(found)
local client = vim.lsp.get_client_by_id(id)
vim.api.nvim_win_set_cursor(0, { found.lnum + 1, found.col })
local asked = vim.lsp.util.make_range_params(0, client.offset_encoding)
asked.context = { diagnostics = {} }
local actions = client.request_sync("textDocument/codeAction", asked, 30000, 0).result
told.titles = vim.tbl_map(function(action) return action.title end, actions)
vim.lsp.util.apply_workspace_edit(actions[1].edit, client.offset_encoding)
told.mended = seen(0)
told.lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
vim.fn.writefile({ vim.fn.json_encode(told) }, out)
client.stop()
vim.cmd("qall!")
"""


RECORDING = """
local python, out, path = ...
vim.cmd("edit " .. path)
local id = vim.lsp.start_client({ name = "querylint", cmd = { python, "-m", "querylint", "lsp" }, root_dir = vim.fn.getcwd() })
vim.lsp.buf_attach_client(0, id)
local function seen(number) return vim.wait(30000, function() return #vim.diagnostic.get(0) == number end, 50) end
local told = { found = seen(1) }
local found = vim.diagnostic.get(0)[1]
vim.api.nvim_win_set_cursor(0, { found.lnum + 1, found.col })
local client = vim.lsp.get_client_by_id(id)
local asked = vim.lsp.util.make_range_params(0, client.offset_encoding)
asked.context = { diagnostics = {} }
local edit = client.request_sync("textDocument/codeAction", asked, 30000, 0).result[1].edit
vim.lsp.util.apply_workspace_edit(edit, client.offset_encoding)
told.mended = seen(0)
vim.cmd("silent wall")
vim.fn.writefile({ vim.fn.json_encode(told) }, out)
client.stop()
vim.cmd("qall!")
"""


@needs("nvim")
def test_neovim_shows_a_finding_and_applies_its_fix(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/posts.ts": POSTS.replace("      names.push", "      /* 🦉 é */ names.push"), "helpers.txt": READING_HELPERS})
    told = carried_out(SCRIPT, project.folder, tmp_path)
    assert told["found"]
    assert told["code"] == "loop-read"
    assert told["text"] == "nameOf(ctx, id)"
    assert told["mended"], told
    assert any("Promise.all" in line for line in told["lines"])


@needs("nvim")
@pytest.mark.parametrize("case", [case for case in fix_cases() if case.after.keys() - case.before.keys()], ids=lambda case: case.name)
def test_neovim_makes_the_file_of_a_migration(tmp_path: Path, case: FixCase) -> None:
    folder = lay(tmp_path / "project", {**case.before, "querylint.toml": 'show = "info"\n'})
    (mark,) = case.marks
    told = carried_out(RECORDING, folder, tmp_path, mark.path)
    assert told == {"found": True, "mended": True}
    written = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}
    assert written == {**case.before, **case.after}


def carried_out(script: str, folder: Path, aside: Path, *more: str) -> Any:
    """What a script tells that Neovim carries out in a folder."""
    (aside / "script.lua").write_text(script)
    out = aside / "told.json"
    given = ", ".join(repr(str(word)) for word in (sys.executable, out, *more))
    command = [
        "nvim",
        "--headless",
        "-u",
        "NONE",
        "-i",
        "NONE",
        "-n",
        "-c",
        f"lua loadfile({str(aside / 'script.lua')!r})({given})",
        "-c",
        "qall!",
    ]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert out.is_file(), done.stderr
    return json.loads(out.read_text())
