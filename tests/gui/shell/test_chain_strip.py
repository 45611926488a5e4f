"""The chain strip: each step in the color of its verdict, what is missing hatched."""

from __future__ import annotations

import pytest
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from ifuview.gui.window.verdict_bar import ChainStrip
from ifuview.model.verdict import VERDICT_COLORS, ChainCell, VerdictState


@pytest.mark.parametrize("state", list(VerdictState))
@pytest.mark.parametrize("there", [True, False])
def test_what_is_wrong_has_its_color_also_where_the_step_is_not_open(
    qtbot: QtBot, state: VerdictState, there: bool
) -> None:
    """Times of photons show that their packets were wrong, which are not open."""
    strip = ChainStrip()
    qtbot.addWidget(strip)
    strip.resize(300, strip.height())
    strip.draw((ChainCell("packets", "packets", state, False, there, False, ""),))
    image = strip.grab().toImage()
    ratio = image.devicePixelRatio()
    edge = {image.pixelColor(round(x * ratio), round(5 * ratio)).name() for x in range(10, 60)}
    filled = there or state in (VerdictState.WRONG, VerdictState.LOOK)
    assert (edge == {QColor(VERDICT_COLORS[state]).name()}) is filled
