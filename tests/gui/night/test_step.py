"""The dock of a step: a form that is made from its parameters, numbers side by side, figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PyQt6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QToolButton

from ifuview.app import intents as want
from ifuview.app.night.views.step import FormField, NumberRow, StepView
from ifuview.model.figure import Curve, Figure
from ifuview.model.reduction.params import fields_of, param
from ifuview.model.verdict import VerdictState


@dataclass(frozen=True)
class Params:
    """One of each kind."""

    follow: bool = param(True, "Follow")
    degree: int = param(5, "Degree", "", 2, 8)
    width: float = param(2.5, "Width", "px", 0.5, 6.0)
    x: float = param(math.nan, "Place", "arcsec", -20.0, 20.0, hint="at the source")
    method: str = param("profile", "Method", choices=("profile", "boxcar"))
    fibers: tuple[int, ...] = param((), "Fibers", lo=0)


def view(params: Params = Params(), **more: object) -> StepView:
    usual = fields_of(Params())
    form = tuple(FormField(n, field, value, usual[n][1]) for n, (field, value) in fields_of(params).items())
    given = StepView(
        "sky", "sky", (("flux", "flux"), ("sky", "sky")), VerdictState.CLEAN, "sky from 188 fibers", form,
        (NumberRow("sky fibers", "", "188"),), False, "", False,
    )  # fmt: skip
    return replace(given, **more)


@pytest.fixture
def dock(build):
    made = build("step")
    made.draw(view())
    return made


def test_each_parameter_has_its_widget_and_tells_a_change(dock):
    widgets = dock.form.widgets
    kinds = [type(widgets[n]) for n in ("follow", "degree", "width", "x")]
    assert kinds == [QCheckBox, QSpinBox, QDoubleSpinBox, QLineEdit] and isinstance(widgets["method"], QComboBox)
    assert (widgets["degree"].minimum(), widgets["width"].maximum()) == (2, 6.0)
    assert dock.form.labels["width"].text() == "Width (px, 0.5 to 6)" and "at the source" in widgets["x"].toolTip()
    assert not dock.asked and dock.form.height() > 100  # six rows
    widgets["follow"].setChecked(False)
    widgets["degree"].setValue(7)
    widgets["width"].setValue(3.0)
    widgets["x"].setText("1.5")
    widgets["x"].editingFinished.emit()
    widgets["method"].setCurrentIndex(1)
    widgets["method"].activated.emit(1)
    assert dock.asked == [
        want.TryParams("sky", ((name, value),))
        for name, value in (("follow", False), ("degree", 7), ("width", 3.0), ("x", 1.5), ("method", "boxcar"))
    ]


def test_a_view_fills_the_form_and_asks_for_nothing(dock):
    dock.draw(view(Params(degree=3, x=-2.0, fibers=(1, 2, 3))))
    assert dock.form.widgets["degree"].value() == 3 and dock.form.widgets["x"].text() == "-2"
    assert dock.form.labels["degree"].font().bold() and not dock.form.labels["width"].font().bold()
    clear = dock.form.widgets["fibers"].findChild(QToolButton, "clear")
    assert not dock.asked and clear.isVisibleTo(dock)
    clear.click()
    assert dock.asked == [want.TryParams("sky", (("fibers", ()),))]
    dock.form.widgets["x"].setText("")
    dock.form.widgets["x"].editingFinished.emit()
    assert math.isnan(dock.asked[-1].values[0][1])


def test_before_and_now_are_compared_blinked_and_taken_back(dock):
    assert dock.numbers.isColumnHidden(1) and not dock.blink.isEnabled()
    rows = (NumberRow("sky fibers", "188", "94", "-94"), NumberRow("sources", "1", "1"))
    dock.draw(view(numbers=rows, change="sky: fibers 94", can_compare=True))
    assert not dock.numbers.isColumnHidden(1) and dock.numbers.topLevelItem(0).text(3) == "-94"
    assert dock.change.text() == "sky: fibers 94"
    for one in (dock.blink, dock.difference, dock.back):
        one.click()
    assert dock.asked == [want.CompareStep("blink"), want.CompareStep("difference"), want.TakeBack()]
    dock.step.setCurrentIndex(0)
    dock.step.activated.emit(0)
    assert dock.asked[-1] == want.ShowStep("flux")


def test_figures_follow_and_spare_plots_are_hidden(dock):
    x = np.arange(5.0)
    dock.answer(tuple(Figure(f"Figure {n}", curves=(Curve(x, x + n),)) for n in range(3)))
    assert [plot.isVisibleTo(dock) for plot in dock.plots] == [True] * 3
    dock.answer((Figure("Other", curves=(Curve(x, -x),)),))
    assert [plot.isVisibleTo(dock) for plot in dock.plots] == [True, False, False]
    dock.draw(None)
    assert "Ctrl+Shift+J" in dock.pages.hint
