"""`querylint lsp`: a server of the Language Server Protocol over standard input and output, for editors."""

from __future__ import annotations

import click

from querylint.cli.console import ExitCode


@click.command(short_help="Run the language server for editors.")
@click.option("--stdio", is_flag=True, help="Use standard input and output. This is the default; some editors pass it.")
def lsp(stdio: bool) -> int:
    """Run the language server: findings while you type, quick fixes, and details on hover."""
    try:
        from querylint.lsp.server import serve
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise click.UsageError("this needs the package pygls: pip install 'querylint[lsp]'") from None
    serve()
    return ExitCode.CLEAN
