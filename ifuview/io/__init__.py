"""Files in, values out: every format that ifuview reads and writes.

`READERS` is the table of formats. A reader module is imported only when a
file may be its own, so that a plain FITS image costs no more than
its own headers (2026-11-21: 25 ms of imports saved before the first painted
pixel).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, IfuviewError
from ifuview.inputs import regular_file
from ifuview.io.fits.probe import IDENTITY, FileProbe, probe_file
from ifuview.io.fits.spec import FileSpec, parse_spec

if TYPE_CHECKING:
    from ifuview.io.reader import Reader
    from ifuview.io.regions_file import Regions
    from ifuview.model.checks import Array
    from ifuview.model.dataset import Dataset
    from ifuview.model.orientation import Orientation
    from ifuview.model.region import Region
    from ifuview.model.trace import TraceSet

__all__ = [
    "READERS",
    "FileProbe",
    "FileSpec",
    "open_all",
    "open_dataset",
    "parse_spec",
    "probe",
    "read_regions",
    "read_traces",
    "trace_positions",
    "write_regions",
    "write_traces",
]

Path = str | os.PathLike[str]
SURE = 0.5  # score of what is told by its content or suffix alone
# EXTNAMEs that only traces have together
TRACE_NAMES = (frozenset({"XTRACE", "YTRACE"}), frozenset({"COEFFS", "SAMPLES"}), frozenset({"COEFFS", "BADPIX"}))
FITS_MAGIC = (b"SIMPLE", b"\x1f\x8b", b"BZh")  # as it is, and packed by gzip or bzip2 as nothing else is read
MAGIC_BYTES = 6
TEXT_SUFFIXES = (".csv", ".ecsv", ".json")  # traces as text; everything else is told by its content


# module, and what a FITS file has to be for the module to be asked
READERS: tuple[tuple[str, Callable[[FileProbe], bool]], ...] = (
    ("fits.plain", lambda found: True),
    ("products.reading", lambda found: _may_be_known(found)),
    ("products.tables", lambda found: not any(hdu.has_image for hdu in found.fits.hdus)),
    ("traces.fits", lambda found: any(names <= found.names for names in TRACE_NAMES)),
)

# of what is no FITS: module, its function (path) -> whether it knows the content, its function (spec) -> Dataset
CONTENT: tuple[tuple[str, str, str], ...] = (
    ("products.virus.opening", "is_fiber_file", "fiber_dataset"),
    ("photons.opening", "is_photons", "photon_dataset"),
    ("products.quick_frame", "is_frame", "frame_dataset"),
    ("products.text_spectra", "is_votable", "text_dataset"),
)


def probe(spec: FileSpec | Path, ctx: JobContext = SILENT) -> FileProbe:
    """Walk through the headers of a file; see `FileProbe`."""
    return probe_file(parse_spec(spec), ctx)


def open_dataset(spec: FileSpec | Path, ctx: JobContext = SILENT) -> Dataset:
    """Read one file, or the extension and section of it that `spec` names.

    Parameters
    ----------
    spec : FileSpec, str or path
        May use ds9's extension syntax; see `parse_spec`.
    ctx : JobContext, optional
        Progress and cancellation.

    Raises
    ------
    FileFormatError, MissingDataError, UsageError
        One sentence about what is wrong with the file or the request.
    """
    parsed = parse_spec(spec)
    if (elsewhere := _elsewhere(parsed, ctx)) is not None:
        return replace(open_dataset(elsewhere, ctx.part(0.9, 1.0)), spec=parsed.text)
    if parsed.path.endswith(".py"):
        raise FileFormatError(
            "is a Python script, which is not opened", parsed.path, "run it with: ifuview run SCRIPT FILES"
        )
    if (foreign := _foreign(parsed, ctx)) is not None:
        return foreign
    if parsed.path.lower().endswith(TEXT_SUFFIXES):
        return _text_traces(parsed)
    if (known := _by_content(parsed)) is not None:
        return known
    found = probe_file(parsed, ctx)
    return _noted(_reader(found).read(found, parsed, ctx))


def open_all(spec: FileSpec | Path, ctx: JobContext = SILENT) -> Dataset:
    """Read every extension with pixels; each is one image of the Dataset."""
    from ifuview.io.fits.every import read_every

    parsed = parse_spec(spec)
    if (elsewhere := _elsewhere(parsed, ctx)) is not None:
        return replace(open_all(elsewhere, ctx.part(0.9, 1.0)), spec=parsed.text)
    if (foreign := _foreign(parsed, ctx)) is not None:
        return foreign
    if (known := _by_content(parsed)) is not None:
        return known
    found = probe_file(parsed, ctx)
    return read_every(_reader(found), found, parsed, ctx)


def _elsewhere(spec: FileSpec, ctx: JobContext) -> FileSpec | None:
    """The same part of the copy on this disk of a file that lies elsewhere; None for a path."""
    if spec.path != "-" and "://" not in spec.path:
        return None
    from ifuview.io.remote.fetch import fetched, is_elsewhere

    return replace(spec, path=fetched(spec.path, ctx)) if is_elsewhere(spec.path) else None


def _foreign(spec: FileSpec, ctx: JobContext) -> Dataset | None:
    """The Dataset that a reader of another package makes, if it knows the file better than those of the program."""
    from ifuview.io import third_party

    reader, score = third_party.best(spec.path)
    if reader is None or score <= _own_score(spec, ctx):
        return None
    return third_party.read(reader, spec, ctx)


def _own_score(spec: FileSpec, ctx: JobContext) -> float:
    """How well the program itself knows a file; nothing at all is 0."""
    try:
        if spec.path.lower().endswith(TEXT_SUFFIXES) or _by_content(spec) is not None:
            return SURE
        found = probe_file(spec, ctx)
        return _reader(found).score(found)
    except IfuviewError:
        return 0.0


def _noted(dataset: Dataset) -> Dataset:
    """With what is wrong with the user's instrument files and the readers of other packages."""
    from ifuview.io import third_party

    problems = third_party.problems()
    if "ifuview.instrument" in sys.modules:  # else no instrument file was asked for
        from ifuview.instrument import problems as wrong_files

        problems = (*wrong_files(), *problems)
    return replace(dataset, notes=(*problems, *dataset.notes)) if problems else dataset


