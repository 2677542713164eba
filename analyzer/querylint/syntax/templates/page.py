"""What a template file holds once it is read: code in the plain tree, and what only templates have.

The words of a template language become calls of names that no author can write: `xs|length` calls `|length`, `{% url x %}` calls
`%url`, `x is odd` calls `?odd`. What those mean is for the reader of the tree to say. Text is a Literal in a Do, what is printed a
Template of one part.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from querylint.construction import dataclass
from querylint.syntax import tree

FILTER = "|"
TAG = "%"
TEST = "?"

BLOCK = "|block"
"""A call with the block's name as its Literal stands where the block does, in a template and in `self.name()`."""
INCLUDE = "|include"
"""The template's name and a Record of the names that it is given; the keyword `only` where it sees nothing else."""
SUPER = "|super"
"""The block of the same name in the template that is extended."""


class Dialect(Enum):
    """The language of a template. In Django's, a function that a dotted name reaches is called without arguments."""

    DJANGO = "django"
    JINJA = "jinja"


@dataclass(slots=True)
class BlockDef:
    """One `{% block name %}`: what stands in it, and the byte offsets of the whole."""

    name: str
    body: list[tree.Stmt]
    at: int
    end: int


@dataclass(slots=True)
class Page:
    """One template.

    `body` is all of it, with a call of `|block` where a block stands. `extends` is the name of the template that it fills in. `macros` are
    those at the top, which others may import; `imports` bind them (`*` for a whole template) under local names. `libraries` are what
    Django's `load` names. `broken` are byte ranges that were not understood; the code around them was read all the same.
    """

    path: str
    dialect: Dialect
    body: list[tree.Stmt] = field(default_factory=list)
    blocks: dict[str, BlockDef] = field(default_factory=dict)
    extends: tree.Expr | None = None
    macros: dict[str, tree.Fn] = field(default_factory=dict)
    imports: list[tree.Import] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    broken: list[tuple[int, int]] = field(default_factory=list)


def word(sign: str, name: str, args: list[tree.Expr], at: int, end: int, keywords: list[tuple[str, tree.Expr]] | None = None) -> tree.Call:
    """A call of a filter, a tag or a test."""
    return tree.Call(tree.Name(sign + name, at, at), args, at, end, keywords=keywords or [])


def nothing(at: int) -> tree.Opaque:
    """A test of which nothing is known: either arm may run."""
    return tree.Opaque([], at, at)
