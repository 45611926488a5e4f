"""Which calibrations of a detector belong to a night: the near ones, the nearest where there are none, never of another
controller.

A window of days around the night is widened day by day until something is found, as the published pipelines do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from ifuview.model.night.raw import RawExposure

MOST_SAID = 4  # amplifiers that cannot be used


@dataclass(frozen=True, slots=True, eq=False)
class Calibrations:
    """Exposures of one kind that calibrate a detector in a night.

    Parameters
    ----------
    exposures : tuple of RawExposure
        By date; empty where there is nothing.
    days : int
        How far from the night the search went.
    notes : tuple of str
        What is worth knowing, one sentence each.
    """

    exposures: tuple[RawExposure, ...]
    days: int
    notes: tuple[str, ...] = ()


def calibrations(
    exposures: Iterable[RawExposure],
    kind: str,
    camera: str,
    night: int,
    *,
    window: int,
    swaps: Collection[int] = (),
    unit: tuple[str, str, str] | None = None,
    objects: Collection[str] = (),
) -> Calibrations:
    """Choose the exposures of a kind that calibrate a detector.

    Parameters
    ----------
    exposures : iterable of RawExposure
    kind : str
        zro, flt, twi, cmp, drk ...
    camera : str
    night : int
        YYYYMMDD.
    window : int, days
        Around the night; widened where there is nothing in it.
    swaps : collection of int
        Nights up to which other controllers were in use: frames of the other side do not count.
    unit : (str, str, str), optional
        Spectrograph, slot and fiber head that the frames must be of.
    objects : collection of str
        Names (lower case) that count; empty: all.
    """
    far: dict[int, list[RawExposure]] = {}
    other, useless = 0, list[str]()
    for one in exposures:
        own = one.of(camera)
        if one.kind != kind or (objects and one.object.strip().lower() not in objects):
            continue
        if not own:
            useless += [f"{one.object or kind}: {a.trouble}" for a in one.amplifiers if a.camera == camera]
            continue
        if any((night > swap) != (one.date > swap) for swap in swaps) or (unit and own[0].unit != unit):
            other += 1
            continue
        far.setdefault(abs(_day(one.date) - _day(night)), []).append(one)
    notes = [f"{other} {kind} exposures of {camera} are of other hardware and do not count"] if other else []
    notes += useless[:MOST_SAID]
    if not far:
        return Calibrations((), window, tuple(notes))
    days = max(window, min(far))
    if days > window:
        notes.append(f"no {kind} of {camera} within {window} days of {night}: the window is widened to {days}")
    found = [one for distance, own in far.items() if distance <= days for one in own]
    return Calibrations(tuple(sorted(found, key=lambda e: (e.date, e.observation, e.number))), days, tuple(notes))


def _day(night: int) -> int:
    """Number of a day; 0 for a night that is none."""
    try:
        return date(night // 10000, night // 100 % 100, night % 100).toordinal()
    except ValueError:
        return 0
