"""The name of an index that does not exist, changed to that of the one that was meant."""

from __future__ import annotations

from querylint.patch import Fix, Safety
from querylint.remedy import Rename
from querylint.rewrite import Task, Unfit
from querylint.rewrite.typescript import chains
from querylint.rewrite.typescript.source import located

READERS = frozenset(("withIndex", "withSearchIndex"))
GUESSED = "it is the index whose name is nearest and whose fields the range fits"


def rewrite(task: Task, remedy: Rename) -> Fix | Unfit:
    """Name the index that is there. The code fails without that; a person looks whether it is the right one."""
    place = located(task.sources, task.found.span)
    if place is None:
        return Unfit("the code around it does not parse")
    file, node = place
    for link in chains.links(file, chains.whole(node)):
        name = link.arguments[0] if link.name in READERS and link.arguments else None
        if name is not None and name.type == "string" and file.text(name)[1:-1] == remedy.index:
            edit = file.edit(name.start_byte + 1, name.end_byte - 1, remedy.to)
            return Fix(f"read by index `{remedy.to}`", Safety.UNSAFE, (edit,), (GUESSED,))
    return Unfit("the name of the index is not written down where the query is")
