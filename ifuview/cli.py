"""The command line: `ifuview [options and files]` shows; the commands of `commands.table` do the rest.

Everything is imported where it is needed: the way from here to the first painted pixel is short.
"""

from __future__ import annotations

import io
import os
import sys

from ifuview.commands import table
from ifuview.errors import IfuviewError, told
from ifuview.exit_codes import BAD_INPUT, INTERNAL_ERROR, INTERRUPTED, endings


def main(argv: list[str]) -> int:
    """Run one command line.

    Parameters
    ----------
    argv : list of str
        Without the name of the program.

    Returns
    -------
    int
        One of `exit_codes`.
    """
    one_blas_thread()
    signals: list[int] = []
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files need not be UTF-8
    try:
        name, words = table.split(argv)
        if name != table.VIEW:
            _end_as_interrupted(signals)
        return _run(name, words)
    except IfuviewError as problem:
        _say(str(problem))
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError as problem:
        _say(told(problem))
        return BAD_INPUT
    except Exception:
        if signals:  # a library that was being imported took the interruption for an error of its own
            return INTERRUPTED
        import traceback

        traceback.print_exc()
        _say("this is an error of ifuview itself; the lines above say where.")
        return INTERNAL_ERROR


def one_blas_thread() -> None:
    """Keep OpenBLAS from starting threads of its own; call before numpy is imported.

    Our matrices are small. And its threads must not run while Qt starts: libdbus then forks, and OpenBLAS joins its
    threads before a fork, which never ends if one of them is at work (seen in one start of ten with a psf file).
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _end_as_interrupted(signals: list[int]) -> None:
    """Let SIGTERM, and the end of the terminal, end a command as Ctrl-C does: nothing half written is left.

    Those that come are appended to `signals`.
    """
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        return

    def interrupt(number: int, _: object) -> None:
        signals.append(number)
        raise KeyboardInterrupt

    for number in endings():
        signal.signal(number, interrupt)


def _run(name: str, words: list[str]) -> int:
    """The window goes without argparse."""
    if name == table.VIEW:
        from ifuview.commands.view import view

        return view(words)
    from ifuview.commands.run import command

    return command(name, words)


def _say(text: str) -> None:
    """One line on stderr."""
    print(f"ifuview: {text}", file=sys.stderr)
