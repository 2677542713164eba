"""Edits of Python files, as stretches of bytes: what is not touched stays as its author wrote it."""
