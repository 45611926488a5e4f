"""Widgets are tested without a display, but for those tests that move the pointer of a real X screen."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from ifuview.gui.docks import DOCKS
from tests.gui.hands import Hands

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
NO_SCREEN = pytest.mark.skip(reason="needs QT_QPA_PLATFORM=xcb and an X server; packaging/try.py test starts one")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the screen alone unless all tests of this process are to use it."""
    if os.environ["QT_QPA_PLATFORM"] != "xcb" or not os.environ.get("DISPLAY"):
        for item in items:
            if item.get_closest_marker("screen"):
                item.add_marker(NO_SCREEN)


WIDTH, HEIGHT = 320, 560
WHOLE = 15  # tests between two rounds over all objects: windows that wait for one take memory
_DONE = count()


@pytest.fixture(autouse=True, scope="module")
def left_to_python() -> Iterator[None]:
    """Tests without windows are left to Python again."""
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Garbage of a test is collected on its own thread, as the window does it: Qt's objects are deleted by it."""
    gc.disable()
    yield
    gc.unfreeze()  # what was alive when a window started
    gc.collect(1 if (next(_DONE) + 1) % WHOLE else 2)


@pytest.fixture
def hands() -> Iterator[Hands]:
    """Pointer and keys of the X screen."""
    found = Hands()
    yield found
    found.close()


@pytest.fixture
def build(qtbot) -> Callable[[str], Any]:
    """Make the dock of a key; its intents are gathered in `asked`. The window would own it; here a list does."""
    kept = []

    def make(key: str) -> Any:
        entry = next(e for e in DOCKS if e.key == key)
        dock = entry.drawn()()
        kept.append(dock)
        dock.asked = []
        dock.intent.connect(dock.asked.append)
        qtbot.addWidget(dock)
        dock.resize(WIDTH, HEIGHT)
        with qtbot.waitExposed(dock):
            dock.show()
        return dock

    return make


@pytest.fixture
def view_of() -> Callable[[str, Any], Any]:
    """The view that a dock draws of a session."""

    def make(key: str, session: Any) -> Any:
        entry = next(e for e in DOCKS if e.key == key)
        return entry.pure().make(session)

    return make
