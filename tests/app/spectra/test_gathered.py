"""One spectrum of a region or of fibers: asked for, made by a task, shown by the view, saved as a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from ifuview.app import intents as want
from ifuview.app.spectra.views import spectrum as pure
from ifuview.engine.spectra.cubes.fibers import gather
from ifuview.model.inspection import FiberSpectrum
from ifuview.model.region import Region, Shape
from tests.app.runner import Runner

NW, NY, NX = 30, 20, 24
CIRCLE = Region(Shape.CIRCLE, ((10.0, 8.0),), (3.0,), text="1")


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    """A cube with errors and a mask, in a file."""
    rng = np.random.default_rng(2)
    data, sigma = rng.normal(5, 1, (NW, NY, NX)).astype("f4"), rng.uniform(0.5, 2, (NW, NY, NX)).astype("f4")
    mask = np.zeros((NW, NY, NX), np.int16)
    mask[4, 8, 10] = 1
    head = fits.Header({"CTYPE3": "WAVE", "CUNIT3": "Angstrom", "CRVAL3": 5000.0, "CDELT3": 2.0, "CRPIX3": 1.0})
    path = tmp_path_factory.mktemp("cube") / "cube.fits"
    parts = ((data, "SCI"), (sigma, "ERR"), (mask, "DQ"))
    fits.HDUList([fits.PrimaryHDU(), *(fits.ImageHDU(a, head, name=n) for a, n in parts)]).writeto(path)
    return str(path), data, sigma, mask


def test_a_region_gives_its_spectrum_with_errors_until_the_image_is_clicked(cube):
    path, data, sigma, mask = cube
    runner = Runner()
    key = runner.ask(want.OpenFile(path)).current
    yy, xx = np.mgrid[:NY, :NX]
    inside = (xx - 10) ** 2 + (yy - 8) ** 2 <= 9
    session = runner.ask(want.SetRegions(key, (CIRCLE,)))
    view = pure.make(session)
    (found,) = view.spectra
    known = inside & (mask == 0)
    n = known.sum((1, 2))
    assert found.flux == pytest.approx(np.where(known, data, 0).sum((1, 2), dtype=float) / n, rel=1e-5)
    noise = np.sqrt((np.where(known, sigma, 0).astype(float) ** 2).sum((1, 2))) / n
    assert found.error == pytest.approx(noise, rel=1e-5)
    assert found.wave[:2] == pytest.approx((5000, 5002))
    assert (view.gather, view.lead) == ("each", ())
    assert view.title.startswith(f"Mean of {inside.sum()} spaxels in circle 1")
    session = runner.ask(want.SetGather("sum"))
    assert pure.make(session).spectra[0].flux[0] == pytest.approx(data[0][inside].sum(dtype=float), rel=1e-5)
    session = runner.ask(want.SetGather("median"))
    assert pure.make(session).spectra[0].flux[0] == pytest.approx(np.median(data[0][inside]), rel=1e-6)
    session = runner.ask(want.PickPoint(key, 2.0, 3.0))
    assert session.region is None
    assert pure.make(session).spectra[0].flux == pytest.approx(data[:, 3, 2])
    session = runner.ask(want.ShowRegion(key, 0))
    assert pure.make(session).gather == "median"
    session = runner.ask(want.SetRegions(key, ()))
    assert session.region is None


def test_what_is_in_the_hand_is_what_comes_when_it_lets_go(cube):
    runner = Runner()
    session = runner.ask(want.OpenFile(cube[0]))
    from ifuview.engine.context import SILENT

    for x in (8.0, 9.0, 10.0):
        moved = replace(CIRCLE, points=((x, 8.0),))
        live = pure.region_job(session, session.current, moved)(SILENT)
    final = pure.make(runner.ask(want.SetRegions(session.current, (CIRCLE,))))
    assert live.spectra[0].flux == pytest.approx(final.spectra[0].flux, rel=1e-12)
    assert live.title == final.title
    assert pure.region_job(session, session.current, Region(Shape.LINE, ((1.0, 1.0), (3.0, 3.0)))) is None


@pytest.mark.parametrize("suffix", ["fits", "ecsv"])
def test_the_spectrum_of_a_region_is_saved(cube, tmp_path, suffix):
    runner = Runner()
    key = runner.ask(want.OpenFile(cube[0])).current
    session = runner.ask(want.SetRegions(key, (CIRCLE,)))
    path = tmp_path / f"region.{suffix}"
    runner.ask(want.SaveTable("spectra", str(path)))
    table = Table.read(path)
    shown = pure.make(session).spectra[0]
    assert np.asarray(table["flux"], float) == pytest.approx(shown.flux, rel=1e-6)
    assert np.asarray(table["error"], float) == pytest.approx(shown.error, rel=1e-6)


def fibers(n: int, shift: float = 0.0):
    rng = np.random.default_rng(7)
    wave = 5000.0 + 2 * np.arange(200)
    out = []
    for k in range(n):
        own = wave + shift * k
        error = np.full(own.size, 0.1 * (1 + k % 3))
        flux = 3 + 0.001 * (own - 5000) + rng.normal(0, error)
        masked = np.zeros(own.size, bool)
        masked[k] = True
        out.append(FiberSpectrum(str(k), np.arange(own.size), own, flux, error, masked))
    return out


@pytest.mark.parametrize("shift", [0.0, 0.13])
@pytest.mark.parametrize("how", ["mean", "median", "sum"])
def test_fibers_together_are_true_and_their_errors_too(shift, how):
    spectra = fibers(15, shift)
    found = gather(spectra, how)
    wave = spectra[0].wave
    truth = (3 + 0.001 * (wave - 5000)) * (15 if how == "sum" else 1)
    use = slice(20, 180)
    pull = ((found.flux - truth) / found.error)[use]
    # 160 samples: the scatter is known to 6 %; interpolation smooths less than 0.5 px of noise away
    assert np.std(pull) == pytest.approx(1, abs=0.25)
    assert abs(np.mean(pull)) < 0.35
    assert found.count[3] <= 14 and not found.masked[3]


def test_errors_and_masks_of_a_cube_are_read_out_drawn_and_used(cube):
    from ifuview.app.frames.views.image import make
    from ifuview.app.frames.views.readout import readout

    path, _, sigma, _ = cube
    runner = Runner()
    key = runner.ask(want.OpenFile(path)).current
    session = runner.ask(want.SetPlane(key, (4,)))
    fields = dict(readout(session, key, 10.0, 8.0).fields)
    assert float(fields["σ"]) == pytest.approx(sigma[4, 8, 10], rel=5e-3)
    assert fields["mask"] != "none"
    assert dict(readout(session, key, 11.0, 8.0).fields)["mask"] == "none"
    picture = make(session).pictures[0]
    assert picture.mask.raw[8, 10] == 1 and picture.mask.raw.sum() == 1
    spaxel = pure.make(runner.ask(want.PickPoint(key, 10.0, 8.0))).spectra[0]
    assert spaxel.error == pytest.approx(sigma[:, 8, 10], rel=1e-5) and spaxel.masked.tolist().index(True) == 4
