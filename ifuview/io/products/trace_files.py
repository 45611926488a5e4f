"""Whether a file holds traces as its instrument file says; told from its headers alone."""

from __future__ import annotations

import os
from fnmatch import fnmatch

from ifuview import instrument as instruments
from ifuview.io.fits.fast import FitsFile, Hdu
from ifuview.io.fits.probe import FileProbe
from ifuview.io.products.layers import Hdus
from ifuview.model.product import ProductSpec, TraceSpec


def holds_traces(probe: FileProbe) -> bool:
    """Whether the file is one of traces and of nothing else."""
    instrument = instruments.instrument(instruments.recognize(probe.cards, probe.names, probe.path))
    return any(
        product.kind == "traces"
        and product.traces is not None
        and may_be_traces(product, probe.fits)
        and there(product.traces, probe.fits)
        for product in instrument.products
    )


def may_be_traces(product: ProductSpec, fits: FitsFile) -> bool:
    """Whether file name and HDUs allow the product."""
    name, names = os.path.basename(fits.path).lower(), set(fits.names)
    return all(n.upper() in names for n in product.has) and (
        not product.files or any(fnmatch(name, pattern) for pattern in product.files)
    )


def there(spec: TraceSpec, fits: FitsFile, part: str = "") -> bool:
    """Whether the file holds what the traces are read from."""
    if spec.table:
        return bool(coefficient_tables(spec, fits, part))
    return Hdus(fits).hdu(spec.hdu or spec.splines) is not None


def coefficient_tables(spec: TraceSpec, fits: FitsFile, part: str) -> list[Hdu]:
    """Tables with the coefficients, those of the part that is asked for."""
    first = f"{spec.coefficients}00".upper(), f"{spec.coefficients}0".upper()
    out = []
    for hdu in fits.hdus:
        columns = {str(value).strip().upper() for key, value in hdu.header.items() if key.startswith("TTYPE")}
        named = fnmatch(hdu.info.name.upper(), spec.table.upper()) and part.upper() in ("", hdu.info.name.upper())
        if hdu.info.kind == "table" and named and columns & set(first):
            out.append(hdu)
    return out
