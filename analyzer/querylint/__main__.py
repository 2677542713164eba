"""`python -m querylint`."""

from __future__ import annotations

from querylint.cli import main

if __name__ == "__main__":
    main()
