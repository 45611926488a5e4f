"""Drawings of a diagnosis over the fibers: modes, spacing against the comb, extraction impact, crosstalk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.figure import ColorMap, Figure, Scale
from ifuview.model.traces.doctor import Mode, TraceDiagnosis
from ifuview.model.traces.findings import NAMES
from ifuview.report.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, decade, draw_figure
from ifuview.report.traces.doctor_report import DoctorReport
from ifuview.report.words import PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Page

COMB_DEGREE = 3  # of the comb of a block: positions against the number in the block
ROBUST_ROUNDS = 4
CLIP = 4.0  # scatters
MAX_MODES = 16
PERCENT = 100.0
UNSURE = 5.0  # times the usual error: columns with more do not count as the worst
COLUMN, FIBER = "column along dispersion (px)", "fiber (row of the traces)"
LINEAR = 1e-3  # px; smaller amplitudes are drawn on a linear scale


def draw_modes(figure: Page, report: DoctorReport) -> bool:
    """Amplitude with error on the left, significance with the limit on the right."""
    found = report.diagnosis
    known = [m for m in found.modes if np.isfinite(m.amplitude_px) and np.isfinite(m.sigma_px)]
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
    left.set_xlabel("amplitude (px)")
    left.set_title("amplitude")
    right.barh(place, [max(m.significance, 0.01) for m in shown], color=color, height=0.6)
    right.set_xscale("log")
    right.xaxis.set_major_formatter(decade)
    right.set_xlim(0.3, max(10.0, 2 * max(m.significance for m in shown)))
    right.axvline(found.limits.mode_sigmas, color=BLACK, ls="--", lw=1.2, label=f"limit {found.limits.mode_sigmas:g}")
    right.set_xlabel("significance (sigma)")
    right.set_title("significance (red: found)")
    right.legend(loc="lower right")
    return True


def _mode_name(mode: Mode, found: TraceDiagnosis) -> str:
    """Name, with the block where it is of one."""
    name: str = NAMES.get(mode.name, mode.name)
    if mode.fibers and len(mode.fibers) < found.nfiber:
        return f"{name},\nfibers {found.fiber_id[mode.fibers[0]]} to {found.fiber_id[mode.fibers[-1]]}"
    return name


def draw_spacing(figure: Page, report: DoctorReport) -> bool:
    """Distance to the next fiber, and the place of each fiber in the comb of its block."""
    found = report.diagnosis
    column = found.measured.ncol // 2
    measured = found.measured.center[:, column]
    if found.nfiber < 3 or not np.isfinite(measured).any():
        return False
    top, bottom = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.08, right=0.98, top=0.93, bottom=0.09, hspace=0.22)
    row = np.arange(found.nfiber)
    if found.given is not None:
        top.plot(row[:-1], np.diff(found.given.center[:, column]), "x", color=VERMILION, ms=5, label="given traces")
    top.plot(row[:-1], np.diff(measured), ".", color=BLUE, ms=4, label="measured")
    top.set_ylabel("distance to the next (px)")
    top.set_title(f"spacing at column {column}")
    top.legend(ncols=2, loc="upper right")
    gap = np.diff(measured)
    low, high = np.nanpercentile(gap, (1, 99))
    top.set_ylim(min(low - 2, 0 if low < 2 else low - 2), high * 1.25 + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(np.isfinite(found.offset_err), found.offset_err**-2.0, 0.0).sum(axis=1)
        error = np.where(weight > 0, weight**-0.5, np.nan)
    comb = comb_residual(measured, found.block)
    with_bars(bottom, row, comb, error, ".", BLUE, "measured")
    if found.given is not None:
        given = found.given.center[:, column] - (measured - comb)
        bottom.plot(row, given, "x", color=VERMILION, ms=4, label="given traces")
    good = np.abs(comb[np.isfinite(comb)])
    bound = max(0.05, 1.6 * float(np.percentile(good, 99)) if good.size else 0.05)
    if found.given is not None:
        spread = np.abs(given[np.isfinite(given)])
        bound = max(bound, 1.3 * float(np.percentile(spread, 95)) if spread.size else 0)
    bottom.set_ylim(-bound, bound)
    bottom.axhline(0, color=BLACK, lw=0.8)
    for axes in (top, bottom):
        edges = np.flatnonzero(np.diff(found.block)) + 0.5
        axes.vlines(edges, 0, 1, color=ORANGE, lw=0.5, transform=axes.get_xaxis_transform())
    bottom.set(xlabel="fiber (row of the traces); lines: blocks", ylabel="position minus comb (px)")
    bottom.set_title("place in the comb of the block")
    bottom.legend(ncols=2, loc="upper right")
    bottom.set_xlim(-1, found.nfiber)
    return True


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
    row = np.arange(found.nfiber)
    loss, leak = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
    for name, given, error, color, mark in (
        ("boxcar", impact.boxcar_loss, impact.boxcar_loss_err, VERMILION, "."),
        ("joint", impact.joint_loss, impact.joint_loss_err, BLUE, "+"),
    ):
        y, e = _worst(given, error)
        with_bars(loss, row, PERCENT * y, PERCENT * e, mark, color, name)
    loss.set_yscale("symlog", linthresh=0.1)
    loss.yaxis.set_major_formatter(decade)
    loss.set(ylabel="loss (%)", xlim=(-1, found.nfiber))
    loss.set_title("flux lost at the worst column", fontsize=10)
    loss.legend(ncols=2)
    y, e = _middle(impact.leak), _middle(impact.leak_err)
    with_bars(leak, row, PERCENT * y, PERCENT * e, ".", VERMILION, "given traces")
    leak.plot(row, PERCENT * _middle(impact.perfect_leak), ".", color=GREEN, ms=3, label="perfect traces")
    leak.set(xlabel="fiber (row of the traces)", ylabel="leak (%)", xlim=(-1, found.nfiber))
    leak.set_title("light of the neighbors, median over columns", fontsize=10)
    leak.legend(ncols=2)
    return True


def draw_crosstalk(figure: Page, report: DoctorReport) -> bool:
    """One panel for the boxcar, one for the joint extraction; one series for each neighbor."""
    found, cross = report.diagnosis, report.diagnosis.crosstalk
    if cross is None:
        return False
    panels = figure.subplots(2, 1, sharex=True)
    figure.subplots_adjust(left=0.08, right=0.98, top=0.93, bottom=0.09, hspace=0.2)
    row = np.arange(found.nfiber)
    for axes, values, errors, title in (
        (panels[0], cross.boxcar, cross.boxcar_err, "boxcar"),
        (panels[1], cross.joint, cross.joint_err, "joint extraction"),
    ):
        for k, (reach, color, mark) in enumerate(zip(cross.reach, (PURPLE, BLUE, ORANGE, PALE), "<o.>", strict=False)):
            name = f"fiber {int(reach):+d}"
            with_bars(axes, row, PERCENT * values[:, k], PERCENT * errors[:, k], mark, color, name)
        axes.axhline(0, color=BLACK, lw=0.8)
        axes.set_ylabel("share of the neighbor's flux (%)")
        axes.set_title(title)
        good = values[np.isfinite(values)]
        if good.size:
            low, high = np.percentile(PERCENT * good, (0.5, 99.5))
            pad = max(0.15 * (high - low), 1e-5)
            axes.set_ylim(low - pad, high + pad)
    panels[0].legend(ncols=4, loc="upper right")
    panels[1].set_xlabel("fiber (row of the traces)")
    panels[1].set_xlim(-1, found.nfiber)
    return True


def with_bars(axes: Axes, x: Array, y: Array, error: Array, mark: str, color: str, label: str) -> None:
    """Points with error bars; all bars are one line with gaps, which is drawn ten times as fast as single ones."""
    gap = np.full(len(x), np.nan)
    ends = np.stack([y - error, y + error, gap], axis=1).ravel()
    axes.plot(np.repeat(x, 3), ends, color=color, lw=0.6, alpha=0.7)
    axes.plot(x, y, mark, color=color, ms=4, label=label)


def _middle(values: Array) -> Array:
    """Median over columns, NaN where nothing is known."""
    out = np.full(len(values), np.nan)
    some = np.isfinite(values).any(axis=1)
    out[some] = np.nanmedian(values[some], axis=1)
    return out


def _worst(values: Array, errors: Array) -> tuple[Array, Array]:
    """Largest value over the well-measured columns and its error."""
    sure = np.isfinite(values) & np.isfinite(errors)
    sure &= errors <= UNSURE * (np.median(errors[sure]) if sure.any() else 0.0)
    some = sure.any(axis=1)
    place = np.where(some, np.argmax(np.where(sure, values, -np.inf), axis=1), 0)
    row = np.arange(len(values))
    error = np.nan_to_num(errors[row, place])
    return np.where(some, values[row, place], np.nan), error
