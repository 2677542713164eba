"""Programs that some tests run for real; where one is not there its tests are skipped, but not where `.ci/run` could install them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REQUIRED = os.environ.get("QUERYLINT_TEST_TOOLS") == "required"


def found(command: str) -> str | None:
    """Where a program lies; Debian keeps those of the PostgreSQL server out of the path."""
    served = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{command}"))
    return shutil.which(command) or (str(served[-1]) if served else None)


def needs(*commands: str) -> pytest.MarkDecorator:
    """Skip the test where one of the programs is missing, unless all of them are promised: then it fails."""
    missing = [command for command in commands if found(command) is None]
    return pytest.mark.skipif(bool(missing) and not REQUIRED, reason=f"needs programs that are not installed here: {', '.join(missing)}")


def unavailable(why: str) -> None:
    """Skip the running test because of what the machine lacks, or fail it where nothing may lack."""
    if REQUIRED:
        pytest.fail(why)
    pytest.skip(why)
