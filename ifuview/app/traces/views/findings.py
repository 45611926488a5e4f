"""The findings of a diagnosis as the dock lists them, where each lies on the canvas, and the evidence for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.look import ViewState
from ifuview.app.frames.views.text import COLUMN, along_axis
from ifuview.app.session import Session, Slot
from ifuview.app.traces.views.filed import as_filed
from ifuview.model.figure import Figure
from ifuview.model.image import Image, Kind
from ifuview.model.traces.doctor import ROW
from ifuview.model.verdict import Verdict

if TYPE_CHECKING:
    from ifuview.model.traces.doctor import DoctorLimits, TraceDiagnosis
    from ifuview.model.traces.findings import TraceFinding

SCREEN = 700.0  # screen px that a finding should fill
ZOOM = (0.25, 6.0)  # screen px per px
BLOCK_ZOOM = 2.0
FIBER_ZOOM = (4.0, 12.0)
BESIDE = 4.0  # px beside the traces of a finding that are marked with it
SEEN = 8.0  # screen px that an error should have
BLOCK = "block"
SIGNS = {Verdict.PASS: "i", Verdict.WARN: "▲", Verdict.FAIL: "✘", Verdict.NOT_MEASURED: "?"}
NO_IMAGE = "Open a detector image and its traces to diagnose them."
NO_TRACES = (
    "No traces are open for this image. Load a trace file and press Diagnose to check it; without one, "
    "Diagnose traces the fibers from nothing and tells which are missing."
)
READY = "Press Diagnose to measure all fibers and to see which traces are wrong, how, and how sure that is."
STALE = "The traces of this frame are others now: diagnose them again."
APPLIED = (
    "The correction is applied: this frame has the corrected traces. All below was found before the correction. "
    "Press Diagnose to measure the corrected traces."
)
BEFORE = "Before the correction: "


ROWS = re.compile(re.escape(ROW) + r"\d+\]")


def by_name(text: str) -> str:
    """A text without the rows that stand behind the names of fibers: those stand in the sentence of a finding."""
    return ROWS.sub("", text)


@dataclass(frozen=True, slots=True, eq=False)
class FindingRow:
    """One finding with the place it is at: crosshair `point` and `box` in native px, and the `view` of the canvas."""

    finding: TraceFinding
    sign: str
    amount: str
    sigma: str
    point: tuple[float, float] | None
    view: ViewState
    box: tuple[float, float, float, float] | None = None

    @property
    def name(self) -> str:
        """Its title; fibers by their names alone."""
        return by_name(self.finding.title)


@dataclass(frozen=True, slots=True, eq=False)
class FindingsView:
    """Everything that the dock shows.

    Parameters
    ----------
    slot : int
        Key of the frame.
    verdict : Verdict or None
        None: not diagnosed; `hint` says what to do.
    sentence, advice : str
    rows : tuple of FindingRow
        Worst first.
    colors : tuple of str
        What the traces can be colored by.
    color_by : str
    corrected : bool
        The corrected traces are the frame's traces; what was found is about those before, as `hint` says.
    undo : bool
        There are earlier traces to go back to.
    changed : bool
        The corrected traces differ from the given ones.
    alternate : bool
        The other of given and corrected traces is drawn.
    blink_ms : int
    limits : DoctorLimits or None
    along : str
        Label of the axis along the fibers.
    save_name : str
        Suggested name of the corrected file.
    hint : str
    can_diagnose : bool
    shown : int
        The row that the bar and the canvas speak of, -1 without one.
    """

    slot: int = -1
    verdict: Verdict | None = None
    sentence: str = ""
    advice: str = ""
    rows: tuple[FindingRow, ...] = ()
    colors: tuple[str, ...] = (BLOCK,)
    color_by: str = BLOCK
    corrected: bool = False
    undo: bool = False
    changed: bool = False
    alternate: bool = False
    blink_ms: int = 500
    limits: DoctorLimits | None = None
    save_name: str = ""
    hint: str = ""
    can_diagnose: bool = False
    along: str = COLUMN
    diagnosis: TraceDiagnosis | None = field(default=None, repr=False)
    shown: int = -1
    image: Image | None = field(default=None, repr=False)

    @property
    def empty(self) -> bool:
        """Whether there is nothing of what is open."""
        return self.verdict is None and not self.can_diagnose and not self.undo


def problems(found: FindingsView) -> tuple[FindingRow, ...]:
    """The rows that are wrong or not sure; they come first."""
    return tuple(row for row in found.rows if row.finding.verdict is not Verdict.PASS)


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    shown = session.overlay
    own = (None,) if slot is None else (slot.key, slot.diagnosis, slot.traces, slot.past_traces, slot.image)
    rest = (session.metrics, shown.color_by, shown.alternate, session.doctor_limits, session.blink_ms)
    return (*own, *rest, session.problem)


def make(session: Session) -> FindingsView | None:
    """The findings of the current frame, or a hint; None when nothing is open."""
    slot = session.slot()
    if slot is None:
        return None
    colors = (BLOCK, *(name for name, _ in session.metrics))
    base = FindingsView(
        slot.key, colors=colors, color_by=session.overlay.color_by if session.overlay.color_by in colors else BLOCK,
        undo=bool(slot.past_traces), limits=session.doctor_limits, blink_ms=session.blink_ms,
        along=along_axis(slot.image), image=slot.image,
    )  # fmt: skip
    if slot.image.kind not in (Kind.DETECTOR, Kind.IMAGE):
        return replace(base, hint=NO_IMAGE)
    if slot.traces is None:
        return replace(base, hint=NO_TRACES, can_diagnose=True)
    found = slot.diagnosis
    if found is None or not of_these(found, slot):
        return replace(base, hint=READY if found is None else STALE, can_diagnose=True)
    return _with_findings(base, session, slot, found)


def of_these(found: TraceDiagnosis, slot: Slot) -> bool:
    """Whether a diagnosis is about the traces of the frame, as given or as corrected."""
    return slot.traces is found.given or slot.traces is found.corrected


def _with_findings(base: FindingsView, session: Session, slot: Slot, found: TraceDiagnosis) -> FindingsView:
    """The view of a diagnosis."""
    from ifuview.app.traces.doctor import source_of
    from ifuview.io.traces.corrected import corrected_name
    from ifuview.model.traces.findings import advice_lines, findings

    source = source_of(found.given)
    rows = tuple(_row(f, slot, found) for f in findings(found))
    return replace(
        base,
        verdict=found.verdict,
        sentence=(BEFORE if slot.traces is found.corrected else "") + found.sentence,
        advice="\n".join(f"• {line}" for line in advice_lines(found)),
        rows=rows,
        shown=min(session.problem, len(rows) - 1),
        corrected=slot.traces is found.corrected,
        hint=APPLIED if slot.traces is found.corrected else "",
        changed=bool(np.nanmax(np.abs(found.correction), initial=0.0) > 0),
        alternate=session.overlay.alternate,
        limits=found.limits,
        save_name=corrected_name(source) if source else "traces_corrected.fits",
        can_diagnose=True,
        diagnosis=found,
    )


def _row(finding: TraceFinding, slot: Slot, found: TraceDiagnosis) -> FindingRow:
    """A finding with its place."""
    amount = "–"
    if finding.amount is not None and np.isfinite(finding.amount):
        amount = f"{finding.amount:+.3f} px" if finding.unit == "px" else f"{finding.amount:.3g} {finding.unit}"
    sigma = "–" if finding.significance is None else f"{finding.significance:.0f}"
    cross, disp, zoom = _place(finding, found)
    if not (np.isfinite(cross) and np.isfinite(disp)):
        return FindingRow(finding, SIGNS[finding.verdict], amount, sigma, None, slot.whole)
    x, y = (float(v) for v in slot.image.orientation.to_native(cross, disp, slot.image.shape))
    view = slot.whole if zoom == 0 else replace(slot.view, x=x, y=y, zoom=zoom, aspect=1.0, fit=False)
    return FindingRow(finding, SIGNS[finding.verdict], amount, sigma, (x, y), view, _box(finding, slot, found))


def _box(finding: TraceFinding, slot: Slot, found: TraceDiagnosis) -> tuple[float, float, float, float] | None:
    """The pixels of a finding, native; None where it is about the whole image."""
    rows, center = finding.row_range, found.corrected.center
    first, last = (int(np.clip(v, 0, center.shape[1] - 1)) for v in finding.x_range)
    if rows is None and 0 < len(finding.fibers) < found.nfiber:
        light = center[list(finding.fibers), first : last + 1]
        rows = (
            (float(np.nanmin(light)) - BESIDE, float(np.nanmax(light)) + BESIDE) if np.isfinite(light).any() else None
        )
    if rows is None:
        return None
    corners = slot.image.orientation.to_native(np.array(rows), np.array([first, last], float), slot.image.shape)
    (x0, x1), (y0, y1) = (sorted(np.asarray(v).tolist()) for v in corners)
    return x0, y0, x1, y1


def _place(finding: TraceFinding, found: TraceDiagnosis) -> tuple[float, float, float]:
    """Canonical (cross, disp) of a finding and the zoom that shows it; zoom 0: the whole image."""
    lo, hi = finding.x_range
    ncol = found.corrected.ncol
    disp = float(np.clip((lo + hi) / 2, 0, ncol - 1))
    if finding.group == "frame" and finding.row_range is not None:
        bottom, top = finding.row_range
        whole = hi - lo > 0.9 * ncol and top - bottom > 0.9 * np.nanmax(found.corrected.center)
        extent = max(hi - lo, top - bottom, 1.0)
        return (bottom + top) / 2, disp, 0.0 if whole else float(np.clip(SCREEN / extent, *ZOOM))
    if not finding.fibers:
        return found.corrected.center.shape[0] / 2, disp, 0.0
    if finding.group == "mode":
        fiber = finding.fibers[len(finding.fibers) // 2]
        whole = len(finding.fibers) == found.nfiber
        return float(found.corrected.center[fiber, int(disp)]), disp, 0.0 if whole else BLOCK_ZOOM
    fiber = finding.fibers[0]
    inside = (found.column >= lo) & (found.column <= hi) & np.isfinite(found.residual[fiber])
    if inside.any() and finding.kind in ("kink", "lost", "wide", "contaminated"):
        part = np.where(inside, np.abs(found.residual[fiber]), -1.0)
        disp = float(found.column[int(np.argmax(part))])
    row = found.corrected.center[fiber, int(np.clip(round(disp), 0, ncol - 1))]
    size = abs(finding.amount) if finding.amount is not None and np.isfinite(finding.amount) else np.inf
    return float(row), disp, float(np.clip(SEEN / max(size, 1e-6), *FIBER_ZOOM))


def evidence(view: FindingsView, row: int) -> Figure | None:
    """What the numbers of one finding rest on."""
    from ifuview.report.traces.evidence import of_finding

    if view.diagnosis is None or not 0 <= row < len(view.rows):
        return None
    figure = of_finding(view.diagnosis, view.rows[row].finding, view.along)
    if figure is None:
        return None
    figure = figure if view.image is None else as_filed(figure, view.image)
    return replace(figure, title=f"{'Before: ' * view.corrected}{by_name(figure.title)}")
