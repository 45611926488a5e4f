"""A slider with two handles and two boxes for typed values; the part between the handles can be dragged too."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QDoubleSpinBox, QGridLayout, QSizePolicy, QWidget

from ifuview.gui.parts._widgets import plain_numbers
from ifuview.gui.plain import PlainLabel, plain

HANDLE, HEIGHT, GROOVE = 9, 22, 5  # screen px
PACE_MS = 16  # between two places that are told while dragging
KEY_STEPS = 200  # key presses from one end to the other
HUGE = 1e9  # typed values are judged by whoever counts
Ends = tuple[float | None, float | None]


class RangeSlider(QWidget):
    """Two handles on a line; emits `moved(low, high, final)`, None for an end of the line."""

    moved = pyqtSignal(object, object, bool)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(
            plain(f"{name}: drag an end, or the middle to move both; double click for all; arrow keys move it")
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.span = (0.0, 1.0)
        self.low, self.high = 0.0, 1.0
        self.held = ""  # low, high, both
        self._grip = (0.0, 0.0)  # distance of the hand from the two ends
        self._moved = False
        self._hand = 0.0  # where the mouse is, screen px
        self._pace = QTimer(self)  # a mouse says more often where it is than anybody can see
        self._pace.setSingleShot(True)
        self._pace.setInterval(PACE_MS)
        self._pace.timeout.connect(lambda: self._drag(self._value(self._hand)))

    def sizeHint(self) -> QSize:
        return QSize(180, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, HEIGHT)

    def show_range(self, span: tuple[float, float], ends: Ends) -> None:
        """Put the handles where a cut has them; not under the user's hand."""
        if self.held:
            return
        low = span[0] if ends[0] is None else min(max(ends[0], span[0]), span[1])
        high = span[1] if ends[1] is None else min(max(ends[1], span[0]), span[1])
        if (self.span, self.low, self.high) != (span, low, high):
            self.span, self.low, self.high = span, low, high
            self.update()

    def ends(self) -> Ends:
        """Where the handles are; None at an end of the line."""
        low = None if self.low <= self.span[0] else self.low
        return low, None if self.high >= self.span[1] else self.high

    def _x(self, value: float) -> float:
        width = max(self.width() - 2 * HANDLE, 1)
        return HANDLE + (value - self.span[0]) / max(self.span[1] - self.span[0], 1e-12) * width

    def _value(self, x: float) -> float:
        width = max(self.width() - 2 * HANDLE, 1)
        return self.span[0] + (x - HANDLE) / width * (self.span[1] - self.span[0])

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        p = QPainter(self)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = self.palette()
        middle, left, right = self.height() / 2, self._x(self.low), self._x(self.high)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(colors.color(QPalette.ColorRole.Mid))
        p.drawRoundedRect(QRectF(HANDLE, middle - GROOVE / 2, self.width() - 2 * HANDLE, GROOVE), 2, 2)
        p.setBrush(colors.color(QPalette.ColorRole.Highlight))
        p.drawRect(QRectF(left, middle - GROOVE / 2, max(right - left, 1), GROOVE))
        p.setPen(colors.color(QPalette.ColorRole.WindowText))
        p.setBrush(colors.color(QPalette.ColorRole.Button if not self.hasFocus() else QPalette.ColorRole.Highlight))
        p.drawRoundedRect(QRectF(left - HANDLE + 1, middle - 8, HANDLE - 1, 16), 2, 2)
        p.drawRoundedRect(QRectF(right, middle - 8, HANDLE - 1, 16), 2, 2)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        x = event.position().x()
        left, right = self._x(self.low), self._x(self.high)
        if right - left > 1 and left < x < right:
            self.held = "both"
        else:
            self.held = "low" if abs(x - left) < abs(x - right) or x < left else "high"
        at = self._value(x)
        inside = left - HANDLE <= x <= right + HANDLE
        self._grip = (at - self.low, at - self.high) if inside else (0.0, 0.0)
        self._moved = False
        if not inside:
            self._drag(at)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and self.held:
            self._hand = event.position().x()
            if not self._pace.isActive():
                self._pace.start()

    def _drag(self, at: float) -> None:
        low, high, (first, last) = self.low, self.high, self.span
        if self.held == "both":
            width = high - low
            low = min(max(at - self._grip[0], first), last - width)
            high = low + width
        elif self.held == "low":
            low = min(max(at - self._grip[0], first), high - self._least())
        else:
            high = max(min(at - self._grip[1], last), low + self._least())
        if (low, high) != (self.low, self.high):
            self.low, self.high, self._moved = low, high, True
            self.update()
            self.moved.emit(*self.ends(), False)

    def _least(self) -> float:
        """Width that the handles keep between them."""
        return (self.span[1] - self.span[0]) * 1e-4

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        if self.held:
            if self._pace.isActive():
                self._pace.stop()
                self._drag(self._value(self._hand))
            self.held = ""
            if self._moved:
                self.moved.emit(*self.ends(), True)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        self._pace.stop()
        self.held = ""
        self.low, self.high = self.span
        self.update()
        self.moved.emit(None, None, True)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        sign = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0) if event is not None else 0
        if not sign:
            super().keyPressEvent(event)
            return
        step, width = (self.span[1] - self.span[0]) / KEY_STEPS, self.high - self.low
        self.low = min(max(self.low + sign * step, self.span[0]), self.span[1] - width)
        self.high = self.low + width
        self.update()
        self.moved.emit(*self.ends(), True)


