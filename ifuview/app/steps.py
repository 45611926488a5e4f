"""Steps of the session: (session, intent) -> next session, pure and quick."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ifuview.app import intents as want
from ifuview.app.frames.fibers import fiber_count, find_fiber
from ifuview.app.frames.look import LimitMode, Look, Reduction, Smooth, Transfer
from ifuview.app.frames.views.colors import known
from ifuview.app.frames.views.sampling import wavelength_at
from ifuview.app.session import Layout, Selection, Session, Slot
from ifuview.model.image import Kind
from ifuview.model.trace import TraceSet

RECENT_FILES = 12
PICK_RADIUS = 8.0  # px; a click farther than this from every trace selects no fiber
ALL_BITS = 0xFFFFFFFF
LIMIT_FIELDS = ("limit_mode", "lo", "hi", "percent", "zcontrast", "transfer", "exponent")
COLOR_FIELDS = ("cmap", "invert", "bias", "contrast")


def look_of(fields: Iterable[tuple[str, Any]], base: Look | None = None) -> Look:
    """A Look with some fields given by name, words turned into the enumerations of the fields."""
    kinds = {"limit_mode": LimitMode, "transfer": Transfer, "reduction": Reduction, "smooth": Smooth}
    fields = tuple(fields)
    for name, value in fields:
        if name == "cmap":
            known(value)  # says what there is if it is not
    values: dict[str, Any] = {name: kinds[name](value) if name in kinds else value for name, value in fields}
    return replace(base or Look(), **values)


def placed(session: Session, slot: Slot) -> Slot:
    """A new frame with the view of its neighbors of the same size when views are locked, and their traces."""
    alike = [s for s in session.slots if s.image.shape == slot.image.shape]
    if alike and session.locks.view:
        slot = replace(slot, view=alike[-1].view)
    if slot.traces is None and slot.image.kind is Kind.DETECTOR:
        with_traces = [s for s in alike if s.traces is not None and s.image.camera == slot.image.camera]
        if with_traces and not slot.dataset.companions:
            slot = replace(slot, traces=with_traces[-1].traces)
    return slot


def remember(session: Session, spec: str) -> Session:
    """The session with a file at the head of the recent ones."""
    rest = tuple(r for r in session.recent if r != spec)
    return replace(session, recent=(spec, *rest)[:RECENT_FILES])


def close(session: Session, intent: want.CloseSlot) -> Session:
    """Close one frame; the next one in the list becomes current."""
    key = session.current if intent.key is None else intent.key
    keys = [s.key for s in session.slots]
    if key not in keys:
        return session
    place = keys.index(key)
    left = [s for s in session.slots if s.key != key]
    out = session.with_slots(left)
    if key == session.current and left:
        out = replace(out, current=left[min(place, len(left) - 1)].key)
    return _without_orphans(out)


def close_all(session: Session, _: want.CloseAll) -> Session:
    """Close every frame."""
    return _without_orphans(session.with_slots(()))


def close_tables(session: Session, intent: want.CloseTables) -> Session:
    """Close the tables of a file."""
    return replace(session, tables=tuple(t for t in session.tables if t.path != intent.path))


def _without_orphans(session: Session) -> Session:
    """Drop what no open frame supports."""
    if session.slots:
        return session
    return replace(session, selection=Selection(), inspection=None, layout=Layout.SINGLE)


def select_slot(session: Session, intent: want.SelectSlot) -> Session:
    """Make a frame current."""
    return session.showing(intent.key) if session.slot(intent.key) else session


def step_slot(session: Session, intent: want.StepSlot) -> Session:
    """Next or previous frame, around the end."""
    keys = [s.key for s in session.slots]
    if session.current not in keys:
        return session
    return session.showing(keys[(keys.index(session.current) + intent.step) % len(keys)])


def move_slot(session: Session, intent: want.MoveSlot) -> Session:
    """Put a frame at another place in the list."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    rest = [s for s in session.slots if s.key != intent.key]
    rest.insert(max(0, min(intent.position, len(rest))), slot)
    return replace(session, slots=tuple(rest))


