"""Functions that nobody waits for: a schedule starts them, the start of the program, or a person at a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from querylint.frontends.python.beats import by_name, sets_up
from querylint.frontends.python.classes import ClassInfo
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name, last_name, text_of

if TYPE_CHECKING:
    from querylint.frontends.python.modules import PythonModules

TERMINAL = ("click", "typer", "asyncclick", "rich_click", "cyclopts", "fire", "flask.cli", "quart.cli", "invoke")
SCHEDULED = Pattern(r"^(?:a?p?scheduler|sched|cron\w*|crontab|periodic_task|scheduled_\w+|repeat_every|interval_schedule)$", re.IGNORECASE)
SCHEDULER = Pattern(r"schedul|cron|^schedule$", re.IGNORECASE)
SCHEDULING = (b"schedul", b"cron")
HANDLING = frozenset(("handle", "handle_noargs", "handle_app_config", "handle_label"))  # what a management command is started by
OFTEN = frozenset(("interval", "cron", "crontab", "schedule", "every", "trigger"))
CALLED = frozenset(("func", "function", "task", "job", "callable", "target"))
SERVING = frozenset("before_serving after_serving while_serving before_first_request before_server_start after_server_stop".split())
LISTENING = frozenset("on_event listener add_event_handler register_listener".split())
ABOUT = Pattern(r"start|shutdown|stop")
HANDED = frozenset(("lifespan", "on_startup", "on_shutdown"))
MAIN = b"__main__"
BEGINNING = Pattern(rb"^[a-z_][\w.]*\(", re.MULTILINE)
DEEPEST = 4


def is_job(modules: PythonModules, path: str, owner: ClassInfo | None, fn: tree.Fn, around: tuple[tree.Fn, ...] = ()) -> bool:
    """Whether a function is a command of a terminal, a management command or a task of a schedule; `around` are the functions around it."""
    if owner is not None and fn.name in HANDLING and any(name.rpartition(".")[2].endswith("Command") for name in owner.ancestry()):
        return True
    if owner is not None and any(name.startswith(("celery.schedules.", "celery.beat.")) for name in owner.ancestry()):
        return True
    if any(_scheduled(d) or _starting(d) or _command(modules, path, d, 0, around) for d in fn.decorators):
        return True
    return owner is None and not around and (fn.name in scripted(modules, path) or sets_up(modules, path, fn))


def scheduled(modules: PythonModules, paths: Iterable[str]) -> frozenset[str]:
    """The functions that some call hands to a scheduler, or that a table of jobs holds; a text may name them.

    `scheduler.add_job(report)`, `schedule.every().day.do(report)`, `{"func": report, "interval": 60}`, `Job(func="reports.daily.run")`.
    """
    found: set[str] = set()
    for path in paths:
        source = (modules.source(path) or b"").lower()
        if not any(word in source for word in SCHEDULING):
            continue
        module = modules.module(path)
        for node in tree.walk(module.body if module is not None else []):
            for arg in _given(node):
                given = modules.reference(path, arg) if isinstance(arg, tree.Name | tree.Member) else None
                key = given.function if given is not None else by_name(modules, path, text_of(arg).replace(":", "."))
                if key:
                    found.add(key)
    return frozenset(found)


def _given(node: object) -> Iterator[tree.Expr]:
    """What a scheduler is handed: arguments of its methods, values of an entry that says how often it runs."""
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Member) and SCHEDULER.search(_root(node.func)):
        yield from node.args
        yield from (v for _, v in node.keywords)
    elif isinstance(node, tree.Call):
        yield from (v for name, v in node.keywords if name in CALLED and isinstance(v, tree.Literal))
    elif isinstance(node, tree.Record) and not OFTEN.isdisjoint(key for key, _ in node.entries if isinstance(key, str)):
        yield from (value for key, value in node.entries if isinstance(key, str) and key in CALLED)


def _root(node: tree.Expr) -> str:
    """The name that a chain of members and calls begins with, after `self`."""
    name = ""
    while isinstance(node, tree.Member | tree.Call):
        name = node.name if isinstance(node, tree.Member) else name
        node = node.base if isinstance(node, tree.Member) else node.func
    return name if last_name(node) in ("self", "cls", "") else last_name(node)


def _scheduled(node: tree.Expr) -> bool:
    """`@scheduler.add(...)`, `@periodic_task(...)`, `@app.cron(...)`."""
    func = node.func if isinstance(node, tree.Call) else node
    return bool(SCHEDULED.match(last_name(func))) or (isinstance(func, tree.Member) and bool(SCHEDULED.match(last_name(func.base))))


def _starting(node: tree.Expr) -> bool:
    """`@app.on_event("startup")`, `@app.before_serving`."""
    if callee_name(node) in SERVING:
        return True
    return isinstance(node, tree.Call) and callee_name(node) in LISTENING and any(ABOUT.search(text_of(arg)) for arg in node.args[:1])


def started(modules: PythonModules, paths: Iterable[str]) -> frozenset[str]:
    """The functions that a server runs when it starts or ends: `FastAPI(lifespan=run)`, `app.add_event_handler("startup", run)`."""
    found: set[str] = set()
    for path in paths:
        if not any(word in (modules.source(path) or b"") for word in (b"lifespan", b"on_startup", b"on_shutdown", b"add_event_handler")):
            continue
        module = modules.module(path)
        for call in tree.find(module.body if module is not None else [], tree.Call):
            given = [value for name, value in call.keywords if name in HANDED]
            if last_name(call.func) in LISTENING and len(call.args) == 2 and ABOUT.search(text_of(call.args[0])):
                given.append(call.args[1])
            for value in (one for node in given for one in (node.items if isinstance(node, tree.Array) else [node])):
                known = modules.reference(path, value) if isinstance(value, tree.Name | tree.Member) else None
                if known is not None and known.function:
                    found.add(known.function)
    return frozenset(found)


def _command(modules: PythonModules, path: str, node: tree.Expr, depth: int, around: tuple[tree.Fn, ...] = ()) -> bool:
    """`@click.command()`, `@group.command("name")` of such a group, `@app.cli.command()`."""
    func = node.func if isinstance(node, tree.Call) else node
    if depth > DEEPEST:
        return False
    if around and isinstance(func, tree.Member) and isinstance(func.base, tree.Name):
        made = _made(func.base.id, around)
        if made:
            return any(_command(modules, path, one, depth + 1, around) for one in made)
    found = modules.reference(path, func)
    if found is not None and found.external.startswith(TERMINAL):
        return True
    if found is not None and any(_command(modules, found.path, call, depth + 1) for call in _commands_in(found.node)):
        return True
    if not isinstance(func, tree.Member):
        return False
    if last_name(func.base) == "cli" and isinstance(func.base, tree.Member):
        return True
    base = modules.reference(path, func.base)
    if base is None or base.node is None:
        return False
    if isinstance(base.node, tree.FnDef):
        return any(_command(modules, base.path, d, depth + 1) for d in base.node.fn.decorators)
    return isinstance(base.node, tree.Call) and _command(modules, base.path, base.node, depth + 1)


def _commands_in(decorator: object) -> list[tree.Call]:
    """The calls by which a decorator of the project makes a command of what it decorates: `click.command(name=self.name)`."""
    if isinstance(decorator, tree.FnDef):
        bodies: list[list[tree.Stmt]] = [decorator.fn.body]
    else:
        bodies = [fn.body for fn in decorator.methods] if isinstance(decorator, tree.ClassDef) else []
    return [call for body in bodies for call in tree.find(body, tree.Call) if callee_name(call) == "command"]


def _made(name: str, around: tuple[tree.Fn, ...]) -> list[tree.Expr]:
    """What a name stands for in the functions around: the calls that it was made by, the decorators of a function."""
    for fn in reversed(around):
        made: list[tree.Expr] = []
        for node in tree.find(fn.body, tree.Assign, tree.FnDef):
            if isinstance(node, tree.FnDef) and node.fn.name == name:
                made += node.fn.decorators
            elif isinstance(node, tree.Assign) and isinstance(node.target, tree.NamePattern) and node.target.id == name:
                made.append(node.value)
        if made:
            return [one for one in made if isinstance(one, tree.Call)]
    return []


def begun(modules: PythonModules, paths: Iterable[str]) -> frozenset[str]:
    """The functions that a module calls when it is loaded, and of which it keeps nothing: work of the start, `migrate_settings()`."""
    found: set[str] = set()
    for path in paths:
        if not BEGINNING.search(modules.source(path) or b""):
            continue
        module = modules.module(path)
        for statement in at_the_top(module.body if module is not None else []):
            call = statement.value if isinstance(statement, tree.Do) else None
            if isinstance(call, tree.Call) and isinstance(call.func, tree.Name | tree.Member):
                given = modules.reference(path, call.func)
                if given is not None and given.function:
                    found.add(given.function)
    return frozenset(found)


def at_the_top(body: list[tree.Stmt]) -> Iterator[tree.Stmt]:
    """The statements that run when a module is loaded, also those under a condition, in a `try` or a `with`."""
    for statement in body:
        if isinstance(statement, tree.If):
            yield from at_the_top([*statement.then, *statement.other])
        elif isinstance(statement, tree.Try | tree.Block):
            yield from at_the_top(statement.body)
        else:
            yield statement


def scripted(modules: PythonModules, path: str) -> frozenset[str]:
    """The functions that a module calls when it is run as a script: those under `if __name__ == "__main__":`."""
    if MAIN not in (modules.source(path) or b""):
        return frozenset()
    module = modules.module(path)
    found: set[str] = set()
    for statement in module.body if module is not None else ():
        if isinstance(statement, tree.If) and any(isinstance(n, tree.Name) and n.id == "__name__" for n in tree.walk([statement.test])):
            calls = [n for n in tree.walk(statement.then) if isinstance(n, tree.Call)]
            found |= {last_name(n.func) for n in calls if isinstance(n.func, tree.Name)}
            found |= {last_name(a) for n in calls for a in n.args}
    return frozenset(found)
