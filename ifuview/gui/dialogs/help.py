"""The help pages of resources/help, in a window of their own."""

from __future__ import annotations

import re
from pathlib import Path

from PyQt6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QTextBrowser, QWidget

from ifuview import resources

PICTURE = re.compile(r"^!\[.*\]\(.*\)\n", re.M)  # made for the documentation


def pages() -> list[tuple[str, Path]]:
    """(title, file) of every help page; the title is its first line."""
    found = sorted(resources.path("help").glob("*.md"))
    return [(p.read_text("utf-8").split("\n", 1)[0].lstrip("# ").strip() or p.stem, p) for p in found]


class HelpDialog(QDialog):
    """List of pages on the left, the page on the right."""

    def __init__(self, parent: QWidget | None = None, page: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle("Help")
        self.resize(820, 600)
        self.list, self.browser = QListWidget(), QTextBrowser()
        self.list.setAccessibleName("Help pages")
        self.browser.setAccessibleName("Help page")
        self.list.setMaximumWidth(220)
        self._pages = pages()
        self.list.addItems([title for title, _ in self._pages])
        self.list.currentRowChanged.connect(self._show)
        row = QHBoxLayout(self)
        row.addWidget(self.list)
        row.addWidget(self.browser, 1)
        names = [p.stem for _, p in self._pages]
        self.list.setCurrentRow(names.index(page) if page in names else 0)

    def _show(self, row: int) -> None:
        if 0 <= row < len(self._pages):
            text = self._pages[row][1].read_text("utf-8")
            self.browser.setMarkdown(PICTURE.sub("", text))
