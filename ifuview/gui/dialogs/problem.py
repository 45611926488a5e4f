"""An error that nobody expected: one sentence, the trace back folded away, the program goes on."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QMessageBox, QWidget


def show_problem(text: str, detail: str, log_file: str, parent: QWidget | None = None) -> QMessageBox:
    """Show a non-modal box and return it."""
    box = QMessageBox(QMessageBox.Icon.Warning, "Something went wrong", text, QMessageBox.StandardButton.Close, parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(f"ifuview goes on. The details are in the log file {log_file}" if log_file else "")
    box.setDetailedText(detail)
    box.setModal(False)
    box.show()
    return box
