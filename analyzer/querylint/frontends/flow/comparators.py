"""What the functions do that code hands to methods: comparators of a sort, reducers."""

from __future__ import annotations

from collections.abc import Callable

from querylint.syntax import tree

SCALING = frozenset(("*", "/", "%", "**", "+"))
WORKING_OUT = SCALING | {"-"}
LOOKING_UP = frozenset(("get", "indexOf", "findIndex"))
AS_STORED = frozenset(("Date", "Number", "String", "BigInt", "parse", "parseInt", "parseFloat", "parseISO", "toDate", "dayjs", "moment"))
"""What only reads a value in another form: its order stays."""


ORDERING = frozenset(("<", ">", "<=", ">="))
ADDING = frozenset(("+=", "-=", "*=", "/="))
EXTREMES = frozenset(("max", "min"))
COMPARING = ORDERING | {"===", "==", "!==", "!="}
PUTTING = frozenset(("push", "unshift", "add", "set", "append", "update", "setdefault"))
SEEKING = frozenset(("includes", "some", "find", "findIndex", "indexOf", "has"))


def computed(fn: tree.Fn) -> bool:
    """Whether a comparator ranks rows by something that it works out: a quotient, a look-up in a table of ranks, a score.

    So it does where it breaks ties by a further field that runs the other way: no index has the two orders at once.
    """
    names = {p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern)}
    nodes = list(tree.walk(fn.body))
    return any(_computes(node, names) for node in nodes) or _turns(fn, nodes)


def _computes(node: object, names: set[str]) -> bool:
    if isinstance(node, tree.Op) and len(node.operands) == 2:
        if node.sign == "-" and any(isinstance(o, tree.Op) and o.sign == "-" and len(o.operands) == 2 for o in node.operands):
            return True
        return node.sign in SCALING
    if isinstance(node, tree.Logic):
        return _falls_back(node, names)
    if isinstance(node, tree.Index):
        return not (isinstance(node.base, tree.Name) and node.base.id in names) and _mentions(node.key, names)
    if isinstance(node, tree.Call):
        if isinstance(node.func, tree.Member) and node.func.name in LOOKING_UP:
            return any(_mentions(a, names) for a in node.args)
        return _ranks(node, names) or len([a for a in node.args if isinstance(a, tree.Name) and a.id in names]) == 1
    return False


def _falls_back(node: tree.Logic, names: set[str]) -> bool:
    """Whether another field of the same row stands in for one that is absent: `a.seenAt ?? a.madeAt`, which no index holds."""
    if node.sign not in ("??", "||") or not isinstance(node.left, tree.Member) or not isinstance(node.right, tree.Member):
        return False
    first = _named(node.left, names)
    return len(first) == 1 and first == _named(node.right, names)


def _ranks(node: tree.Call, names: set[str]) -> bool:
    """Whether a function of the code's own makes something of a field of one row: `rank(a.kind)`."""
    called = node.func.name if isinstance(node.func, tree.Member) else node.func.id if isinstance(node.func, tree.Name) else ""
    if not called or called in AS_STORED or _mentions(node.func, names):
        return False
    return len({name for arg in node.args for name in _named(arg, names)}) == 1


def _turns(fn: tree.Fn, nodes: list[object]) -> bool:
    """Whether a comparator takes the differences of two fields in turn that run in different directions."""
    patterns = [p.pattern for p in fn.params]
    names = [p.id for p in patterns if isinstance(p, tree.NamePattern)]
    if len(names) != 2 or any(_chosen(node, set(names)) for node in nodes):
        return False
    ways: dict[str, set[bool]] = {}
    for node in nodes:
        left: object
        right: object
        if isinstance(node, tree.Op) and node.sign == "-" and len(node.operands) == 2:
            left, right = node.operands
        elif isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and node.func.name == "localeCompare" and node.args:
            left, right = node.func.base, node.args[0]
        else:
            continue
        sides = (_named(left, set(names)), _named(right, set(names)))
        members = (n for n in tree.walk(left) if isinstance(n, tree.Member) and isinstance(n.base, tree.Name) and n.base.id in names)
        field = next((n.name for n in members), "")
        if field and sides in (({names[0]}, {names[1]}), ({names[1]}, {names[0]})):
            ways.setdefault(field, set()).add(sides[0] == {names[1]})
    return len(ways) > 1 and all(len(way) == 1 for way in ways.values()) and len(set.union(*ways.values())) > 1


def offers_orders(fn: tree.Fn) -> bool:
    """Whether something else than the rows picks by which of their fields a comparator goes: `by === "name" ? ... : ...`."""
    names = {p.pattern.id for p in fn.params if isinstance(p.pattern, tree.NamePattern)}
    return any(_chosen(node, names) for node in tree.walk(fn.body))


