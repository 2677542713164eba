"""A language server: the analysis of the project, as it stands in the editor's buffers, at the place where it is written.

`places` turns offsets into the client's positions, `analysis` runs the engine, `pace` says when, `diagnostics`, `actions` and `hover`
say what is found, and `server` speaks the protocol.
"""

from __future__ import annotations

__all__: list[str] = []
