"""Inverse variance, mask and names of its bits of a product's main HDU, as its instrument file says."""

from __future__ import annotations

import os
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError
from ifuview.io.fits.fast import read_fits
from ifuview.io.products.layers import Hdus, ProductLayer, Source, fitting, read_layer
from ifuview.model.checks import Array, Header
from ifuview.model.image import Image, Kind
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.pixels import Pixels
from ifuview.model.product import FROM_HEADER, POWERS, ErrorSpec, MaskSpec
from ifuview.model.quality import MaskBits

UNCERTAINTIES = {"std": "sigma", "sig": "sigma", "err": "sigma", "var": "variance", "inv": "ivar", "ivar": "ivar"}
MAX_BIT = 64
BITS_OF = {"detector": "pixel", "image": "pixel", "cube": "cube"}  # table of [bits] of a kind of image


def inverse_variance(
    specs: tuple[ErrorSpec, ...], source: Source, main: ProductLayer, notes: list[str], ctx: JobContext
) -> Pixels | None:
    """The inverse variance of `main` from the first of `specs` that is there; None without one."""
    for spec in specs:
        if spec.beside:
            continue
        layer = _errors(spec, source, main, notes)
        if layer is None:
            continue
        found = read_layer(layer, notes, ctx)
        if found is not None:
            return replace(found, power=POWERS[kind_of(spec, layer.header)])
    return None


def errors_beside(
    specs: tuple[ErrorSpec, ...], path: str, main: ProductLayer, notes: list[str], ctx: JobContext
) -> Pixels | None:
    """The inverse variance from a file of its own, where one of `specs` names it and it lies beside the file."""
    folder, name = os.path.split(path)
    for spec in specs:
        if not spec.beside or spec.beside[0] not in name or spec.beside[1] in name:
            continue
        other = os.path.join(folder, name.replace(spec.beside[0], spec.beside[1]))
        if not os.path.isfile(other):
            continue
        try:
            layer = Hdus(read_fits(other)).find(spec.hdu)
        except IfuviewError as problem:
            notes.append(f"errors in {os.path.basename(other)} are left out: {problem}")
            continue
        if layer is None or layer.shape != main.shape:
            notes.append(f"errors in {os.path.basename(other)} are left out: they have another shape")
            continue
        found = read_layer(layer, notes, ctx)
        if found is not None:
            notes.append(f"errors from {os.path.basename(other)}")
            return replace(found, power=POWERS[kind_of(spec, layer.header)])
    return None


def kind_of(spec: ErrorSpec, header: Header) -> str:
    """What the numbers of an error HDU are; "sigma" where the card that should tell does not."""
    if not spec.kind.startswith(FROM_HEADER):
        return spec.kind
    word = str(header.get(spec.kind.removeprefix(FROM_HEADER), "")).strip().lower()
    return next((kind for start, kind in UNCERTAINTIES.items() if word.startswith(start)), "sigma")


def _errors(spec: ErrorSpec, source: Source, main: ProductLayer, notes: list[str]) -> ProductLayer | None:
    """The layer of errors, or one plane of it."""
    if spec.plane is None:
        return fitting(source, spec.hdu, main, main.shape, notes)
    found = source.find(spec.hdu, main.version)
    if found is None:
        return None
    axis = next((a for a in range(len(found.shape)) if _without(found.shape, a) == main.shape), None)
    if axis is None or spec.plane >= found.shape[axis]:
        notes.append(f"{spec.hdu} is left out: no plane of its shape {found.shape} is {main.shape}")
        return None
    index = (slice(None),) * axis + (spec.plane,)

    def read(ctx: JobContext) -> Pixels:
        whole = found.read(ctx)
        return replace(whole, raw=whole.raw[index])

    return found._replace(shape=main.shape, read=read)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


def calibrated(image: Image, factor: Array) -> Image:
    """The image times a factor of each wavelength, shape (nwave,), with its inverse variance; 0 where that is none."""
    along = factor.reshape(-1, 1, 1) if image.kind is Kind.CUBE else factor
    flux = np.asarray(image.pixels.native() * along, np.float32)
    ivar = None
    if image.ivar is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = image.ivar.native() / along**2
        ivar = Pixels(np.where(np.isfinite(weight), weight, 0).astype(np.float32))
    return replace(image, pixels=Pixels(flux), ivar=ivar)


def mask_and_bits(
    specs: tuple[MaskSpec, ...],
    source: Source,
    main: ProductLayer,
    kind: str,
    instrument: InstrumentSpec,
    notes: list[str],
    ctx: JobContext,
) -> tuple[Pixels | None, MaskBits]:
    """The mask of `main` from the first of `specs` that is there, and the names of its bits."""
    usual = BITS_OF.get(kind, "spectrum")
    for spec in specs:
        layer = fitting(source, spec.hdu, main, main.shape, notes)
        found = None if layer is None else read_layer(layer, notes, ctx)
        if layer is None or found is None:
            continue
        if spec.bits.startswith(FROM_HEADER):
            bits = header_bits(layer.header, spec.bits.removeprefix(FROM_HEADER))
        else:
            bits = instrument.mask_bits(spec.bits or usual)
        return replace(found, blank=None), bits  # BLANK has no meaning in a mask
    return None, instrument.mask_bits(usual)


def header_bits(header: Header, prefix: str) -> MaskBits:
    """Names of bits from cards PREFIXNAME = bit."""
    found = {
        value: (key.removeprefix(prefix), "")
        for key, value in header.items()
        if key.startswith(prefix) and type(value) is int and 0 <= value < MAX_BIT
    }
    return MaskBits(MappingProxyType(found))
