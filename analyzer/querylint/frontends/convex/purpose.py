"""What a function is for, where its author says that nobody waits for it: by its name or comment, or as it refuses to run in production."""

from __future__ import annotations

import re

from querylint.ir import Role
from querylint.pattern import Pattern
from querylint.syntax import tree

WORDS = Pattern(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
ONCE = frozenset(
    "backfill backfills migrate migration migrations repair repairs reindex dedupe deduplicate seed seeds fixture fixtures".split()
)
ONE_TIME = Pattern(rb"one-?\s?(?:time|off)\s", re.IGNORECASE)
SAID_ONCE = Pattern(
    rb"\A[\s/*!=#-]*(?:an?\s+|the\s+)?one-?\s?(?:time|off)\s+(?:\w+\s+)?"
    rb"(?:script|migration|clean-?up|backfill|fix|repair|utility|maintenance)\b",
    re.IGNORECASE,
)
HEAD = Pattern(rb"\s*(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:const|let|function)?[\w\s]*=?\s*")
LONGEST_HEAD = 200
LONGEST = 3000  # bytes before a function in which its comment is looked for
DEVELOPMENT = frozenset(("development", "dev", "test", "local"))
PRODUCTION = frozenset(("production", "prod"))
ENVIRONMENT = Pattern(r"(?:^|_)ENV(?:IRONMENT)?$")


def role_of(role: Role, name: str, fn: tree.Fn, before: bytes) -> Role:
    """The role of a function in a file of some role; `before` is the source right before it."""
    if role is not Role.CODE:
        return role
    if {word.lower() for word in WORDS.findall(name)} & ONCE or _said_once(before):
        return Role.MIGRATION
    return Role.SCRIPT if _only_in_development(fn) else role


def _said_once(before: bytes) -> bool:
    """Whether the comment right above a function says that it is run once."""
    return ONE_TIME.search(before) is not None and SAID_ONCE.search(_comment(before)) is not None


def _comment(before: bytes) -> bytes:
    """The comment at the end of a source, before the beginning of a definition."""
    end = before.rfind(b"*/")
    if end >= 0 and len(before) - end < LONGEST_HEAD and HEAD.fullmatch(before, end + 2):
        return before[max(before.rfind(b"/*", 0, end), 0) : end]
    *lines, _ = before.split(b"\n")
    first = next((n for n in range(len(lines), 0, -1) if not lines[n - 1].lstrip().startswith(b"//")), 0)
    return b"\n".join(lines[first:])


def _only_in_development(fn: tree.Fn) -> bool:
    """Whether a function refuses to run anywhere but on the machine of a developer."""
    for statement in fn.body:
        if isinstance(statement, tree.If):
            return len(statement.then) == 1 and _refuses(statement.then[0]) and _in_production(statement.test)
        if not isinstance(statement, tree.Let | tree.Do) or tree.find(statement, tree.Await):
            return False  # what it waits for before it refuses, it does in production too
    return False


def _refuses(statement: tree.Stmt) -> bool:
    return isinstance(statement, tree.Throw) or (isinstance(statement, tree.Return) and isinstance(statement.value, tree.Literal | None))


def _in_production(test: tree.Expr) -> bool:
    """Whether a test holds in production: `process.env.NODE_ENV !== "development"`."""
    if not isinstance(test, tree.Op) or len(test.operands) != 2 or not _environment(test.operands[0]):
        return False
    literal = test.operands[1]
    value = literal.value if isinstance(literal, tree.Literal) else None
    return value in (DEVELOPMENT if test.sign in ("!==", "!=") else PRODUCTION if test.sign in ("===", "==") else ())


def _environment(node: tree.Expr) -> bool:
    """Whether an expression tells where the code runs: `process.env.NODE_ENV`; other variables may hold the same words."""
    if not isinstance(node, tree.Member) or not isinstance(node.base, tree.Member) or node.base.name != "env":
        return False
    return ENVIRONMENT.search(node.name) is not None
