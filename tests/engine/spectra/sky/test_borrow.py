"""Sky from another exposure where a source covers the whole field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.spectra.field.borrowed import separate_borrowed
from ifuview.engine.spectra.field.separate import separate
from ifuview.engine.spectra.sky.borrow import borrow_sky
from ifuview.errors import FitError
from tests.engine.spectra.field.scene import DAR, GRID, make_scene


def test_the_lines_tell_the_brightness_under_a_source_that_covers_the_field():
    empty = make_scene(seed=5)
    other = separate(empty.spectra, empty.lenslets, DAR, GRID).common
    cover = np.full(empty.lenslets.x.size, 3.0)
    scene = make_scene(extra=cover, seed=6)
    found = borrow_sky(scene.spectra, other)
    assert abs(found.factor - 1) < 0.03 and found.error < 0.01  # the line of the source beside lines of the sky
    usable = scene.spectra.usable()
    assert abs(found.sky.model[usable].sum() / scene.sky[usable].sum() - 1) < 0.03
    assert "another exposure" in found.sky.notes[0]


def test_fibers_tell_it_better():
    empty = make_scene(seed=5)
    other = separate(empty.spectra, empty.lenslets, DAR, GRID).common
    scene = make_scene([(0.8, -0.4)], strength=[50.0], seed=7)
    dark = np.hypot(scene.lenslets.x - 0.8, scene.lenslets.y + 0.4) > 3
    found = borrow_sky(scene.spectra, other, sky_fibers=dark)
    assert abs(found.factor - 1) < 0.006
    with pytest.raises(FitError, match="bright"):
        borrow_sky(scene.spectra, other, sky_fibers=np.zeros(dark.size, bool))


def test_a_gradient_of_the_sky_is_no_source_that_fills_the_field_but_a_cloud_with_lines_is():
    empty = make_scene(seed=5)
    other = separate(empty.spectra, empty.lenslets, DAR, GRID).common
    for gradient in ((0.006, 0.0), (0.004, -0.005)):  # 2 to 3 percent at the ends
        scene = make_scene(seed=8, gradient=gradient)
        found = separate_borrowed(scene.spectra, other, scene.lenslets, DAR, GRID)
        assert not found.sources and found.extended is None
    x, y = empty.lenslets.x, empty.lenslets.y
    wide = 0.15 * np.exp(-0.5 * ((x - 0.5) ** 2 + y**2) / 2.2**2)
    lit = make_scene(seed=8, extra=wide)
    assert separate_borrowed(lit.spectra, other, lit.lenslets, DAR, GRID).extended is not None


@pytest.mark.parametrize("gradient", [(0.0, 0.0), (0.006, 0.0), (0.004, -0.005)])
def test_a_gradient_is_followed_where_the_light_tells_it(gradient):
    """By all light where no source is, by the sky's lines below one that fills the field."""
    empty = make_scene(seed=5)
    x, y = empty.lenslets.x, empty.lenslets.y
    other = separate(empty.spectra, empty.lenslets, DAR, GRID).common
    bright = 2.0 * np.exp(-0.5 * ((x - 0.5) ** 2 + y**2) / 3.0**2)
    for extra, bar in ((None, 0.002), (bright, 0.006)):
        scene = make_scene(seed=9, gradient=gradient, extra=extra)
        found = separate_borrowed(scene.spectra, other, scene.lenslets, DAR, GRID)
        ratio = np.median(found.sky.model / scene.sky, axis=1)
        assert np.sqrt(np.mean((ratio - ratio.mean()) ** 2)) < bar  # 0.2 noise on lines of 20 and 430 samples of 1
        assert abs(ratio.mean() - 1) < 0.01
        assert (found.surface.degree > 0) == any(gradient)
    flat = separate_borrowed(scene.spectra, other, scene.lenslets, DAR, GRID, surface=False)
    assert np.ptp(flat.surface.value) == 0


def test_structure_that_a_source_has_in_common_with_the_sky_is_told_by_its_light():
    empty = make_scene(seed=5)
    x, y = empty.lenslets.x, empty.lenslets.y
    other = separate(empty.spectra, empty.lenslets, DAR, GRID).common
    scene = make_scene(seed=10)
    light = 3.0 * np.exp(-0.5 * ((x - 1.5) ** 2 + y**2) / 2.0**2)
    own = light[:, None] * (1 + 0.1 * scene.sky)  # a tenth of it is like the sky, as moonlight is like a star
    shown = replace(scene.spectra, flux=(scene.spectra.flux + own).astype(np.float32))
    found = borrow_sky(shown, other, place=(x, y))
    assert abs(found.factor - 1) < 0.01 and np.ptp(found.surface.value) < 0.01
