"""The Django models of one folder on a database in memory."""

from __future__ import annotations

import inspect
import random
import typing
from pathlib import Path
from typing import Any

import values
from missing import MissingRowError

KINDS = {
    "BooleanField": "bool", "IntegerField": "int", "PositiveIntegerField": "int", "FloatField": "float", "DateTimeField": "datetime",
    "DateField": "date", "CharField": "str", "TextField": "str", "SlugField": "str",
}  # fmt: skip


class Side:
    def __init__(self, folder: Path) -> None:
        from django.conf import settings

        applications = sorted(path.parent.name for path in folder.glob("*/models.py"))
        settings.configure(
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin", *applications],
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
            DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=True, SECRET_KEY="lab",
        )  # fmt: skip
        import django

        django.setup()
        from django.apps import apps
        from django.db import connection

        self.loaded = 0
        self.together = 1
        connection.ensure_connection()
        connection.connection.row_factory = self._fetched
        self.models = [model for name in applications for model in apps.get_app_config(name).get_models()]
        with connection.schema_editor() as editor:
            for model in apps.get_models():
                editor.create_model(model)
        apps.get_model("contenttypes.ContentType").objects.get_for_models(*self.models)  # what a generic relation leads to

    def _fetched(self, cursor: object, row: tuple[object, ...]) -> tuple[object, ...]:
        self.loaded += len(row)
        return row

    def fill(self, chance: random.Random) -> None:
        from django.db import connection

        with connection.constraint_checks_disabled():
            for relation in (relation for model in self.models for relation in model._meta.many_to_many):
                relation.remote_field.through._base_manager.all()._raw_delete("default")
            for model in self.models:
                model._base_manager.all()._raw_delete("default")
        waiting = list(self.models)
        while waiting:
            ready = [m for m in waiting if not any(f.related_model in waiting and f.related_model is not m for f in _foreign(m))]
            for model in ready or waiting[:1]:
                self._rows(model, chance)
                waiting.remove(model)
        for model in self.models:
            for relation in model._meta.many_to_many:
                targets = list(relation.related_model._base_manager.all())
                for row in model._base_manager.all():
                    getattr(row, relation.name).set(chance.sample(targets, chance.randrange(len(targets) + 1)))

    def _rows(self, model: Any, chance: random.Random) -> None:
        rows = []
        for key in values.fresh(chance):
            row = model(pk=key)
            for field in model._meta.concrete_fields:
                if field.primary_key:
                    continue
                if field.is_relation:
                    targets = list(field.related_model._base_manager.values_list("pk", flat=True))
                    target = chance.choice([*targets, None] if field.null else targets or [None])
                    if target is None and not field.null:
                        break
                    setattr(row, field.attname, target)
                elif field.null and chance.random() < 0.2:
                    setattr(row, field.attname, None)
                elif field.unique:
                    setattr(row, field.attname, f"{field.name}{key}")
                else:
                    setattr(row, field.attname, values.some(KINDS[field.get_internal_type()], chance))
            else:
                rows.append(row)
        model._base_manager.bulk_create(rows)

    def given(self, kind: object, name: str, chance: random.Random) -> object:
        from django.db.models import Model
        from django.http import HttpRequest

        if kind is HttpRequest:
            return HttpRequest()
        if isinstance(kind, type) and issubclass(kind, Model):
            rows = list(kind._base_manager.order_by("pk"))
            if not rows:
                raise MissingRowError
            return chance.choice(rows)
        arguments = typing.get_args(kind)
        if arguments and isinstance(arguments[0], type) and issubclass(arguments[0], Model):
            rows = list(arguments[0]._base_manager.order_by("pk"))
            return chance.sample(rows, chance.randrange(len(rows) + 1))
        present = sorted({key for model in self.models for key in model._base_manager.values_list("pk", flat=True)})
        return values.given(kind, name, present, chance)

    def run(self, function: Any, arguments: dict[str, object]) -> tuple[object, int]:
        from asgiref.sync import async_to_sync
        from django.contrib.contenttypes.models import ContentType
        from django.db import connection

        statements: list[str] = []
        self.loaded = 0
        ContentType.objects.clear_cache()  # which a process that has just begun has not yet

        def record(execute: Any, sql: str, params: object, many: bool, context: object) -> Any:
            if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN")):
                statements.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(record):
            if inspect.iscoroutinefunction(function):
                result = async_to_sync(function)(**arguments)  # in this thread, which alone has the database in memory
            elif inspect.isclass(function):
                result = self._shown(function)
            else:
                result = function(**arguments)
            result = values.plain(result)
        return result, len(statements)

    def _shown(self, view: Any) -> object:
        """The list that a viewset answers with, or what the change list of an admin class shows."""
        if hasattr(view, "list_display"):
            from django.contrib.admin import site
            from django.contrib.admin.views.main import ChangeList

            admin = next(held for held in site._registry.values() if type(held) is view)
            rows = admin.get_queryset(None).order_by("pk")
            page = ChangeList.__new__(ChangeList)  # what it joins by itself, without a page of a site around it
            page.lookup_opts, page.list_display, page.list_select_related = admin.opts, view.list_display, view.list_select_related
            rows = rows if rows.query.select_related else page.apply_select_related(rows)
            return [
                [getattr(admin, name)(row) if hasattr(admin, name) else getattr(row, name) for name in view.list_display] for row in rows
            ]
        made = view(request=None, format_kwarg=None, action="list")
        return made.serializer_class(made.get_queryset(), many=True).data

    def stored(self) -> object:
        return [[list(row) for row in model._base_manager.order_by("pk").values_list()] for model in self.models]


def _foreign(model: Any) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.is_relation]
