"""A raw night without a window: opened by every name, listed, filtered, stepped through; numbers against the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ifuview import instrument
from ifuview.app import intents as want
from ifuview.app.frames.views.readout import readout
from ifuview.app.night import open_night
from ifuview.app.night.raw import GAP
from ifuview.app.night.views import exposures as view
from ifuview.instrument.tables import Tables
from ifuview.model.image import Kind
from ifuview.model.night.raw import AMPLIFIERS, DETECTOR, OVERSCAN
from ifuview.simulate.het.ccd import light_on
from ifuview.simulate.het.night import Shot, light_of, write_night
from ifuview.simulate.het.setup import channel_setup
from ifuview.simulate.het.source import fiber_points
from tests.app.runner import Runner

SPEC, UNIT, DATE = instrument.instrument("lrs2"), ("503", "056", "7001"), 20240801
TWILIGHT = Shot(2, "twi", "skyflat", 5.0)
ARCS = (Shot(3, "cmp", "Hg_B", 30.0), Shot(4, "cmp", "Cd-A_B", 30.0))
SCIENCE = Shot(7, "sci", "STAR_056_E", 60.0, missing=("056LU",), flipped={"056RU": "LR", "056RL": "UL"})


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    root = tmp_path_factory.mktemp("raw_night")
    channels = [channel_setup(SPEC, Tables("lrs2"), camera, UNIT, DATE, seed=4) for camera in ("uv", "orange")]
    return root, write_night(root, SPEC, channels, [TWILIGHT, SCIENCE, *ARCS], DATE, cosmics=0.0, broken=False)


@pytest.fixture(scope="module")
def opened(truth) -> Runner:
    found = Runner()
    found.ask(want.OpenFile(str(truth[0])))
    return found


@pytest.fixture
def runner(opened: Runner) -> Runner:
    """One that has opened the night: a session is a value from which each test goes on by itself."""
    found = Runner(opened.session)
    found.window.extend(opened.window)
    return found


def test_a_raw_night_is_listed_like_any_night(runner):
    index = runner.session.night.index
    assert [(e.night, e.name, e.obstype, e.object, e.exptime) for e in index.exposures] == [
        (DATE, "2/1", "twi", "skyflat", 5.0),
        (DATE, "3/1", "cmp", "Hg_B", 30.0),
        (DATE, "4/1", "cmp", "Cd-A_B", 30.0),
        (DATE, "7/1", "sci", "STAR_056_E", 60.0),
    ]
    assert index.cameras == ("uv", "orange")
    assert want.ShowDock("exposures", front=False) in runner.window
    assert runner.session.slot().title.startswith("uv sci")  # no dead first screen
    made = view.make(runner.session)
    assert made.rows[-1].cells == (str(DATE), "7/1", "STAR_056_E", "uv orange", "", "sci", "60", "", "", "", "")
    assert {view.COLUMNS[n] for n in made.hidden} == {"Tile", "Seeing (″)", "Transparency", "Raw"}
    assert view.tip(made.rows[-1], "uv", made.products).startswith("uv of 7/1, bad amplifier LU")
    assert view.matches(made, "type=sci")[0] == view.matches(made, "object=star exptime>10")[0] == [3]
    assert view.matches(made, "target=orange")[0] == [3]
    assert view.matches(made, "target=red")[0] == []


def test_a_detector_shows_electrons_with_error_amplifier_by_amplifier(runner, truth):
    _, night = truth
    runner.ask(want.ShowProduct(runner.session.night.index.exposures[0].expid, "uv", DETECTOR))
    slot = runner.session.slot()
    image = slot.image
    assert slot.title == f"uv twi {DATE} 2/1"
    assert (image.kind, image.unit, image.shape, image.camera) == (Kind.DETECTOR, "electron", (2064, 2064), "uv")
    channel = night.channel("uv")
    light = light_of(channel, TWILIGHT, *fiber_points(0.59)).electrons
    pixels = image.pixels.native()
    for n, (amp, expected) in enumerate(zip(channel.amplifiers, light_on(channel.amplifiers, light), strict=True)):
        rows = slice(1032 * n, 1032 * (n + 1))
        pull = (pixels[rows] - expected) / np.sqrt(expected + amp.readnoise**2)
        assert np.std(pull) == pytest.approx(1, abs=0.01)
        assert np.mean(pull) == pytest.approx(0, abs=0.02)  # the level is known to some thousandths of an electron
        variance = np.maximum(pixels[rows], 0) + amp.readnoise**2
        assert np.median(image.ivar.native()[rows] * variance) == pytest.approx(1, abs=0.01)
    said = readout(runner.session, slot.key, 1000.0, 1500.0)
    words = dict(said.fields)
    assert words["amplifier"] == "LU" and words["mask"] == "none" and words["value"].endswith(" e")
    assert float(words["σ"]) == pytest.approx(max(said.value, 0) ** 0.5, rel=0.3)


def test_a_missing_amplifier_leaves_its_place_empty_and_is_said(runner):
    expid = runner.session.night.index.exposures[-1].expid
    runner.ask(want.ShowProduct(expid, "uv", DETECTOR))
    slot = runner.session.slot()
    pixels = slot.image.pixels.native()
    assert np.isfinite(pixels[:1032]).all() and np.isnan(pixels[1032:]).all()
    assert [a.name for a in slot.image.amplifiers] == ["LL"]
    assert any("LU is not there" in text for text in slot.dataset.notes)


def test_controllers_that_name_the_amplifier_do_not_turn_the_picture(runner, truth):
    """Blue stays left: the flip of AMPNAME is taken back, so that the sky's lines lie where they were put."""
    runner.ask(want.ShowProduct(runner.session.night.index.exposures[-1].expid, "orange", DETECTOR))
    pixels = runner.session.slot().image.pixels.native()
    light = light_of(truth[1].channel("orange"), SCIENCE, *fiber_points(0.59)).electrons
    for rows, own in ((slice(0, 1032), light[:140]), (slice(1032, 2064), light[140:])):
        seen, expected = pixels[rows].mean(axis=0), own.mean(axis=0)
        assert np.corrcoef(seen, expected)[0, 1] > 0.9
        assert np.corrcoef(seen[::-1], expected)[0, 1] < 0.5


