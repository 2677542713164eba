"""Views that name their template on the side: Django's class-based views, and functions whose result a renderer is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from querylint.construction import dataclass
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.templates.folders import Templates
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, last_name

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

LISTS = frozenset("ListView BaseListView MultipleObjectMixin FilterView MultipleObjectTemplateResponseMixin".split())
DETAILS = frozenset(
    "DetailView BaseDetailView SingleObjectMixin UpdateView DeleteView SingleObjectTemplateResponseMixin BaseUpdateView "
    "BaseDeleteView".split()
)
OTHERS = frozenset(
    "TemplateView TemplateResponseMixin FormView CreateView View ArchiveIndexView YearArchiveView MonthArchiveView DayArchiveView "
    "DateDetailView WeekArchiveView RedirectView ContextMixin".split()
)
SUFFIXES = {"ListView": "_list", "DetailView": "_detail", "UpdateView": "_form", "CreateView": "_form", "DeleteView": "_confirm_delete"}


@dataclass(frozen=True, slots=True)
class ClassView:
    """A class-based view with a template of its own. `several` says that it shows a list, None that it shows no rows."""

    info: ClassInfo
    path: str
    several: bool | None
    model: tree.Expr | None
    queryset: tree.Expr | None
    names: tuple[str, ...]


def class_view(project: PythonProject, templates: Templates, info: ClassInfo) -> ClassView | None:
    """The view that a class is; None where it is none or its template is not known."""
    words = {name.rpartition(".")[2] for name in info.ancestry()}
    if not words & (LISTS | DETAILS | OTHERS):
        return None
    several = True if words & LISTS else False if words & DETAILS else None
    model = _field(info, "model")
    queryset = _field(info, "queryset")
    path = _template(templates, info, words, last_name(model) or _model_of_queryset(queryset))
    if path is None:
        return None
    return ClassView(info, path, several, model, queryset, _context_names(info, several, last_name(model) or _model_of_queryset(queryset)))


def _field(info: ClassInfo, name: str) -> tree.Expr | None:
    found = info.field(name)
    return found[2] if found is not None else None


def _model_of_queryset(node: tree.Expr | None) -> str:
    """`Post` in `Post.objects.filter(...)`."""
    while isinstance(node, tree.Call | tree.Member):
        if isinstance(node, tree.Member) and node.name in ("objects", "_default_manager"):
            return last_name(node.base)
        node = node.func if isinstance(node, tree.Call) else node.base
    return ""


def _template(templates: Templates, info: ClassInfo, words: set[str], model: str) -> str | None:
    found = info.field("template_name")
    names: list[str] = []
    if found is not None and isinstance(found[2], tree.Literal) and isinstance(found[2].value, str):
        names.append(found[2].value)
    method = info.method("get_template_names")
    if not names and method is not None:
        names += [
            node.value
            for part in method[1].body
            for node in tree.walk(part)
            if isinstance(node, tree.Literal) and isinstance(node.value, str)
        ]
    if not names and model:
        suffix = _field(info, "template_name_suffix")
        given = suffix.value if isinstance(suffix, tree.Literal) and isinstance(suffix.value, str) else None
        end = given or next((SUFFIXES[word] for word in SUFFIXES if word in words), "")
        app = info.path.rpartition("/")[0].rpartition("/")[2].removesuffix("views")
        if end:
            names += [f"{app}/{model.lower()}{end}.html"] if app else []
    for name in names:
        path = templates.find(name, info.path) if "." in name and " " not in name else None
        if path is not None:
            return path
    return None


def _context_names(info: ClassInfo, several: bool | None, model: str) -> tuple[str, ...]:
    """The names under which the rows stand in the context."""
    if several is None:
        return ()
    given = _field(info, "context_object_name")
    own = given.value if isinstance(given, tree.Literal) and isinstance(given.value, str) else ""
    if not own and model:
        own = f"{model.lower()}_list" if several else model.lower()
    return tuple(name for name in ("object_list" if several else "object", own) if name)


def renderer(fn: tree.Fn, owner: ClassInfo | None) -> str:
    """The template that a decorator of a function, or of its class, names as its renderer; empty where none does."""
    for decorator in fn.decorators:
        if isinstance(decorator, tree.Call):
            named = _renderer_of(decorator)
            if named:
                return named
    if owner is not None and any(isinstance(d, tree.Call) and callee_name(d).startswith("view_config") for d in fn.decorators):
        for decorator in (d for one in owner.mro() for d in one.node.decorators):
            if isinstance(decorator, tree.Call):
                named = _renderer_of(decorator)
                if named:
                    return named
    return ""


def _renderer_of(node: tree.Call) -> str:
    word = callee_name(node)
    if word in ("template", "aiohttp_template", "jinja2_template", "render_with", "templated", "render_to"):
        value: tree.Expr | None = node.args[0] if node.args else None
    else:
        value = next((v for k, v in node.keywords if k == "renderer"), None)
    found = value.value if isinstance(value, tree.Literal) and isinstance(value.value, str) else ""
    return found if "." in found else ""