def _chosen(node: object, names: set[str]) -> bool:
    """Whether a test of something else than the rows picks the order: then each order is one of its own."""
    if isinstance(node, tree.Switch):
        return not _mentions(node.subject, names)
    text = isinstance(node, tree.Op) and any(isinstance(o, tree.Literal) and isinstance(o.value, str) for o in node.operands)
    return text and isinstance(node, tree.Op) and node.sign in ("==", "===", "!=", "!==") and not _mentions(node, names)


def _named(node: object, names: set[str]) -> set[str]:
    return {n.id for n in tree.walk(node) if isinstance(n, tree.Name) and n.id in names}


def _mentions(node: object, names: set[str]) -> bool:
    return bool(_named(node, names))


def keeps_extreme(fn: tree.Fn) -> bool:
    """Whether a reducer keeps the greatest or the least value: `Math.max(found, row.position)`."""
    ends = [s.value for s in fn.body if isinstance(s, tree.Return)]
    calls = [v.func for v in ends if isinstance(v, tree.Call) and isinstance(v.func, tree.Member)]
    known = [f for f in calls if f.name in EXTREMES and isinstance(f.base, tree.Name) and f.base.id == "Math"]
    return bool(ends) and len(known) == len(ends)


def keeps_greatest(node: tree.If, text: Callable[[tree.Expr | tree.Pattern], str]) -> bool:
    """`if (row.size > most) most = row.size`, and `if (!best || row.size > best.size) best = row`, by the `text` of an expression."""
    kept = node.then[0].value if len(node.then) == 1 and isinstance(node.then[0], tree.Do) and not node.other else None
    test = node.test.right if isinstance(node.test, tree.Logic) and node.test.sign == "||" else node.test
    if not isinstance(kept, tree.Assign) or kept.sign != "=" or not isinstance(test, tree.Op) or test.sign not in ORDERING:
        return False
    both = {text(kept.target), text(kept.value)}
    if {text(operand) for operand in test.operands} == both:
        return True
    members = [operand for operand in test.operands if isinstance(operand, tree.Member)]
    return len(members) == 2 and members[0].name == members[1].name and {text(member.base) for member in members} == both


def against_kept(test: tree.Expr, body: list[tree.Stmt], inside: set[str]) -> set[tuple[int, int]]:
    """Where a test compares a row with what earlier rounds left behind: the newest row so far, the best one of each key.

    What is kept is a variable from outside the body of a loop that the body assigns or puts something into, and what the body takes out of
    such a one; `inside` are the names that the loop itself declares.
    """
    own = {let.pattern.id: let.value for let in tree.find(body, tree.Let) if isinstance(let.pattern, tree.NamePattern)}
    kept = {_root(change.target) for change in tree.find(body, tree.Assign)}
    kept |= {_root(c.func.base) for c in tree.find(body, tree.Call) if isinstance(c.func, tree.Member) and c.func.name in PUTTING}
    kept -= {"", *inside, *own}
    kept |= {name for name, value in own.items() if value is not None and _root(value) in kept}
    found = set()
    for op in tree.find([test], tree.Op):
        roots = [_root(operand) for operand in op.operands]
        if op.sign in COMPARING and len(roots) == 2 and any(a in kept and b in inside and b not in kept for a, b in (roots, roots[::-1])):
            found.add((op.at, op.end))
    return found


def _root(node: object) -> str:
    """The variable that a path, an element or the result of a method begins with; empty where it is none."""
    while True:
        if isinstance(node, tree.Member | tree.Index):
            node = node.base
        elif isinstance(node, tree.Call):
            node = node.func
        elif isinstance(node, tree.Typed):
            node = node.value
        else:
            return node.id if isinstance(node, tree.Name | tree.NamePattern) else ""


def seeks(fn: tree.Fn) -> bool:
    """Whether a reducer looks in what it has gathered before it adds to it."""
    name = fn.params[0].pattern.id if fn.params and isinstance(fn.params[0].pattern, tree.NamePattern) else None
    calls = (c.func for c in tree.walk(fn.body) if isinstance(c, tree.Call))
    return any(isinstance(f, tree.Member) and f.name in SEEKING and isinstance(f.base, tree.Name) and f.base.id == name for f in calls)


def adds_up(fn: tree.Fn, text: Callable[[tree.Expr | tree.Pattern], str]) -> bool:
    """Whether a reducer works anything out: one that does not only gathers what it is handed, in a list or under keys."""
    if any(keeps_greatest(this, text) for this in tree.find(fn.body, tree.If)):
        return True
    sums = (this.sign in WORKING_OUT and len(this.operands) > 1 for this in tree.find(fn.body, tree.Op))
    counts = (this.sign in ADDING for this in tree.find(fn.body, tree.Assign))
    calls = (isinstance(this.func, tree.Member) and getattr(this.func.base, "id", "") == "Math" for this in tree.find(fn.body, tree.Call))
    return any(sums) or any(counts) or any(calls)
