"""What the worker does for photon frames of the window: open, index, count, play, save; no Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ifuview.app.frames.combine import combine
from ifuview.app.frames.opening.opened import Opened
from ifuview.app.frames.state import Made
from ifuview.app.photons import lists as photons
from ifuview.app.photons import products
from ifuview.app.photons.calibration.sources import live_of, source_of
from ifuview.app.photons.counting import images as steps
from ifuview.app.photons.counting.unchanged import check_unchanged
from ifuview.app.photons.lists import PACKETS
from ifuview.app.photons.state import PhotonFrame, Shown
from ifuview.app.photons.which import frame_of
from ifuview.app.session import Session, Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.files import size_and_time
from ifuview.model.image import Image
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.lists import PhotonCut, PhotonSource, SortedColumns

if TYPE_CHECKING:
    from ifuview.app.photons.state import Live

INDEX_SHARE = 0.7  # of the progress of indexing and loading


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What a count gave: the frame, its picture, and the frames that are made from it."""

    key: int
    cut: PhotonCut
    shown: Shown
    counted: PhotonImage
    image: Image
    limits: tuple[float, float] | None
    preview: bool = False
    made: tuple[tuple[int, Opened], ...] = ()  # by key


def open_frame(path: str, name: str, ctx: JobContext = SILENT, beammap: str = "") -> PhotonFrame:
    """The photon list of a file, or its index if there is one; raw packets with the beam map given or beside them."""
    from ifuview.app.photons import beammaps

    state = size_and_time(path, PACKETS)
    if not beammap:
        source = photons.open_source(path, ctx=ctx)
        beammap = beammaps.beside(path) if source.info.era == beammaps.PACKETS else ""
    if beammap:
        source = beammaps.opened(path, beammap, ctx=ctx)
    return PhotonFrame(source, source, name=name, state=state, beammap=beammap)


def made_live(frame: PhotonFrame, ctx: JobContext = SILENT) -> tuple[PhotonSource, PhotonSource, Live | None]:
    """The index of a frame (made if there is none), what lies on top of it, and its live image."""
    check_unchanged(frame)
    raw, path = frame.raw, frame.raw.info.path
    if not isinstance(raw, SortedColumns):
        part = ctx.part(0.0, INDEX_SHARE)
        if frame.beammap:
            from ifuview.app.photons import beammaps

            raw = beammaps.opened(path, frame.beammap, index=True, ctx=part)
        else:
            raw = photons.open_source(path, index=True, ctx=part)
    source = raw if frame.source is frame.raw else frame.source
    if frame.stack and not isinstance(source, SortedColumns):
        source = source_of(raw, frame.stack, ctx.part(INDEX_SHARE, INDEX_SHARE + 0.1))
    return raw, source, live_of(source, ctx.part(INDEX_SHARE + 0.1, 1.0))


def check_cut(frame: PhotonFrame, cut: PhotonCut) -> None:
    """Raise UsageError for a cut that cannot mean anything in this file."""
    from ifuview.engine.photons.counting.cut import check

    check(frame.source.info, cut)


def count(frame: PhotonFrame, cut: PhotonCut, *, final: bool = True, ctx: JobContext = SILENT) -> PhotonImage:
    """Photons per pixel, exact; an estimate where a list is too large for the hand to follow (`final` False)."""
    from ifuview.engine.photons.counting.cut import bounds
    from ifuview.engine.photons.counting.sorted_columns import as_image

    check_unchanged(frame)
    check_cut(frame, cut)
    live = frame.live
    if live is None:
        return photons.image(frame.source, cut, ctx)
    if cut.weighted and live.info.weighted:
        return photons.image(frame.source, cut, ctx)
    cut = replace(cut, weighted=False)
    asked = bounds(live.info, cut)
    return as_image(live.columns, live.counts(asked, ctx) if final else live.preview(asked, ctx), cut)


def recount(
    session: Session, key: int, cut: PhotonCut, shown: Shown, *, final: bool = True, ctx: JobContext = SILENT
) -> Counted | None:
    """Count a frame of a session anew, and make the differences that show it anew; None if it was closed."""
    slot = session.slot(key)
    frame = frame_of(slot)
    if slot is None or frame is None:
        return None
    known = frame.image
    if known is None or frame.preview or not final or not _same(known.cut, cut) or frame.shown is Shown.FLAGS:
        known = count(frame, cut, final=final, ctx=ctx)
    image = steps.picture(slot.dataset, known, shown)
    limits = None if _fixed(slot) else steps.limits_of(image, slot.look)
    fresh = session.with_slot(replace(slot, image=image, plane=()))
    made = [(s.key, combined(fresh, s)) for s in steps.dependents(session, key)]
    estimate = not final and frame.live is not None and not frame.live.exact
    return Counted(key, cut, shown, known, image, limits, estimate, tuple((k, m) for k, m in made if m is not None))


def _same(a: PhotonCut, b: PhotonCut) -> bool:
    """Whether two cuts let the same photons pass; a list without weights counts alike with and without them."""
    return a == b


def _fixed(slot: Slot) -> bool:
    """Whether the user chose the limits."""
    return slot.look.limit_mode.value == "user" and slot.look.lo is not None and slot.look.hi is not None


def combined(session: Session, slot: Slot) -> Opened | None:
    """The difference or ratio that a frame shows, from the frames as they are now; None if one of them is gone."""
    made = slot.made_of
    if not isinstance(made, Made):
        return None
    a, b = session.slot(made.a), session.slot(made.b)
    if a is None or b is None or a.image.shape != b.image.shape:
        return None
    return combine(a, b, made.how)


def save(slot: Slot, what: str, path: str, axis: str = "time", bins: int = 0, ctx: JobContext = SILENT) -> str:
    """Write the image, a cube or a movie of a photon frame; the file appears whole or not at all.

    Raises
    ------
    UsageError
        Not a photon frame, an unknown suffix or a place that cannot be written, no bins.
    """
    frame = frame_of(slot)
    if frame is None:
        raise UsageError("this frame is not of a photon list", path, "choose one that is")
    check_unchanged(frame)
    check_cut(frame, frame.cut)
    if what == "movie":
        from ifuview.app.photons.counting import movie

        return movie.save(slot, frame, path, ctx)
    products.check_output(path)
    if what == "cube":
        kind = axis if axis == "time" else ("wave" if frame.source.info.calibrated else "phase")
        cube = photons.cube(frame.source, kind, frame.cut, bins=bins or None, ctx=ctx)
        products.save(cube, path)
    else:
        products.save(count(frame, frame.cut, ctx=ctx), path)
    return path
