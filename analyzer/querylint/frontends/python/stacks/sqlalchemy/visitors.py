"""Who is signed in: the row of a user that frameworks hand out under a name of their own."""

from __future__ import annotations

from querylint.frontends.flow.values import Val
from querylint.frontends.python.stacks.sqlalchemy.models import Models
from querylint.ir import Origin, Root
from querylint.syntax import tree
from querylint.syntax.questions import last_name

SIGNED_IN = Origin(Root.OUTER, "who is signed in")
OUTSIDE = frozenset("flask_login.current_user flask_security.current_user flask_user.current_user quart_auth.current_user".split())
ITSELF = "_get_current_object"


def user(models: Models) -> Val | None:
    """The row of who is signed in, where one mapped class can only be meant: the one that says so, or the only one of that name."""
    found = [m for m in models.by_table.values() if m.info is not None and any(n.endswith("UserMixin") for n in m.info.ancestry())]
    found = found or models.by_name.get("User", [])
    return Val((SIGNED_IN,), doc_of=found[0].table) if len(found) == 1 else None


def handed_out(base: Val, node: tree.Member) -> bool:
    """Whether a member of a value that nobody knows is who is signed in: `request.user`, `g.user`, `self.current_user`."""
    if base.doc_of is not None or base.shape is not None:
        return False
    if node.name == "current_user":
        return last_name(node.base) in ("self", "request", "g", "context")
    return node.name == "user" and last_name(node.base) in ("request", "g")
