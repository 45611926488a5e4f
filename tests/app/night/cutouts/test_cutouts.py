"""The same fiber and wavelength is cut out of every exposure and product of a tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app.night.cutouts.find import cutouts
from ifuview.app.night.cutouts.write import check_outputs, write_cutouts
from ifuview.app.night.open_night import scan_folder
from ifuview.commands.run import command
from ifuview.errors import MissingDataError, UsageError
from ifuview.model.image import Kind
from tests import demo

WAVE, FIBER, SIZE = 6600.0, "40", 24


@pytest.fixture(scope="module")
def production() -> Path:
    return demo.folder()


@pytest.fixture(scope="module")
def page(production):
    return cutouts(scan_folder(str(production)), FIBER, WAVE, size=SIZE)


def test_every_product_shows_the_place(page):
    products = {c.place.product for c in page.cutouts}
    assert {"preproc", "frame", "sframe", "sky"} <= products
    assert {c.place.expid for c in page.cutouts} == {1, 2}
    for cut in page.cutouts:
        assert cut.pixels.shape == (SIZE, SIZE)
        assert cut.wave == pytest.approx(WAVE, abs=1.0)  # a pixel is 1.6 Angstrom
        assert cut.left <= cut.x < cut.left + SIZE and cut.bottom <= cut.y < cut.bottom + SIZE


def test_a_cutout_holds_the_pixels_of_its_file(production, page):
    cut = next(c for c in page.cutouts if c.place.product == "sframe")
    whole = fits.getdata(next(production.glob("sframe-*")), "FLUX")
    low = max(cut.bottom, 0)
    np.testing.assert_array_equal(
        cut.pixels[low - cut.bottom :], whole[low : cut.bottom + SIZE, cut.left : cut.left + SIZE]
    )
    assert cut.y == int(FIBER)


def test_the_trace_goes_through_the_light(page):
    cut = next(c for c in page.cutouts if c.place.product == "preproc" and c.place.expid == 1)  # a flat
    assert cut.trace is not None
    x, y = np.round(cut.trace).astype(int).T
    inside = (x >= cut.left) & (x < cut.left + SIZE) & (y >= cut.bottom) & (y < cut.bottom + SIZE)
    on = cut.pixels[y[inside] - cut.bottom, x[inside] - cut.left]
    assert np.median(on) > 3 * np.nanmedian(cut.pixels)


def test_page_and_fits_are_written(page, tmp_path):
    for name in ("page.png", "page.pdf", "cuts.fits"):
        write_cutouts(page, str(tmp_path / name))
        assert (tmp_path / name).stat().st_size > 5000
    with fits.open(tmp_path / "cuts.fits") as hdus:
        images = [h for h in hdus[1:] if not h.name.startswith("TRACE")]
        assert len(images) == len(page.cutouts)
        first = images[0]
        assert first.header["FIBERX"] + first.header["LTV1"] == pytest.approx(SIZE // 2 + 1, abs=1)
        assert {"EXPID", "CAMERA", "PRODUCT"} <= set(first.header)


def test_what_is_not_there_is_said(production, tmp_path):
    index = scan_folder(str(production))
    with pytest.raises(MissingDataError, match="no product has fiber 9999"):
        cutouts(index, "9999", WAVE)
    with pytest.raises(MissingDataError, match="at 100 Angstrom"):
        cutouts(index, FIBER, 100.0)
    with pytest.raises(UsageError, match="no exposure of tile 77"):
        cutouts(index, FIBER, WAVE, tile=77)
    with pytest.raises(UsageError, match="shows nothing"):
        cutouts(index, FIBER, WAVE, size=1)
    with pytest.raises(UsageError, match=r"\.png, \.pdf or \.fits"):
        check_outputs((str(tmp_path / "a.txt"),))


def test_the_command(production, tmp_path, capsys):
    words = [str(production), "--fiber", FIBER, "--wave", str(WAVE), "--expid", "2", "-o", str(tmp_path / "a.png")]
    assert command("cutout", words) == 0
    assert "from 1 exposures" in capsys.readouterr().out
    assert (tmp_path / "a.png").exists()


def test_the_window_cuts_out_what_is_selected(production, tmp_path):
    from ifuview.app import intents as want
    from tests.app.runner import Runner

    runner = Runner()
    runner.ask(want.OpenFolder(str(production)), want.ShowProduct(2, "r0", "sframe"))
    assert runner.session.slot().image.kind is Kind.RSS
    runner.ask(want.SelectFiber(int(FIBER)), want.ExportCutouts(str(tmp_path / "a.fits")))
    assert (tmp_path / "a.fits").exists()
    assert "cutouts of fiber 40" in runner.said()[-1]
