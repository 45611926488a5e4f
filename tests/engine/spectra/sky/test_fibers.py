"""How bright a fiber is does not depend on the columns that lines of the sky fall on."""

import numpy as np

from ifuview.engine.spectra.sky.fibers import brightness
from ifuview.model.reduction.spectra import FiberSpectra


def test_the_ends_of_a_bent_slit_are_as_bright_as_its_middle():
    place = np.linspace(-1, 1, 60)[:, None]
    wave = 9000.0 + np.arange(800) + 6 * place**2
    line = np.exp(-0.5 * (((wave - 9000) % 20 - 10) / 1.8) ** 2)
    flux = 20 + 400 * line
    spectra = FiberSpectra(flux, flux + 30.0, np.zeros(wave.shape, np.uint32), wave)
    by_column = FiberSpectra(flux, flux + 30.0, spectra.mask, wave[0])
    good, bad = (brightness(one)[0] for one in (spectra, by_column))
    assert good.std() / good.mean() < 0.01 < 0.1 * bad.std() / bad.mean()  # lines fall on pixels in other ways
