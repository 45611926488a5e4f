"""The findings of a triage as the dock lists them, worst first, with the spectra that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ifuview.app.session import Session
from ifuview.model.checks import Array
from ifuview.model.triage import HARMLESS, Finding

HINT = (
    "Open the folder of a production, a night or an exposure (or one of its products) and press Triage: it names the "
    "first product that is wrong in each camera, the kind of the defect and how far it reaches."
)
MOST_CURVES = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One finding; `mark` is "bad", "known" or "info"."""

    finding: Finding
    name: str
    step: str
    amount: str
    mark: str


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One line of the evidence."""

    label: str
    x: Array
    y: Array


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
    words += f"; {lacking} questions could not be asked" if lacking else ""
    return f"{state.scope}, {cameras} camera{'s' if cameras != 1 else ''}: {words}"


def _row(finding: Finding) -> Row:
    """A finding in short words."""
    mark = "info" if finding.kind in HARMLESS else "known" if finding.known else "bad"
    name = f"{finding.expid} {finding.camera}  {finding.kind}"
    return Row(finding, name, finding.first_step, f"{finding.amplitude:.3g} {_short(finding.unit)}", mark)


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


def curves(view: TriageView, number: int) -> tuple[Curve, ...]:
    """Median spectra of the blocks or fibers of a finding and of all others."""
    finding = view.rows[number].finding
    arrays = view.state.arrays.get((finding.expid, finding.camera))
    if not arrays or "residual" not in arrays:
        return ()
    wave, values = arrays["wave"], arrays["residual"]
    inside = np.zeros(values.shape[0], bool)
    inside[[f for f in finding.fibers if f < inside.size]] = True
    out = []
    if not inside.all():
        out.append(Curve("other fibers", wave, np.median(values[~inside], axis=0)))
    size = finding.block_size
    for block in finding.blocks[:MOST_CURVES]:
        out.append(Curve(f"block {block}", wave, np.median(values[block * size : (block + 1) * size], axis=0)))
    if not finding.blocks and inside.any():
        out.append(Curve("these fibers", wave, np.median(values[inside], axis=0)))
    return tuple(out)
