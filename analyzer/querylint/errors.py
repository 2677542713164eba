"""What the user did that cannot be carried out, each a sentence for them; and what is said of a defect of ours that a run survives."""

from __future__ import annotations

import os
import sys

TOO_DEEP = "a function is nested too deeply to be analyzed"


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


class EvidenceError(QuerylintError):
    """A log that cannot be read, or that holds nothing that we understand; the sentence names it."""


def mishap() -> str:
    """The error that is being handled, and where it came from, in one line: for the note of a defect of our own that the run survives.

    It is put together by hand: what `traceback` prints has marks under each line, for which it parses that line as if it were a file that
    lies in the working directory.
    """
    _, error, trace = sys.exc_info()
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    words = " ".join(f"{type(error).__name__}: {error}".split())
    if trace is None:
        return words
    code = trace.tb_frame.f_code
    return f"{words} ({os.path.basename(code.co_filename)}, line {trace.tb_lineno}, in {code.co_name})"


def left_out(function: str) -> str:
    """What is said of a function whose analysis has just failed."""
    return f"{function} cannot be analyzed: {mishap()}; please report it"
