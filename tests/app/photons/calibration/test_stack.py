"""The stack of a photon frame: what each step does to its photons, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.app.photons import lists as photons
from ifuview.app.photons.calibration import stack
from ifuview.app.photons.calibration.sources import live_of, source_of, waits
from ifuview.app.photons.counting import images
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.photons.views import calibrations as view
from ifuview.app.session import Selection, Session, Slot
from ifuview.errors import FileFormatError, UsageError
from ifuview.io.photons.opening import flag_image
from ifuview.model.dataset import Dataset
from ifuview.model.photons.lists import PhotonCut
from tests.app.photons.photon_files import WAVES, write_files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("stack"), 1.0)


@pytest.fixture(scope="module")
def frame(files):
    raw = photons.open_source(files.photons, index=True)
    return PhotonFrame(raw, raw, name="science.h5")


@pytest.fixture(scope="module")
def steps(files, frame):
    wave = stack.make_step(frame, "", files.wavecal)
    flat = stack.make_step(frame, "", files.flat)
    return stack.with_step(stack.with_step((), flat), wave)


def session_of(frame: PhotonFrame, at=(5.0, 7.0)) -> Session:
    info = frame.raw.info
    dataset = Dataset(info.path, kind="photons", images=(flag_image(info),), photons=info)
    slot = Slot(1, "science.h5", dataset, dataset.images[0], photons=frame)
    return Session(slots=(slot,), current=1, selection=Selection(x=at[0], y=at[1]))


def with_stack(frame: PhotonFrame, steps: tuple) -> PhotonFrame:
    return stack.restacked(frame, steps, source_of(frame.raw, steps))


def test_a_solution_tells_by_its_content_what_it_is_and_steps_stand_in_the_order_in_which_they_act(steps):
    assert [s.key for s in steps] == ["wavecal", "flatcal"]


def test_wavelengths_and_weights_are_those_of_the_solutions_and_off_is_the_file_itself(files, frame, steps):
    source = source_of(frame.raw, steps)
    place = int(np.argmax(files.truth.counts * files.truth.array.solved))
    resonator = int(frame.raw.info.beammap.index.ravel()[place])
    found, before = source.photons_of([resonator], weight=True), frame.raw.photons_of([resonator])
    a, b, c = files.truth.array.coefficients.reshape(-1, 3)[place]
    energy = np.polyval([a, b, c], before.value.astype(np.float64))
    np.testing.assert_allclose(found.value, 1239.8419843320025 / energy, rtol=1e-6)
    np.testing.assert_allclose(found.weight, np.clip(found.value, WAVES[0], WAVES[-1]) / 1000, rtol=1e-6)
    off = stack.switched(steps, None, False)
    assert source_of(frame.raw, off) is frame.raw
    assert source_of(frame.raw, stack.switched(steps, None, None)) is frame.raw


def test_a_flat_waits_for_wavelengths(frame, steps):
    off = stack.switched(steps, 0, False)
    assert [waits(frame.raw.info, off, s) for s in off] == ["", "waits for wavelengths"]
    assert source_of(frame.raw, off) is frame.raw


def test_bounds_of_the_other_column_are_dropped(frame, steps):
    cut = frame.with_cut(low=-100.0, high=-50.0, start=0.2)
    changed = with_stack(cut, steps)
    assert (changed.cut.low, changed.cut.high, changed.cut.start) == (None, None, 0.2)


def test_found_pixels_have_flags_of_their_own_and_are_left_out(files, frame):
    step = stack.make_step(frame, "badpixels", method="threshold")
    hot = files.truth.array.kind == 3
    assert step.flags["found.hot"][hot].mean() >= 0.9
    changed = stack.taking_hold(with_stack(frame, (step,)), step)
    beammap = changed.source.info.beammap
    assert beammap.flag_names[-3:] == stack.FOUND
    image = photons.image(changed.source, changed.cut)
    slot = session_of(frame).slot()
    shown = images.picture(slot.dataset, image, Shown.COUNTS)
    bit = len(beammap.flag_names) - 3
    assert shown.mask_bits.bits[bit][0] == "found.hot"
    np.testing.assert_array_equal((shown.mask.raw >> np.uint64(bit)) & np.uint64(1), step.flags["found.hot"])
    assert image.excluded[step.flags["found.hot"]].all()
    assert not photons.image(frame.raw, frame.cut).excluded[step.flags["found.hot"]].all()
    assert f"{int(step.flags['found.hot'].sum())} hot" in stack.words(step, frame.raw.info)


def test_sliders_follow_calibrated_photons(frame, steps):
    dead = stack.make_step(frame, "linearity")
    source = source_of(frame.raw, stack.with_step(steps, dead))
    live = live_of(source)
    cut = PhotonCut(low=900.0, high=1100.0, exclude=())
    np.testing.assert_array_equal(live.image(cut).counts, photons.image(source, cut).counts)
    assert photons.image(source, PhotonCut(weighted=True)).total != photons.image(source, PhotonCut()).total


def test_an_index_that_comes_later_goes_under_the_stack(files, steps, tmp_path):
    import shutil

    from ifuview.app.photons.counting import counts as counting

    copy = str(shutil.copy(files.photons, tmp_path / "copy.h5"))
    raw = photons.open_source(copy, index=False)
    frame = with_stack(PhotonFrame(raw, raw), steps)
    assert live_of(frame.source) is None
    index, source, live = counting.made_live(frame)
    assert hasattr(index, "first")
    assert live is not None
    cut = PhotonCut(low=900.0, high=1100.0, exclude=())
    np.testing.assert_array_equal(live.image(cut).counts, photons.image(frame.source, cut).counts)
    assert source.info.calibrations == frame.source.info.calibrations


def test_a_list_of_wavelengths_shows_its_phases_through_its_own_solution(tmp_path):
    files = write_files(tmp_path, 0.3, calibrated=True)
    raw = photons.open_source(files.photons)
    frame = PhotonFrame(raw, raw)
    with pytest.raises(UsageError, match="wavelengths already"):
        stack.make_step(frame, "wavelength", files.wavecal)
    import dataclasses

    from ifuview.model.photons.calibration_stack import WaveStep

    step = WaveStep(dataclasses.replace(files.solution, name=raw.info.calibrations["wavecal"]))
    assert source_of(raw, (step,)) is raw
    back = source_of(raw, stack.switched((step,), 0, False))
    place = int(np.argmax(files.truth.counts * files.truth.array.solved))
    resonator = int(raw.info.beammap.index.ravel()[place])
    value = back.photons_of([resonator]).value
    true = files.truth.phase[files.source.resonator == resonator]
    np.testing.assert_allclose(value, true, atol=1e-3)
    index = photons.open_source(files.photons, index=True)
    stored = source_of(index, stack.switched((step,), 0, False))
    assert live_of(stored) is not None
    np.testing.assert_array_equal(stored.photons_of([resonator]).value, value)


def test_what_is_no_solution_is_refused_in_one_sentence(files, frame, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no solution")
    with pytest.raises(FileFormatError, match="neither a wavelength solution nor a flat"):
        stack.make_step(frame, "", str(text))
    with pytest.raises(FileFormatError, match="is a flat"):
        stack.make_step(frame, "wavelength", files.flat)
    with pytest.raises(UsageError, match="no calibration 'magic'"):
        stack.make_step(frame, "magic")
    with pytest.raises(UsageError, match="no step 3"):
        stack.switched((), 3, True)


def test_images_of_solutions_lie_on_the_array(files, frame, steps):
    calibrated = with_stack(frame, steps)
    opened = stack.images(calibrated, "weights")
    assert opened.image.pixels.shape == (4, *files.truth.array.beammap.shape)
    known = opened.image.pixels.raw[1][files.truth.array.beammap.index >= 0]
    np.testing.assert_allclose(known, WAVES[1] / 1000, rtol=1e-6)
    assert opened.image.nplanes == 4
    with pytest.raises(UsageError, match="does not keep resolving powers"):
        stack.images(calibrated, "resolution")
    with pytest.raises(UsageError, match="no flat"):
        stack.images(frame, "mask")


def test_what_is_written_can_be_undone(frame, steps, tmp_path):
    from ifuview.app.photons.calibration import files

    path = str(tmp_path / "calibrated.h5")
    with pytest.raises(UsageError, match="no calibration is on"):
        stack.write(frame, path)
    info, _ = stack.write(with_stack(frame, steps), path)
    assert set(info.calibrations) == {"wavecal", "flatcal"}
    again = str(tmp_path / "phases.h5")
    files.undo_file(path, again)
    total = PhotonCut(exclude=())
    source = photons.open_source(again)
    np.testing.assert_array_equal(photons.image(source, total).counts, photons.image(frame.raw, total).counts)
    value = np.concatenate([b.value.copy() for b in source.blocks()])
    np.testing.assert_array_equal(value, np.concatenate([b.value.copy() for b in frame.raw.blocks()]))


def test_the_view_lists_the_steps_and_the_job_gives_the_curves_of_the_pixel(files, frame, steps):
    y, x = np.argwhere(files.truth.array.solved & (files.truth.array.kind == 0))[40]
    off = stack.switched(steps, 0, False)
    session = session_of(with_stack(frame, off), (float(x), float(y)))
    made = view.make(session)
    assert [(row.title, row.on, row.waits) for row in made.steps] == [
        ("Wavelength", False, ""), ("Flat", True, "waits for wavelengths")]  # fmt: skip
    assert "solved" in made.steps[0].text
    assert made.has_wave
    assert made.done == "phases; nothing applied in the file"
    found = view.job(session)(photons.SILENT)
    assert found.wave_pixel.startswith(f"pixel {x}, {y}: E = ")
    assert found.wave.phase.size
    np.testing.assert_allclose(found.flat.weights, WAVES / 1000)
    assert found.flat_pixel == f"pixel {x}, {y}: flat weight 0.950 ± 0.019 at 950 nm"
    drawn = found.array["weights"]
    assert [rule.label.split(":")[0] for rule in drawn.rules] == ["750 nm", "950 nm", "1150 nm", "1350 nm"]
    assert sum(curve.y[::2].sum() for curve in drawn.curves) == 4 * len(files.weights.ids)
    assert view.make(Session()) is None
    assert view.job(Session()) is None
    assert view.job(session_of(frame)) is None


def test_what_is_wrong_with_a_solution_is_said_by_the_reader_of_its_kind(monkeypatch):
    def broken(path, ctx=None):
        raise FileFormatError("no fit could be read", path)

    def other(path, ctx=None):
        raise FileFormatError("is a wavelength solution, no flat", path)

    monkeypatch.setattr(stack.cal, "read_wavecal", broken)
    monkeypatch.setattr(stack.cal, "read_flatcal", other)
    with pytest.raises(FileFormatError, match="no fit could be read"):
        stack.read("", "evil.npz")
