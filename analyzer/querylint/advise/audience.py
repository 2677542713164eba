"""Who waits for a function: users, nobody since it runs in the background, or nobody at all since nothing calls it."""

from __future__ import annotations

import re
from enum import Enum

from querylint.ir import Access, Call, Function, Kind, Mode, Program, Role, Root
from querylint.pattern import Pattern

STAFF = Pattern(
    r"admin|staff|superuser|moderator|manage(?!r\b)|settings|configure|\b(?:require|assert|ensure|verify|enforce)\w*operator", re.IGNORECASE
)
BACKSTAGE = Pattern(r"(?:^|[/_.])(?:admin|staff|dashboard_?admin|backoffice)", re.IGNORECASE)
RUNS = Pattern(r"^(?:is_?)?(?:super_?(?:user|admin)|(?:platform|system|global)_?admin|root)$", re.IGNORECASE)
DEMANDS = Pattern(
    r"(?:require|assert|ensure|check|verify|enforce)\w*(?:Can|Capabilit(?:y|ies)|Permissions?|Privileges?|Rights?|Access)$|"
    r"(?:require|assert|ensure|check|verify|enforce)_\w*(?:can|capability|permissions?|privileges?|rights?|access)$"
)
TRIAL = Pattern(r"^(?:debug|inspect|diagnose)(?:[A-Z_]|$)")
CHORE = Pattern(r"^(?:(?:delete|remove|clear|wipe|reset|purge)All|(?:backfill|migrate|clean_?[uU]p|seed|repair|reindex|dedupe|fix)[A-Z])")
TRIED = Pattern(
    r"^(?:clear|clean(?:up)?|reset|wipe|purge|seed|populate|create|insert|generate|delete|remove|setup)\w*"
    r"(?:Test|Sample|Fake|Dummy|Demo|Mock|Dev|Uat|UAT)Data$"
)
CHECKS = Pattern(r"(?:debug|inspect|diagnos\w*)(?:[A-Z_\d]|$)")
SAMPLES = Pattern(r"^(?:load|import|generate|populate|create|insert|add)\w*(?:Samples?|Demo|Dummy|Mock|Defaults?|Examples?)(?:[A-Z_]|$)")
SEEN_CLIENTS = 10
BY_HAND = Pattern(r"^(?:dry_?run|maxBatches|commit|apply|confirm(?:ed|ation|Reset|Wipe|Delet(?:e|ion)(?:All)?)?)$", re.IGNORECASE)
SCRIPTS = "scripts"


class Audience(Enum):
    """For whom a function runs.

    USERS where a client, an HTTP caller or code that cannot be seen may wait for it; BACKGROUND where crons, the scheduler or other code
    that nobody waits for leads to it; NOBODY where only internal functions that nothing names lead to it: run by hand, or left over.
    """

    USERS = "users"
    BACKGROUND = "background"
    NOBODY = "nobody"


def audience(program: Program, function: Function) -> Audience:
    """For whom a function runs, as far as the project shows."""
    return program.once("audience", lambda: _audiences(program)).get(function.key, Audience.USERS)


ALONE = "nothing in the project calls this function"
UNWAITED = "nobody waits for it: only scheduled jobs, commands or background work lead here"
UNASKED = "no client in the project calls this function"


def waited_for(program: Program, function: Function) -> bool:
    """Whether somebody may wait for the function: a wait that is spared then counts."""
    return audience(program, function) is Audience.USERS


def unhurried(program: Program, function: Function) -> bool:
    """Whether only schedules and people at a terminal lead to a function of a stack that sends statements one by one."""
    return program.facts(function).planner and not waited_for(program, function)


def left_alone(program: Program, function: Function) -> bool:
    """Whether only internal functions that nothing calls lead here: repairs that are run by hand, or code that is no longer used."""
    return audience(program, function) is Audience.NOBODY


def unasked(program: Program, function: Function) -> bool:
    """Whether nobody in sight asks what a function answers, though clients are in sight that call most public functions."""
    return left_alone(program, function) or all(
        left_alone(program, entry) or (entry.public and entry.kind is not Kind.HTTP and _passed_over(program, entry))
        for entry in program.entries(function.key) or (function,)
    )


