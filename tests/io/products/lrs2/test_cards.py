"""Values in the plain unit: in single precision without a whole copy in double."""

from __future__ import annotations

import tracemalloc

import numpy as np

from ifuview.io.products.lrs2.cards import PART, error_of, scaled, single
from ifuview.model.reduction.ccd import ReductionBit

UNIT = "1e-17 erg/s/cm2/Angstrom"


def test_large_arrays_are_as_if_made_at_once_and_take_little_beside_themselves():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(20 * PART + 7, 20, 33)).astype(np.float32)
    mask = np.where(rng.random(values.shape) < 0.1, np.uint32(int(ReductionBit.NO_DATA)), np.uint32(0))
    whole, plain = scaled(values, UNIT)
    good = (mask == 0) & (values > 0)
    error = np.where(good, scaled(np.sqrt(np.maximum(values, 0)), UNIT)[0], 0.0).astype(np.float32)
    tracemalloc.start()
    light, unit = single(values, UNIT)
    found = error_of(values, mask, UNIT)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(light, whole.astype(np.float32)) and unit == plain == "erg/s/cm2/Angstrom"
    assert np.array_equal(found, error)
    assert most < light.nbytes + found.nbytes + 0.5 * values.nbytes  # a whole copy in double precision is twice that
    assert single(values[:0], "electron")[1] == "electron"
