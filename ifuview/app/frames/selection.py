"""What is selected: a point, the fiber there, and where both are in another frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames import intents as want
from ifuview.app.frames.fibers import fiber_count, place_of_fiber
from ifuview.app.frames.state import RangeOf
from ifuview.app.frames.views.sampling import wavelength_at
from ifuview.app.session import Selection, Session, Slot
from ifuview.model.image import Kind

PICK_RADIUS = 8.0  # px; a click farther than this from every trace selects no fiber


def pick_point(session: Session, intent: want.PickPoint) -> Session:
    """Crosshair at a point, and the fiber there."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    fiber = fiber_at(slot, intent.x, intent.y)
    keep = session.selection.fiber if fiber is None else fiber
    chosen = Selection(keep, intent.x, intent.y, (keep,) if keep is not None else ())
    return replace(session.showing(intent.key), selection=chosen, region=None)


def fiber_at(slot: Slot, x: float, y: float) -> int | None:
    """Row of the fiber at a native position of a frame; None if there is none."""
    if isinstance(slot.made_of, RangeOf) and slot.made_of.fibers is not None:
        ny, nx = slot.image.shape
        at = round(y), round(x)
        row = int(slot.made_of.fibers[at]) if 0 <= at[0] < ny and 0 <= at[1] < nx else -1
        return row if row >= 0 else None
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
        return replace(session, selection=replace(session.selection, fiber=None, fibers=(), elsewhere=()), region=None)
    fibers = intent.fibers or (intent.fiber,)
    slot = session.slot()
    x, y = session.selection.x, session.selection.y
    if slot is not None:
        x, y = on_fiber(slot, intent.fiber, x, y)
    return replace(session, selection=Selection(intent.fiber, x, y, fibers, intent.elsewhere), region=None)


def select_rows(session: Session, rows: tuple[int, ...]) -> Session:
    """Select some fibers; the crosshair goes to the first."""
    return select_fiber(session, want.SelectFiber(rows[0], rows if len(rows) > 1 else ()))


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
    """Select a fiber by its name, in the frame that has it; UsageError if there is none."""
    slot, row = place_of_fiber(session, intent.name)
    session = session if slot is None else session.showing(slot.key)
    return select_fiber(session, want.SelectFiber(row))
