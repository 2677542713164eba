"""Which language a template is written in, where its place does not say."""

from __future__ import annotations

import re

from querylint.syntax.templates.page import Dialect

JINJA_ENDINGS = (".jinja", ".jinja2", ".j2")
# What the one language has and the other cannot read.
DJANGO_SIGNS = re.compile(
    rb"""\{%\s*(?:load|url|static|csrf_token|blocktrans\w*|translate|empty|ifequal|ifchanged|regroup|comment|cycle|firstof|now|widthratio|\w+_tag)\b
    |\{%\s*trans\s+["']
    |\{%\s*include\s+\S+\s+with\s+\w+=
    |\{%\s*with\s+\S+\s+as\s
    |\|\s*\w+:(?:["'\w])
    |\{\{\s*block\.super
    |\bforloop\.""",
    re.VERBOSE,
)
JINJA_SIGNS = re.compile(
    rb"""\{%-|-%\}|\{\{-|-\}\}
    |\{%\s*(?:set|macro|call|from|import|do|endset|endmacro|raw|pluralize|elif\s[^%]*\()\b
    |\{%\s*trans\s*(?:%\}|\w+\s*[=,])
    |\{\{[^{}"']*\w\(
    |\{%\s*(?:if|for|set)[^%"']*\w\(
    |\bloop\.
    |\|\s*\w+\(
    |\{\{\s*super\(\)""",
    re.VERBOSE,
)


def dialect_of(path: str, source: bytes, usual: Dialect | None = None) -> Dialect:
    """The language of a template: by its ending or folder, else by what only one language has; `usual` where there is neither."""
    folders = path.split("/")[:-1]
    if path.endswith(JINJA_ENDINGS) or "jinja2" in folders:
        return Dialect.JINJA
    django = sum(1 for _ in DJANGO_SIGNS.finditer(source))
    jinja = sum(1 for _ in JINJA_SIGNS.finditer(source))
    if django != jinja:
        return Dialect.DJANGO if django > jinja else Dialect.JINJA
    return usual or Dialect.DJANGO
