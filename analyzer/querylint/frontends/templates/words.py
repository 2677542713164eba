"""What the code around templates adds to their words: the tags and filters that it registers, and what every context holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import Val
from querylint.syntax import tree

if TYPE_CHECKING:
    from querylint.frontends.templates.vocabulary import TemplateVocabulary


class Words(Protocol):
    """The words of a framework. Every method returns None for what it does not know. `request` is what the templates know of theirs."""

    request: Val

    def leaned(self) -> int:
        """How often the walk has leaned on what objects hold so far."""

    def since(self, count: int) -> tuple[tuple[str, ...], ...]:
        """What the walk has leaned on since it had done so that often."""

    def lean(self, keys: tuple[tuple[str, ...], ...]) -> None:
        """The walk leans on what others have leaned on before."""

    def given(self, state: State, name: str) -> Val | None:
        """A variable that the framework puts into every context."""

    def left_out(self, name: str) -> Val | None:
        """A variable that is not in the context, all of which is known: what it is then; None where something else may bring it along."""

    def called(self, state: State, base: Val, node: tree.Call) -> Val | None:
        """A member that is called where a Django template only names it; None for one that is data."""

    def tagged(self, name: str) -> bool:
        """Whether the project registers a tag of that name: others only write text."""

    def tag(self, state: State, page: TemplateVocabulary, name: str, node: tree.Call) -> Val | None:
        """A tag that the project registers; it evaluates the arguments itself."""

    def filter(self, state: State, page: TemplateVocabulary, name: str, node: tree.Call) -> Val | None:
        """A filter that the project registers; it evaluates the arguments itself."""
