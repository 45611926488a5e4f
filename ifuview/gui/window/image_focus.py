"""The focus stays on the image: what is clicked in a panel takes no keys, what is typed into gives them back."""

from __future__ import annotations

from PyQt6.QtCore import QChildEvent, QEvent, QObject, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QTabBar,
    QWidget,
)

from ifuview.gui.parts._range_slider import RangeSlider

RETURNS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
CLICKED = (QAbstractButton, QAbstractSlider, QTabBar, RangeSlider)


class ImageFocus(QObject):
    """Looks after the parts of a panel, also of those that come later: Tab still reaches all of them."""

    def __init__(self, panel: QWidget, image: QWidget) -> None:
        super().__init__(panel)
        self.image = image
        self._look_after(panel)

    def _look_after(self, part: QWidget) -> None:
        part.installEventFilter(self)
        combo = isinstance(part, QComboBox) and not part.isEditable()
        if (combo or isinstance(part, CLICKED)) and part.focusPolicy() & Qt.FocusPolicy.ClickFocus:
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if isinstance(part, QLineEdit):
            part.returnPressed.connect(self._give_back)
        for child in part.children():
            if isinstance(child, QWidget) and not child.isWindow():
                self._look_after(child)

    def _give_back(self) -> None:
        self.image.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """A part that is new is looked after, too; Return ends what is typed and is no key of the window meanwhile."""
        key = isinstance(event, QKeyEvent) and event.key() in RETURNS and _is_typed_into(watched)
        if event is not None and key and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
        if isinstance(event, QChildEvent) and event.type() == QEvent.Type.ChildPolished:
            child = event.child()
            if isinstance(child, QWidget) and not child.isWindow():
                self._look_after(child)
        return False


def _is_typed_into(part: QObject | None) -> bool:
    """Whether a part takes text; boxes of numbers have the keys themselves, not the line that they show."""
    return isinstance(part, QLineEdit | QAbstractSpinBox) or (isinstance(part, QComboBox) and part.isEditable())
