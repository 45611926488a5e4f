"""Questions to the steps of bias, lamps and twilight, and to what was read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ifuview.engine.ccd.health import health
from ifuview.engine.numeric.runs import runs
from ifuview.engine.traces.profile.fiber_profile import FiberProfile
from ifuview.model.checks import Array
from ifuview.model.quality import TraceBit
from ifuview.model.reduction.ccd import ReductionBit
from ifuview.model.reduction.spectra import FiberSpectra, WaveSolution
from ifuview.model.verdict import VerdictState
from ifuview.recipes.camera.dark import Darkness
from ifuview.recipes.camera.values import Biases, DetectorFrame, FiberFlat, TracedFibers
from ifuview.recipes.lrs2.findings import Findings, middle_wave, several, spans

CLEAN, LOOK, WRONG, NOT = VerdictState.CLEAN, VerdictState.LOOK, VerdictState.WRONG, VerdictState.NOT_JUDGED
DEAD_ZERO = 0.5  # share of the pixels that are exactly zero
MANY = 0.1  # share of the fibers in which a lamp's line is saturated
FAINT = 0.1  # of the light of other fibers: a lamp is lost
NEAR = 7  # fibers on each side that one is compared with
NAMED = 6  # lines that are named
SMILE = 6  # px, that a line is off its place in the middle fiber


def biases(found: Findings, value: object) -> None:
    """Structure that the overscan leaves, bad pixels, read noise."""
    assert isinstance(value, Biases)
    for note in value.notes:
        found.say(LOOK, note)
    for name, frame in value.frames.items():
        low, high = np.percentile(frame.data, (1, 99))
        words = f"{name}: level {value.level.get(name, np.nan):.0f} ADU, structure {high - low:.2f} e"
        found.measure("bias_structure", float(high - low), words, _fibers_of(found, name))
        bad = float(np.mean((frame.mask & np.uint32(ReductionBit.BAD)) > 0))
        found.measure("bias_bad", bad, f"{100 * bad:.3f} % bad pixels")
    if not value.frames:
        found.say(NOT, "there is no bias frame")


def _fibers_of(found: Findings, amplifier: str) -> NDArray[np.intp]:
    """The fibers of an amplifier."""
    names = found.setup.amplifiers
    return np.flatnonzero(found.setup.block == names.index(amplifier)) if amplifier in names else np.zeros(0, np.intp)


def detector(found: Findings, value: object) -> None:
    """Each amplifier: there, read, with the noise and level that it ought to have."""
    assert isinstance(value, DetectorFrame)
    base = found.value("biases")
    for read in value.reads:
        fibers, name = _fibers_of(found, read.amplifier), read.amplifier
        if np.isnan(read.gain):
            own = read.problem or "it is missing"
            why = own.removeprefix("it ") if own.startswith("it ") else "cannot be read"
            found.say(WRONG, f"amplifier {name} {why}", fibers)
            continue
        if read.zero > DEAD_ZERO:
            found.say(WRONG, f"amplifier {name} is {100 * read.zero:.0f} % zero", fibers)
            continue
        if read.problem or read.stuck:
            found.say(WRONG, f"amplifier {name}: {health(read).text}", fibers)
        known = _header_noise(value, read.noise)
        sigma = (read.noise - known) / read.noise_error if read.noise_error > 0 else np.nan
        found.measure("read_noise", read.noise / known, f"{name}: read noise {read.noise:.2f} e", fibers, (), sigma)
        if value.light and (other := value.light[found.setup.amplifiers.index(name)]):
            found.say(LOOK, f"amplifier {name} is that of {other}", fibers)
        full = f"{name}: {100 * read.saturated:.2f} % saturated"
        found.measure("saturated", read.saturated, full if read.saturated else "", fibers)
        if isinstance(base, Biases) and name in base.level:
            moved = read.level - base.level[name]
            found.measure("level_moved", abs(moved), f"{name}: overscan {moved:+.1f} ADU off the bias", fibers)


def _header_noise(value: DetectorFrame, fallback: float) -> float:
    try:
        noise = float(str(value.header.get("RDNOISE", fallback)))
    except ValueError:
        return fallback
    return noise if noise > 0 else fallback


def dark(found: Findings, value: object) -> None:
    """Dark current, hot and warm pixels."""
    assert isinstance(value, Darkness)
    if value.current is None:
        found.say(
            NOT, "; ".join(value.notes) or "no dark exposures are used: dark current and hot pixels are not known"
        )
        return
    hot, rate = float(np.mean(value.current.mask != 0)), 3600 * float(np.median(value.current.rate))
    found.measure("dark_rate", rate, f"{rate:.2f} e an hour")
    found.measure("hot", hot, f"{100 * hot:.2f} % of the pixels hot or warm")


def traces(found: Findings, value: object) -> None:
    """Fibers that are not there, how well the others are followed, light between them."""
    assert isinstance(value, TracedFibers)
    status = np.asarray(value.traces.status)
    lost = np.flatnonzero(status & np.uint32(TraceBit.LOST))
    dead = int(np.count_nonzero(status & np.uint32(TraceBit.DEAD)))
    rms = float(np.nanmedian(np.asarray(value.traces.rms)))
    words = f"{value.traces.nfiber - lost.size - dead} of {value.traces.nfiber} fibers traced, median rms {rms:.3f} px"
    found.measure("trace_rms", rms, words)
    gone = f"no light in {several(lost.size, 'fiber')} that the table does not call dead" if lost.size else ""
    found.measure("lost_fibers", lost.size, gone, lost)
    found.measure("scattered", value.share, f"{100 * value.share:.1f} % of the light is scattered")


def profile(found: Findings, value: object) -> None:
    """Width of the fibers against their neighbors; its fit is judged with the spectra that it gives."""
    assert isinstance(value, FiberProfile)
    lit = np.ones(value.width.shape[0], bool)
    traced = found.value("traces")
    if isinstance(traced, TracedFibers):
        lit = np.asarray(traced.traces.status) == 0
    width = np.where(lit, np.nanmedian(value.width, axis=1), np.nan)
    middle = float(np.nanmedian(width))
    span = f"{np.nanmin(width):.2f} to {np.nanmax(width):.2f}"
    found.measure("profile_width", middle, f"fibers {middle:.2f} px wide (sigma; {span})")
    off = np.abs(width / _near(width) - 1)
    odd = np.flatnonzero(off >= found.limits("odd_width")[0])
    words = f"{several(odd.size, 'fiber')} of another width than the neighbors" if odd.size else ""
    found.measure("odd_width", float(np.nanmax(off)), words, odd)


def _near(values: Array) -> NDArray[np.float64]:
    """Median of the neighbors of each fiber, itself left out."""
    out = np.full(values.size, np.nan)
    for k in range(values.size):
        around = np.delete(values[max(0, k - NEAR) : k + NEAR + 1], min(k, NEAR))
        out[k] = np.nanmedian(around) if np.isfinite(around).any() else np.nan
    return out


def arcs(found: Findings, value: object) -> None:
    """Light of the lamps in each fiber, lines at the end of the range."""
    assert isinstance(value, FiberSpectra)
    full = (value.mask & np.uint32(ReductionBit.SATURATED)) > 0
    lines = runs(full.mean(axis=0) > MANY, 1)
    columns = ", ".join(f"{a}-{b - 1}" for a, b in lines[:NAMED])
    words = f"{len(lines)} lines are saturated, at columns {columns}" if lines else "no line is saturated"
    found.measure("saturated_lines", len(lines), words, np.flatnonzero(full.any(axis=1)))
    light = np.where(value.usable(), value.flux, 0).sum(axis=1, dtype=np.float64)
    flat = found.value("traces")
    lit = np.asarray(flat.traces.status) == 0 if isinstance(flat, TracedFibers) else light > 0
    lost = np.flatnonzero(lit & (light < FAINT * np.median(light[lit]) if lit.any() else False))
    words = (
        f"no light of the lamps in {several(lost.size, 'fiber')}"
        if lost.size
        else f"lamps seen in {int(lit.sum())} fibers"
    )
    found.measure("lost_fibers", lost.size, words, lost)


def wave(found: Findings, value: object) -> None:
    """Lines of the lamps that are found, how well they fit, where there are none."""
    assert isinstance(value, WaveSolution)
    at, ncol = middle_wave(value.wave), value.wave.shape[1]
    inside = (value.line > at.min()) & (value.line < at.max())
    seen, used = np.isfinite(value.center).any(axis=0), value.used.any(axis=0)
    missed = value.line[inside & ~seen]
    words = f"{int((used & inside).sum())} of {int(inside.sum())} lines used, chi2 {value.chi2:.2f}"
    found.measure("wave_chi2", value.chi2, words)
    names = "not seen: " + ", ".join(f"{one:.1f}" for one in missed[:NAMED]) + " A" if missed.size else ""
    lines = tuple((float(one), float(one)) for one in missed)
    found.measure("lines_missed", missed.size / max(int(inside.sum()), 1), names, (), lines)
    _wave_error(found, value, at)
    if used.any():
        low, high = value.line[used].min(), value.line[used].max()
        beyond, ends = float(np.mean((at < low) | (at > high))), []
        ends += [(float(at.min()), float(low))] if low > at.min() else []
        ends += [(float(high), float(at.max()))] if high < at.max() else []
        words = f"{100 * beyond:.0f} % of the columns lie beyond the outermost lines"
        found.measure("beyond_lines", beyond, words, (), tuple(ends))
    for number, name in enumerate(found.setup.amplifiers):
        own = np.flatnonzero(found.setup.block == number)
        if own.size and not value.used[own].any():
            found.say(WRONG, f"no line is recognized in {name}: its wavelengths are guessed", own)
    full = found.value("arcs")
    if isinstance(full, FiberSpectra):
        _saturated_lines(found, value, full, ncol)
    for note in value.notes:
        if "fits nearly as well" in note:
            found.say(LOOK, note)


def _wave_error(found: Findings, value: WaveSolution, at: Array) -> None:
    """How well wavelengths are known, and where not well: beyond the lines they are as good as what is expected."""
    error = np.median(value.error / np.abs(np.gradient(value.wave, axis=1)), axis=0)
    middle, bound = float(np.median(error)), found.limits("wave_error")[0]
    parts = spans(at, error > bound)
    where = ", ".join(f"{low:.0f}-{high:.0f}" for low, high in parts[:NAMED])
    more = f", more than {bound:g} px at {where} A, up to {error.max():.2g}" if parts and middle < bound else ""
    more = f", up to {error.max():.2g}" if middle >= bound else more
    found.measure("wave_error", middle, f"error {middle:.3f} px{more}", (), parts)


def _saturated_lines(found: Findings, value: WaveSolution, lamps: FiberSpectra, ncol: int) -> None:
    """Lines that the solution cannot or should not rest on."""
    full = (lamps.mask & np.uint32(ReductionBit.SATURATED)) > 0
    middle = middle_wave(value.wave)
    at = np.searchsorted(middle, np.where((value.line > middle[0]) & (value.line < middle[-1]), value.line, np.inf))
    near = [full[:, max(0, column - SMILE) : column + SMILE + 1].any(axis=1).mean() for column in at]
    hit = [n for n, column in enumerate(at) if column < ncol and near[n] > MANY]
    lines = tuple((float(value.line[n]), float(value.line[n])) for n in hit)
    words = "saturated: " + ", ".join(f"{value.line[n]:.1f}" for n in hit[:NAMED]) + " A" if hit else ""
    found.measure("saturated_lines", len(hit), words, (), lines)


def response(found: Findings, value: object) -> None:
    """Fibers with little light, columns of low efficiency, fit of the profile to the light that evenly lights."""
    assert isinstance(value, FiberFlat)
    low = np.flatnonzero((value.fibers.mask & np.uint32(ReductionBit.LOW_FIBER)).any(axis=1))
    words = f"{several(low.size, 'fiber')} with little light, "
    words += f"{several(len(value.pixels.runs), 'column')} of low efficiency"
    found.measure("low_fibers", low.size, words, low)
    dead = (value.fibers.mask & np.uint32(ReductionBit.DEAD_FIBER)).any(axis=1)
    unknown = np.flatnonzero(~np.isfinite(value.fibers.error).any(axis=1) & ~dead)
    if unknown.size:
        found.say(WRONG, f"the response of {several(unknown.size, 'fiber')} is not known and taken for one", unknown)
    if value.spectra.chi2 is not None:
        chi2 = float(np.nanmedian(np.where(value.spectra.usable(), value.spectra.chi2, np.nan)))
        found.measure("flat_chi2", chi2, f"chi2 of the profile {chi2:.2f}")
