"""RawNight: the raw amplifiers of nights, one file each, put together as exposures and observations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from ifuview.model.checks import Header

AMPLIFIERS = "amplifiers"  # pictures of an exposure: all amplifiers side by side as they are stored
OVERSCAN = "overscan"  # the amplifiers of one detector in their place, with their overscan
DETECTOR = "detector"  # the same without it, in electrons
HEAD = "head"  # all detectors of a fiber head, one above the other, in electrons
ExposureKey = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True, eq=False)
class RawAmplifier:
    """One amplifier of one exposure: a file, or a member of an archive.

    Parameters
    ----------
    path : str
        May lead through archives.
    camera : str
        The detector that it is a part of.
    name : str
        LL, LU, RL or RU, as in the file name.
    slot, specid, ifuid, contid : str
        Slot of the fiber head, spectrograph, fiber head and controller.
    header : mapping
        Cards that the index looked at.
    problem : str
        Why it cannot be used, "" if it can: wrong size, cut short, no header.
    """

    path: str
    camera: str
    name: str
    slot: str
    specid: str = ""
    ifuid: str = ""
    contid: str = ""
    header: Header = field(default_factory=lambda: MappingProxyType({}))
    problem: str = ""

    @property
    def trouble(self) -> str:
        """Why it cannot be used, with its place."""
        return f"{self.camera or self.slot} {self.name} {self.problem}"

    @property
    def unit(self) -> tuple[str, str, str]:
        """Spectrograph, slot and fiber head: what calibrations have to share."""
        return self.specid, self.slot, self.ifuid


@dataclass(frozen=True, slots=True, eq=False)
class RawExposure:
    """One exposure of an observation.

    Parameters
    ----------
    date : int
        Night as YYYYMMDD, 0 unknown.
    observation, number : int
        0 where the folders do not say it.
    kind : str
        zro, drk, flt, cmp, twi, sci ...
    object : str
    exptime : float or None, s
    start : str
        As in the file names.
    amplifiers : tuple of RawAmplifier
    target : tuple of str
        Cameras that hold the target; empty where the name of the object does not say it.
    missing : tuple of (str, str)
        Camera and amplifier of what ought to be there: the other amplifiers of a detector that is there in part.
    seeing, transparency : float or None, arcsec and 1
    notes : tuple of str
        What is odd, one sentence each.
    """

    date: int
    observation: int
    number: int
    kind: str
    object: str = ""
    exptime: float | None = None
    start: str = ""
    amplifiers: tuple[RawAmplifier, ...] = ()
    target: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    seeing: float | None = None
    transparency: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> ExposureKey:
        """What tells it from others."""
        return exposure_key(self.date, self.observation, self.number, self.start)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Detectors of which at least one amplifier is there, in the order of the amplifiers."""
        return tuple(dict.fromkeys(a.camera for a in self.amplifiers))

    @property
    def header(self) -> Header:
        """Cards of the first amplifier; those that it lacks, of the next that has them."""
        return joined_cards(self.amplifiers)

    def of(self, camera: str) -> tuple[RawAmplifier, ...]:
        """The amplifiers of a detector that can be used, from bottom to top."""
        return tuple(a for a in self.amplifiers if a.camera == camera and not a.problem)


def exposure_key(date: int, observation: int, number: int, start: str) -> ExposureKey:
    """What tells an exposure from others: the numbers of its folders, else the time that it began."""
    return date, observation, number, "" if observation and number else start


def joined_cards(amplifiers: Iterable[RawAmplifier]) -> Header:
    """Cards of the first of some amplifiers of one exposure; those that it lacks, of the next that has them."""
    out: dict[str, object] = {}
    for one in amplifiers:
        out |= {card: value for card, value in one.header.items() if out.get(card) in (None, "")}
    return MappingProxyType(out)


@dataclass(frozen=True, eq=False)
class RawNight:
    """The raw exposures below a folder or in an archive, oldest first.

    Parameters
    ----------
    path : str
        What was opened.
    instrument : str
    exposures : tuple of RawExposure
        By date, observation and number.
    notes : tuple of str
        What was left out or is odd, one sentence each.
    """

    path: str
    instrument: str
    exposures: tuple[RawExposure, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def dates(self) -> tuple[int, ...]:
        """Nights that have exposures."""
        return tuple(sorted({e.date for e in self.exposures}))

    @property
    def cameras(self) -> tuple[str, ...]:
        """Every detector of which something is there."""
        return tuple(dict.fromkeys(c for e in self.exposures for c in e.cameras))

    def of_kind(self, kind: str, camera: str = "") -> tuple[RawExposure, ...]:
        """Exposures of a kind, with usable amplifiers of a detector if one is named."""
        return tuple(e for e in self.exposures if e.kind == kind and (not camera or e.of(camera)))
