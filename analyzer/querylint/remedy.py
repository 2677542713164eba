# long: what every stack says of every remedy stands side by side.
"""What to do about a finding, in terms of programs, not of syntax; rewriters turn a remedy into edits."""

from __future__ import annotations

from enum import Enum
from typing import Union

from querylint.construction import dataclass
from querylint.text import Span


class Stage(Enum):
    """What a remedy touches besides the code around the query, the least first: nothing, the indexes, or what is stored."""

    CODE = "code"
    INDEX = "index"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Gather:
    """Start the reads together and wait for all of them once."""

    steps: tuple[Span, ...] = ()
    loop: Span | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Replace one call per item by one call that takes all the items.

    `of` says what is batched: `keys` for reads by key, `writes`, `alike` for writes of the same values, `counts` for numbers of rows,
    `aggregates` for what is worked out of them, `related` for numbers of related rows, `gathered` for rows that the rounds only put into
    one list, `again` for rows at hand that are read once more, else queries (`items`); `how` says it in words of its own.
    """

    loop: Span | None = None
    how: str = ""
    of: str = "items"


@dataclass(frozen=True, slots=True)
class Preload:
    """Load related rows together with the rows that refer to them: by a join (`joined`), or by one query more each (`batched`).

    Both are paths of relations in the order of the way; `at` is the query to change. Where the rows are asked for in a template, in which
    a query cannot say what comes along, `view` is the function that hands it what the paths start from. `giver` is the function that reads
    the row and gives it to others, too, who do without: then the place is where the row is got.
    """

    joined: tuple[tuple[str, ...], ...] = ()
    batched: tuple[tuple[str, ...], ...] = ()
    at: Span | None = None
    view: str = ""
    giver: str = ""


@dataclass(frozen=True, slots=True)
class PushDown:
    """Let an index range do what a filter or a sort does: an existing index, or one to add first (`create`).

    `order` names the last of the fields, where they are there for the order of the rows and not to be bound; `floor` the field of a range
    without a lower bound that rows may lack. `at` is the query, where the finding is about the index that it passes by. `compared` are the
    fields that are not to equal something, with how each compares: `<`, `!=`, `in`. `instead_of` is an index that stands and would do, for
    which the smallest set of indexes has no use beside the one to add.
    """

    table: str
    index: str
    fields: tuple[str, ...]
    create: bool
    descending: bool = False
    keeps_order: bool = True
    order: tuple[str, ...] = ()
    floor: str = ""
    at: Span | None = None
    compared: tuple[tuple[str, str], ...] = ()
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class AddIndex:
    """Add an index with these fields in this order."""

    table: str
    index: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DropIndex:
    """Drop an index; `covered_by` serves its readers. `option` is what makes it where a field is declared; `fields` tell
    it where it has no name."""

    table: str
    index: str
    covered_by: str | None = None
    option: str = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rename:
    """Read by the index of that name, which the range fits."""

    table: str
    index: str
    to: str


@dataclass(frozen=True, slots=True)
class Limit:
    """Bound the read: one row, `count` rows, or pages; `every` row has to be visited where a job goes through all of them."""

    count: int | None = None
    paginate: bool = False
    every: bool = False


@dataclass(frozen=True, slots=True)
class Hoist:
    """Run it once, before the loop."""

    loop: Span


@dataclass(frozen=True, slots=True)
class Reuse:
    """Keep the result of the first read."""

    first: Span


@dataclass(frozen=True, slots=True)
class Counter:
    """Keep the number or the total as rows change, instead of computing it from all rows. `distinct` counts equal values once."""

    table: str
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Narrow:
    """Read or return only these fields."""

    table: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Work in bounded batches, each its own transaction."""

    table: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask only whether there is any row, or whether there is a query at all (`given`)."""

    given: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that only its author can do."""

    text: str
    stage: Stage = Stage.CODE


Remedy = Union[
    Gather, Batch, Preload, Probe, PushDown, AddIndex, DropIndex, Rename, Limit, Hoist, Reuse, Counter, Narrow, Chunk, Advice
]  # fmt: skip


def stage(remedy: Remedy | None) -> Stage:
    """What a remedy touches; without one, nobody can say that it is more than code."""
    match remedy:
        case Advice(stage=own):
            return own
        case AddIndex() | DropIndex() | PushDown(create=True):
            return Stage.INDEX
        case Counter() | Narrow(fields=()):
            return Stage.DATA
    return Stage.CODE


