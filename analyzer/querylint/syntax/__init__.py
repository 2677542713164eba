"""Parsers for reading: source text in, a plain tree out. They know syntax, not meaning."""
