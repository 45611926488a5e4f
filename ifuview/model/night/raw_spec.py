"""What an instrument file says of raw data that come as one file an amplifier: names, sizes, where each one belongs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class CcdSpec(NamedTuple):
    """One detector and the amplifiers that read it.

    Parameters
    ----------
    camera : str
        Its name; {slot} stands for the slot of the fiber head.
    slot : str
        Slot of the fiber head whose light it sees; "" for any.
    amplifiers : tuple of str
        From bottom to top of the detector picture.
    """

    camera: str
    slot: str
    amplifiers: tuple[str, ...]


class RawSpec(NamedTuple):
    """Raw data of one file an amplifier.

    Parameters
    ----------
    file : str
        Regular expression of a file name, with the groups start, slot, amplifier and kind.
    observation, exposure : str
        Regular expressions of the folders of an observation and of an exposure, with a group of that name.
    target : str
        Regular expression that finds in the name of an object the group slot: the fiber head that it is on.
    shape : (int, int)
        Rows and columns of a file, overscan included.
    overscan : int, px
        Columns at the end of each row that saw no light.
    dropped : int, px
        First columns of the overscan that may hold charge left behind.
    gain, readnoise : float, electron/ADU and electron
        Where the header has none above 0.
    detectors : tuple of CcdSpec
    windows : mapping of str to int, days
        How far from a night calibrations of each kind are taken, before the search is widened.
    swaps : tuple of int
        Nights (YYYYMMDD) from whose next on calibrations of that night and before do not count: other controllers.
    lamps : mapping of str to tuple of str
        Camera to the names (lower case) of the arc exposures that have lines there.
    """

    file: str
    observation: str
    exposure: str
    shape: tuple[int, int]
    overscan: int
    target: str = ""
    dropped: int = 0
    gain: float = 1.0
    readnoise: float = 0.0
    detectors: tuple[CcdSpec, ...] = ()
    windows: Mapping[str, int] = MappingProxyType({})
    swaps: tuple[int, ...] = ()
    lamps: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def detector(self, slot: str, amplifier: str) -> CcdSpec | None:
        """The detector that an amplifier of a slot reads, with the name that it has for that slot."""
        for one in self.detectors:
            if one.slot in ("", slot) and amplifier in one.amplifiers:
                return one._replace(camera=one.camera.format(slot=slot), slot=slot)
        return None
