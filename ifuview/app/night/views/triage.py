"""The findings of a triage as the dock lists them, worst first, with the spectra that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ifuview.app.session import Session
from ifuview.model.checks import Array
from ifuview.model.night.triage import HARMLESS, Finding

HINT = (
    "Open the folder of a production, a night or an exposure (or one of its products) and press Triage: it names the "
    "first product that is wrong in each camera, the kind of the defect and how far it reaches."
)
MOST_CURVES = 6
OTHERS = "other fibers"
OF_FIBERS = ("isolated-fiber", "bright-neighbor", "positioning")  # the level of each fiber tells most
NEAR = 15  # fibers on either side that are shown


@dataclass(frozen=True, slots=True)
class Row:
    """One finding; `mark` is "bad", "known" or "info"."""

    finding: Finding
    place: str
    name: str
    step: str
    amount: str
    mark: str


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line of the evidence, or marks."""

    label: str
    x: Array
    y: Array
    marks: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EvidencePlot:
    """The plot of one finding: curves (those of the other fibers first), names and ranges of the axes, a window."""

    curves: tuple[Curve, ...]
    x_name: str
    y_name: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    window: tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class TriageView:
    """Everything the dock shows."""

    rows: tuple[Row, ...]
    headline: str
    can_run: bool
    done: bool
    causes: tuple[Any, ...]
    state: Any
    blinking: bool


def inputs(session: Session) -> tuple[Any, ...]:
    """What the view depends on."""
    return (session.triage, session.night is None, session.current, session.layout)


def make(session: Session) -> TriageView | None:
    """Rows and headline; None where nothing can be looked at."""
    state = session.triage
    can_run = session.night is not None or session.slot() is not None
    if state is None:
        return TriageView((), "", can_run, False, (), None, False) if can_run else None
    rows = tuple(_row(f) for f in state.result.findings)
    return TriageView(
        rows, _headline(state, rows), can_run, True, state.result.causes, state, session.layout.value == "blink"
    )


def _headline(state: Any, rows: tuple[Row, ...]) -> str:
    """How many of what."""
    bad = sum(r.mark == "bad" for r in rows)
    cameras = len(state.result.cameras)
    words = f"{bad} new finding{'s' if bad != 1 else ''}" if bad else "nothing new"
    known, other = (sum(r.mark == mark for r in rows) for mark in ("known", "info"))
    words += f", {known} known" if known else ""
    words += f", {other} of sky and stars" if other else ""
    lacking = len(state.result.not_measured) + len(state.result.problems)
    words += f"; {lacking} question{'s' * (lacking != 1)} could not be asked" if lacking else ""
    return f"{state.scope}, {cameras} camera{'s' if cameras != 1 else ''}: {words}"


def _row(finding: Finding) -> Row:
    """A finding in short words."""
    mark = "info" if finding.kind in HARMLESS else "known" if finding.known else "bad"
    amount = f"{finding.amplitude:.3g} {_short(finding.unit)}"
    return Row(finding, f"{finding.expid} {finding.camera}", finding.kind, finding.first_step, amount, mark)


def _short(unit: str) -> str:
    """A unit for a narrow column."""
    return unit.replace("electron / Angstrom", "e/Å").replace("throughput / flat", "of flat")


def explanation(view: TriageView, number: int) -> str:
    """What is known of one finding, with the causes if they were asked for it."""
    finding = view.rows[number].finding
    lines = [finding.text + ".", f"Extent: {finding.extent}."]
    causes = [c for c in view.causes if c.about.startswith(f"{finding.kind}, ")]
    for verdict, word in (("supported by", "Cause"), ("not decided", "Not decided"), ("excluded by", "Excluded")):
        names = ", ".join(dict.fromkeys(c.name for c in causes if c.verdict == verdict))
        if names:
            lines.append(f"{word}: {names}.")
    return "\n".join(lines)


def evidence(view: TriageView, number: int) -> str:
    """What speaks for and against each cause of one finding, a line each."""
    finding = view.rows[number].finding
    causes = [c for c in view.causes if c.about.startswith(f"{finding.kind}, ")]
    return "\n".join(f"{c.name}: {c.verdict} {c.evidence}" for c in causes)


def evidence_plot(view: TriageView, number: int) -> EvidencePlot | None:
    """What shows a finding: the level of single fibers, or median spectra of its blocks or fibers and of all others."""
    finding = view.rows[number].finding
    arrays = view.state.arrays.get((finding.expid, finding.camera)) or {}
    if finding.kind in OF_FIBERS and "level" in arrays and finding.fibers:
        return _levels(finding, arrays["level"])
    return _spectra(finding, arrays["wave"], arrays["residual"]) if "residual" in arrays else None


def _levels(finding: Finding, level: Array) -> EvidencePlot:
    """Mean of each fiber near those of the finding; a bright one among them may reach above the plot."""
    first, last = max(min(finding.fibers) - NEAR, 0), min(max(finding.fibers) + NEAR, level.size - 1)
    x = np.arange(first, last + 1)
    y = np.asarray(level[first : last + 1], float)
    inside = np.isin(x, finding.fibers)
    source = finding.detail.get("source")
    usual = y[x != source] if source is not None else y
    usual = usual[np.isfinite(usual)]
    low, high = (min(float(usual.min()), 0.0), float(usual.max())) if usual.size else (0.0, 1.0)
    margin = 0.06 * ((high - low) or 1.0)
    out = [Curve(OTHERS, x, y), Curve("these fibers", x[inside], y[inside], True)]
    if source is not None and first <= source <= last:
        words = f"bright fiber {source}: {level[source]:.3g}"
        out.append(Curve(words, np.array([source]), np.array([min(float(level[source]), high + margin)]), True))
    return EvidencePlot(tuple(out), "Fiber in the camera", "Mean of sframe (e/Å)", (first - 0.5, last + 0.5),
                        (low - margin, high + 2 * margin), None)  # fmt: skip


def _spectra(finding: Finding, wave: Array, values: Array) -> EvidencePlot | None:
    """Median spectra of the blocks or fibers of a finding and of all others."""
    inside = np.zeros(values.shape[0], bool)
    inside[[f for f in finding.fibers if f < inside.size]] = True
    out = []
    if not inside.all():
        out.append(Curve(OTHERS, wave, np.median(values[~inside], axis=0)))
    size = finding.block_size
    for block in finding.blocks[:MOST_CURVES]:
        out.append(Curve(f"block {block}", wave, np.median(values[block * size : (block + 1) * size], axis=0)))
    if not finding.blocks and inside.any():
        out.append(Curve("these fibers", wave, np.median(values[inside], axis=0)))
    if not out:
        return None
    ends = float(wave[0]), float(wave[-1])
    low, high = finding.wave_range or ends
    margin = 0.5 * (high - low) if finding.wave_range is not None else 0.0
    across = max(low - margin, ends[0]), min(high + margin, ends[1])
    seen = slice(*np.searchsorted(wave, across))
    parts = [c.y[seen] for c in out]
    lowest, highest = min(float(p.min()) for p in parts), max(float(p.max()) for p in parts)
    return EvidencePlot(tuple(out), "Wavelength (Å)", "sframe - continuum (e/Å)", across, (lowest, highest),
                        finding.wave_range)  # fmt: skip
