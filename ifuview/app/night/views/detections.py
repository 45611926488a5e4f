"""Detections as the dock lists them: columns, order and choice of rows, and what shows the one that is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.session import Session
from ifuview.engine.context import JobContext
from ifuview.io.night.judgments import judgments_path
from ifuview.model.checks import Array
from ifuview.model.night.detections import DetectionTable, Judgment
from ifuview.model.reduction.detection import DOUBTS, Doubt, doubts_text

if TYPE_CHECKING:
    from ifuview.app.night.detections.evidence import DetectionEvidence

SIGNS = {Judgment.REAL: "\u2714 real", Judgment.FALSE: "\u2718 false", Judgment.UNSURE: "? unsure"}
ORDER = (*Judgment,)


@dataclass(frozen=True, slots=True)
class DetectionColumn:
    """A column: its head, the column of the table that it is of ("" for judgment), digits behind the point."""

    title: str
    name: str
    digits: int = 0

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.name not in ("", "slot", "kind", "doubts")


COLUMNS = (
    DetectionColumn("Judged", ""),
    DetectionColumn("IFU", "slot"),
    DetectionColumn("\u03bb\n(\u00c5)", "wave", 1),
    DetectionColumn("S/N", "sn", 1),
    DetectionColumn("Flux\n(1e-17)", "flux", 1),
    DetectionColumn("Kind", "kind"),
    DetectionColumn("FWHM\n(\u00c5)", "fwhm", 1),
    DetectionColumn("\u03c7\u00b2", "chi2", 2),
    DetectionColumn("x (\u2033)", "x", 1),
    DetectionColumn("y (\u2033)", "y", 1),
    DetectionColumn("RA", "ra", 5),
    DetectionColumn("Dec", "dec", 5),
    DetectionColumn("May be\nfalse", "doubts"),
)
NEEDED = 6  # columns, and the last, that a list always has; the others as its width allows
CHOICES = (("all", "all"), ("not judged", "open"), ("real", "real"), ("false", "false"), ("unsure", "unsure"),
           ("without doubt", "clean"))  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class DetectionsView:
    """Everything on the dock but the figures, which come as the answer of `job`.

    Parameters
    ----------
    title : str
    table : DetectionTable
    said : mapping of int to Judgment
    row : int
        That is looked at, -1 for none.
    summary : str
    usual : str
        Where judgments are written unless another name is given.
    can_undo : bool
    """

    title: str
    table: DetectionTable
    said: Mapping[int, Judgment]
    row: int
    summary: str
    usual: str
    can_undo: bool


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (session.detections,)


def make(session: Session) -> DetectionsView | None:
    """The detections that are open."""
    state = session.detections
    if state is None:
        return None
    counts = {one: sum(given is one for given in state.said.values()) for one in Judgment}
    told = ", ".join(f"{count} {one}" for one, count in counts.items() if count) or "none judged"
    where = f"; saved in {state.saved}" if state.saved else "; not saved" if state.past else ""
    summary = f"{state.title}: {len(state.table)} detections, {told}{where}"
    return DetectionsView(
        state.title, state.table, state.said, state.row, summary, judgments_path(state.path), bool(state.past)
    )  # fmt: skip


def job(session: Session) -> Callable[[JobContext], DetectionEvidence] | None:
    """Figures of the detection that is looked at, for the worker."""
    state = session.detections
    if state is None or state.row < 0:
        return None

    def answer(ctx: JobContext) -> DetectionEvidence:
        from ifuview.app.night.detections.evidence import REACH, evidence

        found = state.source.spectrum(state.row)
        ctx.checkpoint(0.3, "Fibers of the detection")
        return evidence(state.table, state.row, found, state.source.fibers(state.row, REACH))

    return answer


def cell(view: DetectionsView, row: int, column: DetectionColumn) -> str:
    """A value as it is written."""
    if not column.name:
        given = view.said.get(row)
        return "" if given is None else SIGNS[given]
    value = getattr(view.table, column.name)[row]
    if column.name == "doubts":
        return doubts_text(Doubt(int(value)))
    if not column.numeric:
        return str(value)
    return f"{value:.{column.digits}f}" if np.isfinite(value) else ""


def order(view: DetectionsView, column: int, descending: bool, choice: str, least: float, slot: str) -> Array:
    """Rows that are shown, in their order: by a column (-1: as in the file), with S/N of at least so much."""
    table = view.table
    keep = ~(table.sn < least) if least > 0 else np.ones(len(table), bool)
    if slot:
        keep &= table.slot == slot.zfill(3)
    if choice == "clean":
        keep &= table.doubts == 0
    elif choice != "all":
        judged = np.zeros(len(table), bool)
        judged[[r for r, one in view.said.items() if choice in ("open", str(one))]] = True
        keep &= ~judged if choice == "open" else judged
    rows = np.flatnonzero(keep)
    if column < 0:
        return rows
    name = COLUMNS[column].name
    if name:
        values = getattr(table, name)[rows]
    else:
        values = np.full(len(table), len(ORDER))
        values[list(view.said)] = [ORDER.index(one) for one in view.said.values()]
        values = values[rows]
    place = np.argsort(values, kind="stable")
    if values.dtype.kind == "f":  # what is not known comes last either way
        known = np.isfinite(values[place])
        place = np.concatenate([place[known][::-1] if descending else place[known], place[~known]])
    elif descending:
        place = place[::-1]
    return rows[place]


def about(view: DetectionsView, row: int) -> str:
    """What the columns say that a narrow list leaves out, and why a row may be false, a line each."""
    doubts = Doubt(int(view.table.doubts[row]))
    spare = [(one.title.replace("\n", " "), cell(view, row, one)) for one in COLUMNS[NEEDED:-1]]
    told = ", ".join(f"{title}: {value}" for title, value in spare if value)
    return "\n".join([told, *(text for bit, text in DOUBTS.items() if bit in doubts)])
