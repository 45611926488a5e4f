"""Small parts that the docks share: a row that wraps, pages with a hint, quiet labels and buttons."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PyQt6.QtCore import QEvent, QLocale, QObject, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QFont, QImage, QKeyEvent, QPainter, QPaintEvent, QPalette, QPixmap, QWheelEvent
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ifuview.gui.plain import PlainLabel, plain
from ifuview.model.checks import Array

# a pressed switch must be told from a raised one on dark palettes too, where Fusion's shade of it vanishes
PRESSED = (
    "QToolButton:checked { background: palette(highlight); color: palette(highlighted-text); "
    "border: 1px solid palette(highlight); border-radius: 3px; padding: 2px 4px }"
)
GAP = 6  # screen pixels between parts
RAMP_HEIGHT, RAMP_LEAST = 12, 40  # screen px


class FlowLayout(QLayout):
    """Puts widgets side by side and goes on in the next line when the dock is narrow; `whole` asks for one line."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = GAP, whole: bool = False) -> None:
        super().__init__(parent)
        self._whole = whole
        self._items: list[QLayoutItem] = []
        self.setSpacing(gap)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem | None) -> None:
        if item is not None:
            self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        if not self._whole:
            return self.minimumSize()
        hints = [item.sizeHint() for item in self._items if not item.isEmpty()]
        width = sum(h.width() for h in hints) + self.spacing() * max(len(hints) - 1, 0)
        return QSize(width, max((h.height() for h in hints), default=0))

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, rect: QRect, *, move: bool) -> int:
        """Lay the items out in lines; return the height."""
        lines: list[list[tuple[QLayoutItem, QSize]]] = [[]]
        x = 0
        for item in self._items:
            if item.isEmpty():
                continue
            hint = item.sizeHint()
            if lines[-1] and x + hint.width() > rect.width():
                lines.append([])
                x = 0
            lines[-1].append((item, QSize(min(hint.width(), rect.width()), hint.height())))
            x += hint.width() + self.spacing()
        y = rect.y()
        for line in lines:
            tall = max((size.height() for _, size in line), default=0)
            x = rect.x()
            for item, size in line:
                if move:
                    item.setGeometry(QRect(QPoint(x, y + (tall - size.height()) // 2), size))
                x += size.width() + self.spacing()
            y += tall + self.spacing()
        return max(0, y - self.spacing() - rect.y())


class Pages(QStackedWidget):
    """The content of a dock, or a sentence that says how to fill it."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint_label = quiet_label("", center=True)
        self.hint_label.setMargin(12)
        self.addWidget(self.hint_label)
        self.addWidget(content)
        self.content = content

    def show_hint(self, text: str) -> None:
        """Show the sentence."""
        self.hint_label.setText(text)
        self.setCurrentIndex(0)

    def show_content(self) -> None:
        """Show the content."""
        self.setCurrentIndex(1)

    @property
    def hint(self) -> str:
        """The sentence on show, "" when the content is."""
        return self.hint_label.text() if self.currentIndex() == 0 else ""


class Elided(PlainLabel):
    """One line that is shortened where it does not fit; the tip has all of it."""

    elide = Qt.TextElideMode.ElideRight

    def setText(self, text: str | None) -> None:
        super().setText(text)
        self.setToolTip(plain(text))

    def minimumSizeHint(self) -> QSize:
        return QSize(1, self.fontMetrics().height() + 2)

    def sizeHint(self) -> QSize:
        return QSize(min(super().sizeHint().width(), 400), self.fontMetrics().height() + 2)

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        text = self.fontMetrics().elidedText(self.text(), self.elide, self.width())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)


class Wrapped(PlainLabel):
    """Text that wraps and asks for no more than a line where a dock is low."""

    def minimumSizeHint(self) -> QSize:
        return QSize(1, self.fontMetrics().height() + 2 * self.margin() if self.text() else 0)


def quiet_label(text: str = "", *, center: bool = False, selectable: bool = True) -> QLabel:
    """A label that wraps, never forces the dock wide, and can be copied from."""
    label = Wrapped(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    label.setMinimumWidth(1)
    if selectable:
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    if center:
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label


def bold(label: QLabel) -> QLabel:
    """The label in bold."""
    font = QFont(label.font())
    font.setBold(True)
    label.setFont(font)
    return label


def button(text: str, tip: str, *, check: bool = False) -> QToolButton:
    """A flat button with words."""
    out = QToolButton()
    out.setText(text)
    out.setToolTip(plain(tip))
    out.setAccessibleName(tip)
    out.setCheckable(check)
    if check:
        out.setStyleSheet(PRESSED)
    out.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return out


def check(text: str, tip: str, *, on: bool = False) -> QCheckBox:
    """A check box with a tip."""
    out = QCheckBox(text)
    out.setToolTip(plain(tip))
    out.setAccessibleName(tip)
    out.setChecked(on)
    return out


class Chooser(QComboBox):
    """A combo box that the wheel changes only after it was clicked: scrolling over it changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, e: QWheelEvent | None) -> None:
        if self.hasFocus():
            super().wheelEvent(e)
        elif e is not None:
            e.ignore()


def combo(entries: Iterable[tuple[str, object]], name: str) -> QComboBox:
    """A combo box of (text, data) that shrinks with the dock."""
    out = Chooser()
    for text, data in entries:
        out.addItem(text, data)
    out.setAccessibleName(name)
    out.setToolTip(plain(name))
    out.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return out


class _CommaIsPoint(QObject):
    """A comma that is typed in a box of numbers is a point: 1,5 must never be taken for 15."""

    def __init__(self, box: QAbstractSpinBox) -> None:
        super().__init__(box)
        self.line = box.findChild(QLineEdit)
        for widget in (box, self.line):
            if widget is not None:
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Write the point in place of the comma."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.text() == ",":
            if self.line is not None:
                self.line.insert(".")
            return True
        return super().eventFilter(watched, event)


def plain_numbers(box: QAbstractSpinBox, name: str) -> None:
    """Numbers with a point whatever the locale; changes count when the user has finished typing."""
    locale = QLocale.c()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator | QLocale.NumberOption.RejectGroupSeparator)
    box.setLocale(locale)
    _CommaIsPoint(box)
    box.setKeyboardTracking(False)
    box.setAccessibleName(name)
    box.setToolTip(plain(name))


def labelled(text: str, widget: QWidget) -> QWidget:
    """A widget with a short text before it, kept together when the row wraps."""
    from PyQt6.QtWidgets import QHBoxLayout

    out = QWidget()
    row = QHBoxLayout(out)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(3)
    label = PlainLabel(text)
    label.setBuddy(widget)
    row.addWidget(label)
    row.addWidget(widget)
    return out


def column(parent: QWidget, *parts: QWidget | QLayout, margin: int = 4) -> QVBoxLayout:
    """Stack parts in `parent` from top to bottom; the last one takes what is left."""
    box = QVBoxLayout(parent)
    box.setContentsMargins(margin, margin, margin, margin)
    box.setSpacing(GAP - 2)
    for part in parts:
        if isinstance(part, QLayout):
            box.addLayout(part)
        else:
            box.addWidget(part, 1 if part is parts[-1] else 0)
    return box


def scrolled(content: QWidget) -> QScrollArea:
    """A widget that is scrolled up and down where its dock is low, without a frame."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def is_dark(palette: QPalette) -> bool:
    """Whether the palette has a dark background."""
    return palette.color(QPalette.ColorRole.Base).lightness() < 128


class Ramp(QWidget):
    """Draws 0xRRGGBB colors from the lowest value to the highest."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.low, self.colors, self.high = PlainLabel(), PlainLabel(), PlainLabel()
        self.colors.setScaledContents(True)
        self.colors.setFixedHeight(RAMP_HEIGHT)
        self.colors.setMinimumWidth(RAMP_LEAST)
        self.colors.setAccessibleName("Color ramp")
        row.addWidget(self.low)
        row.addWidget(self.colors, 1)
        row.addWidget(self.high)

    def show_range(self, ramp: Array, low: str, high: str) -> None:
        """Show a ramp and its ends in words."""
        self.low.setText(low)
        self.high.setText(high)
        row = np.ascontiguousarray(ramp.astype(np.uint32) | 0xFF000000)
        pixels = row.tobytes()  # must live as long as the image that looks at it
        image = QImage(pixels, row.size, 1, QImage.Format.Format_RGB32)
        self.colors.setPixmap(QPixmap.fromImage(image.copy()))
