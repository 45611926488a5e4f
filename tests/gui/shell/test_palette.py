"""The command palette: entries say in which menu they stand, and words of a menu find what is in it."""

from __future__ import annotations

from PyQt6.QtGui import QAction

from ifuview.gui.dialogs.palette import CommandPalette


def test_entries_have_their_menu_and_are_found_by_it(qtbot):
    names = (("Linear", "Scale"), ("None", "View \u203a Orientation"), ("None", "Color \u203a Mask"))
    actions = [(text, menu, QAction(text)) for text, menu in names]
    palette = CommandPalette(actions)
    qtbot.addWidget(palette)
    rows = lambda: [palette.list.item(row).text() for row in range(palette.list.count())]  # noqa: E731
    palette.entry.setText("none")
    assert len(rows()) == 2 and len(set(rows())) == 2
    palette.entry.setText("none mask")
    assert rows() == ["None  \u00b7  Color \u203a Mask"]
    palette.entry.setText("color")
    assert rows() == ["None  \u00b7  Color \u203a Mask"]
    palette._choose()
    assert palette.chosen is actions[2][2]
