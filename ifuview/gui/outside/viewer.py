"""The window of scripts and notebooks: `show` opens it and gives a handle."""

from __future__ import annotations

import os
from typing import Any

from PyQt6.QtCore import QEventLoop
from PyQt6.QtWidgets import QApplication

from ifuview.app.outside.display import has_display
from ifuview.app.script.words import Script, WindowOptions
from ifuview.gui.outside import loop
from ifuview.gui.outside.handle import WindowHandle
from ifuview.gui.shell.app import make_shell
from ifuview.gui.window.window_state import HEADLESS_SIZE

START_S = 20.0
WORKER_PATIENCE = 2.0  # s for jobs to notice that the window is closed


def show(*values: Any, name: str = "", size: tuple[int, int] | None = None, **details: Any) -> Viewer:
    """Show arrays, files and values of other packages in a window.

    The window lives in the event loop that is there: that of IPython and Jupyter, else that of Qt, for which a script
    waits at its end until the window is closed. Without a display it is drawn all the same; take `screenshot`.

    Parameters
    ----------
    *values : array_like, HDUList, NDData, CCDData, Spectrum, DataFrame, Table, Dataset, Image, str or path
        Each becomes a frame. A table with the columns `fiber_id, x_pixels, y_pixels` gives the traces of the image
        before it. Files and folders are opened as by the command line.
    name : str
        What the frame is called.
    size : (int, int), optional
        Width and height of the window, px.
    **details
        Of an array: `kind` ("image", "detector", "rss", "cube", "spectrum"), `unit`, `wave` (Angstrom), `ivar` or
        `error`, `mask`, `header`. Of the look: any field of `Look` (`cmap="viridis"`, `lo=0`, `hi=500`,
        `transfer="log"`).

    Returns
    -------
    Viewer

    Raises
    ------
    IfuviewError
        What cannot be shown and why; the window stays open with what came before.
    """
    viewer = Viewer(size)
    for value in values:
        viewer.add(value, name, **details)
    return viewer


class Viewer(WindowHandle):
    """A window of its own; it lives as long as the script, or until it is closed.

    Parameters
    ----------
    size : (int, int), optional
        Width and height, px. Default: as the preferences keep it.
    """

    def __init__(self, size: tuple[int, int] | None = None) -> None:
        app = QApplication.instance()
        if app is None and not has_display():
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        offscreen = os.environ.get("QT_QPA_PLATFORM") == "offscreen"
        width, height = size or (HEADLESS_SIZE if offscreen else (None, None))
        self.shell = make_shell(WindowOptions(fresh=True, width=width, height=height), embedded=True)
        self.headless = QApplication.platformName() == "offscreen"
        super().__init__(self.shell.controller, self.shell.window)
        self.shell.window.closing.connect(self._closed)
        self.shell.start(Script())
        loop.join(self)
        self._until(lambda: self.shell.finished, START_S)

    def wait(self) -> None:
        """Wait until the person has closed the window."""
        if not self.is_open:
            return
        events = QEventLoop()
        self.shell.window.closing.connect(events.quit)
        events.exec()

    def close(self) -> None:
        """Close the window; its jobs are cancelled."""
        if self.is_open:
            self.shell.window.close()
            self.shell.take_down()
            QApplication.processEvents()

    def _closed(self) -> None:
        self.is_open = False
        self.shell.worker.shut_down(WORKER_PATIENCE)
