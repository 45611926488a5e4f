"""The chooser of the tool bar: every HDU of the current file with its shape and unit."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QStandardItemModel
from PyQt6.QtWidgets import QComboBox

from ifuview.app import intents as want
from ifuview.app.session import Slot
from ifuview.model.dataset import Dataset, HduInfo
from ifuview.model.frames.units import unit_words

IMAGE_KINDS = ("image", "compressed image")


def label(hdu: HduInfo) -> str:
    """One line for an HDU: index, name, size as FITS counts it, unit."""
    size = " x ".join(str(n) for n in reversed(hdu.shape)) if hdu.kind in IMAGE_KINDS else ""
    rows = f"{hdu.shape[0]} rows" if hdu.kind == "table" and hdu.shape else ""
    parts = [f"[{hdu.index}]", hdu.name, size or rows or hdu.kind, unit_words(hdu.unit)]
    return "  ".join(p for p in parts if p)


class ExtensionBox(QComboBox):
    """Lists the HDUs; emits ChooseImage. Tables are listed but cannot be shown as an image."""

    intent = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Extension of the current file")
        self.setToolTip("Extension of the current file")
        self.setMinimumContentsLength(36)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._dataset: Dataset | None = None
        self._key: int | None = None
        self.activated.connect(self._chosen)
        self.setEnabled(False)

    def draw(self, slot: Slot | None) -> None:
        """Show the HDUs of a frame's file."""
        dataset = None if slot is None else slot.dataset
        self._key = None if slot is None else slot.key
        if dataset is not self._dataset:
            self._dataset = dataset
            self.clear()
            for hdu in dataset.hdus if dataset else ():
                self.addItem(label(hdu))
                model = self.model()
                if hdu.kind not in IMAGE_KINDS and isinstance(model, QStandardItemModel):
                    model.item(self.count() - 1).setEnabled(False)
        self.setEnabled(self.count() > 0)
        if slot is not None:
            self.setCurrentIndex(self._place(slot))

    def _place(self, slot: Slot) -> int:
        wanted = slot.image.name
        for i, hdu in enumerate(slot.dataset.hdus):
            if wanted in (hdu.name, f"[{hdu.index}]"):
                return i
        return next((i for i, h in enumerate(slot.dataset.hdus) if h.kind in IMAGE_KINDS and h.shape), -1)

    def _chosen(self, place: int) -> None:
        if self._dataset is not None and self._key is not None:
            self.intent.emit(want.ChooseImage(self._key, self._dataset.hdus[place].index))
