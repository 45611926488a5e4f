"""Where a deviation of the sky model is told to be: the wavelengths at which the spectra show it."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.blocks import BIN
from ifuview.engine.night.search.deviating import SCORE, answered

NFIBER, NWAVE, SIGMA, WIDTH = 50, 2000, 10.0, 120.0  # fibers, pixels, counts, pixels (sigma of the bump)
CENTER = 1010


@pytest.mark.parametrize("peak", [5.0, 20.0, 80.0])
def test_a_range_ends_where_single_bins_are_no_longer_significant(peak: float) -> None:
    """A bump of known height and width: its edges follow from the noise, to a bin."""
    rng = np.random.default_rng(4)
    pixel = np.arange(NWAVE)
    bump = peak * np.exp(-0.5 * ((pixel - CENTER) / WIDTH) ** 2)
    product = np.tile(bump, (NFIBER, 1))
    flux = rng.normal(0, SIGMA, product.shape) - product
    found = answered("sky", product, flux, np.full(NWAVE, SIGMA), (np.arange(NFIBER), slice(0, NWAVE)))
    assert found is not None and found.score > SCORE
    of_bin = peak * np.sqrt(BIN * NFIBER) / SIGMA  # sigma that the strongest bin has
    reach = WIDTH * np.sqrt(2 * np.log(of_bin / SCORE))
    assert found.seen.start == pytest.approx(CENTER - reach, abs=BIN)
    assert found.seen.stop == pytest.approx(CENTER + reach, abs=BIN)


def test_a_weak_one_keeps_its_whole_range() -> None:
    """Where hardly a bin is significant by itself, no edge is known better."""
    rng = np.random.default_rng(5)
    product = np.tile(0.8 * np.exp(-0.5 * ((np.arange(NWAVE) - CENTER) / WIDTH) ** 2), (NFIBER, 1))
    flux = rng.normal(0, SIGMA, product.shape) - product
    found = answered("sky", product, flux, np.full(NWAVE, SIGMA), (np.arange(NFIBER), slice(600, 1400)))
    assert found is not None
    assert found.seen == slice(600, 1400)
