"""The two tree-sitter grammars, each loaded when a file first needs it."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from tree_sitter import Language

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
        language = Language(binding.language_typescript() if typescript else binding.language_tsx())
        _loaded[typescript] = Grammar(language, EXPRESSIONS, STATEMENTS)
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
