"""Color for terminals; every meaning that it carries is in the words too."""

from __future__ import annotations

from collections.abc import Mapping

from querylint.construction import dataclass
from querylint.report.wording import rule_url
from querylint.rule import Severity

SEVERITY_CODE = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}


LINKING = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio"})
"""Terminals that show links, by what they call themselves in TERM_PROGRAM."""

LINKING_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "contour")
LINKING_SIGNS = ("WT_SESSION", "KITTY_WINDOW_ID", "DOMTERM", "KONSOLE_VERSION")
VTE_WITH_LINKS = 5000


@dataclass(frozen=True, slots=True)
class Paint:
    """Wraps text in color codes, or leaves it alone. The names of the rules in `linked` become links to their pages."""

    on: bool
    linked: frozenset[str] = frozenset()

    def rule(self, name: str) -> str:
        """The name of a rule."""
        text = self.strong(name)
        return f"\x1b]8;;{rule_url(name)}\x1b\\{text}\x1b]8;;\x1b\\" if name in self.linked else text

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


def links_wanted(environment: Mapping[str, str], terminal: bool) -> bool:
    """Whether somebody is looking at a terminal that is known to show links; `FORCE_HYPERLINK` says so in any case."""
    forced = environment.get("FORCE_HYPERLINK")
    if forced:
        return forced != "0"
    if not terminal or environment.get("TERM") == "dumb":
        return False
    vte = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in LINKING
        or environment.get("TERM", "").startswith(LINKING_TERMS)
        or any(environment.get(sign) for sign in LINKING_SIGNS)
        or (vte.isdigit() and int(vte) >= VTE_WITH_LINKS)
    )
