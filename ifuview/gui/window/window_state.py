"""Window geometry and dock layout between two starts."""

from __future__ import annotations

from PyQt6.QtCore import QSettings
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QMainWindow

LAYOUT_VERSION = 2  # raised when the set of docks changes so that an old layout does not fit


def _store() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "ifuview", "window")


def save(window: QMainWindow) -> None:
    """Remember size, place and docks."""
    store = _store()
    store.setValue("geometry", window.saveGeometry())
    store.setValue("state", window.saveState(LAYOUT_VERSION))


def restore_geometry(window: QMainWindow) -> bool:
    """Size and place of the last time, if they are on a screen that exists; call before show()."""
    geometry = _store().value("geometry")
    if geometry is None or not window.restoreGeometry(geometry):
        return False
    center = window.frameGeometry().center()
    if not any(s.availableGeometry().contains(center) for s in QGuiApplication.screens()):
        window.resize(1600, 1000)
        return False
    return True


def restore_docks(window: QMainWindow) -> bool:
    """Dock layout of the last time."""
    state = _store().value("state")
    return state is not None and window.restoreState(state, LAYOUT_VERSION)


def clear() -> None:
    """Forget everything."""
    _store().clear()
