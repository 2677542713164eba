"""The language server in a real Neovim, without a screen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from git_project import POSTS, READING_HELPERS, GitProject, environment
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


@needs("nvim")
def test_neovim_shows_a_finding_and_applies_its_fix(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/posts.ts": POSTS.replace("      names.push", "      /* 🦉 é */ names.push"), "helpers.txt": READING_HELPERS})
    (tmp_path / "script.lua").write_text(SCRIPT)
    out = tmp_path / "told.json"
    load = f"lua loadfile({str(tmp_path / 'script.lua')!r})({sys.executable!r}, {str(out)!r})"
    command = ["nvim", "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c", load, "-c", "qall!"]
    done = subprocess.run(command, cwd=project.folder, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert out.is_file(), done.stderr
    told = json.loads(out.read_text())
    assert told["found"]
    assert told["code"] == "loop-read"
    assert told["text"] == "nameOf(ctx, id)"
    assert told["mended"], told
    assert any("Promise.all" in line for line in told["lines"])
