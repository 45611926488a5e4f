"""The sheet of mouse actions and keys, made from the table of actions."""

from __future__ import annotations

from html import escape

from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from ifuview.gui.docks import DOCKS, panel_keys
from ifuview.gui.window.menus import ACTIONS, MOUSE


def sheet() -> str:
    """The shortcut sheet as HTML, two columns of groups."""
    groups: dict[str, list[tuple[str, str]]] = {"Mouse and held keys": list(MOUSE)}
    for action in ACTIONS:
        if action.keys:
            menu = action.menu.lstrip("-").split("/")[0]
            keys = ", ".join(map(_written, action.keys))
            groups.setdefault(menu, []).append((keys, action.text.rstrip(".")))
    panels = [(_written(panel_keys(entry)), entry.title) for entry in DOCKS if entry.letter]
    groups["Panels: show or hide, one key after the other"] = [*panels, ("F6", "keys to the next panel")]
    tables = []
    for name, rows in groups.items():
        body = "".join(
            f"<tr><td style='padding-right:14px'><b>{escape(k)}</b></td><td>{escape(t)}</td></tr>" for k, t in rows
        )
        tables.append(f"<h3>{escape(name)}</h3><table cellspacing='3'>{body}</table>")
    left, right = "".join(tables[: len(tables) // 2]), "".join(tables[len(tables) // 2 :])
    return f"<table width='100%'><tr><td width='50%' valign='top'>{left}</td><td valign='top'>{right}</td></tr></table>"


def _written(keys: str) -> str:
    """Keys as this system writes them."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


class ShortcutSheet(QDialog):
    """Shows the sheet; closes with Escape."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Mouse and keys")
        self.resize(900, 760)
        browser = QTextBrowser()
        browser.setAccessibleName("Mouse and keys")
        browser.setHtml(sheet())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(browser)
        layout.addWidget(buttons)
