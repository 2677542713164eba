"""The packages that the lab is made of, installed for the tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tools import unavailable

LAB = Path(__file__).parent / "lab"


def installed() -> Path:
    """A folder whose node_modules holds them; skips the running test where they cannot be had."""
    if not (LAB / "node_modules/.package-lock.json").exists():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=LAB, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            unavailable(f"the packages of the lab cannot be installed: {done.stderr.strip()[-200:]}")
    return LAB
