"""One plan: what `check` and `fix` say of indexes and what `indexes` says are the same on random projects, and neither undoes the other."""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import small_convex
from laid import lay
from querylint import indexing
from querylint.advise.advisor import Verdict
from querylint.discover import Scope
from querylint.engine import Project, load_rules
from querylint.mend import Choice, mend
from querylint.remedy import AddIndex, DropIndex, PushDown, Rename
from querylint.report.indexes.wording import steps
from querylint.rule import Finding, Severity
from querylint.settings import load
from small_convex import FIELDS

RULES = load_rules()
NAMES = frozenset(rule.name for rule in RULES)
FILTERS = frozenset(("filter-beside-index", "filter-needs-index", "filter-in-memory", "sort-in-memory"))
ABOUT_INDEXES = FILTERS | {"unused-index", "redundant-index"}
KEPT = "which is why `querylint indexes` keeps it"

keys = st.permutations(FIELDS).flatmap(lambda order: st.integers(1, 3).map(lambda size: tuple(order[:size])))
prefixes = keys.flatmap(lambda key: st.integers(1, len(key)).map(lambda size: [key[:size], key]))
several = st.lists(keys, max_size=3, unique=True)
declared = st.one_of(several, prefixes, st.tuples(prefixes, several).map(lambda pair: pair[0] + pair[1]))


@st.composite
def queries(draw: st.DrawFn, indexes: list[tuple[str, ...]]) -> str:
    read = ""
    bound: tuple[str, ...] = ()
    if indexes and draw(st.booleans()):
        key = draw(st.sampled_from(indexes))
        bound = key[: draw(st.integers(1, len(key)))]
        last = draw(st.sampled_from(("eq", "eq", "gt")))
        range_ = "".join(f'.{last if name == bound[-1] else "eq"}("{name}", args.{name})' for name in bound)
        read = f'.withIndex("by_{"_".join(key)}", (q) => q{range_})'
    names = draw(st.lists(st.sampled_from([f for f in FIELDS if f not in bound]), max_size=2, unique=True)) if len(bound) < 4 else []
    how = [draw(st.sampled_from(("eq", "eq", "eq", "lt"))) for _ in names]
    memory = draw(st.booleans())
    where = ""
    if names and not memory:
        tests = ", ".join(f'q.{one}(q.field("{name}"), args.{name})' for one, name in zip(how, names, strict=True))
        where = f".filter((q) => {tests})" if len(names) == 1 else f".filter((q) => q.and({tests}))"
    order = draw(st.sampled_from(("", "", '.order("desc")')))
    chain = f'await ctx.db.query("events"){read}{order}{where}'
    if memory:
        tests = " && ".join(f"r.{name} {'===' if one == 'eq' else '<'} args.{name}" for one, name in zip(how, names, strict=True))
        kept = f"rows.filter((r) => {tests})" if names else "rows"
        after = draw(st.sampled_from(("", "", ".sort((x, y) => y.n - x.n)", ".sort((x, y) => x.n - y.n).slice(0, 3)")))
        return f"{{ const rows = {chain}.collect(); return {kept}{after}; }}"
    end = draw(st.sampled_from((".collect()", ".first()", ".unique()", ".take(2)")))
    if end == ".collect()" and draw(st.booleans()):
        return f"{{ const rows = {chain}{end}; return rows.length; }}"
    return f"{{ return {chain}{end}; }}"


@st.composite
def projects(draw: st.DrawFn) -> dict[str, str]:
    indexes = list(dict.fromkeys(draw(declared)))
    bodies = draw(st.lists(queries(indexes), min_size=1, max_size=4))
    listed = "".join(f'\n    .index("by_{"_".join(key)}", [{", ".join(f"{name!r}" for name in key)}])' for key in indexes)
    fields = ", ".join(f"{name}: v.number()" for name in FIELDS)
    args = "{ a: v.number(), b: v.number(), c: v.number(), n: v.number() }"
    functions = "".join(
        f"export const q{n} = query({{ args: {args}, handler: async (ctx, args) => {body} }});\n" for n, body in enumerate(bodies)
    )
    insert = f'export const add = mutation({{ args: {args}, handler: async (ctx, args) => ctx.db.insert("events", args) }});\n'
    head = 'import { v } from "convex/values";\n'
    return {
        "convex/schema.ts": f'import {{ defineSchema, defineTable }} from "convex/server";\n{head}'
        f"export default defineSchema({{\n  events: defineTable({{ {fields} }}){listed},\n}});\n",
        "convex/events.ts": f'import {{ mutation, query }} from "./_generated/server";\n{head}{functions}{insert}',
    }


def _findings(folder: Path) -> list[Finding]:
    return list(Project(Scope(folder), load(folder, rule_names=NAMES)).whole(RULES, NAMES).findings)


