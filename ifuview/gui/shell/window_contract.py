"""What menus and commands may touch of the main window."""

from __future__ import annotations

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QDockWidget, QMainWindow

from ifuview.gui.canvas.image_canvas import ImageCanvas
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.presenter import Presenter
from ifuview.gui.window.banner import Banner
from ifuview.gui.window.dock_area import DockArea
from ifuview.gui.window.readout_bar import ReadoutBar
from ifuview.gui.window.verdict_bar import VerdictBar


class CommandedWindow(QMainWindow):
    """A window with these parts; `MainWindow` makes them."""

    controller: Controller
    presenter: Presenter
    canvas: ImageCanvas
    banner: Banner
    readout: ReadoutBar
    verdict: VerdictBar
    dock_area: DockArea
    docks: dict[str, QDockWidget]

    @property
    def actions_by_name(self) -> dict[str, QAction]:
        """The actions of the menus."""
        raise NotImplementedError
