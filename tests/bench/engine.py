"""Bars of the engine: zscale, tracing, extraction and inspection, as multiples of a fixed kernel."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ifuview.simulate.detector.bounds import trace_bound
from ifuview.simulate.detector.exposure import READNOISE, SimulatedFrame, expose
from tests.bench.yardstick import yardstick

Row = tuple[str, float, float, str, bool]
SNRS = (10, 50, 200)
DEGREE = 5
RANDOM_PIXELS = 1_000_000
UNIT = "x yardstick"
TRACE, BOXCAR, JOINT = (
    1.7,
    0.2,
    1.8,
)  # measured on 2026-11-30: 1.41 to 1.52, 0.15 to 0.17, 1.46 to 1.60; none may get worse


def rows(quick: bool) -> list[Row]:
    """Return (name, measured, bar, unit, ok) of every bar; `quick` takes fewer repeats and one flat."""
    repeats = 3 if quick else 9
    flat = expose("4k", snr=50)
    assert flat.traces.sigma is not None
    unit = _seconds(yardstick(flat.image, flat.traces.center, flat.traces.sigma), 3 * repeats)
    out = [*_zscale(flat.image, repeats), *_tracing(flat, unit, repeats, (50,) if quick else SNRS)]
    out += _extraction(unit, repeats)
    out += _profiles()
    out += _two_threads(flat, repeats)
    return [*out, *_inspection(flat, repeats)]


def _zscale(image: np.ndarray, repeats: int) -> list[Row]:
    """Time and agreement with a million random pixels."""
    from ifuview.engine.numeric.zscale import zscale

    milliseconds = 1e3 * _seconds(lambda: zscale(image), repeats)
    lo, hi = zscale(image)
    pixels = np.random.default_rng(1).integers(0, image.size, RANDOM_PIXELS)
    low, high = zscale(image.ravel()[pixels])
    off = 100 * max(abs(lo - low), abs(hi - high)) / (high - low)
    return [
        _row("zscale of a 4k frame", milliseconds, 5, "ms CPU"),
        _row("zscale against 1e6 random pixels", off, 5, "%"),
    ]


def _tracing(flat: SimulatedFrame, unit: float, repeats: int, snrs: tuple[int, ...]) -> list[Row]:
    """Detection to smooth trace, and its rms against the Cramer-Rao bound."""
    from ifuview.engine.traces.flat import trace_flat

    trace_flat(flat.image, READNOISE)  # compiles, or loads the cache
    spent = _seconds(lambda: trace_flat(flat.image, READNOISE), repeats)
    out = [_row("trace 500 fibers of a 4k flat", spent / unit, TRACE, UNIT)]
    for snr in snrs:
        frame = flat if snr == 50 else expose("4k", snr=snr)
        found = trace_flat(frame.image, READNOISE)
        if found.nfiber != frame.traces.nfiber:
            out.append((f"trace rms at S/N {snr}", float("nan"), 1.05, "x bound", False))
            continue
        rms = np.sqrt(np.mean((found.center - frame.traces.center) ** 2))
        bound = np.sqrt(np.mean(trace_bound(frame.traces, frame.flux, READNOISE, DEGREE) ** 2))
        out.append(_row(f"trace rms at S/N {snr}", float(rms / bound), 1.05, "x bound"))
    return out


def _extraction(unit: float, repeats: int) -> list[Row]:
    """Boxcar and joint optimal extraction of a science frame: time, bias and pull width."""
    from ifuview.engine.spectra.boxcar import boxcar
    from ifuview.engine.spectra.optimal import joint_extract

    frame = expose("4k", kind="science", snr=50)
    assert frame.traces.sigma is not None
    center, sigma = frame.traces.center.astype(np.float32), frame.traces.sigma.astype(np.float32)
    ivar = 1 / frame.variance
    flux, variance = joint_extract(frame.image, ivar, center, sigma)
    boxcar(frame.image, center, 2.5)
    joint = _seconds(lambda: joint_extract(frame.image, ivar, center, sigma), repeats)
    box = _seconds(lambda: boxcar(frame.image, center, 2.5), repeats)
    bias = 100 * abs(float(flux.sum(dtype=float) / frame.flux.sum()) - 1)
    width = float(np.std((flux - frame.flux) / np.sqrt(variance)))
    return [
        _row("boxcar 500 x 4096", box / unit, BOXCAR, UNIT),
        _row("joint optimal 500 x 4096 with exact variance", joint / unit, JOINT, UNIT),
        _row("joint: bias", bias, 0.01, "%"),
        ("joint: pull width", width, 1.0, "(0.99 to 1.01)", 0.99 <= width <= 1.01),
    ]


def _profiles() -> list[Row]:
    """Joint extraction with the measured profile, of shapes that are no Gaussians, and of faint spectra."""
    from ifuview.engine.spectra.joint import extract_joint
    from ifuview.engine.traces.profile.fit import fit_profile
    from tests.engine.traces.profile.scene import BESIDE
    from tests.engine.traces.profile.scene import expose as scene

    out: list[Row] = []
    for shape in ("gaussian", "moffat", "disk", "skew"):
        image, traces, flux = scene(shape, 2500)
        profile = fit_profile(image, READNOISE**2, traces)
        found = extract_joint(image, READNOISE**2, traces.center, profile, background=profile.background)
        pull = (found.flux - flux)[BESIDE] / np.sqrt(found.variance[BESIDE])
        bias = 100 * abs(float(found.flux[BESIDE].sum() / flux[BESIDE].sum()) - 1)
        out.append(_row(f"{shape} profile, beside a fiber 8 times brighter: bias", bias, 0.3, "%"))
        out.append(_row(f"{shape} profile, beside a fiber 8 times brighter: pull width", float(pull.std()), 1.1, ""))
    flat, traces, _ = scene("moffat", 10000, bright=1.0, seed=5)
    profile = fit_profile(flat, READNOISE**2, traces)
    for level in (3, 10, 30, 100):
        image, _, flux = scene("moffat", level, seed=6)
        found = extract_joint(image, READNOISE**2, traces.center, profile)
        bias = abs(float(((found.flux - flux) / np.sqrt(found.variance)).mean()))
        out.append(_row(f"{level} electrons per column, Moffat profile: bias", bias, 0.05, "sigma"))
    return out


def _two_threads(flat: SimulatedFrame, repeats: int) -> list[Row]:
    """How much faster two threads are than one, by the clock; shows nothing on a machine that is busy."""
    from ifuview.engine.context import set_threads
    from ifuview.engine.spectra.joint import extract_joint
    from ifuview.engine.traces.doctor.gather import gather
    from ifuview.engine.traces.flat import trace_flat
    from ifuview.engine.traces.profile.fiber_profile import gaussian_profile
    from ifuview.engine.traces.profile.fit import fit_profile

    small = expose("lrs2", snr=50)
    assert small.traces.sigma is not None
    profile = gaussian_profile(small.traces.sigma, small.image.shape[0])
    works: dict[str, Callable[[], Any]] = {
        "tracing": lambda: trace_flat(flat.image, READNOISE),
        "joint extraction": lambda: extract_joint(small.image, READNOISE**2, small.traces.center, profile),
        "profile": lambda: fit_profile(small.image, READNOISE**2, small.traces),
        "doctor": lambda: gather(flat.image, flat.traces, gain=1.0, readnoise=READNOISE),
    }
    out: list[Row] = []
    for name, work in works.items():
        spent = {}
        for number in (1, 2):
            set_threads(number)
            spent[number] = _seconds(work, min(repeats, 3), time.perf_counter)
        set_threads(0)
        gain = spent[1] / spent[2]
        out.append((f"{name}: two threads over one", gain, 1.7, "x faster", gain >= 1.7))
    return out


def _inspection(flat: SimulatedFrame, repeats: int) -> list[Row]:
    """Cross-section, spectrum and trace quality of one fiber."""
    from ifuview.engine.spectra.inspect import Band, band_rows, inspect_fiber

    row = flat.traces.nfiber // 2
    r0, r1 = band_rows(flat.traces, row, flat.image.shape[0])

    def once() -> Any:
        return inspect_fiber(Band(flat.image[r0:r1], r0, gain=1.0, readnoise=READNOISE), flat.traces, row)

    once()
    return [_row("inspect one fiber", 1e3 * _seconds(once, repeats), 150, "ms CPU")]


def _row(name: str, measured: float, bar: float, unit: str) -> Row:
    return name, measured, bar, unit, measured <= bar


def _seconds(run: Callable[[], Any], repeats: int, clock: Callable[[], float] = time.process_time) -> float:
    """Median seconds over `repeats` runs, by default of the CPU, all threads."""
    spent = []
    for _ in range(repeats):
        start = clock()
        run()
        spent.append(clock() - start)
    return float(np.median(spent))
