"""Gains that no header tells: measured on the light of the frames, said, and used by all that reads them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.night.virus.gains import measured_gains, wrong_gains
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_read import read_frame
from ifuview.io.night.raw_units import with_gains
from ifuview.simulate.het.heads import head_setup
from ifuview.simulate.het.night import Shot, write_night
from ifuview.simulate.het.setup import cut

SPEC = instrument("virus")
UNIT, DATE, NFIBER = ("308", "047", "024"), 20190822, 24


def test_a_gain_that_no_frame_tells_is_measured_and_used(tmp_path):
    side = cut(head_setup(SPEC, Tables("virus"), "047L", UNIT, DATE, seed=7), NFIBER, (0, 1032))
    rows = max(amp.shape[0] for amp in side.amplifiers)
    low, high = (replace(amp, shape=(rows, 1032), gain=gain) for amp, gain in zip(side.amplifiers, (0.7, 1.3)))
    side = replace(side, amplifiers=(low, high))
    night = [Shot(11, "sci", "FIELD", 360.0, number=n + 1, cards={"GAIN": None}) for n in range(2)]
    write_night(tmp_path, SPEC, [side], (Shot(2, "drk", "dark", 360.0, cards={"GAIN": None}), *night), DATE, packing="")
    assert SPEC.raw is not None
    spec = SPEC._replace(raw=SPEC.raw._replace(shape=(rows, SPEC.raw.shape[1])))
    found = index_night(str(tmp_path), "virus").exposures
    whole = tuple(replace(e, amplifiers=tuple(replace(a, problem="") for a in e.amplifiers)) for e in found)
    gains = measured_gains(whole, ("047",), spec)
    for amp in side.amplifiers:
        gain, error = gains["047", amp.name]
        assert abs(gain - amp.gain) < 3 * error and error < 0.06 * gain
    assert measured_gains(whole, ("046",), spec) == {}
    assert measured_gains([e for e in whole if e.kind == "drk"], ("047",), spec) == {}
    told = with_gains(whole, gains)
    frame = read_frame(told[-1].amplifiers[0], spec)
    assert frame.gain == gains["047", told[-1].amplifiers[0].name][0]
    assert any("by its photon noise" in note for note in frame.notes)
    assert measured_gains(told, ("047",), spec) == {}  # it is known now
    assert read_frame(whole[-1].amplifiers[0], spec).gain == pytest.approx(SPEC.raw.gain)
    other = tuple(
        replace(e, amplifiers=tuple(replace(a, header={**a.header, "GAIN": 1.3}) for a in e.amplifiers)) for e in whole
    )
    (text,) = wrong_gains(other, "047", {"LL": 1.86, "LU": 0.54}, spec)  # 0.7 and 1.3 are right
    assert text.startswith(f"047 {low.name}: the header tells a gain of 1.300 e/ADU, its photons 0.")
    assert text.endswith("its light is 1.86 times that of the others") and wrong_gains(other, "047", {}, spec) == ()
    assert np.isfinite([value for pair in gains.values() for value in pair]).all()
