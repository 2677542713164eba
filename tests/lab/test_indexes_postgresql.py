"""The index advice on a real PostgreSQL: every query that an advised index claims to serve scans its table before, and reads it after.

The statements are those that the code really sends: written down in it, or taken from SQLAlchemy and Django as they send them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from laid import lay
from querylint import indexing
from querylint.advise.advisor import Verdict
from tools import found, needs

USER = "postgres"
ROWS = 20_000


pytestmark = needs("initdb", "pg_ctl", "psql")


@dataclass(frozen=True)
class Server:
    """A server of its own, that listens on a socket in its own folder only."""

    folder: Path

    def ask(self, sql: str) -> str:
        command = [
            found("psql") or "",
            "-h",
            str(self.folder),
            "-U",
            USER,
            "-d",
            "postgres",
            "-X",
            "-q",
            "-t",
            "-A",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        done = subprocess.run([*command, "-c", sql], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def plan(self, sql: str) -> str:
        return self.ask(f"EXPLAIN {sql}")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="lab"))
    owner = USER if os.geteuid() == 0 else None  # the server refuses to run as root
    if owner is not None:
        shutil.chown(folder, owner, owner)

    def run(tool: str, *args: str) -> None:
        subprocess.run([found(tool) or "", *args], user=owner, cwd=folder, check=True, timeout=120, stdout=subprocess.DEVNULL)

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", USER, "-A", "trust", "--no-sync")
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", f"-c listen_addresses='' -c fsync=off -k {folder}", "start")
    try:
        yield Server(folder)
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Lab:
    """A small project, its table in the database, and the statement that each of its functions sends."""

    files: Mapping[str, str]
    table: str
    ddl: str
    fill: str
    sent: Mapping[str, str]
    capture: str = ""


STATEMENTS: dict[str, tuple[str, tuple[object, ...]]] = {
    "due": ("SELECT * FROM jobs WHERE owner_id = %s AND due < %s", (77, 500)),
    "of_queue": ("SELECT id FROM jobs WHERE owner_id = %s AND queue = %s AND due < %s", (77, "q5", 900)),
    "forget": ("DELETE FROM jobs WHERE owner_id = %s", (78,)),
    "newest": ("SELECT queue FROM jobs ORDER BY due DESC LIMIT 20", ()),
    "by_token": ("SELECT id FROM jobs WHERE token = %s", ("t123",)),
}
DDL = "CREATE TABLE jobs (id serial PRIMARY KEY, queue text, owner_id int, due int, token text);"
PLAIN = Lab(
    {
        "schema.sql": DDL,
        "jobs.py": "import psycopg2\n\n\ndef push(cur):\n    cur.execute(\"INSERT INTO jobs (queue, owner_id) VALUES ('q', 1)\")\n"
        + "".join(
            f'\n\ndef {n}(cur, *given):\n    cur.execute("{sql}", given)\n    return cur.fetchall()\n' for n, (sql, _) in STATEMENTS.items()
        ),
    },
    "jobs",
    DDL,
    f"INSERT INTO jobs (queue, owner_id, due, token) SELECT 'q' || n % 50, n % 1000, n % 977, 't' || n FROM generate_series(1, {ROWS}) n",
    {name: sql % tuple(map(repr, values)) for name, (sql, values) in STATEMENTS.items()},
)

MODELS = """from sqlalchemy import ForeignKey, Integer, String, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))


def make(session: Session) -> None:
    session.add(Order(number="n", shop_id=1))


def find(session: Session, number: str) -> Order | None:
    return session.scalars(select(Order).where(Order.number == number)).first()


def of_shop(session: Session, shop_id: int) -> list[Order]:
    return list(session.scalars(select(Order).where(Order.shop_id == shop_id)))
"""
CAPTURE = """import json

from rows import Base, create_engine, event, find, of_shop
from sqlalchemy.orm import Session

engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
sent = []


@event.listens_for(engine, "before_cursor_execute")
def note(connection, cursor, statement, parameters, context, many):
    for value in parameters:
        statement = statement.replace("?", repr(value), 1)
    sent.append(statement)


out = {}
with Session(engine) as session:
    for function, argument in ((find, "n123"), (of_shop, 77)):
        function(session, argument)
        out[function.__name__] = sent[-1]
print(json.dumps(out))
"""
MAPPED = Lab(
    {"rows.py": MODELS, "capture.py": CAPTURE},
    "orders",
    "CREATE TABLE orders (id serial PRIMARY KEY, number varchar, shop_id int)",
    f"INSERT INTO orders (number, shop_id) SELECT 'n' || n, n % 1000 FROM generate_series(1, {ROWS}) n",
    {},
    "capture.py",
)

SHOP = """from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=40)
    shop = models.CharField(max_length=40)


def make(number):
    return Order.objects.create(number=number)


def find(number):
    return Order.objects.get(number=number)


def first_of(shop, number):
    return Order.objects.filter(shop=shop, number=number).first()
"""
DJANGO = """import json

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["shop"], DEFAULT_AUTO_FIELD="django.db.models.AutoField", DEBUG=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.db import connection
from shop import models

with connection.schema_editor() as editor:
    editor.create_model(models.Order)
models.Order.objects.create(number="n123", shop="s7")
out = {}
for function, arguments in ((models.find, ("n123",)), (models.first_of, ("s7", "n123"))):
    function(*arguments)
    out[function.__name__] = connection.queries[-1]["sql"]
print(json.dumps(out))
"""
MODELLED = Lab(
    {"shop/__init__.py": "", "shop/models.py": SHOP, "capture.py": DJANGO},
    "shop_order",
    "CREATE TABLE shop_order (id serial PRIMARY KEY, number varchar(40), shop varchar(40))",
    f"INSERT INTO shop_order (number, shop) SELECT 'n' || n, 's' || n % 500 FROM generate_series(1, {ROWS}) n",
    {},
    "capture.py",
)


def _sent(lab: Lab, folder: Path) -> Mapping[str, str]:
    """The statements as the code sends them."""
    if not lab.capture:
        return lab.sent
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, lab.capture], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    statements: dict[str, str] = json.loads(done.stdout)
    return statements


@pytest.mark.parametrize("lab", [PLAIN, MAPPED, MODELLED], ids=["DB-API", "SQLAlchemy", "Django"])
def test_an_advised_index_is_used_by_every_query_that_it_claims_to_serve(lab: Lab, server: Server, tmp_path: Path) -> None:
    lay(tmp_path, lab.files)
    sent = _sent(lab, tmp_path)
    report = indexing.indexes([path for path in tmp_path.iterdir() if path.name != "capture.py"])
    (table,) = report.changed
    added = [index for index in table.indexes if index.verdict is Verdict.ADD]
    claimed = {demand.function.name: index.name for index in added for demand in index.serves}
    assert claimed.keys() == sent.keys()
    server.ask(f"DROP TABLE IF EXISTS {lab.table}; {lab.ddl}; {lab.fill}; ANALYZE {lab.table}")
    for name, sql in sent.items():
        assert f"Seq Scan on {lab.table}" in server.plan(sql), name
    for index in added:
        server.ask(f"CREATE INDEX {index.name} ON {lab.table} ({', '.join(index.fields)}); ANALYZE {lab.table}")
    for name, sql in sent.items():
        plan = server.plan(sql)
        assert claimed[name] in plan, f"{name}: {plan}"
        assert "Seq Scan" not in plan
