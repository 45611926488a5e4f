"""A session goes into a file and comes back; what is gone, changed or damaged is said and stops nothing."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames.look import LimitMode, Look, Transfer, ViewState
from ifuview.app.frames.measuring.state import OnFrame
from ifuview.app.frames.state import RangeOf, RgbOf
from ifuview.app.night.state import Night, Place
from ifuview.app.outside.scripts import HeadlessSession
from ifuview.app.saved import left
from ifuview.app.saved.keep import is_session, kept, read, write
from ifuview.app.saved.marks import marked, what_became
from ifuview.app.saved.restore import Keep
from ifuview.app.saved.state import FileMark, Saved, SavedFrame
from ifuview.app.session import Layout, Level, Locks, Overlay, Selection, Session
from ifuview.engine.context import SILENT
from ifuview.errors import FileFormatError
from ifuview.model.frames.source import ImageSource
from ifuview.model.night.exposures import ExposureIndex
from ifuview.model.region import Home, Region, Shape
from ifuview.model.trace import Provenance, TraceSet
from ifuview.model.traces.doctor import DoctorLimits
from ifuview.overwriting import forgotten


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    from astropy.io import fits

    rng = np.random.default_rng(3)
    folder, out = tmp_path_factory.mktemp("session"), []
    for name in ("a.fits", "b\udcff.fits"):
        data = rng.normal(100, 5, (30, 40)).astype(np.float32)
        cube = fits.ImageHDU(rng.normal(0, 1, (4, 30, 40)).astype(np.float32), name="CUBE")
        path = os.fsencode(folder / name)
        with open(path, "wb") as file:
            fits.HDUList([fits.PrimaryHDU(data), cube]).writeto(file)
        out.append(str(folder / name))
    return out[0], out[1]


@pytest.fixture
def asked(files: tuple[str, str]) -> HeadlessSession:
    """A session with four frames, of which one is a plane of a cube and one a difference."""
    viewer = HeadlessSession(Session(headless=True))
    viewer.ask(want.OpenFile(files[0]), want.OpenFile(files[1]), want.OpenFile(f"{files[0]}[CUBE]"))
    viewer.ask(want.Combine(1, 2, "difference"))
    look = Look(LimitMode.USER, 90.0, 110.5, transfer=Transfer.LOG, cmap="viridis", bias=0.3)
    view = ViewState(11.25, 3.5, 4.0, fit=False, rotation=90, flip_x=True)
    regions = (
        Region(Shape.CIRCLE, ((3.1, 4.2),), (2.5,), text="star", color="#ff0000"),
        Region(Shape.PANDA, ((9.0, 8.0),), (1.0, 4.0), sectors=(0.0, 90.0, 3.0, 2.0), more=(("width", "2"),)),
        Region(
            Shape.VECTOR,
            ((1.0, 2.0), (3.0, 4.0)),
            home=Home(
                Region(Shape.VECTOR, ((150.0, 2.0), (150.1, 2.1)), frame="fk5"), (((1.0, 2.0), (3.0, 4.0)), (), 0.0, ())
            ),
        ),
        Region(Shape.POLYGON, ((0.0, 0.0), (3.0, 0.0), (3.0, 4.0)), tags=("a", "b"), include=False),
    )
    viewer.ask(
        want.SetLook(1, look), want.SetView(1, view), want.SetRegions(1, regions), want.SetPlane(3, (2,)),
        want.SelectSlot(1), want.SetLayout(Layout.BLINK, 250, keys=(1, 2)),
    )  # fmt: skip
    viewer.session = replace(
        viewer.session, selection=Selection(7, 3.0, 4.0, (7, 8), ((2, (5,)),)), locks=Locks(limits=True, view=False),
        overlay=Overlay(traces=False, color_by="rms"), window=(6500.0, 6700.5), section_columns=9,
        cut_width=5, gather="sum", region=(1, Region(Shape.CIRCLE, ((3.1, 4.2),), (2.5,))),
        doctor_limits=replace(DoctorLimits(), fiber_sigmas=7.5),
    )  # fmt: skip
    return viewer


# fields of a session that no file keeps: of the window, of work under way, or what was found out and is found again
MADE_ANEW = {
    "inspection", "metrics", "messages", "recent", "models", "next_key", "headless", "judges", "memory", "base_look",
    "triage", "health", "reduction", "detections", "trends", "channels", "aperture", "problem", "unjudged", "proof",
    "light_asked", "lights", "drawing", "gathered",
}  # fmt: skip
UNDER_ANOTHER_NAME = {"slots": "frames", "blink_keys": "blink"}


def test_each_field_of_a_session_is_kept_or_made_anew() -> None:
    known = {UNDER_ANOTHER_NAME.get(one.name, one.name) for one in fields(Session)} - MADE_ANEW
    assert known == {one.name for one in fields(Saved)} - {"desk", "panels", "time"}


PARTS = ("layout", "blink_ms", "locks", "overlay", "window", "section_columns", "doctor_limits", "extraction",
         "cut_width", "gather")  # fmt: skip


def test_everything_comes_back_as_it_was(asked: HeadlessSession, tmp_path: Path) -> None:
    path, before = str(tmp_path / "kept.json"), asked.session
    write(path, kept(before))
    assert is_session(path)
    other = HeadlessSession(Session(headless=True))
    after = other.ask(want.OpenFile(path))  # a session is opened as any file
    for name in PARTS:
        assert getattr(after, name) == getattr(before, name), name
    assert len(after.slots) == 4
    place = {slot.key: n for n, slot in enumerate(after.slots)}
    for old, new in zip(before.slots, after.slots, strict=True):
        assert (new.title, new.look, new.view, new.plane) == (old.title, old.look, old.view, old.plane)
        assert new.regions == old.regions
        assert (new.dataset.path, new.image.name) == (old.dataset.path, old.image.name)
        mine, was = (s.image.pixels.plane(s.plane).native() for s in (new, old))
        np.testing.assert_array_equal(mine, was)
    assert place[after.current] == 0
    assert tuple(place[k] for k in after.blink_keys) == (0, 1)
    assert (after.selection.fiber, after.selection.fibers, after.selection.x) == (7, (7, 8), 3.0)
    assert [(place[k], rows) for k, rows in after.selection.elsewhere] == [(1, (5,))]
    assert after.region is not None and (place[after.region[0]], after.region[1]) == (0, before.region[1])
    assert len({slot.key for slot in after.slots}) == 4
    assert after.next_key > max(slot.key for slot in after.slots)
    assert [m.text for m in after.messages if m.level is not Level.INFO] == []
    write(path, kept(after))
    again, _ = read(path)
    assert replace(again, time=0.0, frames=()) == replace(kept(before), time=0.0, frames=())


def test_a_session_is_saved_where_it_came_from(asked: HeadlessSession, tmp_path: Path) -> None:
    """Of another process, that has ended."""
    path = str(tmp_path / "kept.json")
    with forgotten():
        write(path, kept(asked.session))
    HeadlessSession(Session(headless=True)).ask(want.OpenFile(path))
    write(path, kept(asked.session))


def test_what_is_gone_or_changed_is_said_and_the_rest_is_there(asked: HeadlessSession, tmp_path: Path) -> None:
    from astropy.io import fits

    paths = [str(tmp_path / name) for name in ("stays.fits", "goes.fits", "changes.fits")]
    for path in paths:
        fits.writeto(path, np.ones((5, 6), np.float32))
    viewer = HeadlessSession(Session(headless=True))
    viewer.ask(*map(want.OpenFile, paths), want.Combine(1, 2, "ratio"))
    kept_as = str(tmp_path / "kept.json")
    write(kept_as, kept(viewer.session))
    os.unlink(paths[1])
    fits.writeto(paths[2], np.full((7, 8), 3.0, np.float32), overwrite=True)
    after = HeadlessSession(Session(headless=True)).ask(want.RestoreSession(kept_as))
    assert [slot.title for slot in after.slots] == ["stays", "changes"]
    assert after.slots[1].image.shape == (7, 8)
    said = [m.text for m in after.messages if m.level is Level.WARNING]
    assert len(said) == 4  # gone, the ratio, changed, and how many in all
    assert "goes.fits is gone" in said[0]
    assert "changes.fits has changed" in said[1]
    assert said[2] == "stays / goes: it was made of a frame that is not there."
    assert "2 of 4 frames" in said[3]


BAD = [
    "", "[]", "null", "{", "1" * 5000, "[" * 100_000, '{"format": "other"}', '{"format": "ifuview session"}',
    '{"format": "ifuview session", "version": 1, "session": []}',
    '{"format": "ifuview session", "version": 99, "session": {}}', "\x00\xff",
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_is_no_session_is_refused_in_one_sentence(tmp_path: Path, number: int) -> None:
    path = tmp_path / "bad.json"
    path.write_text(BAD[number], encoding="latin-1")
    with pytest.raises(FileFormatError) as refused:
        read(str(path))
    assert "\n" not in str(refused.value)


ODD = [
    None, True, -1, 10**30, 1e400, "x", "\x00", "a" * 140_000, [], [[[]]], {}, {"x": 1}, [1, "a", None], float("nan"),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda v: str(v)[:12])
def test_no_value_of_any_field_stops_the_rest(asked: HeadlessSession, tmp_path: Path, odd: object) -> None:
    """All fields of the session, of a frame, its look, view or region get a value that they cannot have."""
    path = str(tmp_path / "kept.json")
    write(path, kept(asked.session))
    whole = json.loads(Path(path).read_text("utf-8"))
    for place in ((), ("frames", 0), ("frames", 0, "look"), ("frames", 0, "view"), ("frames", 0, "regions", 0)):
        inner = whole["session"]
        for step in place:
            inner = inner[step]
        was = dict(inner)
        inner.update((name, odd) for name in was if name != "frames")
        Path(path).write_text(json.dumps(whole), "utf-8")
        saved, _ = read(path)
        assert isinstance(saved, Saved)
        assert len(saved.frames) == 4
        inner.update(was)
    whole["session"]["frames"] = odd
    Path(path).write_text(json.dumps(whole), "utf-8")
    assert read(path)[0].layout is Layout.BLINK


def test_odd_values_that_have_the_right_type_are_drawn_as_usual(files: tuple[str, str], tmp_path: Path) -> None:
    frame = SavedFrame(
        "odd", files[0], FileMark(files[0]), "no such image", 99, plane=(5, 5),
        look=Look(lo=3.0, hi=1.0, cmap="none such", percent=-4.0, smooth_radius=1e9, exponent=0.0),
        view=ViewState(1e300, 0.0, 0.0, rotation=17), regions=(Region(Shape.BOX, (), ()),),
    )  # fmt: skip
    path = str(tmp_path / "odd.json")
    write(path, Saved((frame,), 5, -7, blink=(9,), blink_ms=-1))
    after = HeadlessSession(Session(headless=True)).ask(want.RestoreSession(path))
    slot = after.slot()
    assert slot is not None
    assert (slot.plane, slot.view, slot.regions, slot.look.cmap) == ((), ViewState(), (), "grey")
    assert slot.look.lo is not None and slot.look.lo < slot.look.hi
    assert after.blink_keys == ()


def test_a_fingerprint_tells_another_content_and_not_another_time(tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    content = bytearray(np.random.default_rng(1).integers(0, 256, 400_000, np.uint8).tobytes())
    path.write_bytes(content)
    mark = marked(FileMark(str(path)))
    os.utime(path, (1, 1))
    assert what_became(mark) == ""
    content[-1] ^= 1
    path.write_bytes(content)
    assert what_became(mark) == "has changed since"
    path.write_bytes(content[:-1])
    assert what_became(mark) == "has changed since"
    path.unlink()
    assert what_became(mark) == "is gone"
    assert what_became(FileMark("https://example.org/a.fits")) == ""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    return left.folder()


def test_only_what_a_process_left_that_is_gone_is_offered(state: Path, files: tuple[str, str]) -> None:
    saved = Saved((SavedFrame("a", files[0], FileMark(files[0])),), 0, time=1e9)
    os.umask(before := os.umask(0))
    left.keep(saved)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert before == os.umask(before)
    assert left.left() == ()  # this process runs
    own = left.own()
    home, process, began = own.stem.split("-")
    for name in (f"{home}-{process}-{int(began) + 1}", f"{home}-4194303-5", f"00000000-{process}-1", "notes"):
        (state / f"{name}.json").write_bytes(own.read_bytes())
    names = [Path(path).stem for path in left.left()]
    assert sorted(names) == sorted([f"{home}-{process}-{int(began) + 1}", f"{home}-4194303-5"])
    offered = left.offered()
    assert offered is not None
    assert "1 frame was open" in offered.words
    for path in left.left():
        Path(path).write_text("[" * 10_000)
    assert left.offered() is None
    assert left.left() == ()  # what cannot be read is gone


def test_a_folder_that_anybody_may_enter_is_closed(state: Path) -> None:
    state.mkdir(parents=True, mode=0o755)
    left.keep(Saved())
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_restoring_can_be_stopped(asked: HeadlessSession, tmp_path: Path) -> None:
    from ifuview.app.saved.restore import find
    from ifuview.engine.context import JobContext
    from ifuview.errors import JobCancelled

    path = str(tmp_path / "kept.json")
    write(path, kept(asked.session))
    assert len(find(path, SILENT).opened) == 4
    ctx = JobContext(lambda *_: ctx.cancel())
    with pytest.raises(JobCancelled):
        find(path, ctx)


def test_a_photon_list_shows_the_same_photons_again(tmp_path: Path) -> None:
    from tests.io.photons import photonfiles

    path, kept_as = tmp_path / "list.h5", str(tmp_path / "kept.json")
    photonfiles.write_modern(path)
    before = HeadlessSession(Session(headless=True))
    before.ask(want.OpenFile(str(path)), want.ShowPhotons("counts"))
    slot = before.frame
    assert slot is not None and slot.photons is not None
    before.ask(want.SetPhotonCut(slot.key, slot.photons.with_cut(start=0.1, stop=0.6).cut))
    write(kept_as, kept(before.session))
    after = HeadlessSession(Session(headless=True))
    after.ask(want.RestoreSession(kept_as))
    old, new = before.frame, after.frame
    assert old is not None and new is not None and old.photons is not None and new.photons is not None
    assert (new.title, new.photons.cut, new.photons.shown) == (old.title, old.photons.cut, old.photons.shown)
    np.testing.assert_array_equal(new.image.pixels.native(), old.image.pixels.native())
    assert "Session restored: 1 frame" in [m.text for m in after.session.messages]


def test_what_is_made_of_frames_and_measured_on_them_comes_back(tmp_path: Path) -> None:
    """Images of ranges that follow the window, three of them as colors, sources, and the files of trends."""
    from astropy.io import fits

    rng = np.random.default_rng(5)
    head = fits.Header({"CTYPE3": "WAVE", "CUNIT3": "Angstrom", "CRVAL3": 5000.0, "CDELT3": 2.0, "CRPIX3": 1.0})
    fits.PrimaryHDU(rng.normal(10, 1, (40, 20, 30)).astype(np.float32), head).writeto(tmp_path / "cube.fits")
    (tmp_path / "one_qa.json").write_text(json.dumps([
        {"ifuslot": "047", "amp": "LL", "date": 20240101, "observation": 1, "exposure": 1,
         "numbers": {"readnoise": {"value": 3.0, "unit": "electron", "look": 9.0, "wrong": 10.0}}}
    ]))  # fmt: skip
    viewer = HeadlessSession(Session(headless=True))
    viewer.ask(want.OpenFile(str(tmp_path / "cube.fits")))
    for low in (5010.0, 5030.0, 5050.0):
        viewer.ask(want.SelectSlot(1), want.SetWindow((low, low + 8.0)), want.MapRange("median"))
    viewer.ask(want.MakeRgb(), want.OpenTrends((str(tmp_path / "one_qa.json"),)))
    source = ImageSource(12.5, 7.25, 0.1, 0.2, 3.0, 0.1, 0.05, 30.0, 500.0, 9.0, 40.0, 10.0)  # chi2: not known
    slot = viewer.session.slots[0]
    viewer.session = viewer.session.with_slot(replace(slot, measured=OnFrame((source,))))
    viewer.ask(want.SelectSlot(1), want.DrawContours("limits", of=viewer.session.slots[1].key))
    before = viewer.session
    path = str(tmp_path / "kept.json")
    write(path, kept(before))
    other = HeadlessSession(Session(headless=True))
    after = other.ask(want.OpenFile(path))
    assert [m.text for m in after.messages if m.level is not Level.INFO] == []
    assert [slot.title for slot in after.slots] == [slot.title for slot in before.slots]
    key = after.slots[0].key
    for old, new in zip(before.slots[1:4], after.slots[1:4], strict=True):
        np.testing.assert_array_equal(new.image.pixels.native(), old.image.pixels.native())
        assert isinstance(new.made_of, RangeOf) and isinstance(old.made_of, RangeOf)
        assert new.made_of == replace(old.made_of, key=key)
    assert [slot.made_of.live for slot in after.slots[1:4]] == [True, False, False]  # the latest stands first
    assert isinstance(after.slots[4].made_of, RgbOf)
    colors = [[one.slots.index(one.slot(key)) for key in one.slots[4].made_of.keys] for one in (before, after)]
    assert colors[0] == colors[1] and len(set(colors[0])) == 3
    found = after.slots[0].measured.sources[0]
    assert (found.x, found.flux) == (12.5, 500.0) and np.isnan(found.chi2)
    drawn, again = (one.slots[0].measured.contours for one in (before, after))
    assert drawn.lines and again.of == after.slots[1].key
    assert (again.title, again.levels, len(again.lines)) == (drawn.title, drawn.levels, len(drawn.lines))
    assert after.trends is not None and after.trend_files == before.trend_files
    after = other.ask(want.SetWindow((5020.0, 5024.0)), want.SelectSlot(after.slots[1].key))  # it follows again
    assert after.slots[1].made_of.window == (5020.0, 5024.0)


def test_traces_that_no_file_has_lie_beside_the_session(files: tuple[str, str], tmp_path: Path) -> None:
    viewer = HeadlessSession(Session(headless=True))
    viewer.ask(want.OpenFile(files[0]))
    rng = np.random.default_rng(2)
    center = np.linspace(3.0, 26.0, 6)[:, None] + 0.3 * rng.random((6, 40))
    made = TraceSet(np.arange(6, dtype=np.int32), center, provenance=Provenance((), "measured"))
    slot = viewer.session.slots[0]
    viewer.session = viewer.session.with_slot(replace(slot, traces=made))
    saved = kept(viewer.session)
    assert "make them again" in saved.frames[0].lost  # as a crash leaves it
    path = str(tmp_path / "kept.json")
    Keep(title="", path=path, saved=saved, slots=viewer.session.slots).run(viewer.session, SILENT)
    assert sorted(os.listdir(tmp_path)) == ["kept.json", "kept.traces-1.fits"]
    after = HeadlessSession(Session(headless=True)).ask(want.OpenFile(path))
    assert [m.text for m in after.messages if m.level is not Level.INFO] == []
    np.testing.assert_allclose(after.slots[0].traces.center, center, atol=1e-6)


def test_a_computed_frame_of_a_night_is_not_called_lost(files: tuple[str, str]) -> None:
    """It is made again of its two products, as anything of the night; without one it has no file."""
    viewer = HeadlessSession(Session(headless=True))
    session = viewer.ask(want.OpenFile(files[0]))
    slot = session.slot()
    computed = replace(session, slots=(replace(slot, dataset=replace(slot.dataset, path="")),))
    assert kept(computed).frames[0].lost
    shown = {slot.key: Place(1, "r6", "flatfielded")}
    frame = kept(replace(computed, night=Night(ExposureIndex("x"), shown=shown))).frames[0]
    assert not frame.lost and frame.place == shown[slot.key]


def test_an_image_of_a_range_comes_back_through_all_arms_of_its_fibers(tmp_path: Path) -> None:
    from astropy.io import fits

    from tests.gui.spectra.test_spectra_window import NFIBER, table

    n = np.arange(NFIBER)
    place = {"TARGET_RA": 150.0 + (n % 6) * 2e-3, "TARGET_DEC": 2.0 + (n // 6) * 2e-3}
    fibermap = table("FIBERMAP", TARGETID=n, FIBER=3000 + n, **place, FIBER_X=1.0 * n, FIBER_Y=0.0 * n)
    viewer = HeadlessSession(Session(headless=True))
    for arm, first, level in (("b", 5700.0, 1.0), ("r", 5800.0, 9.0)):
        flux = np.full((NFIBER, 100), level, np.float32)
        wave = fits.ImageHDU(first + np.arange(100.0), name="WAVELENGTH")
        path = tmp_path / f"sframe-{arm}6-00000001.fits"
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(flux, name="FLUX"), wave, fibermap]
        fits.HDUList(hdus).writeto(path)
        viewer.ask(want.OpenFile(str(path)))
    before = viewer.ask(want.SetWindow((5790.0, 5809.0)), want.MapRange("mean")).slot()
    assert np.nanmax(before.image.pixels.native()) == pytest.approx(5.0)  # half of each
    write(str(tmp_path / "kept.json"), kept(viewer.session))
    after = HeadlessSession(Session(headless=True)).ask(want.OpenFile(str(tmp_path / "kept.json"))).slots[2]
    np.testing.assert_array_equal(after.image.pixels.native(), before.image.pixels.native())
