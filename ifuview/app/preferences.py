"""Preferences of the user that take effect with a window and without one."""

from __future__ import annotations

from ifuview import memory
from ifuview.engine.context import set_threads
from ifuview.settings import Settings, load


def use(settings: Settings) -> None:
    """Let threads and memory be as many and as much as the preferences say."""
    set_threads(settings.threads)
    memory.allow(settings.memory_limit_mib)


def use_stored() -> str:
    """Use what the user stored; a note about what makes no sense in it, "" if all does."""
    settings, note = load()
    use(settings)
    return note
