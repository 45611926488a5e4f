"""Columns of the detector through bent traces: where they are, which fibers they touch, and what is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.questions.columns import OWN_SHAPE, SCORE, SHARP
from ifuview.engine.night.search.bumps.crossing import crossing, step, supported
from ifuview.engine.night.search.columns import Spectra, columns, jumps, spectrum, touched
from ifuview.engine.night.search.columns import spectra as in_bins
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import plant, plant_at
from tests.bench.truth import judged

FIBERS, BINS, ERROR, SKY = 200, 120, 2.0, 90.0
U = np.linspace(-1, 1, BINS)
CROSS = (20.0 + 7.3 * np.arange(FIBERS)[:, None] + 6.0 * U**2 + 2.0 * U).astype(np.float32)
LOWER = np.broadcast_to(U < 0.05, CROSS.shape)
EMPTY = np.arange(FIBERS) % 10 == 0


def spectra(seed):
    """Targets with slopes of their own, sky fibers without light."""
    random = np.random.default_rng(seed)
    level = np.where(EMPTY, 0.0, SKY * 0.15 * random.lognormal(0, 1, FIBERS))
    value = level[:, None] * (1 + 0.2 * U) ** random.normal(0, 1, FIBERS)[:, None]
    value += ERROR * random.normal(size=CROSS.shape)
    return Spectra(value, np.full(CROSS.shape, ERROR**-2.0), EMPTY, SKY)


def column(at, level):
    return level * np.exp(-0.5 * ((CROSS - at) / 1.1) ** 2) * LOWER


@pytest.mark.parametrize("kind", ["faint target", "sky"])
def test_a_column_is_found_where_it_crosses_a_trace(kind):
    for seed in range(8):
        of = spectra(seed)
        level = np.where((kind == "sky") == EMPTY, of.value.mean(axis=1), np.inf)
        fiber = int(np.argsort(level)[5])
        at = float(np.median(CROSS[fiber, LOWER[fiber]]))
        light = column(at, 1.0)
        of.value[:] += 16.0 * ERROR * light / np.sqrt(np.sum(light**2))  # what the spectrum may be takes some 40 %
        found = columns(of, CROSS, LOWER)
        best = int(np.argmax(found.score))
        assert found.score[best] > SCORE
        assert found.at[best] == pytest.approx(at, abs=1.1)
        assert found.lower[best]
        fibers, (first, last) = touched(CROSS, LOWER, float(found.at[best]))
        assert {best, fiber} <= set(fibers)
        assert 0 <= first < last <= np.count_nonzero(LOWER[0])


def test_a_column_leaves_noise_and_lines_of_a_target_do_not():
    of = spectra(3)
    fiber = int(np.flatnonzero(EMPTY)[5])
    at = float(np.median(CROSS[fiber, LOWER[fiber]]))
    for column_there in (True, False):
        own = replace(of, value=of.value.copy())
        if column_there:
            own.value[fiber] += 6.0 * ERROR * column(at, 1.0)[fiber]
        else:
            own.value[fiber, 2:60:10] += 20 * ERROR
        one = crossing(spectrum(own, columns(own, CROSS, LOWER), fiber), CROSS[fiber].astype(float), LOWER[fiber])
        assert one.found.quiet == column_there


def beside_each_other(of):
    """Two faint targets, the second one after the first."""
    dark = np.argsort(np.where(EMPTY, np.inf, of.value.mean(axis=1)))
    fiber = next(int(f) for f in dark if f + 1 < FIBERS and not EMPTY[f + 1] and LOWER[f, 0])
    return [fiber, fiber + 1]


def both_asked(of, both):
    """The column that the first of two fibers tells, with what the other one says."""
    found = columns(of, CROSS, LOWER)
    fits = [spectrum(of, found, f) for f in both]
    alone = crossing(fits[0], CROSS[both[0]].astype(float), LOWER[both[0]])
    return supported(alone, fits, CROSS[both].astype(float), LOWER[both])


@pytest.mark.parametrize("beside", ["its light", "nothing", "a feature of its own"])
def test_the_fiber_beside_it_supports_a_column_by_its_level_alone(beside):
    """A column between two traces: its light is in both, by one level."""
    of = spectra(4)
    both = beside_each_other(of)
    at = float(CROSS[both[0], LOWER[both[0]]].max()) - 1.0
    while not 0.2 < (column(at, 1.0)[both[1]] ** 2).sum() / (column(at, 1.0)[both[0]] ** 2).sum() < 5.0:
        at += 0.25
    light = 20 * ERROR * column(at, 1.0)[both]
    if beside == "a feature of its own":
        light[1] *= 10 / light[1].max() * 20 * ERROR
    of.value[both] += light * [[1.0], [beside != "nothing"]]
    one = both_asked(of, both)
    if beside == "its light":
        assert one.support > 10
        assert one.at == pytest.approx(at, abs=0.3)
    else:
        assert one.support < 1.0


def test_the_fiber_beside_it_denies_a_column_that_should_be_in_it():
    of = spectra(4)
    both = beside_each_other(of)
    at = float(CROSS[both[0]].max()) - 0.5  # of the upper half, where the next trace begins
    of.value[both[0]] += 20 * ERROR * (np.exp(-0.5 * ((CROSS[both[0]] - at) / 1.1) ** 2) * ~LOWER[both[0]])
    assert both_asked(of, both).support < -10


def test_what_is_no_line_in_its_light_speaks_for_a_feature_of_a_target():
    """A line is as likely beside a column as on it, but for the part of the spectrum that its light takes."""
    of = spectra(5)
    fiber = int(np.argsort(np.where(EMPTY, np.inf, of.value.mean(axis=1)))[5])
    light = column(float(CROSS[fiber, LOWER[fiber]].min()) + 0.5, 1.0)[fiber]
    over = []
    peak = int(np.argmax(light)) + 1
    for odd, size in ((peak, 0.0), (BINS - 20, 12.0), (peak, 12.0), (peak, -12.0)):
        value = of.value.copy()
        value[fiber] += 25 * ERROR * light / np.sqrt(np.sum(light**2))
        value[fiber, odd] += size * ERROR
        own = replace(of, value=value)
        one = crossing(spectrum(own, columns(own, CROSS, LOWER), fiber), CROSS[fiber].astype(float), LOWER[fiber])
        over.append(one.found.over)
    assert over[1] == pytest.approx(over[0], abs=8.0)
    assert over[2] == pytest.approx(over[0] - 2 * np.log(BINS / np.count_nonzero(light > 0.1)), abs=8.0)
    assert over[3] < over[0] - 15.0


def test_smooth_spectra_have_no_columns():
    best = [float(columns(spectra(seed), CROSS, LOWER).score.max()) for seed in range(20)]
    assert max(best) < SCORE


def test_a_column_in_a_camera_is_named_with_its_fibers():
    planted = plant_at(camera.made("z", 1013), table.DEFECTS["hot column"], 12.0, seed=13)
    (one,) = desi_qa.run(planted.chain, 1, "z1").findings
    assert (one.kind, one.first_step, one.fibers) == ("ccd-column", "preproc", planted.truth.fibers)
    assert "target" in one.text


@pytest.mark.parametrize(("arm", "seed"), [("b", 5018), ("z", 9705005), ("r", 9705019)])
def test_broad_lines_of_targets_are_no_columns(arm, seed):
    """Half of the targets have one; those of the last two lie at the end of a spectrum, where a column begins, too."""
    found = desi_qa.run(camera.made(arm, seed, broad=True), 1, f"{arm}1", desi_qa.Params(("ccd-column",))).findings
    assert found == ()


def test_what_targets_have_in_common_is_no_column_and_hides_none():
    """Continua that wave by a tenth over a quarter of the range and more, each in its own way."""
    waves = np.array([np.cos(k * np.pi * (U + 1) / 2) for k in range(3, 8)])
    for seed in range(6):
        of = spectra(seed)
        level = np.where(EMPTY, 0.0, of.value.mean(axis=1))
        own = 0.06 * np.random.default_rng((seed, 1)).normal(size=(FIBERS, len(waves))) @ waves
        of.value[:] += level[:, None] * own
        fiber = int(np.argsort(np.where(EMPTY, np.inf, level))[120])
        light = column(float(np.median(CROSS[fiber, LOWER[fiber]])), 1.0)
        there = replace(of, value=of.value + 36.0 * ERROR * light / np.sqrt(np.sum(light**2)))
        assert columns(of, CROSS, LOWER).score[level < 0.5 * SKY].max() < SCORE
        found = columns(there, CROSS, LOWER).score
        assert found[fiber - 1 : fiber + 2].max() > SCORE


@pytest.mark.parametrize("kind", ["column", "cold", "wide", "broad line", "dip", "line at the end", "break"])
def test_a_column_has_its_own_shape_and_features_of_targets_have_not(kind):
    """Lines of any place and width, between those that are tried first."""
    of, bins = spectra(5), np.arange(BINS)
    fiber = int(np.argsort(np.where(EMPTY, np.inf, of.value.mean(axis=1)))[5])
    at = float(CROSS[fiber, LOWER[fiber]].min()) + 0.5  # it leaves the trace at the border of the amplifiers
    light = {
        "column": column(at, 1.0), "cold": -column(at, 1.0), "wide": sum(column(at + k, 1.0) for k in (-1, 0, 1)),
        "broad line": np.exp(-0.5 * ((bins - 40.3) / 5.2) ** 2), "dip": -np.exp(-0.5 * ((bins - 40.3) / 5.2) ** 2),
        "line at the end": np.exp(-0.5 * ((bins - 9.6) / 7.4) ** 2), "break": np.tanh((bins - 30.4) / 2.6),
    }[kind]  # fmt: skip
    light = light[fiber] if light.ndim == 2 else light
    of.value[fiber] += 25 * ERROR * light / np.sqrt(np.sum(light**2))
    one = crossing(spectrum(of, columns(of, CROSS, LOWER), fiber), CROSS[fiber].astype(float), LOWER[fiber])
    assert (one.found.quiet and one.found.over > OWN_SHAPE) == (kind in ("column", "cold", "wide"))
    if kind in ("column", "cold", "wide"):
        assert one.at == pytest.approx(at, abs=0.5)
        assert (one.found.level < 0) == (kind == "cold")


@pytest.mark.parametrize("width", [0.0, 3.0])
def test_a_level_that_begins_at_once_is_no_break_of_a_target(width):
    of, bins = spectra(6), np.arange(BINS)
    fiber = int(np.argsort(np.where(EMPTY, np.inf, of.value.mean(axis=1)))[9])
    of.value[fiber] += (
        14 * ERROR * (np.clip(bins + 1 - 70.6, 0, 1) if width == 0 else 0.5 * np.tanh((bins - 70.6) / width))
    )
    edge, one = step(spectrum(of, columns(of, CROSS, LOWER), fiber))
    assert (one.quiet and one.over > SHARP) == (width == 0)
    assert np.argmax(jumps(of)) == fiber
    if width == 0:
        assert edge == pytest.approx(70.6, abs=0.5)


@pytest.mark.parametrize("name", ["cold column", "column in a target", "column in sframe", "column in cframe"])
def test_columns_of_every_kind_are_named_with_their_fibers(name):
    defect = table.DEFECTS[name]
    planted = plant_at(camera.made("b", 43), defect, defect.snr, seed=4)
    assert judged(list(desi_qa.run(planted.chain, 1, "b1").findings), planted.truth) == (True, True, True)


def test_a_column_that_lies_along_half_of_a_trace_is_found():
    """All but a twentieth of it looks like the spectrum of a target; the border of the amplifiers tells."""
    planted = plant_at(camera.made("z", 701004), table.DEFECTS["hot column"], 12.0, seed=700004)
    (one,) = desi_qa.run(planted.chain, 1, "z1", desi_qa.Params(("ccd-column",))).findings
    assert one.fibers == planted.truth.fibers


def test_a_spectrum_has_the_noise_of_its_own_light():
    """A target of three times the sky: by the noise of a typical fiber nothing would explain what a column leaves."""
    random = np.random.default_rng(8)
    noise = np.where(np.arange(20) == 7, 2.0, 1.0)[:, None] * np.ones(BINS * 20)
    flux = noise * random.normal(size=noise.shape)
    flux[3, 5] = np.nan
    ivar = np.where(np.isfinite(flux), noise**-2.0, 0.0)
    of = in_bins(flux.astype(np.float32), ivar.astype(np.float32), np.zeros(20, bool), SKY)
    z = of.value * np.sqrt(of.weight)
    assert z[7].std() == pytest.approx(1.0, abs=0.2)  # three errors of the scatter of 120 bins
    assert z.std() == pytest.approx(1.0, abs=0.05)
    assert of.weight[7, 0] == pytest.approx(20 / 4.0)
    assert of.weight[3, 0] == pytest.approx(19.0)


@pytest.mark.parametrize(("arm", "number"), [("z", 16), ("b", 6)])
def test_a_hot_column_in_a_target_brighter_than_the_sky_is_named(arm, number):
    """Targets of 1.2 and 2 sky levels, noisier than a typical fiber."""
    chain, defect = camera.made(arm, 96301000 + number), table.DEFECTS["hot column"]
    planted = plant_at(chain, defect, defect.snr, seed=96300000 + number)
    (one,) = desi_qa.run(planted.chain, 1, f"{arm}1", desi_qa.Params(("ccd-column",))).findings
    assert one.fibers == planted.truth.fibers and "or a broad feature" in one.text


@pytest.mark.parametrize(("arm", "number", "seed"), [("b", 1014, 4), ("b", 1015, 46), ("r", 1016, 16)])
def test_a_column_in_a_sky_fiber_is_named_where_an_object_would_be(arm, number, seed):
    chain = camera.made(arm, number)
    planted = plant(chain, table.DEFECTS["hot column"], 60.0, seed=seed)
    assert chain.is_sky[list(planted.truth.fibers)].all()
    assert judged(list(desi_qa.run(planted.chain, 1, f"{arm}1").findings), planted.truth) == (True, True, True)
