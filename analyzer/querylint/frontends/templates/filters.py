"""Filters of templates in Python's own words: `rows|selectattr("active")|list` becomes a comprehension, `rows|length` a `len`.

What stays a filter computes something of its input and no more.
"""

from __future__ import annotations

from collections.abc import Callable

from querylint.syntax import tree
from querylint.syntax.templates import Dialect

ITEM = "|item"
SAME = frozenset("safe escape e force_escape forceescape safeseq".split())
"""Filters whose result is their input, where rows are concerned."""


def in_python(name: str, node: tree.Call, dialect: Dialect) -> tree.Expr | None:
    """A filter as an expression of Python; None for one that only computes."""
    if not node.args:
        return None
    made = FILTERS.get(name)
    if made is None:
        made = DJANGO.get(name) if dialect is Dialect.DJANGO else JINJA.get(name)
    return made(node) if made is not None else None


def path_of(text: str, base: tree.Expr, node: tree.Expr) -> tree.Expr:
    """`author.name` written as text, read from a value."""
    value = base
    for part in text.split("."):
        if part.isdecimal():
            value = tree.Index(value, tree.Literal(int(part), node.at, node.end), node.at, node.end)
        elif part:
            value = tree.Member(value, part, node.at, node.end, node.at)
    return value


def _call(name: str, node: tree.Call, *args: tree.Expr, keywords: list[tuple[str, tree.Expr]] | None = None) -> tree.Call:
    return tree.Call(tree.Name(name, node.at, node.at), list(args), node.at, node.end, keywords=keywords or [])


def _option(node: tree.Call, name: str, position: int) -> tree.Expr | None:
    """An argument by its name or its place behind the filtered value."""
    named = dict(node.keywords).get(name)
    return named if named is not None else node.args[position] if len(node.args) > position else None


def _attribute(node: tree.Call, name: str = "attribute", position: int | None = None) -> tree.Literal | None:
    found = dict(node.keywords).get(name) if position is None else _option(node, name, position)
    return found if isinstance(found, tree.Literal) and isinstance(found.value, str) else None


def _each(node: tree.Call, element: tree.Expr, *tests: tree.Expr) -> tree.Expr:
    pattern = tree.NamePattern(ITEM, node.at, node.at)
    return tree.Comprehension("list", element, None, [(pattern, node.args[0], list(tests), False)], node.at, node.end)


def _item(node: tree.Call) -> tree.Name:
    return tree.Name(ITEM, node.at, node.at)


def _part(node: tree.Call, attribute: tree.Literal) -> tree.Expr:
    return path_of(str(attribute.value), _item(node), attribute)


def _key(node: tree.Call, attribute: tree.Literal) -> tree.Fn:
    """`lambda item: item.attribute`; several attributes make a tuple."""
    parts = [path_of(text.strip(), _item(node), attribute) for text in str(attribute.value).split(",")]
    value = parts[0] if len(parts) == 1 else tree.Array(parts, attribute.at, attribute.end)
    param = tree.Param(tree.NamePattern(ITEM, node.at, node.at))
    return tree.Fn("", [param], [tree.Return(value, attribute.at, attribute.end, True)], attribute.at, attribute.end)


# Both languages.


def _length(node: tree.Call) -> tree.Expr:
    return _call("len", node, node.args[0])


def _first(node: tree.Call) -> tree.Expr:
    return _call("next", node, node.args[0])


def _indexed(number: int) -> Callable[[tree.Call], tree.Expr]:
    def of(node: tree.Call) -> tree.Expr:
        key: tree.Expr = tree.Literal(abs(number), node.end, node.end)
        if number < 0:
            key = tree.Op("-", [key], node.end, node.end)
        return tree.Index(node.args[0], key, node.at, node.end)

    return of


def _joined(node: tree.Call) -> tree.Expr:
    """Every item is shown, or an attribute of it."""
    attribute = _attribute(node, "attribute", 2) if len(node.args) > 2 or node.keywords else None
    shown = _part(node, attribute) if attribute is not None else _item(node)
    return _each(node, tree.Template([shown], node.at, node.end))


def _default(node: tree.Call) -> tree.Expr:
    if len(node.args) < 2:
        return node.args[0]
    return tree.Logic("||", node.args[0], node.args[1], node.at, node.end)


def _listed(node: tree.Call) -> tree.Expr:
    return _call("list", node, node.args[0])


# Django.


def _slice(node: tree.Call) -> tree.Expr | None:
    text = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], tree.Literal) else None
    if not isinstance(text, str | int):
        return None
    at, end = node.args[1].at, node.args[1].end
    bounds = [tree.Literal(int(part), at, end) if part.strip().isdecimal() else None for part in str(text).split(":")]
    if len(bounds) == 1:
        bounds = [None, *bounds]
    return tree.Index(node.args[0], tree.Slice(bounds[0], bounds[1], None, at, end), node.at, node.end)


def _dictsort(node: tree.Call) -> tree.Expr | None:
    attribute = node.args[1] if len(node.args) > 1 else None
    if isinstance(attribute, tree.Literal) and isinstance(attribute.value, int):
        attribute = tree.Literal(str(attribute.value), attribute.at, attribute.end)
    if not isinstance(attribute, tree.Literal) or not isinstance(attribute.value, str):
        return None
    return _call("sorted", node, node.args[0], keywords=[("key", _key(node, attribute)), *_downward(node)])


def _downward(node: tree.Call) -> list[tuple[str, tree.Expr]]:
    name = node.func.id if isinstance(node.func, tree.Name) else ""
    return [("reverse", tree.Literal(True, node.at, node.at))] if name.endswith("reversed") else []


