"""Widgets are tested without a display, but for those tests that move the pointer of a real X screen."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
NO_SCREEN = pytest.mark.skip(reason="needs QT_QPA_PLATFORM=xcb and an X server; packaging/try.py test starts one")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the screen alone unless all tests of this process are to use it."""
    if os.environ["QT_QPA_PLATFORM"] != "xcb" or not os.environ.get("DISPLAY"):
        for item in items:
            if item.get_closest_marker("screen"):
                item.add_marker(NO_SCREEN)
