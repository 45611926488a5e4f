"""The night in the session: what is chosen, stepped to, compared and blinked, and frame/fiberflat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames import selection, steps
from ifuview.app.frames.look import ViewState
from ifuview.app.frames.opening.detector_place import detector_of, traces_of
from ifuview.app.frames.opening.opened import new_slot
from ifuview.app.frames.opening.reading import open_dataset, open_images
from ifuview.app.frames.views import image as canvas
from ifuview.app.night import files as night_files
from ifuview.app.night import open_night
from ifuview.app.night import watch as night_watch
from ifuview.app.night.showing import blinked
from ifuview.app.night.state import Night, Place
from ifuview.app.night.triage.growing import answers
from ifuview.app.session import Layout, Session
from ifuview.cli import main
from ifuview.errors import MissingDataError, UsageError
from ifuview.instrument import instrument
from ifuview.model.image import Kind
from ifuview.model.night.exposures import ExposureIndex, FileState
from tests.app.night.production import FIRST, OTHER_TILE, SECOND, put, write_fixed, write_production
from tests.app.runner import Runner

FLAT_FIELDED = "flatfielded"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_production(tmp_path_factory.mktemp("night"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFUVIEW_CACHE", str(tmp_path))


@pytest.fixture
def session(root: Path) -> Session:
    return Session(night=Night(open_night.scan_folder(str(root))))


def show(session: Session, *places: Place) -> Session:
    """The session with products read and shown, as the window does it."""
    state = open_night.night_of(session)
    found = []
    for place in places:
        opened = night_files.open_place(state, place, open_night.look_of(session, place))
        found.append((place, opened, traces_of(opened.dataset, opened.image)))
    return open_night.with_opened(session, tuple(found))


def test_what_is_not_named_stays_as_it_is(session: Session) -> None:
    assert open_night.chosen(session, None, "", "") == Place(FIRST, "r0", "sframe")
    session = show(session, Place(FIRST, "r1", "sky"))
    assert open_night.here(session) == Place(FIRST, "r1", "sky")
    assert open_night.chosen(session, None, "", "frame") == Place(FIRST, "r1", "frame")
    assert open_night.chosen(session, SECOND, "", "") == Place(SECOND, "r1", "sframe")  # it has no sky
    with pytest.raises(MissingDataError, match=r"r1 3: there is no sky; choose frame, frame/fiberflat, sframe"):
        open_night.chosen(session, SECOND, "", "sky")
    with pytest.raises(MissingDataError, match="no products; choose another camera"):
        open_night.chosen(session, FIRST, "z9", "sky")
    with pytest.raises(MissingDataError, match="there is no exposure 99"):
        open_night.chosen(session, 99, "", "")
    with pytest.raises(UsageError, match="no night is open"):
        open_night.chosen(Session(), None, "", "")


def test_steps(session: Session) -> None:
    session = show(session, Place(FIRST, "r0", "sky"))
    assert open_night.stepped_exposure(session, 1) == Place(OTHER_TILE, "r0", "sky")  # the second has none
    assert open_night.stepped_camera(session, 1) == Place(FIRST, "r1", "sky")
    with pytest.raises(UsageError, match="no earlier exposure with sky of r0"):
        open_night.stepped_exposure(session, -1)
    with pytest.raises(UsageError, match="tile 70 has no other exposure with sky"):
        open_night.same_tile(session)
    session = show(session, Place(FIRST, "r0", FLAT_FIELDED))
    assert open_night.same_tile(session) == Place(SECOND, "r0", FLAT_FIELDED)
    assert open_night.stepped_exposure(session, 1) == Place(SECOND, "r0", FLAT_FIELDED)


def test_blinks(session: Session) -> None:
    session = show(session, Place(FIRST, "r0", "sframe"))
    chain = blinked(session, "chain")
    assert [p.product for p in chain] == ["preproc", "frame", FLAT_FIELDED, "sky", "sframe"]
    assert [p.camera for p in blinked(session, "cameras")] == ["r0", "r1"]
    assert [p.expid for p in blinked(session, "exposures")] == [FIRST, OTHER_TILE]  # other fields
    assert [p.expid for p in blinked(session, "tile")] == [FIRST, SECOND]
    with pytest.raises(UsageError, match="no other production"):
        blinked(session, "production")
    session = show(session, *chain[:3], Place(SECOND, "r0", "sframe"))
    out = open_night.blinking(session, chain[:3])
    assert out.layout is Layout.BLINK
    assert (
        [open_night.night_of(out).shown[key] for key in out.blink_keys]
        == list(chain[:3])
        == [open_night.night_of(out).shown[key] for key in canvas.blinks(out)]
    )
    assert {s.key for s in out.slots} == {s.key for s in session.slots}  # nobody's frame is closed
    alone = open_night.blinking(session, chain[:1])
    assert alone.layout is not Layout.BLINK and "nothing else" in alone.messages[-1].text
    assert open_night.here(out) == chain[0]  # what was shown is not among them
    assert open_night.here(open_night.blinking(open_night.at_place(session, chain[1]), chain[:3])) == chain[1]
    moved = steps.set_view(out, want.SetView(out.blink_keys[1], ViewState(zoom=4.0, fit=False)))
    zooms = [moved.slot(key).view.zoom for key in out.blink_keys]
    assert zooms == [out.slot(out.blink_keys[0]).view.zoom, 4.0, 4.0]  # the detector has its own view


def test_limits_belong_to_the_product_and_the_view_is_locked(session: Session) -> None:
    session = show(session, Place(FIRST, "r0", "sframe"))
    slot = session.slot()
    assert slot is not None
    moved = replace(slot, look=replace(slot.look, lo=-3.0, hi=7.0), view=replace(slot.view, x=9.0, zoom=4.0, fit=False))
    session = show(session.with_slot(moved), Place(FIRST, "r0", "sky"))
    sky = session.slot()
    assert sky is not None and (sky.look.lo, sky.look.hi) != (-3.0, 7.0)
    assert sky.view == moved.view
    again = show(session, Place(SECOND, "r0", "sframe")).slot()
    assert again is not None and (again.look.lo, again.look.hi) == (-3.0, 7.0)


def test_another_production(root: Path, session: Session) -> None:
    fixed = open_night.scan_folder(str(write_fixed(root)))
    session = show(session, Place(FIRST, "r0", "sky"))
    session = replace(session, night=replace(open_night.night_of(session), compared=fixed))
    other = open_night.other_production(session)
    assert other == Place(FIRST, "r0", "sky", other=True)
    session = show(session, other)
    slot = session.slot()
    assert slot is not None and slot.title == "sky-r0-00000002 [after_fix]"
    assert open_night.other_production(session) == Place(FIRST, "r0", "sky")
    assert len(blinked(session, "production")) == 2
    session = show(session, Place(FIRST, "r0", "frame"))
    with pytest.raises(MissingDataError, match="r0 2: there is no frame; choose sky"):
        open_night.other_production(session)


def test_frame_over_fiberflat_and_its_errors(session: Session) -> None:
    state = open_night.night_of(session)
    frame, out = (night_files.open_place(state, Place(FIRST, "r0", p), None).image for p in ("frame", FLAT_FIELDED))
    flat = open_dataset(state.index.path(FIRST, "r0", "fiberflat")).images[0]
    assert out.ivar is not None and frame.ivar is not None and flat.ivar is not None
    f, level, got = frame.pixels.native(), flat.pixels.native(), out.pixels.native()
    good = (level > 0.5) & (frame.ivar.native() > 0) & (flat.ivar.native() > 0)
    assert good.mean() > 0.5
    assert np.allclose(got[good], f[good] / level[good], rtol=1e-6)
    var = (1 / frame.ivar.native()[good] + got[good] ** 2 / flat.ivar.native()[good]) / level[good] ** 2
    assert np.allclose(out.ivar.native()[good], 1 / var, rtol=1e-4)
    zero = replace(flat, pixels=type(flat.pixels)(np.zeros_like(level)))
    nothing = night_files.divided(frame, zero, FLAT_FIELDED)
    assert np.isnan(nothing.pixels.native()).all()
    assert nothing.ivar is not None and not nothing.ivar.native().any()


def test_the_crosshair_stays_on_fiber_and_wavelength(session: Session) -> None:
    session = show(session, Place(FIRST, "r0", "sframe"), Place(FIRST, "r0", "preproc"))
    detector = session.slot()
    assert detector is not None and detector.traces is not None and detector.image.kind is Kind.DETECTOR
    wave = detector.traces.wave
    assert wave is not None
    row, column = 30, detector.traces.ncol // 3
    x, y = detector.image.orientation.to_native(detector.traces.center[row, column], column, detector.image.shape)
    session = selection.pick_point(session, want.PickPoint(detector.key, float(x), float(y)))
    spectra = session.slots[0]
    there = selection.carried_over(session.showing(spectra.key), detector)
    known = spectra.image.wave
    assert known is not None and there.selection.fiber == row and there.selection.y == row
    assert abs(known[int(there.selection.x or 0)] - wave[row, column]) <= np.diff(known).max()
    back = selection.carried_over(there.showing(detector.key), spectra)
    assert abs((back.selection.x or 0) - x) < 0.5 and abs((back.selection.y or 0) - y) < 2


def test_tiles_share_the_crosshair_over_other_axes(session: Session) -> None:
    session = show(session, Place(FIRST, "r0", "preproc"), Place(FIRST, "r0", "sframe"))
    session = selection.select_fiber(session, want.SelectFiber(12))
    detector = session.slots[0]
    assert canvas.same_place(session, detector) is None  # only one of them is seen
    session = replace(session, layout=Layout.TILE)
    spot = canvas.same_place(session, detector)
    assert spot is not None and detector.traces is not None
    cross, disp = detector.image.orientation.from_native(*spot, detector.image.shape)
    assert abs(cross - detector.traces.center[12, round(float(disp))]) < 0.6
    assert canvas.same_place(session, session.slots[1]) is None


def test_where_spectra_lie_on_the_detector(session: Session) -> None:
    session = show(session, Place(FIRST, "r0", "sframe"))
    slot = session.slot()
    assert slot is not None
    place = detector_of(slot)
    assert place is not None and place.traces.nfiber == slot.image.shape[0]
    detector = night_files.open_place(open_night.night_of(session), Place(FIRST, "r0", "preproc"), None)
    assert traces_of(detector.dataset, detector.image) is not None
    assert detector_of(replace(slot, dataset=replace(slot.dataset, companions=()))) is None


def test_new_files_are_noticed_once(session: Session) -> None:
    state = open_night.night_of(session)
    index = state.index
    same, places = open_night.refreshed(session, replace(index))
    assert same is session and places == ()
    first = index.exposures[0]
    part = {k: replace(f, state=FileState.WRITING) if k == ("r0", "sky") else f for k, f in first.files.items()}
    before = replace(index, exposures=(replace(first, files=part), *index.exposures[1:]))
    old = replace(session, night=Night(before))
    with pytest.raises(MissingDataError, match="still being written"):
        open_night.chosen(old, FIRST, "r0", "sky")
    new, places = open_night.refreshed(old, index)
    assert places == (Place(FIRST, "r0", "sky"),)
    assert open_night.night_of(new).index is index
    assert open_night.newest_of(new, places) == places[0]
    assert open_night.newest_of(show(new, Place(FIRST, "r1", "sky")), places) is None


def test_frames_that_are_not_looked_at_are_closed(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_night, "MOST_FRAMES", 2)
    for product in ("frame", "sky", "sframe"):
        session = show(session, Place(FIRST, "r0", product))
    assert [open_night.night_of(session).shown[s.key].product for s in session.slots] == ["sky", "sframe"]


def test_watching_what_does_not_exist_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.strip().endswith("none: there is no such folder; name the folder of a night.")


def test_the_triage_of_a_camera_that_has_just_come(shared_data: Path) -> None:
    root = shared_data / "desi"
    if not root.is_dir():
        pytest.skip("no production here")
    index = open_night.scan_folder(str(root))
    one, other = (night_watch.ask(index, 104284, camera) for camera in ("r6", "r7"))
    state = answers(None, (one,), "what arrived").after
    said = night_watch.lines(state, one)
    assert len(said) == len(state.result.findings)
    assert "first in sky" in said[0]  # the worst leads

    # the answers of several cameras stand together; a camera that is asked again has one answer
    both = answers(state, (other,), "what arrived").after
    assert both.result.cameras == ((104284, "r6"), (104284, "r7")) and both.scope == "what arrived"
    ranks = [f.rank for f in both.result.findings]
    assert ranks == sorted(ranks) and len(ranks) > len(state.result.findings)
    again = answers(both, (one,), "what arrived").after
    assert sorted(map(repr, again.result.findings)) == sorted(map(repr, both.result.findings))
    assert again.arrays.keys() == both.arrays.keys()
    assert answers(both, ("r8 cannot be read",), "").after.result.problems[0] == "r8 cannot be read"


def test_a_watched_camera_is_asked_once_when_it_is_whole_or_quiet(root: Path) -> None:
    index = open_night.scan_folder(str(root))
    whole = {p: Place(FIRST, "r0", p) for p in ("frame", "sky", "sframe")}
    lacking, waiting = night_watch.due(index, {}, tuple(whole.values()))
    assert lacking == () and waiting == {(FIRST, "r0"): 0}  # fluxcalib and cframe may follow
    asked = []
    for _ in range(2 * night_watch.QUIET_LOOKS):
        now, waiting = night_watch.due(index, waiting, ())
        asked += now
    assert asked == [(FIRST, "r0")] and waiting == {}
    exposure = index.find(FIRST)
    files = dict(exposure.files)
    for product in ("fluxcalib", "cframe"):
        files["r0", product] = files["r0", "sframe"]
    full = replace(index, exposures=(replace(exposure, files=files),))
    late = (Place(FIRST, "r0", "fluxcalib"), Place(FIRST, "r0", "cframe"))
    assert night_watch.due(full, {}, late) == (((FIRST, "r0"),), {})  # at once, and a late fluxcalib asks again
    assert night_watch.due(full, {}, ()) == ((), {})


def test_words(root: Path) -> None:
    assert (
        open_night.summary(open_night.scan_folder(str(root))) == "prod: 3 exposures of 1 night, 26 files of 2 cameras"
    )
    assert "no products" in open_night.summary(ExposureIndex("empty"))
    chain = instrument("desi").chain
    assert chain is not None
    assert chain.title(FLAT_FIELDED) == "frame/fiberflat"
    assert FLAT_FIELDED in chain.shown


def test_the_newest_is_the_most_telling_product_until_the_user_chooses() -> None:
    chain = instrument("desi").chain
    assert chain is not None
    session = Session(night=Night(ExposureIndex("x", chain=chain)))

    def arrived(now: Place | None, auto: Place | None, *places: Place) -> Place | None:
        return open_night.newest_of(replace(session, night=replace(session.night, place=now, auto=auto)), places)

    frame, sframe, flux = (Place(1, "r0", p) for p in ("frame", "sframe", "fluxcalib"))
    assert arrived(None, None, sframe, flux) == sframe
    assert arrived(None, None, flux) == flux
    assert arrived(frame, frame, sframe, flux) == sframe
    assert arrived(sframe, sframe, frame) is None
    assert arrived(sframe, sframe, replace(frame, expid=2)) == replace(frame, expid=2)
    assert arrived(frame, None, sframe) is None  # the user wanted frames
    assert arrived(frame, None, sframe, replace(frame, expid=2)) == replace(frame, expid=2)


def test_all_cameras_of_an_exposure_are_found_also_for_a_file_opened_by_its_path(session: Session, root: Path) -> None:
    from ifuview.app.night import cameras as night_cameras

    with pytest.raises(UsageError, match="a product of one camera on the canvas"):
        night_cameras.folder_to_index(session)
    place = Place(FIRST, "r0", "sframe")
    file = open_night.night_of(session).index.path(FIRST, "r0", "sframe")
    opened = open_images(file)[0]
    alone = Session().adding(new_slot(Session(), opened))
    folder = night_cameras.folder_to_index(alone)
    assert folder == str(Path(file).parent)
    known = night_cameras.adopted(alone, open_night.scan_folder(folder))
    assert open_night.here(known) == place
    assert night_cameras.all_cameras(known) == (Place(FIRST, "r1", "sframe"), place)
    assert night_cameras.folder_to_index(known) == ""
    blue = replace(known, window=(3700.0, 3800.0))  # no camera is known to have it
    assert night_cameras.all_cameras(blue) == (Place(FIRST, "r1", "sframe"), place)
    both = show(known, *night_cameras.all_cameras(known)[:1])
    assert night_cameras.adopted(both) is both


def test_a_sky_model_has_the_fibers_of_its_frame(session: Session) -> None:
    slot = show(session, Place(FIRST, "r0", "sky")).slot()
    frame = show(session, Place(FIRST, "r0", "frame")).slot()
    assert slot is not None and frame is not None
    assert slot.image.fibermap.role == frame.image.fibermap.role
    assert slot.image.fibermap.table


def test_raw_data_are_shown_by_camera(tmp_path: Path) -> None:
    from astropy.io import fits

    from ifuview.model.night.exposures import RAW, Exposure

    path = tmp_path / "desi-00000007.fits.fz"
    images = [fits.ImageHDU(np.full((20, 30), level, "i2"), name=name) for name, level in (("B0", 3), ("R0", 4))]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    session = Session(night=Night(ExposureIndex("x", exposures=(Exposure(20260101, 7, raw=str(path)),))))
    place = open_night.chosen(session, 7, "", "")
    assert place == Place(7, "", RAW)
    assert show(session, place).slot().image.name == "B0"
    assert show(session, replace(place, camera="r0")).slot().image.name == "R0"
    with pytest.raises(MissingDataError):
        open_night.chosen(session, 7, "r0", "sframe")


def test_a_range_over_arms_wants_all_their_cameras_and_a_fiber_the_other_arms(tmp_path: Path) -> None:
    from ifuview.app.night import cameras as night_cameras
    from ifuview.app.spectra.views.field import more_arms

    root = write_production(tmp_path)
    place = next((root / "exposures").rglob(f"*{FIRST:08d}"))
    for camera in ("b0", "z0", "b1", "z1"):
        put(place / f"sframe-r0-{FIRST:08d}.fits", place / f"sframe-{camera}-{FIRST:08d}.fits")
    runner = Runner()
    session = runner.ask(want.OpenFolder(str(root)), want.ShowProduct(FIRST, "r0", "sframe"))
    cameras = {window: {p.camera for p in night_cameras.all_cameras(replace(session, window=window))}
               for window in ((6000.0, 6500.0), (5000.0, 6500.0), (4000.0, 9500.0))}  # fmt: skip
    assert cameras[6000.0, 6500.0] == {"r0", "r1"}
    assert cameras[5000.0, 6500.0] == {"b0", "b1", "r0", "r1"}
    assert cameras[4000.0, 9500.0] == {"b0", "b1", "r0", "r1", "z0", "z1"}
    assert more_arms(session)
    session = runner.ask(want.ShowArms())
    assert {p.camera for p in session.night.shown.values()} >= {"b0", "r0", "z0"}
    assert open_night.here(session).camera == "r0" and not more_arms(session)


def test_all_arms_of_a_product_that_was_opened_alone_are_offered_where_they_lie_beside_it(tmp_path: Path) -> None:
    """By the names of files, packed or not: no index of a folder is needed."""
    from ifuview.app.spectra.views.field import more_arms
    from ifuview.instrument import instrument

    assert instrument("lrs2").arms("red") == ("farred",) and instrument("desi").arms("r6") == ("b6", "z6")
    place = next((write_production(tmp_path) / "exposures").rglob(f"*{FIRST:08d}"))
    alone = place / f"sframe-r0-{FIRST:08d}.fits"
    session = Runner().ask(want.OpenFile(str(alone)))
    assert not more_arms(session)
    for camera, packed in (("b0", ".gz"), ("b1", "")):
        put(alone, place / f"sframe-{camera}-{FIRST:08d}.fits{packed}")
    runner = Runner()
    session = runner.ask(want.OpenFile(str(alone)))
    assert more_arms(session)
    session = runner.ask(want.ShowArms())
    assert [slot.title for slot in session.slots] == [f"sframe-{c}-{FIRST:08d}" for c in ("r0", "b0")]
    assert session.current == session.slots[0].key and not more_arms(session)
    with pytest.raises(UsageError, match="do not lie beside it"):
        runner.ask(want.ShowArms())
