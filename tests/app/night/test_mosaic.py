"""All amplifiers of an exposure as one picture: coarse at once, pixels as far as the view comes to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from ifuview.app import intents as want
from ifuview.app.frames.look import Look, Reduction, ViewState
from ifuview.app.frames.views import raster
from ifuview.app.night.amplifiers import mosaic
from ifuview.app.night.raw_places import stacked
from ifuview.app.session import Session
from ifuview.model.night.raw import AMPLIFIERS, HEAD
from ifuview.model.trace import TraceSet
from tests.app.night.test_health import amplifier
from tests.app.runner import Runner

LIGHT = 40.0  # ADU above the overscan in the lower half of LU

FAR = (300.0, 300.0)  # screen px


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[Runner]:
    """One exposure of a head, LU with light in half of it, on a canvas as small as if there were many heads."""
    from astropy.io import fits

    folder = tmp_path_factory.mktemp("mosaic")
    for name in ("LL", "LU", "RU", "RL"):
        path = amplifier(folder, name, 1)
        if name == "LU":
            with fits.open(path, "update") as file:
                data = file[0].data.astype(np.int32)
                data[516:, :1032] += int(LIGHT)  # the upper half as it is stored: both axes are turned
                file[0].data = data.astype(np.uint16)
    runner = Runner(Session(judges=False))
    runner.ask(want.OpenFile(str(folder)))
    expid = runner.session.night.index.exposures[0].expid
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mosaic, "REACH", FAR)
        runner.ask(want.ShowProduct(expid, "047L", AMPLIFIERS))
        yield runner


def box(slot, name):
    return next(one for one in slot.image.amplifiers if one.name.endswith(name))


def test_the_coarse_copy_has_every_amplifier_in_its_place(opened):
    slot = opened.session.slot()
    assert slot.image.shape == (2064, 2064) and len(slot.image.amplifiers) == 4 and not slot.pyramid.read
    assert (box(slot, "LL").x0, box(slot, "LL").y0) == (0, 0) and box(slot, "LU").y0 == 1032
    assert box(slot, "RL").x0 == 1032 == box(slot, "RL").y0  # right detector: RU below, RL above
    coarse = slot.pyramid.levels[mosaic.COARSE - 1]
    at = box(slot, "LU")
    lit = coarse[at.y0 // 8 : at.y0 // 8 + 64, at.x0 // 8 : at.x1 // 8]
    dark = coarse[at.y0 // 8 + 65 : at.y1 // 8, at.x0 // 8 : at.x1 // 8]
    error = 3.75 / 8  # of a mean of 64 pixels; their median over thousands is a few percent of it
    assert np.median(lit) == pytest.approx(LIGHT, abs=error) and np.median(dark) == pytest.approx(0, abs=error)
    assert slot.look.lo < 0 < LIGHT * 1.5 > slot.look.hi > slot.look.lo


def test_pixels_come_with_the_view_and_agree_with_the_file(opened):
    slot = opened.session.slot()
    assert not mosaic.wanted(slot) and np.isnan(slot.image.pixels.value(10, 10))
    opened.ask(want.SetView(slot.key, ViewState(x=200.0, y=200.0, zoom=1.0, fit=False)))
    now = opened.session.slot()
    assert {now.image.amplifiers[n].name for n in now.pyramid.read} >= {"047L LL"} and not mosaic.wanted(now)
    values = now.image.pixels.rows(0, 1032)[:, :1032]
    assert np.std(values) == pytest.approx(3.75, rel=0.02) and abs(np.median(values)) <= 0.5
    means = values.reshape(129, 8, 129, 8).mean(axis=(1, 3))
    assert np.allclose(means, now.pyramid.levels[2][:129, :129], atol=0.51)  # the level is stored as a whole number
    halves = values.reshape(516, 2, 516, 2).mean(axis=(1, 3))
    assert np.allclose(now.pyramid.levels[0][:516, :516], halves, atol=1e-3)


def test_few_heads_fill_the_canvas_and_are_read_as_they_are_shown(opened, monkeypatch):
    slot = opened.session.slot()
    blank = replace(slot, pyramid=replace(slot.pyramid, read=frozenset()), view=ViewState())
    assert blank.view.fit and not mosaic.wanted(blank)
    monkeypatch.setattr(mosaic, "REACH", (1600.0, 1000.0))
    assert len(mosaic.wanted(blank)) == 4  # 2064 px on a canvas of up to 1000


def test_the_copies_stay_whatever_the_look(opened):
    slot = opened.session.slot()
    opened.ask(want.SetLook(slot.key, replace(slot.look, reduction=Reduction.EXTREME)))
    now = opened.session.slot()
    assert now.pyramid is slot.pyramid
    whole = raster.gather(
        now.image.pixels, now.pyramid, raster.fit_view(now.image.shape, (500, 400), ViewState()), (500, 400),
        reduction=Reduction.EXTREME,
    )  # fmt: skip
    assert np.isfinite(whole.values).mean() > 0.9
    opened.ask(want.SetLook(slot.key, Look()))  # limits anew, of what is known
    assert opened.session.slot().look.hi > opened.session.slot().look.lo


def test_a_whole_head_is_its_detectors_one_above_the_other(opened):
    expid = opened.session.night.index.exposures[0].expid
    opened.ask(want.ShowProduct(expid, "047R", HEAD))
    slot = opened.session.slot()
    assert [one.name for one in slot.image.amplifiers] == ["LL", "LU", "RU", "RL"]
    assert slot.image.shape == (4 * 1032, 1032) and slot.image.unit == "electron"
    lit = slot.image.pixels.rows(1032 + 100, 1032 + 110)
    assert np.median(lit) == pytest.approx(LIGHT * 0.8, abs=0.5)


def test_traces_of_a_head_are_those_of_its_detectors():
    lower = TraceSet(np.arange(2), np.array([[1.0, 1.5], [8.0, 8.5]]), wave=np.full((2, 2), 4000.0))
    upper = TraceSet(np.arange(1), np.array([[3.0, 3.5]]), wave=np.full((1, 2), 5000.0))
    whole = stacked([(lower, 0), (upper, 2064)])
    assert whole.center[:, 0].tolist() == [1.0, 8.0, 2067.0] and whole.wave[:, 0].tolist() == [4000.0, 4000.0, 5000.0]
    assert whole.fiber.tolist() == [0, 1, 2] and stacked([(lower, 0)]) is lower
