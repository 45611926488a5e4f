"""What was measured on a frame."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.model.checks import Array
from ifuview.model.frames.source import ImageSource


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """Lines of equal value of a frame, in native px of the frame that they are drawn on.

    Parameters
    ----------
    title : str
        Of the frame that they are of.
    lines : tuple of ndarray, shape (n, 2)
        The highest level first.
    levels : tuple of float
    of : int
        Key of that frame.
    how : str
        What the levels were chosen by.
    """

    title: str
    lines: tuple[Array, ...]
    levels: tuple[float, ...]
    of: int = -1
    how: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class OnFrame:
    """Sources in the order in which they were measured, and contours."""

    sources: tuple[ImageSource, ...] = ()
    contours: Contours | None = None
