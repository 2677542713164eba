"""Names that some views give to their templates: where a view whose context is known gives none of that name, it is empty.

A name that no code gives may come from anywhere, one that a context processor, a global of the templates or a route gives is everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from querylint.pattern import Pattern

GIVEN = Pattern(rb"""["'](\w+)["']\s*(?:\]\s*=(?!=)|:)""")
NAMED = Pattern(rb"(\w+)\s*=(?!=)")
HANDED = Pattern(rb"get_context_data\(([^()]*)\)")
ROUTED = Pattern(rb"<(?:\w+:)?(\w+)>")
PROCESSOR = Pattern(rb"""["']([\w.]+)\.\w+["']""")
EVERYWHERE = Pattern(rb"@[\w.]*context_processor\b|\.globals\b|extra_context")
OWN = frozenset("view form formset object object_list page_obj paginator is_paginated user request perms messages csrf_token debug".split())


class Flags:
    """The names that the code of a project puts into contexts, read when one is first asked for."""

    def __init__(self, files: Iterable[str], source: Callable[[str], bytes | None]) -> None:
        self._files = files
        self._source = source
        self._some: frozenset[str] | None = None

    def given(self, name: str) -> bool:
        """Whether some views give a name to their templates, each by itself."""
        if self._some is None:
            self._some = self._read()
        return name in self._some

    def _read(self) -> frozenset[str]:
        some: set[bytes] = set()
        everywhere: set[bytes] = set()
        sources = [(path, text) for path in self._files if (text := self._source(path)) is not None]
        processors = {m.group(1) for _, text in sources if b"context_processors" in text for m in PROCESSOR.finditer(text)}
        ends = tuple({f"{name.decode().replace('.', '/')}.py" for name in processors})
        for path, text in sources:
            if path.endswith(ends) or EVERYWHERE.search(text):
                everywhere.update(GIVEN.findall(text), NAMED.findall(text))
            elif b"urlpatterns" in text:
                everywhere.update(ROUTED.findall(text))
            elif b"context" in text or b"render" in text:
                some.update(GIVEN.findall(text))
                everywhere.update(name for given in HANDED.findall(text) for name in NAMED.findall(given))
        return frozenset(name.decode() for name in some - everywhere) - OWN
