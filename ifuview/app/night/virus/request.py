"""What is asked of the reduction of an observation, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType

from ifuview.model.reduction.detection import LINE, Completeness, doubts_text
from ifuview.model.reduction.placed import HeadProducts, PlacedDetection
from ifuview.model.reduction.solution import ShotSolution

NAN = float("nan")
ALL = "all"
TOLD = 12  # lines that are told one by one


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """A source to be put into the data of a head.

    Parameters
    ----------
    x, y : float, arcsec
        In the frame of the head.
    seeing : float, arcsec
        FWHM; NaN: as stars have it.
    file : str
        Wavelength (Angstrom) and flux (erg/s/cm2/A) in two columns; "": 1e-17 at all wavelengths.
    """

    x: float = 0.0
    y: float = 0.0
    seeing: float = NAN
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotRequest:
    """An observation to be reduced.

    Parameters
    ----------
    date, observation : int
    slots : tuple of str
        Of the focal plane; ("all",): all that are there.
    calibrations : str
        File of calibrations.
    root : str
        Folder of raw nights; "": as the settings say.
    output : str
        Folder of the products; "": nothing is written.
    ra, dec : float, deg
        Of the field; NaN: by the header.
    plane, catalog : str
        Files: table of the focal plane, catalog of stars; "": the usual ones.
    neighbors : int
        Slots up to so many columns and rows away are reduced, too.
    sky_slot : str
        The sky is that of this slot; "": of each head itself.
    source : SourceRequest or None
    completeness : int
        Simulated lines in each head.
    workers : int
        Processes that share the heads of more than a few; scripts that ask for some need `if __name__ == "__main__":`.
    params : mapping of str to object
        Parameters by step.
    """

    date: int
    observation: int
    slots: tuple[str, ...]
    calibrations: str
    root: str = ""
    output: str = "."
    ra: float = NAN
    dec: float = NAN
    plane: str = ""
    catalog: str = ""
    neighbors: int = 0
    sky_slot: str = ""
    source: SourceRequest | None = None
    completeness: int = 0
    workers: int = 1
    params: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class HeadSummary:
    """What came of one head.

    Parameters
    ----------
    slot : str
    reason : str
        Why it could not be reduced, "" if it was.
    stars, lines, continua : int
    broken : tuple of str
        Amplifiers that are not used, with the exposure and why.
    completeness : Completeness or None
    found : tuple of (float, str)
        Significance of each line, and what is to be said of it.
    """

    slot: str
    reason: str = ""
    stars: int = 0
    lines: int = 0
    continua: int = 0
    broken: tuple[str, ...] = ()
    completeness: Completeness | None = None
    found: tuple[tuple[float, str], ...] = ()

    @property
    def line(self) -> str:
        """In one line."""
        if self.reason:
            return f"{self.slot}: not reduced: {self.reason}"
        found = f"{self.lines} lines, {self.continua} continua"
        words = f"{self.slot}: {self.stars} stars of the catalog; found {found}"
        if self.broken:
            words += f"; not used: {', '.join(self.broken)}"
        return words


@dataclass(frozen=True, slots=True, eq=False)
class ReducedShot:
    """An observation that was reduced.

    Parameters
    ----------
    request : ShotRequest
    heads : tuple of HeadSummary
    solution : ShotSolution or None
        None: nothing could be reduced.
    files : tuple of str
        Products that were written.
    notes : tuple of str
    wrong : tuple of str
        What is wrong with the data, beside heads that could not be reduced.
    """

    request: ShotRequest
    heads: tuple[HeadSummary, ...]
    solution: ShotSolution | None = None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """What came of it: the observation, then each head."""
        out = [f"{self.request.date} {self.request.observation:07d}: {self._shared()}"]
        return (*out, *(head.line for head in self.heads))

    @property
    def more(self) -> tuple[str, ...]:
        """How sure what all heads share is, the most significant lines, and where the products lie."""
        out = [] if self.solution is None else [self._fluxes(self.solution)]
        found = sorted((one for head in self.heads for one in head.found), reverse=True)
        out += [text for _, text in found[:TOLD]]
        if len(found) > TOLD:
            out.append(f"and {len(found) - TOLD} fainter lines, see Detections")
        if self.files:
            first = next((name for name in self.files if name.endswith(".h5")), self.files[0])
            out.append(f"written: {first} and {len(self.files) - 1} more")
        return tuple(out)

    @staticmethod
    def _fluxes(solution: ShotSolution) -> str:
        light = ", ".join(f"{one.illumination:.3f}" for one in solution.surveys)
        one = solution.surveys[0]
        by = f"brought to the catalog's g by {one.nphotometric} stars (x {one.zero_point:.3f})"
        by = by if one.nphotometric else "by the throughput of the tables"
        return f"fluxes {by}; light of the exposures {light}"

    def _shared(self) -> str:
        if self.solution is None:
            return "nothing could be reduced"
        point, optics = self.solution.pointing, self.solution.optics
        words = f"seeing {optics.fwhm:.2f} arcsec from {optics.nstars} stars"
        if not point.known:
            return f"{words}; no place on the sky is known"
        if not point.measured:
            return f"{words}; places on the sky are the header's"
        moved = f"moved by {point.ra_offset:+.2f}, {point.dec_offset:+.2f} arcsec by {point.nstars} stars"
        return f"{words}; {moved}, which scatter by {point.ra_scatter:.2f}, {point.dec_scatter:.2f}"


def summary(head: HeadProducts) -> HeadSummary:
    """What came of a head."""
    spectra = head.done.spectra
    kinds = [one.detection.kind for one in head.detections]
    broken = tuple(
        f"{state.name} of exposure {one.number} ({state.reason})"
        for one in spectra.fields for state in one.amplifiers if state.reason
    )  # fmt: skip
    lines = kinds.count(LINE)
    found = tuple(
        (one.detection.sn, told_line(head.slot, one)) for one in head.detections if one.detection.kind == LINE
    )
    stars = len(head.done.stars)
    return HeadSummary(head.slot, "", stars, lines, len(kinds) - lines, broken, head.completeness, found)


def told_line(slot: str, placed: PlacedDetection) -> str:
    """A line in words: where, how bright, how sure, what speaks against it."""
    one = placed.detection
    where = f"{one.wave:.1f} +- {one.wave_error:.1f} A at {one.x:+.1f}, {one.y:+.1f} arcsec of {slot}"
    if isfinite(placed.ra):
        where += f" ({placed.ra:.5f} {placed.dec:+.5f})"
    light = f"{one.flux:.1f} +- {one.flux_error:.1f}e-17 erg/s/cm2, {one.sn:.1f} sigma"
    doubts = doubts_text(one.doubts)
    return f"line {where}: {light}" + (f"; {doubts}" if doubts else "")
