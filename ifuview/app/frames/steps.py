"""Steps of the frames: (session, intent) -> next session, pure and quick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ifuview.app.frames import intents as want
from ifuview.app.frames.look import Look
from ifuview.app.frames.rgb import make_rgb
from ifuview.app.frames.selection import carried_over, find, pick_point, select_fiber, step_fiber
from ifuview.app.frames.sky.lock import follow_all
from ifuview.app.messages import note
from ifuview.app.session import Layout, Level, Selection, Session, Slot

if TYPE_CHECKING:
    from ifuview.app.frames.views.pyramid import Pyramid

LIMIT_FIELDS = ("limit_mode", "lo", "hi", "percent", "zcontrast", "transfer", "exponent")
COLOR_FIELDS = ("cmap", "invert", "bias", "contrast")


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
        out = carried_over(replace(out, current=left[min(place, len(left) - 1)].key), session.slot())
    return _without_orphans(out)


def close_all(session: Session, _: want.CloseAll) -> Session:
    """Close every frame."""
    return _without_orphans(session.with_slots(()))


def _without_orphans(session: Session) -> Session:
    """Drop what no open frame supports."""
    if session.slots:
        return session
    return replace(session, selection=Selection(), inspection=None, layout=Layout.SINGLE)


def select_slot(session: Session, intent: want.SelectSlot) -> Session:
    """Make a frame current."""
    return shown(session, intent.key) if session.slot(intent.key) else session


def shown(session: Session, key: int) -> Session:
    """The session with another current frame; the selection goes where that has the same fiber and wavelength."""
    return session if key == session.current else carried_over(session.showing(key), session.slot())


def step_slot(session: Session, intent: want.StepSlot) -> Session:
    """Next or previous frame, around the end."""
    keys = [s.key for s in session.slots]
    if session.current not in keys:
        return session
    return shown(session, keys[(keys.index(session.current) + intent.step) % len(keys)])


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
    if any(session.slot(key) is None for key in intent.keys):
        return session  # closed meanwhile
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
    moved = spread(session, slot, lambda s: replace(s, view=intent.view), session.locks.view, same_size=True)
    return follow_all(moved, replace(slot, view=intent.view)) if session.locks.sky else moved


def spread(
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


def _kept_pyramid(slot: Slot, look: Look) -> Pyramid | None:
    only = slot.pyramid is not None and slot.pyramid.only
    return slot.pyramid if only or look.reduction is slot.look.reduction else None


def _copy_look(session: Session, look: Look, fields: tuple[str, ...]) -> Session:
    values = {name: getattr(look, name) for name in fields}
    return replace(session, slots=tuple(replace(s, look=replace(s.look, **values)) for s in session.slots))


def with_limits(session: Session, key: int, lo: float, hi: float) -> Session:
    """The session with measured limits of a frame (of all frames when limits are locked)."""
    slot = session.slot(key)
    if slot is None:
        return session
    return spread(session, slot, lambda s: replace(s, look=replace(s.look, lo=lo, hi=hi)), session.locks.limits)


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

    return spread(session, slot, change, session.locks.plane)


def set_lock(session: Session, intent: want.SetLock) -> Session:
    """Switch a lock; switching it on also matches once."""
    other = {"view": "sky", "sky": "view"}.get(intent.what)  # by pixels or by the sky, not both
    more = {other: False} if other is not None and intent.on else {}
    out = replace(session, locks=replace(session.locks, **{intent.what: intent.on}, **more))
    return match(out, want.Match(intent.what)) if intent.on else out


def match(session: Session, intent: want.Match) -> Session:
    """Copy one property of the current frame to all others."""
    slot = session.slot()
    if slot is None:
        return session
    if intent.what == "view":
        return spread(session, slot, lambda s: replace(s, view=slot.view), True, same_size=True)
    if intent.what == "sky":
        return follow_all(session, slot)
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
    change: dict[str, Any] = {intent.name: intent.value}
    return replace(session, overlay=replace(session.overlay, **change))


def set_regions(session: Session, intent: want.SetRegions) -> Session:
    """Replace the regions of a frame."""
    slot = session.slot(intent.key)
    if slot is None:
        return session
    fresh = [r for r in intent.regions if r not in slot.regions]
    region = (slot.key, fresh[-1]) if fresh else session.region
    if region is not None and region[0] == slot.key and region[1] not in intent.regions:
        region = None
    return replace(session.with_slot(replace(slot, regions=intent.regions)), region=region)


def file_changed(session: Session, intent: want.FileChanged) -> Session:
    """Say so at each frame that shows the file; its pixels are what was read, or zeros where nothing is left."""
    for slot in session.slots:
        if slot.dataset.path == intent.path and not slot.stale:
            session = session.with_slot(replace(slot, stale=True))
            session = note(session, f"{slot.title}: the file changed: reload (File > Reload).", Level.ERROR)
    return session


def tell(session: Session, intent: want.Note) -> Session:
    """Put a message where the user sees it."""
    return note(session, intent.text, Level(intent.level), intent.detail)


STEPS: Mapping[type[want.Intent], Callable[[Session, Any], Session]] = {
    want.CloseSlot: close,
    want.CloseAll: close_all,
    want.SelectSlot: select_slot,
    want.StepSlot: step_slot,
    want.MoveSlot: move_slot,
    want.SetLayout: set_layout,
    want.SetView: set_view,
    want.SetPlane: set_plane,
    want.SetOverlay: set_overlay,
    want.SetRegions: set_regions,
    want.PickPoint: pick_point,
    want.SelectFiber: select_fiber,
    want.StepFiber: step_fiber,
    want.FindFiber: find,
    want.FileChanged: file_changed,
    want.MakeRgb: make_rgb,
    want.Note: tell,
}
