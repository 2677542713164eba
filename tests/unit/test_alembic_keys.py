"""Primary keys that only the mapper knows: the revisions of Alembic say what the database has."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint.engine import check

MODEL = """
from sqlalchemy import Column, Index, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()

class Visit(Base):
    __tablename__ = "visits"
    __table_args__ = (Index("visit_url", "url"),)
    url = Column(String, primary_key=True)
    number = Column(Integer)

def urls(session):
    return session.query(Visit.url).all()
"""
HEAD = "from alembic import op\nimport sqlalchemy as sa\n\nrevision = 'b'\ndown_revision = 'a'\n\ndef upgrade():\n"
PLAIN = "    op.create_table('visits', sa.Column('url', sa.String()), sa.Column('number', sa.Integer()))\n"
OTHER = "    op.create_table('pages', sa.Column('url', sa.String()))\n"


@pytest.mark.parametrize(
    ("upgrade", "rules"),
    [
        (PLAIN, []),
        (PLAIN + "    op.drop_column('tags', 'key')\n" + " " * 200 + "\n    op.create_primary_key('pk', 'tags', ['url'])\n", []),
        (PLAIN + "    op.create_primary_key('visits_pkey', 'visits', ['url'])\n", ["redundant-index"]),
        (PLAIN + "    op.execute('ALTER TABLE visits ADD PRIMARY KEY (url)')\n", ["redundant-index"]),
        (PLAIN.replace("sa.String()", "sa.String(), primary_key=True"), ["redundant-index"]),
        (PLAIN.replace("sa.Column('number', sa.Integer())", "*columns()"), ["redundant-index"]),
        (OTHER, ["redundant-index"]),
    ],
)
def test_a_key_that_no_revision_creates_covers_nothing(tmp_path: Path, upgrade: str, rules: list[str]) -> None:
    lay(tmp_path, {"visits.py": MODEL, "versions/b_visits.py": HEAD + upgrade})
    assert [f.rule for f in check([tmp_path]).result.findings if f.rule == "redundant-index"] == rules


def test_a_class_takes_the_name_of_its_table(tmp_path: Path) -> None:
    model = (
        "from sqlalchemy import Column, Index, MetaData, String, Table\nfrom sqlalchemy.orm import declarative_base\n\n"
        "Base = declarative_base()\n\n"
        'class Visit(Base):\n    __table__ = Table("visits", MetaData(), Column("url", String, primary_key=True))\n\n'
        'Index("visit_url", Visit.url)\n\ndef urls(session):\n    return session.query(Visit.url).all()\n'
    )
    for upgrade, number in ((OTHER, 1), (PLAIN, 0)):
        lay(tmp_path, {"visits.py": model, "versions/b_visits.py": HEAD + upgrade})
        assert sum(f.rule == "redundant-index" for f in check([tmp_path]).result.findings) == number


LINES = """
from sqlalchemy import Column, ForeignKey, Integer, String, select
from sqlalchemy.orm import declarative_base, declared_attr

class Named:
    @declared_attr
    def __tablename__(cls):
        return cls.__name__.lower()
    id = Column(Integer, primary_key=True)

Base = declarative_base(cls=Named)

class Order(Base):
    number = Column(String)

class OrderLine(Base):
    order_id = Column(Integer, ForeignKey("order.id"))

def lines(session, number):
    return session.execute(select(OrderLine).where(OrderLine.order_id == number)).scalars().all()
"""


@pytest.mark.parametrize(
    ("upgrade", "rules"),
    [
        ("    pass\n", ["unindexed-key"]),
        ("    op.create_index('ix_line_order', 'orderline', ['order_id'], unique=False)\n", []),
        ("    op.create_index(op.f('ix_line_order'), 'orderline', ['order_id', 'id'])\n", []),
        ("    with op.batch_alter_table('orderline') as batch:\n        batch.create_index(batch.f('ix'), ['order_id'])\n", []),
        ('    op.execute("CREATE INDEX IF NOT EXISTS ix ON orderline (order_id)")\n', []),
        ("    op.create_index('ix', 'orderline', ['id', 'order_id'])\n", ["unindexed-key"]),
        ("    op.create_index('ix', 'order', ['order_id'])\n", ["unindexed-key"]),
        ("    op.create_index('ix', 'orderline', ['order_id'], postgresql_where=sa.text('id > 5'))\n", ["unindexed-key"]),
        ('    op.execute("CREATE INDEX ix ON orderline (order_id) WHERE id > 5")\n', ["unindexed-key"]),
        ("    op.create_index('ix', 'orderline', ['order_id'])\n    op.drop_index('ix', 'orderline')\n", ["unindexed-key"]),
        (
            "    pass\n\ndef downgrade():\n    op.create_index('ix', 'orderline', ['order_id'])\n",
            ["unindexed-key"],
        ),
    ],
)
def test_an_index_that_a_revision_makes_is_there(tmp_path: Path, upgrade: str, rules: list[str]) -> None:
    lay(tmp_path, {"shop/models.py": LINES, "alembic/versions/0001_lines.py": HEAD + upgrade})
    found = [f for f in check([tmp_path]).result.findings if f.rule == "unindexed-key"]
    assert [f.rule for f in found] == rules
    assert all("`orderline`" in f.found.message for f in found)
