"""Does a line of the sky stay in the fibers, and does it vary smoothly over the field as a real sky does?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.engine.night import lines as of_lines
from ifuview.engine.night.questions.case import Case
from ifuview.engine.night.stats import middle as typical
from ifuview.engine.numeric.medians import MAD_TO_SIGMA
from ifuview.model.checks import Array
from ifuview.model.night.triage import Finding

LINE_EDGE = 3.6  # Angstrom from the center that a line's residual reaches
SIDE_BAND = 14.0  # Angstrom between lines of which the weaker is told wrong by the stronger
GRADIENT = (15.0, 0.5, 0.1)  # least significance, explained variance and swing of a real gradient
LINE_RESIDUAL = (8.0, 0.03)  # least significance and fraction of the line
WIDE = 1.2  # scatter of a line over its noise from which it is asked whether it varies over the field


def lines_that_stay(case: Case, lines: of_lines.LineLight, use: Array, shared: Array | None) -> None:
    """Lines that vary over the field, and single lines that stay everywhere.

    Parameters
    ----------
    case : Case
    lines : LineLight
    use : ndarray of bool, shape (nfiber,)
    shared : ndarray, shape (nfiber, nwave), or None
        What is known already: lines that are wrong together.
    """
    if shared is not None:
        assert case.clean is not None
        lines = replace(lines, residual=of_lines.light(case.clean - case.expected - shared, lines.at))
    model = np.median(lines.model, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = lines.residual / model
    count = max(int(np.count_nonzero(use)), 1)
    middle = typical(ratio[use], axis=0)
    error = 1.25 * MAD_TO_SIGMA * typical(np.abs(ratio[use] - middle), axis=0) / np.sqrt(count)
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
    add_gradient(case, found, (found.wave, found.wave), f"The sky line at {found.wave:.1f} A varies", strength)
    return True


def add_gradient(case: Case, found: of_lines.Gradient, waves: tuple[float, float], who: str, strength: Array) -> None:
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


def beside_stronger(line: Finding, lines: list[Finding]) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    return any(_in_the_side_of(line, other) for other in lines)


def _in_the_side_of(line: Finding, other: Finding) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    if line.wave_range is None or other.wave_range is None or line.significance >= other.significance:
        return False
    return abs(line.wave_range[0] - other.wave_range[0]) < SIDE_BAND
