"""Stars are found, matched, and tell pointing, optics, illumination and flux."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.spectra.field.blend import take_pictures
from ifuview.engine.spectra.field.extract import extract_points
from ifuview.engine.spectra.field.lenslet import Face, Lenslets, moffat_share
from ifuview.engine.spectra.field.positions import sky_place
from ifuview.engine.spectra.stars.extract import RADIUS, blended_by, extract_sources, with_errors_of
from ifuview.engine.spectra.stars.match import focal_of, match_catalog
from ifuview.engine.spectra.stars.optics import StarLight, fit_optics
from ifuview.engine.spectra.stars.peaks import find_peaks, shared_shift
from ifuview.engine.spectra.stars.photometry import band_magnitude, zero_point
from ifuview.engine.spectra.stars.places import settle_places
from ifuview.engine.spectra.stars.put import put_source
from ifuview.errors import FitError
from ifuview.model.reduction.source import SourceFit, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

DITHER = np.array([[0.0, 1.215, 1.215], [0.0, -0.7, 0.7]])
WAVE = np.linspace(3600, 5400, 9)
DAR = np.array([[3500.0, 4700.0, 5500.0], [-0.7, 0.0, 0.2], [0.0, 0.0, 0.0]])
PLACES = np.array([[-8.0, 5.0], [6.0, -7.5], [3.3, 9.1], [-9.4, -9.0]])


def _head(dither: np.ndarray = DITHER) -> tuple[Lenslets, np.ndarray]:
    row, column = (v.ravel() for v in np.mgrid[:14, :12])
    x, y = (column - 5.5 + 0.25 * (-1.0) ** row) * 2.54, (row - 6.5) * 2.2
    places = np.concatenate([x + d for d in dither[0]]), np.concatenate([y + d for d in dither[1]])
    return Lenslets(*places, 1.5, Face.CIRCLE), np.repeat(np.arange(3), x.size)


def test_peaks_are_the_stars_and_nothing_else() -> None:
    lenslets, _ = _head()
    rng = np.random.default_rng(3)
    strength = np.array([300.0, 60.0, 30.0, 20.0])
    share = moffat_share(lenslets, *PLACES.T, np.full(4, 1.9), 3.5)
    variance = 0.25 + 0.02 * (strength @ share)
    light = strength @ share + np.sqrt(variance) * rng.normal(size=variance.size)
    variance[40] = np.inf
    found = find_peaks(light, variance, lenslets)
    assert len(found) == 4
    for peak, (x, y), own in zip(found, PLACES, strength, strict=True):
        assert np.hypot(peak.x - x, peak.y - y) < 0.25 and abs(peak.light / own - 1) < 0.2
    assert find_peaks(0.5 * rng.normal(size=variance.size), variance, lenslets) == ()


def test_faint_stars_are_found_beside_a_very_bright_one() -> None:
    lenslets, _ = _head()
    rng = np.random.default_rng(6)
    strength = np.array([8000.0, 60.0, 6.0])  # g = 12, 17.3 and 19.8
    share = moffat_share(lenslets, *PLACES[:3].T, np.full(3, 1.62), 3.5)  # between the widths that are tried
    variance = 0.02 + 0.01 * (strength @ share)
    light = strength @ share + np.sqrt(variance) * rng.normal(size=variance.size)
    found = find_peaks(light, variance, lenslets)
    assert len(found) == 3  # none of what the profile leaves of the bright one
    for peak, (x, y) in zip(found, PLACES, strict=False):
        assert np.hypot(peak.x - x, peak.y - y) < 0.25
    assert found[1].snr > 50  # 30 tell place and width


@pytest.mark.parametrize("fwhm", [1.3, 2.6])
def test_sources_are_whole_whatever_the_seeing(fwhm: float) -> None:
    lenslets, _ = _head()
    rng = np.random.default_rng(5)
    strength = np.array([900.0, 500.0, 80.0, 40.0])
    places = np.array([[-8.0, 5.0], [-3.0, 2.0], [3.3, 9.1], [-9.4, -9.0]])  # two beside each other
    light = strength @ moffat_share(lenslets, *places.T, np.full(4, fwhm), 3.5)
    variance = 0.25 + 0.02 * light
    found = find_peaks(light + np.sqrt(variance) * rng.normal(size=light.size), variance, lenslets)
    assert len(found) == 4 and abs(found[0].fwhm / fwhm - 1) < 0.2
    for peak, (x, y) in zip(found, places, strict=True):
        assert np.hypot(peak.x - x, peak.y - y) < 0.2


@pytest.mark.parametrize("turn", [0.3, -0.7])
def test_pointing_is_found_among_field_objects(turn: float) -> None:
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-500, 500, (2, 30))
    ra, dec = sky_place(x, y, 175.5 / 15, 51.3, 113.2)
    more = sky_place(*rng.uniform(-540, 540, (2, 200)), 175.5 / 15, 51.3, 113.2)
    all_ra, all_dec = np.append(ra, more[0]), np.append(dec, more[1])
    seen_x, seen_y = (v[:16] + 0.03 * rng.normal(size=16) for v in (x, y))
    seen_x[12:] += 60  # no stars
    wrong = 175.5 + 6.0 / 3600 / np.cos(np.radians(51.3)), 51.3 - 9.0 / 3600
    found = match_catalog(seen_x, seen_y, np.full(16, 0.03), all_ra, all_dec, wrong, 113.2 + turn)
    assert found is not None and found.used.sum() >= 11
    assert (found.source[found.used] == found.star[found.used]).all()
    assert abs((found.ra - 175.5) * np.cos(np.radians(51.3))) * 3600 < 0.06 and abs(found.dec - 51.3) * 3600 < 0.06
    assert abs(found.turn - 113.2) < 0.02
    back = focal_of(ra, dec, (found.ra, found.dec), found.turn)
    assert np.hypot(back[0] - x, back[1] - y).max() < 0.25
    assert match_catalog(seen_x[:1], seen_y[:1], np.full(1, 0.03), all_ra, all_dec, wrong, 113.2) is None
    assert match_catalog(seen_x, seen_y, np.full(16, 0.03), all_ra + 1.0, all_dec, wrong, 113.2) is None


def test_a_galaxy_of_many_sources_does_not_hide_the_stars() -> None:
    """Of the sources of two heads 7 are stars; 36 are pieces of a galaxy, of which the catalog knows nothing."""
    rng = np.random.default_rng(9)
    x, y = rng.uniform(-20, 20, (2, 9)) + np.repeat([[-250.0, -150.0], [-150.0, -150.0]], [4, 5], axis=0).T
    ra, dec = sky_place(x, y, 175.5 / 15, 51.3, 113.2)
    more = sky_place(*rng.uniform(-540, 540, (2, 150)), 175.5 / 15, 51.3, 113.2)
    all_ra, all_dec = np.append(ra, more[0]), np.append(dec, more[1])
    g = np.append(rng.uniform(17, 20.5, 9), rng.uniform(15, 22, 150))
    galaxy = np.array([-247.0, -152.0])[:, None] + rng.uniform(-9, 9, (2, 36))
    seen_x, seen_y = np.append(x[2:], galaxy[0]), np.append(y[2:], galaxy[1])
    own = np.append(g[2:7] + 0.1, rng.uniform(17.5, 21, 38)) - 24.0
    own[5:7] = g[7:9] - 23.9
    wrong = 175.5 + 1.5 / 3600 / np.cos(np.radians(51.3)), 51.3 - 1.2 / 3600
    error = np.append(np.full(7, 0.02), np.full(36, 0.2))
    found = match_catalog(seen_x, seen_y, error, all_ra, all_dec, wrong, 113.25, (own, g))
    assert found is not None and {(n, n + 2) for n in range(7)} <= set(zip(found.source, found.star, strict=True))
    assert abs((found.ra - 175.5) * np.cos(np.radians(51.3))) * 3600 < 0.3 and abs(found.turn - 113.2) < 0.06
    nowhere = match_catalog(seen_x, seen_y, error, all_ra + 0.02, all_dec, wrong, 113.25, (own, g))
    assert nowhere is None  # pieces of a galaxy agree with some stars at any shift


def test_two_stars_tell_the_shift_and_leave_the_rotation_to_the_header() -> None:
    ra, dec = sky_place(np.array([-240.0, -262.0]), np.array([-150.0, -139.0]), 175.5 / 15, 51.3, 113.2)
    wrong = 175.5 + 2.0 / 3600 / np.cos(np.radians(51.3)), 51.3 - 3.0 / 3600
    seen = np.array([-240.0, -262.0]) + 0.02, np.array([-150.0, -139.0]) - 0.02
    found = match_catalog(*seen, np.full(2, 0.03), ra, dec, wrong, 113.2)
    assert found is not None and not found.turned and found.turn == 113.2
    assert abs(found.ra - 175.5) * 3600 < 0.1 and abs(found.dec - 51.3) * 3600 < 0.1
    far = 175.5 + 15.0 / 3600 / np.cos(np.radians(51.3)), 51.3
    assert match_catalog(*seen, np.full(2, 0.03), ra, dec, far, 113.2) is None


def test_shift_of_an_exposure_is_that_which_most_sources_share() -> None:
    rng = np.random.default_rng(4)
    heads = [rng.uniform(-20, 20, (6, 2)), rng.uniform(-20, 20, (3, 2))]
    seen = [h + (1.2, -0.7) + 0.1 * rng.normal(size=h.shape) for h in heads]
    seen[0][2] += 3
    found = shared_shift(heads, [*seen])
    assert found is not None and np.hypot(*(found - (1.2, -0.7))) < 0.15
    assert shared_shift(heads, [h + 30 for h in heads]) is None


def _stars(gain: np.ndarray, moved: np.ndarray, fwhm: float, seed: int = 6) -> tuple[StarLight, ...]:
    rng = np.random.default_rng(seed)
    seen, exposure = _head()
    real, _ = _head(DITHER + moved)
    out = []
    for (x, y), own in zip(PLACES, (400.0, 300.0, 200.0, 150.0), strict=True):
        near = np.hypot(seen.x - x, seen.y - y) < 6
        true = Lenslets(real.x[near], real.y[near], 1.5, Face.CIRCLE)
        dx = np.interp(WAVE, DAR[0], DAR[1]) + 0.05 * (WAVE - 4700) / 1000
        share = moffat_share(true, x + dx, np.full(9, y), fwhm * (WAVE / 4500) ** -0.2, 3.5)
        light = own * (WAVE[:, None] / 4500) ** -1 * share * gain[exposure[near]]
        variance = 0.05 + 0.003 * light
        fibers = Lenslets(seen.x[near], seen.y[near], 1.5, Face.CIRCLE)
        noisy = light + np.sqrt(variance) * rng.normal(size=light.shape)
        out.append(StarLight(x + 0.15, y - 0.1, fibers, exposure[near], noisy, variance))
    return tuple(out)


def test_optics_refraction_dithers_and_illumination_come_out_of_one_fit() -> None:
    gain, moved = np.array([1.0, 0.94, 1.05]), np.array([[0.0, 0.06, -0.04], [0.0, -0.05, 0.03]])
    found = fit_optics(_stars(gain, moved, 1.75), WAVE, DAR, 3, fwhm=1.3, reference=4500.0)
    assert abs(found.fwhm - 1.75) < max(0.02, 3 * found.fwhm_error)
    assert np.abs(found.illumination / (gain / gain.mean()) - 1).max() < 0.006
    assert np.abs(found.dither - moved).max() < 0.02
    assert np.hypot(found.x - PLACES[:, 0], found.y - PLACES[:, 1]).max() < 0.03
    bent = np.interp([3700.0, 5300.0], found.dar[0], found.dar[1] - DAR[1])
    np.testing.assert_allclose(bent, [-0.05, 0.03], atol=0.02)
    with pytest.raises(FitError):
        fit_optics((), WAVE, DAR, 3, fwhm=1.3, reference=4500.0)


def test_dithers_of_which_nothing_is_known_are_found() -> None:
    moved = np.array([[0.0, 1.1, -0.6], [0.0, -0.7, 0.9]])
    found = fit_optics(_stars(np.ones(3), moved, 1.6), WAVE, DAR, 3, fwhm=1.6, reference=4500.0, dither_error=1.5)
    assert np.abs(found.dither - moved).max() < 0.03


def test_source_put_in_is_extracted_with_its_flux_and_error() -> None:
    rng = np.random.default_rng(9)
    lenslets, _ = _head()
    wave = np.linspace(4000, 5000, 200)
    noise = 0.3 * rng.normal(size=(lenslets.x.size, wave.size))
    empty = FiberSpectra(noise, np.full(noise.shape, 0.09), np.zeros(noise.shape, np.uint32), wave)
    sources = [SourceFit(x, y, 0.0, 0.0, 1.7, 0.0, 3.5, 1.0, 4500.0, 1.0, DAR) for x, y in ((2.0, 1.0), (5.5, 2.0))]
    flux = (20.0 * (wave / 4500) ** -2, 8.0 * np.ones(wave.size))
    spectra = empty
    for source, own in zip(sources, flux, strict=True):
        spectra = put_source(spectra, lenslets, source, wave, own)
    far = SourceFit(80.0, 0.0, 0.0, 0.0, 1.7, 0.0, 3.5, 1.0, 4500.0, 1.0, DAR)
    found = extract_sources(spectra, np.zeros_like(noise), (*sources, far), lenslets, 0.95)
    assert found[2] is None
    for one, own in zip(found[:2], flux, strict=True):
        assert one is not None and one.caught > 0.95
        pull = (one.spectrum.flux - own) / np.sqrt(one.spectrum.variance)
        assert abs(pull.mean()) < 0.3 and 0.85 < pull.std() < 1.15


def test_sources_of_a_crowded_field_do_not_have_each_others_light() -> None:
    rng = np.random.default_rng(10)
    lenslets, _ = _head()
    wave = np.linspace(4400, 4600, 12)
    noise = 0.02 * rng.normal(size=(lenslets.x.size, wave.size))
    spectra = FiberSpectra(noise, np.full(noise.shape, 4e-4), np.zeros(noise.shape, np.uint32), wave)
    place = rng.permutation([(x, y) for x in np.arange(-10.0, 11.0, 4.0) for y in (-8.0, -6.0, 0.0, 2.0, 8.0, 10.0)])
    true = 10 ** rng.uniform(0.0, 2.0, len(place))
    sources = tuple(SourceFit(x, y, 0.0, 0.0, 1.7, 0.0, 3.5, 1.0, 4500.0, 1.0, DAR) for x, y in place)
    for source, own in zip(sources, true, strict=True):
        spectra = put_source(spectra, lenslets, source, wave, np.full(wave.size, own))
    found = extract_sources(spectra, np.zeros_like(noise), sources, lenslets, 0.95)  # all overlap, 36 in one chain
    flux = np.array([np.mean(one.spectrum.flux) for one in found])
    assert np.abs(flux / true - 1).max() < 0.03


@pytest.mark.parametrize("fainter", [0.0, 1.0, 3.0])
def test_it_is_known_how_far_a_neighbor_that_is_not_told_apart_moves_a_peak(fainter: float) -> None:
    lenslets, _ = _head()
    place, magnitude = np.array([[2.0, 1.0], [2.8, 1.7], [9.0, -8.0]]), np.array([17.0, 17.0 + fainter, 16.0])
    light = 300 * 10 ** (-0.4 * (magnitude - 17.0)) @ moffat_share(lenslets, *place.T, np.full(3, 1.8), 3.5)
    peaks = find_peaks(light, np.full(light.size, 0.3), lenslets)
    assert len(peaks) == 2
    moved = min(np.hypot(peak.x - place[0, 0], peak.y - place[0, 1]) for peak in peaks)
    found = blended_by(*place.T, magnitude, 1.8)
    assert abs(found[0] - moved) < 0.1 and found[2] == 0.0
    assert found[1] == pytest.approx(np.hypot(0.8, 0.7) - found[0])


@pytest.mark.parametrize("disk", [0.0, 1.0])
def test_the_light_of_a_galaxy_under_a_star_is_not_the_stars(disk: float) -> None:
    """A disk of 5 arcsec without a place in the catalog; where there is none, stars are as sharp as without asking."""
    rng = np.random.default_rng(11)
    lenslets, _ = _head()
    wave = np.linspace(4400, 4600, 100)
    under = disk * np.exp(-np.sqrt((lenslets.x - 3.0) ** 2 + ((lenslets.y + 2.0) / 0.7) ** 2 + 1.5) / 5.0)
    variance = np.broadcast_to((0.04 + 0.02 * under)[:, None], (under.size, wave.size))
    noise = np.sqrt(variance) * rng.normal(size=variance.shape)
    spectra = FiberSpectra(under[:, None] + noise, variance, np.zeros(noise.shape, np.uint32), wave)
    place, true = ((5.7, 2.2), (-0.5, -3.5), (-11.0, 9.0)), (10.0, 15.0, 12.0)
    sources = tuple(SourceFit(x, y, 0.0, 0.0, 2.0, 0.0, 3.5, 1.0, 4500.0, 1.0, DAR) for x, y in place)
    for source, own in zip(sources, true, strict=True):
        spectra = put_source(spectra, lenslets, source, wave, np.full(wave.size, own))
    found = extract_sources(spectra, np.zeros_like(noise), sources, lenslets, 0.95)
    plain = extract_points(spectra, np.zeros_like(noise), sources, lenslets, radius=RADIUS)
    for n, one in enumerate(found):
        assert one is not None
        flux, error = np.mean(one.spectrum.flux), np.sqrt(one.spectrum.variance.mean() / wave.size)
        if disk and n < 2:
            assert plain[n].flux.mean() / true[n] > 1.2  # what the test is about
            assert abs(flux / true[n] - 1) < 0.05 + 3 * error / true[n]  # the disk is no parabola
        else:
            assert abs(flux - true[n]) < 4 * error
            assert np.median(one.spectrum.variance / plain[n].variance) < 1.01


def test_neighbors_that_the_catalog_has_a_little_off_move_no_star_beside_them() -> None:
    """A bright one 2.6 arcsec away, off by 0.06: held there, it would move light of a pair by several errors."""
    rng = np.random.default_rng(14)
    lenslets, _ = _head()
    wave, noise, count = np.linspace(4000, 5400, 44), 0.25, 8
    light, pull = (40.0, 25.0, 160.0), np.zeros((count, 2))
    for n in range(count):
        angle, middle = rng.uniform(0, 2 * np.pi), rng.uniform(-8, 8, 2)
        along = np.array([np.cos(angle), np.sin(angle)])
        place = middle + np.array([0.0 * along, 0.9 * along, 2.6 * along[::-1]])
        seen = noise * rng.normal(size=(lenslets.x.size, wave.size))
        spectra = FiberSpectra(seen, np.full(seen.shape, noise**2), np.zeros(seen.shape, np.uint32), wave)
        true = [SourceFit(x, y, 0.0, 0.0, 1.75, 0.0, 3.5, 1.0, 4500.0, 1.0, DAR) for x, y in place]
        for one, own in zip(true, light, strict=True):
            spectra = put_source(spectra, lenslets, one, wave, np.full(wave.size, own))
        listed = (*true[:2], replace(true[2], x=true[2].x + 0.06 * rng.choice((-1, 1))))
        chunks = take_pictures(spectra.flux, np.full(seen.shape, noise**-2), wave[None], 11)
        settled = settle_places(chunks, lenslets, listed, 0.04)
        for k in (0, 1):
            own = settled.sources[k]
            pull[n, k] = np.hypot((own.x - true[k].x) / own.x_error, (own.y - true[k].y) / own.y_error) / np.sqrt(2)
        assert np.hypot(settled.sources[2].x - true[2].x, settled.sources[2].y - true[2].y) < 0.02
    assert np.sqrt((pull**2).mean()) < 1.4  # of 32 numbers; with the neighbor held 2 to 5


def test_light_of_two_stars_in_one_peak_is_told_apart_as_well_as_its_errors_say() -> None:
    """Catalog errors of 0.04 arcsec, a width that is wrong by one percent: that moves light between the two."""
    rng = np.random.default_rng(12)
    lenslets, _ = _head()
    wave, noise, count = np.linspace(4000, 5400, 44), 0.25, 24
    known = take_pictures(np.zeros((lenslets.x.size, 44)), np.ones((lenslets.x.size, 44)), wave[None], 11)
    assert settle_places(known, lenslets, (), 0.04).sources == ()
    off = np.zeros((count, 2, 3))
    for n in range(count):
        angle, light = rng.uniform(0, 2 * np.pi), np.array([40.0, rng.uniform(15, 40)])
        place = rng.uniform(-8, 8, 2) + np.outer((0, rng.uniform(0.5, 0.7)), (np.cos(angle), np.sin(angle)))
        seen = noise * rng.normal(size=(lenslets.x.size, wave.size))
        empty = FiberSpectra(seen, np.full(seen.shape, noise**2), np.zeros(seen.shape, np.uint32), wave)
        true = [SourceFit(x, y, 0.0, 0.0, 1.75, 0.0, 3.5, 1.0, 4500.0, 1.0, DAR) for x, y in place]
        spectra = put_source(empty, lenslets, true[0], wave, np.full(wave.size, light[0]))
        spectra = put_source(spectra, lenslets, true[1], wave, np.full(wave.size, light[1]))
        width = 1.75 * (1 + 0.01 * rng.normal())
        listed = [
            replace(one, x=one.x + 0.04 * rng.normal(), y=one.y + 0.04 * rng.normal(), fwhm=width) for one in true
        ]
        alone = replace(listed[0], x=listed[0].x + 6.0)
        chunks = take_pictures(spectra.flux, np.full(seen.shape, noise**-2), wave[None], 11)
        settled = settle_places(chunks, lenslets, (*listed, alone), 0.04)
        assert settled.sources[2] is alone and settled.moved[2] == 0.0
        sky = np.zeros(seen.shape, np.float32)
        plain = extract_sources(spectra, sky, tuple(listed), lenslets, 0.95)
        found = with_errors_of(settled, extract_sources(spectra, sky, settled.sources, lenslets, 0.95))
        for k in (0, 1):
            flux, error = np.mean(found[k].spectrum.flux), settled.moved[k] * light.sum()
            assert np.median(found[k].spectrum.variance) > 0.9 * error**2
            error = np.sqrt(error**2 + plain[k].spectrum.variance.mean() / wave.size)
            off[n, k] = np.mean(plain[k].spectrum.flux) - light[k], flux - light[k], (flux - light[k]) / error
    was, now, pull = np.sqrt((off**2).mean(axis=(0, 1)))
    assert now < 0.8 * was  # 0.65; the two of a pair are off by the same
    assert 0.7 < pull < 1.4  # of 24 pairs


def _flat_spectrum(jansky: float) -> SourceSpectrum:
    wave = np.linspace(3500, 5500, 1001)
    flux = jansky * 1e-23 * 2.99792458e18 / wave**2 * 1e17
    none = np.zeros(wave.size)
    return SourceSpectrum(wave, flux, (0.1 * flux) ** 2, none, none, none.astype(np.uint32), none + 1)


def test_magnitude_of_a_flat_spectrum_is_its_definition_whatever_the_band() -> None:
    band = np.linspace(4000, 5200, 50)
    value, error = band_magnitude(_flat_spectrum(3.631e-3), band, np.hanning(50))
    assert abs(value - 15.0) < 1e-3 and 0.002 < error < 0.01
    assert np.isnan(band_magnitude(_flat_spectrum(-1.0), band, np.hanning(50))[0])
    assert np.isnan(band_magnitude(_flat_spectrum(1.0), band + 3000, np.hanning(50))[0])


def test_zero_point_is_the_shared_offset_and_leaves_variables_out() -> None:
    rng = np.random.default_rng(2)
    catalog = rng.uniform(15, 20, 15)
    synthetic = catalog + 0.12 + 0.01 * rng.normal(size=15)
    synthetic[3] += 0.9
    synthetic[5] = np.nan
    found = zero_point(synthetic, np.full(15, 0.005), catalog)
    assert abs(found.factor / 10 ** (0.4 * 0.12) - 1) < 3 * found.error < 0.03
    assert found.nstars == 13
    assert zero_point(np.array([np.nan]), np.ones(1), np.ones(1)).nstars == 0