@dataclass(frozen=True, slots=True)
class Words:
    """How a stack says what a remedy asks for. Holes take names, numbers or lists of quoted names."""

    gather: str = "start the reads together and await them with one Promise.all"
    one: str = "read one row with .first()"
    take: str = "read at most {count} rows with .take({count})"
    some: str = "read only the rows that are kept, with .take(n)"
    bound: str = "bound the read with an index range, .take(n) or .paginate()"
    every: str = (
        "visit every row in pages: .paginate() from a cursor, and run again with continueCursor (scheduled, or called by the action) "
        "until isDone"
    )
    counter: str = "keep a running count or total for `{table}` (a counter document or the aggregate component)"
    distinct: str = ""
    narrow: str = "hand on only {fields}; Convex reads whole rows, so keep heavy fields of `{table}` in a table of their own"
    chunk: str = "write a bounded batch and schedule the next one, with a cursor if the rows stay in their range"
    keys: str = "pass all the items to one call"
    items: str = "pass all the items to one call"
    writes: str = "pass all the items to one call"
    alike: str = "pass all the items to one call"
    counts: str = "pass all the items to one call"
    aggregates: str = "pass all the items to one call"
    gathered: str = "pass all the items to one call"
    related: str = "pass all the items to one call"
    again: str = "read the rows again by one query for all of them"
    probe: str = "read one row with .first()"
    given: str = "test whether there is a query at all, or read one row"
    pushed: str = ""
    sorted: str = ""
    joined: str = "load {paths} with the rows"
    batched: str = "load {paths} by one query for all the rows"
    got: str = "load {paths} for the row that `{giver}` gives back here, not for all that it serves"
    path: str = "."
    conditions: tuple[tuple[str, str], ...] = (("", "{field}=..."), ("in", "{field}.in_(...)"))
    up: str = '"{}"'
    down: str = '"-{}"'
    loaders: tuple[str, str] = ("", "")


LOOKUPS = (
    ("", "{field}=..."), ("!=", "~Q({field}=...)"), ("<", "{field}__lt=..."), ("<=", "{field}__lte=..."), (">", "{field}__gt=..."),
    (">=", "{field}__gte=..."), ("in", "{field}__in=..."),
)  # fmt: skip
"""How Django writes comparisons."""