def _against(folder: Path, finding: Finding, *, every: bool) -> str:
    """What a finding says otherwise than the advice; empty where they agree."""
    tables = indexing.indexes([folder], every=every).tables
    plan = {i.name: i for table in tables for i in table.indexes}
    match finding.found.remedy:
        case PushDown(index=name, fields=fields, create=create) if name not in ("by_id", "by_creation_time"):
            said = plan.get(name)
            wanted = Verdict.ADD if create else Verdict.KEEP
            if said is None or said.verdict is not wanted or said.fields[: len(fields)] != fields:
                return f"{finding.rule} binds {name} {fields} (new: {create}), the advice: {said and (said.verdict, said.fields)}"
        case AddIndex(index=name) | Rename(to=name):
            if name not in plan or plan[name].verdict is Verdict.DROP:
                return f"{finding.rule} names {name}"
        case DropIndex(index=name, covered_by=cover):
            verdict = plan[name].verdict
            if finding.severity is Severity.INFO and verdict is Verdict.KEEP and KEPT in finding.found.help:
                return ""
            if verdict is not Verdict.DROP or (cover and (cover not in plan or plan[cover].verdict is Verdict.DROP)):
                return f"{finding.rule} drops {name} for {cover}, the advice: {verdict}"
    return ""


@settings(max_examples=60, deadline=None, derandomize=True)
@given(projects())
def test_a_finding_names_what_the_advice_keeps_or_adds(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = lay(Path(name), files)
        for finding in _findings(folder):
            hint = finding.severity is Severity.INFO
            against = [_against(folder, finding, every=every) for every in ((True, False) if hint else (False,))]
            assert not all(against), against


def _behaves(before: dict[str, str], after: dict[str, str], said: dict[str, set[str]], *, ties: bool = False) -> None:
    """Whether each query hands out the same rows in the same order, on random rows, unless a caveat speaks of the order.

    `ties` says that rows which are equal in a sort or in the field of a range may come in another order, as the steps of the advice say.
    """
    keys = [small_convex.indexes(files["convex/schema.ts"]) for files in (before, after)]
    old, new = (small_convex.functions(files["convex/events.ts"]) for files in (before, after))
    assert old.keys() == new.keys()
    source = random.Random(7)
    everywhere = said.get("", set())
    for name, body in old.items():
        if new[name] == body:
            continue
        caveats = said.get(name, set())
        for _ in range(12):
            rows = [
                {**{field: source.randint(0, 2) for field in FIELDS}, "_creationTime": number, "_id": number}
                for number in range(source.randint(0, 30))
            ]
            args = {field: source.randint(0, 2) for field in FIELDS}
            one, other = (small_convex.ask(text, key, rows, args) for text, key in ((body, keys[0]), (new[name], keys[1])))
            assert other.scanned <= one.scanned
            if any("order" in caveat for caveat in caveats | everywhere):
                continue
            ordered = re.findall(r"x\.(\w)", body) or re.findall(r"q\.[gl]te?\(\"(\w)\"", body)
            if ties and ordered:
                field = ordered[-1]
                assert [row[field] for row in one.rows] == [row[field] for row in other.rows]
                continue
            assert one.rows == other.rows, (name, body, new[name], caveats)


def _texts(folder: Path) -> dict[str, str]:
    return {path: (folder / path).read_text(encoding="utf-8") for path in ("convex/schema.ts", "convex/events.ts")}


def _silent(folder: Path) -> None:
    """Neither command has more to say of indexes, but that queries may now bind what was added for them, and leave what they read by.

    After that, nothing at all.
    """
    assert not indexing.indexes([folder]).changed
    again = mend([folder], None, {}, Choice(unsafe=True))
    more = [made.finding.found.remedy for made in again.made if made.finding.rule in ABOUT_INDEXES]
    assert all(isinstance(r, DropIndex) or (isinstance(r, PushDown) and not r.create) for r in more), more
    assert not more or any(isinstance(r, PushDown) for r in more), more
    if more:
        again.write()
        assert not indexing.indexes([folder]).changed
        last = mend([folder], None, {}, Choice(unsafe=True))
        assert not [made for made in last.made if made.finding.rule in ABOUT_INDEXES]


def _fixed(folder: Path) -> dict[str, set[str]]:
    """Make all fixes; what they warn of, by the query that they change, or for all where an index goes."""
    done = mend([folder], None, {}, Choice(unsafe=True))
    done.write()
    found: dict[str, set[str]] = {}
    for made in done.made:
        name = made.finding.found.function.rpartition(":")[2]
        found.setdefault(name, set()).update(made.fix.caveats)
    return found


@settings(max_examples=15, deadline=None, derandomize=True)
@given(projects())
def test_fixed_and_applied_neither_has_more_to_say(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = lay(Path(name), files)
        caveats = _fixed(folder)
        _behaves(files, _texts(folder), caveats)
        applied = indexing.carried_out([folder])
        applied.write()
        assert not applied.held
        _silent(folder)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(projects())
def test_applied_and_fixed_neither_has_more_to_say(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = lay(Path(name), files)
        done = indexing.carried_out([folder])
        done.write()
        applied = _texts(folder)
        _behaves(files, applied, {}, ties=any("equal in its range or sort" in step for step in steps(done.report.tables)))
        caveats = _fixed(folder)
        _behaves(applied, _texts(folder), caveats)
        assert not indexing.indexes([folder]).changed
        _silent(folder)
