"""Short names for contents."""

from __future__ import annotations

try:
    from _blake2 import blake2b  # `hashlib` loads a whole library of ciphers, which takes longer than an answer
except ImportError:
    from hashlib import blake2b

SIZE = 16


def digest(data: bytes) -> bytes:
    """The name of a content."""
    return blake2b(data, digest_size=SIZE).digest()
