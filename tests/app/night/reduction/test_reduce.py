"""A simulated raw night through the command: products against the truth, as the published follow-up tools read them."""

from __future__ import annotations

import re
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from ifuview.app import verdict
from ifuview.app.night.reduction import run as door
from ifuview.app.night.reduction import setup
from ifuview.app.night.reduction.calibrate import ChannelCalibration, key_of
from ifuview.app.night.reduction.channel import reduce_channel
from ifuview.app.night.reduction.frames import frame_of
from ifuview.app.night.reduction.run import nights_near, reduce_exposures, reduce_files, root_of, there_is
from ifuview.app.night.reduction.setup import channel_setup as setup_of
from ifuview.app.night.reduction.setup import given
from ifuview.app.night.reduction.state import LRS2, ReductionState
from ifuview.app.session import Session
from ifuview.commands import run as commands
from ifuview.errors import MissingDataError, UsageError
from ifuview.exit_codes import OK
from ifuview.instrument.tables import tables_for
from ifuview.io.night.raw_index import index_night
from ifuview.model.verdict import VerdictState
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import StepResult
from ifuview.recipes.lrs2.judge import judged
from ifuview.simulate.het.ccd import SCATTERED
from tests.app.night.reduction.conftest import DATE, OBSERVATION, X, Y


@pytest.fixture(scope="module")
def products(reduced) -> Path:
    return reduced[0]


def test_the_command_says_a_line_for_each_channel(reduced, night, monkeypatch, capsys):
    asked = []

    def reduce_night(*words, **more):
        asked.append(words)
        return (reduced[1],)

    monkeypatch.setattr(door, "reduce_lrs2", reduce_night)
    words = ["lrs2", "-d", str(DATE), "-s", "orange", "-o", "target", "--baseraw", str(night[0]), "-O", "out"]
    assert commands.command("reduce", [*words, "--source_x", "1", "--source_y", "2", "--use_flat"]) == OK
    date, sides, name, root, out, tables, params = asked[0]
    assert (date, sides, name, root, out, tables) == (str(DATE), ("orange",), "target", str(night[0]), "out", "")
    assert params["sources"].x == 1.0 and params["flat"].use_flat
    said = capsys.readouterr().out
    assert said.startswith(f"orange {DATE} {OBSERVATION:07d} exp01: TARGET_056_E: source at x -1.2") and "S/N" in said
    assert re.search(r"y [-+]\d\.\d\d at 5\d{3} A, FWHM", said)  # refraction: x and y hold there


def test_a_night_that_is_not_there_is_told_from_those_that_are(night, tmp_path):
    assert there_is(index_night(str(night[0]), LRS2), DATE + 1) == f"of the nights there the nearest are {DATE}"
    for name in ("20190101.tar", "20181130", "20181203", "notes", "2018"):
        (tmp_path / name).touch()
    assert nights_near(str(tmp_path), 20181202) == "of the nights there the nearest are 20181130, 20181203, 20190101"
    assert nights_near(str(tmp_path / "notes"), 20181202) == ""


def test_every_step_is_judged_and_has_a_picture(reduced):
    done = reduced[1]
    verdicts = judged(done.steps, done.setup)
    assert {one.step for one in verdicts} == set(done.steps)
    found = {one.step: one for one in verdicts}
    assert found["traces"].state is VerdictState.CLEAN and "fibers traced" in found["traces"].text
    assert found["field"].state is VerdictState.CLEAN and "pulls" in found["field"].text
    assert "traces moved by -0.1" in found["spectra"].text
    state = ReductionState(1, "orange", "night", done.steps, verdicts, done, done.setup, done.line)
    for step in done.steps:
        opened = frame_of(state, step)
        assert opened.look.hi > opened.look.lo
    key, slots = 5, ()
    session = Session(slots=slots, current=key, reduction=replace(state, shown="sky", frames={"sky": key}))
    bar = verdict.make(session)
    assert [cell.key for cell in bar.chain] == list(done.steps) and sum(cell.shown for cell in bar.chain) == 1
    assert "judged 17 of 19" in bar.judged


def test_what_went_wrong_is_named(reduced):
    done = reduced[1]
    read = replace(done.value("science").reads[0], gain=float("nan"))
    science = replace(done.value("science"), reads=(read, *done.value("science").reads[1:]))
    steps = {**done.steps, "science": replace(done.steps["science"], value=science)}
    steps["cubes"] = StepResult("cubes", None, "", reason="the field has no lenslets")
    found = {one.step: one for one in judged(steps, done.setup)}
    assert (
        found["science"].state is VerdictState.WRONG
        and f"amplifier {read.amplifier} is missing" in found["science"].text
    )
    assert found["cubes"].state is VerdictState.WRONG and "no lenslets" in found["cubes"].text
    limits = {**done.setup.spec.step_limits, "trace_shift": (0.1, 2.0)}
    setup = replace(done.setup, spec=done.setup.spec._replace(step_limits=limits))
    strict = {one.step: one for one in judged(done.steps, setup)}
    assert strict["spectra"].state is VerdictState.LOOK


