"""The evidence of a sky gradient shows the fibers where they are and the plane that was fitted."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import Finding
from ifuview.recipes import desi_qa
from ifuview.report.night.triage_field import draw_field
from ifuview.report.night.triage_pictures import picture
from tests.engine.night.made import WAVE, bump, camera


@pytest.fixture(scope="module")
def found() -> tuple[Finding, dict, Chain]:
    """A line that rises by 0.25 % a mm towards +X."""
    made = camera(lines=12)
    line = bump(6564.6, 0.9)
    light = (60 * (1 + 0.0025 * (made.focal_x - 250)))[:, None] * line
    model = np.broadcast_to(60 * line, light.shape)
    changed = camera(lines=12, frame=light * made.flat, model=model)
    out = desi_qa.run(changed, 7, "r1", desi_qa.Params(("sky-gradient",)))
    (one,) = out.findings
    return one, out.arrays, changed


def test_what_is_drawn_is_what_was_fitted(found):
    from matplotlib.figure import Figure

    one, arrays, made = found
    strength = arrays[one.detail["map"]]
    figure = Figure()
    draw_field(figure, one, arrays["focal_x"], arrays["focal_y"], strength)
    field, profile = figure.axes[:2]
    shown = np.asarray(field.collections[0].get_offsets())
    used = np.isfinite(strength)
    assert used.sum() > 450
    assert np.allclose(shown, np.stack([made.focal_x, made.focal_y], axis=1)[used])
    (plane,) = [line for line in profile.lines if "fitted plane" in str(line.get_label())]
    (x0, x1), (y0, y1) = plane.get_xdata(), plane.get_ydata()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(0.25, rel=0.25)
    assert "Angstrom" in profile.get_title()


def test_the_picture_of_a_gradient_is_of_the_field(found):
    one, arrays, _ = found
    drawn = picture(one, {**arrays, "wave": WAVE})
    assert drawn[:4] == b"\x89PNG"
    assert drawn != picture(one, {n: v for n, v in arrays.items() if not n.startswith("map ")})