def set_layout(session: Session, intent: want.SetLayout) -> Session:
    """Single, tile or blink."""
    same = intent.layout is session.layout and intent.blink_ms is not None
    return replace(
        session,
        layout=intent.layout,
        blink_keys=session.blink_keys if same else intent.keys,
        blink_ms=intent.blink_ms or session.blink_ms,
        arrangement=intent.arrangement or session.arrangement,
    )


def set_view(session: Session, intent: want.SetView) -> Session:
    """Move one frame, and with locked views all frames of its size."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    return _spread(session, slot, lambda s: replace(s, view=intent.view), session.locks.view, same_size=True)


def _spread(
    session: Session, slot: Slot, change: Callable[[Slot], Slot], everywhere: bool, same_size: bool = False
) -> Session:
    """Apply `change` to one slot, or to all (of the same size)."""

    def touched(s: Slot) -> bool:
        return s.key == slot.key or (everywhere and (not same_size or s.image.shape == slot.image.shape))

    return replace(session, slots=tuple(change(s) if touched(s) else s for s in session.slots))


def set_look(session: Session, intent: want.SetLook) -> Session:
    """Change how a frame looks; limits that are asked for but not known yet keep their old numbers."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    look = intent.look
    if look.lo is None or look.hi is None:
        look = replace(look, lo=slot.look.lo, hi=slot.look.hi)
    changed = session.with_slot(replace(slot, look=look, pyramid=_kept_pyramid(slot, look)))
    for locked, fields in ((session.locks.limits, LIMIT_FIELDS), (session.locks.colors, COLOR_FIELDS)):
        if locked:
            changed = _copy_look(changed, look, fields)
    return changed


def _kept_pyramid(slot: Slot, look: Look) -> Any:
    return slot.pyramid if look.reduction is slot.look.reduction else None


def _copy_look(session: Session, look: Look, fields: tuple[str, ...]) -> Session:
    values = {name: getattr(look, name) for name in fields}
    return replace(session, slots=tuple(replace(s, look=replace(s.look, **values)) for s in session.slots))


def with_limits(session: Session, key: int, lo: float, hi: float) -> Session:
    """The session with measured limits of a frame (of all frames when limits are locked)."""
    slot = session.slot(key)
    if slot is None:
        return session
    return _spread(session, slot, lambda s: replace(s, look=replace(s.look, lo=lo, hi=hi)), session.locks.limits)


def set_plane(session: Session, intent: want.SetPlane) -> Session:
    """Show another plane of a cube, and with locked planes of all cubes of its depth."""
    slot = session.slot(intent.key)
    if slot is None or slot.image.pixels.ndim < 3:
        return session

    def change(s: Slot) -> Slot:
        if s.image.pixels.shape[:-2] != slot.image.pixels.shape[:-2]:
            return s
        plane = tuple(min(max(int(i), 0), n - 1) for i, n in zip(intent.plane, s.image.pixels.shape[:-2], strict=False))
        return replace(s, plane=plane, pyramid=None) if plane != s.plane else s

    return _spread(session, slot, change, session.locks.plane)


def set_lock(session: Session, intent: want.SetLock) -> Session:
    """Switch a lock; switching it on also matches once."""
    out = replace(session, locks=replace(session.locks, **{intent.what: intent.on}))
    return match(out, want.Match(intent.what)) if intent.on else out


def match(session: Session, intent: want.Match) -> Session:
    """Copy one property of the current frame to all others."""
    slot = session.slot()
    if slot is None:
        return session
    if intent.what == "view":
        return _spread(session, slot, lambda s: replace(s, view=slot.view), True, same_size=True)
    if intent.what == "limits":
        return _copy_look(session, slot.look, LIMIT_FIELDS)
    if intent.what == "colors":
        return _copy_look(session, slot.look, COLOR_FIELDS)
    if intent.what == "plane":
        locked = replace(session, locks=replace(session.locks, plane=True))
        return replace(set_plane(locked, want.SetPlane(slot.key, slot.plane)), locks=session.locks)
    return session


def set_overlay(session: Session, intent: want.SetOverlay) -> Session:
    """Change one overlay switch."""
    return replace(session, overlay=replace(session.overlay, **{intent.name: intent.value}))


