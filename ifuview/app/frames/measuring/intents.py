"""What can be asked to be measured on a frame."""

from __future__ import annotations

from ifuview.app.frames.intents import Intent


class MeasureSource(Intent):
    """Fit a source near a native position of a frame."""

    key: int
    x: float
    y: float


class DrawContours(Intent):
    """Draw contours of frame `of` (None: the one shown before) over the current frame.

    `how`: levels above the "noise", or between the display "limits" of that frame; "none": take them away.
    """

    how: str = "noise"
    of: int | None = None


class ForgetMeasured(Intent):
    """Take the marks of measured sources and the contours off the current frame."""


class SetCutWidth(Intent):
    """Average cuts over so many pixels across their line."""

    width: int
