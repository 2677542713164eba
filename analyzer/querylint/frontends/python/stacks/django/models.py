# long: the relations of models need one another; they are read in one pass
"""The models of a Django project as tables: fields, relations in both directions, indexes, managers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from querylint.construction import replace
from querylint.frontends.python.classes import ClassInfo
from querylint.frontends.python.stacks.django import through, words
from querylint.frontends.python.stacks.django.fixed import fixed_target
from querylint.frontends.python.stacks.django.indexes import field_indexes, meta_indexes
from querylint.frontends.python.stacks.django.managers import manager_class
from querylint.frontends.python.stacks.django.model import PRIMARY, Made, Model
from querylint.frontends.python.stacks.django.signals import watched
from querylint.ir import Field, Index, Link, Table
from querylint.pattern import Pattern
from querylint.syntax import tree
from querylint.syntax.questions import callee_name
from querylint.text import Span

if TYPE_CHECKING:
    from querylint.frontends.python.project import PythonProject

RELEVANT = Pattern(rb"Field\(|ForeignKey|models\.Model|Model\)|Mixin|Manager|QuerySet|AbstractUser|AbstractBaseUser|Model\b.*:\s*$", re.M)
PLACE = Pattern(r"(?:^|/)models(?:\.py$|/)")
"""Where Django looks for the models of an application, which may take all that they have from another one's."""
APP = Pattern(r"(.+)/(?:apps\.py|migrations/\w+\.py)$")
"""What shows that a folder is an application: a package inside of one has neither."""
FIELDS = "django.db.models."
USER_SETTING = Pattern(rb"^\s*AUTH_USER_MODEL\s*(?::\s*\w+\s*)?=\s*[\"']([\w.]+)[\"']", re.MULTILINE)

PROFILE_SETTING = Pattern(rb"^\s*AUTH_PROFILE_MODULE\s*=\s*[\"']([\w.]+)[\"']", re.MULTILINE)


