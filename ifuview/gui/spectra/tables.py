"""Tables dock: redshifts, fiber tables and QA, sorted, filtered and plotted, with a lasso; rows are spectra."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QSplitter, QWidget

from ifuview.app.frames.views import lasso
from ifuview.app.intents import CloseTables, Intent, SelectFiber, SelectSlot
from ifuview.app.spectra.views import tables as pure
from ifuview.app.spectra.views.tables import Sheet, TablesView
from ifuview.gui.parts._figure import FigurePlot
from ifuview.gui.parts._lasso import Lasso
from ifuview.gui.parts._widgets import FlowLayout, Pages, button, column, combo, labelled, quiet_label
from ifuview.gui.parts.base import Dock
from ifuview.gui.spectra.fiber_table import FiberTableDock
from ifuview.model.checks import Array

HINT = "Open a file of redshifts or QA, or spectra with a fiber table: their tables are shown here."
REACH = 12  # screen px from a point within which a click selects it


class TablesDock(Dock):
    """Draws views/tables; emits SelectFiber, SelectSlot and CloseTables."""

    key: ClassVar[str] = "tables"
    title: ClassVar[str] = "Tables"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: TablesView | None = None
        self._sheet: Sheet | None = None
        self._place = (np.empty(0), np.empty(0), np.empty(0, dtype=int))  # x, y, rows on show
        self._local: tuple[int, ...] = ()  # rows selected in a table that belongs to no open frame
        self.which, self.x_box, self.y_box = (combo((), name) for name in ("Table", "Horizontal axis", "Vertical axis"))
        for box in (self.which, self.x_box, self.y_box):
            box.setSizeAdjustPolicy(box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)
        self.lasso_on = button("Lasso", "Drag around points to select their spectra", check=True)
        self.close_button = button("Close", "Close the tables of this file")
        self.note = quiet_label()
        self.sheet = FiberTableDock()
        self.sheet.noun = "rows"
        self.sheet.filter.setPlaceholderText("Filter: SPECTYPE=QSO and Z>4, FIBER>=3000")
        self.plot = FigurePlot("Plot of two columns", headed=False)
        self.lasso = Lasso(self.plot)
        self._connect()
        bar = FlowLayout()
        for part in (
            self.which,
            labelled("y", self.y_box),
            labelled("x", self.x_box),
            self.lasso_on,
            self.close_button,
        ):
            bar.addWidget(part)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self.sheet)
        halves.addWidget(self.plot)
        halves.setSizes([300, 300])
        content = QWidget()
        column(content, bar, self.note, halves, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)
        self.setAccessibleName("Tables")
        self.draw(None)

    def _connect(self) -> None:
        """What happens when something is touched."""
        self.which.currentIndexChanged.connect(lambda _i: self._show())
        for box in (self.x_box, self.y_box):
            box.currentIndexChanged.connect(lambda _i: self._plot())
        self.close_button.clicked.connect(self._close)
        self.lasso_on.toggled.connect(self.lasso.switch)
        self.lasso.drawn.connect(self._lassoed)
        self.sheet.intent.connect(self._picked)
        self.sheet.model.modelReset.connect(self._plot)
        self.plot.clicked.connect(self._click)

    def draw(self, view: TablesView | None) -> None:
        """Show the chosen table; another one if that is new."""
        self._view = view
        if view is None:
            self._sheet = None
            self.pages.show_hint(HINT)
            return
        self.pages.show_content()
        if [self.which.itemText(i) for i in range(self.which.count())] != list(view.titles):
            self._fill(self.which, view.titles, self.which.currentText())
        self._show()

    def _fill(self, box: QComboBox, names: tuple[str, ...], chosen: str) -> None:
        """Fill a box; `chosen` stays if it is still there."""
        box.blockSignals(True)
        box.clear()
        box.addItems(names)
        box.setCurrentIndex(max(0, box.findText(chosen)))
        box.blockSignals(False)

    def _show(self) -> None:
        """The table that is chosen, with what is selected in it."""
        view, number = self._view, self.which.currentIndex()
        if view is None or not 0 <= number < len(view.tables):
            return
        old, found = self._sheet, pure.sheet(view, number)
        self._sheet = found
        said = pure.said_of(view, number)
        self.note.setText(said)
        self.note.setVisible(bool(said))
        self.close_button.setVisible(pure.can_close(view, number))
        if old is None or old.table.source[0] is not found.table.source[0]:
            self._local = ()
            before = ("", "") if old is None else pure.axes(old)
            for box, was, first in zip((self.x_box, self.y_box), before, pure.axes(found), strict=True):
                mine = box.currentText()  # what the user chose stays
                self._fill(box, found.numbers, mine if mine in found.numbers and mine != was else first)
        self.sheet.draw(found.table)
        self._plot()

    def _close(self) -> None:
        """Close the tables of the file whose table is on show."""
        view, number = self._view, self.which.currentIndex()
        if view is not None and pure.can_close(view, number):
            self.intent.emit(CloseTables(view.tables[number].path))

    def _plot(self) -> None:
        """Draw the rows that pass the filter."""
        found = self._sheet
        if found is None:
            return
        x, y = (pure.values(found, box.currentText()) for box in (self.x_box, self.y_box))
        shown = np.asarray(self.sheet.model.order)
        shown = shown[shown < found.table.nrow]
        shown = shown[np.isfinite(x[shown]) & np.isfinite(y[shown])]
        self._place = x, y, shown
        rows = np.intersect1d(np.array(found.table.fibers or self._local, dtype=int), shown)
        names = self.x_box.currentText(), self.y_box.currentText()
        self.plot.show_figure(pure.plotted(names, (x, y), shown, rows), fit=False)

    def _picked(self, intent: Intent) -> None:
        """Rows were selected in the table."""
        if isinstance(intent, SelectFiber) and intent.fiber is not None:
            self._select(np.array(intent.fibers or (intent.fiber,)), intent.fiber)

    def _lassoed(self, polygon: Array) -> None:
        """A line was drawn around points."""
        x, y, shown = self._place
        rows = shown[lasso.inside(x[shown], y[shown], polygon)]
        if rows.size:
            self._select(rows, int(rows[0]))

    def _click(self, x: float, y: float) -> None:
        """Select the point under the mouse."""
        px, py = self.plot.plotItem.vb.viewPixelSize()
        all_x, all_y, shown = self._place
        if shown.size == 0:
            return
        away = np.hypot((all_x[shown] - x) / px, (all_y[shown] - y) / py)
        if away.min() <= REACH:
            row = int(shown[np.argmin(away)])
            self._select(np.array([row]), row)

    def _select(self, rows: Array, first: int) -> None:
        """Select the spectra of table rows everywhere; in the plot alone when none of them is open."""
        view, found = self._view, self._sheet
        if view is None or found is None:
            return
        current = view.slots[0].key if view.slots else None
        wanted = pure.target(found, rows, current)
        if not wanted:
            self._local = tuple(int(r) for r in rows)
            self.note.setText(f"{len(rows)} rows selected; their spectra are in no open frame.")
            self.note.show()
            self._plot()
            return
        key, fibers = next(iter(wanted.items()))
        elsewhere = tuple((k, own) for k, own in wanted.items() if k != key)
        if current != key:
            self.intent.emit(SelectSlot(key))
        start = int(found.row[first]) if int(found.frame[first]) == key else fibers[0]
        self.intent.emit(SelectFiber(start, fibers if len(fibers) > 1 or elsewhere else (), elsewhere))
        for intent in pure.place(view, found, first) or ():
            self.intent.emit(intent)
