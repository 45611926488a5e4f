"""Does a line of the sky stay in the fibers, and does it vary smoothly over the field as a real sky does?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.engine.night import lines as of_lines
from ifuview.engine.night.line_fit import LEAST_LINES, LineFit, common, followed, line_fits, outlying
from ifuview.engine.night.questions.case import Case
from ifuview.engine.night.stats import middle as typical
from ifuview.model.checks import Array
from ifuview.model.night.triage import Finding, ranges

LINE_EDGE = 3.6  # Angstrom from the center that a line's residual reaches
SIDE_BAND = 14.0  # Angstrom between lines of which the weaker is told wrong by the stronger
GRADIENT = (15.0, 0.5, 0.1)  # least significance, explained variance and swing of a real gradient
LINE_RESIDUAL = (8.0, 0.03)  # least significance and fraction of the line
WIDE = 1.2  # scatter of a line over its noise from which it is asked whether it varies over the field
CHANGE = {"factor": 0.03, "shift": 0.04}  # of the lines; Angstrom: scatter of clean fibers is 0.02 in both
BEFORE = {"factor": "fiberflat", "shift": "trace"}  # step that is first wrong where the frame, not the model, changes
WHERE = {
    "sky": "the sky model has it",
    "trace": "the frame has it and the sky model has not, so the wavelengths of the traces are to be asked",
    "fiberflat": "the frame over the flat has it and the sky model has not",
}
FOLLOW = 0.5  # of a pattern that strong lines share must be in most of them
MOST_NAMED = 12  # fibers in a sentence


def lines_that_stay(case: Case, lines: of_lines.LineLight, use: Array) -> None:
    """Lines that are wrong together, lines that vary over the field, and single lines that stay everywhere."""
    if (shared := _together(case, lines, use)) is not None:
        assert case.clean is not None
        lines = replace(lines, residual=of_lines.light(case.clean - case.expected - shared, lines.at))
    model = np.median(lines.model, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = lines.residual / model
    count = max(int(np.count_nonzero(use)), 1)
    middle = typical(ratio[use], axis=0)
    error = 1.25 * 1.4826 * typical(np.abs(ratio[use] - middle), axis=0) / np.sqrt(count)
    weight = np.median(lines.error[use], axis=0) / np.maximum(np.abs(model), 1e-9)
    wide = error * np.sqrt(count) / 1.25 / np.maximum(weight, 1e-9)
    for k in range(lines.at.size):
        if wide[k] > WIDE and case.asks("sky-gradient") and _varying(case, lines, k, use):
            continue
        if case.asks("sky-line residual") and abs(middle[k]) > max(LINE_RESIDUAL[1], LINE_RESIDUAL[0] * error[k]):
            wave = float(case.chain.wave[lines.at[k]])
            case.add(
                "sky-line residual", "sky", fibers=tuple(range(case.chain.shape[0])),
                wave_range=(wave - LINE_EDGE, wave + LINE_EDGE), amplitude=float(middle[k]), unit="of the line",
                significance=float(abs(middle[k]) / error[k]),
                text=f"{100 * middle[k]:+.0f} % of the sky line at {wave:.1f} A stays in all fibers",
            )  # fmt: skip


def _varying(case: Case, lines: of_lines.LineLight, k: int, use: Array) -> bool:
    """Whether one line is a plane over the field; noted if so."""
    chain = case.chain
    if chain.focal_x is None or chain.focal_y is None:
        return False
    found = of_lines.gradient(lines, k, chain.wave, chain.focal_x, chain.focal_y, use)
    if found is None or not _is_sky(found):
        return False
    strength = np.where(use, lines.residual[:, k] / np.median(lines.model[:, k]), np.nan)
    _gradient(case, found, (found.wave, found.wave), f"The sky line at {found.wave:.1f} A varies", strength)
    return True


def _gradient(case: Case, found: of_lines.Gradient, waves: tuple[float, float], who: str, strength: Array) -> None:
    """Add lines that are a plane over the field, and keep the strength of each fiber that it was fitted to."""
    name = f"map {waves[0]:.1f}-{waves[1]:.1f}"
    case.maps[name] = strength
    towards = direction(found.slope)
    case.add(
        "sky-gradient", "light", fibers=tuple(range(case.chain.shape[0])),
        wave_range=(waves[0] - LINE_EDGE, waves[1] + LINE_EDGE), amplitude=found.swing, unit="of the line",
        significance=found.significance, confidence=float(np.clip(found.explained + 0.2, 0, 1)),
        detail={
            "direction_deg": towards, "explained": round(found.explained, 2), "slope": list(found.slope),
            "center": list(found.center), "map": name,
        },
        text=f"{who} smoothly over the focal plane by {100 * found.swing:.0f} % "
        f"(rising towards {towards} deg, counted from +X to +Y): real sky, not a fault",
    )  # fmt: skip


def direction(slope: tuple[float, float]) -> int:
    """Where a plane rises to: degrees from +X to +Y, 0 to 359."""
    return round(float(np.degrees(np.arctan2(slope[1], slope[0])))) % 360


def _is_sky(found: of_lines.Gradient) -> bool:
    """Whether a plane is strong and clean enough to be the sky."""
    values = found.significance, found.explained, found.swing
    return all(value > limit for value, limit in zip(values, GRADIENT, strict=True))


def _together(case: Case, lines: of_lines.LineLight, use: Array) -> Array | None:
    """Strong lines that are all too weak, too strong or displaced; returns what that makes of the residual."""
    chain, at = case.chain, lines.at[lines.strong]
    if at.size < LEAST_LINES or case.clean is None or chain.sky is None:
        return None
    assert chain.sframe_ivar is not None
    residual, step = case.clean - case.expected, float(np.median(np.diff(chain.wave)))
    fits = line_fits(residual, chain.sky, chain.sframe_ivar, at, step)
    own = line_fits(chain.sky - np.median(chain.sky, axis=0), chain.sky, chain.sframe_ivar, at, step)
    shapes = {"factor": chain.sky, "shift": -np.gradient(chain.sky, axis=1) / step}
    shared: Array | None = None
    for kind, fit, model in zip(("factor", "shift"), fits, own, strict=True):
        change = np.zeros(use.size)
        value, significance = common(fit, use, CHANGE[kind])
        if significance:
            change += value
            _note(case, at, kind, tuple(range(chain.shape[0])), value, significance, "sky")
        over_field = _over_field(case, fit, use, at) if kind == "factor" else None
        if over_field is not None:
            fit = replace(fit, value=fit.value - over_field)
            change += over_field
        fibers, typical, significance = outlying(fit, use, CHANGE[kind])
        deviates = np.zeros(use.size)
        deviates[fibers] = fit.value[fibers] - np.median(fit.value[use])
        if fibers.size and followed(fit, deviates, use) > FOLLOW:
            away = deviates[fibers]
            share = -float(np.sum(model.value[fibers] * away) / np.sum(away**2))
            first = "sky" if share > 0.5 else BEFORE[kind]
            _note(case, at, kind, tuple(fibers.tolist()), typical, significance, first, share)
            change[fibers] += away
        if change.any():
            shared = (0 if shared is None else shared) + change[:, None] * shapes[kind]
    return shared


def _over_field(case: Case, fit: LineFit, use: Array, at: Array) -> Array | None:
    """The plane over the field that the factor of all lines is, noted; None if it is none."""
    chain = case.chain
    if chain.focal_x is None or chain.focal_y is None or not case.asks("sky-gradient"):
        return None
    found = of_lines.plane(fit.value, fit.error, chain.focal_x, chain.focal_y, use)
    if found is None or not _is_sky(found):
        return None
    x, y = chain.focal_x - found.center[1], chain.focal_y - found.center[2]
    tilt = np.nan_to_num(np.asarray(found.slope[0] * x + found.slope[1] * y))
    if followed(fit, tilt, use) < FOLLOW:  # one strong line alone made it
        return None
    waves = chain.wave[at]
    _gradient(
        case,
        found,
        (float(waves.min()), float(waves.max())),
        f"All {at.size} strong sky lines vary",
        np.where(use, fit.value, np.nan),
    )
    return tilt


def _note(
    case: Case, at: Array, kind: str, fibers: tuple[int, ...], value: float, significance: float, first: str,
    share: float | None = None,
) -> None:  # fmt: skip
    """Add what the strong lines have in common."""
    if not case.asks("sky-line residual"):
        return
    waves = case.chain.wave[at]
    span = float(waves.min()) - LINE_EDGE, float(waves.max()) + LINE_EDGE
    case.add(
        "sky-line residual", first, fibers=fibers, wave_range=span, amplitude=value,
        unit="of the lines" if kind == "factor" else "Angstrom", significance=significance, confidence=0.8,
        detail={
            "change": kind, "lines": sorted(round(float(w), 1) for w in waves),
            "share_of_sky_model": None if share is None else round(share, 2),
        },
        text=f"{_words(case, kind, fibers, value)} ({at.size} lines at {span[0]:.0f}-{span[1]:.0f} A)"
        + ("" if share is None else f": {WHERE[first]}"),
    )  # fmt: skip


def _words(case: Case, kind: str, fibers: tuple[int, ...], value: float) -> str:
    """Which fibers, and by how much."""
    if len(fibers) == case.chain.shape[0]:
        if kind == "factor":
            return f"{100 * value:+.0f} % of the sky lines stay in all fibers"
        return f"The frame's sky lines are displaced by {value:+.2f} A against the sky model's in all fibers"
    who = ranges(fibers[:MOST_NAMED]) + ", ..." * (len(fibers) > MOST_NAMED)
    much = f"{100 * value:.0f} %" if kind == "factor" else f"{value:.2f} A"
    verb = "too strong or too weak" if kind == "factor" else "displaced"
    return f"In {len(fibers)} fibers ({who}) the sky lines are {verb} by {much}"


def beside_stronger(line: Finding, lines: list[Finding]) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    return any(_in_the_side_of(line, other) for other in lines)


def _in_the_side_of(line: Finding, other: Finding) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    if line.wave_range is None or other.wave_range is None or line.significance >= other.significance:
        return False
    return abs(line.wave_range[0] - other.wave_range[0]) < SIDE_BAND
