"""Rewriters for TypeScript and JavaScript: byte ranges of the syntax tree are replaced, and nothing else is touched."""
