# long: all words of templates, and what a walk through them sees, belong to one rendering
"""The meaning of names, members and calls in a template; what rows and queries are is asked of the vocabulary of the calling code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from querylint.frontends.flow.binding import declare, plain_member
from querylint.frontends.flow.comprehensions import iterated
from querylint.frontends.flow.expressions import member as member_of
from querylint.frontends.flow.scope import Scope
from querylint.frontends.flow.state import State
from querylint.frontends.flow.values import NOTHING, Closure, Condition, Many, Marker, Query, Record, Val, derived, last_of, literal
from querylint.frontends.flow.vocabulary import Consumption, Vocabulary
from querylint.frontends.templates import filters
from querylint.frontends.templates.folders import Templates
from querylint.frontends.templates.relevance import told
from querylint.ir import Escape, Relation, Target
from querylint.syntax import tree
from querylint.syntax.templates import Dialect, Page
from querylint.syntax.templates.page import BLOCK, FILTER, INCLUDE, SUPER, TAG, TEST
from querylint.text import Stretches

if TYPE_CHECKING:
    from querylint.frontends.templates.words import Words

MOST_PAGES = 12
MOST_CHAIN = 8
PAGE = "template"
REQUEST = frozenset(("request", "user"))
COUNTERS = ("forloop", "loop")
ENDS = ("first", "last")
"""What the counter of a loop says of one of its rounds only."""
COLLECTION_METHODS = frozenset(("items", "keys", "values"))


class TemplateVocabulary:
    """One rendering: a template with all that it extends, includes and imports, walked with what the calling code knows of its context."""

    def __init__(self, state: State, templates: Templates, context: Val, words: Words) -> None:
        self.inner: Vocabulary = state.vocabulary
        self.templates = templates
        self.context = context
        self.words = words
        self.outer = (state.path, state.lines, state.fragile)
        self.chain: list[Page] = []
        self.active: list[tuple[str, int]] = []
        self.pages: list[Page] = []
        self.log: list[tuple[Val, str | None]] = []
        self.watching = 0

    # What a statement sees.

    def walk(self, state: State, statement: tree.Stmt) -> None:
        """Walk through a statement, unless it is known what that leaves."""
        self.templates.replays.walk(self, state, statement)

    def where(self, statement: tree.Stmt) -> tuple[object, ...]:
        """What decides what the words of a statement mean: its file and those with names of their own that the walk is in.

        Which templates extend this one matters for its blocks alone.
        """
        inside = list(map(id, self.pages))
        naming = tuple(id(page) for page in self.pages if page.macros or page.imports)
        again = frozenset(page for number, page in enumerate(inside) if page in inside[:number])
        place = (inside[-1], len(inside), naming, again)
        return (*place, tuple(map(id, self.chain)), tuple(self.active)) if self.templates.relevance.blocks(statement) else place

    def whole(self) -> Val:
        """The context, to be handed to somebody who may look at all of it."""
        self._ask(None)
        return self.context

    def asked(self, names: frozenset[str], *, whole: bool) -> None:
        """These names of the context were looked at; all of it where it was handed over `whole`."""
        for name in names:
            self._ask(name)
        if whole:
            self._ask(None)

    def _ask(self, name: str | None) -> None:
        if self.watching:
            self.log.append((self.context, name))

    # Pages.

    @property
    def page(self) -> Page:
        """The file that the walk is in."""
        return self.pages[-1]

    @contextmanager
    def inside(self, state: State, page: Page) -> Iterator[None]:
        """Walk in another file."""
        before = (state.path, state.lines, state.fragile, state.vocabulary, state.walker)
        self.pages.append(page)
        state.path, state.lines, state.fragile = page.path, self.templates.lines(page.path), Stretches(page.broken)
        state.vocabulary = state.walker = self
        yield
        self.pages.pop()
        state.path, state.lines, state.fragile, state.vocabulary, state.walker = before

    @contextmanager
    def outside(self, state: State) -> Iterator[None]:
        """Walk in the code that asked for the template."""
        before = (state.path, state.lines, state.fragile, state.vocabulary, state.walker)
        state.path, state.lines, state.fragile = self.outer
        state.vocabulary, state.walker = self.inner, None
        yield
        state.path, state.lines, state.fragile, state.vocabulary, state.walker = before

    def render(self, state: State, path: str) -> bool:
        """Walk through a template and whatever it extends, in a scope of its own; says whether there is such a file."""
        page = self.templates.page(path)
        if page is None or len(self.pages) >= MOST_PAGES or sum(p is page for p in self.pages) > 1:
            return page is not None
        chain, active = self.chain, self.active
        self.chain, self.active = [page], []
        outer, state.scope = state.scope, Scope(state.scope if self.pages else None)
        while (parent := self._parent(state)) is not None and parent not in self.chain and len(self.chain) < MOST_CHAIN:
            self._prepare(state, self.chain[-1])
            self.chain.append(parent)
        with self.inside(state, self.chain[-1]):
            state.run_flat(self._relevant(state, [self.templates.relevance.whole(self.chain[-1])]))
        state.scope = outer
        self.chain, self.active = chain, active
        return True

    def _relevant(self, state: State, body: list[tree.Stmt]) -> list[tree.Stmt]:
        """The statements that may have to do with rows."""
        return self.templates.relevance.of(body, lambda name: self._known(state, name))

    def _known(self, state: State, name: str) -> bool:
        if name[:1] == TAG:
            return self.words.tagged(name[1:])
        var = state.scope.find(name)
        if var is not None:
            if state.trace is not None:
                state.trace.append(var)
            return told(state.store.get(var, NOTHING))
        self._ask(name)
        shape = self.context.shape
        if isinstance(shape, Record):
            if name in shape.fields:
                return told(shape.fields[name])
            if shape.rest:
                return True
        elif self.context.origins:
            return True
        return name in REQUEST or any(name in page.macros or any(i.local == name for i in page.imports) for page in self.pages)

    def _parent(self, state: State) -> Page | None:
        """What the last template of the chain extends."""
        page = self.chain[-1]
        if page.extends is None:
            return None
        with self.inside(state, page):
            return self._first_of(state, page.extends, page)

    def _first_of(self, state: State, node: tree.Expr, page: Page) -> Page | None:
        for name in self._names(state, node):
            path = self.templates.find(name, page.path)
            found = self.templates.page(path) if path is not None else None
            if found is not None:
                return found
        return None

    def _names(self, state: State, node: tree.Expr) -> list[str]:
        """The names of templates that an expression may stand for."""
        if isinstance(node, tree.Literal):
            return [node.value] if isinstance(node.value, str) else []
        if isinstance(node, tree.Ternary):
            return [*self._names(state, node.then), *self._names(state, node.other)]
        if isinstance(node, tree.Array):
            return [name for item in node.items for name in self._names(state, item)]
        if isinstance(node, tree.Logic):
            return [*self._names(state, node.left), *self._names(state, node.right)]
        if isinstance(node, tree.Call) and isinstance(node.func, tree.Name) and node.func.id.startswith(FILTER):
            return [name for arg in node.args for name in self._names(state, arg)]
        with state.recording():
            value = state.evaluate(node)
        return [value.literal] if isinstance(value.literal, str) else []

    def _prepare(self, state: State, page: Page) -> None:
        """What a template that extends another sets at its top: it is there for its blocks."""
        if page.dialect is Dialect.DJANGO:
            return
        with self.inside(state, page):
            for statement in page.body:
                if isinstance(statement, tree.Let | tree.FnDef | tree.If) or (
                    isinstance(statement, tree.Do) and isinstance(statement.value, tree.Assign)
                ):
                    if isinstance(statement, tree.FnDef):
                        continue
                    state.execute(statement)

    # Names.

    def name(self, state: State, name: str) -> Val | None:
        """A macro, an imported template, or something of the context."""
        if name[:1] in (FILTER, TAG, TEST):
            return NOTHING
        for page in reversed(self.pages):
            found = self._of_page(page, name)
            if found is not None:
                return found
        self._ask(name)
        if isinstance(self.context.shape, Record) and name not in self.context.shape.fields and not self.context.shape.rest:
            return self.words.given(state, name) or self.words.left_out(name)
        value = plain_member(state, self.context, name)
        return value if value.interesting or value.deps else self.words.given(state, name) or value

    def _of_page(self, page: Page, name: str) -> Val | None:
        macro = page.macros.get(name)
        if macro is not None:
            return Val(shape=Closure(macro, None, page.path))
        for item in page.imports:
            if item.local == name:
                path = self.templates.find(item.source, page.path)
                other = self.templates.page(path) if path is not None else None
                if other is None:
                    return NOTHING
                return Val(shape=Marker(PAGE, (other.path,))) if item.name == "*" else self._of_page(other, item.name) or NOTHING
        return None

    # Members.

    def member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        """A macro of an imported template; in Django's templates, a function that a name reaches is called."""
        shape = base.shape
        if isinstance(shape, Marker) and shape.kind == PAGE:
            page = self.templates.page(shape.data[0])
            return (self._of_page(page, node.name) if page is not None else None) or NOTHING
        if node.name in ENDS and isinstance(node.base, tree.Name) and node.base.id in COUNTERS:
            return Val(deps=base.deps, conditions=(Condition(None, Relation.EQ, literal(node.name)),))  # one round of all
        if self.page.dialect is Dialect.DJANGO:
            made = self._called_member(state, base, node)
            if made is not None:
                return made
        return self.inner.member(state, base, node)

    def _called_member(self, state: State, base: Val, node: tree.Member) -> Val | None:
        shape = base.shape
        if isinstance(shape, Record) and node.name in shape.fields:
            return None
        call = tree.Call(node, [], node.at, node.end)
        if isinstance(shape, Record | Many) and node.name in COLLECTION_METHODS:
            return state.language.method(state, call, node, base)
        return self.words.called(state, base, call)

    # Calls.

    def call(self, state: State, node: tree.Call, func: Val, base: Val | None) -> Val | None:
        """A word of the template language, a macro, or a call in the sense of the calling code; others only compute."""
        if isinstance(node.func, tree.Name) and node.func.id[:1] in WORDS:
            return self._word(state, node, node.func.id)
        shape = func.shape
        if isinstance(shape, Closure) and self._is_page(shape.path):
            return self._macro(state, node, shape)
        if base is not None and isinstance(base.shape, Marker) and base.shape.kind == PAGE:
            assert isinstance(node.func, tree.Member)
            macro = self.member(state, base, node.func) or NOTHING
            return self._macro(state, node, macro.shape) if isinstance(macro.shape, Closure) else self._computed(state, node)
        made = self.inner.call(state, node, func, base)
        if made is None and base is not None and isinstance(node.func, tree.Member):
            made = state.language.method(state, node, node.func, base)
            if made is None and base.shape is not None:
                found = member_of(state, base, node.func)
                made = self._closure(state, node, found)
        elif made is None:
            made = state.language.function(state, node, node.func, func) or self._closure(state, node, func)
        return made if made is not None else self._computed(state, node)

    def _closure(self, state: State, node: tree.Call, func: Val) -> Val | None:
        """A function of the calling code that the context holds."""
        shape = last_of(func).shape
        if not isinstance(shape, Closure) or shape.name:
            return None
        args = state.language.arguments(state, node, shape.fn)
        with self.outside(state):
            return state.invoke(shape, args, shape.fn.at, shape.fn.end)

    def _is_page(self, path: str) -> bool:
        return self.templates.is_page(path)

    def _macro(self, state: State, node: tree.Call, closure: Closure) -> Val:
        args = state.language.arguments(state, node, closure.fn)
        page = self.templates.page(closure.path)
        if page is None or len(self.pages) >= MOST_PAGES * 2:
            return derived(*args)
        with self.inside(state, page):
            state.invoke(closure, args, node.at, node.end)
        return derived(*args)

    def _computed(self, state: State, node: tree.Call) -> Val:
        """A call of which nothing is known."""
        return derived(*self._handed(state, node))

    def _handed(self, state: State, node: tree.Call) -> list[Val]:
        """What a call is given leaves our sight; rows of a query are taken to be wanted."""
        values = []
        for value, arg in zip(state.language.arguments(state, node, None), (*node.args, *(v for _, v in node.keywords)), strict=False):
            if isinstance(value.shape, Query):
                value = self.inner.rows(state, value, arg.at, arg.end, partial=True) or value
            state.leak(value, Escape.PASSED, arg.at, arg.end)
            values.append(value)
        return values

    # Words of the template language.

    def _word(self, state: State, node: tree.Call, name: str) -> Val:
        made = WORDS_OF_PAGES.get(name)
        if made is not None:
            return made(self, state, node)
        if name == filters.GROUPS:
            outer, state.scope = state.scope, Scope(state.scope)
            declare(state, filters.HELD, iterated(state, node.args[0]))
            item = state.evaluate(node.args[1])
            state.scope = outer
            return Val(deps=item.deps, shape=Many(item))
        sign, rest = name[0], name[1:]
        if sign == TAG:
            return self.words.tag(state, self, rest, node) or self._computed(state, node)
        if sign == TEST:
            return self._test(state, rest, node)
        if rest in filters.SAME and node.args:
            return state.evaluate(node.args[0])
        own = self.words.filter(state, self, rest, node)
        if own is not None:
            return own
        python = filters.in_python(rest, node, self.page.dialect)
        if python is not None:
            return state.evaluate(python)
        values = self._handed(state, node)
        if values and values[0].doc_of is not None and node.args:
            self.inner.consumed(state, values[0], Consumption.SHOWN, node.args[0])
        return derived(*values)

    def _test(self, state: State, name: str, node: tree.Call) -> Val:
        sign = filters.COMPARED.get(name)
        if sign is not None and len(node.args) == 2:
            return state.evaluate(tree.Op(sign, node.args, node.at, node.end))
        return self._computed(state, node)

    def _block(self, state: State, node: tree.Call) -> Val:
        name = node.args[0].value if node.args and isinstance(node.args[0], tree.Literal) else None
        level = next((n for n, page in enumerate(self.chain) if name in page.blocks), None)
        if level is not None:
            self._run_block(state, str(name), level)
        return NOTHING

    def _super(self, state: State, node: tree.Call) -> Val:
        if self.active:
            name, level = self.active[-1]
            above = next((n for n, page in enumerate(self.chain) if n > level and name in page.blocks), None)
            if above is not None:
                self._run_block(state, name, above)
        return NOTHING

    def _run_block(self, state: State, name: str, level: int) -> None:
        if (name, level) in self.active:
            return
        page = self.chain[level]
        self.active.append((name, level))
        with self.inside(state, page):
            state.run(self._relevant(state, [self.templates.relevance.whole(page.blocks[name])]))
        self.active.pop()

    def _include(self, state: State, node: tree.Call) -> Val:
        page = self._first_of(state, node.args[0], self.page)
        given = state.evaluate(node.args[1])
        only = any(name == "only" for name, _ in node.keywords)
        if page is None:
            return given
        fields = given.shape.fields if isinstance(given.shape, Record) else {}
        self.include(state, page.path, fields, only=only)
        return derived(given)

    def include(self, state: State, path: str, fields: dict[str, Val], *, only: bool = False) -> None:
        """Walk through a template in place, with these variables besides those that are visible; or with nothing else."""
        outer, context = state.scope, self.context
        state.scope = Scope(None if only else outer)
        if only:
            self.context = Val(shape=Record(fields))
        else:
            for name, value in fields.items():
                declare(state, name, value)
        self.render(state, path)
        state.scope, self.context = outer, context

    # The rest is for the calling code to say.

    def recursive(self, state: State, closure: Closure) -> Target | None:
        """Macros that call themselves are walked once."""
        return None

    def element(self, state: State, node: tree.Element) -> Val | None:
        """Templates have none."""
        return None

    def awaited(self, state: State, value: Val, at: int, end: int) -> Val | None:
        """Waiting for something that runs only when waited for."""
        return self.inner.awaited(state, value, at, end)

    def rows(self, state: State, value: Val, at: int, end: int, *, partial: bool) -> Val | None:
        """A query is iterated."""
        return self.inner.rows(state, value, at, end, partial=partial)

    def consumed(self, state: State, value: Val, how: Consumption, node: tree.Expr) -> Val | None:
        """A query is run by the language itself."""
        if how is Consumption.SHOWN:
            if isinstance(value.shape, Closure):
                return None
            state.leak(value, Escape.PASSED, node.at, node.end)
        return self.inner.consumed(state, value, how, node)

    def imported(self, state: State, item: tree.Import) -> Val | None:
        """Imports of templates are looked up by name."""
        return None

    def assigned(self, state: State, base: Val, target: tree.Member, value: Val) -> None:
        """Templates set no member of anything."""

    def typed(self, state: State, value: Val, type_text: str) -> Val:
        """Nothing in a template has a written type."""
        return value

    def asks(self, source: bytes) -> bool:
        """No page of these stacks has handlers of events that are walked."""
        return False

    def called_back(self, state: State, node: tree.Call, func: Val, args: tuple[Val, ...]) -> Val | None:
        """A function of the project that is handed to a method as its callback."""
        return self.inner.called_back(state, node, func, args)


WORDS = (FILTER, TAG, TEST)
WORDS_OF_PAGES: dict[str, Callable[[TemplateVocabulary, State, tree.Call], Val]] = {
    BLOCK: TemplateVocabulary._block,
    SUPER: TemplateVocabulary._super,
    INCLUDE: TemplateVocabulary._include,
}
