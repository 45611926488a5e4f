"""The Photons dock as a value: which photons count, what is shown, how far the index is, the legend of flags."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from ifuview.app.jobs import NO_JOBS, JobBook, JobKey, JobKind
from ifuview.app.photons.counting import images as steps
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.photons.units import plain, value_span, value_unit
from ifuview.app.photons.views.flags import FlagRow, legend
from ifuview.app.photons.which import frame_of, is_photons, photon_frame
from ifuview.app.session import Layout, Session, Slot
from ifuview.model.photons.images import value_name
from ifuview.model.photons.lists import Beammap, PhotonCut, SortedColumns

HINT = "Open a photon list (HDF5 or raw packets): its flags, counts and sliders are here."
OTHER = "The frame on the canvas is not of a photon list."
READS_JOBS = True
UNCALIBRATED = "No wavelength solution is applied."
MASKS = ("cosmiccal", "timemask")  # steps that leave out photons by time


@dataclass(frozen=True, slots=True)
class PhotonsView:
    """What the dock draws.

    Parameters
    ----------
    key : int
        Of the frame; -1 without a photon list.
    hint : str
        In place of everything else.
    shown : Shown
    cut : PhotonCut
    span, values : (float, float)
        Ends of the two sliders: s, and nm or degrees.
    column : str
        "Wavelength" or "Phase", and `unit`.
    headline, state : str
        What is counted, and whether the sliders are live.
    job : int or None
        Of the index while it is made; `fraction` of it is done.
    live, can_index, playing : bool
    weights : bool
        Whether the list has weights other than 1.
    step, fps : float
        Of playing.
    now : str
        Time of the step that is shown.
    flags : tuple of FlagRow
    two, blinking : bool
        Whether there is another frame to blink with, and whether frames blink.
    """

    key: int = -1
    hint: str = ""
    shown: Shown = Shown.FLAGS
    cut: PhotonCut = field(default_factory=PhotonCut)
    span: tuple[float, float] = (0.0, 1.0)
    values: tuple[float, float] = (0.0, 1.0)
    column: str = "Wavelength"
    unit: str = "nm"
    headline: str = ""
    state: str = ""
    job: int | None = None
    fraction: float = 0.0
    live: bool = False
    can_index: bool = False
    playing: bool = False
    weights: bool = True
    step: float = 0.1
    fps: float = 10.0
    now: str = ""
    flags: tuple[FlagRow, ...] = ()
    two: bool = False
    blinking: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing of what is open."""
        return self.key < 0


def inputs(session: Session, jobs: JobBook = NO_JOBS) -> tuple[object, ...]:
    """What the dock depends on."""
    slot = photon_frame(session)
    if slot is None:
        return (None,)
    made = slot.key != session.current
    frames = len(session.slots), session.layout
    return slot.key, slot.photons, is_photons(slot), _job(jobs, slot), frames, made


def make(session: Session, jobs: JobBook = NO_JOBS) -> PhotonsView:
    """Return the view of the current frame."""
    slot = photon_frame(session)
    frame = frame_of(slot)
    if slot is None or frame is None:
        waiting = f"{slot.title}: opening the photons..." if slot is not None and is_photons(slot) else ""
        others = any(is_photons(s) for s in session.slots)
        return PhotonsView(hint=waiting or (OTHER if others else HINT))
    info = frame.source.info
    job = _job(jobs, slot)
    cut = frame.cut
    return PhotonsView(
        key=slot.key,
        shown=frame.shown,
        cut=cut,
        span=(0.0, steps.span_of(frame)),
        values=value_span(info),
        column=value_name(info),
        unit=value_unit(info),
        headline=headline(frame) if slot.key == session.current else f"{frame.name}: {headline(frame)}",
        state="\n".join((*filter(None, (state(frame, job), "" if info.calibrated else UNCALIBRATED)), *notes(frame))),
        job=None if job is None else job[0],
        fraction=0.0 if job is None else job[1],
        live=frame.live is not None and slot.key == session.current,
        can_index=frame.live is None and job is None and not in_the_way(frame),
        playing=frame.playing,
        weights=bool(info.weighted or "flatcal" in info.calibrations or cut.weighted),
        step=frame.step,
        fps=frame.fps,
        now=_now(frame),
        flags=rows(info.beammap, cut.exclude),
        two=len(session.slots) > 1,
        blinking=session.layout is Layout.BLINK and len(session.slots) > 1,
    )


