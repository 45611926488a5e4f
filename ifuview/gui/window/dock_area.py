"""The docks of the window: where they stand, and their widgets, built when they are first seen."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt6.QtCore import QByteArray, QChildEvent, QEvent, QEventLoop, QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QPixmap
from PyQt6.QtWidgets import QApplication, QDockWidget, QMainWindow, QProxyStyle, QStyle, QStyleOption, QTabBar, QWidget

from ifuview.app.desk import PANELS, Desk
from ifuview.app.session import Level
from ifuview.gui.canvas.image_canvas import ImageCanvas
from ifuview.gui.docks import DOCKS, ENTRIES, DockEntry
from ifuview.gui.shell.controller import Controller
from ifuview.gui.shell.presenter import Presenter, differs
from ifuview.gui.window import window_state
from ifuview.gui.window.image_focus import ImageFocus

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
DOCK_MINIMUM = (120, 110)
TAB_SPACE = 6  # px beside the name of a tab in a narrow column
SMALL = (1300, 760)  # px; a smaller window keeps its docks in one column
SMALL_COLUMN = (0.32, 230)  # share of the width, least px
SMALL_IMAGE = 860  # px that the image gets before that column has its share
IN_FRONT = {
    Desk.IMAGE: "section", Desk.TRACES: "spectrum", Desk.NIGHT: "triage", Desk.REDUCTION: "step",
    Desk.PHOTONS: "photons",
}  # fmt: skip  # of the one column of a small window
DOCK_SIZES = {"left": 225, "right": 385, "bottom": 140}  # px at least: most of 1600 x 1000 is left for the image
HALF = 0.5  # of the window: what needs more stands below the image
DOCK_SHARES = {"left": 0.1, "right": 0.24, "bottom": 0.14}  # of a larger window


class CloseTabs(QProxyStyle):
    """Tabs with little room beside their names."""

    def pixelMetric(
        self, metric: QStyle.PixelMetric, option: QStyleOption | None = None, widget: QWidget | None = None
    ) -> int:
        if metric is QStyle.PixelMetric.PM_TabBarTabHSpace:
            return TAB_SPACE
        return super().pixelMetric(metric, option, widget)


class DockArea(QObject):
    """Makes the QDockWidgets at once and their contents later, one per turn of the event loop."""

    ready = pyqtSignal()  # all visible docks stand
    laid = pyqtSignal()  # a whole layout was restored: of the bars too

    def __init__(self, window: QMainWindow, canvas: ImageCanvas, controller: Controller, presenter: Presenter) -> None:
        super().__init__(window)
        self.window, self.canvas, self.controller, self.presenter = window, canvas, controller, presenter
        self.docks: dict[str, QDockWidget] = {}
        self.can_build = False  # plot libraries are loaded
        self.is_ready = False
        self._grown: set[str] = set()  # docks that were given room once
        self.desk: Desk | None = None
        self.desks: dict[str, QByteArray] = {}  # how the user left them
        self._resting: dict[str, tuple[object, ...]] = {}  # docks without content, and of what they had none
        self._close = CloseTabs()
        self._loaded: set[str] = set()  # docks whose modules are loaded
        self._next = QTimer(self)  # one for all that ask: docks are built one a turn
        self._next.setSingleShot(True)
        self._next.timeout.connect(self._build_next)
        window.installEventFilter(self)
        self._make_docks()

    def _make_docks(self) -> None:
        for entry in DOCKS:
            self._add_dock(entry.key, entry.title, entry.area, entry.key in PANELS[Desk.TRACES])
        for entry in DOCKS:
            if not entry.beside:
                self._tab_after(entry.key)
                self.docks[entry.key].raise_()
        self._standard = self.window.saveState(window_state.LAYOUT_VERSION)  # all in their places, no desk yet

    def _tab_after(self, key: str) -> None:
        """Put the docks that stand beside this one behind it, each followed by its own."""
        for entry in DOCKS:
            if entry.beside == key:
                self.window.tabifyDockWidget(self.docks[key], self.docks[entry.key])
                self._tab_after(entry.key)

    def arrange(self, desk: Desk) -> None:
        """Another desk as the user left it, else with its panels in their places."""
        if desk is self.desk:
            return
        self.leave()
        self.desk = desk
        state = self.desks.get(desk.value)
        if state is None or not self._restore(state):
            self.reset()
        else:
            self.rest()

    def restore(self, desk: Desk, state: QByteArray) -> None:
        """A desk as it was in another session."""
        self.leave()
        self.desks[desk.value], self.desk = state, None
        self.arrange(desk)

    def _restore(self, state: QByteArray) -> bool:
        done = self.window.restoreState(state, window_state.LAYOUT_VERSION)
        self.laid.emit()
        return done

    def rest(self) -> None:
        """Docks that are there for other data and have nothing of these are hidden until they have."""
        desk = self.desk or Desk.IMAGE
        for key, dock in self.docks.items():
            if key not in PANELS[desk] and not dock.isHidden() and not self.presenter.has_content(ENTRIES[key].pure()):
                beside = self.window.tabifiedDockWidgets(dock)
                self._resting[key] = self.presenter.depends(ENTRIES[key].pure())
                dock.hide()
                for own in (*PANELS[desk], IN_FRONT[desk]):
                    if self.docks[own] in beside:
                        self.docks[own].raise_()

    def wake(self) -> None:
        """The data have changed: docks that have content now are there again, behind those that are in front."""
        for key, of in list(self._resting.items()):
            now = self.presenter.depends(ENTRIES[key].pure())
            if differs(of, now):
                self._resting[key] = now
                if self.presenter.has_content(ENTRIES[key].pure()):
                    self.show(key, front=False)

    def leave(self) -> None:
        """Another desk follows, or the end: this one is kept with the docks that only rest."""
        for key in list(self._resting):
            self.show(key, front=False)
        self.remember()

    def remember(self) -> None:
        """Keep how this desk is arranged, unless its panels have the place of the image that is not there."""
        center = self.window.centralWidget()
        if self.desk is not None and not (center is not None and center.isHidden()):
            self.desks[self.desk.value] = self.window.saveState(window_state.LAYOUT_VERSION)

    def reset(self) -> None:
        """The panels of this desk in their places."""
        desk, window = self.desk or Desk.IMAGE, self.window
        self._resting.clear()
        self._restore(self._standard)
        small = window.width() < SMALL[0] or window.height() < SMALL[1]
        if small:
            self._fold(self.docks[IN_FRONT[desk]])
        for key, dock in self.docks.items():
            dock.setVisible(key in PANELS[desk])
        for key in PANELS[desk]:
            self.docks[key].raise_()
        if small:
            self.docks[IN_FRONT[desk]].raise_()
        else:
            self._give_sizes(desk)

    def _give_sizes(self, desk: Desk) -> None:
        """Most of the window is the image's."""
        for area, least in DOCK_SIZES.items():
            docks = [self.docks[e.key] for e in DOCKS if e.area == area and e.key in PANELS[desk]][:1]
            down = area == "bottom"
            size = max(least, round(DOCK_SHARES[area] * (self.window.height() if down else self.window.width())))
            self.window.resizeDocks(docks, [size], Qt.Orientation.Vertical if down else Qt.Orientation.Horizontal)

    def _fold(self, first: QDockWidget) -> None:
        """One column of tabs beside the image: the window is so small that it would not keep half of it."""
        window = self.window
        for dock in (first, *(d for d in self.docks.values() if d is not first)):
            window.addDockWidget(AREAS["right"], dock)
            if dock is not first:
                window.tabifyDockWidget(first, dock)
        share, least = SMALL_COLUMN
        width = max(min(round(share * window.width()), window.width() - SMALL_IMAGE), least)
        window.resizeDocks([first], [width], Qt.Orientation.Horizontal)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Names of tabs are not cut: they stand close together; arrows lead to those without room.

        The window makes a bar whenever docks share a place that did not before.
        """
        if isinstance(event, QChildEvent) and event.polished() and isinstance(bar := event.child(), QTabBar):
            bar.setStyle(self._close)
            bar.setElideMode(Qt.TextElideMode.ElideNone)
            bar.setUsesScrollButtons(True)
        return False

    def _add_dock(self, key: str, title: str, area: str, shown: bool) -> None:
        dock = QDockWidget(title, self.window)
        dock.setObjectName(key)
        dock.setAccessibleName(title)
        self.window.addDockWidget(AREAS[area], dock)
        dock.setVisible(shown)
        dock.visibilityChanged.connect(lambda on, key=key: self._dock_shown(key) if on else None)
        self.docks[key] = dock

    def build(self) -> None:
        """The plot libraries are there: fill the visible docks, one per turn of the event loop."""
        self.can_build = True
        self._next.start(0)

    def _build_next(self) -> None:
        for entry in DOCKS:
            dock = self.docks[entry.key]
            if dock.widget() is None and self._visible(entry.key):
                self._load_or_fill(entry)
                self._next.start(0)
                return
        if not self.is_ready:
            self.is_ready = True
            self.ready.emit()

    def _load_or_fill(self, entry: DockEntry) -> None:
        """Load the modules of a dock, and in another turn make it."""
        if entry.key in self._loaded:
            self._fill(entry)
        else:
            self._loaded.add(entry.key)
            entry.drawn()
            entry.pure()

    def _fill(self, entry: DockEntry) -> None:
        widget = entry.drawn()()
        widget.setAccessibleName(entry.title)
        widget.setMinimumSize(*DOCK_MINIMUM)  # wrapped labels would otherwise ask for the height of one narrow column
        ImageFocus(widget, self.canvas)
        widget.intent.connect(self.controller.handle)
        widget.needs_room.connect(lambda share, key=entry.key: self._grow_once(key, share))
        if hasattr(widget, "limits_live"):
            widget.limits_live.connect(self.canvas.set_limits_live)
        self.docks[entry.key].setWidget(widget)
        self.presenter.add_dock(entry, widget, lambda: self._visible(entry.key))

    def picture(self, key: str, size: QSize) -> QPixmap:
        """The dock of a key as it looks for the session now; one that is not on the screen is drawn in `size`."""
        entry = ENTRIES[key]
        shown = self.docks[key].widget()
        if shown is not None and self._visible(key):
            self.presenter.refresh(key)
            if hasattr(entry.pure(), "job"):
                self._wait()
            return shown.grab()
        widget = entry.drawn()()
        widget.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        widget.resize(size)
        widget.show()
        QApplication.sendPostedEvents()
        views = entry.pure()
        widget.intent.connect(self.controller.handle)
        if self.presenter.aside(views, widget):
            self._wait()
            self.presenter.aside(views, widget)
        if hasattr(views, "job"):
            self.presenter.ask(views, widget)
            self._wait()
        QApplication.sendPostedEvents()
        picture: QPixmap = widget.grab()
        widget.close()
        widget.deleteLater()
        return picture

    def _wait(self) -> None:
        """Let the jobs end."""
        if self.controller.busy:
            loop = QEventLoop()
            self.controller.settled.connect(loop.quit)
            loop.exec()
            self.controller.settled.disconnect(loop.quit)

    def _visible(self, key: str) -> bool:
        dock = self.docks[key]
        return dock.isVisible() and not dock.visibleRegion().isEmpty()

    def _dock_shown(self, key: str) -> None:
        if self.can_build:
            self._next.start(0)
        QTimer.singleShot(0, lambda: self.presenter.refresh(key))

    def show(self, key: str, on: bool = True, front: bool = True) -> None:
        """Show a dock, raised before those that share its place unless it is not wanted in `front`; or hide it."""
        dock = self.docks.get(key)
        if dock is None:
            self.controller.say(Level.ERROR, f"there is no dock {key}; choose from {', '.join(self.docks)}.")
            return
        self._resting.pop(key, None)
        dock.setVisible(on)
        if on and front:
            dock.raise_()
            self._give_room(key, dock)

    def fill_front(self, keys: Iterable[str]) -> None:
        """Where these data have nothing for the dock in front, those that came for them are: the others are tools."""
        if self.desk is None or not self.docks[IN_FRONT[self.desk]].isHidden():
            return
        for key in keys:
            QTimer.singleShot(0, self.docks[key].raise_)  # when the tab of the other is gone

    def _give_room(self, key: str, dock: QDockWidget) -> None:
        """A dock of plots that is asked for the first time gets the height that its plots need."""
        room = ENTRIES[key].room
        if room and dock.widget() is None and not dock.isFloating():
            QTimer.singleShot(0, lambda: self._grow(dock, round(room * self.window.height())))  # when it has its place

    def _grow_once(self, key: str, share: float) -> None:
        """Give a dock room for what it shows first; what the user does with it afterwards stays."""
        if key not in self._grown:
            self._grown.add(key)
            dock, height = self.docks[key], round(share * self.window.height())
            if share > HALF and not dock.isFloating() and self.window.dockWidgetArea(dock) != AREAS["bottom"]:
                self.window.addDockWidget(AREAS["bottom"], dock)  # the column of a small window has no room for it
                QTimer.singleShot(0, lambda: self.window.resizeDocks([dock], [height], Qt.Orientation.Vertical))
            else:
                self._grow(dock, height)

    def without_image(self) -> None:
        """Panels have the place of the image: those on the right, while there are any; the left ones keep theirs."""
        left, right = (
            next(
                (d for k, d in self.docks.items() if self._visible(k) and self.window.dockWidgetArea(d) == AREAS[a]),
                None,
            )
            for a in ("left", "right")
        )
        if left is not None and right is not None:
            sizes = [DOCK_SIZES["left"], self.window.width() - DOCK_SIZES["left"]]
            self.window.resizeDocks([left, right], sizes, Qt.Orientation.Horizontal)

    def _grow(self, dock: QDockWidget, height: int) -> None:
        """Make a dock at least so high; those above and below it share the rest."""
        if dock.height() >= height:
            return
        area, tabs = self.window.dockWidgetArea(dock), self.window.tabifiedDockWidgets(dock)
        others = [
            d
            for key, d in self.docks.items()
            if area != AREAS["bottom"] and self._visible(key) and not d.isFloating()
            if d is not dock and d not in tabs and self.window.dockWidgetArea(d) == area
        ]
        have = sum(d.height() for d in others)
        rest = max(have + dock.height() - height, 0)
        sizes = [height, *(max(round(rest * d.height() / have), 1) for d in others)]
        self.window.resizeDocks([dock, *others], sizes, Qt.Orientation.Vertical)
