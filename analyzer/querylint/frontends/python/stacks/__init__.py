"""The stacks of Python, in the order in which they are asked."""

from __future__ import annotations

from querylint.frontends.python.stack import Stack
from querylint.frontends.python.stacks.convex import ConvexClient
from querylint.frontends.python.stacks.dbapi import DbApi
from querylint.frontends.python.stacks.django import Django
from querylint.frontends.python.stacks.sqlalchemy import SqlAlchemy
from querylint.frontends.python.stacks.templates import TemplateStack

STACKS: tuple[type[Stack], ...] = (Django, SqlAlchemy, ConvexClient, DbApi, TemplateStack)
