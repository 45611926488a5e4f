"""Preferences of the user that take effect with a window and without one."""

from __future__ import annotations

import os

from ifuview import memory
from ifuview.app.frames.adding import look_of
from ifuview.app.frames.look import Look
from ifuview.engine.context import set_threads
from ifuview.errors import IfuviewError
from ifuview.settings import Settings, load

DATA_FOLDERS = ("MKID_DATA_DIR",)  # of the environment, as pipelines name the place of their data

_named = ["", ""]  # folders of data and of calibrations, by the settings that are in use


def data_folder() -> str:
    """Where dialogs that open files start: as the settings say, else the environment; "" where neither does."""
    wanted = (_named[0], *(os.environ.get(name, "") for name in DATA_FOLDERS))
    return next((found for path in wanted if path and os.path.isdir(found := os.path.expanduser(path))), "")


def calibration_folder(variable: str) -> str:
    """Where calibrations lie that stand for those a night does not have: as the settings say, else the environment.

    Parameters
    ----------
    variable : str
        Of the environment; "" for none.
    """
    wanted = (_named[1], os.environ.get(variable, "") if variable else "")
    return next((found for path in wanted if path and os.path.isdir(found := os.path.expanduser(path))), "")


def use(settings: Settings) -> None:
    """Let threads and memory be as many and as much as the preferences say, and dialogs start where they say."""
    set_threads(settings.threads)
    _named[:] = settings.data, settings.calibrations
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
