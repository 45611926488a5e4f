import numpy as np
import pytest
from scipy.special import erf

from ifuview.engine.spectra.inspect import Band, band_rows, inspect_fiber
from ifuview.errors import UsageError
from ifuview.model.verdict import Verdict
from ifuview.simulate.detector import perturb
from ifuview.simulate.detector.exposure import expose


@pytest.fixture(scope="module")
def flat():
    return expose("small", snr=20, throughput={30: 0.0}, cosmics=20)


def look(frame, traces, row, **options):
    noise = {"gain": 1.0, "readnoise": frame.readnoise}
    known = {name: options.pop(name, noise.get(name)) for name in ("ivar", "mask", *noise)}
    r0, r1 = band_rows(traces, row, frame.image.shape[0])
    return inspect_fiber(Band(frame.image[r0:r1], r0, **known), traces, row, **options)


def test_a_right_trace_passes_with_its_error(flat):
    section, spectrum, quality = look(flat, flat.traces, 10)
    assert quality.verdict is Verdict.PASS and quality.text.startswith("trace is right")
    assert abs(quality.mean_offset) < 4 * quality.mean_offset_err < 0.02
    assert quality.shape_chi2 < 2 * quality.shape_dof
    assert np.nanmedian(quality.chi2) == pytest.approx(1, abs=0.1)
    assert spectrum.method == "optimal" and section.chi2 < 3


def test_offsets_have_honest_errors(flat):
    pull = []
    for row in range(2, 58, 5):
        if row not in (27, 32):
            quality = look(flat, flat.traces, row)[2]
            pull.append(quality.offset / quality.offset_err)
    pull = np.concatenate(pull)  # 320 of them: 0.056 and 0.04 are one sigma
    assert abs(np.nanmean(pull)) < 0.2 and abs(np.nanstd(pull) - 1) < 0.15


def test_a_shift_is_measured_with_its_sign(flat):
    quality = look(flat, perturb.shifted(flat.traces, 0.35), 10)[2]
    assert quality.verdict is Verdict.FAIL and "0.35 px off" in quality.text and "smaller y" in quality.text
    assert quality.mean_offset == pytest.approx(-0.35, abs=5 * quality.mean_offset_err)
    quality = look(flat, perturb.shifted(flat.traces, 2.5), 10)[2]
    assert quality.mean_offset == pytest.approx(-2.5, abs=0.02)


def test_a_kink_is_placed(flat):
    quality = look(flat, perturb.kinked(flat.traces, 10, 0.8, 500, 60), 10)[2]
    assert quality.verdict is Verdict.FAIL and "between columns" in quality.text
    assert np.nanmin(quality.offset) == pytest.approx(-0.8, abs=0.1)
    assert 400 < quality.column[np.nanargmin(quality.offset)] < 600


def test_a_small_offset_is_doubtful_only(flat):
    quality = look(flat, perturb.shifted(flat.traces, 0.07), 10)[2]
    assert quality.verdict is Verdict.WARN


def test_a_dead_fiber_and_swapped_and_merged_traces_are_named(flat):
    assert "no light" in look(flat, flat.traces, 30)[2].text
    for wrong in (perturb.swapped(flat.traces, 10, 11), perturb.merged(flat.traces, 10, 11)):
        quality = look(flat, wrong, 10)[2]
        assert quality.verdict is Verdict.FAIL and "11" in quality.text
        assert "light of fiber 11" in quality.text or "other's trace" in quality.text


def test_a_faint_fiber_is_not_measured_rather_than_wrong():
    frame = expose("small", flux=np.full((60, 1024), 1.0))
    quality = look(frame, frame.traces, 10)[2]
    assert quality.verdict is Verdict.NOT_MEASURED and quality.text.startswith("not measured")


def test_faint_light_has_large_but_honest_errors():
    frame = expose("small", snr=3)
    pull = np.concatenate([(q := look(frame, frame.traces, r)[2]).offset / q.offset_err for r in range(3, 55, 4)])
    assert np.isfinite(pull).mean() > 0.8 and 0.8 < np.nanstd(pull) < 1.2


def test_a_cosmic_along_the_trace_moves_nothing(flat):
    image = flat.image.copy()
    at = np.arange(400, 425)
    image[np.round(flat.traces.center[10, at]).astype(int) + 1, at] += 2000
    r0, r1 = band_rows(flat.traces, 10, 512)
    quality = inspect_fiber(Band(image[r0:r1], r0, gain=1.0, readnoise=3.0), flat.traces, 10)[2]
    assert quality.verdict is Verdict.PASS


def test_noise_is_measured_where_it_is_not_known(flat):
    quality = look(flat, flat.traces, 10, gain=None, readnoise=None)[2]
    known = look(flat, flat.traces, 10)[2]
    assert "noise measured from the data" in quality.text
    assert quality.floor == pytest.approx(known.floor, rel=0.3)
    r0, r1 = band_rows(flat.traces, 10, 512)
    from_ivar = look(flat, flat.traces, 10, gain=None, ivar=1 / flat.variance[r0:r1])[2]
    assert from_ivar.floor == pytest.approx(known.floor, rel=0.1) and "data" not in from_ivar.text


