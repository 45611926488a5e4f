"""What a user can ask of traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifuview.app.frames.intents import Intent

if TYPE_CHECKING:
    from ifuview.model.traces.doctor import DoctorLimits


class LoadTraces(Intent):
    """Read a trace file for the current frame (or all frames it fits)."""

    path: str


class MeasureTraces(Intent):
    """Trace the fibers of the current detector image from nothing."""


class Diagnose(Intent):
    """Find out which traces of the current frame are wrong."""


class ShowTraceFinding(Intent):
    """Go to a finding of the diagnosis of the current frame."""

    number: int


class SetThresholds(Intent):
    """From where on a finding counts (DoctorLimits); the diagnosis of the current frame is judged again."""

    limits: DoctorLimits


class ApplyCorrection(Intent):
    """Use the corrected traces of the diagnosis in the current frame."""


class Undo(Intent):
    """Take back what was done last to traces, calibrations, a reduction or detections, and show where that was.

    `again`: do again what was taken back last.
    """

    again: bool = False


class UndoTraces(Intent):
    """Go back to the traces before the last ones of a frame (None = current); `again`: to those taken back last."""

    key: int | None = None
    again: bool = False


class SaveTraces(Intent):
    """Write the corrected traces of the current frame in the form of the file they came from."""

    path: str


class ExportDiagnosis(Intent):
    """Write the report of the diagnosis of the current frame into a folder."""

    folder: str
