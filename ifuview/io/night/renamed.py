"""Products whose names are none of their chain: which they are is in their headers, and in what is left of the name."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

import numpy as np

from ifuview.errors import IfuviewError
from ifuview.instrument import instrument
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.checks import Header

MOST = 24  # files of a folder that are asked: more are no products that somebody renamed
BELOW = 0.05  # of the pixels below zero: the sky is off


class Renamed(NamedTuple):
    """What a file is: product, camera, number of its exposure and its night, 0 where its header says none."""

    product: str
    camera: str
    expid: int
    night: int


def renamed(path: str, head: Header, chain: ChainSpec) -> Renamed | None:
    """Which product of a chain a file is by its header; None if it is none, or nobody can tell.

    Parameters
    ----------
    path : str
    head : mapping
        Of the file; see `head_cache`.
    chain : ChainSpec
    """
    spec = instrument(chain.instrument)
    camera, expid, night = (spec.keyword(meaning, head) for meaning in ("camera", "expid", "night"))
    if not isinstance(camera, str) or type(expid) is not int:
        return None
    holds = f"{head.get('EXTNAME', '')} {head.get('BUNIT', '')}".upper()
    products = next((own for start, own in chain.contents.items() if holds.startswith(start.upper())), ())
    words = re.findall(r"[a-z]+", os.path.basename(path).lower())
    named = [product for product in products if any(word in (product, f"{product}night") for word in words)]
    product = named[0] if len(named) == 1 else _told_apart(path, chain, products)
    return Renamed(product, camera.strip().lower(), expid, night if type(night) is int else 0) if product else None


def _told_apart(path: str, chain: ChainSpec, products: tuple[str, ...]) -> str:
    """Of products that are stored alike the one whose values are like these: with the sky, or without; else ""."""
    if len(products) < 2:
        return products[0] if products else ""
    from ifuview.io.products.lean import read_lean

    spec = instrument(chain.instrument)
    without = {name for product in spec.products for name in product.residuals}
    try:
        values = read_lean(path, spec, ()).images[0].pixels.native()
    except IfuviewError:
        return ""
    below = float(np.mean(values[np.isfinite(values)] < 0)) > BELOW
    fit = [product for product in products if (product in without) == below]
    return fit[0] if len(fit) == 1 else ""
