"""What is planted has the signal to noise that was asked for, and reaches every product that comes after it."""

from __future__ import annotations

import numpy as np
import pytest

from ifuview.engine.night.stats import binned
from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import PlantedChange, changed, ideal_snr, plant, plant_at


@pytest.fixture(scope="module")
def clean():
    return camera.made("r", 3)


@pytest.mark.parametrize("name", [n for n, d in table.DEFECTS.items() if d.snr and not d.floor])
def test_a_defect_has_the_signal_to_noise_that_was_asked_for(clean, name):
    defect = table.DEFECTS[name]
    planted = plant_at(clean, defect, 12.0, seed=4)
    assert planted.ideal == pytest.approx(12.0, rel=0.03)
    assert planted.ideal == pytest.approx(ideal_snr(clean, planted.chain))
    again = plant(clean, defect, planted.amplitude, seed=4)
    assert again.truth == planted.truth
    assert planted.truth.kinds


@pytest.mark.parametrize("name", list(table.DEFECTS))
def test_every_defect_changes_the_camera(clean, name):
    planted = plant(clean, table.DEFECTS[name], table.DEFECTS[name].amplitude, seed=6)
    fields = clean.__dataclass_fields__
    differs = [f for f in fields if not np.array_equal(getattr(clean, f), getattr(planted.chain, f))]
    assert differs


def test_a_clean_camera_obeys_its_own_reduction(clean):
    made = clean.frame / clean.flat - clean.sky
    assert np.abs(made - clean.sframe).max() < 0.02
    assert np.allclose(clean.sframe / clean.fluxcalib, clean.cframe, atol=1e-3)
    good = clean.sframe_ivar > 0
    pull = (clean.sframe * np.sqrt(clean.sframe_ivar))[clean.is_sky][good[clean.is_sky]]
    assert np.std(pull) == pytest.approx(1.0, abs=0.05)


def test_the_sky_model_takes_along_what_all_sky_fibers_have(clean):
    lamp = 20.0 * np.ones((clean.shape[0], 1))
    lit = changed(clean, PlantedChange(light=lamp))
    assert np.abs(lit.sframe - clean.sframe).max() < 0.01  # nothing of it is left
    assert np.median(lit.sky - clean.sky) == pytest.approx(20.0, abs=0.01)


def test_new_noise_is_new_and_of_the_same_size(clean):
    other = camera.renewed(clean, 9)
    good = (clean.sframe_ivar > 0) & clean.is_sky[:, None]
    difference = (other.sframe - clean.sframe)[good] * np.sqrt(clean.sframe_ivar[good])
    assert np.std(difference) == pytest.approx(np.sqrt(2.0), abs=0.06)
    assert np.abs(other.frame / other.flat - other.sky - other.sframe).max() < 0.02
    faint = ~clean.is_sky & (np.median(clean.sframe, axis=1) < 0.1 * np.median(clean.sky))
    away = binned(((other.sframe - clean.sframe) * np.sqrt(clean.sframe_ivar))[faint], 20)
    assert np.std(away) * np.sqrt(20) == pytest.approx(np.sqrt(2.0), abs=0.1)  # 1 if it had the old noise there
