"""What is known of a file before a reader is chosen: its headers, read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from ifuview.engine.context import SILENT, JobContext
from ifuview.io.fits.fast import FitsFile, read_fits
from ifuview.io.fits.spec import FileSpec
from ifuview.model.checks import Header

BULKY = "RESOLUTION"  # end of the EXTNAMEs that are never needed for viewing; five times the size of the flux
IDENTITY = ("INSTRUME", "INSTRUMENT", "TELESCOP", "PSFTYPE")  # cards that can name an instrument
SHARED = (*IDENTITY, "CAMERA", "NIGHT", "EXPID", "EXPOSURE")


@dataclass(frozen=True, eq=False)
class FileProbe:
    """One file, opened and walked through, and what was asked of it.

    Parameters
    ----------
    spec : FileSpec
    fits : FitsFile
    header : mapping
        Primary header; the cards that name the instrument are taken from the first HDU that has them.
    names : frozenset of str
        EXTNAMEs in upper case.
    """

    spec: FileSpec
    fits: FitsFile
    header: Header = field(default_factory=lambda: MappingProxyType({}))
    names: frozenset[str] = frozenset()

    @cached_property
    def cards(self) -> Header:
        """The cards of all HDUs; of those that several have the first one's."""
        return {key: value for hdu in reversed(self.fits.hdus) for key, value in hdu.header.items()}

    @property
    def path(self) -> str:
        """Path of the file."""
        return self.spec.path


def probe_file(spec: FileSpec, ctx: JobContext = SILENT, keep: Callable[[str], bool] | None = None) -> FileProbe:
    """Walk through the headers of a file; pixels stay where they are.

    Parameters
    ----------
    spec : FileSpec
    ctx : JobContext, optional
    keep : callable(str) -> bool, optional
        Which EXTNAMEs of a packed file are held in memory. Default: all that viewing may need.

    Raises
    ------
    FileFormatError, MissingDataError
        The file cannot be read.
    """
    asked = spec.hdu.upper() if isinstance(spec.hdu, str) else ""
    every = isinstance(spec.hdu, int)  # an HDU asked for by number may be any
    fits = read_fits(spec.path, ctx, keep or (lambda name: every or not name.endswith(BULKY) or name == asked))
    header = dict(fits.primary)
    for hdu in fits.hdus[1:]:
        for key in SHARED:
            if key not in header and key in hdu.header:
                header[key] = hdu.header[key]
    return FileProbe(spec, fits, header, frozenset(name for name in fits.names if name))
