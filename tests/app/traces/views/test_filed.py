"""Sentence, number and plot of a kinked trace say one thing, as the file counts, in each of eight orientations."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from ifuview.app.session import Session, Slot
from ifuview.app.traces import diagnosis, doctor
from ifuview.app.traces.views import findings, verdict
from ifuview.engine.traces.doctor.patterns.shapes import patterns
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.orientation import Orientation
from ifuview.model.pixels import Pixels
from ifuview.model.traces.doctor import Mode
from ifuview.simulate.detector.exposure import SimulatedFrame, expose
from ifuview.simulate.detector.perturb import kinked

FIBER, HEIGHT, COLUMN, WIDTH = 7, 0.9, 150.0, 30.0  # of the kink, canonical px


@pytest.fixture(scope="module")
def frame() -> SimulatedFrame:
    return expose("tiny", snr=60, seed=4)


@pytest.mark.parametrize("flips", list(itertools.product((False, True), repeat=3)))
def test_a_kink_is_where_the_file_has_it(frame: SimulatedFrame, flips: tuple[bool, bool, bool]) -> None:
    lies = Orientation(*flips)
    data = frame.image[:: -1 if lies.flip_cross else 1, :: -1 if lies.flip_disp else 1]
    native = np.ascontiguousarray(data.T if lies.transpose else data)
    image = Image("IMAGE", Kind.DETECTOR, Pixels(native), gain=1.0, readnoise=3.0, orientation=lies)
    traces = kinked(frame.traces, FIBER, HEIGHT, COLUMN, WIDTH)
    session = Session(slots=(Slot(1, "flat", Dataset(""), image, traces=traces),), current=1)
    session = doctor.diagnosed(session, 1, diagnosis.diagnose_image(image, traces), None)
    x, y = (float(v) for v in lies.to_native(float(traces.center[FIBER, int(COLUMN)]), COLUMN, native.shape))
    along, letter = (y, "x") if lies.transpose else (x, "y")

    found = findings.make(session)
    row = found.rows[0]
    assert row.finding.kind == "kink"
    word, first, last = re.search(r"between (rows|columns) (\d+) and (\d+)", row.finding.text).groups()
    assert word == ("rows" if lies.transpose else "columns")
    assert float(first) < along < float(last) < float(first) + 6 * WIDTH
    side = re.search(r"the light lies at (larger|smaller) ([xy])", row.finding.text).groups()
    assert side == ("larger" if lies.flip_cross else "smaller", letter)  # the trace was moved to larger canonical rows
    assert float(row.amount.split()[0]) * (1 if side[0] == "larger" else -1) == pytest.approx(HEIGHT, abs=0.05)
    assert row.point == pytest.approx((x, y), abs=WIDTH)

    shown = findings.evidence(found, 0)
    assert shown.x.label == ("Row y (px)" if lies.transpose else "Column (px)")
    assert shown.y.label == f"Offset to larger {letter} (px)"
    curve = shown.curves[0]
    worst = int(np.nanargmax(np.abs(curve.y)))
    assert curve.x[worst] == pytest.approx(along, abs=WIDTH)
    assert (curve.y[worst] > 0) == (side[0] == "larger")
    (where,) = shown.spans
    assert where.low < along < where.high
    assert shown.x.range[0] < along < shown.x.range[1] and shown.y.range[0] <= curve.y[worst] <= shown.y.range[1]

    wave = traces.wave[FIBER, int(COLUMN)]
    low, high = map(float, re.search(r"(\d+)–(\d+) Å", verdict.make(session).headline).groups())
    assert low < wave < high


def test_a_right_trace_has_its_mean_offset_as_the_file_counts() -> None:
    lies = Orientation(flip_cross=True)
    words = lies.words((10, 20))
    assert words.offset(0.3) == -0.3 and words.side(0.3) == "smaller y"
    assert replace(words, orientation=Orientation()).offset(0.3) == 0.3


@pytest.mark.parametrize("flips", list(itertools.product((False, True), repeat=3)))
def test_the_amplitude_of_a_pattern_is_that_along_the_axes_of_the_file(flips: tuple[bool, bool, bool]) -> None:
    """The same pattern fitted to the offsets in the file's own coordinates."""
    lies = Orientation(*flips)
    u, v = np.linspace(-1, 1, 41), np.linspace(-1, 1, 30)
    block, wave = np.zeros(v.size, int), np.broadcast_to((u + 1) / 2, (v.size, u.size))
    for pattern in patterns(u, v, wave, block):
        seen = 0.3 * pattern.value  # offsets in canonical axes
        filed = (-seen if lies.flip_cross else seen)[:: -1 if lies.flip_cross else 1, :: -1 if lies.flip_disp else 1]
        waves = wave[:, :: -1 if lies.flip_disp else 1]
        same = next(p for p in patterns(u, v, waves, block) if (p.name, p.kind) == (pattern.name, pattern.kind))
        amplitude = float(np.sum(filed * same.value) / np.sum(same.value**2))
        mode = Mode(pattern.name, 0.3, 0.01, 30.0, (), (0.0, 40.0))
        assert amplitude == pytest.approx(mode.filed(lies.words((30, 41))), abs=1e-9), pattern.name
        assert abs(amplitude) == pytest.approx(0.3, abs=1e-9)
