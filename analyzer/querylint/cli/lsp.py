"""`querylint lsp`: a server of the Language Server Protocol over standard input and output, for editors."""

from __future__ import annotations

import click

from querylint.cli.console import ExitCode


@click.command(short_help="Run the language server for editors.")
@click.option("--stdio", is_flag=True, help="Serve over standard input and output, which is done anyway; some editors add this.")
def lsp(stdio: bool) -> int:
    """Serve an editor: findings while you type, quick fixes, what a finding costs under the pointer."""
    try:
        from querylint.lsp.server import serve
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise click.UsageError("this needs the library pygls: pip install 'querylint[lsp]'") from None
    serve()
    return ExitCode.CLEAN
