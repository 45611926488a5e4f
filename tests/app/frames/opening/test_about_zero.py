"""What is zero where nothing is left is drawn about zero; all else as ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.app.frames.combine import combine
from ifuview.app.frames.look import LimitMode, Look
from ifuview.app.frames.opening.opened import RESIDUAL, Opened, first_look, limits, new_slot
from ifuview.app.frames.opening.reading import open_images
from ifuview.app.session import Session
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.simulate.detector import write
from ifuview.simulate.detector.spectra import expose_rss


def image(about_zero: bool, level: float = 3.0) -> Image:
    """Noise of 5 about a level."""
    noise = np.random.default_rng(4).normal(level, 5.0, (60, 300)).astype(np.float32)
    return Image("FLUX", Kind.RSS, Pixels(noise), about_zero=about_zero)


def test_a_residual_has_two_colors_and_limits_as_far_below_zero_as_above() -> None:
    look = first_look(image(True))
    assert look.cmap == RESIDUAL and look.about_zero
    assert look.lo is not None and look.lo == -(look.hi or 0.0) < 0


@pytest.mark.parametrize("mode", [LimitMode.ZSCALE, LimitMode.MINMAX, LimitMode.PERCENTILE])
def test_limits_that_are_worked_out_anew_stay_about_zero(mode: LimitMode) -> None:
    one = image(True)
    lo, hi = limits(one.pixels, replace(first_look(one), limit_mode=mode))
    assert lo == -hi
    assert limits(one.pixels, Look(LimitMode.USER, 1.0, 2.0, about_zero=True)) == (1.0, 2.0)  # of the user: as they are


def test_other_images_and_colors_that_were_asked_for_stay() -> None:
    look = first_look(image(False))
    assert look.cmap == Look().cmap and not look.about_zero
    assert first_look(image(True), Look(cmap="viridis")).cmap == "viridis"


def test_a_difference_is_drawn_about_zero_and_a_ratio_is_not() -> None:
    slots = [
        new_slot(Session(), Opened(Dataset("a.fits", images=(one,)), one, first_look(one)))
        for one in (image(False, 90.0), image(False, 80.0))
    ]
    assert combine(*slots, "difference").look.about_zero
    assert not combine(*slots, "ratio").look.about_zero


def test_sky_subtracted_products_are_known_by_their_instrument(tmp_path: Path) -> None:
    made = expose_rss("small", nwave=300, seed=3)
    found = {}
    for one in (made.frame, made.sframe):
        path = write.write_rss(tmp_path / f"{one.stage}-r0-00000001.fits", one, write.header())
        found[one.stage] = open_images(str(path))[0].look.cmap
    assert found == {"frame": Look().cmap, "sframe": RESIDUAL}
