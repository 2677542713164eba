# long: each way of writing an index is an edit and a migration that the real tools have to agree with
"""Index advice and its edits on small Python projects: the real Django and Alembic find that models and migrations say the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from laid import lay
from querylint import indexing
from querylint.mend import Choice, Mended, mend

MODELS = """from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=40)
    shop = models.CharField(max_length=40)
{rest}

def find(number):
    return Order.objects.get(number=number)


def make(number):
    return Order.objects.create(number=number)
"""
META = """
    class Meta:
        ordering = ["number"]
"""
LISTED = """
    class Meta:
        indexes = [
            models.Index(fields=["shop"], name="order_shop_idx"),
            models.Index(fields=["shop", "number"], name="order_shop_number_idx"),
        ]
"""
SETTINGS = """SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
"""
MANAGE = """import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
"""


def django(folder: Path, rest: str) -> Path:
    files = {"settings.py": SETTINGS, "manage.py": MANAGE, "shop/__init__.py": "", "shop/models.py": MODELS.format(rest=rest)}
    lay(folder, files)
    manage(folder, "makemigrations", "shop")
    return folder


def manage(folder: Path, *args: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "manage.py", *args]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("rest", ["", META, LISTED], ids=["no Meta", "a Meta", "a list of indexes"])
def test_django_finds_nothing_to_add_to_the_migration(rest: str, tmp_path: Path) -> None:
    folder = django(tmp_path, rest)
    done = indexing.carried_out([folder])
    assert not done.held
    assert not done.rest.changed
    done.write()
    assert "No changes detected" in manage(folder, "makemigrations", "--check", "--dry-run")
    manage(folder, "migrate")
    assert "order_number_idx" in manage(folder, "sqlmigrate", "shop", "0002")


DECLARED = """from django.core.validators import MinLengthValidator
from django.db import models


class Shop(models.Model):
    {first}
    name = models.CharField(max_length=40, validators=[MinLengthValidator(2)], db_index=True, default="x")
    town = models.CharField(max_length=40)
    code = models.CharField(max_length=40)

    class Meta:
        indexes = {listed}


def find(name, town):
    return Shop.objects.filter(name=name, town=town).first()


def other(town, code):
    return Shop.objects.filter(town=town, code=code).first()
"""
INDEXES = (
    '(models.Index(fields=["name", "town"]), models.Index(fields=("town",)), '
    'models.Index(fields=["town", "code"], name="tc"), models.Index(fields=["town", "code"], name="tc2"))'
)


def test_django_finds_nothing_to_add_where_an_option_or_an_index_without_a_name_goes(tmp_path: Path) -> None:
    text = DECLARED.format(first="owner = models.CharField(max_length=40)", listed=INDEXES.replace("(models", "[models", 1)[:-1] + "]")
    files = {"settings.py": SETTINGS, "manage.py": MANAGE, "shop/__init__.py": "", "shop/models.py": text}
    folder = lay(tmp_path, files)
    manage(folder, "makemigrations", "shop")
    first = folder / "shop/migrations/0001_initial.py"
    gap = "\n                    "
    lines = f"models.CharField({gap}db_index=True,{gap}default='x',  # as ever{gap}max_length=40,{gap}"
    first.write_text(first.read_text().replace("models.CharField(db_index=True, default='x', max_length=40, ", lines))
    assert "# as ever" in first.read_text()
    (folder / "shop/models.py").write_text(DECLARED.format(first="owner = models.CharField(max_length=50)", listed=INDEXES))
    manage(folder, "makemigrations", "shop")
    done = mend([folder], None, {"show": "info"}, Choice(unsafe=True, select=frozenset(("redundant-index",))))
    done.write()
    assert len(done.made) == 3, done.left
    assert sum("LIKE index" in caveat for made in done.made for caveat in made.fix.caveats) == 1, (
        "of the option alone, which is one of a text"
    )
    altered = next(
        path.read_text()
        for path in folder.glob("shop/migrations/*.py")
        if "AlterField" in path.read_text() and "# as ever" in path.read_text()
    )
    assert "            field=models.CharField(\n                default='x',  # as ever\n                max_length=40,\n" in altered
    assert "No changes detected" in manage(folder, "makemigrations", "--check", "--dry-run")
    manage(folder, "migrate")
    model = (folder / "shop/models.py").read_text()
    assert "db_index" not in model
    assert 'default="x"' in model


RENAMED = """from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [('shop', '0001_initial')]

    operations = [migrations.RenameField(model_name='shop', old_name='title', new_name='name')]
