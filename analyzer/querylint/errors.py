"""What the user did that cannot be carried out, each a sentence for them."""

from __future__ import annotations


class QuerylintError(Exception):
    """A mistake of the user's: one clear sentence, exit code 2, never a traceback."""


class SettingsError(QuerylintError):
    """A settings file that cannot be used; the sentence names the file and the key."""


class PathError(QuerylintError):
    """A path on the command line that does not exist or cannot be read."""


class RuleNameError(QuerylintError):
    """A rule name that no rule bears; the sentence offers the nearest one."""


class RevisionError(QuerylintError):
    """A state of the project that git cannot give; the sentence says what is missing."""


class BaselineError(QuerylintError):
    """A baseline that cannot be used, or that would be lost; the sentence names the file."""


class LabError(QuerylintError):
    """What running the project needs and this machine lacks; the sentence says how to get it."""


def mishap() -> str:
    """The error that is being handled, and where it came from, in one line: for the note of a defect of our own that the run survives."""
    import traceback  # in the hope that it is never needed

    words = traceback.format_exc().strip().splitlines()
    place = next((w.strip() for w in reversed(words) if w.strip().startswith("File")), "")
    return f"{words[-1]} ({place.rpartition('/')[2]})"
