"""``python -m ifuview`` and the console script: run the command line and exit with its code."""

from __future__ import annotations

import sys
from contextlib import suppress

from ifuview import cli


def main() -> None:
    """Run the command line of this process."""
    code = cli.main(sys.argv[1:])
    if "PyQt6" in sys.modules:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """End the process at once: nothing is open any more, and what is written is in its place.

    2026-11: where a window was, one end of twelve was a segmentation fault in the hook by which PyQt visits all of its
    objects when Python ends.
    """
    import os

    if (logging := sys.modules.get("logging")) is not None:
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by who started the program
            with suppress(OSError):
                stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
