"""Exposures dock: the verdict of every camera of the night with a dot for each product, marks for products of tiles.

A click shows one."""

from __future__ import annotations

import itertools
from typing import ClassVar

from PyQt6.QtCore import QEvent, QModelIndex, QPoint, Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QSplitter,
    QTableView,
    QWidget,
)

from ifuview.app import intents as want
from ifuview.app.night.views import exposures as pure
from ifuview.app.night.views.exposures import ExposuresView
from ifuview.gui.night._exposure_dots import NARROW, PAD, ExposureModel, HeatDelegate
from ifuview.gui.night._tile_list import TileList
from ifuview.gui.parts._widgets import Elided, FlowLayout, Pages, button, column
from ifuview.gui.parts.base import Dock
from ifuview.gui.plain import plain
from ifuview.model.night.exposures import RAW

CUTOUT_FILES = "Page (*.png *.pdf);;FITS (*.fits)"
FILTER_WIDTH = 150  # screen px
NARROW_DOCK = 560  # screen px, width of a dock whose parts stand below each other
NARROW_SHARES = [300, 160]  # of cameras and tiles there
SPARED = ("Missing", "Time (s)", "Night", "Type", "Tile")  # columns that go first where there is no room
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
        self._make_table()
        self.filter = QLineEdit()
        self.filter.setAccessibleName("Filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._filter)
        self.where = Elided("")
        self.where.elide = Qt.TextElideMode.ElideMiddle
        self.tiles = TileList()
        self.tiles.asked.connect(lambda path: self.intent.emit(want.ShowTileFile(path)))
        self.watch = button("Watch", "Look for new files in this folder from now on", check=True)
        self.watch.clicked.connect(lambda on: self.intent.emit(want.WatchFolder(on=on)))
        self.filter.setMinimumWidth(FILTER_WIDTH)
        self.filter.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = FlowLayout(whole=True)
        self.top = top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        top.addWidget(self.filter, 1)
        for text, along, tip in BLINKS:
            each = button(text, tip)
            each.clicked.connect(lambda _=False, along=along: self.intent.emit(want.BlinkAlong(along)))
            row.addWidget(each)
        row.addWidget(self.watch)
        content = QWidget()
        top.addWidget(self.where, 1)
        top.addLayout(row)
        self.halves = QSplitter(Qt.Orientation.Horizontal)
        self.halves.setChildrenCollapsible(False)
        self.halves.addWidget(self.table)
        self.halves.addWidget(self.tiles)
        self.halves.setStretchFactor(0, 1)
        self.halves.setStretchFactor(1, 0)
        column(content, top, self.halves, margin=0)
        self.pages = Pages(content)
        column(self, self.pages)

    def _make_table(self) -> None:
        """The table with its heat map."""
        self.table = QTableView()
        self.table.setModel(self.model)
        self.dots = HeatDelegate(self.table)
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
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.table.clicked.connect(self._clicked)
        self.table.activated.connect(self._clicked)

    def draw(self, view: ExposuresView | None) -> None:
        self._view = view
        if view is None or view.hint:
            self.pages.show_hint(pure.HINT if view is None else view.hint)
            return
        self.pages.show_content()
        before = self.model.steps()
        fresh = self.model.set_view(view)
        words = pure.example(view)
        self.filter.setPlaceholderText(f"Filter: {words}")
        self.filter.setToolTip(plain(f"Words like {words}"))
        self.table.setVisible(bool(view.rows))
        self.tiles.setVisible(bool(view.tiles))
        self.tiles.show_tiles(view)
        self.watch.blockSignals(True)
        self.watch.setChecked(view.watched)
        self.watch.blockSignals(False)
        if fresh:
            self._share()
            self._filter(self.filter.text())
        elif self.model.steps() != before:
            self._fit()
        self._say()
        place = self.model.place_of(view.expid)
        if place >= 0 and self.table.currentIndex().row() != place:
            self.table.setCurrentIndex(self.model.index(place, 0))
        viewport = self.table.viewport()
        if viewport is not None:
            viewport.update()

    def _share(self) -> None:
        """Cameras and tiles side by side; in a narrow dock below each other, the choices too."""
        narrow = self.width() < NARROW_DOCK
        sides, lines = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self.top.setDirection(lines if narrow else sides)
        self.where.setVisible(not narrow)
        self.halves.setOrientation(Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal)
        if narrow:
            self.halves.setSizes(NARROW_SHARES)
        else:
            width = self.tiles.wanted_width()
            self.halves.setSizes([max(self.width() - width, width), width])

    def _fit(self) -> None:
        """Widths of the columns: cameras as wide as the dots of their products need, or as there is room for all.

        What says least of an exposure is left out where the cameras would have no room.
        """
        texts, viewport = len(pure.COLUMNS), self.table.viewport()
        hidden = () if self._view is None else self._view.hidden
        for place in range(texts):
            self.table.setColumnHidden(place, place in hidden)
        self.table.resizeColumnsToContents()
        cameras = self.model.columnCount() - texts
        if viewport is None or cameras < 1:
            return
        spare = [place for name in SPARED if not self.table.isColumnHidden(place := pure.COLUMNS.index(name))]
        used = sum(self.table.columnWidth(place) for place in range(texts))
        left = list(itertools.accumulate((self.table.columnWidth(place) for place in spare), initial=0))
        rooms = [(viewport.width() - used + gained) // cameras for gained in left]
        words = (self.table.fontMetrics().horizontalAdvance(word) for word in self.model.steps())
        least = NARROW + 2 * PAD  # a color
        wanted = max(least, max(words, default=0) + 4 * PAD), least  # better the first wrong step
        fits = (n for width in wanted for n, room in enumerate(rooms) if room >= width)
        dropped = next(fits, len(spare))
        for place in spare[:dropped]:
            self.table.setColumnHidden(place, True)
        room = rooms[dropped]
        width = min(max(room, NARROW), self.dots.width(self.model.products))
        for place in range(texts, texts + cameras):
            name = self.table.fontMetrics().horizontalAdvance(self.model.camera(place))
            self.table.setColumnWidth(place, max(width, name + 4 * PAD))

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
        raw = index.column() == pure.RAW_PLACE and bool(index.data())
        product = RAW if raw else ""
        if camera:
            viewport = self.table.viewport()
            spot = None if viewport is None else viewport.mapFromGlobal(self.cursor().pos())
            product = self.dots.product_at(index, spot, self.table.visualRect(index))
        self.intent.emit(want.ShowProduct(expid, camera, product))

    def _menu(self, at: QPoint) -> None:
        """What there is of the camera, or of the exposure, under the mouse."""
        index, viewport = self.table.indexAt(at), self.table.viewport()
        if not index.isValid() or viewport is None:
            return
        menu = QMenu(self)
        for text, intent in self.choices(index):
            action = menu.addAction(text)
            assert action is not None
            action.triggered.connect(lambda _=False, intent=intent: self.intent.emit(intent))
        menu.addSeparator()
        cut = menu.addAction("Cut out the selected fiber in every exposure...")
        assert cut is not None
        cut.triggered.connect(self._cut_out)
        menu.popup(viewport.mapToGlobal(at))

    def _cut_out(self) -> None:
        path = QFileDialog.getSaveFileName(self, "Cut out the selected fiber", "cutouts.png", CUTOUT_FILES)[0]
        if path:
            self.intent.emit(want.ExportCutouts(path))

    def choices(self, index: QModelIndex) -> list[tuple[str, want.ShowProduct]]:
        """What the menu of a cell offers: the products of its camera, or those of the camera that is shown."""
        view, model = self._view, self.model
        expid = model.expid(index.row())
        row = view.rows[model.source(index.row())] if view is not None else None
        if view is None or row is None:
            return []
        camera = model.camera(index.column()) or view.camera
        dots = row.dots[view.cameras.index(camera)] if camera in view.cameras else ()
        there = [p for p, dot in zip(view.products, dots) if dot in pure.SHOWN]
        for product, parts in view.chain.computed.items():
            if parts[0] in there:
                there.insert(there.index(parts[0]) + 1, product)
        out = [
            (f"{words} of {camera} {row.exposure.name}", want.ShowProduct(expid, camera, p))
            for p in there
            if (words := " / ".join(view.chain.computed.get(p, (p,))))
        ]
        if row.exposure.raw:
            out.append((f"raw of {camera or 'the first camera'} {expid}", want.ShowProduct(expid, camera, RAW)))
        return out or [(f"Exposure {row.exposure.name}", want.ShowProduct(expid))]

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is not None and (event.oldSize().width() < NARROW_DOCK) != (self.width() < NARROW_DOCK):
            self._share()
        self._fit()

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event.type() == event.Type.PaletteChange and getattr(self, "dots", None) is not None:
            self.table.update()
