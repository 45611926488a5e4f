"""What the hand has changed on the canvas and the session does not know yet."""

from __future__ import annotations

from dataclasses import replace

from ifuview.app.frames.look import Look, ViewState
from ifuview.app.frames.sky.lock import followed
from ifuview.app.frames.views.image import CanvasView, PictureView


class Live:
    """A view and a look of one picture, and how the locked others follow."""

    def __init__(self) -> None:
        self.view: tuple[int, ViewState] | None = None
        self.look: tuple[int, Look] | None = None
        self.crosshair: tuple[float, float] | None = None
        self._skies: dict[int, tuple[ViewState, ViewState]] = {}  # by picture: what the hand holds, what follows

    def view_of(self, picture: PictureView, canvas: CanvasView) -> ViewState:
        """The view of a picture as it is on the screen, `fit` not carried out."""
        if self.view is not None and (self.view[0] == picture.key or canvas.locks.view):
            return self.view[1]
        if self.view is not None and canvas.locks.sky:
            return self._followed(self.view, picture, canvas)
        return picture.view

    def _followed(self, held: tuple[int, ViewState], picture: PictureView, canvas: CanvasView) -> ViewState:
        """The view of a picture that shows the sky which the hand moves in another one."""
        key, view = held
        known = self._skies.get(picture.key)
        if known is None or known[0] != view:
            source, found = canvas.picture(key), None
            if source is not None and source.sky is not None and picture.sky is not None:
                found = followed(view, source.sky, source.image.shape, picture.sky)
            known = self._skies[picture.key] = (view, found or picture.view)
        return known[1]

    def look_of(self, picture: PictureView, canvas: CanvasView) -> Look:
        """The look of a picture as it is on the screen."""
        look = picture.look
        if self.look is None:
            return look
        source, live = self.look
        if source == picture.key:
            return live
        if canvas.locks.limits:
            look = replace(look, limit_mode=live.limit_mode, lo=live.lo, hi=live.hi)
        if canvas.locks.colors:
            look = replace(look, cmap=live.cmap, invert=live.invert, bias=live.bias, contrast=live.contrast)
        return look

    def keep(self, old: CanvasView, new: CanvasView, *, busy: bool) -> None:
        """Forget what is settled: everything when no hand is on it, else what somebody else has changed meanwhile."""
        self.crosshair = None
        self._skies.clear()
        if self.view is not None and (not busy or _view(old, self.view[0]) != _view(new, self.view[0])):
            self.view = None
        if self.look is not None and (not busy or _look(old, self.look[0]) != _look(new, self.look[0])):
            self.look = None

    def take(self) -> tuple[tuple[int, ViewState] | None, tuple[int, Look] | None]:
        """Hand over what was changed and forget it."""
        out = self.view, self.look
        self.view = self.look = None
        return out


def _view(canvas: CanvasView, key: int) -> ViewState | None:
    picture = canvas.picture(key)
    return None if picture is None else picture.view


def _look(canvas: CanvasView, key: int) -> Look | None:
    picture = canvas.picture(key)
    return None if picture is None else picture.look
