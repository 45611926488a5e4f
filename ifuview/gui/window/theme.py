"""Palettes, pens and icons by name: the only place that knows colors of the window."""

from __future__ import annotations

from functools import lru_cache

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QIcon, QPalette
from PyQt6.QtWidgets import QApplication

DARK = {
    QPalette.ColorRole.Window: "#26282b",
    QPalette.ColorRole.WindowText: "#e4e6e8",
    QPalette.ColorRole.Base: "#1d1f21",
    QPalette.ColorRole.AlternateBase: "#242629",
    QPalette.ColorRole.Text: "#e4e6e8",
    QPalette.ColorRole.PlaceholderText: "#8c9196",
    QPalette.ColorRole.Button: "#303336",
    QPalette.ColorRole.ButtonText: "#e4e6e8",
    QPalette.ColorRole.BrightText: "#ff6b6b",
    QPalette.ColorRole.Highlight: "#2f6fb0",
    QPalette.ColorRole.HighlightedText: "#ffffff",
    QPalette.ColorRole.ToolTipBase: "#303336",
    QPalette.ColorRole.ToolTipText: "#e4e6e8",
    QPalette.ColorRole.Link: "#6cb2f0",
    QPalette.ColorRole.Mid: "#45494d",
    QPalette.ColorRole.Dark: "#17181a",
    QPalette.ColorRole.Light: "#4a4e52",
}
LIGHT = {
    QPalette.ColorRole.Window: "#f2f3f4",
    QPalette.ColorRole.WindowText: "#1b1d1f",
    QPalette.ColorRole.Base: "#ffffff",
    QPalette.ColorRole.AlternateBase: "#f5f6f7",
    QPalette.ColorRole.Text: "#1b1d1f",
    QPalette.ColorRole.PlaceholderText: "#7b8085",
    QPalette.ColorRole.Button: "#e9ebed",
    QPalette.ColorRole.ButtonText: "#1b1d1f",
    QPalette.ColorRole.BrightText: "#c62828",
    QPalette.ColorRole.Highlight: "#2f6fb0",
    QPalette.ColorRole.HighlightedText: "#ffffff",
    QPalette.ColorRole.ToolTipBase: "#ffffff",
    QPalette.ColorRole.ToolTipText: "#1b1d1f",
    QPalette.ColorRole.Link: "#1f5f9f",
    QPalette.ColorRole.Mid: "#c4c8cc",
    QPalette.ColorRole.Dark: "#a2a7ab",
    QPalette.ColorRole.Light: "#ffffff",
}

DARK_BOX = "#5c636a"  # inside of check boxes and radio buttons on a dark window
BOXED = ("QCheckBox", "QRadioButton")


def apply(app: QApplication, theme: str) -> None:
    """Set Fusion with the light or dark palette; "auto" follows the desktop."""
    app.setStyle("Fusion")
    dark = is_dark(app, theme)
    app.setPalette(palette(dark))
    boxes = palette(dark)
    if dark:  # Fusion draws the frame of a box darker than the window, which then cannot be seen
        boxes.setColor(QPalette.ColorRole.Base, QColor(DARK_BOX))
    for kind in BOXED:
        app.setPalette(boxes, kind)
    for widget in app.allWidgets():  # style sheets that name colors of the palette keep the old ones otherwise
        sheet = widget.styleSheet()
        if "palette(" in sheet:
            widget.setStyleSheet("")
            widget.setStyleSheet(sheet)


def is_dark(app: QApplication, theme: str) -> bool:
    """Whether the theme name means dark colors on this desktop."""
    if theme == "auto":
        hints = app.styleHints()
        scheme = getattr(hints, "colorScheme", None)
        return scheme is not None and scheme() == Qt.ColorScheme.Dark
    return theme == "dark"


def palette(dark: bool) -> QPalette:
    """The window's palette."""
    out = QPalette()
    for role, color in (DARK if dark else LIGHT).items():
        out.setColor(role, QColor(color))
        if role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
            out.setColor(QPalette.ColorGroup.Disabled, role, QColor("#74797e" if dark else "#9a9fa4"))
    return out


@lru_cache(maxsize=64)
def icon(name: str) -> QIcon:
    """The icon of that name from resources/icons; an empty one if there is none."""
    from ifuview import resources

    file = resources.path(f"icons/{name}.svg")
    return QIcon(str(file)) if file.exists() else QIcon()
