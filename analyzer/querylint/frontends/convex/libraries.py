"""Tables that libraries bring into a schema: what they hold at the time of writing. Their indexes serve the project's queries; whether
others are missing, or these are used, is no matter of the project."""

from __future__ import annotations

from collections.abc import Mapping

from querylint.construction import replace
from querylint.frontends.convex.tables import Desk, TableValue
from querylint.frontends.convex.validators import Validator
from querylint.frontends.modules.values import Entry, RecordValue, Value
from querylint.ir import Index, Table

Shape = tuple[Mapping[str, str], Mapping[str, tuple[str, ...]]]
"""Fields by name, each a type (`id:table` for ids, `?` for optional, `|null` for nullable), and indexes by name."""

_AUTH: Mapping[str, Shape] = {
    "users": (
        {
            "name": "string?",
            "image": "string?",
            "email": "string?",
            "emailVerificationTime": "number?",
            "phone": "string?",
            "phoneVerificationTime": "number?",
            "isAnonymous": "boolean?",
        },
        {"email": ("email",), "phone": ("phone",)},
    ),
    "authSessions": ({"userId": "id:users", "expirationTime": "number"}, {"userId": ("userId",)}),
    "authAccounts": (
        {
            "userId": "id:users",
            "provider": "string",
            "providerAccountId": "string",
            "secret": "string?",
            "emailVerified": "string?",
            "phoneVerified": "string?",
        },
        {"userIdAndProvider": ("userId", "provider"), "providerAndAccountId": ("provider", "providerAccountId")},
    ),
    "authRefreshTokens": (
        {
            "sessionId": "id:authSessions",
            "expirationTime": "number",
            "firstUsedTime": "number?",
            "parentRefreshTokenId": "id:authRefreshTokens?",
        },
        {"sessionId": ("sessionId",), "sessionIdAndParentRefreshTokenId": ("sessionId", "parentRefreshTokenId")},
    ),
    "authVerificationCodes": (
        {
            "accountId": "id:authAccounts",
            "provider": "string",
            "code": "string",
            "expirationTime": "number",
            "verifier": "string?",
            "emailVerified": "string?",
            "phoneVerified": "string?",
        },
        {"accountId": ("accountId",), "code": ("code",)},
    ),
    "authVerifiers": ({"sessionId": "id:authSessions?", "signature": "string?"}, {"signature": ("signature",)}),
    "authRateLimits": (
        {"identifier": "string", "lastAttemptTime": "number", "attemptsLeft": "number"},
        {"identifier": ("identifier",)},
    ),
}
_RATE_LIMIT: Mapping[str, Shape] = {
    "rateLimits": ({"name": "string", "key": "string?", "value": "number", "ts": "number"}, {"name": ("name", "key")}),
}
_MIGRATIONS: Shape = (
    {
        "name": "string",
        "table": "string",
        "cursor": "string|null",
        "isDone": "boolean",
        "workerId": "id:_scheduled_functions?",
        "processed": "number",
        "latestStart": "number",
        "latestEnd": "number?",
    },
    {"name": ("name",)},
)
_RECORDS: Mapping[tuple[str, str], Mapping[str, Shape]] = {
    ("@convex-dev/auth/server", "authTables"): _AUTH,
    ("convex-helpers/server/rateLimit", "rateLimitTables"): _RATE_LIMIT,
}
_SINGLE: Mapping[tuple[str, str], Shape] = {("convex-helpers/server/migrations", "migrationsTable"): _MIGRATIONS}


def library_value(desk: Desk, specifier: str, name: str) -> Value | None:
    """The tables, or the table, that a package exports under a name; None where that is not known."""
    record = _RECORDS.get((specifier, name))
    if record is not None:
        return RecordValue({title: Entry(_table(desk, specifier, shape)) for title, shape in record.items()})
    single = _SINGLE.get((specifier, name))
    return None if single is None else _table(desk, specifier, single)


def with_library_indexes(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables of a schema; where the project declares a table of a library anew, that still fills it, and reads by its own indexes."""
    present = {table.library for table in tables.values()}
    found = dict(tables)
    for (specifier, _), record in _RECORDS.items():
        if package_of(specifier) not in present:
            continue
        for name, (_, own) in record.items():
            table = found.get(name)
            if table is not None and table.library is None:
                kept = tuple(replace(i, implicit=True) if own.get(i.name) == i.fields else i for i in table.indexes)
                found[name] = replace(table, indexes=kept, filled=True)
    return found


def package_of(specifier: str) -> str:
    """The package of an import."""
    return "/".join(specifier.split("/")[: 2 if specifier.startswith("@") else 1])


def _table(desk: Desk, specifier: str, shape: Shape) -> TableValue:
    fields, indexes = shape
    return TableValue(
        desk,
        None,
        RecordValue({name: Entry(_validator(text)) for name, text in fields.items()}),
        tuple(Index(name, keys, implicit=True) for name, keys in indexes.items()),
        # Another version of the library may have more.
        indexes_known=False,
        library=package_of(specifier),
    )


def _validator(text: str) -> Validator:
    plain = text.rstrip("?").removesuffix("|null")
    kind, _, target = plain.partition(":")
    found = Validator(kind, target=target or None)
    if "|null" in text:
        found = Validator("union", members=(found, Validator("null")))
    return Validator(found.kind, members=found.members, target=found.target, is_optional=text.endswith("?"))
