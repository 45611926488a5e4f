"""The stops of a guided tour."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.app.session import Layout


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the tour.

    Parameters
    ----------
    title, text : str
    show : str
        Part of the name of the file that is to be current; "" leaves it.
    fiber : int or None
        Fiber to select.
    layout : Layout
    dock : str
        Dock to raise.
    """

    title: str
    text: str
    show: str = ""
    fiber: int | None = None
    layout: Layout = Layout.SINGLE
    dock: str = ""


@dataclass(frozen=True, slots=True)
class TourPlan:
    """Files to open, and the tour through them."""

    files: tuple[str, ...]
    stops: tuple[Stop, ...]