def _by_content(spec: FileSpec) -> Dataset | None:
    """The Dataset of a folder or of a file that is no FITS, told by its content; None for one that nobody knows."""
    if not os.path.lexists(spec.path) and _leads_inside(spec.path):
        return None  # of what lies in archives only FITS is read
    if not os.path.isdir(spec.path):
        regular_file(spec.path)
        with open(spec.path, "rb") as file:
            if file.read(MAGIC_BYTES).startswith(FITS_MAGIC):
                return None
    for module, knows, read in CONTENT:
        found = import_module(f"{__name__}.{module}")
        if getattr(found, knows)(spec.path):
            dataset: Dataset = getattr(found, read)(spec)
            return dataset
    return None


def _leads_inside(path: str) -> bool:
    """Whether a path leads into an archive."""
    from ifuview.io.archive.paths import leads_inside

    return leads_inside(path)


def _text_traces(spec: FileSpec) -> Dataset:
    """A Dataset of traces only, or of the spectrum that a table without traces is."""
    from ifuview.model.dataset import Dataset

    try:
        traces = read_traces(spec.path)
    except IfuviewError as no_traces:
        return _text_spectrum(spec, no_traces)
    return Dataset(spec.path, spec.text, kind="traces", traces=traces, notes=traces.provenance.notes)


def _text_spectrum(spec: FileSpec, no_traces: IfuviewError) -> Dataset:
    """The spectrum of a table of text; what was wrong with it as traces if it is none."""
    from ifuview.io.products.text_spectra import FORMATS, text_dataset

    if os.path.splitext(spec.path)[1].lower() not in FORMATS:
        raise no_traces
    try:
        return text_dataset(spec, no_traces=no_traces.what)
    except IfuviewError as problem:
        text = f"holds no spectrum: {problem.what}; and no traces: {no_traces.what}"
        raise FileFormatError(text, spec.path, problem.todo) from no_traces


def _reader(found: FileProbe) -> Reader:
    """The reader with the highest score."""
    if len(found.fits.hdus) == 1 and not found.names and not any(key in found.header for key in IDENTITY):
        return _load("fits.plain")
    if _has_traces(found):
        return _load("traces.fits")
    candidates = [_load(module) for module, may_read in READERS if may_read(found)]
    return max(candidates, key=lambda reader: reader.score(found))


def _has_traces(found: FileProbe) -> bool:
    """Whether the file holds traces in tables, and no image to show."""
    if not any(hdu.info.kind == "table" for hdu in found.fits.hdus):
        return False
    from ifuview.io.products.trace_files import holds_traces

    if holds_traces(found):
        return True
    if any(hdu.has_image for hdu in found.fits.hdus):
        return False
    from ifuview.io.traces.reading import has_trace_table

    return has_trace_table(found.fits)


def _may_be_known(found: FileProbe) -> bool:
    """Whether an instrument file may speak of it, or its first HDU or a table holds spectra by itself."""
    if found.fits.hdus[0].has_image or any(hdu.info.kind == "table" for hdu in found.fits.hdus):
        return True
    from ifuview.instrument import may_know

    return may_know(found.cards, found.names, found.path)


def _load(module: str) -> Reader:
    """The READER of a module of this package."""
    reader: Reader = import_module(f"{__name__}.{module}").READER
    return reader


def read_traces(path: Path, shape: tuple[int, int] | None = None, orientation: Orientation | None = None) -> TraceSet:
    """Read fiber traces of any known form; see `ifuview.io.traces.reading.read_traces`."""
    from ifuview.io.traces.reading import read_traces as read

    return read(path, shape, orientation)


def trace_positions(path: Path, wave: Array, ctx: JobContext = SILENT) -> tuple[Array, Array]:
    """Positions of fibers at some wavelengths; see `ifuview.io.traces.reading.positions`."""
    from ifuview.io.traces.reading import positions

    return positions(path, wave, ctx)


def write_traces(
    path: Path,
    traces: TraceSet,
    orientation: Orientation | None = None,
    shape: tuple[int, int] | None = None,
) -> None:
    """Write traces as FITS table, ECSV, CSV or JSON; see `ifuview.io.traces.write`."""
    from ifuview.io.traces.write import write_traces as write

    write(path, traces, orientation, shape)


def read_regions(path: Path) -> Regions:
    """Read a ds9 region file into a tuple of Region with `notes`; see `ifuview.io.regions_file`."""
    from ifuview.io.regions_file import read_regions as read

    return read(path)


def write_regions(path: Path, regions: Iterable[Region]) -> None:
    """Write a ds9 region file; see `ifuview.io.regions_file`."""
    from ifuview.io.regions_file import write_regions as write

    write(path, regions)
