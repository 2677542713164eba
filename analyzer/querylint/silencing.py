"""Comments that silence findings: where one can stand, and all that are found written at once, checked by a second analysis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from querylint import discover, engine, filters, review
from querylint.construction import dataclass
from querylint.engine import Project
from querylint.filters.comments import Comment, comments
from querylint.report.order import by_place
from querylint.result import NoteKind, Result
from querylint.rewrite.disk import replace_files
from querylint.rule import Finding
from querylint.settings import Settings
from querylint.syntax.typescript.comments import comment_at
from querylint.text import LineIndex

SCRIPT = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
HASH = (".py", ".pyi")
CLOSING = re.compile(r"[\r\n]|\*/|#\}")
WORD = re.compile(r"\w")
MOST_TRIES = 4


@dataclass(frozen=True, slots=True)
class Silenced:
    """What came of it: findings that comments now silence, and those that none can. Nothing is on the disk until `write`."""

    root: Path
    settings: Settings
    hushed: tuple[Finding, ...]
    left: tuple[Finding, ...]
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    result: Result

    def write(self) -> None:
        """Put the comments into the files: all or none. Raises PathError, with every file as it was."""
        if self.after:
            replace_files(self.root, self.before, self.after)


def fits(reason: str) -> bool:
    """Whether a reason can stand in a comment: a line of text that closes none."""
    return CLOSING.search(reason) is None and WORD.search(reason) is not None


def silence(paths: Sequence[Path], config: Path | None, overrides: Mapping[str, object], view: review.View, reason: str) -> Silenced:
    """Write a comment for each finding that would be reported, in memory.

    A comment is kept where a second analysis finds that it silences what it is for, that nothing new is found, and that all files parse
    as before. `reason` is one that `fits`. Raises QuerylintError as `review.check` does.
    """
    outcome = review.check(paths, config, overrides, view)
    scope = discover.locate(paths)
    result, settings = outcome.result, outcome.settings
    wanted = [f for f in by_place(result.findings) if f.severity.rank >= settings.show.rank and f.rule not in filters.PSEUDO_RULES]
    sources = {path: index.source for path, index in result.sources.items()}
    rules = engine.load_rules()
    before = engine.run((outcome.project or Project(scope, settings)).whole, rules)
    trying, after = wanted, dict[str, bytes]()
    for _ in range(MOST_TRIES):
        after = _written(trying, sources, reason)
        told = engine.run(Project(scope, settings, after).whole, rules)
        done = {one.finding.fingerprint for one in told.suppressed}
        spoilt = _spoilt(before, told)
        if not spoilt and all(f.fingerprint in done for f in trying):
            break
        holding = [f for f in trying if f.fingerprint in done]
        trying = holding if len(holding) < len(trying) else [f for f in trying if f.found.span.path not in spoilt]
    else:
        trying, after = [], {}
    hushed = {f.fingerprint for f in trying}
    left = tuple(f for f in wanted if f.fingerprint not in hushed)
    return Silenced(scope.root, settings, tuple(trying), left, {path: sources[path] for path in after}, after, result)


def _spoilt(before: Result, after: Result) -> frozenset[str]:
    """The files in which there is something that was not there before: a comment that silences nothing, or a line that no longer parses."""
    known = {f.fingerprint for f in before.findings}
    new = {f.found.span.path for f in after.findings if f.fingerprint not in known}
    broken = {n.path for n in after.notes if n.kind is NoteKind.PARSE} - {n.path for n in before.notes if n.kind is NoteKind.PARSE}
    return frozenset(new | broken)


def _written(findings: Sequence[Finding], sources: Mapping[str, bytes], reason: str) -> dict[str, bytes]:
    """The files with a comment for each of the lines that findings are on; those for which no comment can stand are left out."""
    lines: dict[tuple[str, int], list[Finding]] = {}
    for finding in findings:
        span = finding.found.span
        if span.path in sources:
            lines.setdefault((span.path, span.line), []).append(finding)
    edits: dict[str, list[tuple[int, int, bytes]]] = {}
    for (path, line), found in lines.items():
        data, rules = sources[path], list(dict.fromkeys(finding.rule for finding in found))
        made = _joined(path, data, line, rules)
        if made is None:
            text = comment_for(rules, path, data, min(finding.found.span.start for finding in found), f" -- {reason}")
            made = (text[0], text[0], text[1].encode()) if text is not None else None
        if made is not None:
            edits.setdefault(path, []).append(made)
    return {path: _edited(sources[path], made) for path, made in edits.items()}


def _edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for start, end, text in sorted(edits, reverse=True):
        data = data[:start] + text + data[end:]
    return data


def _joined(path: str, data: bytes, line: int, rules: list[str]) -> tuple[int, int, bytes] | None:
    """The names that a comment is to have besides, where one already speaks for the line; its own reason stays."""
    said = next((c for c in comments(LineIndex(path, data)) if _speaks(c, line)), None)
    if said is None:
        return None
    begin = data.index(b"[", said.span.start) + 1
    end = data.index(b"]", begin)
    return begin, end, ", ".join(dict.fromkeys((*said.names, *rules))).encode()


def _speaks(comment: Comment, line: int) -> bool:
    return comment.verb == "ignore" and comment.covers == line and bool(comment.names and comment.reason)


def comment_for(rules: Sequence[str], path: str, data: bytes, at: int, ending: str) -> tuple[int, str] | None:
    """Where in the file to insert which text, as a line above; None where that would be part of a string.

    `at` is the byte where the finding begins, `ending` what stands behind the names of the rules: a comment that ends where its reason is
    to be written silences nothing until then, and says so.
    """
    start = data.rfind(b"\n", 0, at) + 1
    line = data[start:].split(b"\n", 1)[0]
    indent = line[: len(line) - len(line.lstrip(b" \t"))]
    if data.startswith(b"\xef\xbb\xbf") and start == 0:
        start = 3
    if path.endswith(HASH) and data[:start].rstrip(b"\r\n").endswith(b"\\"):
        return None  # the line goes on from the one above
    words = f"querylint: ignore[{', '.join(rules)}]{ending}"
    for form in _forms(path, words):
        text = indent.decode() + form
        if _is_comment(path, data, start, text.encode(), len(indent)):
            end = "\r\n" if line.endswith(b"\r") else "\n"
            return start, text + end
    return None


def _forms(path: str, words: str) -> Iterator[str]:
    if path.endswith(HASH):
        yield f"# {words}"
    elif path.endswith(SCRIPT):
        yield f"// {words}"
        yield f"{{/* {words} */}}"
    else:
        yield f"{{# {words} #}}"


def _is_comment(path: str, data: bytes, start: int, text: bytes, indent: int) -> bool:
    """Whether the text would be taken for a suppression there, by us and by the language."""
    written = data[:start] + text + b"\n" + data[start:]
    line = data.count(b"\n", 0, start) + 1
    if not any(comment.span.line == line for comment in comments(LineIndex(path, written))):
        return False
    if not path.endswith(SCRIPT):
        return True
    brace = text[indent:].startswith(b"{")
    begin, end = start + indent + brace, start + len(text) - brace
    return comment_at(path, written, begin, end)
