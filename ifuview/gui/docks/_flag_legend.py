"""The legend of beam flags: a color, a name and a number of pixels each; a check box leaves those pixels out."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from ifuview.app.views.photon_flags import FlagRow

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
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._rows: tuple[FlagRow, ...] = ()
        self.itemChanged.connect(self._checked)

    def draw(self, rows: tuple[FlagRow, ...]) -> None:
        """Show other flags."""
        if rows is self._rows or rows == self._rows:
            return
        self.blockSignals(True)
        if [r.name for r in rows] != [r.name for r in self._rows]:
            self.clear()
            for row in rows:
                item = QTreeWidgetItem([f"{row.name} *" if row.note else row.name, str(row.count)])
                item.setIcon(0, swatch(row.color))
                item.setTextAlignment(1, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
                item.setToolTip(0, row.tip)
                item.setToolTip(1, row.tip)
                self.addTopLevelItem(item)
        for n, row in enumerate(rows):
            line = self.topLevelItem(n)
            if line is not None:
                line.setCheckState(0, Qt.CheckState.Checked if row.excluded else Qt.CheckState.Unchecked)
        self._rows = rows
        self.blockSignals(False)

    def _checked(self, item: QTreeWidgetItem, _column: int) -> None:
        at = self.indexOfTopLevelItem(item)
        on = item.checkState(0) is Qt.CheckState.Checked
        names = [r.name for n, r in enumerate(self._rows) if (on if n == at else r.excluded)]
        self.changed.emit(tuple(names))


def swatch(color: str) -> QIcon:
    """A square of a color with a thin frame."""
    pixmap = QPixmap(SWATCH, SWATCH)
    pixmap.fill(QColor(color))
    p = QPainter(pixmap)
    p.setPen(QColor(128, 128, 128))
    p.drawRect(0, 0, SWATCH - 1, SWATCH - 1)
    p.end()
    return QIcon(pixmap)
