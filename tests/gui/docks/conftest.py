"""A dock in a window of a narrow side area, with the intents it emitted."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from ifuview.gui.docks import DOCKS

WIDTH, HEIGHT = 320, 560


@pytest.fixture
def build(qtbot) -> Callable[[str], Any]:
    """Make the dock of a key; its intents are gathered in `asked`. The window would own it; here a list does."""
    kept = []

    def make(key: str) -> Any:
        entry = next(e for e in DOCKS if e.key == key)
        module, name = entry.widget.split(":")
        dock = getattr(import_module(f"ifuview.gui.docks.{module}"), name)()
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
        return import_module(f"ifuview.app.views.{entry.view}").make(session)

    return make
