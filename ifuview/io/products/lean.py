"""A product of an instrument that is known beforehand, with only some of what belongs to it.

For who reads many: the rules of the instrument file hold, what it says of parts that are not asked for is passed over,
and of packed files nothing else is held in memory. Nothing is looked for beside the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import MappingProxyType

from ifuview.engine.context import SILENT, JobContext
from ifuview.io.fits.probe import probe_file
from ifuview.io.fits.spec import FileSpec
from ifuview.io.products.choose import chosen_of
from ifuview.io.products.layers import PRIMARY
from ifuview.io.products.reading import dataset_of
from ifuview.model.dataset import Dataset
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.product import BAND, ProductSpec

PARTS = ("error", "mask", "wave", "lsf", "fibers", "others", "tables", "model")  # what can be passed over


def read_lean(path: str, instrument: InstrumentSpec, parts: tuple[str, ...], ctx: JobContext = SILENT) -> Dataset:
    """Read the main HDUs of a product and some parts.

    Parameters
    ----------
    path : str
    instrument : InstrumentSpec
        Whose product it is, whatever its header says.
    parts : tuple of str
        Of PARTS. Of tables of fibers the columns that
        the instrument file names are read; arrays of one value a fiber that it names so, too.
    ctx : JobContext, optional

    Raises
    ------
    FileFormatError, MissingDataError
        The file cannot be read, or is no product of the instrument.
    """
    columns = tuple(name for names in instrument.columns.values() for name in names)
    products = tuple(_only(product, parts, columns) for product in instrument.products)
    named = {name.upper().replace(BAND.upper(), "*") for product in products for name in _names(product)}
    named |= {name.upper() for name in columns if "fibers" in parts}
    patterns = tuple(name for name in named if "*" in name)

    def keep(name: str) -> bool:
        return not name or name in named or any(fnmatchcase(name, pattern) for pattern in patterns)

    spec, lean = FileSpec(path), instrument._replace(companions=MappingProxyType({}), role_columns=())
    probe = probe_file(spec, ctx, keep)
    return dataset_of(chosen_of(products, probe, lean), probe, spec, ctx)


def _only(product: ProductSpec, parts: tuple[str, ...], columns: tuple[str, ...]) -> ProductSpec:
    """A product that has no other parts, its fibers no other columns."""
    lean = product._replace(**{name: ProductSpec._field_defaults[name] for name in PARTS if name not in parts})
    return lean._replace(fibers=tuple(spec._replace(columns=columns) for spec in lean.fibers))


def _names(product: ProductSpec) -> Iterator[str]:
    """HDUs and tables that a product speaks of; PRIMARY is kept as what has no name."""
    yield from (
        name for name in (*product.main, product.factor, *product.has, *product.table) if name.upper() != PRIMARY
    )
    for spec in (*product.error, *product.mask, *product.wave, *product.lsf, *product.fibers):
        yield from (name for key in ("hdu", "table", "header") if isinstance(name := getattr(spec, key, ""), str))
        yield from getattr(spec, "arrays", ())
