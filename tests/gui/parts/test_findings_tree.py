"""The lists of problems: words in the colors of their verdicts, read on the palette of now."""

from __future__ import annotations

import pytest
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QApplication, QTreeWidgetItem

from ifuview.app.night.views import triage
from ifuview.app.session import Session
from ifuview.gui.parts._findings_tree import STATE, FindingsTree
from ifuview.gui.window import theme
from ifuview.model.verdict import VERDICT_INK, VerdictState
from tests.app.night.test_judging import SKY, state

READ = 4.5  # contrast of small words with what is below them, as WCAG asks for


def contrast(a: QColor, b: QColor) -> float:
    """Of two colors, 1 to 21."""
    light = sorted(sum(w * _linear(v) for w, v in zip((0.2126, 0.7152, 0.0722), c.getRgbF()[:3])) for c in (a, b))
    return (light[1] + 0.05) / (light[0] + 0.05)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("verdict", [VerdictState.WRONG, VerdictState.LOOK])
def test_words_take_the_color_of_another_palette(qtbot, verdict: VerdictState) -> None:  # type: ignore[no-untyped-def]
    tree = FindingsTree("Problems", ("Problem",))
    qtbot.addWidget(tree)
    item = QTreeWidgetItem(["a fiber deviates"])
    item.setData(0, STATE, verdict)
    for dark in (False, True, False):
        tree.setPalette(theme.palette(dark))
        QApplication.processEvents()
        if not dark:
            tree.fill([item.clone()])
        (row,) = tree.causes()
        ink = row.foreground(0).color()
        assert ink == QColor(VERDICT_INK[verdict][dark])
        assert contrast(ink, tree.palette().base().color()) >= READ


def test_problems_of_a_night_are_read_after_the_theme_was_changed(build) -> None:  # type: ignore[no-untyped-def]
    dock = build("triage")
    dock.draw(triage.make(Session(triage=state(SKY))))
    dock.setPalette(theme.palette(True))
    QApplication.processEvents()
    rows = list(dock.tree.causes())
    assert rows and all(contrast(r.foreground(0).color(), dock.tree.palette().base().color()) >= READ for r in rows)
