"""Nothing of the bundled applications stays unseen; what can never run, and what only looks like a call of a database, is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reached import look
from laid import lay

APPS = sorted(path for path in (Path(__file__).parent.parent / "fixtures" / "apps").iterdir() if path.is_dir())


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_every_statement_and_call_of_an_application_is_seen(app: Path) -> None:
    seen = look(app)
    assert seen.statements > 0
    assert seen.calls > 0
    assert (seen.lost, seen.silent) == ((), ())


def test_what_is_not_seen_is_told(tmp_path: Path) -> None:
    models = "from django.db import models\n\n\nclass Post(models.Model):\n    title = models.CharField(max_length=20)\n"
    views = "from blog.models import Post\n\n\ndef shown(key):\n    return Post.objects.get(pk=key)\n    print(Fake.objects.get(pk=key))\n"
    seen = look(lay(tmp_path, {"blog/models.py": models, "blog/views.py": views}))
    assert [(place.path, place.line) for place in seen.lost] == [("blog/views.py", 6)]
    assert [(place.path, place.line) for place in seen.silent] == [("blog/views.py", 6)]
    assert (seen.statements, seen.calls) == (2, 2)