def loads_samples(program: Program, function: Function) -> bool:
    """Whether all that a function writes are rows that the code itself lists, by its name as a sample: somebody does that once."""
    writes = [site for site in program.sites(function.key).all if isinstance(site.step, Access) and not site.step.reads]
    listed = all(site.step.verb == "insert" and any(loop.constant for loop in site.loops) for site in writes)  # type: ignore[union-attr]
    return bool(writes) and listed and SAMPLES.search(function.name) is not None


def unreached(program: Program, function: Function) -> bool:
    """Whether nobody in sight asks for a function, nor for those that call it: what it writes comes about by hand, if at all."""
    return all(_unreached(program, entry) for entry in program.entries(function.key) or (function,))


def _unreached(program: Program, entry: Function) -> bool:
    if unasked(program, entry):
        return True
    callers = [program.functions[e.caller] for e in program.callers.get(entry.key, ()) if e.caller != entry.key]
    return bool(callers) and all(caller.kind is not Kind.CLIENT and unasked(program, caller) for caller in callers)


def _audiences(program: Program) -> dict[str, Audience]:
    idle = {key for key, function in program.functions.items() if function.role is Role.SCRIPT or _unnamed(program, function)}
    starts = [key for key, function in program.functions.items() if key not in idle and _waits(program, function)]
    users = _spread(program, starts, scheduled=False)
    rest = [key for key in program.functions if key not in idle and key not in users]
    missed = [key for key in rest if program.functions[key].public]
    handed = [key for key in rest if _handed_on(program, key)]
    given = [key for key in handed if not program.functions[key].public]
    # What a function that is handed to unknown code shares with one that clients could call may have somebody waiting for it.
    users |= (_spread(program, missed, scheduled=False) & _spread(program, given, scheduled=False)) - set(missed) - set(given)
    behind = _spread(program, [key for key in handed if key not in users], scheduled=True) | _spread(program, list(users), scheduled=True)
    nobody = _spread(program, [*idle, *(_closed(program) if program.unasked else ())], scheduled=True)
    found: dict[str, Audience] = {}
    for key in program.functions:
        if key in users:
            found[key] = Audience.USERS
        elif key in behind:
            found[key] = Audience.BACKGROUND
        elif key in nobody or _loose(program, program.functions[key]):
            found[key] = Audience.NOBODY
    return found


def _spread(program: Program, starts: list[str], *, scheduled: bool) -> set[str]:
    """The functions that these lead to, through the scheduler too or only by calls that are waited for.

    What a request of a user puts off runs for each request, and its outcome is waited for on a screen, where a worker carries it out.
    """
    found = set(starts)
    stack = list(starts)
    while stack:
        here = program.functions[stack.pop()]
        targets = [
            program.callees.get((here.key, step.id))
            for step in here.steps()
            if isinstance(step, Call) and _leads(program, here, step, scheduled=scheduled)
        ]
        for key in (*targets, here.wrapper):
            if key is not None and key in program.functions and key not in found:
                found.add(key)
                stack.append(key)
    return found


def _leads(program: Program, here: Function, call: Call, *, scheduled: bool) -> bool:
    """Whether a call may come about, by what its function is ever asked for; one that is put off only where these count."""
    return program.asked(call.span) and (scheduled or call.mode is not Mode.SCHEDULE or program.facts(here).planner)


def _closed(program: Program) -> list[str]:
    """What is called only where an argument that nobody gives would lead."""
    calls = [(key, step) for key, function in program.functions.items() for step in function.steps() if isinstance(step, Call)]
    return [target for key, step in calls if not program.asked(step.span) and (target := program.callees.get((key, step.id))) is not None]


def _handed_on(program: Program, key: str) -> bool:
    """Whether a registered function is named but called from nowhere that can be seen: crons and queues are given its name."""
    function = program.functions[key]
    return function.kind not in (Kind.PLAIN, Kind.CLIENT) and not any(e.caller != key for e in program.callers.get(key, ()))


def _waits(program: Program, function: Function) -> bool:
    """Whether somebody outside waits for the function itself."""
    if function.public and function.kind is not Kind.HTTP and _passed_over(program, function):
        return False
    if function.public or function.kind in (Kind.HTTP, Kind.CLIENT):
        return True
    schema = program.schema(function)
    return _uncalled(program, function) and (schema is None or not schema.facts.once)


def _passed_over(program: Program, function: Function) -> bool:
    """Whether code that names most of the public functions beside it never names this one."""
    if program.named(function) or function.route is None:
        return False
    return clients_seen(program, function.root)