def test_the_overscan_can_be_shown_and_all_amplifiers_side_by_side(runner):
    expid = runner.session.night.index.exposures[0].expid
    runner.ask(want.ShowProduct(expid, "uv", OVERSCAN))
    image = runner.session.slot().image
    assert image.shape == (2064, 2128) and image.unit == "ADU"
    assert dict(readout(runner.session, runner.session.current, 2100.0, 10.0).fields)["amplifier"] == "LL overscan"
    level = image.pixels.native()[:1032, 2070:].mean()
    runner.ask(want.ShowProduct(expid, "uv", AMPLIFIERS))
    image = runner.session.slot().image
    assert image.shape == (2 * 1032 + GAP, 2 * 2128 + GAP)
    assert [a.name for a in image.amplifiers] == ["uv LL", "uv LU", "orange RU", "orange RL"]
    assert image.pixels.native()[:1032, 2070:2128].mean() == pytest.approx(level)
    runner.ask(want.BlinkAlong("cameras"))
    assert {runner.session.night.shown[s.key].camera for s in runner.session.slots} == {"uv", "orange"}
    runner.ask(want.BlinkAlong("cameras"), want.BlinkAlong("chain"))
    assert {runner.session.night.shown[s.key].product for s in runner.session.slots} >= {OVERSCAN, DETECTOR}


@pytest.mark.parametrize("name", ["20240801/lrs2/lrs20000007.tar", "20240801/lrs2/lrs20000007.tar/lrs20000007/exp01"])
def test_one_exposure_is_shown_at_once(truth, name):
    runner = Runner()
    runner.ask(want.OpenFile(str(truth[0] / name)))
    assert runner.session.slot().title == f"uv sci {DATE} 7/1"
    place = open_night.here(runner.session)
    assert (place.camera, place.product) == ("uv", DETECTOR)
    assert runner.session.slot().traces.wave is not None  # of calibrations that lie beside the observation


def test_one_amplifier_opens_as_it_is_stored(truth):
    runner = Runner()
    folder = "20240801/lrs2/lrs20000002.tar/lrs20000002/exp01/lrs2"
    path = next(a.path for a in first_exposure(truth[0]).parts if a.name == "LU")
    assert folder in path
    runner.ask(want.OpenFile(path))
    image = runner.session.slot().image
    assert image.shape == (1032, 2128) and image.kind is Kind.DETECTOR
    assert image.orientation.flip_cross and image.orientation.flip_disp
    assert dict(readout(runner.session, runner.session.current, 10.0, 10.0).fields)["amplifier"] == "LU"
    assert dict(readout(runner.session, runner.session.current, 2100.0, 10.0).fields)["amplifier"] == "LU overscan"


def first_exposure(root: Path):
    return open_night.scan_folder(str(root)).exposures[0]


def test_an_archive_without_raw_data_is_refused_in_one_sentence(tmp_path):
    import tarfile

    (tmp_path / "a.txt").write_text("text")
    with tarfile.open(tmp_path / "some.tar", "w") as archive:
        archive.add(tmp_path / "a.txt", "a.txt")
    runner = Runner()
    runner.ask(want.OpenFile(str(tmp_path / "some.tar")))
    assert "no raw amplifiers are in this archive" in runner.said()[-1]
    assert runner.session.night is None


def test_fibers_and_wavelengths_come_from_twilight_and_arcs(runner, truth):
    expid = runner.session.night.index.exposures[-1].expid
    runner.ask(want.ShowProduct(expid, "orange", DETECTOR))
    traces = runner.session.slot().traces
    channel = truth[1].channel("orange")
    center = np.concatenate([a.at(a.trace) + 1032 * n for n, a in enumerate(channel.amplifiers)])
    wave = np.concatenate([a.at(a.wave) for a in channel.amplifiers])
    assert np.sqrt(np.mean((traces.center - center) ** 2)) < 0.02  # px; the shift of science is not in it
    assert np.sqrt(np.mean((traces.wave - wave) ** 2)) < 0.05 * channel.dispersion
    words = dict(readout(runner.session, runner.session.current, 1000.0, float(center[200, 1000])).fields)
    assert words["fiber"].startswith("200 (row 200)")
    assert float(words["λ"].split()[0]) == pytest.approx(wave[200, 1000], abs=0.1)
    done = len(runner.session.night.places)
    runner.ask(want.ShowProduct(runner.session.night.index.exposures[0].expid, "orange", DETECTOR))
    assert runner.session.slot().traces is not None and len(runner.session.night.places) == done  # shared
