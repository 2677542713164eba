"""Functions that other functions make: `forUser(id)` gives an object of functions back, `reader("files")` a function.

Each of them is a function of its own, named after its place (`forUser().list`, `reader()`). It has the parameters of the functions around
it before its own, since it sees what they were handed: a call of it hands that over along with its own arguments.
"""

from __future__ import annotations

from collections.abc import Iterator

from querylint.construction import replace
from querylint.frontends.convex.context import ModuleContext
from querylint.frontends.convex.naming import from_constant
from querylint.frontends.flow.calls import arguments, run_handed_closures
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, ClassRef, Closure, Made, Many, Marker, OneOf, Parts, Record, Val
from querylint.frontends.modules import UNKNOWN, Definition
from querylint.frontends.modules.names import entry
from querylint.ir import NOT_LITERAL, Mode, Root, Target, TargetKind
from querylint.syntax import tree

CALLED = "()"
"""What the name of a function ends with where that of what it makes begins."""
DEEPEST = 4
"""How deep a function may lie in what another one gives back, and a value in those around it."""


# What a function makes.


def parts(context: ModuleContext, fn: tree.Fn) -> Parts | None:
    """The functions in what a function gives back, as its source tells; None where there are none."""
    known = context.makes.get(id(fn))
    if known is None:  # many calls ask of the same function
        known = context.makes[id(fn)] = (fn, _made_in(fn))
    return known[1]


def _made_in(fn: tree.Fn) -> Parts | None:
    if fn.generator:
        return None
    named: dict[str, tree.Expr] = {}
    returned: list[tree.Expr] = []
    for statement in _own(fn.body):
        if isinstance(statement, tree.Return):
            if statement.value is not None:
                returned.append(statement.value)
        elif isinstance(statement, tree.FnDef):
            named.setdefault(statement.fn.name, statement.fn)
        elif isinstance(statement, tree.Let) and isinstance(statement.pattern, tree.NamePattern) and statement.value is not None:
            named.setdefault(statement.pattern.id, statement.value)
    found = None
    for value in returned:
        found = _merged(found, _parts(value, named, 0))
    return found


def _own(body: list[tree.Stmt]) -> Iterator[tree.Stmt]:
    """The statements of a function, those of its blocks too, without the functions inside of it."""
    for statement in body:
        yield statement
        if isinstance(statement, tree.If):
            yield from _own(statement.then)
            yield from _own(statement.other)
        elif isinstance(statement, tree.Try):
            for block in (statement.body, statement.handler, statement.final):
                yield from _own(block)
        elif isinstance(statement, tree.Switch):
            for _, block in statement.cases:
                yield from _own(block)
        elif isinstance(statement, tree.Block | tree.For):
            yield from _own(statement.body)


def _parts(node: tree.Expr, named: dict[str, tree.Expr], depth: int) -> Parts | None:
    while isinstance(node, tree.Typed | tree.Await):
        node = node.value
    if isinstance(node, tree.Fn):
        return Parts(node, {})
    if depth >= DEEPEST:
        return None
    if isinstance(node, tree.Name):
        return _parts(named[node.id], named, depth + 1) if node.id in named else None
    if isinstance(node, tree.Ternary):
        return _merged(_parts(node.then, named, depth + 1), _parts(node.other, named, depth + 1))
    if not isinstance(node, tree.Record):
        return None
    fields: dict[str, Parts] = {}
    for key, value in node.entries:
        inner = _parts(value, named, depth + 1)
        if inner is None:
            fields.pop(key, None) if isinstance(key, str) else None
        elif key is None:
            fields.update(inner.fields)
        elif isinstance(key, str):
            fields[key] = inner
    return Parts(None, fields) if fields else None


def _merged(one: Parts | None, other: Parts | None) -> Parts | None:
    if one is None or other is None:
        return one or other
    fields = {name: _merged(part, other.fields.get(name)) or part for name, part in one.fields.items()}
    return Parts(one.fn or other.fn, {**other.fields, **fields})


# Calls.


def made(context: ModuleContext, result: Val, func: Val, callee: Target, given: tuple[Val, ...]) -> Val:
    """The result of a call of a function of the project, with the functions in it, if that function makes some."""
    fn = called(context, func)
    return result if fn is None else _given_back(context, result, fn, callee, padded(fn, given, 0))


def _given_back(context: ModuleContext, result: Val, fn: tree.Fn, callee: Target, given: tuple[Val, ...]) -> Val:
    found = parts(context, fn) if result.shape is None else None
    return result if found is None else replace(result, shape=Made(callee.module, callee.name + CALLED, found, given))


def called(context: ModuleContext, func: Val) -> tree.Fn | None:
    """The source of a function of the project."""
    shape = func.shape
    if isinstance(shape, Closure):
        return shape.fn
    if not isinstance(shape, Marker) or shape.kind != "function":
        return None
    path, (first, *rest) = shape.data[0], shape.data[1].split(".")
    definition = context.modules.definition(path, first)
    node = definition.node if definition is not None else None
    for name in rest:
        while isinstance(node, tree.Typed):
            node = node.value
        if isinstance(node, tree.ClassDef):
            node = next((method for method in node.methods if method.name == name), None)
        else:
            node = entry(node, name) if isinstance(node, tree.Record) else None
    return node if isinstance(node, tree.Fn) else None