def _regroup(node: tree.Call) -> tree.Expr | None:
    """Groups of rows that follow one another: each has its `grouper` and its `list`."""
    key = node.args[1] if len(node.args) > 1 and isinstance(node.args[1], tree.Fn) else None
    if key is None or not isinstance(key.body[0], tree.Return) or key.body[0].value is None:
        return None
    return _grouped(node, key.body[0].value, "", "list")


def _grouped(node: tree.Call, grouper: tree.Expr, name: str, rows: str) -> tree.Expr:
    """Every group is taken to hold rows like any other: the filtered value as a whole."""
    pattern = tree.NamePattern(name, node.at, node.at)
    held = tree.Name(HELD, node.at, node.end)
    keys = tree.Comprehension("list", grouper, None, [(pattern, held, [], False)], node.at, node.end)
    group = tree.Record([("grouper", _call("next", node, keys)), (rows, held)], node.at, node.end)
    return _call(GROUPS, node, node.args[0], group)


GROUPS = "|groups"
"""A collection of unknown length whose every member is the second argument; the first is gone through once, and called HELD there."""
HELD = "|held"


# Jinja.


def _map(node: tree.Call) -> tree.Expr | None:
    attribute = _attribute(node)
    if attribute is not None:
        return _each(node, _part(node, attribute))
    name = node.args[1] if len(node.args) > 1 else None
    if isinstance(name, tree.Literal) and isinstance(name.value, str):
        return _each(node, tree.Call(tree.Name(f"|{name.value}", name.at, name.at), [_item(node), *node.args[2:]], node.at, node.end))
    return None


def _attribute_test(keep: bool) -> Callable[[tree.Call], tree.Expr | None]:
    def of(node: tree.Call) -> tree.Expr | None:
        attribute = _attribute(node, "attribute", 1)
        return _tested(node, _part(node, attribute), node.args[2:], keep) if attribute is not None else None

    return of


def _item_test(keep: bool) -> Callable[[tree.Call], tree.Expr | None]:
    return lambda node: _tested(node, _item(node), node.args[1:], keep)


COMPARED = {
    "equalto": "==", "eq": "==", "==": "==", "ne": "!=", "!=": "!=", "lt": "<", "<": "<", "le": "<=", "<=": "<=", "gt": ">", ">": ">",
    "ge": ">=", ">=": ">=", "greaterthan": ">", "lessthan": "<", "sameas": "==", "in": "in",
}  # fmt: skip


def _tested(node: tree.Call, subject: tree.Expr, rest: list[tree.Expr], keep: bool) -> tree.Expr:
    test = subject
    if rest and isinstance(rest[0], tree.Literal) and isinstance(rest[0].value, str):
        sign = COMPARED.get(rest[0].value)
        if sign is not None and len(rest) > 1:
            test = tree.Op(sign, [subject, rest[1]], subject.at, rest[1].end)
        else:
            test = tree.Call(tree.Name(f"?{rest[0].value}", rest[0].at, rest[0].at), [subject, *rest[1:]], subject.at, rest[-1].end)
    if not keep:
        test = tree.Op("!", [test], test.at, test.end)
    return _each(node, _item(node), test)


def _sort(node: tree.Call) -> tree.Expr:
    attribute = _attribute(node, "attribute", 3)
    reverse = _option(node, "reverse", 1)
    keywords: list[tuple[str, tree.Expr]] = [("key", _key(node, attribute))] if attribute is not None else []
    if reverse is not None:
        keywords.append(("reverse", reverse))
    return _call("sorted", node, node.args[0], keywords=keywords)


def _folded(name: str, position: int) -> Callable[[tree.Call], tree.Expr]:
    def of(node: tree.Call) -> tree.Expr:
        attribute = _attribute(node, "attribute", position)
        return _call(name, node, _each(node, _part(node, attribute)) if attribute is not None else node.args[0])

    return of


def _groupby(node: tree.Call) -> tree.Expr | None:
    attribute = _attribute(node, "attribute", 1)
    if attribute is None:
        return None
    held = tree.Name(HELD, node.at, node.end)
    keys = tree.Comprehension(
        "list", _part(node, attribute), None, [(tree.NamePattern(ITEM, node.at, node.at), held, [], False)], node.at, node.end
    )
    return _call(GROUPS, node, node.args[0], tree.Array([_call("next", node, keys), held], node.at, node.end))


def _items(node: tree.Call) -> tree.Expr:
    return tree.Call(tree.Member(node.args[0], "items", node.at, node.end, node.at), [], node.at, node.end)


FILTERS: dict[str, Callable[[tree.Call], tree.Expr | None]] = {
    "length": _length, "count": _length, "join": _joined, "reversed": _listed, "regroup": _regroup, "default": _default, "d": _default,
    "default_if_none": _default,
}  # fmt: skip
DJANGO: dict[str, Callable[[tree.Call], tree.Expr | None]] = {
    "first": _indexed(0), "last": _indexed(-1), "slice": _slice, "dictsort": _dictsort, "dictsortreversed": _dictsort, "random": _first,
    "length_is": _length, "unordered_list": _joined, "make_list": _listed,
}  # fmt: skip
JINJA: dict[str, Callable[[tree.Call], tree.Expr | None]] = {
    "first": _first, "last": _indexed(-1), "list": _listed, "reverse": _listed, "batch": _listed, "slice": _listed, "random": _indexed(0),
    "map": _map, "selectattr": _attribute_test(True), "rejectattr": _attribute_test(False), "select": _item_test(True),
    "reject": _item_test(False), "sort": _sort, "sum": _folded("sum", 1), "min": _folded("min", 2), "max": _folded("max", 2),
    "unique": _listed, "groupby": _groupby, "dictsort": _items, "items": _items,
}  # fmt: skip
