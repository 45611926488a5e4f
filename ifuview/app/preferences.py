"""What a command without a window takes from the preferences of the user."""

from __future__ import annotations

from ifuview.settings import load


def stored_threads() -> int:
    """Threads that measuring and extraction are spread over; 0: one for each core."""
    return load()[0].threads
