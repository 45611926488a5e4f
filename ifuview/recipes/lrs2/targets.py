"""All channels and exposures of a target as one: its spectrum and its cube on common wavelengths."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.spectra.cubes.stacked import FieldPart, stacked_cube
from ifuview.engine.spectra.field.lenslet import Lenslets
from ifuview.engine.spectra.field.separation import FoundSources, Separation
from ifuview.engine.spectra.flux.combine import CombinedSpectrum, combine_spectra
from ifuview.model.checks import Array, Header
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.reduction.products import ProductName
from ifuview.model.reduction.source import SkyCube, SourceSpectrum
from ifuview.model.reduction.spectra import FiberSpectra

OTHER_SOURCE = 1.5  # arcsec, beyond what refraction moves a source between channels
TURNED = 0.5  # deg, that is worth a note
Place = tuple[float, float]  # arcsec


@dataclass(frozen=True, slots=True, eq=False)
class TargetPart:
    """One channel of one exposure.

    Parameters
    ----------
    name : ProductName
    header : mapping
        Cards of the exposure.
    spectrum : SourceSpectrum or None
        Of its source.
    lenslets : Lenslets
    dar : ndarray, shape (3, n)
        Refraction.
    source, center : (float, float) or None, arcsec
        Place of a point source where `dar` is zero; middle of one that fills the field.
    angle : float, deg
        Of the field on the sky; NaN: not known.
    spectra : callable or None
        Gives the FiberSpectra without sky; None: they are held no more.
    head : str
        Slot of its fiber head.
    aimed : bool or None
        Whether the target is in that head; None: not known.
    path : str
        File that it was read from.
    """

    name: ProductName
    header: Header
    spectrum: SourceSpectrum | None
    lenslets: Lenslets
    dar: Array
    source: tuple[float, float] | None
    center: tuple[float, float] | None
    angle: float
    spectra: Callable[[], FiberSpectra] | None
    head: str = ""
    aimed: bool | None = None
    path: str = ""

    @property
    def there(self) -> bool:
        """Whether it has a spectrum, and is of the fiber head that the target is in."""
        return self.spectrum is not None and self.aimed is not False

    @property
    def look(self) -> tuple[int, int, int, str]:
        """Exposure and fiber head: its channels see the same field."""
        one = self.name
        return one.night, one.observation, one.exposure, self.head


def sources_of(sky: object) -> object:
    """A separation of sky and sources without its arrays of all fibers; anything else as it is."""
    return sky.light() if isinstance(sky, Separation) else sky


def place_of(sky: object, refraction: Array) -> tuple[Place | None, Place | None, Array]:
    """Place of the point source of a separation, the middle of its extended one, and the refraction of either."""
    if isinstance(sky, Separation | FoundSources) and sky.sources:
        return (sky.sources[0].x, sky.sources[0].y), None, sky.sources[0].dar
    if isinstance(sky, Separation | FoundSources) and sky.extended is not None:
        return None, (sky.extended.x, sky.extended.y), refraction
    return None, None, refraction


def lenslets_of(x: Array, y: Array, spec: InstrumentSpec) -> Lenslets:
    """Lenslets at places, as large as the instrument has them."""
    return Lenslets(x, y, spec.fiber_diameter or math.nan)


def ordered(own: Sequence[TargetPart]) -> list[TargetPart]:
    """Channels by their wavelengths, then by exposure."""
    return sorted(own, key=lambda one: (0.0 if one.spectrum is None else float(one.spectrum.wave[0]), one.name.text))


def one_target(
    own: Sequence[TargetPart], grid: Array, ctx: JobContext = SILENT
) -> tuple[CombinedSpectrum, SkyCube | None, tuple[str, ...]]:
    """The spectrum of a target, its cube where all fibers are held, and what is to be said.

    Parameters
    ----------
    own : sequence of TargetPart
        With spectra, in their order.
    grid : ndarray, shape (nwave,), Angstrom
    """
    spectra = [one.spectrum for one in own if one.spectrum is not None]
    found = combine_spectra(spectra, grid, names=[one.name.text for one in own])
    cube: SkyCube | None = None
    notes: tuple[str, ...] = ()
    if all(one.spectra is not None for one in own):
        ends = np.array([(one.wave[0], one.wave[-1]) for one in spectra])
        inside = grid[(grid >= ends.min()) & (grid <= ends.max())]  # no sums for wavelengths that nobody has
        cube = stacked_cube(_field_parts(own, found.factor), inside, ctx=ctx)
        notes = _turned(own)
    return found, cube, (*notes, *found.notes, *_other_sources(own))


def _field_parts(own: Sequence[TargetPart], factors: Sequence[float]) -> list[FieldPart]:
    """What the cube is made of: a target that fills the field lies at one place in all channels of an exposure."""
    middles: dict[tuple[object, ...], list[tuple[float, float]]] = {}
    for one in own:
        if one.center is not None:
            middles.setdefault(one.look, []).append(one.center)
    out = []
    for one, factor in zip(own, factors, strict=True):
        place, dar = one.source, one.dar
        if place is None:
            x, y = np.mean(middles.get(one.look, [(0.0, 0.0)]), axis=0)
            place = float(x), float(y)
        assert one.spectra is not None
        out.append(FieldPart(one.spectra, one.lenslets, place, dar, _turn(own[0], one), factor))
    return out


def _turn(first: TargetPart, other: TargetPart) -> float:
    """By which the field of an exposure is turned against the first one's, deg; 0 where it is not known."""
    angle = other.angle - first.angle
    return angle if math.isfinite(angle) else 0.0


def _turned(own: Sequence[TargetPart]) -> tuple[str, ...]:
    """Exposures whose field is turned, in words."""
    turns = {one.look: (_turn(own[0], one), one) for one in own}
    return tuple(
        f"the field of {one.name.text} is turned by {turn:+.1f} deg against that of {own[0].name.text}: turned back"
        for turn, one in turns.values()
        if abs(turn) > TURNED
    )


def _other_sources(own: Sequence[TargetPart]) -> tuple[str, ...]:
    """Channels of one fiber head and exposure whose spectra are of different sources, in words."""
    first: dict[tuple[object, ...], tuple[str, float, float]] = {}
    notes = []
    for one in own:
        if one.source is None:
            continue
        x, y = one.source
        camera, x0, y0 = first.setdefault(one.look, (one.name.channel, x, y))
        if math.hypot(x - x0, y - y0) > OTHER_SOURCE:
            notes.append(
                f"the spectra of {camera} and {one.name.channel} are of different sources, at x {x0:+.2f} y {y0:+.2f} "
                f"and x {x:+.2f} y {y:+.2f}: say which one by --source_x and --source_y"
            )
    return tuple(notes)