"""


def test_an_option_stays_where_the_migrations_do_not_plainly_say_what_the_field_is(tmp_path: Path) -> None:
    text = DECLARED.format(first="owner = models.CharField(max_length=40)", listed='[models.Index(fields=["name", "town"], name="nt")]')
    folder = lay(tmp_path, {"settings.py": SETTINGS, "manage.py": MANAGE, "shop/__init__.py": "", "shop/models.py": text})
    manage(folder, "makemigrations", "shop")
    first = folder / "shop/migrations/0001_initial.py"
    first.write_text(first.read_text().replace("('name', models", "('title', models").replace("fields=['name'", "fields=['title'"))
    (folder / "shop/migrations/0002_rename.py").write_text(RENAMED)
    done = mend([folder], None, {"show": "info"}, Choice(unsafe=True, select=frozenset(("redundant-index",))))
    assert not done.made
    assert any("only Django knows" in left.reason for left in done.left)


# SQLAlchemy.

ROWS = """from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class Order(Base):
    __tablename__ = "orders"
{rest}
    id = Column(Integer, primary_key=True)
    number = Column(String)
    shop = Column("shop_name", String)


def find(session: Session, shop: str) -> Order | None:
    return session.query(Order).filter(Order.shop == shop).first()


def make(session: Session, number: str) -> None:
    session.add(Order(number=number))
    session.commit()
"""
OPTIONS = '    __table_args__ = {"comment": "what was bought"}\n'
TUPLE = '    __table_args__ = (UniqueConstraint("number"), {"comment": "what was bought"})\n'
FIRST = '''"""start"""

import sqlalchemy as sa
from alembic import op

revision = "aaaa"
down_revision = None
more = [sa.Column("shop_name", sa.String)]


def upgrade():
    op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True), sa.Column("number", sa.String), *more)


def downgrade():
    op.drop_table("orders")
'''
RUN = """import sys
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
import sqlalchemy as sa
from rows import Base

engine = sa.create_engine("sqlite://")
scripts = ScriptDirectory(".")
with engine.connect() as connection:
    with Operations.context(MigrationContext.configure(connection)):
        for script in reversed(list(scripts.walk_revisions())):
            script.module.upgrade()
    made = {i["name"]: i["column_names"] for i in sa.inspect(connection).get_indexes("orders")}
