import json

import numpy as np
import pytest
from numpy.polynomial.legendre import legval

from ifuview import simulate
from ifuview.app.night.triage.files import find_cameras
from ifuview.app.night.triage.run import triage_camera
from ifuview.simulate.detector.demo_files import BUMP_WAVE, DEAD, KINK, KINK_COLUMN, KINK_HEIGHT, KINK_WIDTH
from ifuview.simulate.detector.geometry import true_traces
from ifuview.simulate.detector.perturb import index_shifted, kinked, lost, merged, swapped


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("demo")
    simulate.demo(place, 3)
    return place


def test_demo_writes_all_products_and_their_truth(folder):
    names = sorted(p.name for p in folder.iterdir())
    assert {n.split("-")[0] for n in names} == {"fiberflat", "frame", "preproc", "psf", "sframe", "sky", "truth.json"}
    assert not [n for n in names if n.startswith(".")]
    truth = simulate.demo_truth(folder)
    assert truth["kink"] == KINK and set(truth) == {"dead", "kink", "bump"}
    assert json.loads((folder / "truth.json").read_text())["bump"]["fibers"]


def test_detector_files_have_fibers_side_by_side_along_x(folder):
    from astropy.io import fits

    with fits.open(folder / "preproc-r0-00000001.fits") as file:
        assert [h.name for h in file] == ["IMAGE", "IVAR", "MASK", "READNOISE", "FIBERMAP"]
        assert file["IMAGE"].data.shape == (1100, 1840)
        assert file["FIBERMAP"].data["FIBER"].size == 200


def test_psf_series_give_the_perturbed_traces_back(folder):
    from astropy.io import fits

    want = kinked(true_traces("demo"), KINK, KINK_HEIGHT, KINK_COLUMN, KINK_WIDTH)
    with fits.open(folder / "psf-r0-00000001.fits") as file:
        x, y, lo, hi = file[0].data, file["YTRACE"].data, file[0].header["WAVEMIN"], file[0].header["WAVEMAX"]
    wave = np.linspace(lo, hi, 3000)
    u = 2 * (wave - lo) / (hi - lo) - 1
    for fiber, limit in ((10, 1e-4), (KINK, 0.05)):
        column = legval(u, y[fiber])
        inside = (column > 0) & (column < want.ncol - 1)
        found = np.interp(np.arange(5, 1095), column[inside], legval(u, x[fiber])[inside])
        assert np.abs(found - want.center[fiber, 5:1095]).max() < limit + 1e-3


def test_perturbations_do_what_their_names_say():
    true = true_traces("tiny")
    assert np.array_equal(swapped(true, 2, 3).center[2], true.center[3])
    assert np.array_equal(merged(true, 2, 3).center[2], true.center[3])
    assert np.array_equal(index_shifted(true, 2, 5).center[2:5], true.center[3:6])
    assert lost(true, 2, 300, 0.01).center[2, -1] - true.center[2, -1] == pytest.approx(2.11)


def test_the_triage_names_what_is_planted(folder):
    truth = json.loads((folder / "truth.json").read_text())
    (camera,) = find_cameras([str(folder)])
    found = triage_camera(camera).found.findings
    assert [(f.kind, f.first_step) for f in found] == [("wavelength-blocks", "sky"), ("masked-data", "frame")]
    assert list(found[0].fibers) == truth["bump"]["fibers"]
    assert found[0].wave_range[0] < BUMP_WAVE < found[0].wave_range[1]
    assert found[1].fibers == (DEAD,)
