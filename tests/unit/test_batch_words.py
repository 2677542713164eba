"""What a remedy says of reads per item in Django: by what the rounds do with what they read."""

from __future__ import annotations

from pathlib import Path

import pytest

from querylint.engine import check
from querylint.remedy import sentence
from querylint.rule import Severity

HEAD = """
from django.db import models

class Shop(models.Model):
    id = models.UUIDField(primary_key=True)

class Ware(models.Model):
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="wares")
    code = models.CharField(max_length=20, unique=True, db_index=False)

class Maker:
    def a_quite_long_name_for_a_function_that_reads_a_ware(self, code):
        return Ware.objects.filter(code=code).first()

def show(request, keys):
    found = []
"""


def told(folder: Path, body: str) -> tuple[str, str]:
    (folder / "shop.py").write_text(HEAD + body, encoding="utf-8")
    outcome = check([folder])
    finding = max(outcome.result.findings, key=lambda f: (f.severity is not Severity.INFO, f.rule in ("loop-read", "lazy-loop"))).found
    said = sentence(finding.remedy, "django") if finding.remedy is not None else ""
    return f"{said}; {finding.help}", finding.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("    for shop in Shop.objects.all():\n        found.append(Ware.objects.filter(shop=shop).count())", "grouped query"),
        ("    for shop in Shop.objects.all():\n        found.extend(Ware.objects.filter(shop=shop).values_list('pk'))", "same list"),
        ("    for key in keys:\n        print(Ware.objects.filter(code=key).first())", "look them up in a dictionary"),
        ("    for key in keys:\n        print(Shop.objects.get(pk=key))", "by UUIDs, not by texts; a missing row raises here"),
        ("    for ware in Ware.objects.all():\n        found.append(Ware.objects.filter(shop=ware.shop))", "`shop_id`, which is part"),
    ],
)
def test_the_remedy_fits_what_is_read(tmp_path: Path, body: str, words: str) -> None:
    assert words in told(tmp_path, body)[0]


def test_a_long_receiver_leaves_room_for_the_method(tmp_path: Path) -> None:
    call = "a_quite_long_name_for_a_function_that_reads_a_ware"
    _, message = told(tmp_path, f"    for key in keys:\n        print(Maker(one=1, two=2, three=3).{call}(key))")
    assert f"….{call}`" in message


def test_a_session_answers_none_for_a_key_that_is_missing(tmp_path: Path) -> None:
    head = (
        "from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column\n\nclass Base(DeclarativeBase):\n    pass\n\n"
        'class Shop(Base):\n    __tablename__ = "shops"\n    id: Mapped[int] = mapped_column(primary_key=True)\n\n'
        "def show(session: Session, keys: list[int]):\n    for key in keys:\n        print("
    )
    for asked, raising in (("session.get(Shop, key)", False), ("session.query(Shop).filter_by(id=key).one()", True)):
        (tmp_path / "shop.py").write_text(f"{head}{asked})\n", encoding="utf-8")
        found = [f.found for f in check([tmp_path]).result.findings if f.rule == "loop-read"]
        assert [("raises here" in f.help) for f in found] == [raising]
