"""Fits of one term and of several rest on the same equations."""

import numpy as np

from ifuview.engine.spectra.sky.spline import Samples, fit_common


def test_a_term_alone_is_fitted_as_beside_one_that_has_no_share():
    rng = np.random.default_rng(2)
    wave = np.linspace(4000, 4100, 80) + rng.uniform(0, 1, (12, 1))
    share = rng.uniform(0.9, 1.1, (1, *wave.shape)).astype(np.float32)
    extra = rng.normal(0, 0.05, wave.shape).astype(np.float32)
    weight = rng.uniform(0.5, 2, wave.shape).astype(np.float32) * (rng.random(wave.shape) > 0.1)
    value = (share[0] * (5 + np.sin(wave / 7)) + rng.normal(0, 0.1, wave.shape)).astype(np.float32)
    alone = Samples(wave, share, extra)
    beside = Samples(wave, np.concatenate([share, np.zeros_like(share)]), extra)
    one, two = fit_common(alone, value, weight, 1.2), fit_common(beside, value, weight, 1.2)
    np.testing.assert_allclose(one.values(alone), two.values(beside), rtol=1e-6)
    np.testing.assert_allclose(one.evaluate(alone)[1], two.evaluate(beside)[1], rtol=1e-5)
