"""Color for terminals; every meaning that it carries is in the words too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from querylint.rule import Severity

SEVERITY_CODE = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Wraps text in color codes, or leaves it alone."""

    on: bool

    def severity(self, text: str, severity: Severity) -> str:
        """Red, yellow or cyan."""
        return self._wrap(text, SEVERITY_CODE[severity])

    def strong(self, text: str) -> str:
        """Bold."""
        return self._wrap(text, "1")

    def faint(self, text: str) -> str:
        """Dim."""
        return self._wrap(text, "2")

    def place(self, text: str) -> str:
        """Blue, for places other than the finding's own."""
        return self._wrap(text, "34")

    def added(self, text: str) -> str:
        """Green, for lines that a change brings."""
        return self._wrap(text, "32")

    def removed(self, text: str) -> str:
        """Red, for lines that a change takes away."""
        return self._wrap(text, "31")

    def _wrap(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text


def wanted(choice: str, environment: Mapping[str, str], terminal: bool) -> bool:
    """Whether to use color: what the user says (`always`, `never`), then what the environment says, then whether somebody is looking."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return terminal and environment.get("TERM") != "dumb"
