"""A source is found where refraction has put it at each wavelength, whatever the table says; its errors are right."""

import numpy as np

from ifuview.engine.spectra.field.centroid import measure_centroids
from ifuview.engine.spectra.field.lenslet import moffat_share
from ifuview.engine.spectra.field.point import SourceShares
from ifuview.model.reduction.source import SourceFit
from tests.engine.spectra.field.scene import places

WAVE = np.linspace(4000.0, 5000.0, 40)
FWHM, BETA = 1.5, 3.5


def test_places_along_wavelength_are_those_of_the_light():
    lenslets, rng = places(), np.random.default_rng(3)
    x, y = 0.3 + 0.5 * (WAVE - 4500) / 1000, -0.2 - 0.8 * (WAVE - 4500) / 1000
    share = moffat_share(lenslets, x, y, FWHM * (WAVE / 4500) ** -0.2, BETA)
    noise = 0.004
    seen = share + 0.01 + rng.normal(0, noise, share.shape)  # with a constant beside it
    variance = np.full(share.shape, noise**2)
    variance[5] = np.inf
    table = np.array([[4000.0, 5000.0], [0.0, 0.0], [0.0, 0.0]])  # which knows nothing of it
    start = SourceFit(0.3, -0.2, 0.0, 0.0, FWHM, 0.0, BETA, 50.0, 4500.0, 1.0, table)
    found = measure_centroids(SourceShares(WAVE, seen, variance), lenslets, start)
    known = np.isfinite(found.x)
    assert not known[5] and known.sum() == WAVE.size - 1
    for at, truth, error in ((found.x, x, found.x_error), (found.y, y, found.y_error)):
        assert np.abs(at - truth)[known].max() < 0.1
        pull = ((at - truth) / error)[known]
        assert 0.5 < pull.std() < 1.3 and abs(pull.mean()) < 0.5  # errors hold what no profile describes, too
