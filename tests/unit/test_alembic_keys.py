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
