"""The exposures dock: what it lists, what a click on a dot asks for, and the filter."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QToolButton

from ifuview.app import intents as want
from ifuview.app.night.state import Night, Place, TriageState
from ifuview.app.night.views import exposures as view
from ifuview.app.session import Session
from ifuview.gui.night._exposure_dots import PAD, STEP, TEXTS
from ifuview.model.night.triage import Finding, Judged, TriageResult
from ifuview.model.verdict import VERDICT_COLORS, VerdictState
from tests.app.night.views.test_exposures import index


@pytest.fixture
def session() -> Session:
    return Session(night=Night(index(), place=Place(11, "r6", "sky")))


@pytest.fixture
def dock(build, session):
    out = build("exposures")
    out.resize(700, 300)
    out.draw(view.make(session))
    QApplication.processEvents()
    return out


def texts(dock) -> list[str]:
    return [dock.model.data(dock.model.index(r, 1)) for r in range(dock.model.rowCount())]


def test_exposures_are_listed_and_the_shown_one_is_marked(dock) -> None:
    assert texts(dock) == ["10", "11", "12"]
    assert dock.table.currentIndex().row() == 1
    heads = [dock.model.headerData(c, Qt.Orientation.Horizontal) for c in range(dock.model.columnCount())]
    assert heads == [*view.COLUMNS, "b6", "r6"]
    assert dock.asked == []
    cell = dock.model.index(1, TEXTS)
    assert "bad amplifier AC" in dock.model.data(cell, Qt.ItemDataRole.ToolTipRole)
    assert dock.model.data(cell, Qt.ItemDataRole.AccessibleTextRole).startswith("not judged: frame there, with")


def test_a_click_on_a_dot_and_on_a_row(dock, monkeypatch) -> None:
    cell = dock.model.index(2, TEXTS)
    rect = dock.table.visualRect(cell)
    spot = QPoint(rect.left() + PAD + STEP + STEP // 2, rect.center().y())
    assert dock.dots.product_at(cell, spot, rect) == "sky"
    assert dock.dots.product_at(cell, QPoint(rect.right(), rect.center().y()), rect) == ""
    viewport = dock.table.viewport()
    monkeypatch.setattr(type(dock), "cursor", lambda self: Spot(viewport.mapToGlobal(spot)))
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    text = dock.table.visualRect(dock.model.index(0, 1)).center()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, text)
    assert dock.asked == [want.ShowProduct(12, "b6", "sky"), want.ShowProduct(10, "", "")]


class Spot:
    """A cursor that rests at one place."""

    def __init__(self, at: QPoint) -> None:
        self._at = at

    def pos(self) -> QPoint:
        return self._at


def test_the_filter_leaves_rows_and_cameras(dock) -> None:
    QTest.keyClicks(dock.filter, "tile=7 camera=r6")
    assert texts(dock) == ["11", "12"]
    assert dock.model.columnCount() == TEXTS + 1
    assert "2 of 3 exposures" in dock.where.text()
    dock.filter.setText("wind=5")
    assert dock.where.text().startswith("There is no column wind")
    dock.filter.clear()
    assert texts(dock) == ["10", "11", "12"]


def test_sorting(dock) -> None:
    dock.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert texts(dock) == ["12", "11", "10"]
    dock.table.sortByColumn(TEXTS, Qt.SortOrder.AscendingOrder)
    assert texts(dock)[0] == "11"  # no product of b6 without its bad amplifier


def test_buttons_ask_and_a_step_keeps_filter_and_order(dock, session) -> None:
    for each in dock.findChildren(QToolButton):
        if each.text() and each.parent() is not dock.filter:
            each.click()
    assert dock.asked[:4] == [want.BlinkAlong(a) for a in ("chain", "exposures", "cameras", "production")]
    assert dock.asked[-1] == want.WatchFolder(on=True)
    dock.filter.setText("tile=7")
    from dataclasses import replace

    moved = replace(session, night=replace(session.night, place=Place(12, "r6", "sky")))
    dock.draw(view.make(moved))
    assert texts(dock) == ["11", "12"] and dock.table.currentIndex().row() == 1


def test_every_kind_of_dot_is_painted(dock, session) -> None:
    first = session.night.index.exposures[0]
    from dataclasses import replace

    from ifuview.model.night.exposures import FileState

    files = {k: replace(f, state=FileState.DAMAGED) for k, f in first.files.items() if k[0] == "r6"}
    changed = replace(first, files=MappingProxyType(files), off=("b6",))
    other = replace(session.night.index, exposures=(changed, *session.night.index.exposures[1:]))
    dock.draw(view.make(replace(session, night=Night(other))))
    assert not dock.table.grab().isNull()


def test_products_of_tiles_are_opened_by_click_key_and_menu(build) -> None:
    from ifuview.model.night.exposures import ExposureIndex, FileState, ProductFile, TileFile

    def made(family: str, petal: int | None, state: FileState = FileState.READY) -> TileFile:
        return TileFile(7, family, petal, "thru1", ProductFile(f"{family}-{petal}", state=state))

    files = (made("coadd", 3), made("redrock", 3), made("redrock", 4), made("tile-qa", None, FileState.DAMAGED))
    dock = build("exposures")
    dock.resize(700, 300)
    dock.draw(view.make(Session(night=Night(ExposureIndex("tile", tiles=files)))))
    QApplication.processEvents()
    tiles = dock.tiles
    assert not tiles.isHidden() and dock.table.isHidden()
    texts = [[tiles.item(r, c).text() for c in range(3, 6)] for r in range(3)]
    assert texts == [["●", "", ""], ["●", "●", ""], ["", "", "✕"]]
    for row, place in ((0, 3), (0, 4), (0, 0)):  # a mark; nothing there; a text is no mark
        spot = tiles.visualItemRect(tiles.item(row, place)).center()
        QTest.mouseClick(tiles.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
    assert dock.asked == [want.ShowTileFile("coadd-3")]
    tiles.activated.emit(tiles.model().index(1, 2))
    assert dock.asked[-1] == want.ShowTileFile("redrock-3")
    assert tiles.choices(1) == [("Open redrock of petal 3", "redrock-3"), ("Open redrock of petal 4", "redrock-4")]


def test_the_menu_of_a_camera_lists_what_it_has(dock) -> None:
    cell = dock.model.index(2, TEXTS)
    expected = [f"{p} of b6 12" for p in ("frame", "frame / fiberflat", "sky")]
    assert [text for text, _ in dock.choices(cell)] == expected
    assert dock.choices(cell)[0][1] == want.ShowProduct(12, "b6", "frame")


def test_a_narrow_cell_names_the_first_wrong_product_and_opens_it(build, session) -> None:
    found = Finding(11, "r6", "wavelength-blocks", "sky", fibers=(1,), significance=30.0)
    result = TriageResult((found,), cameras=((11, "r6"),), judged=(Judged(11, "r6", 500),))
    dock = build("exposures")
    dock.resize(700, 300)
    dock.draw(view.make(replace(session, triage=TriageState(result))))
    QApplication.processEvents()
    cell = dock.model.index(1, TEXTS + 1)
    wide = dock.table.visualRect(cell)
    assert dock.dots.has_dots(wide.width() + 1, 2)
    assert dock.dots.product_at(cell, wide.center(), wide) in ("frame", "sky")
    painted = dock.table.viewport().grab(wide).toImage()
    assert painted.pixelColor(2, wide.height() - 4).name() == VERDICT_COLORS[VerdictState.WRONG]
    dock.table.setColumnWidth(TEXTS + 1, 30)
    narrow = dock.table.visualRect(cell)
    assert dock.dots.product_at(cell, narrow.center(), narrow) == "sky"
    other = dock.model.index(1, TEXTS)
    dock.table.setColumnWidth(TEXTS, 30)
    narrow = dock.table.visualRect(other)
    assert dock.dots.product_at(other, narrow.center(), narrow) == ""  # not judged


def test_in_a_narrow_column_the_cameras_have_room_and_nothing_stands_in_a_sliver(dock) -> None:
    dock.resize(340, 560)
    QApplication.processEvents()
    assert dock.halves.orientation() is Qt.Orientation.Vertical
    last = dock.table.visualRect(dock.model.index(1, dock.model.columnCount() - 1))
    assert last.width() > 0 and last.right() <= dock.table.viewport().width()
    assert not dock.table.isColumnHidden(view.COLUMNS.index("Exposure"))
    assert dock.filter.width() > 0.9 * dock.width()
    dock.resize(900, 300)
    QApplication.processEvents()
    assert dock.halves.orientation() is Qt.Orientation.Horizontal
    assert not dock.table.isColumnHidden(view.COLUMNS.index("Night"))
