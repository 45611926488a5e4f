"""Exit codes of the program, the same for every command; and the signals that end it in good order."""

from __future__ import annotations

OK = 0
INTERNAL_ERROR = 1  # of the program itself
BAD_INPUT = 2  # a command line or input that makes no sense or cannot be read
FOUND = 3  # the work is done, and something is wrong with the data
INTERRUPTED = 130  # by ctrl-C


def endings() -> list[int]:
    """SIGINT, SIGTERM and the end of the terminal, but for those that are ignored, as nohup has it."""
    import signal

    found = (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
    return [number for number in found if number is not None and signal.getsignal(number) is not signal.SIG_IGN]
