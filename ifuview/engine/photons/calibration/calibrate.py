"""The calibration stack: photons of a source with their phases as wavelengths, weighted, without masked times.

The raw columns stay what they are; a step that is switched off is not there. Computed in float64 and given as float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.calibration.applicable import calibrated_info, check_stack
from ifuview.engine.photons.calibration.flat_weights import flat_factors, flat_table
from ifuview.engine.photons.calibration.linearity import linearity_weights, whole_resonators
from ifuview.engine.photons.calibration.wavelengths import wave_table, wavelengths
from ifuview.engine.photons.counting.cut import live_bins
from ifuview.engine.photons.counting.timemask import kept, masked_in
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.photons.calibration_stack import CalibrationStack
from ifuview.model.photons.lists import IndexedPhotons, PhotonBlock, PhotonInfo, PhotonSource

STORED = ("wavecal", "flatcal")  # steps whose values an index can keep


class CalibratedSource:
    """The photons of a source after a stack of calibrations; a source itself.

    Parameters
    ----------
    source : PhotonSource
        Read, never changed.
    stack : CalibrationStack
    flag_names : sequence of str, optional
        The list of pixel flags to start from if the source has none.

    Raises
    ------
    UsageError
        A step was applied already, or cannot be applied to such a list.
    FileFormatError
        A solution is of another array.
    """

    def __init__(self, source: PhotonSource, stack: CalibrationStack, flag_names: Sequence[str] = ()) -> None:
        self.source, self.stack, self.flag_names = source, stack, flag_names
        check_stack(source.info, stack)
        wave, flat = stack.active("wavecal"), stack.active("flatcal")
        beammap = source.info.beammap
        self._wave = None if wave is None else wave_table(wave.solution, beammap)
        self._flat = None if flat is None else flat_table(flat.solution, beammap)
        self._info = calibrated_info(source.info, stack, flag_names)
        self._linear = stack.active("lincal")

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list, calibrated."""
        return self._info

    @property
    def weighing(self) -> bool:
        """Whether a step changes weights."""
        return self._flat is not None or self._linear is not None

    def live_bins(self, edges: Array) -> Array:
        """Seconds of each time bin (edges in s) that are not masked."""
        lived = live_bins(self.source, edges)
        for mask in self.stack.masks:
            lived = lived - masked_in(mask, edges)
        return lived

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons that are left, in the order of the source; arrays may be reused."""
        for block in self.raw(value=value, weight=weight, ctx=ctx):
            found = self._kept(self.convert(block, weight=weight))
            yield found if value else found._replace(value=None)

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """The photons of a few resonators that are left, by (resonator, time)."""
        return self._kept(self.convert(self.source.photons_of(resonators, weight=weight), weight=weight))

    def _kept(self, block: PhotonBlock) -> PhotonBlock:
        """A block without masked photons."""
        for mask in self.stack.masks:
            block = kept(block, mask)
        return block

    def convert(self, block: PhotonBlock, *, weight: bool = True) -> PhotonBlock:
        """A block of the source as the stack makes it, before times are masked and for linearity if it is whole."""
        value = block.value
        own: Array | None = block.weight if weight else None
        if weight and self._linear is not None:
            linear = linearity_weights(
                block.resonator, block.time, window=self._linear.window, dead_time=self._linear.dead_time
            )
            own = linear if own is None else own * linear
        if value is not None and self._wave is not None:
            value = wavelengths(block.resonator, value, self._wave)
        if weight and self._flat is not None:
            if value is None:
                raise UsageError("weights of a flat need the wavelengths", self.source.info.path, "ask for both")
            factor = flat_factors(block.resonator, value, self._flat)
            own = factor if own is None else own * factor
        return PhotonBlock(block.resonator, block.time, value, own)

    def raw(self, *, value: bool, weight: bool, ctx: JobContext) -> Iterator[PhotonBlock]:
        """Blocks of the source as `convert` needs them."""
        if weight and self._linear is not None:
            return whole_resonators(self.source, weight=weight, ctx=ctx)
        need = value or (weight and self._flat is not None)
        return self.source.blocks(value=need, weight=weight, ctx=ctx)

    def key(self) -> str:
        """Says what the stack does to values and weights, for derived columns of an index."""
        parts = []
        for step in (self.stack.active("wavecal"), self.stack.active("flatcal")):
            if step is not None:
                parts.append(f"{step.key} {step.solution.name} {step.solution.digest()}")
        if self._linear is not None:
            parts.append(f"lincal {self._linear.window:g} {self._linear.dead_time:g}")
        return "; ".join(parts)


def indexed(source: CalibratedSource, ctx: JobContext = SILENT) -> PhotonSource:
    """The photons of a calibrated index with wavelengths and flat weights stored beside it, so that passes are fast.

    Steps for linearity, and times that are masked, stay on top. Any other source comes back as it is.
    """
    index = source.source
    stored = tuple(step for step in source.stack.steps if step.key in STORED and step.on)
    if not isinstance(index, IndexedPhotons) or not stored:
        return source
    plain = CalibratedSource(index, CalibrationStack(stored), source.flag_names)
    derived = index.with_values(plain.key(), plain.convert, info=plain.info, ctx=ctx)
    rest = tuple(step for step in source.stack.steps if step.key not in STORED and step.on)
    return CalibratedSource(derived, CalibrationStack(rest), source.flag_names) if rest else derived
