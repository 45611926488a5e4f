"""The main window: puts canvas, docks, menus and status line together; holds no data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from PyQt6.QtCore import QEvent, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QGuiApplication, QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QInputDialog,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QProgressBar,
    QSizePolicy,
    QSplitter,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ifuview.app import intents as want
from ifuview.app.jobs import JobStatus
from ifuview.app.session import Level, Session
from ifuview.app.views import image as image_view
from ifuview.app.views import readout as readout_view
from ifuview.gui import theme, window_state
from ifuview.gui.banner import Banner
from ifuview.gui.canvas.image_canvas import ImageCanvas
from ifuview.gui.canvas.widgets import ColorBar, Magnifier, Panner
from ifuview.gui.controller import Controller
from ifuview.gui.docks import DOCKS, DockEntry
from ifuview.gui.extension_box import ExtensionBox
from ifuview.gui.menus import ACTIONS, Action
from ifuview.gui.presenter import Presenter
from ifuview.gui.readout_bar import ReadoutBar

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
TOOLBAR = ("open", "fit", "blink", "tile", "traces", "measure", "report", "shortcuts")
FILTER = "FITS and traces (*.fits *.fit *.fits.gz *.fits.fz *.fz *.ecsv *.csv *.json);;All files (*)"
START_SIZE = (1600, 1000)
DOCK_MINIMUM = (120, 110)
DOCK_SIZES = {"left": 230, "right": 400, "bottom": 240}


class MainWindow(QMainWindow):
    """Canvas in the middle, docks around it; emits nothing, asks the controller for everything."""

    ready = pyqtSignal()  # menus and docks stand

    def __init__(self, controller: Controller, presenter: Presenter, dark: bool | None = None) -> None:
        super().__init__()
        self.controller, self.presenter = controller, presenter
        self.store = controller.store
        self.actions_by_name: dict[str, QAction] = {}
        self.docks: dict[str, QDockWidget] = {}
        self.can_build = False  # plot libraries are loaded
        self.is_ready = False
        self.fixed_title = ""  # of the command line
        self.setWindowTitle("ifuview")
        self.setDockNestingEnabled(True)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.resize(*START_SIZE)
        self._menus = {name: self.menuBar().addMenu(name) for name in dict.fromkeys(map(_top_menu, ACTIONS))}
        self._make_center()
        self._make_toolbar()
        self._make_status()
        self._make_docks()
        self.setAcceptDrops(True)
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

    def _make_status(self) -> None:
        self.note = QLabel()
        self.note.setAccessibleName("Last message")
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.job_text = QLabel()
        self.progress = QProgressBar()
        self.progress.setFixedWidth(140)
        self.progress.setMaximumHeight(14)
        self.progress.setRange(0, 100)
        self.cancel = QToolButton()
        self.cancel.setText("Cancel")
        self.cancel.clicked.connect(lambda: self.controller.handle(want.CancelJob(None)))
        bar = self.statusBar()
        bar.addWidget(self.note, 1)
        for widget in (self.job_text, self.progress, self.cancel):
            bar.addPermanentWidget(widget)
            widget.hide()

    def _make_docks(self) -> None:
        self._add_dock("navigator", "Navigator", "left", True)
        for entry in DOCKS:
            self._add_dock(entry.key, entry.title, entry.area, entry.shown)
        for first, second in (("frames", "limits"), ("limits", "jobs"), ("section", "fibers"), ("quality", "focal"),
                              ("focal", "header"), ("header", "pixels"), ("spectrum", "graphs"),
                              ("graphs", "messages")):  # fmt: skip
            self.tabifyDockWidget(self.docks[first], self.docks[second])
        for key in ("frames", "section", "quality", "spectrum"):
            self.docks[key].raise_()
        for area, size in DOCK_SIZES.items():
            docks = [self.docks[e.key] for e in DOCKS if e.area == area and e.shown][:1]
            orientation = Qt.Orientation.Vertical if area == "bottom" else Qt.Orientation.Horizontal
            self.resizeDocks(docks, [size], orientation)
        self.default_state = self.saveState(window_state.LAYOUT_VERSION)

    def _add_dock(self, key: str, title: str, area: str, shown: bool) -> None:
        dock = QDockWidget(title, self)
        dock.setObjectName(key)
        dock.setAccessibleName(title)
        self.addDockWidget(AREAS[area], dock)
        dock.setVisible(shown)
        dock.visibilityChanged.connect(lambda on, key=key: self._dock_shown(key) if on else None)
        self.docks[key] = dock

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

    # after the first paint

    def finish(self) -> None:
        """Build what the first picture did not need: actions, tool bar, navigator."""
        for action in ACTIONS:
            self._add_action(action)
        self._make_keys()
        for name, menu in self._menus.items():
            menu.aboutToShow.connect(lambda name=name: self._show_checks(name))
        for name in TOOLBAR:
            item = self.actions_by_name[name]
            item.setIcon(theme.icon(name))
            self.toolbar.addAction(item)
        self.extensions = ExtensionBox()
        self.extensions.intent.connect(self.controller.handle)
        self.toolbar.addSeparator()
        self.toolbar.addWidget(self.extensions)
        self._make_dock_menu()
        self._make_navigator()
        self._draw_canvas(image_view.make(self.store.session))
        self._session_changed(Session(), self.store.session)

    def build_docks(self) -> None:
        """The plot libraries are there: fill the visible docks, one per turn of the event loop."""
        self.can_build = True
        QTimer.singleShot(0, self._build_next)

    def _build_next(self) -> None:
        for entry in DOCKS:
            dock = self.docks[entry.key]
            if dock.widget() is None and self._visible(entry.key):
                self._fill(entry)
                QTimer.singleShot(0, self._build_next)
                return
        if not self.is_ready:
            self.is_ready = True
            self.ready.emit()

    def _fill(self, entry: DockEntry) -> None:
        module, name = entry.widget.split(":")
        widget = getattr(import_module(f"ifuview.gui.docks.{module}"), name)()
        widget.setAccessibleName(entry.title)
        widget.setMinimumSize(*DOCK_MINIMUM)  # wrapped labels would otherwise ask for the height of one narrow column
        widget.intent.connect(self.controller.handle)
        if hasattr(widget, "limits_live"):
            widget.limits_live.connect(self.canvas.set_limits_live)
        self.docks[entry.key].setWidget(widget)
        self.presenter.add_dock(entry, widget, lambda: self._visible(entry.key))

    def _visible(self, key: str) -> bool:
        dock = self.docks[key]
        return dock.isVisible() and not dock.visibleRegion().isEmpty()

    def _dock_shown(self, key: str) -> None:
        if self.can_build:
            QTimer.singleShot(0, self._build_next)
        QTimer.singleShot(0, lambda: self.presenter.refresh(key))

    def show_dock(self, key: str, on: bool = True) -> None:
        """Show and raise a dock, or hide it."""
        dock = self.docks.get(key)
        if dock is None:
            self.controller.say(Level.WARNING, f"there is no dock {key}; there are {', '.join(self.docks)}")
            return
        dock.setVisible(on)
        if on:
            dock.raise_()

    # actions

    def _add_action(self, action: Action) -> None:
        menu = self._menu(action.menu)
        item = QAction(action.text, self)
        item.setObjectName(action.name)
        item.setShortcuts([QKeySequence(k) for k in action.keys])
        item.setToolTip(action.tip or action.text + (f" ({action.keys[0]})" if action.keys else ""))
        item.setCheckable(action.checked is not None)
        if action.name in ("next", "previous"):  # Tab must still move the focus in docks and dialogs
            item.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            self.canvas.addAction(item)
        item.triggered.connect(lambda _=False, action=action: self.trigger(action))
        menu.addAction(item)
        self.actions_by_name[action.name] = item

    def _menu(self, path: str) -> QMenu:
        top, *rest = path.lstrip("-").split("/")
        menu = self._menus[top]
        if path.startswith("-"):
            menu.addSeparator()
        for name in rest:
            found = menu.findChild(QMenu, name)
            if found is None:
                found = menu.addMenu(name)
                found.setObjectName(name)
            menu = found
        return menu

    def _make_keys(self) -> None:
        """Keys that have no menu entry."""
        focus = QShortcut(QKeySequence("F6"), self)
        focus.activated.connect(self._focus_next_panel)

    def _make_dock_menu(self) -> None:
        menu = self._menus["Window"]
        first = menu.actions()[0]
        for dock in self.docks.values():
            menu.insertAction(first, dock.toggleViewAction())
        menu.insertSeparator(first)
        self.recent_menu = QMenu("Open recent", self)
        self._menus["File"].insertMenu(self.actions_by_name["reload"], self.recent_menu)
        self.recent_menu.aboutToShow.connect(self._fill_recent)

    def trigger(self, action: Action) -> None:
        """Carry out one action of the table."""
        if isinstance(action.make, str):
            getattr(self, action.make)()
            return
        intent = action.make(self.store.session)
        if intent is not None:
            self.controller.handle(intent)

    def _show_checks(self, menu: str) -> None:
        session = self.store.session
        for action in ACTIONS:
            if action.checked is not None and _top_menu(action) == menu:
                self.actions_by_name[action.name].setChecked(action.checked(session))

    def _focus_next_panel(self) -> None:
        stops = [self.canvas, *(d.widget() for d in self.docks.values() if d.widget() and d.isVisible())]
        focus = QApplication.focusWidget()
        inside = [i for i, w in enumerate(stops) if focus is not None and (w is focus or w.isAncestorOf(focus))]
        target = stops[(inside[0] + 1) % len(stops)] if inside else stops[0]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        target.focusNextPrevChild(True) if target is not self.canvas else None

    # the session changed

    def _draw_canvas(self, view: image_view.CanvasView) -> None:
        self.canvas.draw(view)
        self.colorbar.draw(view)
        if hasattr(self, "panner") and view.current is not None:
            self.panner.draw(view)
            self.panner.follow(view.current, self.canvas.view_of(view.current), self.canvas.tile_size(view.current))

    def _session_changed(self, old: Session, new: Session) -> None:
        slot = new.slot()
        if (slot and slot.title) != ((before := old.slot()) and before.title):
            self.setWindowTitle(self.fixed_title or (f"{slot.title} - ifuview" if slot else "ifuview"))
        if new.messages is not old.messages and new.messages:
            self._show_message(new)
        if new.jobs is not old.jobs:
            self._show_jobs(new)
        for name in ("blink", "tile"):
            if name in self.actions_by_name and new.layout is not old.layout:
                self.actions_by_name[name].setChecked(new.layout.value == name)
        overlay = new.overlay
        self.colorbar.setVisible(overlay.colorbar)
        if hasattr(self, "magnifier"):
            self.extensions.draw(slot)
            self.magnifier.setVisible(overlay.magnifier)
            self.panner.setVisible(overlay.panner)

    def _show_message(self, session: Session) -> None:
        message = session.messages[-1]
        mark = {Level.INFO: "", Level.WARNING: "\u26a0 ", Level.ERROR: "\u2716 "}[message.level]
        if message.level is Level.ERROR:
            self.banner.say(message.text)
        self.note.setText(mark + message.text)
        self.note.setToolTip(message.text)
        role = "palette(window-text)" if message.level is Level.INFO else "palette(bright-text)"
        self.note.setStyleSheet(f"color: {role};")

    def _show_jobs(self, session: Session) -> None:
        running = [j for j in session.jobs if j.status is JobStatus.RUNNING and not j.quiet]
        waiting = [j for j in session.jobs if j.status is JobStatus.QUEUED and not j.quiet]
        for widget in (self.job_text, self.progress, self.cancel):
            widget.setVisible(bool(running or waiting))
        if running or waiting:
            job = (running or waiting)[0]
            text = job.text or job.name
            self.job_text.setText(self.job_text.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, 360))
            self.progress.setValue(round(100 * job.fraction))

    def _hovered(self, key: int, x: float, y: float) -> None:
        self.readout.draw(readout_view.readout(self.store.session, key, x, y))
        self.presenter.hover(key, x, y)

    # actions that need the window

    def _ask_files(self, title: str, pattern: str = FILTER) -> list[str]:
        recent = self.store.session.recent
        folder = str(Path(recent[0]).parent) if recent else ""
        return QFileDialog.getOpenFileNames(self, title, folder, pattern)[0]

    def _ask_save(self, title: str, name: str, pattern: str, then: Callable[[str], want.Intent]) -> None:
        path = QFileDialog.getSaveFileName(self, title, name, pattern)[0]
        if path:
            self.controller.handle(then(path))

    def open_dialog(self) -> None:
        for path in self._ask_files("Open"):
            self.controller.handle(want.OpenFile(path))

    def open_all_dialog(self) -> None:
        for path in self._ask_files("Open all extensions as frames"):
            self.controller.handle(want.OpenFile(path, every=True))

    def traces_dialog(self) -> None:
        for path in self._ask_files("Load traces")[:1]:
            self.controller.handle(want.LoadTraces(path))

    def regions_dialog(self) -> None:
        for path in self._ask_files("Load regions", "ds9 regions (*.reg);;All files (*)")[:1]:
            self.controller.handle(want.LoadRegions(path))

    def save_regions_dialog(self) -> None:
        self._ask_save("Save regions", "ifuview.reg", "ds9 regions (*.reg)", want.SaveRegions)

    def report_dialog(self) -> None:
        self._ask_save("Export report", "report.png", "PNG (*.png)", want.ExportReport)

    def save_image_dialog(self) -> None:
        self._ask_save("Save picture", "ifuview.png", "PNG (*.png);;JPEG (*.jpg)", want.SaveImage)

    def fiber_dialog(self) -> None:
        number, ok = QInputDialog.getInt(self, "Go to fiber", "Fiber", self.store.session.selection.fiber or 0, 0)
        if ok:
            self.controller.handle(want.SelectFiber(number))

    def _zoom(self, factor: float) -> None:
        slot = self.store.session.slot()
        if slot is not None:
            view = self.canvas.view_of(slot.key)
            self.controller.handle(want.SetView(slot.key, replace(view, zoom=view.zoom * factor, fit=False)))

    def zoom_in(self) -> None:
        self._zoom(2.0)

    def zoom_out(self) -> None:
        self._zoom(0.5)

    def zoom_one(self) -> None:
        slot = self.store.session.slot()
        if slot is not None:
            view = self.canvas.view_of(slot.key)
            self.controller.handle(want.SetView(slot.key, replace(view, zoom=1.0, aspect=1.0, fit=False)))

    def stretch(self) -> None:
        """Use the whole canvas, with pixels that are not square; again to go back."""
        slot = self.store.session.slot()
        if slot is not None:
            aspect = 0.0 if slot.view.aspect == 1.0 else 1.0
            self.controller.handle(want.SetView(slot.key, replace(slot.view, aspect=aspect, fit=True)))

    def _step_plane(self, step: int) -> None:
        slot = self.store.session.slot()
        if slot is not None and slot.plane:
            self.controller.handle(want.SetPlane(slot.key, (*slot.plane[:-1], slot.plane[-1] + step)))

    def plane_next(self) -> None:
        self._step_plane(1)

    def plane_previous(self) -> None:
        self._step_plane(-1)

    def play_planes(self, period_ms: int) -> None:
        """Step through the planes of a cube until it is closed or another step is made by hand."""
        timer = QTimer(self)
        timer.timeout.connect(lambda: self._play_step(timer))
        timer.start(period_ms)

    def _play_step(self, timer: QTimer) -> None:
        slot = self.store.session.slot()
        if slot is None or not slot.plane:
            timer.stop()
            return
        plane = (slot.plane[-1] + 1) % slot.image.nplanes
        self.controller.handle(want.SetPlane(slot.key, (*slot.plane[:-1], plane)))

    def toggle_freeze(self) -> None:
        self.readout.frozen = not self.readout.frozen
        self.actions_by_name["freeze"].setChecked(self.readout.frozen)
        self.readout.update()

    def copy_readout(self) -> None:
        QGuiApplication.clipboard().setText(self.readout.text())

    def reset_layout(self) -> None:
        self.restoreState(self.default_state, window_state.LAYOUT_VERSION)

    def theme_auto(self) -> None:
        self.controller.handle(want.SetTheme("auto"))

    def theme_light(self) -> None:
        self.controller.handle(want.SetTheme("light"))

    def theme_dark(self) -> None:
        self.controller.handle(want.SetTheme("dark"))

    def toggle_fullscreen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def command_palette(self) -> None:
        from ifuview.gui.dialogs.palette import CommandPalette

        commands = [(a.text.rstrip("."), self.actions_by_name[a.name]) for a in ACTIONS]
        commands += [(f"Dock: {d.windowTitle()}", d.toggleViewAction()) for d in self.docks.values()]
        palette = CommandPalette(commands, self)
        if palette.exec() and palette.chosen is not None:
            palette.chosen.trigger()

    def show_shortcuts(self) -> None:
        from ifuview.gui.dialogs.shortcuts import ShortcutSheet

        sheet = ShortcutSheet(self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.show()

    def show_help(self) -> None:
        from ifuview.gui.dialogs.help import HelpDialog

        dialog = HelpDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def show_about(self) -> None:
        from ifuview import __version__

        QMessageBox.about(
            self,
            "About ifuview",
            f"<b>ifuview {__version__}</b><br>Which fiber, which wavelength, which step.<br>GPL-3.0-or-later",
        )

    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        for spec in self.store.session.recent:
            item = self.recent_menu.addAction(spec)
            if item is not None:
                item.triggered.connect(lambda _=False, spec=spec: self.controller.handle(want.OpenFile(spec)))
        if self.recent_menu.isEmpty():
            item = self.recent_menu.addAction("Nothing yet")
            if item is not None:
                item.setEnabled(False)

    # Qt events

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            for part in self.presenter.parts.values():
                part.last = None

    def closeEvent(self, event: QCloseEvent | None) -> None:
        self.closing.emit()
        super().closeEvent(event)

    closing = pyqtSignal()


def _top_menu(action: Action) -> str:
    return action.menu.lstrip("-").split("/")[0]