def padded(fn: tree.Fn, given: tuple[Val, ...], before: int) -> tuple[Val, ...]:
    """What a function was handed, in the places of all its parameters, of which so many are those of the functions around it."""
    count = before + len(fn.params)
    return (*given, *[NOTHING] * (count - len(given)))[:count]


def call(state: State, context: ModuleContext, node: tree.Call, func: Val) -> Val | None:
    """A call of a function that another one has made; None where it is no function."""
    shape = func.shape
    fn = shape.parts.fn if isinstance(shape, Made) else None
    if fn is None or not isinstance(shape, Made):
        return None
    own = arguments(state, node)
    result = reached(state, node, func.deps, shape, own)
    run_handed_closures(state, node, own, result, first=len(shape.given))
    return _given_back(context, result, fn, _target(shape), padded(fn, (*shape.given, *own), len(shape.given)))


def reached(state: State, node: tree.Call, deps: frozenset[int], made: Made, own: tuple[Val, ...]) -> Val:
    """The call that reaches a function which another one has made, with arguments of its own behind what that one was handed."""
    return state.call(_target(made), Mode.DIRECT, (*made.given, *own), node, state.text(node.func), deps=deps)


def _target(made: Made) -> Target:
    return Target(TargetKind.FUNCTION, made.path, made.name)


def member(base: Val, name: str) -> Val | None:
    """A function of an object that another one has made, or an object of functions in it; None where it has none of that name."""
    shape = base.shape
    if not isinstance(shape, Made) or name not in shape.parts.fields:
        return None
    inner = shape.parts.fields[name]
    return Val(deps=base.deps, pending=base.pending, shape=Made(shape.path, f"{shape.name}.{name}", inner, shape.given))


def at(base: Val, path: tuple[str, ...]) -> Val | None:
    """An object within what a function has made."""
    found: Val | None = base
    for name in path:
        found = member(found, name) if found is not None else None
    return found


def of_constant(context: ModuleContext, definition: Definition, node: tree.Call) -> Val | None:
    """What a name stands for that a module gives to what a function makes: `const files = repository("files")`."""
    maker = context.modules.refers(definition.path, node.func)
    fn = _written(maker)
    found = parts(context, fn) if fn is not None else None
    if maker is None or fn is None or found is None or (found.fn is not None and any(isinstance(arg, tree.Fn) for arg in node.args)):
        return None  # what wraps a function that it is handed goes by the name of that function
    constants = (context.modules.constant(definition.path, arg) for arg in node.args)
    given = tuple(NOTHING if constant is UNKNOWN else from_constant(constant) or NOTHING for constant in constants)
    return Val(shape=Made(maker.path, maker.name + CALLED, found, padded(fn, given, 0)))


def _written(definition: Definition | None) -> tree.Fn | None:
    """The function that a name of a module stands for."""
    node = definition.node if definition is not None else None
    fn = node.fn if isinstance(node, tree.FnDef) else node
    return fn if isinstance(fn, tree.Fn) else None


def of_type(context: ModuleContext, value: Val, path: str, name: str) -> Val:
    """A value of type `ReturnType<typeof name>`: what that function makes, of whatever it was handed."""
    definition = context.modules.definition(path, name)
    fn = _written(definition)
    found = parts(context, fn) if fn is not None else None
    if definition is None or fn is None or found is None:
        return value
    return replace(value, shape=Made(definition.path, definition.name + CALLED, found, padded(fn, (), 0)))


# The functions that are made.


def held(value: Val, depth: int = 0) -> Iterator[tuple[tuple[str, ...], Closure]]:
    """The functions in what a function gives back, each with the fields that lead to it."""
    shape = value.shape
    if isinstance(shape, Closure) and not shape.name:
        yield (), shape
    elif isinstance(shape, Record) and depth < DEEPEST:
        for name, part in shape.fields.items():
            for path, closure in held(part, depth + 1):
                yield (name, *path), closure


def around(value: Val, depth: int = 0) -> Val:
    """A variable of the function around: of what it came from, its parameters are those of the function inside, too."""
    shape = value.shape
    if isinstance(shape, Record) and depth < DEEPEST:
        fields = {name: around(part, depth + 1) for name, part in shape.fields.items()}
        shape = Record(fields, tuple(around(part, depth + 1) for part in shape.rest))
    elif isinstance(shape, Many) and depth < DEEPEST:
        shape = Many(around(shape.item, depth + 1), keyed=shape.keyed)  # it may have grown since
    elif not isinstance(shape, Closure | Marker | Made | ClassRef | OneOf):
        shape = None
    origins = value.origins if all(origin.root is Root.PARAM for origin in value.origins) else ()
    constant = value.literal if isinstance(value.literal, str) else NOT_LITERAL  # a flag may be turned by whoever shares the variable
    return Val(origins, literal=constant, shape=shape, id_of=value.id_of, doc_of=value.doc_of)
