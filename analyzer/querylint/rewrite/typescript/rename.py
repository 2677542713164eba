"""The name of an index that does not exist, changed to that of the one that was meant."""

from __future__ import annotations

from querylint.patch import Fix, Safety
from querylint.remedy import Rename
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript.indexes import renamed

GUESSED = "it is the index whose name is nearest and whose fields the range fits"


def rewrite(task: Task, remedy: Rename) -> Fix | Unfit:
    """Name the index that is there. The code fails without that; a person looks whether it is the right one."""
    edit = renamed(task.sources, task.found.span, remedy.index, remedy.to)
    if edit is None:
        return Unfit("the name of the index is not written down where the query is")
    return Fix(f"read by index `{remedy.to}`", Safety.UNSAFE, (edit,), (GUESSED,))
