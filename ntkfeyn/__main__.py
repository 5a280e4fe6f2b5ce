"""python -m ntkfeyn, and the command ntkfeyn: from the first import on an interrupt is one line, not a traceback."""

from __future__ import annotations

import sys


def run() -> None:
    """Imports what is needed and runs the command line; see cli.main for the exit codes."""
    try:
        from ntkfeyn.cli import main

        main()
    except KeyboardInterrupt:  # while importing, or while main was ending
        if sys.stderr is not None:
            print("Interrupted.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    run()