def set_regions(session: Session, intent: want.SetRegions) -> Session:
    """Replace the regions of a frame."""
    slot = session.slot(intent.key)
    return session if slot is None else session.with_slot(replace(slot, regions=intent.regions))


def pick_point(session: Session, intent: want.PickPoint) -> Session:
    """Crosshair at a point, and the fiber there."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    fiber = fiber_at(slot, intent.x, intent.y)
    keep = session.selection.fiber if fiber is None else fiber
    chosen = Selection(keep, intent.x, intent.y, (keep,) if keep is not None else ())
    return replace(session.showing(intent.key), selection=chosen)


def fiber_at(slot: Slot, x: float, y: float) -> int | None:
    """Row of the fiber at a native position of a frame; None if there is none."""
    if slot.image.kind is Kind.RSS:
        row = round(y)
        return row if 0 <= row < slot.image.shape[0] else None
    if slot.traces is None:
        return None
    cross, disp = slot.image.orientation.from_native(x, y, slot.image.shape)
    row, distance = slot.traces.nearest(float(cross), float(disp))
    return row if distance <= PICK_RADIUS else None


def select_fiber(session: Session, intent: want.SelectFiber) -> Session:
    """Select a fiber; the crosshair goes to it in the current frame."""
    if intent.fiber is None:
        return replace(session, selection=replace(session.selection, fiber=None, fibers=(), elsewhere=()))
    fibers = intent.fibers or (intent.fiber,)
    slot = session.slot()
    x, y = session.selection.x, session.selection.y
    if slot is not None:
        x, y = on_fiber(slot, intent.fiber, x, y)
    return replace(session, selection=Selection(intent.fiber, x, y, fibers, intent.elsewhere))


def on_fiber(slot: Slot, fiber: int, x: float | None, y: float | None) -> tuple[float | None, float | None]:
    """The point of a fiber nearest along dispersion to (x, y); the middle of the fiber without one."""
    shape = slot.image.shape
    if slot.image.kind is Kind.RSS:
        return (shape[1] / 2 if x is None else x), float(fiber)
    if slot.traces is None or not 0 <= fiber < slot.traces.nfiber:
        return x, y
    disp = slot.traces.ncol / 2
    if x is not None and y is not None:
        disp = float(slot.image.orientation.from_native(x, y, shape)[1])
    column = min(max(round(disp), 0), slot.traces.ncol - 1)
    cross = float(slot.traces.center[fiber, column])
    if not np.isfinite(cross):
        return x, y
    nx, ny = slot.image.orientation.to_native(cross, column, shape)
    return float(nx), float(ny)


def carried_over(session: Session, old: Slot | None) -> Session:
    """The selection of frame `old`, put where the current frame has the same fiber and wavelength."""
    slot, chosen = session.slot(), session.selection
    own = dict(chosen.elsewhere)
    if old is not None and slot is not None and slot.key in own and old.key != slot.key:
        return _taken_over(session, old, slot, own)
    if old is None or slot is None or slot.image.shape == old.image.shape or chosen.x is None or chosen.y is None:
        return session
    if chosen.fiber is None:
        return replace(session, selection=replace(chosen, x=None, y=None))
    here = old.image.orientation.from_native(chosen.x, chosen.y, old.image.shape)
    wave = wavelength_at(old, chosen.fiber, round(float(here[1])))
    disp = None if wave is None else pixel_of_wavelength(slot, chosen.fiber, wave)
    x, y = (None, None) if disp is None else slot.image.orientation.to_native(0.0, float(disp), slot.image.shape)
    place = on_fiber(slot, chosen.fiber, None if x is None else float(x), None if y is None else float(y))
    if not slot.view.fit and place[0] is not None and place[1] is not None:  # a zoomed frame goes where the eye was
        session = session.with_slot(replace(slot, view=replace(slot.view, x=place[0], y=place[1])))
    return replace(session, selection=replace(chosen, x=place[0], y=place[1]))


def _taken_over(session: Session, old: Slot, slot: Slot, own: dict[int, tuple[int, ...]]) -> Session:
    """The fibers that were selected in the frame that is shown now; those of the frame before wait for its return."""
    mine = own.pop(slot.key)
    own[old.key] = session.selection.fibers
    x, y = on_fiber(slot, mine[0], session.selection.x, session.selection.y)
    return replace(session, selection=Selection(mine[0], x, y, mine, tuple(own.items())))


def pixel_of_wavelength(slot: Slot, fiber: int, wave: float) -> int | None:
    """Dispersion pixel of a frame where a fiber has a wavelength; None where that is not known or not covered."""
    known = slot.image.wave if slot.image.kind is Kind.RSS else None if slot.traces is None else slot.traces.wave
    if known is not None and known.ndim == 2:
        known = known[fiber] if fiber < known.shape[0] else None
    if known is None or not np.nanmin(known) <= wave <= np.nanmax(known):
        return None
    return int(np.nanargmin(np.abs(known - wave)))


def step_fiber(session: Session, intent: want.StepFiber) -> Session:
    """Next or previous fiber."""
    most = max((fiber_count(s) for s in session.slots), default=0)
    if not most:
        return session
    now = session.selection.fiber
    fiber = 0 if now is None else min(max(now + intent.step, 0), most - 1)
    return select_fiber(session, want.SelectFiber(fiber))


def find(session: Session, intent: want.FindFiber) -> Session:
    """Select a fiber by its name; UsageError if there is none."""
    return select_fiber(session, want.SelectFiber(find_fiber(session, intent.name)))


def set_section_columns(session: Session, intent: want.SetSectionColumns) -> Session:
    """Width of the running median of the cross-section."""
    return replace(session, section_columns=max(1, int(intent.n)))


def set_extraction(session: Session, intent: want.SetExtraction) -> Session:
    """How live spectra are extracted."""
    return session if intent.method == session.extraction else replace(session, extraction=intent.method)


def traces_on_all(session: Session, slot: Slot, traces: TraceSet) -> Session:
    """Put traces on a frame and on the frames of the same detector that have none."""

    def change(s: Slot) -> Slot:
        same_detector = s.image.kind is slot.image.kind is Kind.DETECTOR and s.image.camera == slot.image.camera
        fits = s.key == slot.key or (s.traces is None and same_detector)
        return replace(s, traces=traces) if fits else s

    return _spread(session, slot, change, True, same_size=True)


def apply_correction(session: Session, _: want.ApplyCorrection) -> Session:
    """The corrected traces of the diagnosis become those of the frame; the earlier ones are kept."""
    slot = session.slot()
    if slot is None or slot.diagnosis is None or slot.traces is None or slot.traces is slot.diagnosis.corrected:
        return session
    corrected = replace(slot, traces=slot.diagnosis.corrected, past_traces=(*slot.past_traces, slot.traces))
    return replace(session.with_slot(corrected), overlay=replace(session.overlay, alternate=False))


def undo_traces(session: Session, _: want.UndoTraces) -> Session:
    """The traces before the last correction."""
    slot = session.slot()
    if slot is None or not slot.past_traces:
        return session
    earlier = replace(slot, traces=slot.past_traces[-1], past_traces=slot.past_traces[:-1])
    return replace(session.with_slot(earlier), overlay=replace(session.overlay, alternate=False))


STEPS: dict[type, Callable[[Session, Any], Session]] = {
    want.CloseSlot: close,
    want.CloseAll: close_all,
    want.CloseTables: close_tables,
    want.SelectSlot: select_slot,
    want.StepSlot: step_slot,
    want.MoveSlot: move_slot,
    want.SetLayout: set_layout,
    want.SetView: set_view,
    want.SetLook: set_look,
    want.SetPlane: set_plane,
    want.SetLock: set_lock,
    want.Match: match,
    want.SetOverlay: set_overlay,
    want.SetRegions: set_regions,
    want.ApplyCorrection: apply_correction,
    want.UndoTraces: undo_traces,
    want.PickPoint: pick_point,
    want.SelectFiber: select_fiber,
    want.StepFiber: step_fiber,
    want.FindFiber: find,
    want.SetSectionColumns: set_section_columns,
    want.SetExtraction: set_extraction,
}
