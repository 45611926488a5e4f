"""How well the trace of the selected fiber follows its light, with errors and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ifuview.app.frames.views.text import along_axis, number, with_error
from ifuview.app.session import Session, Slot
from ifuview.app.traces.views.filed import as_filed
from ifuview.model.figure import Figure
from ifuview.model.image import Image, Kind
from ifuview.model.inspection import TraceQuality
from ifuview.model.verdict import Verdict

VERDICT_WORDS = {
    Verdict.PASS: "Clean",
    Verdict.WARN: "Look",
    Verdict.FAIL: "Wrong",
    Verdict.NOT_MEASURED: "Not judged",
}


@dataclass(frozen=True, slots=True, eq=False)
class TraceQualityView:
    """Verdict and figures (by name) of one fiber; `quality` is None while there is nothing to show."""

    quality: TraceQuality | None
    title: str = ""
    word: str = ""
    text: str = ""
    numbers: str = ""
    figures: Mapping[str, Figure] = field(default_factory=lambda: MappingProxyType({}))
    hint: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing of what is open."""
        return self.quality is None


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    return (session.inspection, session.current, None if slot is None else (slot.image, slot.traces))


def make(session: Session) -> TraceQualityView | None:
    """Verdict and figures of the inspected fiber, or a hint; None when no image is open."""
    from ifuview.report.traces.quality import figures

    slot = session.slot()
    if slot is None:
        return None
    inspection = session.inspection
    quality = None if inspection is None else inspection.quality
    owner = None if inspection is None else session.slot(inspection.slot)
    if inspection is None or quality is None or owner is None:
        note = inspection.note if inspection is not None else ""
        return TraceQualityView(None, hint=note or _hint(slot.image.kind, slot.traces is not None))
    traced = _traced(session, owner)
    drawn = figures(quality, traced.image.unit, along_axis(traced.image))
    return TraceQualityView(
        quality,
        title=f"Fiber {quality.fiber_id} of {traced.title}",
        word=VERDICT_WORDS[quality.verdict],
        text=quality.text[:1].upper() + quality.text[1:],
        numbers=_numbers(quality, traced.image),
        figures={name: as_filed(figure, traced.image) for name, figure in drawn.items()},
    )


def _traced(session: Session, owner: Slot) -> Slot:
    """The frame whose traces were checked: the inspected one, or the detector image open beside its spectra."""
    near = (s for s in (owner, *session.slots) if s.traces is not None and s.image.kind in (Kind.DETECTOR, Kind.IMAGE))
    return next(near, owner)


def _numbers(quality: TraceQuality, image: Image) -> str:
    """The numbers behind the verdict in one line."""
    if quality.verdict is Verdict.NOT_MEASURED:
        return ""
    mean = image.orientation.words(image.shape).offset(quality.mean_offset)
    return (
        f"Mean {with_error(mean, quality.mean_offset_err, 'px')}, "
        f"shape χ² {number(quality.shape_chi2, 3)} / {quality.shape_dof}, "
        f"noise floor {number(quality.floor, 2)} px"
    )


def _hint(kind: Kind, traced: bool) -> str:
    """What the user can do to see something here."""
    if kind in (Kind.RSS, Kind.CUBE, Kind.SPECTRUM):
        return "Traces are measured on a detector image; show one to check its traces."
    if not traced:
        return "No traces are open for this image. Load a trace file, or measure the traces on a flat."
    return "Click a fiber to see how well its trace follows the light."
