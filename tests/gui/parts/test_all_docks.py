from __future__ import annotations

from importlib import import_module

import pytest
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QSlider, QToolButton

from ifuview.app.session import Session
from ifuview.gui.docks import DOCKS
from ifuview.gui.parts.base import Dock
from tests.app.frames.views import made

NARROW = 300  # px
LOW = 200  # px

every_dock = pytest.mark.parametrize("entry", DOCKS, ids=lambda e: e.key)


@every_dock
def test_docks_bear_the_key_and_title_of_the_table(build, entry):
    dock = build(entry.key)
    assert isinstance(dock, Dock)
    assert (dock.key, dock.title) == (entry.key, entry.title)
    assert dock.accessibleName()


@every_dock
def test_docks_draw_every_state_and_back_to_nothing_without_asking_for_anything(build, view_of, entry):
    dock = build(entry.key)
    for session in (made.session(), made.session(2), made.session(3, inspected=False), Session(), made.session()):
        dock.draw(view_of(entry.key, session))
        QApplication.processEvents()
    dock.draw(None)
    assert dock.asked == []


@every_dock
def test_an_empty_dock_says_how_to_fill_it(build, view_of, entry):
    dock = build(entry.key)
    dock.draw(view_of(entry.key, Session()))
    assert len(dock.pages.hint) > 10
    assert dock.pages.hint.endswith(".")


@every_dock
def test_docks_fit_into_a_narrow_area(build, view_of, entry):
    dock = build(entry.key)
    dock.draw(view_of(entry.key, made.session()))
    QApplication.processEvents()
    assert dock.minimumSizeHint().width() <= NARROW


@every_dock
def test_controls_have_names_and_can_be_reached_by_keyboard(build, view_of, entry):
    dock = build(entry.key)
    dock.draw(view_of(entry.key, made.session(3)))
    for kind in (QToolButton, QCheckBox, QComboBox, QSlider, QLineEdit):
        for widget in dock.findChildren(kind):
            if widget.objectName().startswith("qt_") or not widget.isVisibleTo(dock):
                continue
            if isinstance(widget.parent(), QLineEdit | QComboBox) or type(widget).__name__.startswith("QLineEditIcon"):
                continue
            parent = widget.parent()
            named = widget.accessibleName() or (parent is not None and getattr(parent, "accessibleName", str)())
            assert named, f"{kind.__name__} {widget.objectName()} has no accessible name"


@every_dock
def test_docks_take_the_colors_of_another_palette(build, view_of, entry):
    dock = build(entry.key)
    dock.draw(view_of(entry.key, made.session()))
    dark = QPalette(QColor("#303336"), QColor("#26282b"))
    dark.setColor(QPalette.ColorRole.Base, QColor("#101010"))
    dark.setColor(QPalette.ColorRole.Text, QColor("#eeeeee"))
    dock.setPalette(dark)
    QApplication.processEvents()
    for plot in dock.findChildren(import_module("ifuview.gui.parts._plot").Plot):
        assert plot.backgroundBrush().color().name() == "#101010"
        assert plot.getAxis("left").textPen().color().name() == "#eeeeee"


@every_dock
def test_hover_of_every_kind_is_drawn(build, view_of, entry):
    view = entry.pure()
    dock = build(entry.key)
    if not hasattr(view, "hover"):
        dock.hover(None)
        return
    for current, inspected in ((1, True), (1, False), (2, True), (2, False), (3, False)):
        session = made.session(current, inspected=inspected)
        dock.draw(view.make(session))
        for x, y in ((0, 0), (3, 2), (100, 50), (-5, 3)):
            dock.hover(view.hover(session, current, x, y))
            QApplication.processEvents()
    assert dock.asked == []


@every_dock
def test_docks_can_be_as_low_as_the_area_below_the_image(build, view_of, entry):
    dock = build(entry.key)
    dock.draw(view_of(entry.key, made.session()))
    QApplication.processEvents()
    if entry.area == "bottom":
        assert dock.minimumSizeHint().height() <= LOW
