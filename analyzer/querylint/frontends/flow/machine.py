"""The walk over one function, put together."""

from __future__ import annotations

from querylint.frontends.flow import binding, expressions, statements
from querylint.frontends.flow.javascript import JAVASCRIPT
from querylint.frontends.flow.scope import Frame
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, Val
from querylint.frontends.flow.vocabulary import Language, Vocabulary
from querylint.syntax import tree
from querylint.text import LineIndex


class Machine(State):
    """Runs a function in thought, once, writing down what it does with the database."""

    def __init__(self, path: str, lines: LineIndex, vocabulary: Vocabulary, language: Language = JAVASCRIPT) -> None:
        super().__init__(path, lines, vocabulary, language)

    def evaluate(self, node: tree.Expr) -> Val:
        """What an expression yields; its steps are written down."""
        return expressions.evaluate(self, node)

    def execute(self, statement: tree.Stmt) -> None:
        """Walk through one statement."""
        statements.execute(self, statement)

    def run(self, body: list[tree.Stmt]) -> None:
        """Walk through statements in a scope of their own."""
        statements.run(self, body)

    def run_flat(self, body: list[tree.Stmt]) -> None:
        """Walk through the statements of a function in the scope of its parameters."""
        statements.run_flat(self, body)

    def invoke(
        self, closure: Closure, args: tuple[Val, ...], at: int, end: int, *, inline: bool = False, frame: Frame | None = None
    ) -> Val:
        """Run a closure in place; an async one at its own pace unless `inline`. With a `frame` it is the body of a loop over rows."""
        return statements.invoke(self, closure, args, at, end, inline=inline, rounds_of=frame)

    def bind(self, pattern: tree.Pattern, value: Val) -> None:
        """Declare the names of a pattern."""
        binding.bind(self, pattern, value)

    def assign(self, target: tree.Pattern | tree.Expr, value: Val, *, how: str = "=") -> None:
        """Give an existing place a new value."""
        binding.store(self, target, value, how=how)

    def replace(self, target: tree.Expr, value: Val) -> None:
        """Note what became of the value in a variable, without an assignment."""
        binding.put_back(self, target, value)

    def add_to(self, target: tree.Expr, base: Val, value: Val, *, keyed: bool, how: str, key: Val = NOTHING) -> None:
        """A value joins the collection in a variable."""
        binding.add_to(self, target, base, value, keyed=keyed, how=how, key=key)
