"""Files of fiber traces opened like an image: the traces, and what stands in their headers."""

from __future__ import annotations

from ifuview.engine.context import SILENT, JobContext
from ifuview.files import stem
from ifuview.io.fits.plain import READER as PLAIN
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.io.products.choose import instrument_of
from ifuview.io.products.companions import companions
from ifuview.io.products.fibers import fibers_of
from ifuview.io.traces.reading import traces_of
from ifuview.model.dataset import Dataset
from ifuview.model.product import FiberSpec

FIBERS = (FiberSpec("FIBERMAP"), FiberSpec("SLITMAP"))


class TraceFits:
    """Traces, without an image."""

    name = "fiber traces"

    def score(self, probe: FileProbe) -> float:
        """The EXTNAMEs alone decide."""
        return 0.9

    def read(self, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """All traces; an HDU asked for by name or number is shown as an image."""
        if spec.hdu is not None:
            return PLAIN.read(probe, spec, ctx)
        instrument = instrument_of(probe)
        traces = traces_of(probe.fits)
        notes = [*probe.fits.notes, *traces.provenance.notes]
        return Dataset(
            path=spec.path, spec=spec.text, instrument=instrument.name,
            kind="psf" if "psf" in stem(spec.path).lower() else "traces", traces=traces,
            fibermap=fibers_of(FIBERS, probe.fits, instrument, traces.nfiber, notes),
            hdus=tuple(hdu.info for hdu in probe.fits.hdus), notes=tuple(notes),
            companions=tuple(path for path in companions(spec.path, probe.header, instrument) if "psf" not in path),
            block=instrument.block,
        )  # fmt: skip


READER = TraceFits()