class RangeRow(QWidget):
    """A range slider with its name, its unit and two boxes; emits `moved(low, high, final)`."""

    moved = pyqtSignal(object, object, bool)

    def __init__(self, name: str, decimals: int) -> None:
        super().__init__()
        self.label, self.slider = PlainLabel(), RangeSlider(f"{name} range")
        self.boxes = (QDoubleSpinBox(), QDoubleSpinBox())
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        for box, end in zip(self.boxes, ("from", "to")):
            plain_numbers(box, f"{name} {end}; type a number")
            box.setRange(-HUGE, HUGE)
            box.setDecimals(decimals)
            box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
            box.setMinimumWidth(50)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.valueChanged.connect(self._typed)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.boxes[0], 0, 1)
        grid.addWidget(PlainLabel("–"), 0, 2)
        grid.addWidget(self.boxes[1], 0, 3)
        grid.addWidget(self.slider, 1, 0, 1, 4)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self.slider.moved.connect(self._dragged)
        self._ends: Ends = (None, None)

    def show_range(self, text: str, unit: str, span: tuple[float, float], ends: Ends) -> None:
        """Show a cut."""
        self._ends = ends
        if self.label.text() != text:
            self.label.setText(text)
        for box in self.boxes:
            if box.suffix() != f" {unit}":
                box.setSuffix(f" {unit}")
        if not self.slider.held:
            self.slider.show_range(span, ends)
            self._write(span[0] if ends[0] is None else ends[0], span[1] if ends[1] is None else ends[1])

    def _write(self, low: float, high: float) -> None:
        for box, value in zip(self.boxes, (low, high)):
            if box.hasFocus() and box.lineEdit() is not None and box.lineEdit().isModified():
                continue  # the user is typing
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)

    def _dragged(self, low: float | None, high: float | None, final: bool) -> None:
        digits = self.boxes[0].decimals()
        low = None if low is None else round(low, digits)
        high = None if high is None else round(high, digits)
        self._write(self.slider.low, self.slider.high)
        self.moved.emit(low, high, final)

    def _typed(self) -> None:
        (first, last), digits = self.slider.span, self.boxes[0].decimals()
        low, high = self.boxes[0].value(), self.boxes[1].value()
        # a box that still shows what is there says nothing new, however many digits that has
        ends = []
        for value, end, limit in ((low, self._ends[0], first), (high, self._ends[1], last)):
            kept = limit if end is None else end
            ends.append(end if value == round(kept, digits) else value)
        if tuple(ends) != self._ends:
            self._ends = self._in_order(ends)
            self.moved.emit(*self._ends, True)

    def _in_order(self, ends: list[float | None]) -> Ends:
        """Typed ends; an end that is typed beyond the other takes it along, so that the width stays."""
        low, high = ends
        if low is None or high is None or low < high:
            return low, high
        before = [limit if end is None else end for end, limit in zip(self._ends, self.slider.span)]
        width = round(before[1] - before[0], self.boxes[0].decimals())
        return (low, low + width) if low != self._ends[0] else (high - width, high)
