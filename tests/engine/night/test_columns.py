"""Columns of the detector through bent traces: where they are, which fibers they touch, and what is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.engine.night.questions.columns import SCORE
from ifuview.engine.night.search.columns import Spectra, columns, own_shape, steady, touched
from ifuview.recipes import desi_qa
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import plant_at

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


def test_a_column_is_in_most_of_its_bins_and_lines_of_a_target_are_in_few():
    of = spectra(3)
    fiber = int(np.flatnonzero(EMPTY)[5])
    at = float(np.median(CROSS[fiber, LOWER[fiber]]))
    for column_there in (True, False):
        own = Spectra(of.value.copy(), of.weight, EMPTY, SKY)
        if column_there:
            own.value[fiber] += 6.0 * ERROR * column(at, 1.0)[fiber]
        else:
            own.value[fiber, 2:60:10] += 20 * ERROR
        assert steady(own, columns(own, CROSS, LOWER), fiber, CROSS, LOWER) == column_there


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


@pytest.mark.parametrize("kind", ["column", "broad line", "break"])
def test_a_column_has_its_own_shape_and_features_of_targets_have_not(kind):
    of, bins = spectra(5), np.arange(BINS)
    fiber = int(np.argsort(np.where(EMPTY, np.inf, of.value.mean(axis=1)))[5])
    at = float(CROSS[fiber, LOWER[fiber]].min()) + 0.5  # it leaves the trace at the border of the amplifiers
    light = {
        "column": column(at, 1.0)[fiber], "broad line": np.exp(-0.5 * ((bins - 40) / 4.5) ** 2),
        "break": np.tanh((bins - 30) / 3.0),
    }[kind]  # fmt: skip
    of.value[fiber] += 25 * ERROR * light / np.sqrt(np.sum(light**2))
    found = columns(of, CROSS, LOWER)
    (own,) = own_shape(of, found, np.array([fiber]), CROSS, LOWER)
    assert (own > 20.0) == (kind == "column")


def test_a_column_that_lies_along_half_of_a_trace_is_found():
    """All but a twentieth of it looks like the spectrum of a target; the border of the amplifiers tells."""
    planted = plant_at(camera.made("z", 701004), table.DEFECTS["hot column"], 12.0, seed=700004)
    (one,) = desi_qa.run(planted.chain, 1, "z1", desi_qa.Params(("ccd-column",))).findings
    assert one.fibers == planted.truth.fibers
