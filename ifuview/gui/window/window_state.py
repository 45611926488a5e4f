"""Window geometry and the panels of each desk between two starts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from PyQt6.QtCore import QByteArray, QSettings, QSize
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QMainWindow

from ifuview.app.script.words import WindowOptions
from ifuview.settings import default_path

LAYOUT_VERSION = 3  # raised when the set of docks changes so that an old layout does not fit


FRAME_ROOM = QSize(8, 40)  # px that the window manager's frame takes
FIRST_SHARE = 0.85  # of a large screen, for a window that nobody has given a size yet
HEADLESS_SIZE = (1600, 1000)


def place(window: QMainWindow, options: WindowOptions, headless: bool) -> None:
    """Give a window the size and place that were asked for, else those of the last time, within the screen."""
    o, screen = options, QGuiApplication.primaryScreen()
    restored = not o.fresh and not headless and o.width is None and restore_geometry(window)
    if o.width or o.height:
        window.resize(o.width or window.width(), o.height or window.height())
    elif headless:
        window.resize(*HEADLESS_SIZE)
    elif screen is not None:
        room = screen.availableGeometry().size()
        wanted = _of_screen(window.size(), room) if restored else window.size().expandedTo(room * FIRST_SHARE)
        window.resize(wanted.boundedTo(room - FRAME_ROOM))
    if o.x is not None and o.y is not None and screen is not None:
        whole = screen.geometry()
        x = o.x if o.x >= 0 else whole.width() + o.x - window.width()
        y = o.y if o.y >= 0 else whole.height() + o.y - window.height()
        window.move(x, y)


def _of_screen(size: QSize, room: QSize) -> QSize:
    """The size of the last time; on a larger screen than then the same share of it."""
    then = _store().value("screen")
    if not isinstance(then, QSize) or then.isEmpty():
        return size
    grown = QSize(size.width() * room.width() // then.width(), size.height() * room.height() // then.height())
    return size.expandedTo(grown)


def _store() -> QSettings:
    return QSettings(str(default_path().with_name("window.ini")), QSettings.Format.IniFormat)


def _stored(store: QSettings, name: str) -> QByteArray | None:
    """What was remembered; None if it is not there or is something else."""
    if not os.path.isfile(store.fileName()):
        return None
    value = store.value(name)
    return value if isinstance(value, QByteArray) else None


def save(window: QMainWindow, desks: Mapping[str, QByteArray]) -> None:
    """Remember size, place and the panels of each desk."""
    store = _store()
    store.setValue("geometry", window.saveGeometry())
    screen = window.screen()
    if screen is not None:
        store.setValue("screen", screen.availableGeometry().size())
    for name, state in desks.items():
        store.setValue(f"desk-{LAYOUT_VERSION}/{name}", state)


def restore_geometry(window: QMainWindow) -> bool:
    """Size and place of the last time, if they are on a screen that exists; call before show()."""
    geometry = _stored(_store(), "geometry")
    if geometry is None or not window.restoreGeometry(geometry):
        return False
    center = window.frameGeometry().center()
    if not any(s.availableGeometry().contains(center) for s in QGuiApplication.screens()):
        window.resize(1600, 1000)
        return False
    return True


def desks() -> dict[str, QByteArray]:
    """The panels of each desk of the last time."""
    store = _store()
    store.beginGroup(f"desk-{LAYOUT_VERSION}")
    found = {name: _stored(store, name) for name in store.childKeys()}
    return {name: value for name, value in found.items() if value is not None}


def clear() -> None:
    """Forget everything."""
    _store().clear()
