"""What an action is, and what the actions of the menus ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ifuview.app import intents as want
from ifuview.app import verdict
from ifuview.app.frames.look import LimitMode, Smooth, ViewState
from ifuview.app.photons.which import photon_frame
from ifuview.app.session import Session

if TYPE_CHECKING:
    from ifuview.app.photons.state import PhotonFrame

Make = Callable[[Session], want.Intent | None]


@dataclass(frozen=True, slots=True)
class Action:
    """One command: it stands in a menu, the command palette and the shortcut sheet.

    Parameters
    ----------
    name : str
        Unique; also the icon.
    menu : str
        "File", or "View/Zoom" for a submenu; a leading "-" puts a separator before it.
    make : callable(session) -> intent or None; or the name of a method of the main window
    keys : tuple of str
        Key sequences; the first is shown in the menu.
    checked : callable(session) -> bool, optional
        Makes the action checkable.
    """

    name: str
    menu: str
    text: str
    make: Make | str
    keys: tuple[str, ...] = ()
    checked: Callable[[Session], bool] | None = None
    tip: str = ""


def look(**changes: object) -> Make:
    """Changes of the look of the current frame."""

    def make(session: Session) -> want.Intent | None:
        slot = session.slot()
        return want.SetLook(slot.key, replace(slot.look, **changes)) if slot else None

    return make


def limits(mode: LimitMode, **more: object) -> Make:
    """Display limits of a kind."""
    return look(limit_mode=mode, lo=None, hi=None, **more)


def has(name: str, value: object) -> Callable[[Session], bool]:
    """Whether the look of the current frame has a value."""
    return lambda s: (slot := s.slot()) is not None and getattr(slot.look, name) == value


def view(change: Callable[[ViewState], ViewState]) -> Make:
    """A change of what is in view of the current frame."""

    def make(session: Session) -> want.Intent | None:
        slot = session.slot()
        return want.SetView(slot.key, change(slot.view)) if slot else None

    return make


def fit(session: Session) -> want.Intent | None:
    """The whole image of the current frame, as at opening."""
    slot = session.slot()
    return want.SetView(slot.key, slot.whole) if slot else None


def toggle(name: str) -> Make:
    """Switch something over the image."""
    return lambda s: want.SetOverlay(name, not getattr(s.overlay, name))


def overlay_on(name: str) -> Callable[[Session], bool]:
    """Whether something over the image is on."""
    return lambda s: bool(getattr(s.overlay, name))


def lock(what: str) -> Action:
    """The action that ties something of all frames together."""
    return Action(
        f"lock-{what}",
        "Frame/Lock",
        f"Lock {what}",
        lambda s: want.SetLock(what, not getattr(s.locks, what)),
        ("Ctrl+L",) if what == "view" else (),
        lambda s: getattr(s.locks, what),
        f"What you do to the {what} of one frame happens to all",
    )


def match(what: str) -> Action:
    """The action that brings something of all frames to that of this one."""
    return Action(f"match-{what}", "Frame/Match", f"Match {what}", lambda s: want.Match(what))


def radius(factor: float) -> Make:
    """A wider or narrower smoothing."""

    def make(session: Session) -> want.Intent | None:
        slot = session.slot()
        if slot is None:
            return None
        radius = round(min(max(slot.look.smooth_radius * factor, SMOOTH_RADIUS[0]), SMOOTH_RADIUS[1]), 1)
        smooth = Smooth.GAUSSIAN if slot.look.smooth is Smooth.NONE else slot.look.smooth
        return want.SetLook(slot.key, replace(slot.look, smooth=smooth, smooth_radius=radius))

    return make


def toggle_invert(session: Session) -> want.Intent | None:
    """The colors the other way round."""
    slot = session.slot()
    return want.SetLook(slot.key, replace(slot.look, invert=not slot.look.invert)) if slot else None


def toggle_mask(session: Session) -> want.Intent | None:
    """All mask bits, or none."""
    slot = session.slot()
    if slot is None or slot.image.mask is None:
        return want.Note("info", "this image has no mask")
    shown = 0 if slot.look.mask_shown else 0xFFFFFFFF
    return want.SetLook(slot.key, replace(slot.look, mask_shown=shown))


def pair(how: str) -> Make:
    """The current frame combined with the one shown before it."""

    def make(session: Session) -> want.Intent | None:
        if session.current is None or session.previous is None:
            return want.Note("info", "open two frames: the current one is compared with the one shown before it")
        return want.Combine(session.current, session.previous, how)

    return make


def fibers_horizontal(session: Session) -> want.Intent | None:
    """Fibers along the window, or as the file has them."""
    slot = session.slot()
    if slot is None:
        return None
    turned = slot.view.rotation == 0 and slot.image.orientation.transpose
    return want.SetView(slot.key, replace(slot.whole, rotation=90 if turned else 0))


SMOOTH_RADIUS = (0.5, 50.0)  # px
NO_PROOF = "there is nothing to blink: what shows this problem is one picture, the one on the canvas"


def step(number: int) -> Make:
    """What a step of the chain strip shows, counted from 0."""

    def make(session: Session) -> want.Intent:
        bar = verdict.make(session)
        chain = () if bar is None else bar.chain
        if number >= len(chain):
            words = f"the chain has {len(chain)} steps" if chain else "what is open has no chain of steps"
            return want.Note("info", words)
        return want.ShowCell(chain[number].key)

    return make


def proof(session: Session) -> want.Intent:
    """The proof of the problem that the bar speaks of, where it has one."""
    bar = verdict.make(session)
    if bar is not None and bar.problems and not bar.proof:
        return want.Note("info", NO_PROOF)
    return want.ShowProblem(blink=True)


def draw(shape: str) -> Make:
    """Draw regions of a shape, or stop it."""
    return lambda s: want.DrawRegions("" if s.drawing == shape else shape)


def photons_of(session: Session) -> tuple[int, PhotonFrame] | None:
    """Key and photon half of the photon frame that is meant; None without one."""
    slot = photon_frame(session)
    return None if slot is None or slot.photons is None else (slot.key, slot.photons)


def photons(what: str) -> Make:
    """What is shown of a photon list."""
    return lambda s: want.ShowPhotons(what)


def photons_shown(what: str) -> Callable[[Session], bool]:
    """Whether that is shown."""
    return lambda s: (found := photons_of(s)) is not None and found[1].shown == what


def everything(session: Session) -> want.Intent | None:
    """All times and wavelengths of a photon list."""
    found = photons_of(session)
    if found is None:
        return want.Note("info", "open a photon list first")
    key, frame = found
    return want.SetPhotonCut(key, replace(frame.cut, start=None, stop=None, low=None, high=None))


def play(session: Session) -> want.Intent:
    """Play through time, or stop."""
    found = photons_of(session)
    return want.PlayPhotons(not (found is not None and found[1].playing))


def photon_step(step: int) -> Make:
    """A step of time."""

    def make(session: Session) -> want.Intent | None:
        from ifuview.app.photons.counting.images import moved

        found = photons_of(session)
        if found is None:
            return want.Note("info", "open a photon list first")
        key, frame = found
        return want.SetPhotonCut(key, moved(frame, step))

    return make


def watch(session: Session) -> want.Intent:
    """Watch the folder, or stop."""
    return want.WatchFolder(on=not (session.night is not None and session.night.watched))