WORDS = {
    "django": Words(
        gather="await them with one asyncio.gather, each on its own connection",
        one="read one row with .first()",
        take="read at most {count} rows with [:{count}]",
        some="read only the rows that are kept, with [:n]",
        bound="filter the rows, or paginate them",
        every="iterate over the rows in batches with .iterator(chunk_size=...)",
        counter="let the database count or sum: .count(), .aggregate() or .annotate()",
        distinct="let the database count the distinct ones: .distinct().count()",
        narrow="read only {fields} with .values_list({fields}) or .only({fields})",
        chunk="write the rows in batches with bulk_create, bulk_update or one update()",
        probe="ask with .exists()",
        given="test `is not None` where it may be None, else ask with .exists()",
        pushed="put the condition into the query: .filter({fields})",
        sorted="let the query sort: .order_by({fields})",
        keys="read the rows of all the keys before the loop: .in_bulk(keys) or .filter(pk__in=keys)",
        items="read the rows for all the items with one query before the loop (a condition with __in) and look them up in a dictionary",
        counts="count for all the items with one grouped query before the loop: .values(key).annotate(number=Count(...))",
        aggregates="work it out for all items with one grouped query before the loop, by the same aggregates: .values(key).annotate(...)",
        gathered="replace the loop by one query for all the items (a condition with __in): it gives the same list",
        related="let the query of the rows count: .annotate(number=Count(...))",
        again="read the rows again by one query for all of them: .filter(pk__in=...)",
        writes="collect the rows and write them once: bulk_create, bulk_update, or update() and delete() of a queryset",
        alike="set it in all of the rows by one .filter(pk__in=...).update(...)",
        joined="add .select_related({paths})",
        batched="add .prefetch_related({paths})",
        got="load them for the row that `{giver}` gives back here, not for all that it serves: prefetch_related_objects([row], {paths})",
        path="__",
        conditions=LOOKUPS,
    ),
    "sqlalchemy": Words(
        gather="await them with one asyncio.gather, each with its own session",
        one="read one row with .limit(1)",
        take="read at most {count} rows with .limit({count})",
        some="read only the rows that are kept, with .limit(n)",
        bound="filter the rows, or read them in pages with .limit(n)",
        every="iterate over the rows in batches with .yield_per(n)",
        counter="let the database count or sum: select(func.count()), select(func.sum(...)), with group_by for several",
        distinct="let the database count the distinct ones: select(func.count(distinct(...)))",
        narrow="select only {fields}, as columns or with load_only",
        chunk="write the rows with one insert(), update() or delete() statement for many rows",
        probe="ask with select(exists(...))",
        given="test `is not None` where it may be None, else ask with select(exists(...))",
        pushed="put the condition into the query: .where({fields})",
        sorted="let the query sort: .order_by({fields})",
        keys="read the rows of all the keys with one query before the loop: .where(key.in_(keys))",
        items="read the rows for all the items with one query before the loop (a condition with in_) and look them up in a dictionary",
        counts="count for all the items with one grouped query before the loop: select(key, func.count()).group_by(key)",
        gathered="replace the loop by one query for all the items (a condition with in_): it gives the same list",
        related="let the query of the rows count: select(func.count()) of the related rows as a scalar_subquery() or a column_property",
        again="ask for what the rows lack in the query that brings them (selectinload), or read them again by one with populate_existing",
        writes="gather the rows and write them once: add_all and one commit after the loop, or one statement (many parameters, in_)",
        alike="set it in all of the rows by one statement: update(...).where(key.in_(keys)).values(...)",
        joined="add {paths} to .options(...)",
        batched="add {paths} to .options(...)",
        got="let `{giver}`, which serves others too, take loader options, and hand it {paths} here",
        loaders=("joinedload", "selectinload"),
        conditions=(("", "{field} == ..."), ("in", "{field}.in_(...)")),
        up="{}",
        down="{}.desc()",
    ),
    "dbapi": Words(
        gather="await them with one asyncio.gather, each on its own connection",
        one="read one row with LIMIT 1",
        take="read at most {count} rows with LIMIT {count}",
        some="read only the rows that are kept, with LIMIT",
        bound="select the rows with WHERE, or page through them with LIMIT",
        every="iterate over the rows in batches: fetchmany(n), with a cursor on the server",
        counter="let the database count or sum: SELECT count(*) or sum(...)",
        distinct="let the database count the distinct ones: SELECT count(DISTINCT ...)",
        narrow="select only {fields} instead of *",
        pushed="put the condition into the query: WHERE {fields}",
        sorted="let the query sort: ORDER BY {fields}",
        up="{}",
        down="{} DESC",
        chunk="write the rows with one executemany or execute_values",
        writes="collect the rows and write them by one executemany or execute_values (or COPY), or by one statement with IN (...)",
    ),
}


UNPAGED = "a component has no .paginate(): `paginator` of convex-helpers reads pages there"


def by_pages(remedy: Remedy, stack: str) -> bool:
    """Whether a remedy may be to read in pages, by the word of Convex."""
    return ".paginate()" in sentence(remedy, stack)


def beginning(floor: str) -> str:
    """What is to be said of a range from below which rows without a value would come along; empty where none would."""
    return f'; begin the range with .gt("{floor}", undefined), as rows without a value come first in it' if floor else ""


def sentence(remedy: Remedy, stack: str = "") -> str:
    """The remedy in one sentence for a person, in the words of a stack."""
    words = WORDS.get(stack) or Words()
    match remedy:
        case Gather():
            return words.gather
        case Batch(how=how, of=of):
            return how or str(getattr(words, of))
        case Preload():
            return _preload(remedy, words)
        case Probe(given=given):
            return words.given if given else words.probe
        case PushDown():
            return _pushed(remedy) if not words.pushed else _asked(remedy, words)
        case AddIndex(table=table, index=index, fields=fields):
            return f"add index `{index}` on {table} ({', '.join(fields)})"
        case DropIndex():
            return _dropped(remedy, words)
        case Rename(to=to):
            return f"name the index `{to}`"
        case Limit(count=1):
            return words.one
        case Limit(count=int(count)):
            return words.take.format(count=count)
        case Limit(every=True):
            return words.every
        case Limit(paginate=False):
            return words.some
        case Limit():
            return words.bound
        case Hoist():
            return "read it once, before the loop"
        case Reuse(first=first):
            return f"keep the result of the read on line {first.line}"
        case Counter(table=table, distinct=distinct):
            return (words.distinct if distinct and words.distinct else words.counter).format(table=table)
        case Narrow(table=table, fields=fields):
            return words.narrow.format(fields=_names(fields, stack), table=table) if fields else _apart(table)
        case Chunk():
            return words.chunk
        case Advice(text=text):
            return text


