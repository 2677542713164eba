"""The language server in a real Emacs with lsp-mode, without a screen, set up as the page on editors says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from git_project import POSTS, READING_HELPERS, ROOT, GitProject, environment
from tools import needs, unavailable

CLIENT = re.findall(r"```elisp\n(.*?)```", (ROOT / "docs/editors.md").read_text(encoding="utf-8"), re.DOTALL)[0]
SCRIPT = """
(package-initialize)
(require 'lsp-mode)
(require 'json)
(setq lsp-enable-snippet nil lsp-session-file (expand-file-name "session" (getenv "HOME")) lsp-warn-no-matched-clients nil)
(define-derived-mode typescript-mode js-mode "TypeScript")
(add-to-list 'lsp-language-id-configuration '(typescript-mode . "typescript"))
%s
(lsp-workspace-folders-add default-directory)
(find-file "convex/posts.ts")
(typescript-mode)
(lsp)
(defun shown () (apply #'append (hash-table-values (lsp-diagnostics))))
(let ((end (+ (float-time) 60)))
  (while (and (null (shown)) (< (float-time) end)) (accept-process-output nil 0.1)))
(let* ((diagnostic (car (shown)))
       (range (gethash "range" diagnostic))
       (start (gethash "start" range)))
  (goto-char (point-min))
  (forward-line (gethash "line" start))
  (forward-char (gethash "character" start))
  (let ((actions (lsp-code-actions-at-point)))
    (lsp-execute-code-action (seq-find (lambda (action) (gethash "edit" action)) actions))
    (with-temp-file (getenv "TOLD")
      (insert (json-encode (list (cons 'code (gethash "code" diagnostic)) (cons 'message (gethash "message" diagnostic))
                                 (cons 'text (with-current-buffer "posts.ts" (buffer-string)))))))))
"""


@needs("emacs")
def test_emacs_shows_a_finding_and_applies_its_fix(tmp_path: Path) -> None:
    project = GitProject(tmp_path / "repo")
    project.write({"convex/posts.ts": POSTS, "convex/helpers.ts": READING_HELPERS})
    (tmp_path / "script.el").write_text(SCRIPT % CLIENT.replace('"querylint" "lsp"', f'"{sys.executable}" "-m" "querylint" "lsp"'))
    told = tmp_path / "told.json"
    done = subprocess.run(
        ["emacs", "--batch", "-l", str(tmp_path / "script.el")],
        cwd=project.folder, check=False, capture_output=True, text=True, timeout=120,
        env=environment() | {"HOME": str(tmp_path), "TOLD": str(told)},
    )  # fmt: skip
    if "Cannot open load file" in done.stderr:
        unavailable("Emacs has no lsp-mode here")
    assert told.is_file(), done.stderr
    seen = json.loads(told.read_text())
    assert seen["code"] == "loop-read"
    assert "help: " in seen["message"]
    assert "Promise.all" in seen["text"]
