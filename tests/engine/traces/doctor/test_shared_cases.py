"""The perturbed traces of the shared data on their flat: all injected errors are found, corrected, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ifuview.app.frames.opening.reading import open_dataset
from ifuview.app.traces.diagnosis import diagnose_image
from ifuview.io import read_traces

FLAT = "preproc/20211014/00104260/preproc-r6-00104260.fits.fz"
TRUTH = "calibnight/20211014/psfnight-r6-20211014.fits.gz"
LIT = (5760.0, 7620.0)  # Angstrom, where the truth is given
ODD = {136, 137, 138}  # fibers whose real shape is odd
# case -> mode, problems
EXPECTED = {
    "identity": (set(), {}),
    "global_shift": ({"shift"}, {}),
    "rotation": ({"rotation"}, {}),
    "wave_drift": ({"drift"}, {}),
    "bundle_shift": ({"block_shift"}, {}),
    "fiber_kink": (set(), {"kink": {312}}),
    "swap_merge": (set(), {"swapped": {130, 131}, "merged": {402, 403}}),
    "offset_by_one": (set(), {"index_shift": set(range(250, 499))}),
    "jitter_harmless": (set(), {}),
}
PLANTED = {"dead": {37}, "low_throughput": {78}}  # in the frame itself


@pytest.fixture(scope="module")
def flat(shared_data):
    return open_dataset(str(shared_data / "desi" / FLAT)).images[0]


@pytest.fixture(scope="module")
def truth(shared_data, flat):
    return read_traces(shared_data / "desi" / TRUTH, flat.orientation.shape(flat.shape), flat.orientation)


FEW = ("identity", "fiber_kink", "global_shift", "swap_merge")  # the others with --slow


@pytest.mark.parametrize("case", [c if c in FEW else pytest.param(c, marks=pytest.mark.slow) for c in EXPECTED])
def test_injected_errors_are_found_and_corrected(shared_data, flat, truth, case):
    known = {c["name"] for c in json.loads((shared_data / "desi" / "truth.json").read_text("utf-8"))["trace_cases"]}
    assert known == set(EXPECTED)
    path = shared_data / "desi" / "traces" / f"psf-r6-{case}.fits"
    traces = read_traces(path, flat.orientation.shape(flat.shape), flat.orientation)
    result = diagnose_image(flat, traces, only=("trouble",))
    modes, problems = EXPECTED[case]
    assert {m.name for m in result.modes if m.found} == modes
    by_kind: dict[str, set[int]] = {}
    for problem in result.problems:
        by_kind.setdefault(problem.kind, set()).add(problem.fiber)
    assert by_kind == {**PLANTED, **problems}
    assert not ODD & {p.fiber for p in result.problems} or case == "offset_by_one"
    lit = (truth.wave > LIT[0]) & (truth.wave < LIT[1])
    off = np.where(lit, result.corrected.center - truth.center, np.nan)
    rms = np.sqrt(np.nanmean(off**2, axis=1))
    measurable = np.arange(truth.nfiber) != 37  # the dead one cannot be measured again
    again = set().union(*problems.values()) if problems else set()
    if case == "jitter_harmless":
        again = set(range(500))
    single = np.isin(np.arange(truth.nfiber), sorted(again)) & measurable
    others = ~single & measurable
    if others.any():
        assert np.sqrt(np.mean(rms[others] ** 2)) < 0.005
    if single.any():
        assert np.sqrt(np.mean(rms[single] ** 2)) < 0.015
    if case == "bundle_shift":
        block = next(m for m in result.modes if m.found)
        assert block.fibers == tuple(range(175, 200))
        assert block.amplitude_px == pytest.approx(-0.4, abs=0.04)
