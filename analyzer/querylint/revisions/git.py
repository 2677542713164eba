"""Questions to git: what a commit or the index holds, and which files differ.

Only plumbing that runs no filter, no text conversion and no monitor is used; blobs are read as they were stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.errors import RevisionError

if TYPE_CHECKING:
    import subprocess

INDEX = ":"
"""Stands for the index where a commit could be named."""

_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "diff.relative=false")
_LINK, _MODULE = "120000", "160000"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a state of the repository; `path` is relative to the top of the repository."""

    path: str
    blob: str
    link: bool


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, by the folder that holds its work tree."""

    top: Path

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """The repository that a folder lies in; raises RevisionError where there is none."""
        said = _git(folder, "rev-parse", "--show-toplevel")
        if said.returncode:
            if b"not a git repository" in said.stderr:
                raise RevisionError(f"`{folder}` is not in a git repository, so there is nothing to compare it with")
            raise RevisionError(f"git cannot be asked about `{folder}` ({_reason(said)})")
        top = Path(os.fsdecode(said.stdout.removesuffix(b"\n"))).resolve()
        if not folder.is_relative_to(top):
            raise RevisionError(f"`{folder}` lies outside of the work tree that git takes it to be in, `{top}`")
        return cls(top)

    def merge_base(self, name: str) -> str:
        """The commit from which the current one and the named one parted ways; raises RevisionError where there is none."""
        said = self._ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") if not name.startswith("-") else None
        if said is None or said.returncode:
            raise RevisionError(f"`{name}` is not a known commit{' (in CI: is it fetched?)' if '/' in name else ''}")
        commit = said.stdout.decode().strip()
        base = self._ask("merge-base", "HEAD", commit)
        if base.returncode:
            raise RevisionError(
                f"`{name}` and the current commit have no common ancestor here; is the clone a shallow one (fetch-depth: 0)?"
            )
        return base.stdout.decode().split()[0]

    def head(self) -> str | None:
        """The current commit; None before the first one."""
        said = self._ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return None if said.returncode else said.stdout.decode().strip()

    def staged(self) -> frozenset[str]:
        """The files whose content in the index is not that of the current commit, relative to the top."""
        if self.head() is None:
            return frozenset(entry.path for entry in self.entries(INDEX))
        return self._paths("diff-index", "--cached", "--name-only", "--no-renames", "-z", "HEAD")

    def changed(self) -> frozenset[str]:
        """The files that differ from the current commit, those that git does not know yet among them, relative to the top."""
        new = self._paths("ls-files", "--others", "--exclude-standard", "--full-name", "-z")
        if self.head() is None:
            return new | frozenset(entry.path for entry in self.entries(INDEX))
        return new | self._paths("diff", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "-z", "HEAD")

    def entries(self, commit: str) -> list[Entry]:
        """The files of a commit, or of `INDEX`; submodules are no files. Of a file in conflict the current branch's side is taken."""
        if commit == INDEX:
            rows = [line.split(b"\t", 1) for line in self._lines("ls-files", "--stage", "--full-name", "-z")]
            listed = [(*(part.decode() for part in head.split()), os.fsdecode(path)) for head, path in rows]
            return [Entry(path, blob, mode == _LINK) for mode, blob, stage, path in listed if mode != _MODULE and stage in ("0", "2")]
        rows = [line.split(b"\t", 1) for line in self._lines("ls-tree", "-r", "--full-tree", "-z", commit)]
        named = [(*(part.decode() for part in head.split()), os.fsdecode(path)) for head, path in rows]
        return [Entry(path, blob, mode == _LINK) for mode, kind, blob, path in named if kind == "blob"]

    def contents(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """What the files hold, as it was stored; a blob that is not there is passed over."""
        import subprocess

        command = ["git", *_QUIET, "cat-file", "--batch"]
        process = subprocess.Popen(command, cwd=self.top, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        with process, closing(process.stdin) as asking:
            for entry in entries:
                asking.write(f"{entry.blob}\n".encode())
                asking.flush()
                header = process.stdout.readline().split()
                if len(header) != 3:
                    continue
                data = process.stdout.read(int(header[2]))
                process.stdout.read(1)
                yield entry, data

    def _paths(self, *args: str) -> frozenset[str]:
        return frozenset(os.fsdecode(path) for path in self._lines(*args))

    def _lines(self, *args: str) -> list[bytes]:
        said = self._ask(*args)
        if said.returncode:
            raise RevisionError(f"`git {args[0]}` failed ({_reason(said)})")
        return [line for line in said.stdout.split(b"\0") if line]

    def _ask(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        return _git(self.top, *args)


def uncommitted(root: Path, paths: Iterable[str]) -> frozenset[str]:
    """Those of the files below a folder whose content no commit holds, so that a change would lose it; none outside of a repository."""
    wanted = sorted(paths)
    if not wanted:
        return frozenset()
    try:
        prefix = _git(root, "rev-parse", "--show-prefix")
        how = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching")
        status = _git(root, "--literal-pathspecs", "status", *how, "--", *wanted)
    except RevisionError:
        return frozenset()
    if prefix.returncode or status.returncode:
        return frozenset()
    inside = os.fsdecode(prefix.stdout.removesuffix(b"\n"))
    named = [os.fsdecode(entry[3:]) for entry in status.stdout.split(b"\0") if entry]
    dirty = {name[len(inside) :] for name in named if name.startswith(inside)}
    return frozenset(path for path in wanted if any(path == name or (name.endswith("/") and path.startswith(name)) for name in dirty))


def _git(folder: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    import subprocess  # most runs ask git nothing

    try:
        return subprocess.run(["git", *_QUIET, *args], cwd=folder, env=_environment(), capture_output=True, check=False)
    except FileNotFoundError:
        raise RevisionError("git is not installed, so there is nothing to compare with") from None
    except OSError as error:
        raise RevisionError(f"git cannot be run ({(error.strerror or str(error)).lower()})") from None


def _environment() -> dict[str, str]:
    """The environment without what a hook is told about its own repository; only the index that is being committed stays."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX")}
    return kept | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def _reason(said: subprocess.CompletedProcess[bytes]) -> str:
    lines = said.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"exit code {said.returncode}"