def test_the_files_are_where_the_published_tools_look(products):
    found = sorted(str(path.relative_to(products)) for path in products.rglob("*.fits"))
    stem = f"{DATE}_{OBSERVATION:07d}_exp01_orange"
    inside = "LRS2/SIM18-1-001"
    assert found == sorted(
        [f"LRS2/CALS/cal_{DATE}_orange.fits", f"{inside}/multi_{stem}.fits", f"{inside}/spectrum_{stem}.fits"]
        + [f"{inside}/{stem}_{kind}_cube.fits" for kind in ("obs", "sky", "skysub")]
    )


def read(products: Path, start: str) -> fits.HDUList:
    (path,) = products.rglob(f"{start}*.fits") if start != "cube" else products.rglob("*skysub_cube.fits")
    return fits.open(path)


def test_traces_and_wavelengths_are_the_truth(products, night):
    channel = night[1].channel("orange")
    with read(products, "cal_") as cal:
        wave, trace = cal[0].data, cal[1].data
    alive = np.ones(280, bool)
    for n, amp in enumerate(channel.amplifiers):
        alive[np.asarray(amp.dead, int) + 140 * n] = False
    true_wave = np.concatenate([amp.at(amp.wave) for amp in channel.amplifiers])
    true_trace = np.concatenate([amp.at(amp.trace) + 1032 * n for n, amp in enumerate(channel.amplifiers)])
    step = np.gradient(true_wave, axis=1)
    assert np.sqrt(np.mean((trace - true_trace)[alive] ** 2)) < 0.008
    assert np.sqrt(np.mean(((wave - true_wave) / step)[alive] ** 2)) < 0.006


