"""The photons of a list under its calibration stack, and what the sliders need of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ifuview.app.photons.calibration import solve as cal
from ifuview.app.photons.state import FoundStep
from ifuview.engine.context import SILENT, JobContext
from ifuview.model.checks import Array
from ifuview.model.photons.calibration_stack import CalibrationStack, FlatStep, MaskStep, WaveStep
from ifuview.model.photons.lists import (
    IndexedPhotons,
    PhotonBlock,
    PhotonColumn,
    PhotonInfo,
    PhotonSource,
    SortedColumns,
)
from ifuview.model.photons.resonators import merged_flags
from ifuview.model.photons.wavelength_solution import WavelengthSolution

if TYPE_CHECKING:
    from ifuview.app.photons.state import Live, PhotonFrame, PhotonStep, Steps
    from ifuview.model.photons.flat_solution import FlatSolution


LARGE = 20_000_000  # photons; live images take 6 bytes of each
IN_COLUMNS = {"lincal", "wavecal", "flatcal"}  # steps that leave every photon in its row of an index


class Flagged:
    """The photons of a source whose beammap has more flags."""

    def __init__(self, source: PhotonSource, flags: Mapping[str, Array]) -> None:
        self.source = source
        beammap = merged_flags(source.info.beammap, tuple(flags), flags, ())
        self.info: PhotonInfo = replace(source.info, beammap=beammap)
        self.blocks, self.photons_of = source.blocks, source.photons_of

    def live_bins(self, edges: Array) -> Array:
        """Seconds of each time bin that the source did not mask."""
        from ifuview.engine.photons.counting.cut import live_bins

        return live_bins(self.source, edges)


class FlaggedColumns(Flagged):
    """The same of a source in columns, which the sliders can follow."""

    def __init__(self, source: SortedColumns, flags: Mapping[str, Array]) -> None:
        super().__init__(source, flags)
        self.first, self.latest, self.read, self.pick = source.first, source.latest, source.read, source.pick


class Weighed:
    """Photons whose weights a step changes and nothing else: times and values are columns of the index below."""

    def __init__(self, source: PhotonSource, columns: SortedColumns) -> None:
        self.source, self.info = source, source.info
        self.blocks, self.photons_of = source.blocks, source.photons_of
        self.first, self.latest, self.read, self.pick = columns.first, columns.latest, columns.read, columns.pick


def flagged(source: PhotonSource, flags: Mapping[str, Array]) -> PhotonSource:
    """The photons of a source with more pixel flags; in columns if the source is."""
    return FlaggedColumns(source, flags) if isinstance(source, SortedColumns) else Flagged(source, flags)


def wave_step(steps: Steps) -> WaveStep | None:
    """The wavelength solution of a stack."""
    return next((s for s in steps if isinstance(s, WaveStep)), None)


def flat_step(steps: Steps) -> FlatStep | None:
    """The flat of a stack."""
    return next((s for s in steps if isinstance(s, FlatStep)), None)


def solutions_of(steps: Steps) -> tuple[WavelengthSolution | FlatSolution, ...]:
    """The solutions of a stack, in the order in which they act."""
    return tuple(s.solution for s in steps if isinstance(s, WaveStep | FlatStep))


def parts_of(steps: Steps) -> tuple[CalibrationStack, FoundStep | None]:
    """What works on the photons, and the pixels that were found here."""
    found = next((s for s in steps if isinstance(s, FoundStep)), None)
    return CalibrationStack(tuple(s for s in steps if not isinstance(s, FoundStep))), found


def waits(info: PhotonInfo, steps: Steps, step: PhotonStep) -> str:
    """Why a step that is on has no effect; "" if it has."""
    wave = wave_step(steps)
    known = info.column is PhotonColumn.WAVELENGTH if wave is None else wave.on
    return "waits for wavelengths" if isinstance(step, FlatStep) and step.on and not known else ""


def _empty(step: PhotonStep) -> bool:
    """Whether a step leaves nothing out, so that the sliders can do without it."""
    return isinstance(step, MaskStep) and not len(step.mask.start)


def source_of(raw: PhotonSource, steps: Steps, ctx: JobContext = SILENT) -> PhotonSource:
    """The photons of a list under a stack; the list itself if no step is on.

    Wavelengths that the file holds are turned back into phases where their own solution is in the stack and off.

    Raises
    ------
    IfuviewError
        A step was applied in the file already, or is of another array.
    """
    active = tuple(s for s in steps if s.on and not waits(raw.info, steps, s) and not _empty(s))
    base: PhotonSource = raw
    if raw.info.column is PhotonColumn.WAVELENGTH:
        wave = wave_step(steps)
        if wave is not None and not wave.on:
            base = _phases(raw, wave.solution, ctx)
        active = tuple(s for s in active if not isinstance(s, WaveStep))
    stack, found = parts_of(active)
    if stack.steps:
        base = _weighed(cal.stored(cal.calibrated(base, stack), ctx), stack)
    return base if found is None else flagged(base, found.flags)


def _weighed(source: PhotonSource, stack: CalibrationStack) -> PhotonSource:
    """The photons under a stack, in columns if it changes no more than weights of those that an index has."""
    from ifuview.engine.photons.calibration.calibrate import CalibratedSource

    below = source.source if isinstance(source, CalibratedSource) else None
    return (
        Weighed(source, below)
        if {s.key for s in stack.steps} <= IN_COLUMNS and isinstance(below, SortedColumns)
        else source
    )


def _phases(raw: PhotonSource, solution: WavelengthSolution, ctx: JobContext) -> PhotonSource:
    """The phases that wavelengths came from; kept beside the index, if there is one."""
    from ifuview.engine.photons.calibration.wavelengths import PhaseSource, phases, wave_table

    back: PhotonSource = PhaseSource(raw, solution)
    if not isinstance(raw, IndexedPhotons):
        return back
    table = wave_table(solution, raw.info.beammap)

    def fill(block: PhotonBlock) -> Array:
        assert block.value is not None
        return phases(block.resonator, block.value, table)

    return raw.with_values(f"phases {solution.digest()}", fill, info=back.info, ctx=ctx)


def live_of(source: PhotonSource, ctx: JobContext = SILENT) -> Live | None:
    """What the sliders need of photons in columns; None of others."""
    from ifuview.engine.photons.counting.live import live_image

    return live_image(source, ctx) if isinstance(source, SortedColumns) else None


def is_large(frame: PhotonFrame) -> bool:
    """Whether two live images of a list are too much for the memory that there may be."""
    return frame.raw.info.nphoton > LARGE


def photons_of(
    raw: PhotonSource, steps: Steps, live: bool, ctx: JobContext = SILENT
) -> tuple[PhotonSource, Live | None]:
    """The photons of a list under a stack, with their live image if that is asked for."""
    source = source_of(raw, steps, ctx.part(0.0, 0.5))
    return source, live_of(source, ctx.part(0.5, 1.0)) if live else None
