"""Calibrations of VIRUS made of the shared raw frames, and the health of amplifiers: truth and clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ifuview.app.night.amplifiers.health import health_below
from ifuview.app.night.virus.calibrate import NightRange
from ifuview.app.night.virus.calibration_file import build_calibrations
from ifuview.io.products.virus.cals import read_calibrations
from tests.bench import virus_truth as truth
from tests.bench.virus_truth import VirusTruth

Row = tuple[str, float, float, str, bool]
NIGHT, SLOT = 20190822, "047"


def rows(root: Path, folder: Path) -> Iterator[Row]:
    """Rows of four amplifiers; the second run is timed, kernels loaded."""
    out = str(folder / "cal.h5")
    for _ in range(2):
        began = time.process_time()
        build_calibrations(out, str(root), [SLOT], NightRange(NIGHT, 2))
        spent = time.process_time() - began
    own = VirusTruth()
    worst = {"trace rms": 0.0, "wavelength rms": 0.0, "read noise": 0.0, "masked": 0.0}
    missed = 0
    for row in read_calibrations(out):
        amp, alive = row.amplifier, own.alive(SLOT)[_fibers(row.amplifier)]
        hot = np.load(truth.SHARED / "truth_virus.npz")[f"hot_{SLOT}_{amp}"].astype(int)
        noise = 100 * abs(row.read_noise / own.whole["ifus"][SLOT]["rdnoise"][amp] - 1)
        found = {
            "trace rms": truth.rms((row.trace - own.curve("trace", SLOT, amp))[alive]),
            "wavelength rms": truth.rms((row.wave - own.curve("wave", SLOT, amp))[alive]),
            "read noise": noise, "masked": 100 * float(row.bad.mean()),
        }  # fmt: skip
        worst = {name: max(worst[name], value) for name, value in found.items()}
        missed += int((~row.bad[hot[:, 0], hot[:, 1]]).sum())
    bars = {"trace rms": (0.006, "px"), "wavelength rms": (0.015, "A"), "read noise": (2.0, "%"), "masked": (1.0, "%")}
    for name, (bar, unit) in bars.items():
        yield f"virus-cal {name}, worst amplifier", worst[name], bar, unit, worst[name] <= bar
    yield "virus-cal hot pixels missed", float(missed), 0.0, "", missed == 0
    yield "virus-cal CPU of four amplifiers", spent, 5.0, "s", spent <= 5.0
    began = time.process_time()
    seen, _ = health_below(str(root), ("sci",))
    each = 1000 * (time.process_time() - began) / len(seen)
    yield "health CPU of an amplifier", each, 15.0, "ms", each <= 15.0


def _fibers(amplifier: str) -> slice:
    """Fibers of an amplifier in the order of products."""
    first = 112 * ("LL", "LU", "RL", "RU").index(amplifier)
    return slice(first, first + 112)
