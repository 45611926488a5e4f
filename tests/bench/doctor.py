"""Bars of the trace doctor: pulls, tracing from nothing, modes, false alarms, corrected traces, CPU."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ifuview.engine.traces.doctor.diagnose import diagnose, judge
from ifuview.engine.traces.doctor.gather import gather
from ifuview.engine.traces.doctor.nothing import trace_all
from ifuview.engine.traces.light.measure import at_columns
from ifuview.model.traces.doctor import DoctorLimits
from ifuview.simulate.detector.bounds import trace_bound
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import blocks, slit
from ifuview.simulate.detector.render import render

Row = tuple[str, float, float, str, bool]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "desi"
READNOISE = 3.0
PROFILE_STEP = 0.02  # px, for the bound of a profile that is no Gaussian
PEERS, STRIP = (70, 5, 38, 103, 134), 3.5  # fibers traced by specreduce, rows on each side of a trace that it may see
BOUND_STEP = 8  # columns whose information stands for that of all


def rows(quick: bool) -> Iterator[Row]:
    """All bars; `quick` uses small frames and few seeds."""
    spec = "small" if quick else "4k"
    yield from pulls(spec)
    yield from from_nothing(spec, "small" if quick else "lrs2")
    yield from modes_found(spec)
    yield from clean("small", 4 if quick else 20)
    if not quick:
        yield from clean("4k", 5)
    yield from against_fit_trace()
    if DATA.is_dir():
        yield from shared_cases(quick)


def pulls(spec: str) -> Iterator[Row]:
    """Mean and width of (measured - true) / error."""
    for snr in (10.0, 50.0, 200.0):
        made = expose(spec, snr=snr, seed=1)
        start = time.process_time()
        seen = gather(made.image, made.traces, gain=1.0, readnoise=READNOISE)
        judge(seen, DoctorLimits())
        spent = time.process_time() - start
        z = (seen.fit.center - at_columns(made.traces.center, seen.fit.column)) / seen.fit.error
        z = z[np.isfinite(z)]
        yield f"pulls at S/N {snr:.0f}: mean", float(z.mean()), 0.02, "", abs(float(z.mean())) <= 0.02
        yield f"pulls at S/N {snr:.0f}: width - 1", float(z.std() - 1), 0.03, "", abs(float(z.std()) - 1) <= 0.03
        if snr == 50:
            yield f"diagnose, engine, {spec}: CPU", spent, 2.0, "s", spent <= 2.0


def bound_of(made, disk: float) -> np.ndarray:
    """Cramer-Rao bound of smooth traces, neighbors left out; of a round profile by numerical derivatives."""
    noise = np.sqrt(made.readnoise**2 + made.pedestal)
    if disk <= 0:
        return trace_bound(made.traces, made.flux, noise, 5)
    some = np.arange(BOUND_STEP // 2, made.traces.ncol, BOUND_STEP)
    basis = np.polynomial.legendre.legvander(2 * some / (made.traces.ncol - 1) - 1, 5)
    out = np.empty(made.traces.nfiber)
    for k in range(made.traces.nfiber):
        sigma, flux = made.traces.sigma[k : k + 1, some], made.flux[k : k + 1, some]
        center = made.traces.center[k : k + 1, some] - np.floor(made.traces.center[k].min()) + 14
        size = int(np.ceil(center.max())) + 15
        light = render(center, sigma, np.ones_like(flux), size, disk)
        high = render(center + PROFILE_STEP, sigma, np.ones_like(flux), size, disk)
        low = render(center - PROFILE_STEP, sigma, np.ones_like(flux), size, disk)
        slope = flux * (high - low) / (2 * PROFILE_STEP)
        variance = noise**2 + flux * light
        ff, fc, cc = ((a * b / variance).sum(axis=0) for a, b in ((light, light), (light, slope), (slope, slope)))
        w = BOUND_STEP * (cc - fc**2 / ff)
        covariance = np.linalg.inv((basis * w[:, None]).T @ basis)
        out[k] = np.sqrt(np.mean(np.sum((basis @ covariance) * basis, axis=1)))
    return out


def from_nothing(*specs: str) -> Iterator[Row]:
    """Rms of traces from nothing over the bound."""
    for spec in dict.fromkeys(specs):
        level = expose(spec, snr=50, seed=2)
        tenth = 0.1 * float(np.median(level.flux)) / (1.25 * np.sqrt(2 * np.pi))
        plain = 1.05 if spec == "4k" else 1.10
        for name, disk, pedestal, bar in (
            ("plain", 0.0, 0.0, plain),
            ("pedestal", 0.0, tenth, 1.2),
            ("disk", 1.4, 0.0, 1.1),
        ):
            made = (
                level if name == "plain" else expose(replace(slit(spec), disk=disk), snr=50, seed=2, pedestal=pedestal)
            )
            found = trace_all(made.image, gain=1.0, readnoise=READNOISE).traces
            if found.nfiber != made.traces.nfiber:
                yield f"traces from nothing, {spec}, {name}", float("nan"), bar, "x bound", False
                continue
            bound = bound_of(made, disk)
            rms = np.sqrt(np.mean((found.center - made.traces.center) ** 2, axis=1))
            ratio = float(np.sqrt(np.mean(rms**2) / np.mean(bound**2)))
            worst = float((rms / bound).max())
            yield f"traces from nothing, {spec}, {name}", ratio, bar, "x bound", ratio <= bar
            yield f"traces from nothing, {spec}, {name}: worst fiber", worst, 2.5, "x bound", worst <= 2.5
    n = slit(specs[-1]).nfiber
    made = expose(specs[-1], snr=50, seed=3, throughput={5: 0.05, n // 2: 0.05, n - 9: 0.05, n // 2 + 7: 0.0})
    found = trace_all(made.image, gain=1.0, readnoise=READNOISE)
    ok = found.traces.nfiber == n and np.flatnonzero(found.dead).tolist() == [n // 2 + 7]
    yield "fibers of 5 % found, dead ones by their place", float(found.traces.nfiber), float(n), "fibers", bool(ok)


def modes_found(spec: str) -> Iterator[Row]:
    """Significance of small errors at S/N 50."""
    made = expose(spec, snr=50, seed=1)
    u = np.linspace(-1, 1, made.traces.ncol)[None] * np.ones((made.traces.nfiber, 1))
    v = (2 * np.median(made.traces.center, axis=1) / (made.image.shape[0] - 1) - 1)[:, None] * np.ones_like(u)
    block = blocks(spec)
    size = {
        "shift": 0.001 * np.ones_like(u), "rotation": 0.002 * u, "scale": 0.002 * v,
        "s_curve": 0.002 * (2.5 * u**3 - 1.5 * u),
    }  # fmt: skip
    if block.max() >= 3:
        size["block_shift"] = 0.003 * (block == block.max() // 2)[:, None] * np.ones_like(u)
    for name, offset in size.items():
        wrong = replace(made.traces, center=made.traces.center - offset, coeff=None)
        result = diagnose(made.image, wrong, gain=1.0, readnoise=READNOISE, only=("trouble",))
        found = [m for m in result.modes if m.found]
        right = len(found) == 1 and found[0].name == name
        if right:
            amplitude = float(np.abs(offset).max())
            right = abs(found[0].amplitude_px - amplitude) < 0.1 * amplitude + 2 * found[0].sigma_px
        sigmas = found[0].significance if found else 0.0
        yield (
            f"{name} of {1000 * np.abs(offset).max():.0f} mpx at S/N 50",
            sigmas,
            10.0,
            "sigma",
            right and sigmas >= 10,
        )


def clean(spec: str, seeds: int) -> Iterator[Row]:
    """Strongest mode and number of problems over clean frames."""
    strongest, problems = 0.0, 0
    for seed in range(seeds):
        made = expose(spec, snr=50, seed=100 + seed)
        result = diagnose(made.image, made.traces, gain=1.0, readnoise=READNOISE, only=("trouble",))
        strongest = max(strongest, *(m.significance for m in result.modes))
        problems += len(result.problems)
    yield f"clean frames, {seeds} seeds: strongest mode", strongest, 4.0, "sigma", strongest <= 4
    yield f"clean frames, {seeds} seeds: problem fibers", float(problems), 0.0, "", problems == 0


def against_fit_trace() -> Iterator[Row]:
    """Tracing from nothing against specreduce, both with the same masked strips; its time is scaled per fiber."""
    try:
        from specreduce.tracing import FitTrace
    except ImportError:
        yield "against specreduce: not measured, it is not installed", float("nan"), 100.0, "x", True
        return
    from astropy.modeling.models import Polynomial1D

    made = expose("lrs2", snr=50, seed=2)
    truth = made.traces.center
    for _ in range(2):  # the second time with warm kernels
        start = time.process_time()
        found = trace_all(made.image, gain=1.0, readnoise=READNOISE).traces
        ours = (time.process_time() - start) / truth.shape[0]
    rows = np.arange(made.image.shape[0])[:, None]
    for bins, fibers in ((None, PEERS[:1]), (64, PEERS)):
        theirs, rms = 0.0, []
        for k in fibers:
            far = np.abs(rows - truth[k][None]) > STRIP  # what a user must do: all other fibers masked
            start = time.process_time()
            peer = FitTrace(
                np.ma.MaskedArray(made.image, far), bins=bins, guess=float(truth[k, truth.shape[1] // 2]),
                peak_method="gaussian", trace_model=Polynomial1D(degree=5), window=int(2 * STRIP),
            )  # fmt: skip
            theirs += (time.process_time() - start) / len(fibers)
            rms.append(np.sqrt(np.mean((np.asarray(peer.trace) - truth[k]) ** 2)))
        own = np.sqrt(np.mean((found.center[list(fibers)] - truth[list(fibers)]) ** 2, axis=1))
        name = "its default bins" if bins is None else f"{bins} bins"
        yield f"against specreduce, {name}: speed per fiber", theirs / ours, 100.0, "x", theirs >= 100 * ours
        ratio = float(np.median(own) / np.median(rms))  # the median: it loses a fiber now and then
        yield f"against specreduce, {name}: median rms", ratio, 0.6, "x", ratio <= 0.6


def shared_cases(quick: bool) -> Iterator[Row]:
    """Corrected traces of the perturbed files against the truth."""
    from ifuview.app.frames.opening.reading import open_dataset
    from ifuview.app.traces.diagnosis import diagnose_image
    from ifuview.io import read_traces

    flat = open_dataset(str(DATA / "preproc/20211014/00104260/preproc-r6-00104260.fits.fz")).images[0]
    shape, lies = flat.orientation.shape(flat.shape), flat.orientation
    truth = read_traces(DATA / "calibnight/20211014/psfnight-r6-20211014.fits.gz", shape, lies)
    lit = (truth.wave > 5760) & (truth.wave < 7620)
    single = {"fiber_kink": [312], "swap_merge": [130, 131, 402], "offset_by_one": list(range(250, 499))}
    for path in sorted((DATA / "traces").glob("psf-r6-*.fits"))[: 3 if quick else None]:
        case = path.stem.removeprefix("psf-r6-")
        result = diagnose_image(flat, read_traces(path, shape, lies), only=("trouble",))
        off = np.where(lit, result.corrected.center - truth.center, np.nan)
        rms = np.sqrt(np.nanmean(off**2, axis=1))
        rms[37] = 0.0  # dead
        again = single.get(case, list(range(truth.nfiber)) if case == "jitter_harmless" else [])
        rest = np.setdiff1d(np.arange(truth.nfiber), again)
        if rest.size:
            value = float(np.sqrt(np.mean(rms[rest] ** 2)))
            yield f"corrected, {case}: modes", value, 0.005, "px rms", value <= 0.005
        if again:
            value = float(np.sqrt(np.mean(rms[again] ** 2)))
            yield f"corrected, {case}: single fibers", value, 0.015, "px rms", value <= 0.015
