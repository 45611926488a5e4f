"""Arms of one file together, several fibers stacked, redshifts, lines at a redshift, the position on the sky."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.frames.state import OpenTable
from ifuview.app.frames.views import skyposition, stack
from ifuview.app.session import Selection, Session, Slot
from ifuview.app.spectra import inspect
from ifuview.app.spectra.views import best_fit, linemarks, spectrum, window_light
from ifuview.engine.context import SILENT
from ifuview.model.dataset import Dataset, Table
from ifuview.model.fibers import FiberMap
from ifuview.model.figure import spaced
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels
from ifuview.report.spectra.spectrum import level_at_end

ARMS = (("b", 3600.0, 50), ("r", 5760.0, 60), ("z", 7520.0, 70))
NFIBER = 20
STEP = 40.0  # Angstrom


def coadd() -> Slot:
    """Each arm has its own level: 1, 2, 3, plus the row."""
    n = np.arange(NFIBER)
    fibermap = FiberMap(fiber=n, fiber_id=tuple(str(3000 + i) for i in n), ra=10.0 + n,
                        dec=np.where(n == 3, np.nan, -5.0),
                        table={"FIBER": 3000 + n, "TARGETID": 10**15 + n})  # fmt: skip
    images = []
    for level, (arm, first, count) in enumerate(ARMS, 1):
        flux = np.full((NFIBER, count), float(level)) + n[:, None]
        wave = first + STEP * np.arange(count)
        images.append(Image(f"{arm.upper()}_FLUX", Kind.RSS, Pixels(flux.astype(np.float32)), wave=wave,
                            fibermap=fibermap, camera=arm, stage="coadd"))  # fmt: skip
    return Slot(1, "coadd-6", Dataset("coadd-6.fits", kind="coadd", images=tuple(images), fibermap=fibermap), images[1])


def redshifts() -> OpenTable:
    columns = {"TARGETID": 10**15 + np.arange(NFIBER)[::-1], "Z": np.arange(NFIBER)[::-1] / 4.0,
               "SPECTYPE": np.full(NFIBER, "QSO"), "ZWARN": np.zeros(NFIBER, int)}  # fmt: skip
    return OpenTable("redrock-6.fits", "redrock-6", Table("REDSHIFTS", columns))


def session(*fibers: int, tables: tuple[OpenTable, ...] = ()) -> Session:
    first = fibers[0] if fibers else None
    out = Session(
        (coadd(),), 1, selection=Selection(first, None, None, fibers if len(fibers) > 1 else ()), tables=tables
    )
    return replace(out, inspection=inspect.inspect_selection(out, SILENT))


def test_all_arms_of_a_file_are_read_that_on_the_canvas_first():
    view = spectrum.make(session(4))
    assert [s.arm for s in view.spectra] == ["r", "b", "z"]
    assert [float(s.flux[0]) for s in view.spectra] == [6.0, 5.0, 7.0]
    assert view.wave is view.spectra[0].wave
    assert view.group == ()


def test_several_fibers_are_stacked_up_to_a_limit():
    view = spectrum.make(session(*range(15)))
    assert len(view.spectra) == 3 * spectrum.STACKED
    assert view.group[:4] == (0, 0, 0, 1)
    assert "Fibers 1 to 12 of 15" in view.title
    rest = spectrum.page(view, 12, 12)
    assert [s.fiber_id for s in rest.spectra[::3]] == ["3012", "3013", "3014"]
    assert len(spectrum.page(view, 0, 15).spectra) == 45
    assert spectrum.make(session(4, 99)).title.startswith("Fibers 1 of 1")


def test_fibers_of_a_stack_are_evenly_apart_and_their_arms_stay_together():
    rng = np.random.default_rng(3)
    made = spectrum.make(session(1, 2, 5))
    noisy = tuple(replace(s, flux=rng.normal(0, 2, s.flux.size)) for s in made.spectra)
    offset = stack.stack_offsets(noisy, made.group, 1.0)
    assert np.allclose(offset, np.repeat([0, offset[3], 2 * offset[3]], 3))
    assert offset[3] == pytest.approx(2 * 3.29, rel=0.2)  # 5 to 95 percent of a Gaussian of sigma 2; 60 samples each
    assert not stack.stack_offsets(noisy, made.group, 0).any()
    assert stack.raised(noisy[0], 3.0).flux[0] == noisy[0].flux[0] + 3.0


def test_the_redshift_of_the_fiber_is_joined_by_target():
    view = spectrum.make(session(6, tables=(redshifts(),)))
    assert view.redshift == 1.5
    assert "best fit QSO z 1.5000, ZWARN 0" in view.title
    assert spectrum.make(session(6)).redshift is None


def test_the_slider_is_even_in_log_one_plus_z():
    for place in (0, 1, 2500, 7000):
        z = linemarks.slider_redshift(place, 7000, 7.0)
        assert linemarks.redshift_slider(z, 7000, 7.0) == place
    assert linemarks.slider_redshift(7000, 7000, 7.0) == pytest.approx(7.0)
    assert linemarks.redshift_slider(-0.01, 7000, 7.0) == 0


def test_lines_stand_at_their_observed_wavelength():
    found = {line.label: line.wave for line in linemarks.rest_lines("galaxy", 6000, 7000, 4.36)}
    assert found["Lya"] == pytest.approx(1215.67 * 5.36)
    assert "Ha" not in found
    assert linemarks.rest_lines("no such list", 0, 1e5) == ()
    waves = [line.wave for line in linemarks.rest_lines("galaxy", 0, 1e5)]
    assert waves == sorted(waves)
    assert len(waves) > 25


def test_a_window_is_measured_in_the_arm_that_covers_it():
    for level, (_, first, _count) in enumerate(ARMS, 1):
        found = window_light.light(coadd(), (first + 400, first + 900))
        assert found == pytest.approx(level + np.arange(NFIBER))


def test_the_position_on_the_sky_is_text_and_an_address():
    assert skyposition.text(skyposition.position(session(4))) == "14.000000 -5.000000"
    assert "ra=14.000000&dec=-5.000000" in skyposition.address((14.0, -5.0))
    assert skyposition.position(session(3)) is None
    assert skyposition.position(Session()) is None


def test_fibers_of_other_frames_stand_in_the_same_stack():
    other = replace(coadd(), key=2, title="coadd-7")
    first = session(1, 2)
    both = replace(first, slots=(*first.slots, other), selection=Selection(1, None, None, (1, 2), ((2, (5,)),)))
    view = spectrum.make(both)
    assert [(s.label, s.fiber_id) for s in view.spectra[::3]] == [
        ("coadd-6", "3001"), ("coadd-6", "3002"), ("coadd-7", "3005")
    ]  # fmt: skip
    assert view.title == "Fibers 1 to 3 of 3 selected in coadd-6, coadd-7"


def test_a_best_fit_is_joined_by_target():
    slot = coadd()
    turned = replace(slot.image.fibermap, table={"TARGETID": 10**15 + np.arange(NFIBER)[::-1]})
    images = tuple(replace(i, pixels=Pixels(np.asarray(i.pixels.raw)[::-1] + 0.5)) for i in slot.dataset.images)
    model = Dataset("rrmodel-6.fits", kind="rrmodel", images=images, fibermap=turned)
    view = spectrum.make(replace(session(4), models=(model,)))
    fits = [s for s in view.spectra if s.label == best_fit.LABEL]
    assert [(s.arm, float(s.flux[0])) for s in fits] == [("b", 5.5), ("r", 6.5), ("z", 7.5)]
    assert len(spectrum.make(session(4)).spectra) == 3
    within = replace(slot, dataset=replace(slot.dataset, models=images))
    assert len(best_fit.best_fits(Session((within,), 1), within, 4)) == 3


def test_a_place_beyond_the_arm_on_the_canvas_belongs_to_another():
    spectra = spectrum.make(session(4)).spectra
    assert spectrum.owner(spectra, 6000.0) is None
    assert spectrum.owner(spectra, 9000.0).arm == "z"
    assert spectrum.owner(spectra, 20_000.0) is None


def test_names_at_the_curves_keep_their_distance():
    assert spaced([0.0, 1.0, 2.0, 2.4], 1.5) == [0, 2]
    assert spaced([], 1.0) == []
    view = spectrum.make(session(1, 2))
    assert level_at_end(view.spectra[0]) == view.spectra[0].flux[-1]
