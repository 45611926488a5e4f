"""Texts that are shown as they are: a header card or the name of a file is never taken for HTML.

Qt takes a text with tags for rich text in tool tips and labels unless it is told otherwise, and would read pictures and
files that it names. A test sees to it that labels and tool tips of the window come from here.
"""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QWidget


def plain(text: str) -> str:
    """The text for a tool tip."""
    if "<" not in text:
        return text
    from html import escape  # the start needs none

    return f"<p style='white-space:pre-wrap'>{escape(text)}</p>"


class PlainLabel(QLabel):
    """A label; `setTextFormat` where its text is made by the program, and what is of a file in it escaped."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
