"""Trees that editors and fixes keep from look to look: what one look adds to classes for the sake of a framework is gone in the next."""

from __future__ import annotations

from pathlib import Path

from laid import lay
from querylint import settings
from querylint.discover import Scope
from querylint.engine import Project
from querylint.frontends.kept import KeptParts
from querylint.ir import Function

MODELS = """
from django.db import models

class Author(models.Model):
    name = models.TextField()

class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
API = """
from rest_framework import serializers, viewsets
from shop.models import Book

class BookSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="author.name")

    class Meta:
        model = Book
        fields = ["id", "name"]

class BookViewSet(viewsets.ModelViewSet):
    queryset = Book.objects.all()
    serializer_class = BookSerializer
"""
TYPES = """
import graphene
from graphene_django import DjangoListField, DjangoObjectType
from shop.models import Book

class BookType(DjangoObjectType):
    author_name = graphene.String()

    class Meta:
        model = Book

    def resolve_author_name(book, info):
        return book.author.name

class Query(graphene.ObjectType):
    books = DjangoListField(BookType)
"""


def functions(root: Path, kept: KeptParts | None = None) -> dict[str, Function]:
    return dict(Project(Scope(root), settings.load(root, rule_names=frozenset()), kept=kept).program()[0].functions)


def test_what_a_look_adds_to_classes_is_its_own(tmp_path: Path) -> None:
    lay(tmp_path, {"shop/models.py": MODELS, "shop/api.py": API, "shop/types.py": TYPES})
    kept = KeptParts(trees={})
    first = functions(tmp_path, kept)
    assert {"shop/api.py::BookViewSet.serialized_list", "shop/types.py::BookType.listed_rows"} <= set(first)
    for changed in (MODELS.replace("Author", "Writer").replace("author =", "writer ="), MODELS):
        lay(tmp_path, {"shop/models.py": changed})
        assert functions(tmp_path, kept) == functions(tmp_path)