told = {i.name: [c.name for c in i.columns] for i in Base.metadata.tables["orders"].indexes}
assert made == told, (made, told)
print(scripts.get_current_head(), made)
"""


@pytest.mark.parametrize("rest", ["", OPTIONS, TUPLE], ids=["no arguments", "options", "a tuple that ends in options"])
def test_sqlalchemy_and_alembic_make_the_same_index(rest: str, tmp_path: Path) -> None:
    text = ROWS.format(rest=rest)
    text = text.replace("String\n", "String, UniqueConstraint\n", 1) if "UniqueConstraint" in rest else text
    folder = lay(tmp_path, {"rows.py": text, "versions/aaaa_start.py": FIRST, "run.py": RUN, "env.py": ""})
    done = indexing.carried_out([folder])
    assert not done.held
    assert not done.rest.changed
    done.write()
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run([sys.executable, "run.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "'ix_orders_shop': ['shop_name']" in ran.stdout


def test_sqlalchemy_marks_the_column_where_the_module_writes_its_indexes_so(tmp_path: Path) -> None:
    text = ROWS.format(rest="").replace("number = Column(String)", "number = Column(String, index=True)").replace('"shop_name", ', "")
    first = FIRST.replace("shop_name", "shop").replace(
        ", *more)\n", ', *more)\n    op.create_index("ix_orders_number", "orders", ["number"])\n'
    )
    text += "\n\ndef numbered(session: Session, number: str) -> Order | None:\n"
    text += "    return session.query(Order).filter_by(number=number).first()\n"
    folder = lay(tmp_path, {"rows.py": text, "versions/aaaa_start.py": first, "run.py": RUN, "env.py": ""})
    done = indexing.carried_out([folder])
    assert not done.held
    done.write()
    assert "    shop = Column(String, index=True)\n" in (folder / "rows.py").read_text()
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run([sys.executable, "run.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "'ix_orders_shop': ['shop']" in ran.stdout


@pytest.mark.parametrize("made", ["column_property(Column(String))", "text(80)"], ids=["wrapped", "made by other code"])
def test_sqlalchemy_marks_no_column_that_something_else_makes(made: str, tmp_path: Path) -> None:
    text = ROWS.format(rest="").replace("number = Column(String)", "number = Column(String, index=True)")
    text = text.replace('Column("shop_name", String)', made).replace("import Session", "import column_property, Session")
    text = text.replace("\nclass Order", "\ndef text(size):\n    return Column(String(size))\n\n\nclass Order")
    text += "\n\ndef numbered(session: Session, number: str) -> Order | None:\n"
    text += "    return session.query(Order).filter_by(number=number).first()\n"
    folder = lay(tmp_path, {"rows.py": text})
    indexing.carried_out([folder]).write()
    after = (folder / "rows.py").read_text()
    assert f"    shop = {made}\n" in after
    assert 'Index("ix_orders_shop", "shop")' in after


def test_a_revision_counts_on_where_those_before_it_are_counted(tmp_path: Path) -> None:
    first = FIRST.replace('"aaaa"', '"0009_orders"')
    folder = lay(tmp_path, {"rows.py": ROWS.format(rest=""), "versions/0009_orders.py": first, "run.py": RUN, "env.py": ""})
    indexing.carried_out([folder]).write()
    text = (folder / "versions/0010_add_index_ix_orders_shop.py").read_text()
    assert 'revision = "0010_add_index_ix_orders_shop"\ndown_revision = "0009_orders"' in text
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run([sys.executable, "run.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "0010_add_index_ix_orders_shop" in ran.stdout


SEVERAL = [
    (
        '(UniqueConstraint("number", "shop", "day"), Index("a", "number"), Index("b", "number", "shop"))',
        '(UniqueConstraint("number", "shop", "day"),)',
    ),
    (
        '(Index("a", "number"), UniqueConstraint("number", "shop", "day"), Index("b", "number", "shop"))',
        '(UniqueConstraint("number", "shop", "day"),)',
    ),
    (
        '(Index("a", "number"), Index("b", "number", "shop"), UniqueConstraint("number", "shop", "day"))',
        '(UniqueConstraint("number", "shop", "day"),)',
    ),
    (
        '(UniqueConstraint("number", "shop", "day"), Index("a", "number"), Index("b", "number", "shop"), {"comment": "x"})',
        '(UniqueConstraint("number", "shop", "day"), {"comment": "x"})',
    ),
    (
        '(\n        UniqueConstraint("number", "shop", "day"),\n        Index("a", "number"),\n        Index("b", "number", "shop"),\n)',
        '(\n        UniqueConstraint("number", "shop", "day"),\n)',
    ),
]


@pytest.mark.parametrize(("before", "after"), SEVERAL)
def test_several_indexes_leave_the_arguments_of_one_table(before: str, after: str, tmp_path: Path) -> None:
    text = (
        "from sqlalchemy import Index, String, UniqueConstraint\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n\n\n"
        "class Base(DeclarativeBase):\n    pass\n\n\nclass Order(Base):\n"
        f'    __tablename__ = "orders"\n    __table_args__ = {before}\n\n'
        "    id: Mapped[int] = mapped_column(primary_key=True)\n    number: Mapped[str] = mapped_column(String(40))\n"
        "    shop: Mapped[str] = mapped_column(String(40))\n    day: Mapped[str] = mapped_column(String(40))\n"
    )
    folder = lay(tmp_path, {"rows.py": text})
    done = indexing.carried_out([folder])
    assert f"    __table_args__ = {after}\n" in done.after["rows.py"].decode()
    assert not done.rest.changed
    mended = mend([folder], None, {"show": "info"}, Choice(unsafe=True))
    assert f"    __table_args__ = {after}\n" in mended.after["rows.py"].decode(), "one fix after the other comes to the same"


def test_an_index_goes_and_another_comes_in_the_arguments_of_one_table(tmp_path: Path) -> None:
    rest = '    __table_args__ = (Index("a", "number"), UniqueConstraint("number", "shop_name"))\n'
    text = ROWS.format(rest=rest).replace("String\n", "String, Index, UniqueConstraint\n", 1)
    done = indexing.carried_out([lay(tmp_path, {"rows.py": text})])
    expected = '    __table_args__ = (UniqueConstraint("number", "shop_name"), Index("ix_orders_shop", "shop_name"))\n'
    assert expected in done.after["rows.py"].decode()


def test_sql_schemas_get_their_statement(tmp_path: Path) -> None:
    text = "import sqlite3\n\n\ndef find(db, owner):\n    return db.execute('SELECT id FROM jobs WHERE owner = ?', (owner,)).fetchall()\n"
    add = "\n\ndef add(db, owner):\n    db.execute('INSERT INTO jobs (owner) VALUES (?)', (owner,))\n"
    schema = "CREATE TABLE jobs (id integer PRIMARY KEY, owner integer);\n"
    done = indexing.carried_out([lay(tmp_path, {"schema.sql": schema, "jobs.py": text + add})])
    assert not done.after
    assert [held.reason for held in done.held] == ["put `CREATE INDEX jobs_owner_idx ON jobs (owner);` into the schema"]


# The same indexes, each as the fix of a finding.

TWO = """
    code = models.CharField(max_length=40)


