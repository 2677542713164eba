"""What is said of relations of rows that a template asks for: no query in a template can say what comes along, the view's can."""

from __future__ import annotations

from pathlib import Path

import pytest

from laid import lay
from querylint import engine
from querylint.mend import Choice, mend
from querylint.remedy import sentence

MODELS = """
from django.db import models

class Group(models.Model):
    name = models.CharField(max_length=80)

class Person(models.Model):
    name = models.CharField(max_length=80)

class Membership(models.Model):
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
"""
VIEWS = """
from django.shortcuts import get_object_or_404, render
from clubs.models import Group

def members(request, pk):
    group = get_object_or_404(Group, pk=pk)
    return render(request, "clubs/members.html", {"group": group, "memberships": group.memberships.order_by("pk")})
"""
IN_TEMPLATE = 'add .prefetch_related("memberships__person") to the query in `members` that the template is given'
IN_VIEW = 'add .select_related("person") to the query on line 7 of clubs/views.py'


@pytest.mark.parametrize(("rows", "said"), [("group.memberships.all", IN_TEMPLATE), ("memberships", IN_VIEW)])
def test_the_view_is_named_and_the_whole_way(rows: str, said: str, tmp_path: Path) -> None:
    page = "{% for one in " + rows + " %}{{ one.person.name }}{% endfor %}"
    lay(tmp_path, {"clubs/models.py": MODELS, "clubs/views.py": VIEWS, "clubs/templates/clubs/members.html": page})
    (finding,) = (f for f in engine.check([tmp_path], overrides={"show": "info"}).result.findings if f.rule == "lazy-loop")
    assert finding.found.remedy is not None
    assert sentence(finding.found.remedy, "django") == said
    mended = mend([tmp_path], None, {"show": "info"}, Choice(unsafe=True, select=frozenset({"lazy-loop"})))
    assert len(mended.made) == 1
    assert list(mended.after) == ["clubs/views.py"], "the query stands in the view"


LATEST = """
from django.db import models
from clubs.people import Person

class Group(models.Model):
    name = models.CharField(max_length=80)

class MembershipQuerySet(models.QuerySet):
    def lasting(self):
        return self.filter(over=False)

class Membership(models.Model):
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    over = models.BooleanField()
    objects = MembershipQuerySet.as_manager()
"""
PEOPLE = """
from django.db import models

class Person(models.Model):
    name = models.CharField(max_length=80)
"""


def test_a_query_of_its_own_is_not_served_by_what_the_view_loads(tmp_path: Path) -> None:
    page = "{% for one in group.memberships.lasting %}{{ one.person.name }}{% endfor %}"
    files = {"clubs/models.py": LATEST, "clubs/people.py": PEOPLE, "clubs/views.py": VIEWS, "clubs/templates/clubs/members.html": page}
    lay(tmp_path, files)
    (finding,) = (f for f in engine.check([tmp_path], overrides={"show": "info"}).result.findings if f.rule == "lazy-loop")
    assert finding.found.remedy is not None
    assert sentence(finding.found.remedy, "django") == 'add .select_related("person")'


COUNTED = """
from django.contrib import admin
from clubs.models import Group

class GroupAdmin(admin.ModelAdmin):
    list_display = ["name", "members", "others"]

    def members(self, group):
        return group.memberships.count()

    def others(self, group):
        return group.guests.count()

admin.site.register(Group, GroupAdmin)
"""
GUESTS = """

class Guest(models.Model):
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="guests")
"""


def test_several_counts_of_each_row_are_counted_by_the_query(tmp_path: Path) -> None:
    lay(tmp_path, {"clubs/models.py": MODELS + GUESTS, "clubs/admin.py": COUNTED})
    found = [f for f in engine.check([tmp_path], overrides={"show": "info"}).result.findings if f.rule == "lazy-loop"]
    assert found
    for finding in found:
        assert finding.found.remedy is not None
        assert "annotate(number=Count(...))" in sentence(finding.found.remedy, "django")
