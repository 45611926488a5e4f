"""The photons of a list under its calibration stack, and what the sliders need of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ifuview.app.photons import solve as cal
from ifuview.engine.context import SILENT, JobContext
from ifuview.model.checks import Array
from ifuview.model.photons.calibration_stack import CalibrationStack, MaskStep
from ifuview.model.photons.lists import PhotonColumn, PhotonInfo, PhotonSource
from ifuview.model.photons.resonators import merged_flags
from ifuview.model.photons.wavelength_solution import WavelengthSolution

if TYPE_CHECKING:
    from ifuview.app.photons.state import PhotonFrame


LARGE = 20_000_000  # photons; live images take 6 bytes of each


class Flagged:
    """The photons of a source whose beammap has more flags; all else is the source's own."""

    def __init__(self, source: PhotonSource, flags: Mapping[str, Array]) -> None:
        self.source = source
        beammap = merged_flags(source.info.beammap, tuple(flags), flags, ())
        self.info: PhotonInfo = replace(source.info, beammap=beammap)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)


class Weighed:
    """Photons whose weights a step changes and nothing else: times and values are columns of the index below."""

    def __init__(self, source: PhotonSource, columns: Any) -> None:
        self.source, self.columns, self.info = source, columns, source.info
        self.blocks, self.photons_of = source.blocks, source.photons_of

    def __getattr__(self, name: str) -> Any:
        return getattr(self.columns, name)


def waits(info: PhotonInfo, steps: tuple[Any, ...], step: Any) -> str:
    """Why a step that is on has no effect; "" if it has."""
    wave = next((s for s in steps if s.key == "wavecal"), None)
    known = info.column is PhotonColumn.WAVELENGTH if wave is None else wave.on
    if step.key == "flatcal" and step.on and not known:
        return "waits for wavelengths"
    return ""


def _empty(step: Any) -> bool:
    """Whether a step leaves nothing out, so that the sliders can do without it."""
    return isinstance(step, MaskStep) and not len(step.mask.start)


def source_of(raw: PhotonSource, steps: tuple[Any, ...], ctx: JobContext = SILENT) -> PhotonSource:
    """The photons of a list under a stack; the list itself if no step is on.

    Wavelengths that the file holds are turned back into phases where their own solution is in the stack and off.

    Raises
    ------
    IfuviewError
        A step was applied in the file already, or is of another array.
    """
    active = [s for s in steps if s.on and not waits(raw.info, steps, s) and not _empty(s)]
    base: PhotonSource = raw
    if raw.info.column is PhotonColumn.WAVELENGTH:
        wave = next((s for s in steps if s.key == "wavecal"), None)
        if wave is not None and not wave.on:
            base = _phases(raw, wave.solution, ctx)
        active = [s for s in active if s.key != "wavecal"]
    stack = CalibrationStack(tuple(s for s in active if s.key != "found"))
    if stack.steps:
        base = cal.stored(cal.calibrated(base, stack), ctx)
        below: Any = getattr(base, "source", None)
        if {s.key for s in stack.steps} <= {"lincal", "wavecal", "flatcal"} and hasattr(below, "pick"):
            base = Weighed(base, below)
    found = next((s for s in active if s.key == "found"), None)
    return base if found is None else Flagged(base, found.flags)


def _phases(raw: PhotonSource, solution: WavelengthSolution, ctx: JobContext) -> PhotonSource:
    """The phases that wavelengths came from; kept beside the index, if there is one."""
    from ifuview.engine.photons.calibration.wavelengths import PhaseSource, phases, wave_table

    back: PhotonSource = PhaseSource(raw, solution)
    index: Any = raw
    if not hasattr(raw, "with_values"):
        return back
    table = wave_table(solution, raw.info.beammap)
    stored: PhotonSource = index.with_values(
        f"phases {solution.digest()}",
        lambda block: phases(block.resonator, block.value, table),
        info=back.info,
        ctx=ctx,
    )
    return stored


def live_of(source: PhotonSource, ctx: JobContext = SILENT) -> Any:
    """What the sliders need of photons in columns; None of others."""
    from ifuview.engine.photons.counting.live import live_image

    columns: Any = source
    return live_image(columns, ctx) if hasattr(source, "pick") else None


def is_large(frame: PhotonFrame) -> bool:
    """Whether two live images of a list are too much for the memory that there may be."""
    return frame.raw.info.nphoton > LARGE


def photons_of(
    raw: PhotonSource, steps: tuple[Any, ...], live: bool, ctx: JobContext = SILENT
) -> tuple[PhotonSource, Any]:
    """The photons of a list under a stack, with their live image if that is asked for."""
    source = source_of(raw, steps, ctx.part(0.0, 0.5))
    return source, live_of(source, ctx.part(0.5, 1.0)) if live else None
