"""Where there is no display, Qt draws offscreen or the user is told."""

from __future__ import annotations

import sys

import pytest

from ifuview.app.outside import display
from ifuview.errors import UsageError


def test_offscreen_is_chosen_for_a_script_that_exits(monkeypatch):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    display.choose_platform(headless=True, wanted=False)
    assert display.os.environ["QT_QPA_PLATFORM"] == "offscreen"
    monkeypatch.delenv("QT_QPA_PLATFORM")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="asks for X11 or Wayland")
def test_no_display_is_said_in_one_sentence(monkeypatch):
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="no display"):
        display.choose_platform(headless=False, wanted=True)
    monkeypatch.setenv("DISPLAY", ":7")
    display.choose_platform(headless=False, wanted=True)
    assert "QT_QPA_PLATFORM" not in display.os.environ
