from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.session import Selection, Session
from ifuview.app.spectra.views import flux
from ifuview.app.spectra.views import spectrum as view
from ifuview.model.image import Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from ifuview.report.spectra.spectrum import band, robust_range
from tests.app.frames.views import made


def test_spectra_of_the_inspection_are_shown_with_their_place():
    shown = view.make(made.session())
    assert [s.label for s in shown.spectra] == ["preproc", "frame"]
    assert "Fiber 505" in shown.title
    x, y = view.native_point(shown, 100)
    assert (x, y) == (100, pytest.approx(made.centers()[5, 100]))


def test_a_wavelength_leads_back_to_the_pixel_also_when_it_falls():
    shown = view.make(made.session())
    assert view.pixel_of(shown, made.WAVE0 + 60.0, True) == pytest.approx(120)
    falling = replace(shown, wave=shown.wave[::-1])
    assert view.pixel_of(falling, made.WAVE0 + 60.0, True) == pytest.approx(made.NDISP - 1 - 120)
    assert view.pixel_of(shown, 17.0, False) == 17.0


def test_a_click_is_placed_in_native_pixels_of_a_turned_image():
    session = made.session()
    session = session.with_slot(made.detector(orientation=Orientation(transpose=True, flip_disp=True)))
    x, y = view.native_point(view.make(session), 100)
    assert (x, y) == (pytest.approx(made.centers()[5, 100]), made.NDISP - 1 - 100)


def test_one_dimensional_images_are_their_own_spectrum():
    image = Image("FLUX", Kind.SPECTRUM, Pixels(np.arange(8.0)), wave=5000.0 + np.arange(8))
    slot = replace(made.detector(), image=image, traces=None)
    shown = view.make(Session((slot,), 1))
    assert np.array_equal(shown.spectra[0].flux, np.arange(8))
    assert view.native_point(shown, 3) == (3, 0)


def test_a_small_cube_shows_the_spaxel_of_the_crosshair_without_a_job():
    session = replace(made.session(current=3, inspected=False), selection=Selection(None, 4.0, 2.0))
    shown = view.make(session)
    assert np.array_equal(shown.spectra[0].flux, 4200 + np.arange(30))
    assert shown.spectra[0].fiber_id == "(4, 2)"


def test_a_large_cube_is_not_read_under_the_cursor(monkeypatch):
    monkeypatch.setattr(view, "HOVER_BYTES", 10)
    session = replace(made.session(current=3, inspected=False), selection=Selection(None, 4.0, 2.0))
    assert not view.make(session).spectra
    hover = view.hover(session, 3, 4, 2)
    assert hover.preview is None
    assert hover.wave == 4022.0


def test_hover_previews_a_row_only_while_nothing_is_selected():
    assert view.hover(made.session(current=2), 2, 50, 3).preview is None
    hover = view.hover(made.session(current=2, inspected=False), 2, 50, 3)
    assert hover.preview.fiber_id == "503"
    assert (hover.pixel, hover.wave) == (50, made.WAVE0 + 25)


def test_row_spectrum_carries_errors_and_mask():
    spectrum = view.row_spectrum(made.spectra_slot(), 2)
    assert np.allclose(spectrum.error, 5.0)
    assert list(np.flatnonzero(spectrum.masked)) == [10, 11, 12, 13]


def test_rebinning_keeps_the_level_and_lowers_the_error_by_the_root():
    spectrum = made.spectrum()
    binned = flux.rebin(spectrum, 4)
    assert binned.flux.size == made.NDISP // 4
    assert binned.flux[20] == pytest.approx(100.0)
    assert binned.error[20] == pytest.approx(2.5)
    assert binned.pixel[0] == 1.5
    assert binned.error[2] == pytest.approx(5 / np.sqrt(2))  # samples 8, 9 are good, 10, 11 masked
    assert flux.rebin(spectrum, 1) is spectrum


def test_rebinning_marks_a_group_without_good_samples():
    binned = flux.rebin(made.spectrum(), 2)
    assert list(np.flatnonzero(binned.masked)) == [5, 6]


def test_overlays_come_to_one_level():
    scaled, factor = flux.scale_to(made.spectrum(scale=0.01), made.spectrum())
    assert factor == pytest.approx(100)
    assert np.allclose(scaled.flux, made.spectrum().flux)


def test_per_angstrom_becomes_per_pixel_by_the_dispersion():
    per_pixel = made.spectrum()
    per_angstrom = made.spectrum("frame", "electron/Angstrom", 1 / made.DWAVE)
    turned, how = flux.in_unit_of(per_angstrom, per_pixel)
    assert how == "in e"
    assert np.allclose(turned.flux, per_pixel.flux)
    assert np.allclose(turned.error, per_pixel.error)
    back, _ = flux.in_unit_of(per_pixel, per_angstrom)
    assert np.allclose(back.flux, per_angstrom.flux)
    same, how = flux.in_unit_of(per_pixel, per_pixel)
    assert same is per_pixel
    assert how == ""


@pytest.mark.parametrize("unit", ["electron/Angstrom", "electron / A", "electron Angstrom-1", "electron Angstrom^-1"])
def test_per_angstrom_is_understood_as_it_is_written(unit):
    assert flux.PER_ANGSTROM.sub("", unit) == "electron"
    assert flux.PER_ANGSTROM.sub("", "electron") == "electron"


def test_unrelated_units_come_to_one_level():
    calibrated = made.spectrum("cframe", "1e-17 erg/s/cm2/Angstrom", 0.02)
    turned, how = flux.in_unit_of(calibrated, made.spectrum())
    assert how == "× 50"
    assert np.allclose(turned.flux, made.spectrum().flux)


def test_the_first_range_is_not_set_by_single_samples():
    spectrum = made.spectrum()
    counts = spectrum.flux.copy()
    counts[50] = 1e9
    lo, hi = robust_range((replace(spectrum, flux=counts),))
    assert lo < 100 < hi < 1e8


def test_unknown_errors_make_a_band_of_no_width():
    spectrum = made.spectrum()
    error = spectrum.error.copy()
    error[5] = np.inf
    lower, upper = band(replace(spectrum, error=error))
    assert upper[5] == lower[5]
    assert upper[6] - lower[6] == pytest.approx(10)
