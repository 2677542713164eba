"""Code that nobody waits for, as files and tests show it: makers of invented rows, functions that only tests call."""

from __future__ import annotations

from pathlib import Path

from laid import lay
from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.ir import Program, Role

MODELS = """
from django.db import models

class Ware(models.Model):
    code = models.CharField(max_length=20)
"""
LOOP = "    return [Ware.objects.filter(code=code).first() for code in codes]\n"


def program(folder: Path, **files: str) -> Program:
    lay(folder, {f"{name.replace('__', '/')}.py": text for name, text in {"shop__models": MODELS, **files}.items()})
    return Project(Scope(folder), settings.load(folder, rule_names=frozenset())).program()[0]


def test_only_tests_call_it(tmp_path: Path) -> None:
    names = ("tried", "asked", "named", "used", "left")
    service = "from shop.models import Ware\n" + "".join(f"def {name}(codes):\n{LOOP}" for name in names)
    views = "from shop.service import used\nHANDLERS = {1: service.asked}\ndef index(request):\n    return used([])\n"
    tests = 'def test_all():\n    tried([])\n    asked([])\n    used([])\n    named([])\n    call("named")\n'
    functions = program(tmp_path, shop__service=service, shop__views=views, tests__test_all=tests).functions
    roles = {name: functions[f"shop/service.py::{name}"].role for name in names}
    assert roles == {"tried": Role.TEST, "asked": Role.CODE, "named": Role.CODE, "used": Role.CODE, "left": Role.CODE}


def test_makers_of_invented_rows(tmp_path: Path) -> None:
    made = f"from shop.models import Ware\ndef make(codes):\n{LOOP}"
    found = program(
        tmp_path,
        shop__dummy_data_task=made,
        shop__people="from faker import Faker\n" + made,
        shop__masking=made + "    from faker import Faker\n",
        shop__data_tasks=made,
    ).functions
    assert sorted({f.path for f in found.values()} & {f"shop/{n}.py" for n in ("dummy_data_task", "people", "masking", "data_tasks")}) == [
        "shop/data_tasks.py",
        "shop/masking.py",
    ]


def test_cases_to_be_tried_are_tests_wherever_they_lie(tmp_path: Path) -> None:
    asked = f"from shop.models import Ware\ndef find(codes):\n{LOOP}"
    found = program(
        tmp_path,
        shop__testing__base="from django.test import TestCase\nclass WareTestCase(TestCase):\n    pass\n" + asked,
        shop__testing__cases="import pytest\nclass WareCases:\n    def test_none(self):\n        find([])\n" + asked,
        shop__testing__tools="import pytest\n@pytest.fixture\ndef codes():\n    return 1\n" + asked,
        shop__testing__split="from unittest import mock\n" + asked,
        shop__judging="class TestCase:\n    pass\nclass Sum(TestCase):\n    pass\n" + asked,
    ).functions
    assert sorted(key for key in found if key.endswith("::find")) == [
        f"shop/{name}.py::find" for name in ("judging", "testing/split", "testing/tools")
    ]