def _dropped(remedy: DropIndex, words: Words) -> str:
    if remedy.option:
        said = f"remove {remedy.option} from {', '.join(f'`{name}`' for name in remedy.fields)} of {remedy.table}"
    elif remedy.fields:
        said = f"drop the index on ({', '.join(remedy.fields)}) of {remedy.table}"
    else:
        said = f"drop index `{remedy.index}` of {remedy.table}"
    if remedy.covered_by is None:
        return said
    cover = remedy.covered_by if " " in remedy.covered_by else f"`{remedy.covered_by}`"
    return f"{said}; {cover} serves its readers" if words.pushed else f"{said}, once its readers read by {cover}"


def _names(fields: tuple[str, ...], stack: str) -> str:
    return ", ".join(f'"{name}"' for name in fields) if stack in WORDS else ", ".join(fields)


def _apart(table: str) -> str:
    return f"keep what is needed of `{table}` in a small separate table"


def _preload(remedy: Preload, words: Words) -> str:
    if remedy.giver:
        return words.got.format(paths=", ".join(_path(path, words, words.loaders[1]) for path in remedy.batched), giver=remedy.giver)
    ways = ((words.joined, remedy.joined, words.loaders[0]), (words.batched, remedy.batched, words.loaders[1]))
    said = [way.format(paths=", ".join(_path(path, words, loader) for path in paths)) for way, paths, loader in ways if paths]
    at = remedy.at
    made = at is not None and at.start == at.end  # by the framework, of what a class says
    place = f" to the {'rows of the class' if made else 'query'} on line {at.line} of {at.path}" if at is not None else ""
    place += " (in the admin, list_select_related)" if made and remedy.joined and words.path == "__" else ""
    return " and ".join(said) + (f" to the query in `{remedy.view}` that the template is given" if remedy.view else place)


def _path(path: tuple[str, ...], words: Words, loader: str) -> str:
    """A path of relations as an argument; where each step is a call, these calls: `selectinload(lines).selectinload(product)`."""
    return ".".join(f"{loader}({name})" for name in path) if loader else f'"{words.path.join(path)}"'


def _asked(remedy: PushDown, words: Words) -> str:
    """Where the database picks the index, the query only has to say what it wants."""
    wanted = [(f, s) for f in remedy.fields if f not in remedy.order for s in [s for n, s in remedy.compared if n == f] or [""]]
    bound = ", ".join(_compared(field, sign, words) for field, sign in wanted)
    order = ", ".join((words.down if remedy.descending else words.up).format(f) for f in remedy.order)
    said = [words.pushed.format(fields=bound)] if bound and not remedy.order else []
    return ", and ".join([*said, *([words.sorted.format(fields=order)] if order else [])])


def _compared(field: str, sign: str, words: Words) -> str:
    """A condition on a field, as the stack writes it."""
    return dict(words.conditions).get(sign, "{field} {sign} ...").format(field=field, sign=sign)


def _pushed(remedy: PushDown) -> str:
    bound = ", ".join(f for n, f in enumerate(remedy.fields) if not set(remedy.order) & set(remedy.fields[: n + 1]))
    order = (
        ', and read with .order("desc")'
        if remedy.descending
        else f", and read in its order by {', '.join(remedy.order)}"
        if remedy.order
        else ""
    )
    last = "" if remedy.keeps_order else "; rows then come in the order of the index"
    last += beginning(remedy.floor)
    if not remedy.create:
        return (f"bind {bound} in the range of index `{remedy.index}`" if bound else f"use index `{remedy.index}`") + order + last
    named = f"index `{remedy.index}`" if remedy.index else "an index"  # where no schema tells how they are called
    added = f"add {named} on {remedy.table} ({', '.join(remedy.fields)})"
    if remedy.instead_of:
        added += f" in the place of `{remedy.instead_of}`, as the smallest set of indexes does (querylint indexes),"
    bind = "" if not bound else f", bind {bound} in its range" if remedy.order else " and bind the tested fields in its range"
    return f"{added}{bind}{order}{last}"
