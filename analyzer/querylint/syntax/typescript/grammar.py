"""The two tree-sitter grammars, each loaded when a file first needs it."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from tree_sitter import Language, Parser

from querylint.syntax.typescript import chains, expressions, functions, literals, module, statements
from querylint.syntax.typescript.lowering import Grammar, ReadExpr, ReadStmt

TYPESCRIPT = (".ts", ".mts", ".cts")

EXPRESSIONS: dict[str, ReadExpr] = {**literals.READERS, **chains.READERS, **expressions.READERS, **functions.EXPRESSIONS}
STATEMENTS: dict[str, ReadStmt] = {**statements.READERS, **functions.STATEMENTS, **module.READERS}

_loaded: dict[bool, Grammar] = {}


def grammar_for(path: str) -> Grammar:
    """The grammar that reads a file; only files that are surely TypeScript without JSX may hold casts like `<T>value`."""
    typescript = path.endswith(TYPESCRIPT)
    if typescript not in _loaded:
        binding = _binding()
        _loaded[typescript] = _grammar(Language(binding.language_typescript() if typescript else binding.language_tsx()))
    return _loaded[typescript]


def _binding() -> ModuleType:
    """The compiled grammars, without running their package's `__init__`: it costs more than everything else at start-up."""
    package = PathFinder.find_spec("tree_sitter_typescript")
    for folder in (package.submodule_search_locations or []) if package else []:
        for suffix in EXTENSION_SUFFIXES:
            name, file = "tree_sitter_typescript._binding", f"{folder}/_binding{suffix}"
            spec = spec_from_file_location(name, file, loader=ExtensionFileLoader(name, file))
            try:
                loaded = module_from_spec(spec) if spec else None
            except ImportError:
                continue
            if spec and spec.loader and loaded:
                spec.loader.exec_module(loaded)
                return loaded
    import tree_sitter_typescript

    return tree_sitter_typescript


def _grammar(language: Language) -> Grammar:
    expressions: dict[int, ReadExpr] = {}
    statements: dict[int, ReadStmt] = {}
    for number in range(language.node_kind_count):
        kind = language.node_kind_for_id(number)
        if kind is None or not language.node_kind_is_named(number):
            continue
        if kind in EXPRESSIONS:
            expressions[number] = EXPRESSIONS[kind]
        if kind in STATEMENTS:
            statements[number] = STATEMENTS[kind]
    statements[65535] = STATEMENTS["ERROR"]

    def kind_id(kind: str) -> int:
        number = language.id_for_node_kind(kind, True)
        assert number is not None, kind
        return number

    def field_id(name: str) -> int:
        number = language.field_id_for_name(name)
        assert number is not None, name
        return number

    return Grammar(
        parser=Parser(language),
        expressions=expressions,
        statements=statements,
        comments=frozenset((kind_id("comment"), kind_id("html_comment"))),
        identifier=kind_id("identifier"),
        member=kind_id("member_expression"),
        call=kind_id("call_expression"),
        subscript=kind_id("subscript_expression"),
        non_null=kind_id("non_null_expression"),
        parenthesized=kind_id("parenthesized_expression"),
        binary=kind_id("binary_expression"),
        string=kind_id("string"),
        block=kind_id("statement_block"),
        property=field_id("property"),
        arguments=field_id("arguments"),
        index=field_id("index"),
        operator=field_id("operator"),
        right=field_id("right"),
    )
