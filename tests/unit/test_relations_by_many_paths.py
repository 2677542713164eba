"""One place that follows a relation, reached by many paths from one list: each of them is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laid import lay
from querylint import engine
from querylint.remedy import Preload

if TYPE_CHECKING:
    from pathlib import Path

MANY = 40


def test_every_path_to_a_property_is_told(tmp_path: Path) -> None:
    names = [f"person{number}" for number in range(MANY)]
    fields = "\n".join(f'    {name} = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")' for name in names)
    models = (
        "from django.db import models\n\n\n"
        "class User(models.Model):\n    email = models.CharField(max_length=80)\n\n\n"
        "class Person(models.Model):\n    user = models.ForeignKey(User, on_delete=models.CASCADE)\n\n"
        "    @property\n    def address(self):\n        return self.user.email\n\n\n"
        f"class Case(models.Model):\n{fields}\n"
    )
    shown = ", ".join(f"case.{name}.address" for name in names)
    views = f"from desk.models import Case\n\n\ndef show(request):\n    return [({shown}) for case in Case.objects.all()]\n"
    lay(tmp_path, {"desk/__init__.py": "", "desk/models.py": models, "desk/views.py": views})
    found = [f.found.remedy for f in engine.check([tmp_path]).result.findings if f.rule == "lazy-loop"]
    told = {path for remedy in found if isinstance(remedy, Preload) for path in (*remedy.joined, *remedy.batched)}
    assert {(name, "user") for name in names} <= told
