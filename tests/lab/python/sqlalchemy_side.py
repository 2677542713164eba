"""The SQLAlchemy models of one folder on a database in memory."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import random
import tempfile
import typing
import uuid
from pathlib import Path
from typing import Any

import values
from missing import MissingRowError
from sqlalchemy import MetaData, Table, Uuid, create_engine, event, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import StaticPool

KINDS = {"BOOLEAN": "bool", "INTEGER": "int", "FLOAT": "float", "DATETIME": "datetime", "DATE": "date"}


class Side:
    def __init__(self, folder: Path) -> None:
        for path in sorted(folder.glob("*/*.py")):
            importlib.import_module(f"{path.parent.name}.{path.stem}")
        bases = DeclarativeBase.__subclasses__()
        self.metadata: MetaData = bases[0].metadata
        self.classes = [mapper.class_ for mapper in bases[0].registry.mappers]
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        self.statements: list[str] = []
        self.loaded = 0
        self.together = 0
        event.listen(self.engine, "before_cursor_execute", self._record)
        event.listen(self.engine, "connect", lambda connection, record: setattr(connection, "row_factory", self._fetched))
        self.metadata.create_all(self.engine)
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.session: Session | None = None

    def _record(self, conn: object, cursor: object, statement: str, *rest: object) -> None:
        self.statements.append(statement)

    def _fetched(self, cursor: object, row: tuple[object, ...]) -> tuple[object, ...]:
        self.loaded += len(row)
        return row

    def fill(self, chance: random.Random) -> None:
        self.rows = {}
        with self.engine.begin() as connection:
            for table in reversed(self.metadata.sorted_tables):
                connection.execute(table.delete())
            for table in self.metadata.sorted_tables:
                made = self.rows[table.name] = list(self._made(table, chance))
                if made:
                    connection.execute(insert(table), made)

    def _made(self, table: Table, chance: random.Random) -> typing.Iterator[dict[str, Any]]:
        pairs = all(column.foreign_keys for column in table.primary_key)
        seen: set[tuple[Any, ...]] = set()
        for key in values.fresh(chance):
            row: dict[str, Any] = {}
            for column in table.columns:
                foreign = next(iter(column.foreign_keys), None)
                if foreign is not None:
                    targets = [r[foreign.column.name] for r in self.rows.get(foreign.column.table.name, ())]
                    options = [*targets, None] if column.nullable else targets
                    row[column.name] = chance.choice(options) if options else None
                elif column.primary_key:
                    row[column.name] = uuid.UUID(int=key) if isinstance(column.type, Uuid) else key
                elif column.unique:
                    row[column.name] = f"{column.name}{key}"
                elif column.nullable and chance.random() < 0.2:
                    row[column.name] = None
                else:
                    row[column.name] = values.some(KINDS.get(str(column.type).partition("(")[0], "str"), chance)
            identity = tuple(row[column.name] for column in table.primary_key)
            if any(row[c.name] is None and not c.nullable for c in table.columns) or (pairs and identity in seen):
                continue
            seen.add(identity)
            yield row

    def given(self, kind: object, name: str, chance: random.Random) -> object:
        if kind in (Session, AsyncSession, AsyncEngine) or typing.get_origin(kind) is async_sessionmaker:
            return typing.get_origin(kind) or kind
        if kind in self.classes:
            table = kind.__table__.name  # type: ignore[attr-defined]
            if not self.rows[table]:
                raise MissingRowError
            return (kind, chance.choice(self.rows[table])["id"])
        ids = {row["id"] for rows in self.rows.values() for row in rows if "id" in row}
        present = sorted({one.int if isinstance(one, uuid.UUID) else one for one in ids})
        return values.given(kind, name, present, chance)

    def run(self, function: Any, arguments: dict[str, object]) -> tuple[object, int]:
        if inspect.iscoroutinefunction(function):
            return asyncio.run(self._awaited(function, arguments))
        with Session(self.engine) as session:
            ready = {name: self._ready(value, session) for name, value in arguments.items()}
            self.statements.clear()
            self.loaded = 0
            result = values.plain(function(**ready))
            session.flush()
            count = len(self.statements)
            session.commit()
        return result, count

    def _ready(self, value: object, session: object) -> object:
        if isinstance(value, type):
            return session
        if isinstance(value, tuple):
            return session.get(*value)  # type: ignore[attr-defined]
        return value

    async def _awaited(self, function: Any, arguments: dict[str, object]) -> tuple[object, int]:
        """A coroutine with a session, or with what makes sessions: each of these has a connection of its own to a file."""
        if not {async_sessionmaker, AsyncEngine} & {v for v in arguments.values() if isinstance(v, type)}:
            return await self._on(create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool), function, arguments)
        with tempfile.TemporaryDirectory() as folder:
            return await self._on(create_async_engine(f"sqlite+aiosqlite:///{folder}/lab.db"), function, arguments)

    async def _on(self, engine: AsyncEngine, function: Any, arguments: dict[str, object]) -> tuple[object, int]:
        statements: list[str] = []
        open_now: set[object] = set()
        event.listen(engine.sync_engine, "before_cursor_execute", lambda c, cursor, statement, *rest: statements.append(statement))
        event.listen(engine.sync_engine, "checkout", lambda connection, record, proxy: self._taken(open_now, record))
        event.listen(engine.sync_engine, "checkin", lambda connection, record: open_now.discard(record))
        async with engine.begin() as connection:
            await connection.run_sync(self.metadata.create_all)
            for table in self.metadata.sorted_tables:
                if self.rows[table.name]:
                    await connection.execute(insert(table), self.rows[table.name])
        async with AsyncSession(engine) as session:
            statements.clear()
            self.together = 0
            makers = {async_sessionmaker: async_sessionmaker(engine), AsyncEngine: engine}
            ready = {n: makers[v] if isinstance(v, type) and v in makers else self._ready(v, session) for n, v in arguments.items()}
            result = values.plain(await function(**ready))
            count = len(statements)
        await engine.dispose()
        return result, count

    def _taken(self, open_now: set[object], record: object) -> None:
        open_now.add(record)
        self.together = max(self.together, len(open_now))

    def stored(self) -> object:
        with self.engine.connect() as connection:
            return {
                t.name: [list(row) for row in connection.execute(select(t).order_by(*t.primary_key))] for t in self.metadata.sorted_tables
            }
