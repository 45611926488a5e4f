"""What an instrument file says of one family of files: which HDU is the main one, and what belongs to it.

A name stands for an HDU (EXTNAME, "PRIMARY" for the first one) or, where the product lies in a table, for one of its
columns. `{band}` in the name of a main HDU stands for any word; it has the same value in every other name.

2026-11-28: named tuples, as a dataclass takes ten times as long to make and these stand on the way to the first image.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

POWERS = {"ivar": 1, "variance": -1, "sigma": -2}  # inverse variance = number ** power
FROM_HEADER = "header:"  # what follows is a card, or the beginning of cards, of the HDU's header
BAND = "{band}"


class ErrorSpec(NamedTuple):
    """Errors of the main HDU.

    Parameters
    ----------
    hdu : str
    kind : str
        What its numbers are: "ivar", "variance", "sigma", or "header:CARD" whose text begins like one of UNCERTAINTIES.
    plane : int or None
        Which plane of it, where it has one axis more than the main HDU.
    beside : tuple of str
        (old, new): the HDU is in a file of its own, whose name has `new` in place of `old`; () for the same file.
    """

    hdu: str
    kind: str = "sigma"
    plane: int | None = None
    beside: tuple[str, ...] = ()


class MaskSpec(NamedTuple):
    """Mask of the main HDU.

    Parameters
    ----------
    hdu : str
    bits : str
        Which table of [bits] names them, or "header:PREFIX" where cards PREFIXNAME give the bit of NAME.
    """

    hdu: str
    bits: str = ""


class WaveSpec(NamedTuple):
    """Wavelengths of the main HDU; one of `hdu`, `table`, `header` and `wcs` says where they are.

    Parameters
    ----------
    hdu, table : str
        An image, or a table with a `column` (or, of the form "poly", with one polynomial in pixels a row).
    column : str
    header : tuple of str
        Cards of the first value, the step and the reference pixel (1-based; the first pixel if there is no third card).
    wcs : bool
        The world coordinates of `axis`.
    unit : str
        Of the numbers, where the file names none.
    form : str
        "linear": the numbers are wavelengths; "log10": their logarithms; "poly"; "edges": of the bins, one more than
        there are planes, in the unit of the column or of the table's card UNIT.
    axis : int
        FITS axis; 0: the last one of a cube, else the first.
    """

    hdu: str = ""
    table: str = ""
    column: str = ""
    header: tuple[str, ...] = ()
    wcs: bool = False
    unit: str = ""
    form: str = "linear"
    axis: int = 0


class LsfSpec(NamedTuple):
    """Line spread: an image (or, of the form "poly", a table) of "fwhm" or "sigma" in `unit`."""

    hdu: str
    kind: str = "fwhm"
    unit: str = "Angstrom"
    form: str = "linear"


class FiberSpec(NamedTuple):
    """Fibers of the rows of the main HDU; one of `table`, `header` and `arrays` says where they are.

    Parameters
    ----------
    table : str
        A table with a row for each fiber.
    header : str
        An HDU whose header has the cards `pattern`.
    pattern, blocks : str
        Regular expressions with two groups, the number of a fiber (a block) and the name of a column. The column
        "B" of a fiber is the number of its block.
    arrays : tuple of str
        Images of one value a fiber (the median of its row, where there are more).
    each : bool
        All values of a row of `arrays` are kept, as NAME[0], NAME[1] ...
    beside : str
        File, with * for any text, whose first table has more columns; its rows are joined by the column `key`.
    key : str
    unit : str
        Of the positions on the focal plane or the sky, or "header:CARD" of the same HDU; "": mm.
    columns : tuple of str
        Of the table, those that are read; () for all.
    """

    table: str = ""
    header: str = ""
    pattern: str = ""
    blocks: str = ""
    arrays: tuple[str, ...] = ()
    beside: str = ""
    key: str = ""
    unit: str = ""
    columns: tuple[str, ...] = ()
    each: bool = False


class OtherSpec(NamedTuple):
    """Another HDU of the size of the main one, and its own errors."""

    hdu: str
    error: tuple[ErrorSpec, ...] = ()


class TraceSpec(NamedTuple):
    """Traces of the fibers on the detector; one of `hdu`, `table` and `splines` says where they are.

    Parameters
    ----------
    hdu : str
        Image of the positions across dispersion, one row a fiber, one column a pixel along dispersion.
    along : str
        Image of the same shape with those pixels; "": they are 0, 1, 2, ...
    table : str
        Table with a row for each fiber; * for any table.
    splines, waves : str
        Tables with a row for each knot: index of the fiber, knot (pixel along dispersion) and value, the position
        across dispersion or the wavelength in `unit`.
    offsets : str
        Image of one column a fiber: what is added to the values of the splines, and to the knots, px.
    coefficients : str
        Beginning of the names of its columns of a polynomial in pixels along dispersion, the constant one first.
    fiber_id : str
        Column, or image, of the fibers' numbers.
    first : int
        Number of the first pixel of the detector.
    length : int
        Pixels along dispersion, where the image they are for is not known.
    """

    hdu: str = ""
    along: str = ""
    table: str = ""
    splines: str = ""
    waves: str = ""
    offsets: str = ""
    unit: str = ""
    coefficients: str = ""
    fiber_id: str = ""
    first: int = 0
    length: int = 0


class ProductSpec(NamedTuple):
    """One family of files.

    Parameters
    ----------
    name : str
        What it is called where its file name says no more.
    kind : str
        "detector", "image", "rss", "cube", "spectrum", "traces"; "unreadable" for what only looks like an image.
    families : tuple of str
        Beginnings of file names (up to the first hyphen) that name the family themselves.
    files : tuple of str
        File names (with * for any text) of which one must fit, () for any.
    has : tuple of str
        Names that must be there.
    header : mapping of str to tuple of str
        Cards that must begin with one of the texts.
    main : tuple of str
        Names of the main HDU, the best first.
    each : bool
        Each version (EXTVER) of the main HDU is an image of its own.
    table : tuple of str
        Tables whose columns all the names mean; () for HDUs.
    rows : str
        The main names mean rows of the first image, of which cards of this beginning hold the names (ROW: ROW1 ...).
    needs : tuple of str
        Of "wave" and "fibers": a file without them is not of this family.
    unit : str
        Of the main HDU, where the file names none.
    factor : str
        What the main HDU is multiplied with along wavelength, where that is not asked for by its name.
    medium : str
        "vacuum" or "air", of the wavelengths; "unknown" where it is not stated; "": that of the instrument.
    error, mask, wave, lsf, fibers : tuple
        The first that is there counts.
    others : tuple of OtherSpec
    tables : tuple of str
        Tables that are shown beside it.
    residuals : tuple of str
        Families, or images, that are zero where nothing is left.
    model : str
        Best fit of the main HDU.
    sky : str
        The sky that was taken off the main HDU; its errors are those of `others`.
    traces : TraceSpec or None
    note : str
        What the reader says of every such file, or why it is unreadable.
    """

    name: str
    kind: str
    families: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    header: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    main: tuple[str, ...] = ("PRIMARY",)
    each: bool = False
    table: tuple[str, ...] = ()
    rows: str = ""
    needs: tuple[str, ...] = ()
    unit: str = ""
    factor: str = ""
    medium: str = ""
    error: tuple[ErrorSpec, ...] = ()
    mask: tuple[MaskSpec, ...] = ()
    wave: tuple[WaveSpec, ...] = ()
    lsf: tuple[LsfSpec, ...] = ()
    fibers: tuple[FiberSpec, ...] = ()
    others: tuple[OtherSpec, ...] = ()
    tables: tuple[str, ...] = ()
    residuals: tuple[str, ...] = ()
    model: str = ""
    sky: str = ""
    traces: TraceSpec | None = None
    note: str = ""
