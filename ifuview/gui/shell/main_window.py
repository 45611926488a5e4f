"""The main window: puts canvas, docks, menus and status line together; holds no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication
from PyQt6.QtWidgets import (
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from ifuview.app import verdict as verdict_view
from ifuview.app import window as window_view
from ifuview.app.frames.intents import OpenFile
from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views import image as image_view
from ifuview.app.jobs import JobRecord
from ifuview.app.readout import readout
from ifuview.app.session import Layout, Level, Message, Session
from ifuview.app.window import WindowView, went_well
from ifuview.gui.canvas.image_canvas import HINT, NIGHT_HINT, ImageCanvas
from ifuview.gui.canvas.widgets import ColorBar, Navigator
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.presenter import Presenter
from ifuview.gui.shell.window_contract import CommandedWindow
from ifuview.gui.window import theme
from ifuview.gui.window.banner import Banner
from ifuview.gui.window.dock_area import DockArea
from ifuview.gui.window.extension_box import ExtensionBox
from ifuview.gui.window.readout_bar import ReadoutBar
from ifuview.gui.window.status_line import StatusLine
from ifuview.gui.window.verdict_bar import VerdictBar

TOOLBAR = (
    "open", "fit", "blink", "tile", "traces", "measure", "diagnose", "draw-box", "draw-circle", "report", "shortcuts",
)  # fmt: skip
FILTER = "FITS and traces (*.fits *.fit *.fits.gz *.fits.fz *.fz *.ecsv *.csv *.json);;All files (*)"
START_SIZE = (1600, 1000)


if TYPE_CHECKING:
    from ifuview.gui.window.action_menus import ActionMenus

MENUS = ("&File", "&View", "&Scale", "&Color", "F&rame", "&Night", "&Photons", "&Trace", "&Window", "&Help")


class MainWindow(CommandedWindow):
    """Canvas in the middle, docks around it; emits nothing but `closing`, asks the controller for everything."""

    closing = pyqtSignal()

    def __init__(self, controller: Controller, presenter: Presenter, dark: bool | None = None) -> None:
        super().__init__()
        self.controller, self.presenter = controller, presenter
        self.store = controller.store
        self.fixed_title = ""  # of the command line
        self.setWindowTitle("ifuview")
        self.setDockNestingEnabled(True)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.resize(*START_SIZE)
        self.menus: ActionMenus | None = None  # filled after the first paint
        self._titles = {title.replace("&", ""): self.menuBar().addMenu(title) for title in MENUS}
        self.setAcceptDrops(True)
        self._make_center()
        self._make_toolbar()
        self.status_line = StatusLine(self.statusBar(), controller)
        self.banner.closed.connect(self.status_line.forget_error)
        self.banner.closed.connect(self._leave_room)
        self.dock_area = DockArea(self, self.canvas, controller, presenter)
        self.dock_area.laid.connect(self.verdict.stay)
        self.docks = self.dock_area.docks
        self._shown = window_view.make(Session())
        presenter.add("canvas", image_view, self._draw_canvas, lambda: True)
        presenter.add("window", window_view, self._draw_window, lambda: True)
        presenter.add("verdict", verdict_view, self.verdict.draw, lambda: True)
        presenter.add_line(window_view.running, self._draw_job)
        presenter.add_pointer(readout, self.readout.draw)

    # parts

    def _make_center(self) -> None:
        self.canvas = ImageCanvas()
        self.readout = ReadoutBar()
        self.colorbar = ColorBar()
        center = QWidget()
        self.center = column = QVBoxLayout(center)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.banner = Banner()
        for widget in (self.readout, self.banner, self.canvas, self.colorbar):
            column.addWidget(widget)
        column.setStretchFactor(self.canvas, 1)
        self.setCentralWidget(center)
        self.canvas.intent.connect(self.controller.handle)
        self.canvas.hovered.connect(self.presenter.hover)
        self.canvas.left.connect(self.presenter.leave)
        self.canvas.region_moved.connect(self.presenter.region)
        self.canvas.region_dropped.connect(self.presenter.drop_region)
        self.canvas.text_wanted.connect(lambda: QTimer.singleShot(0, self._ask_text))
        self.canvas.look_moved.connect(self.colorbar.follow)
        self.canvas.shown.connect(self._picture_shown)

    def _ask_text(self) -> None:
        """Ask what a text that was just placed says."""
        if self.menus is not None:
            self.menus.commands.region_text_dialog()

    def add_strip(self, widget: QWidget) -> None:
        """Put a widget between read-out and image (the guided tour)."""
        self.center.insertWidget(1, widget)

    def _make_toolbar(self) -> None:
        self.toolbar = QToolBar("Tools")
        self.toolbar.setObjectName("toolbar")
        self.toolbar.setIconSize(QSize(16, 16))
        self.toolbar.setMovable(False)
        self.toolbar.setFixedHeight(28)
        self.addToolBar(self.toolbar)
        self.verdict = VerdictBar(self)
        self.verdict.intent.connect(self.controller.handle)

    def _make_navigator(self) -> None:
        self.navigator = Navigator(self.canvas)
        self.magnifier, self.panner = self.navigator.magnifier, self.navigator.panner
        self.canvas.hovered.connect(self.magnifier.look_at)
        self.canvas.view_moved.connect(self._follow)
        self.panner.intent.connect(self.controller.handle)
        self.presenter.add("magnifier", image_view, self.magnifier.draw, self.magnifier.isVisible)

    @property
    def actions_by_name(self) -> dict[str, QAction]:
        """The actions of the menus."""
        return self.menus.actions if self.menus is not None else {}

    @property
    def is_ready(self) -> bool:
        """Whether all visible docks stand."""
        return self.dock_area.is_ready

    # after the first paint

    def finish(self) -> None:
        """Build what the first picture did not need: actions, tool bar, navigator."""
        from ifuview.gui.window.action_menus import ActionMenus

        self.menus = ActionMenus(self, self._titles)
        for name in TOOLBAR:
            item = self.actions_by_name[name]
            item.setIcon(theme.icon(name))
            self.toolbar.addAction(item)
        self.extensions = ExtensionBox()
        self.extensions.intent.connect(self.controller.handle)
        self.toolbar.addSeparator()
        self.chooser = self.toolbar.addWidget(self.extensions)
        self._make_navigator()
        self._shown = window_view.make(Session())
        self.presenter.again()

    # the session changed

    def _draw_canvas(self, view: image_view.CanvasView) -> None:
        self.canvas.draw(view)
        self.canvas.hands.hover_again()
        self.colorbar.draw(view, self.canvas.displayed())
        if hasattr(self, "panner") and view.current is not None:
            self.panner.draw(view)
            self._follow(view.current, self.canvas.view_of(view.current))

    def _follow(self, key: int, view: ViewState) -> None:
        """The navigator shows which part of a picture is seen."""
        self.navigator.follow(key, view, self.canvas.tile_size(key))

    def _picture_shown(self, key: int | None) -> None:
        """While blinking, color bar and list of frames follow the canvas."""
        self.colorbar.draw(self.canvas.view, key)
        self.presenter.blinked(key if self.canvas.followed() else None)

    def _draw_window(self, view: WindowView) -> None:
        """Title, message, hint, switches and what stands around the canvas."""
        old, self._shown = self._shown, view
        if not self.fixed_title and self.windowTitle() != view.title:
            self.setWindowTitle(view.title)
        if went_well(old.session, view.session):
            self.banner.hide()
        if view.night is not old.night:
            self._draw_hint(NIGHT_HINT if view.night else HINT)
        if view.message is not None and view.message is not old.message:
            self._say(view.message)
        self.colorbar.setVisible(view.colorbar)
        self._leave_room()
        if self.menus is not None:
            self._draw_tools(view)

    def _leave_room(self) -> None:
        """Tables alone have the place of the image, unless something is to be said there."""
        center = self.centralWidget()
        wanted = self._shown.picture or not self.banner.isHidden()
        if center is None or center.isHidden() is not wanted:
            return
        center.setVisible(wanted)
        if not wanted:
            QTimer.singleShot(0, self.dock_area.without_image)

    def _draw_job(self, job: JobRecord | None) -> None:
        """What is done now: in the status line, and on a canvas that has nothing else to show."""
        self.status_line.show_job(job)
        self._draw_hint(f"{job.name} \u2026" if job is not None else NIGHT_HINT if self._shown.night else HINT)

    def _draw_hint(self, text: str) -> None:
        if text != self.canvas.hint:
            self.canvas.hint = text
            self.canvas.update()

    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard, and say so."""
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
        self.controller.say(Level.INFO, f"Copied: {text}")

    def _say(self, message: Message) -> None:
        self.status_line.show_message(message)
        if message.level is Level.ERROR:
            self.banner.say(message.text)

    def _draw_tools(self, view: WindowView) -> None:
        """What stands after the first paint."""
        for name in ("blink", "tile"):
            self.actions_by_name[name].setChecked(view.layout.value == name)
        for shape in ("box", "circle"):
            self.actions_by_name[f"draw-{shape}"].setChecked(view.drawing == shape)
        self.extensions.draw(view.slot)
        if self.chooser is not None:
            self.chooser.setVisible(self.extensions.currentIndex() >= 0)  # nothing to choose: no empty box
        self.extensions.setEnabled(self.extensions.isEnabled() and view.layout is not Layout.BLINK)
        self.readout.set_photons(view.photons)
        self.navigator.switch(panner=view.panner, magnifier=view.magnifier)

    # Qt events

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self.presenter.forget()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        if event is not None and event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Files and folders are opened, wherever in the window they are let go."""
        if event is None:
            return
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.controller.handle(OpenFile(url.toLocalFile()))
        event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.closing.emit()
        super().closeEvent(event)
