"""The wavelengths of the products of a camera: their unit, and products that have others than the rest."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.app.night.triage.chain import common_waves, in_angstrom
from ifuview.instrument import instrument

WAVE = np.arange(5760.0, 7620.0, 0.8)


@pytest.mark.parametrize(("unit", "factor"), [("", 1.0), ("nm", 10.0), ("um", 1e4), ("m", 1e10)])
def test_the_numbers_of_a_camera_tell_their_unit(unit, factor):
    wave, said = in_angstrom(WAVE / factor, instrument("desi").camera("r6"))
    assert said == unit
    np.testing.assert_allclose(wave, WAVE)


def test_numbers_of_another_camera_or_of_an_unknown_one_stay():
    for numbers, camera in ((WAVE, "z1"), (WAVE / 10, "x1")):
        wave, said = in_angstrom(numbers, instrument("desi").camera(camera))
        assert said == "" and wave is numbers


def test_products_with_wavelengths_of_their_own_are_named_with_how_much():
    products = dict.fromkeys(("sframe", "frame", "sky", "cframe"), WAVE)
    assert common_waves(products)[1] == ()
    wave, faults = common_waves(products | {"sframe": WAVE + 2.4})
    np.testing.assert_array_equal(wave, WAVE)
    assert faults == (("sframe", pytest.approx(2.4)),)
    assert common_waves(products | {"sky": WAVE.astype(np.float32)})[1] == ()  # rounding in a file
