"""Exit codes of the program, the same for every command."""

from __future__ import annotations

OK = 0
INTERNAL_ERROR = 1  # of the program itself
BAD_INPUT = 2  # a command line or input that makes no sense or cannot be read
FOUND = 3  # the work is done, and something is wrong with the data
INTERRUPTED = 130  # by ctrl-C
