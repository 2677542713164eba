"""TypeScript, TSX, JavaScript and JSX, read with tree-sitter and lowered to the plain tree."""

from __future__ import annotations

from querylint.syntax.typescript.parse import parse_module

__all__ = ["parse_module"]