def test_both_extractions_give_the_flux(flat):
    true = flat.flux[10]
    optimal = look(flat, flat.traces, 10)[1]
    boxcar = look(flat, flat.traces, 10, method="boxcar", aperture=3.0)[1]
    inside = erf(3.0 / (np.sqrt(2) * np.hypot(flat.traces.sigma[10], 12**-0.5)))  # of the light, in the aperture
    for spectrum, share, least in ((optimal, 1.0, 0.7), (boxcar, inside, 0.2)):
        good = ~spectrum.masked
        pull = (spectrum.flux - true * share)[good] / spectrum.error[good]
        assert abs(pull.mean()) < least and 0.8 < np.median(np.abs(pull)) * 1.4826 < 1.25


def test_cross_section_has_the_components_of_fiber_and_neighbors(flat):
    section = look(flat, flat.traces, 10, column=300)[0]
    ids = [c.fiber_id for c in section.components]
    assert "10" in ids and len(ids) == 5
    mine = section.components[ids.index("10")]
    assert mine.center == pytest.approx(flat.traces.center[10, 300], abs=6 * mine.center_err)
    assert section.trace == pytest.approx(flat.traces.center[10, 300])
    assert np.allclose(sum(c.model for c in section.components) + section.background, section.model, atol=2.0)
    running = look(flat, flat.traces, 10, column=300, ncolumns=15)[0]
    assert running.ncolumns == 15 and np.median(running.error) < np.median(section.error)


def test_masked_pixels_are_shown_and_not_used(flat):
    r0, r1 = band_rows(flat.traces, 10, 512)
    mask = np.zeros((r1 - r0, 1024), np.int32)
    row = round(float(flat.traces.center[10, 300])) - r0
    mask[row, 290:310] = 1
    section, spectrum, _ = look(flat, flat.traces, 10, column=300, mask=mask, method="boxcar")
    assert section.masked[section.position == row + r0].all() and spectrum.masked[295:305].all()


def test_a_fiber_at_the_edge_and_a_trace_without_values_are_answered(flat):
    assert look(flat, flat.traces, 0)[2].verdict is Verdict.PASS
    center = flat.traces.center.copy()
    center[10] = np.nan
    blank = perturb._with_center(flat.traces, center)
    assert look(flat, blank, 10)[2].verdict is Verdict.NOT_MEASURED


def test_an_image_without_good_pixels_is_not_measured(flat):
    r0, r1 = band_rows(flat.traces, 10, 512)
    band = np.full((r1 - r0, 1024), np.nan, np.float32)
    quality = inspect_fiber(Band(band, r0), flat.traces, 10)[2]
    assert quality.verdict is Verdict.NOT_MEASURED


def test_wrong_requests_are_refused(flat):
    with pytest.raises(UsageError, match="no fiber"):
        inspect_fiber(Band(flat.image), flat.traces, 99)
    with pytest.raises(UsageError, match="columns"):
        inspect_fiber(Band(flat.image[:, :50]), flat.traces, 1)


def test_the_shared_files_are_judged_right(shared_data):
    from numpy.polynomial.legendre import legval

    from ifuview.model.trace import TraceSet

    fits = pytest.importorskip("astropy.io.fits")
    with fits.open(shared_data / "desi/preproc/20211014/00104260/preproc-r6-00104260.fits.fz") as file:
        image = file["IMAGE"].data[:, 2400:2650].T.astype(np.float32)

    def traces(name):
        with fits.open(shared_data / "desi/traces" / name) as file:
            x, y, head = file["XTRACE"].data, file["YTRACE"].data, file["XTRACE"].header
        u = np.linspace(-1, 1, 1000)
        assert head["WAVEMIN"] < head["WAVEMAX"]
        columns = np.arange(image.shape[1])
        path, at = legval(u, x.T.astype(float)), legval(u, y.T.astype(float))
        center = [np.interp(columns, a, p, left=np.nan, right=np.nan) - 2400 for a, p in zip(at, path)]
        return TraceSet(fiber=np.arange(len(center)), center=np.array(center))

    def verdict(name, row):
        found = traces(name)
        r0, r1 = band_rows(found, row, image.shape[0])
        return inspect_fiber(Band(image[r0:r1], r0, gain=1.0, readnoise=3.0), found, row)[2]

    assert verdict("psf-r6-identity.fits", 312).verdict is Verdict.PASS
    shift = verdict("psf-r6-global_shift.fits", 300)
    assert shift.verdict is Verdict.FAIL and shift.mean_offset == pytest.approx(-0.35, abs=0.02)
    kink = verdict("psf-r6-fiber_kink.fits", 312)
    assert kink.verdict is Verdict.FAIL and "between columns" in kink.text
    assert verdict("psf-r6-fiber_kink.fits", 300).verdict is Verdict.PASS
