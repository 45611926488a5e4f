"""Does a line of the sky stay in the fibers, and does it vary smoothly over the field as a real sky does?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.triage import lines as of_lines
from ifuview.engine.triage.questions.case import Case
from ifuview.model.checks import Array
from ifuview.model.triage import Finding

LINE_EDGE = 3.6  # Angstrom from the center that a line's residual reaches
SIDE_BAND = 14.0  # Angstrom between lines of which the weaker is told wrong by the stronger
GRADIENT = (15.0, 0.5, 0.1)  # least significance, explained variance and swing of a real gradient
LINE_RESIDUAL = (8.0, 0.03)  # least significance and fraction of the line


def lines_that_stay(case: Case, lines: of_lines.LineLight, use: Array) -> None:
    """Lines that vary over the field, and lines that stay everywhere."""
    chain = case.chain
    model = np.median(lines.model, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = lines.residual / model
    count = max(int(np.count_nonzero(use)), 1)
    middle = np.median(ratio[use], axis=0)
    error = 1.25 * 1.4826 * np.median(np.abs(ratio[use] - middle), axis=0) / np.sqrt(count)
    weight = np.median(lines.error[use], axis=0) / np.maximum(np.abs(model), 1e-9)
    wide = error * np.sqrt(count) / 1.25 / np.maximum(weight, 1e-9)
    for k, at in enumerate(lines.at):
        wave = float(chain.wave[at])
        span = (wave - LINE_EDGE, wave + LINE_EDGE)
        if wide[k] > 1.2 and chain.focal_x is not None and chain.focal_y is not None and case.asks("sky-gradient"):
            found = of_lines.gradient(lines, k, chain.wave, chain.focal_x, chain.focal_y, use)
            if found is not None and all(
                v > limit for v, limit in zip((found.significance, found.explained, found.swing), GRADIENT, strict=True)
            ):
                direction = float(np.degrees(np.arctan2(found.slope[1], found.slope[0])))
                case.add(
                    "sky-gradient", "light", fibers=tuple(range(chain.shape[0])), wave_range=span,
                    amplitude=found.swing, unit="of the line", significance=found.significance,
                    confidence=float(np.clip(found.explained + 0.2, 0, 1)),
                    detail={"direction_deg": round(direction), "explained": round(found.explained, 2)},
                    text=f"The sky line at {wave:.1f} A varies smoothly over the focal plane "
                    f"by {100 * found.swing:.0f} % (rising towards {direction:.0f} deg): real sky, not a fault",
                )  # fmt: skip
                continue
        if case.asks("sky-line residual") and abs(middle[k]) > max(LINE_RESIDUAL[1], LINE_RESIDUAL[0] * error[k]):
            case.add(
                "sky-line residual", "sky", fibers=tuple(range(chain.shape[0])), wave_range=span,
                amplitude=float(middle[k]), unit="of the line", significance=float(abs(middle[k]) / error[k]),
                text=f"{100 * middle[k]:+.0f} % of the sky line at {wave:.1f} A stays in all fibers",
            )  # fmt: skip


def beside_stronger(line: Finding, lines: list[Finding]) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    return any(_in_the_side_of(line, other) for other in lines)


def _in_the_side_of(line: Finding, other: Finding) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    if line.wave_range is None or other.wave_range is None or line.significance >= other.significance:
        return False
    return abs(line.wave_range[0] - other.wave_range[0]) < SIDE_BAND
