"""Remedies turned into edits: one module for each kind of remedy and language, loaded when a finding asks for it.

A rewriter is a module with a function `rewrite(task: Task, remedy: ...) -> Fix | Unfit`. It knows remedies and syntax, never rules: the
finding tells where, the program tells what reads, writes and depends on what. It answers `Unfit`, with the reason in words for the
user, wherever it cannot be sure that the edit is right; the engine then offers none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from importlib import import_module
from typing import Protocol, cast

from querylint import remedy as remedies
from querylint.construction import dataclass
from querylint.ir import Function, Program
from querylint.patch import NO_FIX, Fix
from querylint.remedy import Remedy
from querylint.rewrite.file import File
from querylint.rule import Found
from querylint.text import Span

LANGUAGES = {
    "typescript": (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"),
    "python": (".py",),
}

REWRITERS: dict[tuple[str, type[Remedy]], str] = {
    ("typescript", remedies.Gather): "querylint.rewrite.typescript.gather",
    ("typescript", remedies.DropIndex): "querylint.rewrite.typescript.drop_index",
    ("typescript", remedies.Batch): "querylint.rewrite.typescript.loops",
    ("typescript", remedies.Hoist): "querylint.rewrite.typescript.hoist",
    ("typescript", remedies.Reuse): "querylint.rewrite.typescript.reuse",
    ("typescript", remedies.PushDown): "querylint.rewrite.typescript.push_down",
    ("typescript", remedies.Rename): "querylint.rewrite.typescript.rename",
    ("typescript", remedies.Limit): "querylint.rewrite.typescript.limit",
    ("typescript", remedies.Probe): "querylint.rewrite.typescript.limit",
    ("python", remedies.AddIndex): "querylint.rewrite.indexes.fixing",
    ("python", remedies.DropIndex): "querylint.rewrite.indexes.fixing",
    ("python", remedies.Preload): "querylint.rewrite.python.preload",
    ("python", remedies.Batch): "querylint.rewrite.python.batch",
    ("python", remedies.Hoist): "querylint.rewrite.python.hoist",
    ("python", remedies.Probe): "querylint.rewrite.python.asking",
    ("python", remedies.Limit): "querylint.rewrite.python.first",
    ("python", remedies.Counter): "querylint.rewrite.python.asking",
}
"""The module that carries out a kind of remedy in a language."""


BY_HAND: dict[type[Remedy], str] = {
    remedies.Counter: "a running count has to be kept by everything that writes the rows, and backfilled: that is up to you",
    remedies.Chunk: "how many rows make a batch, and how the next one starts, is up to you",
    remedies.Narrow: "whether anything else needs the other fields is for you to say",
}
"""Why no edit is made for a kind of remedy."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """No edit is offered, and why."""

    reason: str


@dataclass(slots=True)
class Sources:
    """The files as they were analyzed, what each language has made of them, by path, and which files there are."""

    read: Callable[[str], bytes | None]
    parsed: dict[str, object] = field(default_factory=dict)
    files: Sequence[str] = ()


def unchanged(parsed: Mapping[str, object], read: Callable[[str], bytes | None]) -> dict[str, object]:
    """Of the parsed files of another state of the project, those that are the same in this one."""
    return {key: file for key, file in parsed.items() if isinstance(file, File) and file.data == read(file.path)}


@dataclass(frozen=True, slots=True)
class Task:
    """A finding whose remedy is to be carried out, in the program that it was found in."""

    found: Found
    program: Program
    sources: Sources

    @property
    def function(self) -> Function | None:
        """The function that the finding lies in."""
        return self.program.functions.get(self.found.function)


class Rewriter(Protocol):
    """What the module of a rewriter offers."""

    def rewrite(self, task: Task, remedy: Remedy) -> Fix | Unfit:
        """The edits, or why there are none."""
        ...


def propose(task: Task) -> Fix | Unfit:
    """The fix for a finding, or why there is none."""
    remedy = task.found.remedy
    at = getattr(remedy, "at", None)
    path = at.path if isinstance(at, Span) else task.found.span.path
    language = next((name for name, suffixes in LANGUAGES.items() if path.endswith(suffixes)), "")
    module = REWRITERS.get((language, type(remedy))) if remedy is not None else None
    if remedy is None or module is None:
        return Unfit(BY_HAND.get(type(remedy), NO_FIX) if remedy is not None else NO_FIX)
    return cast("Rewriter", import_module(module)).rewrite(task, remedy)
