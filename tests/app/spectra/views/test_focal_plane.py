"""The focal plane of several cameras, the light in a window, and what a lasso means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames import selection
from ifuview.app.frames.joined import OpenTable
from ifuview.app.frames.views.lasso import hull, inside
from ifuview.app.session import Selection, Session, Slot
from ifuview.app.spectra.views import focal_plane, window_light
from ifuview.model.dataset import Dataset, Table
from ifuview.model.fibers import FiberMap
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels

NFIBER, NWAVE, WAVE0 = 50, 400, 6000.0
NOISE = 10.0
BUMP = slice(20, 30)  # fibers of camera 2 that have light in BUMP_WAVE
BUMP_WAVE = (6100.0, 6150.0)
HEIGHT = 60.0


def camera(key: int, stage: str = "sframe", folder: str = "night") -> Slot:
    """Noise around zero; camera 2 has a bump in ten fibers."""
    rng = np.random.default_rng(key)
    wave = WAVE0 + np.arange(NWAVE)
    flux = rng.normal(0, NOISE, (NFIBER, NWAVE))
    if key == 2:
        flux[BUMP, (wave > BUMP_WAVE[0]) & (wave < BUMP_WAVE[1])] += HEIGHT
    n = np.arange(NFIBER)
    fibermap = FiberMap(
        fiber=n,
        fiber_id=tuple(str(NFIBER * key + i) for i in n),
        focal_x=10.0 * key + n % 10,
        focal_y=n // 10 * 1.0,
        table={"FIBER": NFIBER * key + n, "TARGETID": 10**12 * key + n},
    )
    image = Image("FLUX", Kind.RSS, Pixels(flux.astype(">f4")), ivar=Pixels(np.full(flux.shape, 0.01, ">f4")),
                  wave=wave, fibermap=fibermap, stage=stage, camera=f"r{key}", unit="electron")  # fmt: skip
    return Slot(key, f"{stage}-r{key}", Dataset(f"{folder}/{stage}-r{key}.fits", images=(image,)), image)


@pytest.fixture
def session() -> Session:
    return Session((camera(3), camera(2), camera(1, "frame"), camera(4, folder="other")), 3, window=BUMP_WAVE)


def test_cameras_of_one_product_and_exposure_are_shown_together(session):
    view = focal_plane.make(session)
    assert view.ids == tuple(str(i) for i in range(100, 200))
    assert [s.key for s in view.field.members] == [2, 3]
    assert len(view.field.outlines) == 2
    assert focal_plane.WINDOW in view.choices


def test_the_light_in_the_window_is_a_robust_residual(session):
    view = focal_plane.make(session)
    values = focal_plane.window_values(view)
    lit = np.zeros(100, bool)
    lit[BUMP] = True
    error = 1.2533 * NOISE / np.sqrt(50 * 40 / 49)  # of a median of about 40 samples, or of means of four
    assert values[lit] == pytest.approx(HEIGHT, abs=5 * error)
    assert values[~lit] == pytest.approx(0, abs=5 * error)
    shown = focal_plane.shades(view, focal_plane.WINDOW)
    assert shown.lo == -shown.hi
    assert (shown.index[lit] == focal_plane.COLORS - 1).all()
    assert "6100 to 6150 Å" in shown.note


@pytest.mark.parametrize("window", [(6100.0, 6100.4), (6100.0, 6149.0), (6000.0, 6399.0)])
def test_any_width_of_window_is_measured(window):
    slot = camera(2)
    found = window_light.light(slot, window)
    wave = slot.image.wave
    inside_it = (wave >= window[0]) & (wave < window[1])
    exact = np.median(slot.image.pixels.native()[:, inside_it], axis=1)
    assert np.abs(found - exact).max() < 5 * NOISE / np.sqrt(max(inside_it.sum(), 1) / 4)


def test_a_camera_of_other_wavelengths_has_no_light_in_the_window():
    assert np.isnan(window_light.light(camera(2), (7000.0, 7100.0))).all()
    assert np.isnan(window_light.light(camera(2), (6390.0, 6500.0))).all()


def test_masked_samples_do_not_count():
    slot = camera(2)
    ivar = np.full((NFIBER, NWAVE), 0.01, np.float32)
    ivar[5] = 0
    ivar[6, 100:120] = 0
    flux = slot.image.pixels.native().copy()
    flux[6, 100:120] = 1e6
    slot = replace(slot, image=replace(slot.image, pixels=Pixels(flux), ivar=Pixels(ivar)))
    found = window_light.light(slot, BUMP_WAVE)
    assert np.isnan(found[5])
    assert abs(found[6]) < 10


def test_what_was_kept_of_closed_frames_is_forgotten():
    slot = camera(2)
    window_light.light(slot, BUMP_WAVE)
    window_light.forget((slot,))
    assert window_light.levels(slot) is window_light.levels(slot)
    window_light.forget(())
    assert id(slot.image) not in window_light._kept


def test_selection_and_lasso_speak_of_rows_of_a_frame(session):
    view = focal_plane.make(replace(session, selection=Selection(4, None, None, (4, 7))))
    assert view.fiber == 54
    assert view.fibers == (54, 57)
    assert "154" in focal_plane.describe(view, 54)
    points = focal_plane.lassoed(view, np.array([(19.5, -0.5), (31.5, -0.5), (31.5, 0.5), (19.5, 0.5)]))
    found, nowhere = focal_plane.target(view, points)
    assert list(found.items()) == [(3, (0, 1)), (2, tuple(range(10)))]  # the current frame first
    assert nowhere == 0
    (key, rows), *elsewhere = found.items()
    session = selection.select_fiber(session, want.SelectFiber(rows[0], rows, tuple(elsewhere)))
    assert len(focal_plane.make(session).fibers) == 12
    other = selection.carried_over(session.showing(2), session.slot())
    assert (other.selection.fibers, other.selection.elsewhere) == (tuple(range(10)), ((3, (0, 1)),))
    assert sorted(focal_plane.make(other).fibers) == sorted(focal_plane.make(session).fibers)
    back = selection.carried_over(other.showing(3), other.slot())
    assert (back.selection.fibers, back.selection.elsewhere) == ((0, 1), ((2, tuple(range(10))),))
    assert key == 3


def test_a_table_has_its_own_field_linked_to_the_frames(session):
    columns = {
        "FIBER": np.arange(90, 130),
        "TARGETID": np.concatenate([np.arange(10), 2 * 10**12 + np.arange(30)]),
        "MEAN_FIBER_X": np.arange(40.0),
        "MEAN_FIBER_Y": np.zeros(40),
        "Z": np.linspace(0, 4, 40),
        "PETAL_LOC": np.repeat([1, 2], 20),
    }
    table = OpenTable("qa.fits", "qa FIBERQA", Table("FIBERQA", columns))
    with_frames = focal_plane.make(replace(session, tables=(table,)))
    assert with_frames.places == (focal_plane.OPEN_FRAMES, "qa FIBERQA")
    assert "Z" in with_frames.choices
    alone = focal_plane.make(Session(tables=(table,)))
    assert alone.choices == ("role", *columns)
    assert focal_plane.target(alone, np.array([3])) is None
    linked = focal_plane.of_place(with_frames, "qa FIBERQA")
    assert focal_plane.target(linked, np.array([12])) == ({2: (2,)}, 0)


def test_positions_that_are_not_known_are_no_problem(session):
    slot = session.slots[0]
    fibermap = replace(slot.image.fibermap, focal_x=np.full(NFIBER, np.nan), focal_y=np.full(NFIBER, np.nan))
    lost = replace(slot, image=replace(slot.image, fibermap=fibermap))
    view = focal_plane.make(Session((lost,), 3, window=BUMP_WAVE))
    assert focal_plane.nearest(view, 0, 0) is None
    assert focal_plane.lassoed(view, np.array([(0, 0), (1, 0), (1, 1)])).size == 0


def test_inside_and_outline():
    star = np.array([(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)])
    assert inside([2, 2, 0.5, np.nan, 9], [0.5, 3, 2, 1, 1], star).tolist() == [True, False, True, False, False]
    x, y = hull(np.array([0, 1, 1, 0, 0.5, np.nan]), np.array([0, 0, 1, 1, 0.5, 3]))
    assert (x.size, x[0], y[0]) == (5, x[-1], y[-1])
    assert hull(np.zeros(2), np.zeros(2))[0].size == 0


def test_arms_of_the_same_fibers_are_one_and_the_window_belongs_to_one_of_them():
    red, blue = camera(2), camera(2)
    shifted = replace(
        blue.image, wave=blue.image.wave - 2000.0, camera="b2", pixels=Pixels(np.full((NFIBER, NWAVE), 7.0))
    )
    blue = replace(
        blue, key=7, title="sframe-b2", dataset=Dataset("night/sframe-b2.fits", images=(shifted,)), image=shifted
    )
    session = Session((blue, red, camera(3)), 2, window=BUMP_WAVE)
    view = focal_plane.make(session)
    assert [[s.key for s in group] for group in view.field.arms] == [[2, 7], [3]]
    assert len(view.ids) == 2 * NFIBER
    assert focal_plane.window_values(view)[BUMP].min() > HEIGHT / 2
    found = focal_plane.window_values(replace(view, window=(4100.0, 4200.0)))
    assert (found[:NFIBER] == 7.0).all() and np.isnan(found[NFIBER:]).all()


LEVELS = {"b": 3.0, "r": 6.0, "z": 10.0}  # flux of all fibers by arm; fiber 7 is brighter by SIGNAL in each


def arm(key: int, name: str, petal: int = 3, first: float = 4000.0, width: float = 400.0, noise: float = 0.2) -> Slot:
    """A camera of an arm of a petal: flat spectra, fiber 7 brighter by 2, fiber 9 masked in the blue arm."""
    slot = camera(petal)
    wave = first + width * np.arange(NWAVE) / NWAVE
    flux = LEVELS[name] + np.random.default_rng(key).normal(0, noise, (NFIBER, NWAVE))
    flux[7] += 2.0
    ivar = np.full(flux.shape, 0.01, ">f4")
    ivar[9] = 0.0 if name == "b" else 0.01
    image = replace(
        slot.image, pixels=Pixels(flux.astype(">f4")), ivar=Pixels(ivar), wave=wave, camera=f"{name}{petal}"
    )
    return Slot(key, f"sframe-{name}{petal}", Dataset(f"night/sframe-{name}{petal}.fits", images=(image,)), image)


def three_arms(petal: int = 3, key: int = 1) -> tuple[Slot, ...]:
    spans = {"b": (4000.0, 400.0), "r": (4390.0, 410.0), "z": (4790.0, 400.0)}
    return tuple(arm(key + n, name, petal, *span) for n, (name, span) in enumerate(spans.items()))


def test_a_range_over_several_arms_takes_what_each_covers():
    group = three_arms()
    window = (4300.0, 5100.0)  # 100 Angstrom of b, 400 of r, 300 of z
    parts = window_light.parts_of(group, window)
    assert [part.slot.image.camera for part in parts] == ["r3", "z3", "b3"]
    assert sum(part.weight for part in parts) == pytest.approx(800.0, abs=2.0)
    found = window_light.light_of(group, window)
    whole = (100 * 3.0 + 400 * 6.0 + 300 * 10.0) / 800
    assert np.median(found) == pytest.approx(whole, abs=0.1)
    rest = found - np.median(found)
    assert rest[7] == pytest.approx(2.0, abs=0.1) and np.isfinite(rest[9])
    assert np.abs(np.delete(rest, 7)).max() < 0.1  # the fiber that one arm does not know is not off for that
    alone = window_light.light_of(group, (4450.0, 4700.0))
    assert alone == pytest.approx(window_light.light(group[1], (4450.0, 4700.0)), nan_ok=True)
    assert np.isnan(window_light.light_of(group, (3000.0, 4500.0))).all()  # less than half of it is covered


def test_the_focal_plane_of_a_range_over_arms_names_them_and_has_all_petals():
    slots = (*three_arms(3), *three_arms(5, key=4))
    view = focal_plane.make(Session(slots, 2, window=(4300.0, 5100.0)))
    assert len(view.field.members) == 2 and len(view.ids) == 2 * NFIBER
    shown = focal_plane.shades(view, focal_plane.WINDOW)
    assert (shown.index >= 0).all() and "6 cameras" in shown.note
    inside_one = focal_plane.make(Session(three_arms(3), 2, window=(4450.0, 4700.0)))
    assert "(r3)" in focal_plane.shades(inside_one, focal_plane.WINDOW).note


def test_an_image_of_a_range_over_arms_adds_them_up_and_counts_nothing_twice():
    from ifuview.app.spectra.range_images import frames_of
    from ifuview.engine.context import SILENT

    group = three_arms()
    (image,) = frames_of(group[1], "sum", (4300.0, 5100.0), SILENT, group=group)
    values = image.opened.image.pixels.native()
    of_fiber = np.array([np.nanmedian(values[image.fibers == k]) for k in (3, 7)])
    waves = [slot.image.wave for slot in group]
    new = [waves[0], waves[1][waves[1] > waves[0].max()], waves[2][waves[2] > waves[1].max()]]
    number = [int(((w >= 4300.0) & (w <= 5100.0)).sum()) for w in new]
    wanted = sum(n * level for n, level in zip(number, LEVELS.values()))
    assert of_fiber[0] == pytest.approx(wanted, rel=0.01)
    assert of_fiber[1] - of_fiber[0] == pytest.approx(2.0 * sum(number), rel=0.02)
    (alone,) = frames_of(group[1], "sum", (4300.0, 5100.0), SILENT)
    assert np.nanmedian(alone.opened.image.pixels.native()) < 0.6 * wanted


def test_a_fiber_is_seen_through_the_arms_of_its_product_before_other_products():
    from ifuview.app.spectra.inspect import inspect_selection
    from ifuview.engine.context import SILENT

    others = tuple(
        replace(
            slot, key=slot.key + 10 * n, title=f"{stage}-{slot.image.camera}", image=replace(slot.image, stage=stage)
        )
        for n, stage in enumerate(("frame", "sky", "cframe"), start=1)
        for slot in three_arms()
    )
    session = Session((*others, *three_arms()), 2, selection=Selection(7, None, None))
    found = inspect_selection(session, SILENT)
    assert [one.label for one in found.spectra[:3]] == ["sframe-r3", "sframe-b3", "sframe-z3"]
    covered = [float(f(one.wave)) for f in (np.min, np.max) for one in found.spectra[:3]]
    assert min(covered) == 4000.0 and max(covered) > 5180.0
