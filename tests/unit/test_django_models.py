"""Models of Django as tables: fields, relations both ways, indexes, managers."""

from __future__ import annotations

import textwrap
from pathlib import Path

from laid import lay
from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.ir import Table


def tables(folder: Path, **files: str) -> dict[str, Table]:
    head = "from django.db import models\n"
    lay(folder, {f"{name.replace('__', '/')}.py": head + textwrap.dedent(text) for name, text in files.items()})
    program, _ = Project(Scope(folder), settings.Settings()).program()
    return dict(program.schemas["."].tables)


def links(table: Table) -> dict[str, tuple[str | None, bool, str | None]]:
    return {link.name: (link.target, link.many, link.back) for link in table.links}


def test_relations_lead_both_ways(tmp_path: Path) -> None:
    found = tables(
        tmp_path,
        blog__models="""
        class Author(models.Model):
            pass

        class Post(models.Model):
            author = models.ForeignKey(Author, models.CASCADE, related_name="posts")
            editor = models.ForeignKey("Author", models.CASCADE, related_name="+")
            parent = models.ForeignKey("self", models.CASCADE, null=True)
            tags = models.ManyToManyField("Tag")

        class Tag(models.Model):
            pass

        class Cover(models.Model):
            post = models.OneToOneField("blog.Post", models.CASCADE)
        """,
    )
    post = links(found["Post"])
    assert post["author"] == ("Author", False, "posts")
    assert post["editor"] == ("Author", False, None)
    assert post["parent"] == ("Post", False, "post_set")
    assert post["tags"] == ("Tag", True, "post_set")
    assert post["cover"] == ("Cover", False, "post")
    assert links(found["Author"]) == {"posts": ("Post", True, "author")}
    assert links(found["Tag"]) == {"post_set": ("Post", True, "tags")}


def test_abstract_models_mixins_and_parents_hand_their_fields_down(tmp_path: Path) -> None:
    found = tables(
        tmp_path,
        core__models="""
        class Owned(models.Model):
            owner = models.ForeignKey("auth.User", models.CASCADE, related_name="%(class)s_owned")
            created = models.DateTimeField()

            class Meta:
                abstract = True
                ordering = ["created"]
        """,
        blog__models="""
        from core.models import Owned

        class Post(Owned):
            title = models.CharField(max_length=9)

        class Page(Post):
            body = models.TextField()
        """,
    )
    assert "Owned" not in found
    assert [f.name for f in found["Post"].fields or ()] == ["id", "title", "owner", "created"]
    assert found["Post"].order == ("created",)
    assert {"owner", "post_ptr"} <= links(found["Page"]).keys()
    assert links(found["Post"])["page"] == ("Page", False, "post_ptr")
    assert {"post_owned", "page_owned"} & links(found["User"]).keys() == {"post_owned"}


def test_a_child_of_a_model_with_a_table_takes_its_order_and_no_more_of_its_meta(tmp_path: Path) -> None:
    found = tables(
        tmp_path,
        blog__models="""
        class Post(models.Model):
            slug = models.CharField(max_length=9)
            site = models.CharField(max_length=9)

            class Meta:
                ordering = ["slug"]
                unique_together = [("slug", "site")]
                default_related_name = "posts"

        class Draft(Post):
            class Meta:
                proxy = True

        class Page(Draft):
            body = models.TextField()
            author = models.ForeignKey("auth.User", models.CASCADE)
            words = models.IntegerField(db_index=True)
        """,
    )
    page = found["Page"]
    assert page.order == ("slug",)
    assert page.split is True  # a separate table, though its parent has none
    assert links(found["User"])["page_set"] == ("Page", True, "author")
    assert {i.fields: i.implicit for i in page.indexes}[("words",)] is False
    for name in ("Draft", "Page"):  # the constraint holds for their rows, and is told of where it is declared
        assert {i.fields: (i.unique, i.implicit) for i in found[name].indexes}[("slug", "site")] == (True, True)


def test_indexes_that_are_declared_and_those_that_come_along(tmp_path: Path) -> None:
    found = tables(
        tmp_path,
        blog__models="""
        class Post(models.Model):
            author = models.ForeignKey("Author", models.CASCADE)
            loose = models.ForeignKey("Author", models.CASCADE, db_index=False, related_name="+")
            slug = models.SlugField()
            code = models.CharField(max_length=9, unique=True)
            state = models.CharField(max_length=9, db_index=True)

            class Meta:
                unique_together = [("author", "slug")]
                indexes = [models.Index(fields=["state", "-code"], name="by_state")]
                constraints = [models.UniqueConstraint(fields=["slug", "state"], name="one")]

        class Author(models.Model):
            pass
        """,
    )
    made = {i.fields: (i.unique, i.implicit) for i in found["Post"].indexes}
    assert made == {
        ("id",): (True, True),
        ("author",): (False, True),
        ("slug",): (False, True),
        ("code",): (True, True),
        ("state",): (False, False),
        ("author", "slug"): (True, True),
        ("state", "code"): (False, False),
        ("slug", "state"): (True, True),
    }


def test_models_of_one_name_keep_apart(tmp_path: Path) -> None:
    text = """
    class Item(models.Model):
        pass

    class Line(models.Model):
        item = models.ForeignKey("Item", models.CASCADE)
    """
    found = tables(tmp_path, shop__models=text, stock__models=text)
    assert {"shop.Item", "stock.Item"} <= found.keys()
    assert links(found["stock.Line"])["item"][0] == "stock.Item"


def test_rows_that_code_watches(tmp_path: Path) -> None:
    found = tables(
        tmp_path,
        blog__models="""
        class Plain(models.Model):
            pass

        class Saved(models.Model):
            def save(self, *args, **kwargs):
                super().save(*args, **kwargs)

        class Heard(models.Model):
            pass
        """,
        blog__signals="""
        from django.db.models.signals import post_save
        from blog.models import Heard

        def listen(sender, **kwargs): ...

        post_save.connect(listen, sender=Heard)
        """,
    )
    assert [found[name].watched for name in ("Plain", "Saved", "Heard")] == [False, True, True]


def test_what_the_database_calls_the_tables(tmp_path: Path) -> None:
    found = tables(
        tmp_path,
        shop__apps="",
        shop__models="""
        class Author(models.Model):
            pass

        class Writer(Author):
            class Meta:
                proxy = True

        class Sale(models.Model):
            class Meta:
                db_table = "sold"
        """,
        shop__parts__models="""
        class Part(models.Model):
            author = models.ForeignKey("shop.Author", models.CASCADE)
        """,
        web__shelves__models="""
        class Shelf(models.Model):
            part = models.ForeignKey("shop.Part", models.CASCADE)
        """,
        web__shelves__migrations__first="",
        web__apps="",
        lone__models__main="""
        class Thing(models.Model):
            class Meta:
                app_label = "other"
        """,
    )
    assert {name: found[name].stored for name in ("Author", "Writer", "Sale", "Part", "Shelf", "Thing")} == {
        "Author": "shop_author",
        "Writer": "shop_author",
        "Sale": "sold",
        "Part": "shop_part",
        "Shelf": "shelves_shelf",
        "Thing": "other_thing",
    }
    assert found["User"].stored == "auth_user"
    assert found["ContentType"].stored == "django_content_type"
    assert links(found["Shelf"])["part"] == ("Part", False, "shelf_set")
    assert links(found["Part"])["author"] == ("Author", False, "part_set")
