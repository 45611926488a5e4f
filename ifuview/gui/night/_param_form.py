"""A form made from the parameters of a step: a row each, with unit, bounds and hint; a change is told at once."""

from __future__ import annotations

import math

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QDoubleValidator, QResizeEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from ifuview.app.night.views.step import FormField
from ifuview.gui.parts._widgets import bold, button, combo, plain_numbers, quiet_label
from ifuview.gui.plain import PlainLabel, plain
from ifuview.model.frames.units import unit_words
from ifuview.model.reduction.params import Value

MOST = 1_000_000
DIGITS = 4  # of a number, after its first
NUMBER_WIDTH = 110  # screen px
SPACE = 8  # screen px, beside the labels


class ParamForm(QWidget):
    """Draws FormFields; emits `changed(name, value)`."""

    changed = pyqtSignal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setVerticalSpacing(3)
        self.grid.setHorizontalSpacing(SPACE)
        self.grid.setColumnStretch(0, 1)
        self.widgets: dict[str, QWidget] = {}
        self.labels: dict[str, QLabel] = {}
        self._fields: tuple[FormField, ...] = ()
        self._drawing = False

    def draw(self, fields: tuple[FormField, ...]) -> None:
        """Show other parameters, or other values of the same."""
        if fields == self._fields:
            return
        shape = [(one.name, one.field, type(one.value)) for one in fields]
        if shape != [(one.name, one.field, type(one.value)) for one in self._fields]:
            self._build(fields)
        self._fields = fields
        self._drawing = True
        for one in fields:
            self._show(one)
        self._drawing = False
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As high as the wrapped labels need, and no higher."""
        if not self.widgets:
            self.setFixedHeight(0)
            return
        room = self.width() - max(one.sizeHint().width() for one in self.widgets.values()) - SPACE
        total = SPACE
        for name, widget in self.widgets.items():
            height = max(self.labels[name].heightForWidth(max(room, 1)), widget.sizeHint().height())
            self.labels[name].setFixedHeight(height)
            total += height + self.grid.verticalSpacing()
        self.setFixedHeight(total)

    def _build(self, fields: tuple[FormField, ...]) -> None:
        """One row for each."""
        while (item := self.grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.widgets, self.labels = {}, {}
        for row, one in enumerate(fields):
            words = ", ".join(part for part in (unit_words(one.field.unit), _bounds(one)) if part)
            label = self.labels[one.name] = quiet_label(f"{one.field.label} ({words})" if words else one.field.label)
            widget = self.widgets[one.name] = self._widget(one)
            for part in (label, widget):
                part.setToolTip(plain("; ".join(t for t in (one.field.label, one.field.hint, words) if t)))
            self.grid.addWidget(label, row, 0)
            self.grid.addWidget(widget, row, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label.show()  # what is hidden has no height
            widget.show()

    def _widget(self, one: FormField) -> QWidget:
        """What a value is given with."""
        name = one.field.label
        if isinstance(one.value, bool):
            box = QCheckBox()
            box.toggled.connect(lambda on: self._tell(one.name, bool(on)))
            box.setAccessibleName(name)
            return box
        if isinstance(one.value, tuple):
            return self._several(one)
        if isinstance(one.value, str):
            words = combo(((word, word) for word in one.field.choices), name)
            words.activated.connect(lambda _i: self._tell(one.name, str(words.currentData())))
            return words
        if isinstance(one.value, int):
            whole = QSpinBox()
            whole.setRange(int(max(one.field.lo, -MOST)), int(min(one.field.hi, MOST)))
            plain_numbers(whole, name)
            whole.valueChanged.connect(lambda value: self._tell(one.name, int(value)))
            return whole
        return self._number(one)

    def _number(self, one: FormField) -> QWidget:
        """A number that may be left out, or one with arrows."""
        if one.field.optional:
            line = QLineEdit()
            line.setPlaceholderText("auto")
            line.setValidator(QDoubleValidator())
            line.setAccessibleName(one.field.label)
            line.setMaximumWidth(NUMBER_WIDTH)
            line.editingFinished.connect(lambda: self._tell(one.name, _read(line.text())))
            return line
        box = QDoubleSpinBox()
        size = abs(one.default) if isinstance(one.default, (int, float)) and one.default else 1.0
        power = math.floor(math.log10(size))
        box.setDecimals(max(0, min(DIGITS, 2 - power)))
        box.setSingleStep(10.0 ** (power - 1) if power < 3 else 10.0**power)
        box.setRange(max(one.field.lo, -MOST * 10), min(one.field.hi, MOST * 10))
        box.setMaximumWidth(NUMBER_WIDTH)
        plain_numbers(box, one.field.label)
        box.valueChanged.connect(lambda value: self._tell(one.name, float(value)))
        return box

    def _several(self, one: FormField) -> QWidget:
        """How many are chosen, and none again."""
        out = QWidget()
        row = QHBoxLayout(out)
        row.setContentsMargins(0, 0, 0, 0)
        count = PlainLabel()
        count.setObjectName("count")
        clear = button("All by itself", "Choose none by hand")
        clear.setObjectName("clear")
        clear.clicked.connect(lambda: self._tell(one.name, ()))
        row.addWidget(count)
        row.addWidget(clear)
        return out

    def _show(self, one: FormField) -> None:
        """Put a value into its widget."""
        widget, value = self.widgets[one.name], one.value
        same = value == one.default or (value != value and one.default != one.default)
        label = self.labels[one.name]
        bold(label) if not same else label.setFont(self.font())
        if isinstance(widget, QCheckBox):
            widget.setChecked(bool(value))
        elif isinstance(widget, (QSpinBox, QDoubleSpinBox)) and isinstance(value, (int, float)):
            widget.setValue(value)
        elif isinstance(widget, QComboBox):
            widget.setCurrentIndex(max(widget.findData(value), 0))
        elif isinstance(widget, QLineEdit) and isinstance(value, (int, float)):
            widget.setText("" if math.isnan(value) else f"{value:.6g}")
        elif isinstance(value, tuple):
            count, clear = widget.findChild(QLabel, "count"), widget.findChild(QWidget, "clear")
            if count is not None and clear is not None:
                count.setText(f"{len(value)} by hand" if value else "none by hand")
                clear.setVisible(bool(value))

    def _tell(self, name: str, value: Value) -> None:
        """A value was given by hand."""
        now = next((one.value for one in self._fields if one.name == name), None)
        if not self._drawing and not (value == now or (value != value and now != now)):
            self.changed.emit(name, value)


def _read(text: str) -> float:
    """A number, NaN for none."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


def _bounds(one: FormField) -> str:
    """What a number may be."""
    lo, hi = one.field.lo, one.field.hi
    number = isinstance(one.value, (int, float)) and not isinstance(one.value, bool)
    return f"{lo:g} to {hi:g}" if number and math.isfinite(lo) and math.isfinite(hi) else ""
