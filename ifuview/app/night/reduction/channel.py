"""One channel of one exposure as it was reduced, and in one line what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ifuview.app.night.reduction.setup import channel_setup, given
from ifuview.engine.context import SILENT, JobContext
from ifuview.instrument.tables import Tables
from ifuview.model.checks import Header
from ifuview.model.figure import Figure
from ifuview.model.night.raw import RawExposure, RawNight
from ifuview.model.reduction.source import SourceSpectrum
from ifuview.model.verdict import VerdictState
from ifuview.recipes.cache import ValueCache
from ifuview.recipes.graph import GIVEN_UP, Given, StepResult, StepVerdict, run
from ifuview.recipes.lrs2.figures import figures_of
from ifuview.recipes.lrs2.numbers import StepNumber, numbers
from ifuview.recipes.lrs2.recipe import RECIPE
from ifuview.recipes.lrs2.targets import sources_of
from ifuview.recipes.lrs2.values import ChannelSetup

Params = Mapping[str, object]
SUMMARY = ("sky", "spectrum")  # values that tell in a line what came of an exposure


@dataclass(frozen=True, slots=True, eq=False)
class ReducedChannel:
    """One channel of one exposure, step by step.

    Parameters
    ----------
    exposure : RawExposure
    setup : ChannelSetup
    steps : mapping of str to StepResult
        By step, in their order.
    notes : tuple of str
    files : tuple of str
        Products that were written.
    verdicts : tuple of StepVerdict
        Of the steps, where they were asked for.
    header : mapping
        Cards of the exposure.
    drawn : mapping of str to tuple of Figure
        Of steps whose values are held no more.
    measured : tuple of StepNumber
        Of those steps.
    """

    exposure: RawExposure
    setup: ChannelSetup
    steps: Mapping[str, StepResult]
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    verdicts: tuple[StepVerdict, ...] = ()
    header: Header = field(default_factory=dict)
    drawn: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)
    measured: tuple[StepNumber, ...] = ()

    def light(self) -> ReducedChannel:
        """The same without values, but for the sources and their spectrum."""
        steps = {name: one if name in SUMMARY else one.given_up() for name, one in self.steps.items()}
        if "sky" in steps:
            steps["sky"] = replace(steps["sky"], value=sources_of(steps["sky"].value))
        return replace(self, steps=steps)

    def for_pages(self) -> ReducedChannel:
        """The same without values, with the figures and numbers of all steps: a page is made of less memory."""
        return replace(self.light(), drawn={name: self.figures(name) for name in self.steps}, measured=self.numbers)

    @property
    def numbers(self) -> tuple[StepNumber, ...]:
        """What it comes to in a few numbers."""
        return self.measured or numbers(self)

    def value(self, step: str) -> object:
        """What a step has made; None where it could not, or it is held no more."""
        found = self.steps[step].value
        return None if found is GIVEN_UP else found

    def figures(self, step: str) -> tuple[Figure, ...]:
        """The figures of a step."""
        return self.drawn.get(step) or figures_of(self, step)

    @property
    def complete(self) -> bool:
        """Whether there are spectra without sky."""
        return self.steps["field"].value is not None

    @property
    def wrong(self) -> tuple[str, ...]:
        """What is wrong with steps that were made."""
        made = {name for name, one in self.steps.items() if one.value is not None}
        where = f"{self.setup.camera} {self.exposure.observation:07d} exp{self.exposure.number:02d}"
        bad = (one for one in self.verdicts if one.state is VerdictState.WRONG and one.step in made)
        return tuple(f"{where}: {RECIPE.step(one.step).title}: {one.words}" for one in bad)

    @property
    def line(self) -> str:
        """What came of it in one line: source found, place, width, signal to noise; or why there is nothing."""
        where = (
            f"{self.setup.camera} {self.exposure.date} {self.exposure.observation:07d} exp{self.exposure.number:02d}"
        )
        if not self.complete:
            step = next(one for one in self.steps.values() if one.value is None)
            return f"{where}: not reduced: {step.reason}"
        sky, found = self.value("sky"), self.value("spectrum")
        sources = getattr(sky, "sources", ())
        extended = getattr(sky, "extended", None)
        if not sources and extended is not None:
            words = f"{where}: {self.exposure.object}: extended source at x {extended.x:+.2f} y {extended.y:+.2f}"
            return words + _told(found)
        if not sources:
            return f"{where}: {self.exposure.object}: no source found"
        one = sources[0]
        place = f"x {one.x:+.2f} y {one.y:+.2f} at {one.wave:.0f} A"  # refraction moves it from channel to channel
        words = f"{where}: {self.exposure.object}: source at {place}, FWHM {one.fwhm:.2f} arcsec"
        others = "; ".join(f"x {other.x:+.2f} y {other.y:+.2f}" for other in sources[1:])
        return words + _told(found) + (f"; beside it a fainter one at {others}" if others else "")


def _told(found: object) -> str:
    """How well the source is measured, as the end of a sentence."""
    if not isinstance(found, SourceSpectrum):
        return ""
    ratio = signal(found)
    return f", S/N {ratio:.1f} a pixel" if np.isfinite(ratio) else ", none of its light can be measured"


def signal(spectrum: SourceSpectrum) -> float:
    """Median signal to noise of a spectrum."""
    good = (spectrum.variance > 0) & np.isfinite(spectrum.flux)
    return float(np.median(spectrum.flux[good] / np.sqrt(spectrum.variance[good]))) if good.any() else float("nan")


def reduce_channel(
    night: RawNight,
    exposure: RawExposure,
    camera: str,
    tables: Tables,
    params: Params | None = None,
    cache: ValueCache | None = None,
    ctx: JobContext = SILENT,
    made: Callable[[StepResult], None] | None = None,
    wanted: Sequence[str] = (),
    known: Mapping[str, StepResult] | None = None,
    more: Mapping[str, Given] | None = None,
) -> ReducedChannel:
    """Reduce one channel of one exposure.

    Parameters
    ----------
    night : RawNight
        Where calibrations are looked for.
    exposure : RawExposure
    camera : str
    tables : Tables
    params : mapping of str to object, optional
        Parameters by step.
    cache : ValueCache, optional
        Shared by the exposures of a night: calibrations are then made once.
    ctx : JobContext
    made : callable, optional
        Told of each step.
    wanted : sequence of str, optional
        Steps; default: all.
    known : mapping of str to StepResult, optional
        Calibrations that are made.
    more : mapping of str to Given, optional
        Inputs beyond raw data.

    Raises
    ------
    MissingDataError
        The exposure has nothing of the channel.
    """
    setup = channel_setup(tables, exposure, camera)
    inputs, notes = given(night, setup, exposure)
    steps = run(RECIPE, {**inputs, **(more or {})}, params, wanted, cache, ctx, made, known)
    science = getattr(steps["science"].value, "header", {}) if "science" in steps else {}
    return ReducedChannel(exposure, setup, steps, (*setup.notes, *notes), header=science)
