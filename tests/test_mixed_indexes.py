"""A repository with Convex, Django and SQLAlchemy: the index advice for each table has the words, names and edits of its own stack."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from laid import lay
from querylint import indexing
from querylint.cli import door
from querylint.engine import check
from querylint.remedy import AddIndex
from querylint.report.indexes import render

CONVEX = {
    "package.json": '{"dependencies": {"convex": "^1.17.0"}}',
    "convex/schema.ts": """
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({
  messages: defineTable({ channel: v.string(), author: v.string(), body: v.string() }).index("byChannel", ["channel"]),
});
""",
    "convex/messages.ts": """
import { v } from "convex/values";
import { query } from "./_generated/server";
export const ofAuthor = query({
  args: { author: v.string(), channel: v.string() },
  handler: async (ctx, args) =>
    await ctx.db
      .query("messages")
      .filter((q) => q.and(q.eq(q.field("author"), args.author), q.eq(q.field("channel"), args.channel)))
      .collect(),
});
export const inChannel = query({
  args: { channel: v.string() },
  handler: async (ctx, args) =>
    await ctx.db.query("messages").withIndex("byChannel", (q) => q.eq("channel", args.channel)).order("desc").take(20),
});
""",
}
DJANGO = {
    "manage.py": "",
    "shop/__init__.py": "",
    "shop/models.py": """
from django.db import models

class Customer(models.Model):
    name = models.CharField(max_length=40)
    email = models.CharField(max_length=80)

class Order(models.Model):
    number = models.CharField(max_length=40)
    placed = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["placed"], name="order_placed_idx")]
""",
    "shop/views.py": """
from shop.models import Customer, Order

def by_number(request, number):
    return Order.objects.get(number=number)

def by_mail(request, mail):
    return Customer.objects.filter(email=mail).first()
""",
}
SQLALCHEMY = {
    "ledger/__init__.py": "",
    "ledger/models.py": """
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    holder: Mapped[str] = mapped_column(String(40))

class Entry(Base):
    __tablename__ = "entries"
    __table_args__ = (Index("ix_entries_day", "day"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    day: Mapped[int]
""",
    "ledger/api.py": """
from sqlalchemy import select
from ledger.models import Account, Entry

def entries(session, account):
    return list(session.scalars(select(Entry).where(Entry.account_id == account)))

def of_holder(session, holder):
    return session.scalars(select(Account).where(Account.holder == holder)).first()
""",
}
NAMES = {
    "messages": ("convex", "byChannelAndAuthor"),
    "Customer": ("django", "customer_email_idx"),
    "Order": ("django", "order_number_idx"),
    "accounts": ("sqlalchemy", "ix_accounts_holder"),
    "entries": ("sqlalchemy", "ix_entries_account_id"),
}
MORE = {
    f"ledger/more{n}.py": SQLALCHEMY["ledger/models.py"].replace('"accounts', f'"accounts{n}').replace('"entries"', f'"entries{n}"')
    for n in (1, 2)
}


@pytest.fixture(params=["as many of each", "mostly SQLAlchemy"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    more = MORE if request.param == "mostly SQLAlchemy" else {}
    return lay(tmp_path, {**CONVEX, **DJANGO, **SQLALCHEMY, **more})


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(door, [*map(str, args)], standalone_mode=False)


def test_each_index_is_named_as_its_own_stack_names_them(folder: Path) -> None:
    made = json.loads(render("json", indexing.indexes([folder])))
    added = {table["table"]: (table["stack"], [i["name"] for i in table["indexes"] if i["verdict"] == "add"]) for table in made["tables"]}
    assert {name: (stack, [index]) for name, (stack, index) in NAMES.items()} == {name: found for name, found in added.items() if found[1]}


def test_a_hint_asks_for_the_index_that_the_advice_adds(folder: Path) -> None:
    asked = {
        (f.found.table, f.found.stack, f.found.remedy.index)
        for f in check([folder]).result.findings
        if isinstance(f.found.remedy, AddIndex)
    }
    assert asked == {(table, stack, index) for table, (stack, index) in NAMES.items() if table != "messages"}, "that is one of binding more"


@pytest.mark.parametrize("style", ["text", "markdown"])
def test_each_table_says_its_stack_and_each_platform_its_steps(folder: Path, style: str) -> None:
    said = " ".join(render(style, indexing.indexes([folder])).split())
    for title in ("messages (Convex): 2 queries", "Customer (Django): 1 query", "entries (SQLAlchemy): 1 query"):
        assert title in said
    assert "1. Convex: add the new indexes and deploy" in said
    assert said.count("reate the new indexes in a separate migration") == 1
    assert "3. Django and SQLAlchemy: create the new indexes in a separate migration" in said


def test_one_stack_needs_no_name(tmp_path: Path) -> None:
    said = render("text", indexing.indexes([lay(tmp_path, DJANGO)]))
    assert "Customer: 1 query" in said
    assert "\n1. Create the new indexes in a separate migration" in said


def test_code_in_a_table_is_written_as_it_is(tmp_path: Path) -> None:
    more = SQLALCHEMY["ledger/models.py"].replace(
        '(Index("ix_entries_day", "day"),)', '(Index("ix_a_b", "day"), Index("ix_a_b_c", "day", "id"))'
    )
    said = render("markdown", indexing.indexes([lay(tmp_path, SQLALCHEMY | {"ledger/models.py": more})]))
    assert "| drop | `ix_a_b` | day | `ix_a_b_c` serves its queries as well |" in said


def test_each_edit_is_one_of_its_stack(folder: Path) -> None:
    made = indexing.carried_out([folder])
    assert not made.rest.changed, [t.table.name for t in made.rest.changed]
    assert '.index("byChannelAndAuthor", ["channel", "author"])' in made.after["convex/schema.ts"].decode()
    shop, ledger = made.after["shop/models.py"].decode(), made.after["ledger/models.py"].decode()
    ast.parse(shop)
    ast.parse(ledger)
    assert 'models.Index(fields=["email"], name="customer_email_idx")' in shop
    assert "ix_" not in shop
    assert 'Index("ix_accounts_holder", "holder")' in ledger
    assert "models.Index" not in ledger


@pytest.mark.parametrize("style", ["html", "markdown"])
def test_the_report_has_all_of_them_with_their_edits(folder: Path, style: str) -> None:
    out = folder / "report.out"
    assert run("report", folder, "--format", style, "-o", out).return_value in (0, 1)
    page = out.read_text()
    for table, (stack, index) in NAMES.items():
        assert index in page
        assert f"{table} ({ {'convex': 'Convex', 'django': 'Django', 'sqlalchemy': 'SQLAlchemy'}[stack] }):" in page.replace("\\", "")
    for edit in ("byChannelAndAuthor", "models.Index(fields=", "Index("):
        assert edit in page
