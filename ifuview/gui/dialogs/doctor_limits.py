"""The limits of the diagnosis in a form that stays open; every change is judged at once."""

from __future__ import annotations

from dataclasses import fields

from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QWidget

from ifuview.gui.parts._widgets import plain_numbers
from ifuview.gui.plain import PlainLabel
from ifuview.model.traces.doctor import DoctorLimits

PAUSE_MS = 250  # between the last change and the judgement
# limit -> text, unit, step, decimals, largest
ROWS: dict[str, tuple[str, str, float, int, float]] = {
    "mode_sigmas": ("Shared pattern, at least", " sigma", 0.5, 1, 1000),
    "mode_warn_px": ("Shared pattern, warning from", " px", 0.005, 4, 50),
    "mode_fail_px": ("Shared pattern, failure from", " px", 0.01, 4, 50),
    "fiber_sigmas": ("Single fiber, at least", " sigma", 0.5, 1, 1000),
    "offset_px": ("Offset of a fiber from", " px", 0.01, 3, 50),
    "kink_px": ("Kink of a fiber from", " px", 0.01, 3, 50),
    "lost_px": ("Trace has lost its light from", " px", 0.1, 2, 50),
    "swap_px": ("Trace lies on another fiber from", " px", 0.1, 2, 50),
    "dead_flux": ("Dead below a share of the light of", "", 0.01, 3, 1),
    "low_flux": ("Low throughput below a share of", "", 0.05, 2, 1),
    "wide_ratio": ("Wide from a ratio of", "", 0.01, 2, 10),
    "contaminated_share": ("Contaminated from a share of pixels of", "", 0.01, 3, 1),
}


class DoctorLimitsDialog(QDialog):
    """A form over DoctorLimits; `changed` is emitted with new limits soon after each edit."""

    changed = pyqtSignal(object)

    def __init__(self, limits: DoctorLimits | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Limits of the diagnosis")
        self._limits = limits or DoctorLimits()
        self.boxes: dict[str, QDoubleSpinBox] = {}
        form = QFormLayout(self)
        for one in fields(DoctorLimits):
            text, unit, step, decimals, largest = ROWS.get(one.name, (one.name.replace("_", " "), "", 0.1, 3, 1000.0))
            box = self.boxes[one.name] = QDoubleSpinBox()
            box.setDecimals(decimals)
            box.setRange(0, largest)
            box.setSingleStep(step)
            box.setSuffix(unit)
            plain_numbers(box, text)
            form.addRow(text, box)
        self._fill(self._limits)
        for box in self.boxes.values():
            box.valueChanged.connect(lambda _v: self._timer.start())
        self.count = PlainLabel()
        self.count.setWordWrap(True)
        form.addRow(self.count)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Close | QDialogButtonBox.StandardButton.RestoreDefaults
        )
        buttons.rejected.connect(self.close)
        defaults = buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults)
        if defaults is not None:
            defaults.clicked.connect(lambda: self._fill(DoctorLimits()))
        form.addRow(buttons)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(lambda: self.changed.emit(self.chosen()))

    def chosen(self) -> DoctorLimits:
        """The limits as the form has them now."""
        return DoctorLimits(**{name: float(box.value()) for name, box in self.boxes.items()})

    def show_count(self, text: str) -> None:
        """How much is found with these limits."""
        self.count.setText(text)

    def _fill(self, limits: DoctorLimits) -> None:
        for name, box in self.boxes.items():
            box.setValue(getattr(limits, name))
