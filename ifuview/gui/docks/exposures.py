"""Exposures dock: what there is of the night, a dot for every camera and product; a click shows it."""

from __future__ import annotations

from typing import Any, ClassVar

from PyQt6.QtCore import QModelIndex, Qt
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QTableView, QWidget

from ifuview.app import intents as want
from ifuview.app.views import exposures as pure
from ifuview.app.views.exposures import ExposuresView
from ifuview.gui.docks._exposure_dots import DotDelegate, ExposureModel
from ifuview.gui.docks._widgets import Elided, FlowLayout, Pages, button, column
from ifuview.gui.docks.base import Dock

BLINKS = (
    ("Chain", "chain", "Blink along the product chain of this camera"),
    ("Before, after", "exposures", "Blink with the exposures before and after"),
    ("Cameras", "cameras", "Blink with the other cameras of this arm"),
    ("Productions", "production", "Blink with the other production"),
)


class ExposuresDock(Dock):
    """A table that sorts and filters; the dots of a camera are places to click on."""

    key: ClassVar[str] = "exposures"
    title: ClassVar[str] = "Exposures"
    area: ClassVar[str] = "bottom"

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.title)
        self._view: ExposuresView | None = None
        self.model = ExposureModel()
        self.table = QTableView()
        self.table.setModel(self.model)
        self.dots = DotDelegate(self.table)
        self.table.setItemDelegate(self.dots)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setAccessibleName("Exposures")
        head = self.table.verticalHeader()
        assert head is not None
        head.hide()
        head.setDefaultSectionSize(self.fontMetrics().height() + 6)
        across = self.table.horizontalHeader()
        assert across is not None
        across.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        across.setMinimumSectionSize(20)
        self.table.clicked.connect(self._clicked)
        self.table.activated.connect(self._clicked)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: tile=7951 camera=r6 exptime>600")
        self.filter.setAccessibleName("Filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.setToolTip("Words like tile=7951 camera=r6 exptime>600 product=sky missing=b3")
        self.filter.textChanged.connect(self._filter)
        self.where = Elided("")
        self.where.elide = Qt.TextElideMode.ElideMiddle
        self.watch = button("Watch", "Look for new files in this folder from now on", check=True)
        self.watch.clicked.connect(lambda on: self.intent.emit(want.WatchFolder(on=on)))
        row = FlowLayout()
        row.addWidget(self.filter)
        for text, along, tip in BLINKS:
            each = button(text, tip)
            each.clicked.connect(lambda _=False, along=along: self.intent.emit(want.BlinkAlong(along)))
            row.addWidget(each)
        row.addWidget(self.watch)
        content = QWidget()
        column(content, row, self.where, self.table, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)

    def draw(self, view: ExposuresView | None) -> None:
        self._view = view
        if view is None or view.hint:
            self.pages.show_hint(pure.HINT if view is None else view.hint)
            return
        self.pages.show_content()
        fresh = self.model.set_view(view)
        self.watch.blockSignals(True)
        self.watch.setChecked(view.watched)
        self.watch.blockSignals(False)
        if fresh:
            self._filter(self.filter.text())
            self._fit()
        self._say()
        place = self.model.place_of(view.expid)
        if place >= 0 and self.table.currentIndex().row() != place:
            self.table.setCurrentIndex(self.model.index(place, 0))
        viewport = self.table.viewport()
        if viewport is not None:
            viewport.update()

    def _fit(self) -> None:
        """Widths of the columns: those of dots as wide as the products need."""
        self.table.resizeColumnsToContents()
        for place in range(len(pure.COLUMNS), self.model.columnCount()):
            self.table.setColumnWidth(place, self.dots.width(self.model.products))

    def _say(self) -> None:
        view = self._view
        if view is None:
            return
        shown = self.model.rowCount()
        text = f"{view.title}: {shown} of {len(view.rows)} exposures" if shown < len(view.rows) else view.title
        trouble = pure.problem(self.filter.text())
        products = " · ".join(view.products)
        self.where.setText(trouble or f"{text}   dots: {products}")

    def _filter(self, text: str) -> None:
        self.model.set_filter(text)
        self._say()
        self._fit()

    def _clicked(self, index: QModelIndex) -> None:
        """A click on a dot shows that product, elsewhere the exposure with the camera and product that are shown."""
        expid = self.model.expid(index.row())
        camera = self.model.camera(index.column())
        product = ""
        if camera:
            viewport = self.table.viewport()
            spot = None if viewport is None else viewport.mapFromGlobal(self.cursor().pos())
            product = self.dots.product_at(index, spot, self.table.visualRect(index))
        self.intent.emit(want.ShowProduct(expid, camera, product))

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange and getattr(self, "dots", None) is not None:
            self.table.update()