def clients_seen(program: Program, root: str) -> bool:
    """Whether code names most of the public functions of a backend."""
    return program.once(("named", root), lambda: _most_named(program, root))


def _most_named(program: Program, root: str) -> bool:
    beside = [f for f in program.once("public by root", lambda: _public(program)).get(root, ()) if f.kind is not Kind.HTTP]
    named = sum(1 for f in beside if program.named(f))
    return named >= SEEN_CLIENTS and named * 2 > len(beside)


def _public(program: Program) -> dict[str, list[Function]]:
    found: dict[str, list[Function]] = {}
    for function in program.functions.values():
        if function.public:
            found.setdefault(function.root, []).append(function)
    return found


def _uncalled(program: Program, function: Function) -> bool:
    return function.kind is Kind.PLAIN and not program.callers.get(function.key) and not program.entries(function.key)


def _loose(program: Program, function: Function) -> bool:
    """Whether a helper stands where all its callers could be seen, and has none, nor is it handed on where it is written, or by name."""
    schema = program.schema(function)
    handed = function.handed or program.named(function)
    return _uncalled(program, function) and not handed and schema is not None and schema.facts.once


def _unnamed(program: Program, function: Function) -> bool:
    """Whether an internal function is called by nobody and named nowhere.

    Public ones may have clients that are not in the project, unless they look like repairs that are run by hand: by their names, by their
    switches, by their folder, by what the project tells people to run, as staff alone may call them, or as they write while clients in
    sight name most others and not them.
    """
    if function.route is None or function.kind is Kind.HTTP or program.named(function):
        return False
    if function.public and not _by_hand(program, function):
        return function.kind is not Kind.QUERY and _passed_over(program, function)
    return not any(edge.caller != function.key for edge in program.callers.get(function.key, ()))


def _by_hand(program: Program, function: Function) -> bool:
    """Whether a function is run by hand: its name or its arguments say so, or the project tells people how."""
    folders = function.path.removeprefix(function.root).split("/")[:-1]
    if TRIAL.match(function.name) or TRIED.match(function.name) or function.route in program.manual or SCRIPTS in folders:
        return True
    if function.route is not None and CHECKS.match(function.route.partition(":")[0].rpartition("/")[2]):
        return True
    if function.kind is not Kind.QUERY and (CHORE.match(function.name) or asks_for_staff(program, function)):
        return True
    return any(o.root is Root.PARAM and o.path and BY_HAND.match(o.path[0]) for f in _given_all(program, function) for o in f.touched)


def _given_all(program: Program, function: Function) -> list[Function]:
    """A function, and those to which it hands its arguments as they are."""
    whole = [
        program.callees.get((function.key, step.id))
        for step in function.own_steps()
        if isinstance(step, Call) and any(o.root is Root.PARAM and not o.path for value in step.args for o in value.origins)
    ]
    return [function, *(program.functions[key] for key in whole if key is not None and key in program.functions)]


def demands_right(program: Program, entry: Function) -> bool:
    """Whether a function first demands a right that it names: `requireCan(ctx, "role.create")`."""
    calls = [step for step in entry.own_steps() if isinstance(step, Call)]
    return any(DEMANDS.search(step.text) and any(isinstance(v.literal, str) for v in step.args) for step in calls)


def asks_for_staff(program: Program, entry: Function) -> bool:
    """Whether a function asks first whether its caller may manage the application."""
    return program.once(("asks for staff", entry.key), lambda: _asks_for_staff(program, entry))


def for_staff(program: Program, entry: Function) -> bool:
    """Whether a function serves those who run the application, by its place, its name, or what it asks first."""
    return BACKSTAGE.search(f"{entry.path}/{entry.key.rpartition('::')[2]}") is not None or asks_for_staff(program, entry)


def _asks_for_staff(program: Program, entry: Function) -> bool:
    functions = [entry, *(program.functions[key] for key in (entry.wrapper or "",) if key in program.functions)]
    for function in functions:
        for step in function.own_steps():
            if isinstance(step, Call):
                words = [step.text, *(v.literal if isinstance(v.literal, str) else v.text for v in step.args)]
                if any(STAFF.search(word) for word in words):
                    return True
    return entry.wrapper is not None and STAFF.search(entry.wrapper.rpartition("::")[2]) is not None
