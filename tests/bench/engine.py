"""Bars of the engine: zscale, tracing, extraction and inspection, as multiples of the time to copy the frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ifuview.simulate.detector.bounds import trace_bound
from ifuview.simulate.detector.exposure import READNOISE, SimulatedFrame, expose

Row = tuple[str, float, float, str, bool]
SNRS = (10, 50, 200)
DEGREE = 5
RANDOM_PIXELS = 1_000_000


def rows(quick: bool) -> list[Row]:
    """Return (name, measured, bar, unit, ok) of every bar; `quick` takes fewer repeats and one flat."""
    repeats = 3 if quick else 9
    flat = expose("4k", snr=50)
    copy = _seconds(_copier(flat.image), 5 * repeats)
    out = [*_zscale(flat.image, repeats), *_tracing(flat, copy, repeats, (50,) if quick else SNRS)]
    out += _extraction(copy, repeats)
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


def _tracing(flat: SimulatedFrame, copy: float, repeats: int, snrs: tuple[int, ...]) -> list[Row]:
    """Detection to smooth trace, and its rms against the Cramer-Rao bound."""
    from ifuview.engine.traces.flat import trace_flat

    trace_flat(flat.image, READNOISE)  # compiles, or loads the cache
    spent = _seconds(lambda: trace_flat(flat.image, READNOISE), repeats)
    out = [_row("trace 500 fibers of a 4k flat", spent / copy, 14, "x frame copy")]
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


def _extraction(copy: float, repeats: int) -> list[Row]:
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
        _row("boxcar 500 x 4096", box / copy, 2, "x frame copy"),
        _row("joint optimal 500 x 4096 with exact variance", joint / copy, 14, "x frame copy"),
        _row("joint: bias", bias, 0.01, "%"),
        ("joint: pull width", width, 1.0, "(0.99 to 1.01)", 0.99 <= width <= 1.01),
    ]


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


def _copier(image: np.ndarray) -> Callable[[], None]:
    """A copy of the frame into memory that is already there: the strictest yardstick."""
    target = np.empty_like(image)
    return lambda: np.copyto(target, image)


def _seconds(run: Callable[[], Any], repeats: int) -> float:
    """Median CPU seconds of all threads over `repeats` runs."""
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return float(np.median(spent))