class Visit(models.Model):
    token = models.CharField(max_length=40)


def visit(token):
    return Visit.objects.get(token=token)


def seen(token):
    return Visit.objects.create(token=token)


def by_shop(shop):
    return Order.objects.get(shop=shop)
"""


def fixed(folder: Path) -> Mended:
    done = mend([folder], None, {"show": "info"}, Choice(unsafe=True, select=frozenset(("lookup-needs-index", "unindexed-key"))))
    done.write()
    return done


def test_fixes_of_one_app_share_a_migration_and_those_that_have_to_wait_follow_it(tmp_path: Path) -> None:
    folder = django(tmp_path, TWO)
    done = fixed(folder)
    assert [made.finding.rule for made in done.made] == ["lookup-needs-index"] * 3
    new = sorted(path for path, data in done.before.items() if data is None)
    assert [path.rpartition("/")[2][:5] for path in new] == ["0002_", "0003_"]
    first, second = ((folder / path).read_text() for path in new)
    assert (first.count("migrations.AddIndex("), second.count("migrations.AddIndex(")) == (2, 1)
    assert new[0].endswith("_and_more.py")
    assert "No changes detected" in manage(folder, "makemigrations", "--check", "--dry-run")
    manage(folder, "migrate")
    assert not [i for t in indexing.indexes([folder], every=True).tables for i in t.indexes if i.verdict.value != "keep"]


def test_a_fix_without_migrations_to_follow_is_not_made(tmp_path: Path) -> None:
    folder = django(tmp_path, "")
    (folder / "shop/migrations/0001_initial.py").unlink()
    done = fixed(folder)
    assert not done.made
    assert any("makemigrations" in left.reason for left in done.left)


TWO_APPS = {
    "shop/models.py": DECLARED.format(
        first="owner = models.CharField(max_length=40)", listed='[models.Index(fields=["code"], name="by_code")]'
    ),
    "stock/models.py": """from django.db import models

from shop.models import Shop


class Part(models.Model):
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)
    number = models.CharField(max_length=40)


def find(number):
    return Part.objects.get(number=number)
""",
}


def test_a_migration_follows_that_of_its_own_app_where_another_app_has_one_of_the_same_name(tmp_path: Path) -> None:
    settings = SETTINGS.replace('["shop"]', '["shop", "stock"]')
    files = {"settings.py": settings, "manage.py": MANAGE, "shop/__init__.py": "", "stock/__init__.py": "", **TWO_APPS}
    folder = lay(tmp_path, files)
    manage(folder, "makemigrations", "shop", "stock")
    assert "('shop', '0001_initial')" in (folder / "stock/migrations/0001_initial.py").read_text()
    done = indexing.carried_out([folder])
    done.write()
    assert not [held for held in done.held if "stock" in held.table]
    written = next(folder.glob("stock/migrations/0002_*.py")).read_text()
    assert "('stock', '0001_initial')" in written
    assert "'shop'" not in written
    assert "No changes detected" in manage(folder, "makemigrations", "--check", "--dry-run", "stock")


def test_the_label_of_an_app_is_not_always_its_folder(tmp_path: Path) -> None:
    apps = "from django.apps import AppConfig\n\n\nclass Shop(AppConfig):\n    name = 'shop'\n    label = 'store'\n"
    files = {"settings.py": SETTINGS, "manage.py": MANAGE, "shop/__init__.py": "", "shop/apps.py": apps}
    folder = lay(tmp_path, {**files, "shop/models.py": MODELS.format(rest="")})
    manage(folder, "makemigrations", "store")
    indexing.carried_out([folder]).write()
    assert "No changes detected" in manage(folder, "makemigrations", "--check", "--dry-run")


def test_a_list_of_indexes_that_all_go_is_left_as_an_empty_one(tmp_path: Path) -> None:
    listed = '[\n            models.Index(fields=["name"], name="by_name"),\n        ]'
    text = DECLARED.format(first="owner = models.CharField(max_length=40)", listed=listed)
    folder = lay(tmp_path, {"settings.py": SETTINGS, "manage.py": MANAGE, "shop/__init__.py": "", "shop/models.py": text})
    manage(folder, "makemigrations", "shop")
    done = mend([folder], None, {"show": "info"}, Choice(unsafe=True, select=frozenset(("redundant-index",))))
    assert "        indexes = []\n" in done.after["shop/models.py"].decode()
