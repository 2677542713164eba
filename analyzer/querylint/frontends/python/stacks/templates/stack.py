"""The calls and views of Python code that render templates: each walks through its template where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from querylint.construction import replace
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, External, Many, Marker, Query, Record, Val, derived
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stack import Stack
from querylint.frontends.python.stacks.templates import calls
from querylint.frontends.python.stacks.templates.flags import Flags
from querylint.frontends.python.stacks.templates.helpers import Helpers
from querylint.frontends.python.stacks.templates.registered import Registry
from querylint.frontends.python.stacks.templates.views import ClassView, class_view, renderer
from querylint.frontends.python.stacks.templates.words import PythonWords
from querylint.frontends.python.vocabulary import PythonVocabulary
from querylint.frontends.templates.folders import Templates
from querylint.frontends.templates.vocabulary import TemplateVocabulary
from querylint.result import Note, NoteKind
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

ANSWER = "as_view"
DEPTH = 4


class TemplateStack(Stack):
    """Templates of Django and Jinja, walked by whoever renders them."""

    name: ClassVar[str] = "templates"
    words: ClassVar[tuple[bytes, ...]] = (b"render", b"emplate")
    aside: ClassVar[bool] = True

    def __init__(self, project: PythonProject) -> None:
        super().__init__(project)
        self.templates = Templates(project.files, project.modules.source)
        self.registry = Registry(project)
        self.flags = Flags(project.modules.files, project.modules.source)
        self.helpers = Helpers(project.modules.source)
        self._views: dict[tuple[str, str], ClassView | None] = {}

    def notes(self) -> list[Note]:
        """Templates that could not be read to the end."""
        found = []
        for page in self.templates.seen():
            if page.broken:
                line = self.templates.lines(page.path).position(page.broken[0][0])[0]
                found.append(Note(NoteKind.PARSE, "a tag here is not understood; the rest of the template is analyzed", page.path, line))
        return found

    def closely(self) -> list[str]:
        """The templates that were walked."""
        return [page.path for page in self.templates.seen()]

    # Calls.

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """`render(request, "x.html", context)` and its kin."""
        receiver = base.shape if base is not None else None
        if isinstance(receiver, Marker) and receiver.kind == calls.TEMPLATE:
            return self._page(state, node, calls.of_template(state, node, receiver))
        if isinstance(func.shape, Closure) and func.shape.name and self._loud(state):
            for found in self.helpers.rendered(state, self.templates, node, func.shape):
                self._page(state, node, found)
            return None
        word = calls.word_of(node, func)
        known = isinstance(func.shape, External) or (base is not None and not func.interesting and base.doc_of is None)
        if not known:
            return None
        if word.endswith(calls.PAGERS) and isinstance(func.shape, External) and node.args:
            return calls.paged(state, node)
        if word in calls.FINDING:
            return calls.found_template(state, self.templates, node)
        if word in calls.RENDERING:
            page = calls.rendered(state, self.templates, node)
            return self._page(state, node, page) if page is not None else None
        return None

    def _page(self, state: State, node: tree.Call, found: calls.Rendered) -> Val:
        if self._loud(state):
            for path in found.paths:
                self.render(state, path, found.context, found.request)
        return derived(found.context, found.request)

    def _loud(self, state: State) -> bool:
        return isinstance(state.vocabulary, PythonVocabulary) and not state.vocabulary.place.quiet and not state.dead

    def render(self, state: State, path: str, context: Val, request: Val) -> None:
        """Walk through a template with what is known of its context."""
        inner = state.vocabulary
        assert isinstance(inner, PythonVocabulary)
        asked = request if request.interesting else Val(shape=Marker("request"))
        words = PythonWords(inner, self.templates, self.registry, self.flags, asked)
        self.templates.replays.begin(self.project.wave)
        page = TemplateVocabulary(state, self.templates, placed(state, _loose(context), {}), words)
        page.render(state, path)

    # Views.

    def answers(self, info: ClassInfo) -> tree.Fn | None:
        """A class-based view builds its context and renders its template."""
        view = self._view(info)
        if view is None:
            return None
        at, end = _rows_at(info) if view.several is not None else (info.node.at, info.node.at)
        me = tree.Name("self", at, at)
        call = tree.Call(tree.Member(me, "get_context_data", at, end, at), [], at, end)
        param = tree.Param(tree.NamePattern("self", at, at))
        return tree.Fn(ANSWER, [param], [tree.Return(call, at, end)], info.node.at, info.node.end)

    def _view(self, info: ClassInfo) -> ClassView | None:
        key = (info.path, info.name)
        if key not in self._views:
            self._views[key] = class_view(self.project, self.templates, info)
        return self._views[key]

    def returning(self, state: State, info: ClassInfo | None, fn: tree.Fn, value: Val) -> None:
        """What a view gives back is the context of its template."""
        if fn.name == ANSWER and info is not None and (view := self._view(info)) is not None:
            self.render(state, view.path, value, NOTHING)
            return
        name = renderer(fn, info)
        path = self.templates.find(name, state.path) if name else None
        if path is not None:
            self.render(state, path, value, NOTHING)

    def own_call(self, state: State, info: ClassInfo, base: Val, node: tree.Call) -> Val | None:
        """`super().get_context_data(**kwargs)` gives what Django puts into the context of a view."""
        assert isinstance(node.func, tree.Member)
        if node.func.name != "get_context_data":
            return None
        view = self._view(info)
        fields: dict[str, Val] = {"view": base}
        rest: list[Val] = []
        for key, value_node in node.keywords:
            value = state.evaluate(value_node)
            if key != "**":
                fields[key] = value
            elif isinstance(value.shape, Record):
                fields |= value.shape.fields
        if view is not None and view.several is not None:
            word = "get_queryset" if view.several else "get_object"
            at, end = node.at, node.end
            call = tree.Call(tree.Member(tree.Name("self", at, at), word, at, end, at), [], at, end)
            rows = state.evaluate(call)
            shape = rows.shape
            own = state.path == info.path and info.node.at <= at < info.node.end
            if isinstance(shape, Query) and shape.made is None and shape.at == at and not own:
                # a class above, of others too, asks for them: the class itself is where they can be changed
                rows = replace(rows, shape=replace(shape, made=self.project.modules.lines(info.path).span(*_rows_at(info))))
            for name in view.names:
                fields.setdefault(name, rows)
            if view.several:
                fields.setdefault("page_obj", rows)
        return Val(deps=derived(*fields.values()).deps, shape=Record(fields, tuple(rest)))


def _rows_at(info: ClassInfo) -> tuple[int, int]:
    """Where a class names the model of its rows: there they can be changed if it has no query of its own."""
    named = info.field("model")
    shown = named[2] if named is not None and named[0] is info else None
    return (shown.at, shown.end) if shown is not None else (info.node.at, info.node.at)


def _loose(context: Val) -> Val:
    """A context of which a name needs what stands under it, not what stands under the others."""
    shape = context.shape
    if not isinstance(shape, Record):
        return context
    parts = (*shape.fields.values(), *shape.rest)
    deps, pending = context.deps.difference(*(p.deps for p in parts)), context.pending.difference(*(p.pending for p in parts))
    return replace(context, deps=deps, pending=pending)


def placed(state: State, value: Val, seen: dict[int, Query], depth: int = 0) -> Val:
    """A value that goes into another file: queries in it keep the place where they were begun, and the rows that they have."""
    shape = value.shape
    if depth > DEPTH:
        return value
    if isinstance(shape, Query):
        if shape.made is not None:
            return value
        made = seen.get(id(shape))
        if made is None:
            made = seen[id(shape)] = replace(shape, made=state.span(shape.at, shape.end))
            known = state.results.get(id(shape))
            if known is not None:
                state.results[id(made)] = (made, known[1])
        return replace(value, shape=made)
    if isinstance(shape, Record):
        fields = {name: placed(state, part, seen, depth + 1) for name, part in shape.fields.items()}
        return replace(value, shape=Record(fields, tuple(placed(state, part, seen, depth + 1) for part in shape.rest)))
    if isinstance(shape, Many):
        items = tuple(placed(state, i, seen, depth + 1) for i in shape.items) if shape.items is not None else None
        return replace(value, shape=replace(shape, item=placed(state, shape.item, seen, depth + 1), items=items))
    return value