def test_source_and_errors_are_the_truth(products, night):
    truth = night[1]
    source, sky = truth.source(OBSERVATION, "orange"), truth.sky(OBSERVATION, "orange")
    with read(products, "multi_") as multi:
        header, observed, model, subtracted, error = multi[0].header, *(multi[n].data for n in range(4))
        assert [hdu.name.lower() for hdu in multi[:4]] == [
            "observed_spectra", "sky_spectra", "skysub_spectra", "error_spectra",
        ]  # fmt: skip
        extracted = multi[6].data
    grid = header["CRVAL1"] + header["CDELT1"] * np.arange(header["NAXIS1"])
    inner = (grid > 4700) & (grid < 6860)
    at, dx, dy = truth.arrays["dar_orange"]
    moved = [np.diff(np.interp((4142.5, grid[grid.size // 2]), at, one))[0] for one in (dx, dy)]  # by refraction
    assert header["SOURCEX"] == pytest.approx(X + moved[0], abs=0.01)
    assert header["SOURCEY"] == pytest.approx(Y + moved[1], abs=0.01)
    lit = (error > 0).mean(axis=1) > 0.5
    assert lit.mean() > 0.97
    free = lit & (source[:, inner].mean(axis=1) < 0.01 * np.median(sky[:, inner]))
    good = (error > 0) & inner & free[:, None]
    pull = ((subtracted - source) / np.where(error > 0, error, 1))[good]
    assert 1.4826 * np.median(np.abs(pull - np.median(pull))) == pytest.approx(1.0, abs=0.06)
    assert abs(np.median(pull)) < 0.06
    ratio = model[free][:, inner].mean(axis=1) / sky[free][:, inner].mean(axis=1)
    amps = truth.channel("orange").amplifiers
    usual = np.median(np.concatenate([amp.at(amp.throughput) for amp in amps]))  # of the median fiber: flat cannot tell
    usual *= 1 - SCATTERED  # light that the simulated fibers lose
    assert np.median(ratio) / usual == pytest.approx(1.0, abs=0.015)
    total = np.where(error > 0, observed - model, np.nan)[:, inner]
    assert np.nansum(total) / np.sum(source[:, inner]) / usual == pytest.approx(1.0, abs=0.03)
    assert extracted.shape == (6, grid.size)
    whole = np.median(extracted[1][inner] / source.sum(axis=0)[inner]) / usual
    assert 1.0 < whole < 1.08  # the fibers of the field catch all but the far wings
    with read(products, "cube") as cube:
        assert np.nansum(cube[0].data[inner]) / np.nansum(subtracted[:, inner]) == pytest.approx(1.0, abs=0.02)


def test_a_header_says_how_and_from_what(products):
    with read(products, "multi_") as multi:
        record = multi["provenance"].data
        text = " ".join(map(str, record.tolist()))
    assert "sky.surface" in text and "lrs20000007.tar" in text


def test_calibrations_are_made_once_and_only_what_changes_again(night):
    root = str(night[0])
    index, tables, cache = index_night(root, LRS2), tables_for(LRS2, "", root), ValueCache()
    (exposure,) = index.of_kind("sci", "orange")
    first = reduce_channel(index, exposure, "orange", tables, cache=cache, wanted=("biases", "flat"))
    again = reduce_channel(index, exposure, "orange", tables, cache=cache, wanted=("biases", "flat"))
    assert again.value("flat") is first.value("flat") and again.steps["flat"].seconds == 0


def test_without_lamps_or_twilight_it_says_what_is_missing(night, tmp_path):
    root, _ = night
    index, tables = index_night(str(root), LRS2), tables_for(LRS2, "", str(root))
    (exposure,) = index.of_kind("sci", "orange")
    alone = type(index)(index.path, index.instrument, (exposure,))
    done = reduce_channel(alone, exposure, "orange", tables)
    assert not done.complete and "no twilight and no lamp flat" in done.line
    with pytest.raises(MissingDataError, match="nothing of red"):
        setup_of(tables, exposure, "red")


def test_what_is_given_is_known_by_its_files(night):
    index, tables = index_night(str(night[0]), LRS2), tables_for(LRS2, "", str(night[0]))
    (exposure,) = index.of_kind("sci", "orange")
    inputs, notes = given(index, setup_of(tables, exposure, "orange"), exposure)
    assert set(inputs) == {"setup", "science_raw", "zeros", "twilights", "lamps"}
    assert len({one.key for one in inputs.values()}) == len(inputs)
    assert len(inputs["lamps"].value) == 2 and not notes


def test_a_tar_knows_the_nights_around_it(night):
    tar = next(Path(night[0]).rglob("lrs20000007.tar"))
    assert root_of(str(tar), index_night(str(tar), LRS2)) == str(night[0])


def test_words_that_make_no_sense_are_refused(night, tmp_path):
    root = str(night[0])
    with pytest.raises(UsageError, match="no channel"):
        commands.command("reduce", ["lrs2", "-d", str(DATE), "-s", "green", "--baseraw", root])
    with pytest.raises(UsageError, match="night is not said"):
        commands.command("reduce", ["lrs2"])
    with pytest.raises(UsageError, match="two coordinates"):
        commands.command("reduce", ["lrs2", "-d", str(DATE), "--source_x", "1"])
    with pytest.raises(MissingDataError, match="no science exposure"):
        commands.command("reduce", ["lrs2", "-d", "20200101", "--baseraw", root])
    with pytest.raises(MissingDataError, match="no raw science exposure"):
        reduce_files([str(next(Path(root).rglob("lrs20000002.tar")))])


def test_nights_around_are_searched_only_as_far_as_calibrations_lie(night, monkeypatch):
    whole, asked = index_night(str(night[0]), LRS2), []
    far = tuple(replace(e, date=20240901) if e.kind in ("twi", "cmp") else e for e in whole.exposures)

    def index(root, name, ctx, *, night, days):
        asked.append(days)
        known = far if not days or days > 30 else tuple(e for e in far if e.date == DATE)
        return type(whole)(root, name, known)

    monkeypatch.setattr(setup, "index_night", index)
    found = setup.night_around("root", LRS2, DATE)
    assert asked == [7, 60] and len(found.exposures) == len(whole.exposures)
    inputs, notes = given(found, setup_of(tables_for(LRS2), found.of_kind("sci")[0], "orange"), found.of_kind("sci")[0])
    assert {"twilights", "lamps"} <= set(inputs) and any("widened to 31" in note for note in notes)


def test_values_of_a_channel_are_gone_before_the_next_is_made(night, reduced, monkeypatch):
    done, kept, alive = reduced[1], [], []

    class Values:
        """Can be asked whether they are there still."""

    def made(*_, **__):
        alive.append(sum(one() is not None for one in kept))
        value = Values()
        kept.append(weakref.ref(value))
        return replace(done, steps={**done.steps, "cubes": replace(done.steps["cubes"], value=value)})

    def calibrated(inputs, *_):
        return ChannelCalibration(key_of(inputs, None), {}, (), done.setup)

    for name, instead in (("reduce_channel", made), ("calibrate", calibrated), ("judged", lambda *_: ())):
        monkeypatch.setattr(door, name, instead)
    index = index_night(str(night[0]), "lrs2")
    assert len(list(reduce_exposures(index, index.of_kind("sci", "orange") * 3, output="", hold=False))) == 3
    assert alive == [0, 0, 0]
