"""The entry point: an answer that was kept from an earlier run is given before anything of the analyzer is loaded."""

from __future__ import annotations

import os
import sys

from querylint.cache.question import asked


def main() -> None:
    """Answer the command line."""
    question = asked(sys.argv[1:])
    code = question.answered() if question is not None else None
    if code is not None:
        os._exit(code)  # all is written, and there is nothing to take apart
    from querylint.cli import main as door

    door(question)


if __name__ == "__main__":
    main()
