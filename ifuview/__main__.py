"""``python -m ifuview`` and the console script: run the command line and exit with its code."""

from __future__ import annotations

import sys

from ifuview import cli


def main() -> None:
    """Run the command line of this process."""
    sys.exit(cli.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
