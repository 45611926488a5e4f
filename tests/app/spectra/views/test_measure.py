from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.spectra.views.measure import measure, measurement_text
from tests.app.frames.views import made


@pytest.mark.parametrize("by_wave", [False, True])
def test_a_line_is_measured(by_wave):
    spectrum = made.spectrum()
    to = (lambda p: made.WAVE0 + made.DWAVE * p) if by_wave else (lambda p: p)
    scale = made.DWAVE if by_wave else 1.0
    found = measure(spectrum, to(100), to(140), by_wave)
    assert found.n == 41
    assert found.median == pytest.approx(100, abs=1)
    assert found.sum == pytest.approx(4100 + 500 * 2 * np.sqrt(2 * np.pi), rel=1e-3)
    assert found.snr == pytest.approx(20, abs=0.3)
    assert found.centroid == pytest.approx(to(120), abs=1e-6)
    # linear interpolation between samples at half maximum is good to 1 % for sigma = 2 px
    assert found.fwhm == pytest.approx(2.3548 * 2 * scale, rel=0.01)


def test_an_absorption_line_is_measured_too():
    spectrum = made.spectrum()
    found = measure(replace(spectrum, flux=1000 - spectrum.flux), 100, 140, False)
    assert found.centroid == pytest.approx(120, abs=1e-6)


def test_a_flat_range_has_no_line_and_an_empty_one_no_measurement():
    assert np.isnan(measure(made.spectrum(), 20, 60, False).centroid)
    assert measure(made.spectrum(), 10, 13, False) is None


def test_the_words_hold_the_line_only_where_there_is_one():
    words = measurement_text(measure(made.spectrum(), 100, 140, False), "electron", "px")
    assert "41 samples" in words
    assert "line at 120.00 px, FWHM 4.7" in words
    assert "line" not in measurement_text(measure(made.spectrum(), 20, 60, False), "electron", "px")
