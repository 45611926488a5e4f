"""Sky fibers dock: feed a view, read the curves back."""

from __future__ import annotations

import numpy as np

from ifuview.app.intents import SelectFiber
from ifuview.app.spectra.views import sky
from tests.app.frames.views import made


def test_all_sky_fibers_and_their_median_are_drawn(build, view_of):
    dock = build("sky")
    dock.bin_box.setValue(1)
    dock.draw(view_of("sky", made.session(2)))
    *groups, median = [items.line.getData()[1] for items in dock.plot.curves]
    assert sum(np.isnan(y).sum() for y in groups) == 4
    assert median.size == made.NDISP
    assert "4 sky fibers" in dock.legend.text()
    dock.bin_box.setValue(10)
    assert "mean of 10 px" in dock.legend.text()
    assert dock.plot.curves[-1].line.getData()[1].size == made.NDISP // 10


def test_a_click_selects_the_fiber_of_the_curve(build, view_of):
    dock = build("sky")
    dock.draw(view_of("sky", made.session(2)))
    found = dock._found
    dock.plot.clicked.emit(float(found.x[1, 3]), float(found.flux[1, 3]))
    assert dock.asked == [SelectFiber(3)]
    dock.plot.pointed.emit(float(found.x[1, 3]), float(found.flux[1, 3]))
    assert "Fiber 503" in dock.readout.text()


def test_typed_fibers_and_what_is_wrong_with_them(build, view_of):
    dock = build("sky")
    dock.draw(view_of("sky", made.session(2)))
    dock.which.setCurrentIndex(dock.which.findData(sky.TYPED))
    dock.typed.setText("504")
    dock.typed.editingFinished.emit()
    assert "fiber 504" in dock.legend.text()
    dock.typed.setText("4000")
    dock.typed.editingFinished.emit()
    assert "no fiber 4000" in dock.legend.text()
