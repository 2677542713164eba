"""Tags, filters and functions that a project registers for its templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import last_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

# What a module that registers something says; others are not parsed for it.
SIGNS = Pattern(
    rb"\.Library\(|\bregister\.|templatetags|global_function|\.globals\b|\.filters\b|jinja2\.filters|template_filter|template_global"
)
WORDS = b".Library( register. templatetags global_function .globals .filters template_filter template_global".split()
"""One of these stands in whatever the pattern finds: they are looked for first, which takes far less time."""
DECORATORS = {
    "simple_tag": "tag", "assignment_tag": "tag", "inclusion_tag": "inclusion", "simple_block_tag": "tag", "filter": "filter",
    "function": "function", "global_function": "function", "template_filter": "filter", "app_template_filter": "filter",
    "template_global": "function", "app_template_global": "function", "jinja2_filter": "filter",
}  # fmt: skip
CONTEXT = frozenset("contextfunction pass_context contextfilter takes_context jinja2.pass_context".split())
TEXT = frozenset(("stringfilter",))


@dataclass(frozen=True, slots=True)
class Registered:
    """One function under the name that templates know it by.

    `kind` is tag, inclusion, filter or function; `template` what an inclusion tag renders; `context` says that the context comes first,
    `text` that the first argument is made a text before (`@stringfilter`: Django, howto/custom-template-tags, "Template filters that expect
    strings").
    """

    name: str
    kind: str
    path: str
    fn: tree.Fn
    template: str = ""
    context: bool = False
    text: bool = False


class Registry:
    """What the whole project registers, by name."""

    def __init__(self, project: PythonProject) -> None:
        self.project = project
        self._known: dict[str, list[Registered]] | None = None

    def find(self, name: str, kinds: frozenset[str], libraries: list[str]) -> Registered | None:
        """The function of that name; of several, one of a library that the template loads."""
        found = [r for r in self._all().get(name, ()) if r.kind in kinds]
        for one in found:
            if _library(one.path) in libraries:
                return one
        return found[0] if found else None

    def _all(self) -> dict[str, list[Registered]]:
        if self._known is None:
            self._known = {}
            for path in sorted(self.project.modules.files):
                source = self.project.modules.source(path)
                if source is not None and any(word in source for word in WORDS) and SIGNS.search(source):
                    for one in self._of_module(path):
                        self._known.setdefault(one.name, []).append(one)
        return self._known

    def _of_module(self, path: str) -> Iterator[Registered]:
        module = self.project.modules.module(path)
        for statement in module.body if module is not None else ():
            if isinstance(statement, tree.FnDef):
                yield from self._decorated(path, statement.fn)
            for node in tree.walk(statement):
                if isinstance(node, tree.Call) and isinstance(node.func, tree.Member):
                    yield from self._called(path, node, node.func)
                elif isinstance(node, tree.Assign) and isinstance(node.target, tree.Index | tree.Member):
                    yield from self._assigned(path, node)

    def _decorated(self, path: str, fn: tree.Fn) -> Iterator[Registered]:
        context, text = (_has(fn, names) for names in (CONTEXT, TEXT))
        for decorator in fn.decorators:
            call = decorator if isinstance(decorator, tree.Call) else None
            kind = DECORATORS.get(last_name(call.func if call is not None else decorator))
            if kind is None or not _owned(call.func if call is not None else decorator):
                continue
            named = text_of(_keyword(call, "name")) if call is not None else ""
            template = ""
            if call is not None and kind == "inclusion":
                template = text_of(_keyword(call, "filename") or (call.args[0] if call.args else None))
            elif call is not None and call.args:
                named = named or text_of(call.args[0])
            yield Registered(named or fn.name, kind, path, fn, template, context or _true(_keyword(call, "takes_context")), text)

    def _called(self, path: str, node: tree.Call, func: tree.Member) -> Iterator[Registered]:
        """`register.filter("name", function)`, `env.globals.update(name=function)`."""
        kind = DECORATORS.get(func.name)
        if kind is not None and node.args and isinstance(node.args[0], tree.Literal) and len(node.args) > 1:
            yield from self._bound(path, text_of(node.args[0]), kind, node.args[1])
        elif kind is not None and len(node.args) == 1 and isinstance(node.args[0], tree.Name):
            yield from self._bound(path, node.args[0].id, kind, node.args[0])
        elif func.name == "update" and isinstance(func.base, tree.Member) and func.base.name in ("globals", "filters"):
            given = [(name, value) for name, value in node.keywords if name != "**"]
            for arg in node.args:
                if isinstance(arg, tree.Record):
                    given.extend((key, value) for key, value in arg.entries if isinstance(key, str))
            for name, value in given:
                yield from self._bound(path, name, "function" if func.base.name == "globals" else "filter", value)
        elif func.name == "setdefault" and len(node.args) == 2 and last_name(func.base) in ("filters", "globals"):
            # `filters.setdefault("name", "package.module:function")` of pyramid_jinja2
            kind = "function" if last_name(func.base) == "globals" else "filter"
            yield from self._bound(path, text_of(node.args[0]), kind, node.args[1])

    def _assigned(self, path: str, node: tree.Assign) -> Iterator[Registered]:
        """`env.filters["name"] = function`."""
        target = node.target
        if isinstance(target, tree.Index) and isinstance(target.key, tree.Literal):
            holder, name = target.base, text_of(target.key)
        elif isinstance(target, tree.Member):
            holder, name = target.base, target.name
        else:
            return
        if isinstance(holder, tree.Member) and holder.name in ("globals", "filters") and name:
            yield from self._bound(path, name, "function" if holder.name == "globals" else "filter", node.value)

    def _bound(self, path: str, name: str, kind: str, value: tree.Expr) -> Iterator[Registered]:
        if isinstance(value, tree.Literal) and isinstance(value.value, str):
            module, _, attribute = value.value.replace(":", ".").rpartition(".")
            found_path = self.project.modules.resolve(path, module) if module else None
            found = self.project.modules.definition(found_path, attribute) if found_path is not None else None
        else:
            found = self.project.modules.reference(path, value)
        if found is not None and isinstance(found.node, tree.FnDef) and name:
            fn = found.node.fn
            yield Registered(name, kind, found.path, fn, "", _has(fn, CONTEXT), _has(fn, TEXT))


def _has(fn: tree.Fn, names: frozenset[str]) -> bool:
    return any(last_name(d.func if isinstance(d, tree.Call) else d) in names for d in fn.decorators)


def _library(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _owned(node: tree.Expr) -> bool:
    """A registering decorator hangs on a library or an application: a bare `filter` is something else, `global_function` is not."""
    return isinstance(node, tree.Member) or last_name(node) in ("global_function", "jinja2_filter")


def _keyword(node: tree.Call | None, name: str) -> tree.Expr | None:
    return next((value for key, value in node.keywords if key == name), None) if node is not None else None


def _true(node: tree.Expr | None) -> bool:
    return isinstance(node, tree.Literal) and node.value is True
