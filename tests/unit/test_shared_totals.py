"""For how long a total is worth keeping, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import engine
from querylint.remedy import Advice

MODELS = """\
from django.db import models


class Order(models.Model):
    total = models.IntegerField()
"""
VIEWS = """\
from django.http import JsonResponse

from shop.models import Order


def statistics(request):
    return JsonResponse({"orders": Order.objects.count()})
"""
BY_REQUEST = """\


def order(request):
    Order.objects.create(total=1)
    return JsonResponse({})
"""
BY_JOB = """\
from celery import shared_task

from shop.models import Order


@shared_task
def load(totals):
    Order.objects.bulk_create([Order(total=total) for total in totals])
"""


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"shop/views.py": VIEWS + BY_REQUEST}, ("a quarter of an hour", "`order` may change it meanwhile")),
        ({"shop/views.py": VIEWS, "shop/tasks.py": BY_JOB}, ("an hour", "no request changes it")),
    ],
)  # fmt: skip
def test_the_time_depends_on_who_changes_the_table(files: dict[str, str], said: tuple[str, str], tmp_path: Path) -> None:
    lay(tmp_path, {"shop/models.py": MODELS, **files})
    (found,) = [f.found for f in engine.check([tmp_path]).result.findings if f.rule == "shared-total"]
    assert isinstance(found.remedy, Advice)
    assert found.remedy.text == f"keep the number for {said[0]}, by a cache or in a row that a job refreshes: {said[1]}"


SCHEMA = 'export default defineSchema({ notes: defineTable({ owner: v.string() }).index("by_owner", ["owner"]) });\n'
NOTES = """\
export const add = mutation({ args: { owner: v.string() }, handler: (ctx, { owner }) => ctx.db.insert("notes", { owner }) });
export const total = query({ args: {}, handler: async (ctx) => (await ctx.db.query("notes").collect()).length });
export const mine = query({ args: { owner: v.string() }, handler: async (ctx, { owner }) =>
  (await ctx.db.query("notes").withIndex("by_owner", (q) => q.eq("owner", owner)).collect()).length });
"""


def test_a_total_of_a_whole_table_of_convex_may_be_refreshed_by_a_cron(tmp_path: Path) -> None:
    head = 'import { mutation, query } from "./_generated/server";\n'
    values = 'import { v } from "convex/values";\n'
    schema = f'import {{ defineSchema, defineTable }} from "convex/server";\n{values}{SCHEMA}'
    lay(tmp_path, {"convex/schema.ts": schema, "convex/notes.ts": f"{head}{values}{NOTES}"})
    found = {f.found.function: f.found.help for f in engine.check([tmp_path]).result.findings if f.rule == "aggregate-in-memory"}
    assert {name.rpartition("::")[2]: "a cron can refresh it" in text for name, text in found.items()} == {"total": True, "mine": False}
