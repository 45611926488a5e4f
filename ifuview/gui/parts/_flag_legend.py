"""The legend of beam flags: a color, a name and a number of pixels each; a check box leaves those pixels out."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt6.QtWidgets import QCheckBox, QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem

from ifuview.app.photons.views.flags import FlagRow
from ifuview.gui.plain import plain

SWATCH = 12  # screen px


class FlagLegend(QTreeWidget):
    """One line a flag; emits `changed(names that are left out)`."""

    changed = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Beam flags; checked ones are left out of images")
        self.setHeaderLabels(["Left out if", "Pixels"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.boxes: dict[str, QCheckBox] = {}
        self._rows: tuple[FlagRow, ...] = ()

    def draw(self, rows: tuple[FlagRow, ...]) -> None:
        """Show other flags."""
        if rows is self._rows or rows == self._rows:
            return
        if [(r.name, r.count) for r in rows] != [(r.name, r.count) for r in self._rows]:
            self._fill(rows)
        for row in rows:
            self.boxes[row.name].setChecked(row.excluded)
        self._rows = rows

    def _fill(self, rows: tuple[FlagRow, ...]) -> None:
        """One line for each flag; real check boxes, which can be seen on dark windows."""
        self.clear()
        self.boxes = {}
        for row in rows:
            item = QTreeWidgetItem(["", str(row.count)])
            item.setTextAlignment(1, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
            item.setToolTip(1, plain(row.tip))
            box = QCheckBox(f"{row.name}, {row.note.split(':')[0]}" if row.note else row.name)
            box.setIcon(swatch(row.color))
            box.setIconSize(QSize(SWATCH, SWATCH))
            box.setToolTip(plain(row.tip))
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            box.clicked.connect(lambda on, name=row.name: self._checked(name, on))
            self.addTopLevelItem(item)
            self.setItemWidget(item, 0, box)
            self.boxes[row.name] = box

    def _checked(self, name: str, on: bool) -> None:
        self.changed.emit(tuple(r.name for r in self._rows if (on if r.name == name else r.excluded)))


def swatch(color: str) -> QIcon:
    """A square of a color with a thin frame."""
    pixmap = QPixmap(SWATCH, SWATCH)
    pixmap.fill(QColor(color))
    p = QPainter(pixmap)
    p.setPen(QColor(128, 128, 128))
    p.drawRect(0, 0, SWATCH - 1, SWATCH - 1)
    p.end()
    return QIcon(pixmap)
