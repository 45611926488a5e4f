"""The canvas as a value: the pictures, how each is shown, and what lies above them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ifuview.app.frames.look import Look, ViewState
from ifuview.app.frames.rgb import channels
from ifuview.app.frames.sky.lock import sky_of
from ifuview.app.frames.sky.maps import SkyMap
from ifuview.app.frames.views.overlay import CACHE, OverlayView
from ifuview.app.frames.views.raster import Pyramid
from ifuview.app.session import Layout, Locks, Overlay, Session, Slot
from ifuview.model.frames.units import unit_words
from ifuview.model.image import Image
from ifuview.model.pixels import Pixels


@dataclass(frozen=True, slots=True, eq=False)
class PictureView:
    """One frame as the canvas draws it.

    Parameters
    ----------
    key : int
    title : str
    image : Image
    plane : tuple of int
        Which plane of `image`.
    pyramid : Pyramid or None
    look : Look
    view : ViewState
    unit : str
    overlay : OverlayView or None
    spot : (x, y) or None
        Where a picture of other axes than the current one has the fiber and wavelength, or the sky, of the crosshair.
    sky : SkyMap or None
        Where its pixels lie on the sky.
    channels : tuple of PictureView
        Red, green and blue, each within its own limits; () for one ramp of colors.
    """

    key: int
    title: str
    image: Image
    plane: tuple[int, ...] = ()
    pyramid: Pyramid | None = None
    look: Look = field(default_factory=Look)
    view: ViewState = field(default_factory=ViewState)
    unit: str = ""
    overlay: OverlayView | None = None
    spot: tuple[float, float] | None = None
    sky: SkyMap | None = None
    channels: tuple[PictureView, ...] = ()

    @property
    def pixels(self) -> Pixels:
        """The 2-D plane that is shown."""
        return self.image.pixels.plane(self.plane)

    @property
    def mask(self) -> Pixels | None:
        """Mask bits of that plane."""
        return None if self.image.mask is None else self.image.mask.plane(self.plane)


@dataclass(frozen=True, slots=True, eq=False)
class CanvasView:
    """Everything that the canvas draws.

    Parameters
    ----------
    pictures : tuple of PictureView
    current, previous : int or None
        Keys of pictures.
    layout : Layout
    blink_ms : int
    crosshair : (x, y) or None
        Native px of the current picture (of all if locked).
    locks : Locks
    shown : Overlay
        Switches of the overlays and of the small views.
    blinks : tuple of int
        Keys of the pictures that blink.
    tiles : str
        "grid", "row" or "column".
    drawing : str
        Shape that a drag draws ("box", "circle"); "" none.
    """

    pictures: tuple[PictureView, ...] = ()
    current: int | None = None
    previous: int | None = None
    layout: Layout = Layout.SINGLE
    blink_ms: int = 500
    crosshair: tuple[float, float] | None = None
    locks: Locks = field(default_factory=Locks)
    shown: Overlay = field(default_factory=Overlay)
    blinks: tuple[int, ...] = ()
    tiles: str = "grid"
    drawing: str = ""

    def picture(self, key: int | None) -> PictureView | None:
        """The picture with `key`, if any."""
        return next((p for p in self.pictures if p.key == key), None)


def inputs(session: Session) -> tuple[object, ...]:
    """What the canvas depends on."""
    return (
        session.slots,
        session.current,
        session.previous,
        session.layout,
        session.arrangement,
        session.blink_ms,
        session.blink_keys,
        session.locks,
        session.overlay,
        session.selection,
        session.metrics,
        session.light,
        session.health,
        session.proof,
        session.drawing,
    )


def make(session: Session) -> CanvasView:
    """Return the canvas of a session."""
    CACHE.keep(session.slots)
    chosen = session.selection
    crosshair = None if chosen.x is None or chosen.y is None else (chosen.x, chosen.y)
    return CanvasView(
        pictures=tuple(picture(session, slot) for slot in session.slots),
        current=session.current,
        previous=session.previous,
        layout=session.layout,
        blink_ms=session.blink_ms,
        blinks=blinks(session),
        crosshair=crosshair if session.overlay.crosshair else None,
        locks=session.locks,
        shown=session.overlay,
        tiles=session.arrangement,
        drawing=session.drawing,
    )


def blinks(session: Session) -> tuple[int, ...]:
    """Keys of the frames that blink, in their order; all of them where fewer than two of the chosen are open."""
    keys = tuple(slot.key for slot in session.slots)
    chosen = tuple(key for key in session.blink_keys if key in keys)
    return chosen if len(chosen) > 1 else keys


def picture(session: Session, slot: Slot) -> PictureView:
    """Return one slot as the canvas draws it."""
    return PictureView(
        key=slot.key,
        title=slot.title,
        image=slot.image,
        plane=slot.plane,
        pyramid=slot.pyramid,
        look=slot.look,
        view=slot.view,
        unit=unit_words(slot.image.unit),
        overlay=CACHE.view(session, slot),
        spot=same_place(session, slot),
        sky=sky_of(slot),
        channels=tuple(_channel(one) for one in channels(session, slot)),
    )


def _channel(slot: Slot) -> PictureView:
    """One color of a picture."""
    return PictureView(slot.key, slot.title, slot.image, slot.plane, slot.pyramid, slot.look, slot.view)


def same_place(session: Session, slot: Slot) -> tuple[float, float] | None:
    """Native px of the fiber and wavelength of the crosshair in a tile of other axes (detector against spectra)."""
    from ifuview.app.frames.selection import carried_over

    now = session.slot()
    if session.locks.sky and session.locks.crosshair and now is not None:
        return _same_sky(session, now, slot)
    if session.layout is not Layout.TILE or now is None or slot.image.shape == now.image.shape:
        return None
    if session.selection.fiber is None or not session.locks.crosshair:
        return None
    found = carried_over(replace(session, current=slot.key), now).selection
    return None if found.x is None or found.y is None else (found.x, found.y)


def _same_sky(session: Session, now: Slot, slot: Slot) -> tuple[float, float] | None:
    """Native px of a frame where the sky is that of the crosshair in the current one."""
    source, target, chosen = sky_of(now), sky_of(slot), session.selection
    if source is None or target is None or slot is now or chosen.x is None or chosen.y is None:
        return None
    place = source.icrs(chosen.x, chosen.y)
    return None if place is None else target.pixel(*place)
