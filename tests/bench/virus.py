"""An observation of VIRUS against the truth of the shared night: every row of the issue that its products can tell.

CPU seconds are of the process, kernels loaded, archives unpacked before.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ifuview.app.night.virus.exposures import reduce_slot
from ifuview.app.night.virus.request import ShotRequest
from ifuview.app.night.virus.shot import observation, reduce_shot
from ifuview.instrument.tables import tables_for
from tests.bench import virus_cal
from tests.bench import virus_truth as truth
from tests.bench.memory import peak_of
from tests.bench.virus_truth import SHARED, SHIFT, SLOTS, ShotRows, VirusTruth

Row = tuple[str, float, float, str, bool]
CALIBRATIONS = SHARED / "general_calibration_sim.h5"
NIGHT, NUMBER = 20190822, 11
BARS = {  # what, bar, unit
    "sky residual, median": (0.2, "%"), "sky residual, rms": (0.5, "%"), "sky over truth - 1": (0.015, ""),
    "pull width - 1": (0.03, ""), "pull median": (0.05, ""), "share masked in good amplifiers": (2.0, "%"),
    "share not masked in the broken one": (0.0, "%"), "stars, bias": (1.5, "%"), "stars, scatter": (2.0, "%"),
    "stars, shape": (1.2, "%"), "stars missing": (0.0, ""), "cube flux over truth - 1": (0.02, ""),
    "astrometry": (0.045, "arcsec"), "seeing - truth": (0.03, "arcsec"), "illumination, worst": (1.0, "%"),
    "false lines a head": (0.5, ""), "lines, flux": (9.0, "%"), "lines, wavelength": (0.5, "A"),
}  # fmt: skip


def rows(quick: bool) -> Iterator[Row]:
    """All rows; the completeness of a few lines if `quick`."""
    if not SHARED.is_dir():
        return
    with tempfile.TemporaryDirectory() as folder:
        root = _unpacked(Path(folder, "raw"))
        out = Path(folder, "out")
        request = ShotRequest(
            date=NIGHT, observation=NUMBER, slots=SLOTS, calibrations=str(CALIBRATIONS), root=str(root),
            output=str(out), catalog=str(next(SHARED.glob("Panstarrs_*.dat"))),
        )  # fmt: skip
        yield from virus_cal.rows(root, Path(folder))
        yield from _exposures(root, request)
        if not quick:
            reduce_shot(request)  # kernels are compiled
        began = time.process_time()
        reduce_shot(request)
        spent = time.process_time() - began
        own, shot = VirusTruth(), ShotRows(out / f"{NIGHT}_{NUMBER:07d}.h5")
        measured = {
            **truth.sky(own, shot), **truth.stars(own, shot, out, f"{NIGHT}_{NUMBER:07d}"), **truth.field(own, shot),
            **truth.lines(own, shot),
        }  # fmt: skip
        found = measured.pop("lines found")
        yield "virus lines above 7 sigma found", found, 95.0, "%", found >= 95.0
        for name, value in measured.items():
            bar, unit = BARS[name]
            yield _below(f"virus {name}", value, bar, unit)
        yield from _curve(request, 100 if quick else 500)
        yield _below("virus CPU of two heads and three exposures", spent, 20.0, "s")
        yield _below("virus memory, peak", _memory(request), 900, "MiB")


def _memory(request: ShotRequest) -> float:
    """Peak of a process that does nothing else, MiB."""
    words = (
        "reduce", "virus", str(NIGHT), str(NUMBER), ",".join(SLOTS), request.calibrations, "-r", request.root, "-O",
        request.output, "--catalog", request.catalog,
    )  # fmt: skip
    return peak_of(words)


def _below(name: str, value: float, bar: float, unit: str) -> Row:
    return name, float(value), bar, unit, bool(abs(value) <= bar)


def _unpacked(folder: Path) -> Path:
    """The raw night with its archives unpacked."""
    for path in SHARED.glob("2019*/virus/*.tar"):
        place = folder / path.relative_to(SHARED).parent
        place.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path) as file:
            file.extractall(place, filter="data")
    os.symlink(SHARED / "Fiber_Locations", folder / "Fiber_Locations")
    return folder


def _exposures(root: Path, request: ShotRequest) -> Iterator[Row]:
    """Traces, wavelengths and noise of every amplifier that is not broken."""
    own, traces, waves, noise = VirusTruth(), [], [], []
    science = observation(str(root), request)
    for slot in SLOTS:
        for one in reduce_slot(science, slot, str(CALIBRATIONS), tables_for("virus", "", str(root))):
            for amplifier in one.amplifiers:
                if amplifier.problem or amplifier.read is None or one.trace is None:
                    continue
                part, amp = amplifier.fibers, amplifier.name
                alive = own.alive(slot)[part]
                traces.append(truth.rms((one.trace[part] - own.curve("trace", slot, amp) - SHIFT)[alive]))
                waves.append(truth.rms((one.spectra.wave[part] - own.curve("wave", slot, amp))[alive]))
                noise.append(100 * (amplifier.read.noise / own.whole["ifus"][slot]["rdnoise"][amp] - 1))
    yield _below("virus trace rms, worst amplifier", max(traces), 0.006, "px")
    yield _below("virus wavelength rms, worst amplifier", max(waves), 0.015, "A")
    yield _below("virus read noise, worst amplifier", float(np.abs(noise).max()), 2.0, "%")


def _curve(request: ShotRequest, count: int) -> Iterator[Row]:
    """Completeness against a matched filter with the true noise, in binomial sigma."""
    done = reduce_shot(replace(request, output="", completeness=count))
    curves = [head.completeness for head in done.heads if head.completeness is not None]
    planted, found = (sum(getattr(one, name) for one in curves) for name in ("planted", "found"))
    ideal = sum(one.ideal * one.planted for one in curves) / np.maximum(planted, 1)
    sigma = np.sqrt(np.maximum(ideal * (1 - ideal), 0.25 / np.maximum(planted, 1)) / np.maximum(planted, 1))
    off = (found / np.maximum(planted, 1) - ideal) / sigma
    yield _below("virus completeness against the true noise, worst bin", float(np.abs(off).max()), 2.0, "sigma")
