"""Calls that render a template: which argument names it, and which holds its context."""

from __future__ import annotations

from querylint.construction import dataclass, replace
from querylint.frontends.flow.scope import Scope
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, External, Marker, Query, Record, Val, derived, join
from querylint.frontends.python.stacks.templates.names import pages_named
from querylint.frontends.templates.folders import Templates
from querylint.syntax import tree

# The last word of a function or method that renders; which argument is the name shows in what it stands for.
RENDERING = frozenset(
    "render render_to_response render_to_string render_template render_template_to_response TemplateResponse SimpleTemplateResponse "
    "async_render_template stream_template HtmxResponse".split()
)
FINDING = frozenset(("get_template", "select_template", "get_or_select_template"))
# Classes of paging libraries: `Page(query, page=2, items_per_page=20)`.
PAGERS = ("Page", "Pagination")
WRAPPERS = frozenset(("RequestContext", "Context", "make_context"))
NAMES = frozenset(("template_name", "template", "template_name_or_list", "renderer_name", "name"))
CONTEXTS = frozenset(("context", "context_data", "dictionary", "data", "value", "values", "context_instance"))
OTHERS = frozenset(("request", "content_type", "status", "using", "mimetype", "status_code", "headers", "package", "response", "charset"))
TEMPLATE = "a template"


@dataclass(slots=True)
class Rendered:
    """What a call renders: files of templates and the context. `request` is what its first argument is, where that is no name."""

    paths: list[str]
    context: Val
    request: Val


def word_of(node: tree.Call, func: Val) -> str:
    """The last word of what is called."""
    if isinstance(func.shape, External):
        return func.shape.source.rpartition(".")[2]
    return node.func.name if isinstance(node.func, tree.Member) else node.func.id if isinstance(node.func, tree.Name) else ""


def rendered(state: State, templates: Templates, node: tree.Call) -> Rendered | None:
    """A call of a rendering function; None where no argument names a template of the project."""
    named = dict(node.keywords)
    paths: list[str] = []
    place = -1
    for number, arg in enumerate(node.args[:2]):
        paths = pages_named(state, templates, arg)
        if paths:
            place = number
            break
    if not paths:
        key = next((k for k in named if k in NAMES), None)
        paths = pages_named(state, templates, named[key]) if key is not None else []
    if not paths:
        return None
    request = state.evaluate(node.args[0]) if place == 1 else state.evaluate(named["request"]) if "request" in named else NOTHING
    context = NOTHING
    first = place + 1 if place >= 0 else 0
    after = node.args[first:]
    given = after[0] if after else None
    if given is None:
        given = next((named[k] for k in named if k in CONTEXTS), None)
    if given is not None:
        context = context_of(state, given)
        if place == 0 and not isinstance(context.shape, Record) and len(after) > 1:
            context = context_of(state, after[1])
    fields: dict[str, Val] = {}
    rest: list[Val] = []
    for key, value_node in node.keywords:
        if key in NAMES or key in OTHERS or value_node is given:
            continue
        value = context_of(state, value_node)
        if key == "**" or key in CONTEXTS:
            if isinstance(value.shape, Record):
                fields |= value.shape.fields
                rest.extend(value.shape.rest)
            elif value.interesting:
                rest.append(value)
        else:
            fields[key] = value
    if fields or rest:
        own = context.shape if isinstance(context.shape, Record) else Record({}, (context,) if context.interesting else ())
        context = Val(
            context.origins, derived(context, *fields.values(), *rest).deps, shape=Record({**own.fields, **fields}, (*own.rest, *rest))
        )
    return Rendered(paths, context, request)


def context_of(state: State, node: tree.Expr) -> Val:
    """The variables that a template is given."""
    if isinstance(node, tree.Call):
        name = node.func.name if isinstance(node.func, tree.Member) else node.func.id if isinstance(node.func, tree.Name) else ""
        if name == "locals" and not node.args:
            return Val(shape=Record(_visible(state)))
        if name in WRAPPERS and node.args:
            found = NOTHING
            for arg in node.args:
                value = context_of(state, arg)
                found = value if isinstance(value.shape, Record) else found
            return found
    return state.evaluate(node)


def _visible(state: State) -> dict[str, Val]:
    found: dict[str, Val] = {}
    scope: Scope | None = state.scope
    while scope is not None:
        for name, var in scope.names.items():
            found.setdefault(name, state.store.get(var, NOTHING))
        scope = scope.parent
    return found


def paged(state: State, node: tree.Call) -> Val | None:
    """One page of what a query asks for, as a paging library hands it to a template; None where no query is paged."""
    rows = state.evaluate(node.args[0])
    if not isinstance(rows.shape, Query):
        return None
    others = [state.evaluate(arg) for arg in (*node.args[1:], *(value for _, value in node.keywords))]
    return replace(rows, deps=derived(rows, *others).deps, shape=replace(rows.shape, cut=True, refined=True))


def found_template(state: State, templates: Templates, node: tree.Call) -> Val | None:
    """`get_template("x.html")`: the template as a value."""
    if not node.args:
        return None
    paths = pages_named(state, templates, node.args[0])
    return Val(shape=Marker(TEMPLATE, tuple(paths))) if paths else None


def of_template(state: State, node: tree.Call, base: Marker) -> Rendered:
    """`template.render(context)`, `template.render(**context)`."""
    context = NOTHING
    if node.args:
        context = context_of(state, node.args[0])
    request = state.evaluate(node.args[1]) if len(node.args) > 1 else NOTHING
    fields: dict[str, Val] = {}
    for key, value_node in node.keywords:
        value = context_of(state, value_node)
        if key == "request":
            request = value
        elif key in ("**", "context"):
            context = join(context, value) if context is not NOTHING else value
        else:
            fields[key] = value
    if fields:
        own = context.shape if isinstance(context.shape, Record) else Record({}, (context,) if context.interesting else ())
        context = Val(context.origins, derived(context, *fields.values()).deps, shape=Record({**own.fields, **fields}, own.rest))
    return Rendered(list(base.data), context, request)
