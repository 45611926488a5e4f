"""A cut through a cube is, plane by plane, the cut through each plane."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.frames.cut import cut_values, plan_cut
from ifuview.engine.spectra.cubes.along import cut_cube
from tests.engine.spectra.cubes.test_spaxels import NW, NX, NY, stored, truth  # noqa: F401 (fixture)


def test_each_plane_is_cut_as_an_image_is(truth):  # noqa: F811
    flux, sigma, mask = truth
    plan = plan_cut((1.0, 2.0), (12.0, 9.5), 3, (NY, NX))
    value, ivar = cut_cube(stored("big-endian sigma", *truth), plan)
    assert value.shape == ivar.shape == (plan.distance.size, NW)
    for k in range(NW):
        own = np.where(mask[k] == 0, flux[k], np.nan)[plan.y, plan.x].astype(float)
        own[~np.isfinite(own)] = np.nan
        mean, error = cut_values(plan, own, sigma[k][plan.y, plan.x].astype(float) ** 2)
        good = np.isfinite(mean)
        assert np.array_equal(np.isnan(value[:, k]), ~good)
        assert value[good, k] == pytest.approx(mean[good], rel=1e-5)
        assert ivar[good, k] == pytest.approx(1 / error[good] ** 2, rel=1e-5)