class Models:
    """All models of a project."""

    def __init__(self, project: PythonProject, files: list[str]) -> None:
        self.project = project
        self.by_table: dict[str, Model] = {}
        self.by_class: dict[tuple[str, str], Model] = {}
        self.by_label: dict[str, Model] = {}
        self.by_name: dict[str, list[Model]] = {}
        self.outside: dict[str, Model] = {}
        self.managed: dict[tuple[str, str], list[str]] = {}
        self.sent: dict[int, str | None] = {}  # by functions of trees, which no run drops, the tables of the rows that signals send them
        self._kinds: dict[tuple[str, str], bool] = {}
        self._apps = frozenset(found[1] for path in files if (found := APP.match(path)) is not None)
        self.user = self._setting(files, USER_SETTING) or "auth.User"
        self.profile = self._setting(files, PROFILE_SETTING)
        self._gather(files)

    # Finding.

    def _setting(self, files: list[str], pattern: Pattern[bytes]) -> str:
        for path in files:
            if "setting" in path or "conf" in path:
                hit = pattern.search(self.project.modules.source(path) or b"")
                if hit:
                    return hit[1].decode()
        return ""

    def profile_link(self, table: str) -> Link | None:
        """Where `user.get_profile()` of Django before 1.7 leads."""
        model = self.named(self.profile) if self.profile else None
        user = self.by_table.get(table)
        if model is None or user is None:
            return None
        return next((link for link in user.links.values() if link.target == model.table and not link.many), None)

    def is_model(self, info: ClassInfo) -> bool:
        """Whether a class is a model, abstract ones included."""
        key = (info.path, info.name)
        if key not in self._kinds:
            names = set(info.ancestry())
            self._kinds[key] = (
                bool(names & words.MODEL_BASES)
                or (any(n.rpartition(".")[2].endswith("Model") or ".models." in n for n in names) and self._has_fields(info))
                or (PLACE.search(info.path) is not None and self._takes_after_a_model(info, names))
            )
        return self._kinds[key]

    def _takes_after_a_model(self, info: ClassInfo, names: set[str]) -> bool:
        """Whether a class in a module of models is one by its looks: it takes after `AbstractTeam` of a package, or has fields."""
        if any(n.rpartition(".")[2].startswith("Abstract") for n in names):
            return True
        calls = [value for _, _, value in info.node.fields if isinstance(value, tree.Call)] if names - {"object"} else []
        found = [self.project.modules.reference(info.path, call.func) for call in calls]
        return any(one is not None and one.external.startswith(FIELDS) and one.external.endswith(("Field", "ForeignKey")) for one in found)

    def _has_fields(self, info: ClassInfo) -> bool:
        return any(self._field_kind(owner, value) for owner in info.mro() for _, _, value in owner.node.fields if value is not None)

    def _gather(self, files: list[str]) -> None:
        found: list[ClassInfo] = []
        for path in files:
            source = self.project.modules.source(path)
            if source is not None and b"class " in source and (PLACE.search(path) or RELEVANT.search(source)):
                found += [info for info in self.project.classes.of_module(path) if self.is_model(info)]
        concrete = [info for info in found if not self._abstract(info)]
        names: dict[str, int] = {}
        for info in concrete:
            names[info.name] = names.get(info.name, 0) + 1
        for info in concrete:
            app = self._app(info)
            table = info.name if names[info.name] == 1 else f"{app}.{info.name}"
            if table in self.by_table:
                table = f"{info.path}:{info.name}"
            self._add(Model(table, info, app, f"{app}.{info.name}".lower()))
        self._built_in()
        models = [m for m in self.by_table.values() if m.info is not None]
        for model in models:
            self._inherit(model)
        for model in models:
            self._fields(model)
        for model in models:
            self._reverse(model)
        for model in models:
            self._from_parents(model)
            self._managers(model)
            assert model.info is not None
            placed = any(name.startswith(words.TREES) for name in model.info.ancestry())  # each row is given its place by the one before
            model.watched = placed or any(model.info.method(name) is not None for name in ("save", "delete"))
        if any(through.WORD in (self.project.modules.source(path) or b"") for path in files):
            for model in models:
                through.declare(self, model)
        for model in watched(self, files):
            model.watched = True

    def _add(self, model: Model) -> None:
        self.by_table[model.table] = model
        self.by_label.setdefault(model.label, model)
        if model.info is not None:
            self.by_class[model.info.path, model.info.name] = model
            self.by_name.setdefault(model.info.name, []).append(model)
            self.project.rows[model.table] = model.info

    def _built_in(self) -> None:
        """The models that Django brings along."""
        for name, dotted, plain, unique in words.BUILT_IN:
            app = dotted.split(".")[2].removesuffix("s") if name != "User" else "auth"
            table = name if name not in self.by_table else dotted
            model = Model(table, None, app, f"{app}.{name}".lower())
            model.fields = [Field("id", "number"), *(Field(f, "string") for f in plain.split())]
            model.indexes = [
                Index(PRIMARY, ("id",), unique=True, implicit=True),
                Index(unique.replace(" ", "_"), tuple(unique.split()), unique=True, implicit=True),
            ]
            self.by_table[table] = model
            self.by_label.setdefault(model.label, model)
            self.outside[dotted] = model
        self.by_label.setdefault("auth.user", self.outside["django.contrib.auth.models.User"])
        user = self.outside["django.contrib.auth.models.User"]
        group = self.outside["django.contrib.auth.models.Group"]
        permission = self.outside["django.contrib.auth.models.Permission"]
        for owner, name, target, back in (
            (user, "groups", group, "user_set"),
            (user, "user_permissions", permission, "user_set"),
            (group, "permissions", permission, "group_set"),
        ):
            owner.links[name] = Link(name, target.table, True, lookup=name, back=back)
            target.links.setdefault(back, Link(back, owner.table, True, lookup=back.removesuffix("_set"), back=name))
        content = self.outside["django.contrib.contenttypes.models.ContentType"]
        permission.links["content_type"] = Link("content_type", content.table, column="content_type_id", lookup="content_type")

    def _app(self, info: ClassInfo) -> str:
        """The label of the application that a model belongs to: the nearest one above, where packages inside of it hold its models."""
        label = self.meta(info, "app_label")
        if isinstance(label, tree.Literal) and isinstance(label.value, str):
            return label.value
        parts = info.path.removesuffix(".py").split("/")
        if "models" in parts:
            parts = parts[: parts.index("models")]
        else:
            parts = parts[:-1]
        home = next((n for n in range(len(parts), 0, -1) if "/".join(parts[:n]) in self._apps), len(parts))
        return parts[home - 1] if parts else "app"

    def meta(self, info: ClassInfo, name: str) -> tree.Expr | None:
        """An option of a model's `Meta`, where it has one; `abstract` is not inherited.

        From a parent with a separate table nothing comes but its order, which `_from_parents` hands on: Django takes `Meta` as a whole
        from abstract parents only (`ModelBase.__new__`).
        """
        for owner in [info] if name == "abstract" else self._own(info):
            meta = next((c for c in owner.node.inner if c.name == "Meta"), None)
            if meta is None:
                continue
            meta_info = self.project.classes.get(owner.path, f"{owner.name}.Meta")
            found = next((v for key, _, v in reversed(meta.fields) if key == name), None)
            if found is None and meta_info is not None and name != "abstract":
                inherited = meta_info.field(name)
                found = inherited[2] if inherited is not None else None
            return found
        return None

    def _own(self, info: ClassInfo) -> list[ClassInfo]:
        """The classes that a model's own table is made of: its own, mixins, abstract models; not what a parent with a table has in its."""
        above = [owner for owner in info.mro() if owner is not info]
        parents = [owner for owner in above if self.is_model(owner) and not self._abstract(owner)]
        held = {(owner.path, owner.name) for parent in parents for owner in parent.mro()}
        return [info, *(owner for owner in above if (owner.path, owner.name) not in held)]

    def _abstract(self, info: ClassInfo) -> bool:
        value = self.meta(info, "abstract")
        return isinstance(value, tree.Literal) and value.value is True

    # Fields.

    def _field_kind(self, owner: ClassInfo, value: tree.Expr) -> str:
        """The class of a field by the last word of its name; empty for what is no field."""
        if not isinstance(value, tree.Call):
            return ""
        found = self.project.modules.reference(owner.path, value.func)
        if found is None:
            return ""
        if found.external:
            name = found.external.rpartition(".")[2]
        elif isinstance(found.node, tree.ClassDef):
            info = self.project.classes.get(found.path, found.name)
            outside = [n.rpartition(".")[2] for n in info.ancestry()] if info is not None else []
            name = next((n for n in outside if _is_field(n)), "")
        else:
            return ""
        return name if _is_field(name) else ""

    def _reads_itself(self, made: Made) -> bool:
        """Whether the class of a relation is one of the project that gives rows an attribute of its own making."""
        found = self.project.modules.reference(made.owner.path, made.node.func)
        info = self.project.classes.get(found.path, found.name) if found is not None and isinstance(found.node, tree.ClassDef) else None
        return info is not None and info.method("contribute_to_class") is not None

    def declared(self, info: ClassInfo) -> Iterator[Made]:
        """The fields that a model has from its own body and from the abstract models above it."""
        seen: set[str] = set()
        for owner in self._own(info):
            for name, _, value in owner.node.fields:
                if name in seen or value is None:
                    continue
                kind = self._field_kind(owner, value)
                if kind and isinstance(value, tree.Call):
                    seen.add(name)
                    yield Made(name, kind, value, owner, dict(value.keywords))

    def _inherit(self, model: Model) -> None:
        assert model.info is not None
        for base in model.info.mro()[1:]:
            parent = self.by_class.get((base.path, base.name))
            if parent is not None:
                model.parents.append(parent)
        model.made = list(self.declared(model.info))

    def _fields(self, model: Model) -> None:
        assert model.info is not None
        for made in model.made:
            if _true(made.keywords.get("primary_key")):
                model.key = made.name
        if not any(made.name == model.key for made in model.made):
            model.fields.append(Field(model.key, "number"))
        if any(n.rpartition(".")[2] in words.USER_BASES for n in model.info.ancestry()):
            user = self.outside["django.contrib.auth.models.User"]
            own = {"id", *(name for owner in model.info.mro() for name, _, _ in owner.node.fields)}
            model.fields += [f for f in user.fields if f.name not in own]
            model.links |= user.links
            if not any(made.name == "username" for made in model.made):
                model.indexes += [i for i in user.indexes if i.fields == ("username",)]
        model.indexes.append(Index(PRIMARY, (model.key,), unique=True, implicit=True))
        for made in model.made:
            self._field(model, made)
        proxy = _true(self.meta(model.info, "proxy"))
        for parent in model.parents[:1]:
            if not proxy and not any(m.name == f"{parent.table.lower()}_ptr" for m in model.made):
                name = f"{_lower(parent)}_ptr"
                model.links[name] = Link(name, parent.table, column=f"{name}_id", lookup=name)
                child = _lower(model)
                parent.links.setdefault(child, Link(child, model.table, lookup=child, back=name))
        ordering = self.meta(model.info, "ordering")
        model.order = _texts(ordering)
        model.ordered = isinstance(ordering, tree.Array) and bool(ordering.items)
        lines = self.project.modules.lines(model.info.path)
        model.indexes += meta_indexes(self, model, lines)

    def _field(self, model: Model, made: Made) -> None:
        null = _true(made.keywords.get("null"))
        if made.kind in words.FOREIGN:
            target = self._target(model, made)
            table = target.table if target is not None else None
            model.links[made.name] = Link(made.name, table, column=f"{made.name}_id", lookup=made.name)
            model.fields.append(Field(made.name, "id", nullable=null, target=table))
        elif made.kind in words.MANY:
            target = self._target(model, made)
            model.links[made.name] = Link(made.name, target.table if target is not None else None, True, lookup=made.name)
        elif made.kind in words.TAGS:
            model.links[made.name] = Link(made.name, None, True, lookup=made.name)
        elif made.kind == words.GENERIC:
            model.links[made.name] = Link(made.name, None, column="object_id", lookup=made.name, generic=True)
        elif made.kind == words.GENERIC_MANY:
            target = self._target(model, made)
            table = target.table if target is not None else None
            model.links[made.name] = Link(made.name, table, True, lookup=made.name, own=self._reads_itself(made))
        else:
            kind = words.TYPES.get(made.kind, "any")
            large = made.kind in ("TextField", "BinaryField", "JSONField")
            span = self.project.modules.lines(made.owner.path).span(made.node.at, made.node.end)
            few, uuid = "choices" in made.keywords, made.kind == "UUIDField"
            model.fields.append(Field(made.name, kind, nullable=null, large=large, few=few, span=span, uuid=uuid))
        model.indexes += field_indexes(self.project.modules.lines(made.owner.path), made)

    def _target(self, model: Model, made: Made) -> Model | None:
        expr = made.keywords.get("to") or (made.node.args[0] if made.node.args else None)
        home = made.owner.path
        if expr is None:
            expr, home = fixed_target(self.project, made.owner, made.node)
        return self.meant(expr, home, model) if expr is not None else None

    def meant(self, expr: tree.Expr, home: str, near: Model | None = None) -> Model | None:
        """The model that an expression of a file means, where a relation is declared."""
        if isinstance(expr, tree.Literal) and isinstance(expr.value, str):
            return self.named(expr.value, near)
        if isinstance(expr, tree.Member) and expr.name == "AUTH_USER_MODEL":
            return self.user_model()
        if isinstance(expr, tree.Call):
            return self._chosen(expr)
        found = self.project.modules.reference(home, expr)
        if found is None:
            return None
        if found.external:
            return self.outside.get(found.external) or (self.user_model() if found.external.endswith("AUTH_USER_MODEL") else None)
        if isinstance(found.node, tree.Literal | tree.Call):
            return self.meant(found.node, found.path, near)
        return self.by_class.get((found.path, found.name))

    def _chosen(self, node: tree.Call) -> Model | None:
        """`get_user_model()`, `getattr(settings, "AUTH_USER_MODEL", "auth.User")`, `get_model_name("blog", "Post")`."""
        texts = [arg.value for arg in node.args if isinstance(arg, tree.Literal) and isinstance(arg.value, str)]
        if callee_name(node.func) == "get_user_model" or "AUTH_USER_MODEL" in texts:
            return self.user_model()
        label = texts[-1] if texts and "." in texts[-1] else ".".join(texts) if len(texts) == len(node.args) == 2 else ""
        return self.named(label) if label else None

    def named(self, text: str, near: Model | None = None) -> Model | None:
        """The model of a label such as `blog.Post`, or of a bare name near another model."""
        if text == "self":
            return near
        if "." in text:
            return self.by_label.get(text.lower()) or next(iter(self.by_name.get(text.rpartition(".")[2], ())), None)
        found = self.by_name.get(text, [])
        if near is not None:
            found = [m for m in found if m.app == near.app] or found
        return found[0] if len(found) == 1 or (found and near is not None) else None

    def user_model(self) -> Model | None:
        """The model that stands for users."""
        return self.by_label.get(self.user.lower()) or self.named(self.user)

    def _reverse(self, model: Model) -> None:
        assert model.info is not None
        default = self.meta(model.info, "default_related_name")
        for made in model.made:
            link = model.links.get(made.name)
            if link is None or link.target is None or made.kind == words.GENERIC_MANY:
                continue
            given = made.keywords.get("related_name", default)
            name = given.value if isinstance(given, tree.Literal) and isinstance(given.value, str) else None
            if given is not None and name is None and not isinstance(given, tree.Literal):
                continue
            one = made.kind in words.ONE_TO_ONE
            lower = _lower(model)
            if name is not None:
                name = name.replace("%(class)s", lower).replace("%(app_label)s", model.app.lower())
                if name.endswith("+"):
                    continue
            query = made.keywords.get("related_query_name")
            lookup = query.value if isinstance(query, tree.Literal) and isinstance(query.value, str) else name or lower
            accessor = name or (lower if one else f"{lower}{words.FACTORY}")
            target = self.by_table[link.target]
            target.links.setdefault(accessor, Link(accessor, model.table, not one, None, lookup, made.name))
            model.links[made.name] = replace(link, back=accessor)

    def _from_parents(self, model: Model) -> None:
        for parent in model.parents:
            # An index that serves a parent's columns serves whoever asks for them by the child; to report it is for the parent.
            known = {i.name for i in model.indexes}
            model.indexes += [replace(i, implicit=True) for i in parent.indexes if i.name not in known and i.name != PRIMARY]
            names = {f.name for f in model.fields}
            model.fields += [f for f in parent.fields if f.name not in names]
            for name, link in parent.links.items():
                model.links.setdefault(name, link)
            model.order = model.order or parent.order
            model.ordered = model.ordered or parent.ordered

    # Managers.

    def _managers(self, model: Model) -> None:
        assert model.info is not None
        for owner in model.info.mro():
            for name, _, value in owner.node.fields:
                if value is None or name in model.managers or not isinstance(value, tree.Call):
                    continue
                info = manager_class(self.project, owner, value)
                if info is not None:
                    model.managers[name] = info
                    self.managed.setdefault((info.path, info.name), []).append(model.table)

    def tables(self) -> dict[str, Table]:
        """The models as tables of the shared language."""
        return {
            name: Table(
                name, tuple(m.fields), tuple(m.indexes), True, None if m.info is not None else "django", self._span(m),
                tuple(m.links.values()), m.key, m.order, m.watched, self._split(m), stored=self.table_name(m),
            )
            for name, m in self.by_table.items()
        }  # fmt: skip

    def table_name(self, model: Model) -> str:
        """What the database calls the table of a model; that of a proxy is the table of the model above it."""
        if model.stored:
            return model.stored
        if model.info is None:
            return words.STORED.get(model.table, f"auth_{model.table.lower()}")
        if _true(self.meta(model.info, "proxy")) and model.parents:
            return self.table_name(model.parents[0])
        given = self.meta(model.info, "db_table")
        name = given.value if isinstance(given, tree.Literal) else None
        return name if isinstance(name, str) else f"{model.app}_{model.info.name.rpartition('.')[2]}".lower()

    def _split(self, model: Model) -> bool | None:
        """Whether rows lie in the tables of several classes: of those above that are neither abstract nor proxies, and the model's own."""
        if model.info is None:
            return False
        held = [m for m in (model, *model.parents) if m.info is not None and not _true(self.meta(m.info, "proxy"))]
        outside = set(model.info.ancestry())
        if len(held) > 1 or (held and outside & words.CONCRETE_BASES):
            return True
        return None if outside - words.MODEL_BASES - {"object"} else False

    def _span(self, model: Model) -> Span | None:
        if model.info is None:
            return None
        return self.project.modules.lines(model.info.path).span(model.info.node.at, model.info.node.end)


def _is_field(name: str) -> bool:
    return (name.endswith(("Field", "ForeignKey", "ParentalKey", "GenericRelation")) and name != "Field") or name in words.TAGS


def _true(node: tree.Expr | None) -> bool:
    return isinstance(node, tree.Literal) and node.value is True


def _texts(node: tree.Expr | None) -> tuple[str, ...]:
    items = node.items if isinstance(node, tree.Array) else []
    return tuple(i.value for i in items if isinstance(i, tree.Literal) and isinstance(i.value, str))


def _lower(model: Model) -> str:
    return model.info.name.lower() if model.info is not None else model.table.lower()
