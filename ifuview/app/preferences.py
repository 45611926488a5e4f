"""Preferences of the user that take effect with a window and without one."""

from __future__ import annotations

from ifuview import memory
from ifuview.app.frames.adding import look_of
from ifuview.app.frames.look import Look
from ifuview.engine.context import set_threads
from ifuview.errors import IfuviewError
from ifuview.settings import Settings, load


def use(settings: Settings) -> None:
    """Let threads and memory be as many and as much as the preferences say."""
    set_threads(settings.threads)
    memory.allow(settings.memory_limit_mib)


def base_look(settings: Settings) -> tuple[Look | None, str]:
    """The look of new frames, None for what suits them; and what makes no sense in the preferences of it."""
    fields = settings.look_fields()
    try:
        return (look_of(fields) if fields else None), ""
    except IfuviewError as problem:
        return None, str(problem)


def use_stored() -> str:
    """Use what the user stored; a note about what makes no sense in it, "" if all does."""
    settings, note = load()
    use(settings)
    return note
