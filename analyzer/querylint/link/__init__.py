"""Lowered files joined into one program."""

from __future__ import annotations

from querylint.link.program import link

__all__ = ["link"]
