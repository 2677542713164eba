"""The plain tree as one line of text, for tests that compare what a template became."""

from __future__ import annotations

from querylint.syntax import tree
from querylint.syntax.templates import Page


def shown(page: Page) -> str:
    """The body of a template, its blocks unfolded where they stand."""
    return _body(page.body, page)


def _body(body: list[tree.Stmt], page: Page) -> str:
    return " ".join(_stmt(s, page) for s in body)


def _stmt(s: tree.Stmt, page: Page) -> str:
    match s:
        case tree.Do(tree.Literal(str() as text)):
            return repr(" ".join(text.split()))
        case tree.Do(tree.Call(tree.Name("|block"), [tree.Literal(str() as name)])):
            return f"block {name} {{{_body(page.blocks[name].body, page)}}}"
        case tree.Do(tree.Template([value])):
            return f"{expr(value)};"
        case tree.Do(value):
            return f"do {expr(value)};"
        case tree.Let(pattern, value):
            return f"let {_pattern(pattern)}{' = ' + expr(value) if value is not None else ''};"
        case tree.If(test, then, other):
            return f"if {expr(test)} {{{_body(then, page)}}}" + (f" else {{{_body(other, page)}}}" if other else "")
        case tree.For(_, body, _, _, _, pattern, over):
            assert pattern is not None
            assert over is not None
            return f"for {_pattern(pattern)} in {expr(over)} {{{_body(body[1:], page)}}}"
        case tree.Block(body):
            return f"{{{_body(body, page)}}}"
        case tree.FnDef(fn):
            return f"macro {fn.name}{expr(fn)}"
        case tree.Return(value):
            return f"return{' ' + expr(value) if value is not None else ''};"
        case tree.Break():
            return "break;"
        case tree.Continue():
            return "continue;"
        case _:
            raise AssertionError(s)


def _pattern(p: tree.Pattern) -> str:
    match p:
        case tree.NamePattern(name):
            return name
        case tree.ArrayPattern(items):
            return f"[{', '.join(_pattern(i[0]) for i in items if i)}]"
        case tree.Member() | tree.Index():
            return expr(p)
        case _:
            raise AssertionError(p)


def expr(e: tree.Expr) -> str:
    """One expression."""
    match e:
        case tree.Name(name):
            return name
        case tree.Literal(value):
            return repr(value)
        case tree.Member(base, name):
            return f"{expr(base)}.{name}"
        case tree.Index(base, key):
            return f"{expr(base)}[{expr(key)}]"
        case tree.Slice(start, stop, step):
            return ":".join(expr(part) if part is not None else "" for part in (start, stop, step))
        case tree.Call(func, args, keywords=keywords):
            given = [expr(a) for a in args] + [f"{k}={expr(v)}" for k, v in keywords]
            return f"{expr(func)}({', '.join(given)})"
        case tree.Op(sign, [only]):
            return f"({sign}{expr(only)})"
        case tree.Op(sign, operands):
            return f"({f' {sign} '.join(expr(o) for o in operands)})"
        case tree.Logic(sign, left, right):
            return f"({expr(left)} {sign} {expr(right)})"
        case tree.Ternary(test, then, other):
            return f"({expr(test)} ? {expr(then)} : {expr(other)})"
        case tree.Array(items):
            return f"[{', '.join(expr(i) for i in items)}]"
        case tree.Record(entries):
            return "{" + ", ".join(f"{k if isinstance(k, str) else k and expr(k)}: {expr(v)}" for k, v in entries) + "}"
        case tree.Spread(value):
            return f"...{expr(value)}"
        case tree.Opaque(parts):
            return f"<{', '.join(expr(p) for p in parts)}>"
        case tree.Assign(target, value, sign):
            return f"{_pattern(target)} {sign} {expr(value)}"
        case tree.Fn(_, params, body):
            names = ", ".join(_pattern(p.pattern) + (f" = {expr(p.default)}" if p.default is not None else "") for p in params)
            return f"({names}) {{{' '.join(_stmt(s, Page('', None)) for s in body)}}}"  # type: ignore[arg-type]
        case _:
            raise AssertionError(e)


def misplaced(page: Page, source: bytes) -> list[str]:
    """Names and members whose offsets do not point at their text."""
    wrong = []
    for this in tree.walk([page.body, [b.body for b in page.blocks.values()], page.extends]):
        if isinstance(this, tree.Name) and this.id and this.id[0] not in "|%?" and this.end > this.at:
            if source[this.at : this.end] != this.id.encode():
                wrong.append(f"{this.id} at {this.at}")
        elif isinstance(this, tree.Member):
            if not source[this.name_at :].lstrip(b"'\"").startswith(this.name.encode()):
                wrong.append(f".{this.name} at {this.name_at}")
            if source[this.at : this.end].count(b"\n") > 5:
                wrong.append(f".{this.name} spans {this.at}-{this.end}")
    return wrong
