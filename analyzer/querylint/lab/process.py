"""The two processes of Node's: one that bundles and runs nothing of the project, and one that runs the bundles and is shut in."""

from __future__ import annotations

import base64
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from querylint.errors import LabError
from querylint.lab.packages import Node, Packages, surroundings

RUNNER = Path(__file__).parent / "runner"
SECONDS = 20
"""How long one case may take."""
MEGABYTES = 512
"""How much memory the process may fill."""
BUNDLING = 300


@dataclass(frozen=True, slots=True)
class Site:
    """The project: its root, the folder of its functions below that, and the folders whose packages it may use, the nearest first."""

    root: Path
    functions: str
    around: tuple[Path, ...]


class Helper:
    """A process that answers each line with a line, started when it is first asked. Its environment is as good as empty."""

    def __init__(self, command: Sequence[str], folder: Path, greeting: Mapping[str, object] | None = None) -> None:
        self.command = command
        self.folder = folder
        self.greeting = greeting
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def ask(self, question: Mapping[str, object], seconds: int) -> dict[str, Any] | str:
        """The answer, or the reason why there is none."""
        try:
            process = self._started()
            _say(process, question)
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            self.stop()
            return f"it takes more than {seconds} seconds"
        except OSError:
            line = ""
        answer = json.loads(line) if line else None
        if not isinstance(answer, dict):
            self.stop()
            return "its process ends before it has answered"
        return answer

    def stop(self) -> None:
        """End the process; the next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(OSError, ValueError, subprocess.TimeoutExpired):
                process.wait(timeout=10)
            for stream in (process.stdin, process.stdout):
                with suppress(OSError, ValueError):
                    if stream is not None:
                        stream.close()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
                env=surroundings(), cwd=self.folder,
            )  # fmt: skip
            self._answers = queue.Queue()
            threading.Thread(target=_listen, args=(self._process.stdout, self._answers), daemon=True).start()
            if self.greeting is not None:
                _say(self._process, self.greeting)
        return self._process


class Bench:
    """A folder of its own, outside of the project, and the processes that work there. Everything is gone when it is left."""

    def __init__(self, node: Node, packages: Packages, site: Site) -> None:
        self.site = site
        self.folder = Path(tempfile.mkdtemp(prefix="querylint-lab-")).resolve()
        shutil.copy(RUNNER / "host.cjs", self.folder)
        root = Path(os.path.realpath(site.root))
        self._root = root
        around = [folder / "node_modules" for folder in site.around]
        inside = [root, *around, *(folder / "node_modules" for folder in (packages.convex, packages.convex_test))]
        self._made = 0
        self._builder = Helper(
            [node.path, "--no-warnings", str(RUNNER / "build.mjs")],
            self.folder,
            {
                "esbuild": str(packages.esbuild),
                "runner": str(RUNNER),
                "root": str(root),
                "convex": str(root / site.functions),
                "packages": {"convex": str(packages.convex), "convex-test": str(packages.convex_test)},
                "nodePaths": [str(folder) for folder in around],
                "inside": [str(folder) for folder in inside if folder.is_dir()],
            },
        )
        self._host = Helper(
            [
                node.path, "--no-warnings", node.shut_in, f"--allow-fs-read={self.folder}{os.sep}", f"--max-old-space-size={MEGABYTES}",
                "--disallow-code-generation-from-strings", str(self.folder / "host.cjs"),
            ],
            self.folder,
        )  # fmt: skip

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and delete the folder."""
        self._host.stop()
        self._builder.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def bundle(self, changed: Mapping[str, bytes], modules: Sequence[str], schema: str | None) -> Path:
        """A script with the functions of the project as they are but for `changed`; raises LabError where none can be made."""
        self._made += 1
        file = self.folder / f"{self._made}.js"
        answer = self._builder.ask(
            {
                "file": str(file),
                "overlay": {os.path.realpath(self._root / path): base64.b64encode(data).decode() for path, data in changed.items()},
                "modules": [str(self._root / path) for path in modules],
                "schema": str(self._root / schema) if schema is not None else None,
            },
            BUNDLING,
        )
        reason = answer if isinstance(answer, str) else answer["reason"]
        if reason is not None:
            raise LabError(f"the project cannot be bundled: {reason}")
        return file

    def ask(self, bundle: Path, request: Mapping[str, object], seconds: int | None = None) -> dict[str, Any]:
        """The answer to one request; one that takes too long, or too much memory, is answered by that as a refusal."""
        answer = self._host.ask({"bundle": str(bundle), "request": request}, SECONDS if seconds is None else seconds)
        return {"refused": answer} if isinstance(answer, str) else answer


def _say(process: subprocess.Popen[str], what: Mapping[str, object]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()


def _listen(stream: IO[str], answers: queue.Queue[str]) -> None:
    """Hand on every line, and an empty one at the end."""
    with suppress(OSError, ValueError):
        for line in stream:
            answers.put(line)
    answers.put("")
