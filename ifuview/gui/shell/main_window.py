"""The main window: puts canvas, docks, menus and status line together; holds no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent
from PyQt6.QtWidgets import (
    QSplitter,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from ifuview.app.frames.views import image as image_view
from ifuview.app.readout import readout
from ifuview.app.session import Layout, Level, Session
from ifuview.gui.canvas.image_canvas import HINT, NIGHT_HINT, ImageCanvas
from ifuview.gui.canvas.widgets import ColorBar, Magnifier, Panner
from ifuview.gui.shell import theme
from ifuview.gui.shell.banner import Banner
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.dock_area import DockArea
from ifuview.gui.shell.extension_box import ExtensionBox
from ifuview.gui.shell.presenter import Presenter
from ifuview.gui.shell.readout_bar import ReadoutBar
from ifuview.gui.shell.status_line import StatusLine
from ifuview.gui.shell.window_contract import CommandedWindow

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
TOOLBAR = (
    "open", "fit", "blink", "tile", "traces", "measure", "diagnose", "draw-box", "draw-circle", "report", "shortcuts",
)  # fmt: skip
FILTER = "FITS and traces (*.fits *.fit *.fits.gz *.fits.fz *.fz *.ecsv *.csv *.json);;All files (*)"
START_SIZE = (1600, 1000)
DOCK_MINIMUM = (120, 110)
DOCK_SIZES = {"left": 230, "right": 400, "bottom": 240}


if TYPE_CHECKING:
    from ifuview.gui.shell.action_menus import ActionMenus

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
        self._make_center()
        self._make_toolbar()
        self.status_line = StatusLine(self.statusBar(), controller)
        self.banner.closed.connect(self.status_line.forget_error)
        controller.jobs.changed.connect(self.status_line.show_jobs)
        self.dock_area = DockArea(self, self.canvas, controller, presenter)
        self.docks = self.dock_area.docks
        presenter.add("canvas", image_view, self._draw_canvas, lambda: True)
        self.store.changed.connect(self._session_changed)

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
        self.canvas.hovered.connect(self._hovered)
        self.canvas.left.connect(lambda: self.readout.draw(None))
        self.canvas.left.connect(self.presenter.leave)
        self.canvas.look_moved.connect(self.colorbar.follow)
        self.canvas.shown.connect(self._picture_shown)

    def add_strip(self, widget: QWidget) -> None:
        """Put a widget between read-out and image (the guided tour)."""
        self.center.insertWidget(1, widget)

    def _make_toolbar(self) -> None:
        self.toolbar = QToolBar("Tools")
        self.toolbar.setObjectName("toolbar")
        self.toolbar.setIconSize(QSize(20, 20))
        self.toolbar.setMovable(False)
        self.toolbar.setFixedHeight(34)
        self.addToolBar(self.toolbar)

    def _make_navigator(self) -> None:
        self.magnifier, self.panner = Magnifier(), Panner()
        box = QSplitter(Qt.Orientation.Vertical)
        box.addWidget(self.panner)
        box.addWidget(self.magnifier)
        box.setSizes([150, 150])
        self.docks["navigator"].setWidget(box)
        self.canvas.hovered.connect(self.magnifier.look_at)
        self.canvas.view_moved.connect(self.panner.follow)
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
        from ifuview.gui.shell.action_menus import ActionMenus

        self.menus = ActionMenus(self, self._titles)
        for name in TOOLBAR:
            item = self.actions_by_name[name]
            item.setIcon(theme.icon(name))
            self.toolbar.addAction(item)
        self.extensions = ExtensionBox()
        self.extensions.intent.connect(self.controller.handle)
        self.toolbar.addSeparator()
        self.toolbar.addWidget(self.extensions)
        self._make_navigator()
        self._draw_canvas(image_view.make(self.store.session))
        self._session_changed(Session(), self.store.session)

    # the session changed

    def _draw_canvas(self, view: image_view.CanvasView) -> None:
        self.canvas.draw(view)
        self.canvas.hands.hover_again()
        self.colorbar.draw(view, self.canvas.displayed())
        if hasattr(self, "panner") and view.current is not None:
            self.panner.draw(view)
            self.panner.follow(view.current, self.canvas.view_of(view.current), self.canvas.tile_size(view.current))

    def _picture_shown(self, key: int | None) -> None:
        """While blinking, color bar and list of frames follow the canvas."""
        self.colorbar.draw(self.canvas.view, key)
        frames = self.docks["frames"].widget()
        if frames is not None and hasattr(frames, "list"):
            frames.list.mark(key if self.canvas.followed() and key != self.store.session.current else None)

    def _session_changed(self, old: Session, new: Session) -> None:
        slot = new.slot()
        if not self.fixed_title and self.windowTitle() != (title := _title(new)):
            self.setWindowTitle(title)
        if _went_well(old, new):
            self.banner.hide()
        if (new.night is None) is not (old.night is None):
            self.canvas.hint = HINT if new.night is None else NIGHT_HINT
            self.canvas.update()
        if new.messages is not old.messages and new.messages:
            self.status_line.show_message(new.messages[-1])
            if new.messages[-1].level is Level.ERROR:
                self.banner.say(new.messages[-1].text)
        for name in ("blink", "tile"):
            if name in self.actions_by_name and new.layout is not old.layout:
                self.actions_by_name[name].setChecked(new.layout.value == name)
        for shape in ("box", "circle"):
            if self.menus is not None and new.drawing != old.drawing:
                self.actions_by_name[f"draw-{shape}"].setChecked(new.drawing == shape)
        overlay = new.overlay
        self.colorbar.setVisible(overlay.colorbar and not (slot is not None and slot.look.cmap == "flags"))
        if hasattr(self, "magnifier"):
            self.extensions.draw(slot)
            self.readout.set_photons(slot is not None and slot.dataset.kind == "photons")
            self.extensions.setEnabled(self.extensions.isEnabled() and new.layout is not Layout.BLINK)
            self.magnifier.setVisible(overlay.magnifier)
            self.panner.setVisible(overlay.panner)

    def _hovered(self, key: int, x: float, y: float) -> None:
        self.readout.draw(readout(self.store.session, key, x, y))
        self.presenter.hover(key, x, y)

    # Qt events

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            for part in self.presenter.parts.values():
                part.last = None

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.closing.emit()
        super().closeEvent(event)


def _title(session: Session) -> str:
    """Title of the window: the current frame, or between how many frames is blinked."""
    slot = session.slot()
    if slot is None:
        return "ifuview"
    if session.layout is Layout.BLINK and len(session.slots) > 1:
        count = len(image_view.blinks(session))
        return f"Blinking {count} frames, from {slot.title} - ifuview"
    return f"{slot.title} - ifuview"


def _went_well(old: Session, new: Session) -> bool:
    """Whether something was done since: a frame opened, another one shown, traces or regions changed, a triage..."""
    if len(new.slots) > len(old.slots) or (new.current, new.layout) != (old.current, old.layout):
        return True
    if any(getattr(new, name) is not getattr(old, name) for name in ("triage", "tables", "inspection")):
        return True
    before = {slot.key: slot for slot in old.slots} if new.slots is not old.slots else {}
    parts = ("image", "traces", "regions", "diagnosis", "plane")
    return any(
        getattr(slot, part) is not getattr(before[slot.key], part)
        for slot in new.slots
        if slot.key in before
        for part in parts
    )
