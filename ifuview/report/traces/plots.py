"""Drawings of a diagnosis over the fibers: modes, spacing against the comb, extraction impact, crosstalk.

The modes are drawn here and not as a figure of the model: their axis counts names, and no dock shows them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import CROSS, DOT, DOWN, NONE, PLUS, SOLID, Color, ColorMap, Curve, Figure, Rule, Scale
from ifuview.model.traces.doctor import Mode, TraceDiagnosis
from ifuview.model.traces.findings import NAMES
from ifuview.report.figures import BLACK, SKY, VERMILION, decade, draw_figure
from ifuview.report.traces.doctor_report import DoctorReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Page

COMB_DEGREE = 3  # of the comb of a block: positions against the number in the block
ROBUST_ROUNDS = 4
CLIP = 4.0  # scatters
MAX_MODES = 16
PERCENT = 100.0
UNSURE = 5.0  # times the usual error: columns with more, and with no loss far above it, do not count as the worst
WIDE = 1.0  # %; from there on losses are drawn by their decades
COLUMN, FIBER = "column along dispersion (px)", "fiber (row of the traces)"
ZERO = Rule(0.0, vertical=False, color="text", stroke=SOLID)
MARKS: tuple[tuple[Color, str], ...] = ((3, DOWN), (0, DOT), (4, PLUS), ("faint", CROSS))  # of the neighbors
LINEAR = 1e-3  # px; smaller amplitudes are drawn on a linear scale


def draw_modes(figure: Page, report: DoctorReport) -> bool:
    """Amplitude with error on the left, significance with the limit on the right."""
    found = report.diagnosis
    known = [
        replace(m, amplitude_px=m.filed(found.axes))
        for m in found.modes
        if np.isfinite(m.amplitude_px) and np.isfinite(m.sigma_px)
    ]
    if not known:
        return False
    shown = sorted(known, key=lambda m: -m.significance)[:MAX_MODES][::-1]
    left, right = figure.subplots(1, 2, sharey=True)
    figure.subplots_adjust(left=0.2, right=0.97, top=0.93, bottom=0.1, wspace=0.06)
    place = np.arange(len(shown))
    color = [VERMILION if m.found else SKY for m in shown]
    names = [_mode_name(m, found) for m in shown]
    for y, mode, shade in zip(place, shown, color, strict=True):
        left.errorbar(mode.amplitude_px, y, xerr=mode.sigma_px, fmt="o", color=shade, ms=6, capsize=3, lw=1.8)
        side = "right" if mode.amplitude_px > 0 else "left"
        left.annotate(f"{mode.amplitude_px:+.4f} ± {mode.sigma_px:.4f}", (mode.amplitude_px, y), xytext=(0, 7),
                      textcoords="offset points", ha=side, fontsize=8)  # fmt: skip
    left.set_xscale("symlog", linthresh=LINEAR, linscale=0.6)
    largest = max(abs(m.amplitude_px) + m.sigma_px for m in shown)
    bound = 10 ** np.ceil(np.log10(max(2 * largest, 2 * LINEAR)))
    left.set_xlim(-bound, bound)
    decades = 10.0 ** np.arange(round(np.log10(LINEAR)), round(np.log10(bound)) + 1)
    left.set_xticks([*-decades[::-1], 0, *decades])
    left.xaxis.set_major_formatter(decade)
    left.tick_params(axis="x", labelsize=8)
    left.axvline(0, color=BLACK, lw=0.8)
    left.set_yticks(place, names)
    left.set_ylim(-0.6, len(shown) - 0.3)
    left.set_xlabel(f"amplitude in {found.axes.across_axis} (px)")
    left.set_title("amplitude")
    right.barh(place, [max(m.significance, 0.01) for m in shown], color=color, height=0.6)
    right.set_xscale("log")
    right.xaxis.set_major_formatter(decade)
    right.set_xlim(0.3, max(10.0, 2 * max(m.significance for m in shown)))
    right.axvline(found.limits.mode_sigmas, color=BLACK, ls="--", lw=1.2, label=f"limit {found.limits.mode_sigmas:g}")
    right.set_xlabel("significance (sigma)")
    right.set_title("significance (orange: found)")
    right.legend(loc="lower right")
    return True


def _mode_name(mode: Mode, found: TraceDiagnosis) -> str:
    """Name, with the block where it is of one."""
    name: str = NAMES.get(mode.name, mode.name)
    if mode.fibers and len(mode.fibers) < found.nfiber:
        return f"{name},\nfibers {found.fiber_id[mode.fibers[0]]}\nto {found.fiber_id[mode.fibers[-1]]}"
    return name


def draw_spacing(figure: Page, report: DoctorReport) -> bool:
    """Distance to the next fiber, and the place of each fiber in the comb of its block."""
    found = report.diagnosis
    column = found.measured.ncol // 2
    measured = found.measured.center[:, column]
    if found.nfiber < 3 or not np.isfinite(measured).any():
        return False
    row, gap, comb = np.arange(found.nfiber, dtype=float), np.diff(measured), comb_residual(measured, found.block)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(np.isfinite(found.offset_err), found.offset_err**-2.0, 0.0).sum(axis=1)
        error = np.where(weight > 0, weight**-0.5, np.nan)
    gaps = [Curve(row[:-1], gap, 0, "measured", NONE, DOT, size=4)]
    places = [Curve(row, comb, 0, "measured", NONE, DOT, size=4, error=error)]
    bound = max(0.05, 1.6 * _percentile(comb, 99))
    if found.given is not None:
        center = found.given.center[:, column]
        given = center - (measured - comb)
        gaps.insert(0, Curve(row[:-1], np.diff(center), 1, "given traces", NONE, CROSS))
        places.append(Curve(row, given, 1, "given traces", NONE, CROSS))
        bound = max(bound, 1.3 * _percentile(given, 95))
    low, high = np.nanpercentile(gap, (1, 99))
    edges = tuple(Rule(float(e), color=4, stroke=SOLID) for e in np.flatnonzero(np.diff(found.block)) + 0.5)
    fibers = (-1.0, float(found.nfiber))
    top, bottom = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.08, right=0.98, top=0.93, bottom=0.09, hspace=0.22)
    y = Scale("distance to the next (px)", (min(low - 2, 0 if low < 2 else low - 2), high * 1.25 + 1))
    drawn = Figure(f"spacing at column {column}", Scale("", fibers), y, tuple(gaps), edges)
    draw_figure(top, drawn, place="upper right")
    y = Scale("position minus comb (px)", (-bound, bound))
    x = Scale("fiber (row of the traces); lines: blocks", fibers)
    drawn = Figure("place in the comb of the block", x, y, tuple(places), (*edges, ZERO))
    draw_figure(bottom, drawn, place="upper right")
    return True


def _percentile(values: Array, percent: float) -> float:
    """Of the sizes of what is known; 0 without any."""
    known = np.abs(values[np.isfinite(values)])
    return float(np.percentile(known, percent)) if known.size else 0.0


def comb_residual(position: Array, block: Array) -> Array:
    """Position minus a smooth robust comb of each block, px; the comb is a polynomial of the number in the block."""
    out = np.full(position.shape, np.nan)
    for one in np.unique(block):
        rows = np.flatnonzero(block == one)
        slot = np.linspace(-1, 1, len(rows)) if len(rows) > 1 else np.zeros(1)
        good = np.isfinite(position[rows])
        degree = min(COMB_DEGREE, int(good.sum()) - 2)
        if degree < 1:
            continue
        rest = np.full(len(rows), np.nan)
        for _ in range(ROBUST_ROUNDS):
            fit = np.polynomial.legendre.legfit(slot[good], position[rows][good], degree)
            rest = position[rows] - np.polynomial.legendre.legval(slot, fit)
            scatter = 1.4826 * np.median(np.abs(rest[good]))
            keep = np.isfinite(rest) & (np.abs(rest) <= max(CLIP * scatter, 1e-6))
            if keep.sum() <= degree + 1 or (keep == good).all():
                break
            good = keep
        out[rows] = rest
    return out


def draw_impact(figure: Page, report: DoctorReport) -> bool:
    """Loss of boxcar and joint extraction and leak per fiber; the loss of the boxcar by fiber and column."""
    found, impact = report.diagnosis, report.diagnosis.impact
    if impact is None:
        return False
    grid = figure.add_gridspec(2, 2, left=0.075, right=0.975, top=0.93, bottom=0.09, hspace=0.3, wspace=0.42)
    axes = figure.add_subplot(grid[:, 0])
    values = PERCENT * impact.boxcar_loss
    top = max(1.0, float(np.nanpercentile(np.abs(values), 99)) if np.isfinite(values).any() else 1.0)
    half = (found.column[1] - found.column[0]) / 2 if len(found.column) > 1 else 0.5
    extent = float(found.column[0] - half), float(found.column[-1] + half), -0.5, found.nfiber - 0.5
    title = f"flux lost by a boxcar of ± {impact.half_width:g} px"
    shown = ColorMap(values, extent, (0.0, top), "cividis", "loss against the right trace (%)")
    draw_figure(axes, Figure(title, Scale(COLUMN), Scale(FIBER), map=shown))
    row, fibers = np.arange(found.nfiber, dtype=float), (-1.0, float(found.nfiber))
    loss, leak = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
    curves = []
    for name, given, error, color, mark in (
        ("boxcar", impact.boxcar_loss, impact.boxcar_loss_err, 1, DOT),
        ("joint", impact.joint_loss, impact.joint_loss_err, 0, PLUS),
    ):
        y, e = _worst(given, error)
        curves.append(Curve(row, PERCENT * y, color, name, NONE, mark, size=4, error=PERCENT * e))
    drawn = Figure("flux lost at the worst column", Scale("", fibers), Scale("loss (%)"), tuple(curves))
    draw_figure(loss, drawn, size=10, columns=2)
    if any(float(np.nanmax(np.abs(curve.y), initial=0.0)) > WIDE for curve in curves):
        loss.set_yscale("symlog", linthresh=0.1)
        loss.autoscale(axis="y")
        loss.yaxis.set_major_formatter(decade)
    y, e = _middle(impact.leak), _middle(impact.leak_err)
    curves = [
        Curve(row, PERCENT * y, 1, "given traces", NONE, DOT, size=4, error=PERCENT * e),
        Curve(row, PERCENT * _middle(impact.perfect_leak), 2, "perfect traces", NONE, DOT, size=3),
    ]
    title = "light of the neighbors, median over columns"
    draw_figure(leak, Figure(title, Scale(FIBER, fibers), Scale("leak (%)"), tuple(curves)), size=10, columns=2)
    return True


def draw_crosstalk(figure: Page, report: DoctorReport) -> bool:
    """One panel for the boxcar, one for the joint extraction; one series for each neighbor."""
    found, cross = report.diagnosis, report.diagnosis.crosstalk
    if cross is None:
        return False
    panels = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.1, right=0.98, top=0.93, bottom=0.09, hspace=0.2)
    row = np.arange(found.nfiber, dtype=float)
    for axes, values, errors, title, x in (
        (panels[0], cross.boxcar, cross.boxcar_err, "boxcar", ""),
        (panels[1], cross.joint, cross.joint_err, "joint extraction", FIBER),
    ):
        curves = tuple(
            Curve(row, PERCENT * values[:, k], color, f"fiber {int(reach):+d}", NONE, mark, size=4,
                  error=PERCENT * errors[:, k])
            for k, (reach, (color, mark)) in enumerate(zip(cross.reach, MARKS, strict=False))
        )  # fmt: skip
        good = PERCENT * values[np.isfinite(values)]
        low, high = np.percentile(good, (0.5, 99.5)) if good.size else (0.0, 0.0)
        pad = max(0.15 * (high - low), 1e-5)
        y = Scale("share of the neighbor's flux (%)", (float(low - pad), float(high + pad)))
        drawn = Figure(title, Scale(x, (-1.0, float(found.nfiber))), y, curves, (ZERO,))
        draw_figure(axes, drawn, columns=4, place="upper right")
        axes.ticklabel_format(axis="y", style="plain")  # a factor above the axis would stand on the title
    return True


def _middle(values: Array) -> Array:
    """Median over columns, NaN where nothing is known."""
    out = np.full(len(values), np.nan)
    some = np.isfinite(values).any(axis=1)
    out[some] = np.nanmedian(values[some], axis=1)
    return out


def _worst(values: Array, errors: Array) -> tuple[Array, Array]:
    """Largest value over the well-measured columns and its error."""
    sure = np.isfinite(values) & np.isfinite(errors)
    sure &= (errors <= UNSURE * (np.median(errors[sure]) if sure.any() else 0.0)) | (values > UNSURE * errors)
    some = sure.any(axis=1)
    place = np.where(some, np.argmax(np.where(sure, values, -np.inf), axis=1), 0)
    row = np.arange(len(values))
    error = np.nan_to_num(errors[row, place])
    return np.where(some, values[row, place], np.nan), error
