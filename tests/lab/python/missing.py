"""What keeps a function from being called."""


class MissingRowError(Exception):
    """There is no row that it could be called with."""
