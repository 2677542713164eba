"""Where imports of Python lead, and what names and classes stand for."""

from __future__ import annotations

import pytest

from querylint.frontends.python.classes import Classes
from querylint.frontends.python.modules import PythonModules
from querylint.syntax import tree

FILES = {
    "manage.py": "",
    "apps/__init__.py": "",
    "apps/blog/__init__.py": "from .models import Post as Entry\n",
    "apps/blog/models.py": "from django.db import models\nfrom apps.base import *\n\nclass Post(Base, models.Model):\n    pass\n",
    "apps/base.py": "class Root:\n    def who(self): ...\n    kind = 1\n\nclass Base(Root):\n    def who(self): ...\n\nALIAS = Base\n",
    "apps/blog/views.py": "from ..base import ALIAS\nfrom apps.blog import Entry, models\nfrom lib.tools import helper\n",
    "src/lib/tools.py": "def helper(): ...\n",
    "other/apps/base.py": "class Root: ...\n",
    "server/__init__.py": "",
    "server/main.py": "from store.notes import saved\n",
    "server/json.py": "",
    "server/store/__init__.py": "",
    "server/store/notes.py": "def saved(): ...\n",
    "shop/__init__.py": "",
    "shop/main.py": "from pages.cart import show\n",
    "shop/tables.py": "def opened(): ...\n\nclass Order:\n    pass\n",
    "shop/orders.py": "from tables import (\n    Order,\n    opened,\n)\n",
    "shop/pages/__init__.py": "",
    "shop/pages/cart.py": "from tables import Order\nfrom celery import Celery\n",
    "shop/celery.py": "from celery import Celery\n\napp = Celery()\n",
    "shop/redis.py": "client = None\n",
    "shop/logging.py": "def getLogger(): ...\n",
    "shop/jobs.py": "from celery import shared_task\nfrom redis import Redis\nfrom logging import getLogger\n",
    "circle/a.py": "from circle.b import x\n",
    "circle/b.py": "from circle.a import x\n",
}


@pytest.fixture
def modules() -> PythonModules:
    return PythonModules(FILES, lambda path: FILES[path].encode() if path in FILES else None)


@pytest.mark.parametrize(
    ("importer", "source", "found"),
    [
        ("apps/blog/views.py", "apps.base", "apps/base.py"),
        ("apps/blog/views.py", "..base", "apps/base.py"),
        ("shop/orders.py", "tables", "shop/tables.py"),
        ("shop/pages/cart.py", "tables", "shop/tables.py"),
        ("shop/jobs.py", "celery", None),
        ("shop/jobs.py", "redis", None),
        ("shop/jobs.py", "logging", None),
        ("apps/blog/views.py", ".", "apps/blog/__init__.py"),
        ("apps/blog/views.py", "lib.tools", "src/lib/tools.py"),
        ("other/apps/base.py", "apps.base", "other/apps/base.py"),
        ("apps/blog/views.py", "django.db", None),
        ("src/lib/tools.py", "lib", "src/lib"),
        ("server/main.py", "store.notes", "server/store/notes.py"),
        ("server/store/notes.py", "json.decoder", None),
        ("server/main.py", "json", None),
    ],
)
def test_an_import_leads_to_the_nearest_module(modules: PythonModules, importer: str, source: str, found: str | None) -> None:
    assert modules.resolve(importer, source) == found


@pytest.mark.parametrize(
    ("name", "path", "real"),
    [("ALIAS", "apps/base.py", "Base"), ("Entry", "apps/blog/models.py", "Post"), ("helper", "src/lib/tools.py", "helper")],
)
def test_names_lead_through_aliases_and_packages(modules: PythonModules, name: str, path: str, real: str) -> None:
    found = modules.definition("apps/blog/views.py", name)
    assert found is not None
    assert (found.path, found.name) == (path, real)


def test_modules_stars_and_outside_code(modules: PythonModules) -> None:
    module = modules.definition("apps/blog/views.py", "models")
    assert module is not None
    assert module.module
    starred = modules.definition("apps/blog/models.py", "Base")
    assert starred is not None
    assert starred.path == "apps/base.py"
    outside = modules.reference("apps/blog/models.py", tree.Member(tree.Name("models", 0, 0), "Model", 0, 0, 0))
    assert outside is not None
    assert outside.external == "django.db.models.Model"
    assert modules.definition("circle/a.py", "x") is None


def test_classes_take_after_their_bases(modules: PythonModules) -> None:
    info = Classes(modules).get("apps/blog/models.py", "Post")
    assert info is not None
    assert [c.name for c in info.mro()] == ["Post", "Base", "Root"]
    assert list(info.ancestry()) == ["django.db.models.Model"]
    method = info.method("who")
    assert method is not None
    assert method[0].name == "Base"
    above = info.method("who", after=method[0])
    assert above is not None
    assert above[0].name == "Root"
    field = info.field("kind")
    assert field is not None
    assert field[0].name == "Root"
