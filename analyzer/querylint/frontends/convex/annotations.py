"""Types written in the source: which table an id or a document is of, what is a context, what a class of the project."""

from __future__ import annotations

from querylint.frontends.convex.arguments import argument_types
from querylint.frontends.convex.context import ModuleContext, context_value, database_value
from querylint.frontends.convex.makers import of_type
from querylint.frontends.flow.values import ClassRef, Many, Record, Val
from querylint.pattern import Pattern
from querylint.syntax import tree

ID_TYPE = Pattern(r"""\b(?:Id|GenericId)<\s*["'](\w+)["']\s*>|\bDoc<\s*["'](\w+)["']\s*>\[\s*["']_id["']\s*\]""")


DOC_TYPE = Pattern(
    r"""\b(?:Doc|Ent|WithoutSystemFields<\s*Doc|DocumentByName<[^,<>]+,|WithId<\s*Doc)\s*<?\s*["'](\w+)["'](?!\s*>\s*\[\s*["'])"""
)


CTX_TYPE = Pattern(r"\b\w*(?:QueryCtx|MutationCtx|ActionCtx|QueryContext|MutationContext|Ctx|FunctionContext)\b")


DB_TYPE = Pattern(r"""\b(?:Generic)?Database(?:Reader|Writer)\b|Ctx\s*(?:<[^<>]*>)?\[\s*["']db["']\s*\]""")


LIST_TYPE = Pattern(r"\[\]\s*(?:\|.*)?$|^(?:Readonly)?(?:Array|Set|Iterable)<|^readonly .*\[\]")


CLASS_TYPE = Pattern(r"^(\w+)(?:\s*\|.*)?$")


VALIDATED_TYPE = Pattern(r"^(?:Infer|ObjectType)<\s*typeof\s+(\w+)\s*>$")


RETURNED_TYPE = Pattern(r"^(?:Awaited<\s*)?ReturnType<\s*typeof\s+(\w+)\s*>\s*>?$")


MOST_ALIASES = 3


def typed(context: ModuleContext, value: Val, text: str, depth: int = 0, path: str = "") -> Val:
    """A value with what its type says of it; a name that the project gives to a type says what that type says.

    The type is written in the module `path`, by default in that of the context.
    """
    if not text or text == "any":
        return value
    validated = VALIDATED_TYPE.match(text)
    if validated is not None:
        return argument_types(context.modules, path or context.path, tree.Name(validated[1], 0, 0), value) if value.shape is None else value
    returned = RETURNED_TYPE.match(text) if value.shape is None else None
    if returned is not None:
        return of_type(context, value, path or context.path, returned[1])
    ids = ID_TYPE.search(text)
    docs = DOC_TYPE.search(text)
    found = ids or docs
    if found is not None and not text.startswith("{"):
        table = found[1] or found[2]
        if LIST_TYPE.search(text):
            if isinstance(value.shape, Many):
                return value
            item = Val(tuple(o.at("[]") for o in value.origins), value.deps, **({"id_of": table} if ids else {"doc_of": table}))  # type: ignore[arg-type]
            return Val(value.origins, value.deps, value.pending, value.literal, Many(item), value.works)
        if text.startswith(("Map<", "Record<")):
            return value
        fresh = Val(
            value.origins, value.deps, value.pending, value.literal, value.shape, value.works, value.conditions, value.id_of, value.doc_of
        )
        return _with_table(fresh, table, ids is not None)
    if text.startswith("{") and value.shape is None:
        fields = _object_type(context, value, text, depth, path)
        if fields:
            return Val(value.origins, value.deps, value.pending, shape=Record(fields, (Val(value.origins, value.deps),)))
    if value.shape is None and value.literal is not None:
        if DB_TYPE.search(text):
            return database_value(value)
        if CTX_TYPE.search(text):
            return context_value(value)
        name = CLASS_TYPE.match(text)
        if name is not None and value.origins:
            definition = context.modules.definition(path or context.path, name[1])
            if definition is not None and isinstance(definition.node, tree.ClassDef):
                return Val(value.origins, value.deps, value.pending, shape=ClassRef(definition.path, definition.name, instance=True))
            if definition is not None and definition.node is None and depth < MOST_ALIASES:
                module = context.modules.module(definition.path)
                alias = module.types.get(definition.name, "") if module is not None else ""
                return typed(context, value, alias, depth + 1, definition.path)
    return value


def _with_table(value: Val, table: str, is_id: bool) -> Val:
    return Val(
        value.origins, value.deps, value.pending, value.literal, value.shape, value.works, value.conditions,
        table if is_id else value.id_of, value.doc_of if is_id else table, value.type,
    )  # fmt: skip


MEMBER_TYPE = Pattern(r"(\w+)\??\s*:\s*([^;,{}]+|\{[^{}]*\})")


def _object_type(context: ModuleContext, value: Val, text: str, depth: int, path: str) -> dict[str, Val]:
    fields: dict[str, Val] = {}
    for name, inner in MEMBER_TYPE.findall(text[1:-1]):
        part = Val(tuple(o.at(name) for o in value.origins), value.deps)
        made = typed(context, part, inner.strip(), depth, path)
        if made.shape is not None or made.id_of or made.doc_of:
            fields[name] = made
    return fields


PROMISE = Pattern(r"^Promise<(.*)>$")


def declared_result(context: ModuleContext, result: Val, returns: str) -> Val:
    """What a call returns, as far as the return type of the function names a table."""
    inner = PROMISE.match(returns)
    text = inner[1] if inner is not None else returns
    if text.startswith(("{", "[")) or not (ID_TYPE.search(text) or DOC_TYPE.search(text)):
        return result
    return typed(context, result, text)
