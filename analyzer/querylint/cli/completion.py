"""`querylint completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click

from querylint.cli.console import ExitCode, put

SHELLS = {
    "bash": 'eval "$(querylint completion bash)"          # in ~/.bashrc',
    "zsh": 'eval "$(querylint completion zsh)"           # in ~/.zshrc, after compinit',
    "fish": "querylint completion fish | source          # in ~/.config/fish/config.fish",
}


@click.command(epilog="\b\n" + "\n".join(SHELLS.values()), short_help="Print shell completion for bash, zsh or fish.")
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
def completion(shell: str) -> int:
    """Print the code that makes SHELL complete querylint's commands and options."""
    from click.shell_completion import get_completion_class  # for this command only

    root = click.get_current_context().find_root()
    found = get_completion_class(shell)
    assert found is not None
    # The code itself, without asking the shell for its version, as printing it by click's own variable would.
    maker = found(root.command, {}, "querylint", "_QUERYLINT_COMPLETE")
    put(maker.source_template % maker.source_vars())
    return ExitCode.CLEAN
