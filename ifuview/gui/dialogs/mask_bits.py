"""Which mask bits are painted over the image: a form of check boxes that stays open while one looks."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget


class MaskBitsDialog(QDialog):
    """One check box a bit; `changed` is emitted with the new bits at each click."""

    changed = pyqtSignal(int)

    def __init__(self, bits: Sequence[tuple[int, str, str]], shown: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Mask bits over the image")
        layout = QVBoxLayout(self)
        self.boxes: dict[int, QCheckBox] = {}
        for bit, name, meaning in bits:
            box = self.boxes[bit] = QCheckBox(f"{name}: {meaning}" if meaning else name)
            box.setChecked(bool(shown >> bit & 1))
            box.clicked.connect(lambda _on: self.changed.emit(self.shown()))
            layout.addWidget(box)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        for text, on in (("All", True), ("None", False)):
            button = buttons.addButton(text, QDialogButtonBox.ButtonRole.ActionRole)
            if button is not None:
                button.clicked.connect(lambda _c, on=on: self._all(on))
        buttons.rejected.connect(self.close)
        layout.addWidget(buttons)

    def shown(self) -> int:
        """The bits that are checked."""
        return sum(1 << bit for bit, box in self.boxes.items() if box.isChecked())

    def _all(self, on: bool) -> None:
        for box in self.boxes.values():
            box.setChecked(on)
        self.changed.emit(self.shown())
