"""Options of the test run."""

from __future__ import annotations

import os

import pytest

os.environ["QUERYLINT_CACHE_DIR"] = ""  # no answer of an earlier version of the code, nor of another test


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the expected dumps of fixtures/stories and fixtures/frontends")
