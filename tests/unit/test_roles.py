"""What a file is for, as its path says: made-up data and its tools are told from products that are about such things."""

from __future__ import annotations

import pytest

from querylint.discover.roles import role
from querylint.ir import Role


@pytest.mark.parametrize("name", ["clearDevData", "phase4TestCleanup", "setupUatUsers", "verifyUATSetup", "reset_demo", "sampleData"])
def test_tools_for_made_up_data_are_seeds(name: str) -> None:
    assert role(f"convex/models/{name}.ts") is Role.SEED


@pytest.mark.parametrize(
    "name", ["labTests", "devices", "demoRequests", "cleanup", "userData", "mockInterviews", "developers", "verifyEmail"]
)
def test_products_and_ordinary_jobs_are_code(name: str) -> None:
    assert role(f"convex/models/{name}.ts") is Role.CODE