def _job(jobs: JobBook, slot: Slot | None) -> tuple[int, float] | None:
    """Id and progress of the job that makes the index of a frame."""
    frame = frame_of(slot)
    found = None if frame is None else jobs.active(JobKey(JobKind.INDEX, frame.raw.info.path))
    return None if found is None else (found.id, round(found.fraction, 2))


def headline(frame: PhotonFrame) -> str:
    """What is counted, in words."""
    info, counted = frame.source.info, frame.image
    if frame.shown is Shown.FLAGS or counted is None:
        size = f"{info.beammap.shape[1]} × {info.beammap.shape[0]} pixels, {info.duration:g} s"
        number = f"{plain(info.nphoton)} photons, " if info.nphoton >= 0 else ""
        return f"{number}{size}; {_column(frame)}"
    about = "about " if frame.preview else ""
    total = f"{about}{plain(counted.photons)} photons in {counted.exposure:.6g} s"
    return f"{total}; {counted.npixel_excluded} pixels left out; {_column(frame)}"


def _column(frame: PhotonFrame) -> str:
    """What the third column is."""
    info = frame.source.info
    return "wavelengths" if info.calibrated else f"{value_name(info).lower()}s"


def state(frame: PhotonFrame, job: tuple[int, float] | None) -> str:
    """Whether pictures follow the sliders."""
    if frame.live is not None:
        return "" if frame.live.exact else "Too large for memory: an estimate while dragging, exact on release."
    if job is not None:
        return "The index is being made; until then every count reads the file."
    if names := in_the_way(frame):
        return f"Counts follow when a slider is released, time is not played, while this is on: {', '.join(names)}."
    if isinstance(frame.raw, SortedColumns):
        return "The live image is not in memory: counts follow when a slider is released."
    return "No index: every count reads the file, when the slider is released."


def notes(frame: PhotonFrame) -> tuple[str, ...]:
    """What the file says of itself, and a first pass over its photons found: what is missing, what is in no image."""
    image = () if frame.image is None else frame.image.info.notes
    return tuple(dict.fromkeys((*frame.raw.info.notes, *frame.source.info.notes, *image)))


def in_the_way(frame: PhotonFrame) -> tuple[str, ...]:
    """Calibrations that are on and that live images cannot follow, though there is an index; () if there are none."""
    if frame.live is not None or not isinstance(frame.raw, SortedColumns) or isinstance(frame.source, SortedColumns):
        return ()
    from ifuview.app.photons.calibration.stack import title

    masks = tuple(title(s) for s in frame.stack if s.on and s.key in MASKS)
    return masks or tuple(title(s) for s in frame.stack if s.on)


def _now(frame: PhotonFrame) -> str:
    """The time range that is shown."""
    cut = frame.cut
    if cut.start is None and cut.stop is None:
        return "whole exposure"
    start, stop = cut.start or 0.0, steps.span_of(frame) if cut.stop is None else cut.stop
    digits = 3 if stop - start < 1 else 2
    return f"{start:.{digits}f} – {stop:.{digits}f} s"


@lru_cache(maxsize=16)
def rows(beammap: Beammap, exclude: tuple[str, ...]) -> tuple[FlagRow, ...]:
    """The legend, made once for a beam map and its exclusions."""
    from ifuview.io.photons.flags import MEANINGS

    return legend(beammap, exclude, MEANINGS)
