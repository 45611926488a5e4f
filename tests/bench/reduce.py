"""Reductions against the truth of the shared LRS2 night: every row of the issue, with the published pipeline's number.

Bars and definitions are those of the facts, section 6; CPU seconds are of the process, kernels loaded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ifuview.app.night.reduction.channel import ReducedChannel, reduce_channel
from ifuview.app.night.reduction.state import LRS2
from ifuview.engine.spectra.field.cube import field_grid, make_cube
from ifuview.engine.spectra.field.lenslet import moffat_slopes
from ifuview.engine.spectra.field.point import BETA_PRIOR
from ifuview.engine.spectra.flux.combine import combine_spectra
from ifuview.engine.spectra.flux.rectify import rectify_values
from ifuview.instrument.tables import tables_for
from ifuview.io.night.raw_index import index_night
from ifuview.io.products.lrs2.combined import common_grid
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import Given, StepResult, run
from ifuview.recipes.lrs2.recipe import CALIBRATIONS, RECIPE
from ifuview.recipes.lrs2.science import SkyParams, SpectrumParams
from tests.bench import lrs2_truth as truth
from tests.bench import virus
from tests.bench.lrs2_truth import CHANNELS, GALAXY, SHARED, SOURCE, Array, LrsTruth
from tests.bench.memory import peak_of

Row = tuple[str, float, float, str, bool]
UNIT = 1e-17
COSMIC = int(ReductionBit.COSMIC)
APART = int(ReductionBit.BAD | ReductionBit.HOT | ReductionBit.TRAP | ReductionBit.SATURATED | ReductionBit.LOW_QE)
LINES = {"uv": {"[O II]": 3805.675}, "orange": {"[O III]": 5111.984, "H alpha": 6700.619}}  # A, of the galaxy
BORDERS = {("uv", "orange"): (4560, 4720), ("red", "farred"): (8230, 8420)}  # A, where two channels overlap
LIT = 0.02  # of the light of the brightest fiber
SEED, DRAWS = 5, 12
AROUND = 40.0  # A, of a line that velocities are measured from
NEAR, SURE = 1.2, 2.0  # times what noise alone does, where that is more than a bar: of an rms, and of a single number


def rows(quick: bool) -> Iterator[Row]:
    """Both systems: of LRS2 one channel of a compact source if `quick`, else the whole shared night."""
    yield from _lrs2(quick)
    yield from virus.rows(quick)


def _lrs2(quick: bool) -> Iterator[Row]:
    if not SHARED.is_dir():
        return
    night, tables = index_night(str(SHARED), LRS2), tables_for(LRS2, "", str(SHARED))
    spectra: dict[tuple[str, int], Any] = {}
    for camera in CHANNELS[:1] if quick else CHANNELS:
        cache = ValueCache()
        exposures = [
            e for e in night.of_kind("sci", camera) if f"src_{e.observation:02d}_{camera}" in LrsTruth(camera).arrays
        ]
        reduce_channel(night, exposures[0], camera, tables)  # kernels are compiled
        for number, exposure in enumerate(exposures[:1] if quick else exposures):
            spent: dict[str, float] = {}
            last = [time.process_time()]

            def made(one: StepResult, spent: dict[str, float] = spent, last: list[float] = last) -> None:
                now = time.process_time()
                spent[one.step], last[0] = now - last[0], now

            done = reduce_channel(night, exposure, camera, tables, cache=cache, made=made)
            own = LrsTruth(camera)
            if number == 0:
                yield from calibration_rows(own, done)
                cpu = sum(spent[step] for step in CALIBRATIONS)
                yield _below(f"{camera} CPU of the calibration", cpu, 4.0, "s")
            yield from exposure_rows(own, exposure.observation, done)
            name = f"{camera} {exposure.observation}"
            cpu = sum(s for step, s in spent.items() if step not in CALIBRATIONS)
            yield _below(f"{name} CPU of the exposure", cpu, 6.0, "s")
            yield from _changes(name, done)
            spectra[camera, exposure.observation] = done.value("spectrum")
    yield from _borders(spectra)
    yield _below("memory of the command for one channel, peak", _memory(), 700, "MiB")


def _memory() -> float:
    """MiB that `ifuview reduce` takes for one channel of one exposure."""
    with TemporaryDirectory() as out:
        words = ["reduce", "lrs2", "-d", "20181201", "-s", "uv", "-o", "SIMAGN", "--baseraw", str(SHARED), "-O", out]
        return peak_of(tuple(words))


def _below(name: str, value: float, bar: float, unit: str) -> Row:
    return name, float(value), bar, unit, bool(abs(value) <= bar)


def _above(name: str, value: float, bar: float, unit: str) -> Row:
    return name, float(value), bar, unit, bool(value >= bar)


def calibration_rows(own: LrsTruth, done: ReducedChannel) -> Iterator[Row]:
    """Traces and wavelengths of a channel."""
    camera = own.channel
    traces: Any = done.value("traces")
    wave: Any = done.value("wave")
    middle, every = truth.trace_rms(own, traces.traces.center)
    yield _below(f"{camera} trace rms, central wavelengths", middle, 0.004, "px")
    yield _below(f"{camera} trace rms, all columns", every, 0.008, "px")
    if wave is not None:  # a lamp may have no line in a channel
        yield _below(f"{camera} wavelength rms", truth.wave_rms(own, wave.wave), 0.006, "px")


def exposure_rows(own: LrsTruth, number: int, done: ReducedChannel) -> Iterator[Row]:
    """Spectra, sky, pixels, source and cube of an exposure."""
    camera, name, kind = own.channel, f"{own.channel} {number}", own.kind(number)
    field: Any = done.value("field")
    observed, subtracted = (np.where(s.usable(), s.flux, np.nan) * UNIT for s in (field.observed, field.subtracted))
    error = np.sqrt(field.subtracted.variance) * UNIT
    sourced = bool(own.sourced(number).any())
    if sourced and not np.isfinite(truth.fiber_flux(own, number, subtracted, 0.15)[0]):
        sourced = False  # the brightest fibers are saturated at all wavelengths: nothing of them is measured
    if sourced:
        bias, scatter = truth.fiber_flux(own, number, subtracted, 0.1 if kind == GALAXY else 0.15)
        chance = SURE * truth.fiber_chance(own, number, error, 0.1 if kind == GALAXY else 0.15)
        yield _below(f"{name} fiber flux bias", bias, max(2.5 if kind == GALAXY else 1.3, chance), "%")
    if sourced and kind != GALAXY:
        floor = truth.fiber_noise(own, number, error)
        yield _below(f"{name} fiber flux scatter (noise alone {floor:.2f})", scatter, max(1.0, NEAR * floor), "%")
    if kind == SOURCE:
        yield _below(f"{name} observed sky over truth - 1", truth.sky_level(own, number, observed) - 1, 0.015, "")
        left, rms = truth.sky_residual(own, number, subtracted)
        yield _below(f"{name} sky residual, median", left, 0.5, "%")
        floor = truth.sky_floor(own, number, error)
        bar = max(1.2 if camera == "uv" else 0.8, NEAR * floor)
        yield _below(f"{name} sky residual, rms (noise alone {floor:.2f})", rms, bar, "%")
        lines = truth.bright_lines(own, number, subtracted, error)[0]
        if np.isfinite(lines):
            yield _below(f"{name} bright sky lines over noise", lines, 1.15, "")
        width, middle = truth.pulls(own, number, subtracted, error)
        yield _below(f"{name} pull width - 1", width - 1, 0.05, "")
        yield _below(f"{name} pull median", middle, 0.05, "")
    yield from _pixels(name, own, number, done)
    yield from _source(name, own, number, done)
    cubes: Any = done.value("cubes")
    whole = own.inner & _whole(own, number, subtracted)
    if sourced and whole.any():
        light = np.nansum(cubes["skysub"].data[whole]) / np.nansum(subtracted[:, whole] / UNIT)
        yield _below(f"{name} cube flux over fiber flux - 1", light - 1, 0.02, "")


def _whole(own: LrsTruth, number: int, subtracted: truth.Array) -> truth.Flags:
    """Wavelengths at which no fiber with much light is masked, dead ones apart: a cube fills a part of that light."""
    light, known = own.source(number).mean(axis=1), np.isfinite(subtracted)
    return np.asarray(known[(light > LIT * light.max()) & known.any(axis=1)].all(axis=0))


def _changes(name: str, done: ReducedChannel) -> Iterator[Row]:
    """Time from other sky fibers or another aperture to spectrum and cube."""
    sky: Any = done.value("sky")
    some = tuple(map(int, np.flatnonzero(sky.sky.fibers)[::2]))
    known = {
        step: one
        for step, one in done.steps.items()
        if step in (*CALIBRATIONS, "science", "spectra", "drift", "curve", "flux", "sources")
    }
    inputs = {"setup": Given(done.setup, "bench")}
    asked: tuple[tuple[str, dict[str, object]], ...] = (
        ("sky fibers", {"sky": SkyParams(fibers=some)}),
        ("aperture", {"spectrum": SpectrumParams(radius=2.0)}),
    )
    for what, params in asked:
        held = known | ({} if "sky" in params else {step: done.steps[step] for step in ("sky", "field")})
        start = time.process_time()
        run(RECIPE, inputs, params, ("spectrum",), known=held)
        yield _below(f"{name} other {what} to new spectrum, CPU", time.process_time() - start, 0.5, "s")
        cubes = run(RECIPE, inputs, params, ("cubes",), known=held) if "sky" in params else {}
        if cubes:
            yield _below(f"{name} other {what} to new cube, CPU", time.process_time() - start, 1.5, "s")


def _borders(spectra: dict[tuple[str, int], Any]) -> Iterator[Row]:
    """Steps between channels, as they come and after matching in the overlap."""
    for (left, right), (lo, hi) in BORDERS.items():
        for camera, number in spectra:
            pair = [spectra.get((one, number)) for one in (left, right)]
            if camera != left or LrsTruth(camera).kind(number) == GALAXY or any(one is None for one in pair):
                continue
            ratio = []
            for one, channel in zip(pair, (left, right)):
                flux = np.where(one.variance > 0, one.flux, np.nan) * UNIT
                ratio.append(truth.border(LrsTruth(channel), number, flux, (lo, hi)))
            step = 100 * (ratio[1] / ratio[0] - 1)
            yield _below(f"{left}-{right} {number} border step", step, 1.5, "%")
            factor = combine_spectra(pair, common_grid()).factor
            matched = 100 * (ratio[1] * factor[1] / ratio[0] / factor[0] - 1)
            yield _below(f"{left}-{right} {number} border step, matched", matched, 1.0, "%")


def _velocities(own: LrsTruth, number: int, done: ReducedChannel) -> Iterator[Row]:
    """Of the galaxy, and what noise alone does in `DRAWS`: an rms of few spaxels scatters by a fifth.

    The noise is that of the fibers' own pixels, put on the common wavelengths as the light is.
    """
    field: Any = done.value("field")
    flux: Any = done.value("flux")
    sky: Any = done.value("sky")
    cube: Any = done.value("cubes")["skysub"]  # type: ignore[index]
    light, rng = own.source(number) / UNIT, np.random.default_rng(SEED)
    dar = sky.sources[0].dar if sky.sources else done.setup.refraction
    lenslets, middle = done.setup.lenslets, float(cube.wave[cube.wave.size // 2])
    sigma = np.sqrt(np.where(flux.usable(), flux.variance, 0))
    noise = [rectify_values(rng.normal(size=sigma.shape) * sigma, flux.wave, own.grid) for _ in range(DRAWS)]

    def near(flux: Any, part: slice) -> Array:
        some = field.subtracted
        some = replace(
            some, flux=flux[:, part].astype(np.float32), variance=some.variance[:, part], mask=some.mask[:, part],
            wave=some.wave[part],
        )  # fmt: skip
        found = make_cube(some, lenslets, dar, field_grid(lenslets), reference=middle)
        return np.where(found.variance > 0, found.data, np.nan)

    for name, rest in LINES.get(own.channel, {}).items():
        at = np.flatnonzero(np.abs(cube.wave - rest) < AROUND)
        part = slice(int(at[0]), int(at[-1]) + 1)
        wave, true = cube.wave[part], near(light, part)
        chance = np.array([truth.velocity_error(near(light + one, part), true, wave, rest) for one in noise])
        (floor, _), (scatter, turns) = chance.mean(axis=0), chance.std(axis=0, ddof=1)
        seen = np.where(cube.variance > 0, cube.data, np.nan)[part]
        found, slope = truth.velocity_error(seen, true, wave, rest)
        title = f"{own.channel} {number} velocity {name}"
        noisy = f"noise alone {floor:.1f} +- {scatter:.1f}"
        yield _below(f"{title}, rms ({noisy})", found, max(16.0, NEAR * floor, floor + SURE * scatter), "km/s")
        yield _below(f"{title}, slope - 1 (noise alone {turns:.3f})", slope - 1, max(0.1, SURE * turns), "")


def _pixels(name: str, own: LrsTruth, number: int, done: ReducedChannel) -> Iterator[Row]:
    spectra: Any = done.value("spectra")
    mask = spectra.extraction.frame.mask
    found, false = truth.found_cosmics(own, number, (mask & COSMIC) > 0, (mask & APART) > 0)
    if own.cosmics(number)[0].size > 100:
        yield _above(f"{name} cosmic pixels above 200 e", found, 0.96 if own.channel == "red" else 0.97, "")
        yield _below(f"{name} false cosmic pixels", false, 5e-5, "")
    lost = truth.saturated(own, number, ~spectra.extraction.spectra.usable())
    if np.isfinite(lost):
        yield _above(f"{name} saturated samples masked", lost, 0.98, "")


def _source(name: str, own: LrsTruth, number: int, done: ReducedChannel) -> Iterator[Row]:
    spectrum: Any = done.value("spectrum")
    sky: Any = done.value("sky")
    if own.kind(number) == GALAXY:
        yield from _velocities(own, number, done)
        return
    if spectrum is None or not sky.sources:
        return
    one = sky.sources[0]
    x, y = own.centroid(number, one.wave)
    yield _below(f"{name} centroid", float(np.hypot(one.x - x, one.y - y)), 0.01, "arcsec")
    flux, error = np.where(spectrum.variance > 0, spectrum.flux, np.nan) * UNIT, np.sqrt(spectrum.variance) * UNIT
    if not (own.inner & np.isfinite(flux)).any():
        return
    bias, shape = truth.spectrum(own, number, flux)
    noise, parts = truth.spectrum_noise(own, number, flux, error)
    noise = max(noise, _profile_noise(own, number, done))
    yield _below(f"{name} extracted flux bias (noise {noise:.2f})", bias, max(1.5, SURE * noise), "%")
    yield _below(f"{name} extracted shape rms (noise alone {parts:.2f})", shape, max(0.8, NEAR * parts), "%")


def _profile_noise(own: LrsTruth, number: int, done: ReducedChannel) -> float:
    """Error in percent of all light of a source whose place, width and exponent are not known but from itself."""
    field: Any = done.value("field")
    one = done.value("sky").sources[0]  # type: ignore[attr-defined]
    inside = np.flatnonzero(own.inner)
    error = UNIT * np.sqrt(np.where(field.subtracted.usable(), field.subtracted.variance, 0))
    sigma = np.array([truth.summed_noise(row) for row in error[:, inside]])
    flux = own.total(number)[inside].sum()
    at = (np.array([value]) for value in (one.x, one.y, one.fwhm))
    slopes = moffat_slopes(done.setup.lenslets, *at, one.beta)[:, 0]
    known = sigma > 0
    design = np.vstack([slopes[:1], flux * slopes[1:]])[:, known] / sigma[known]
    normal = design @ design.T
    normal[-1, -1] += BETA_PRIOR**-2
    return 100 * float(np.sqrt(np.linalg.inv(normal)[0, 0])) / float(flux)
