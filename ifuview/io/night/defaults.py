"""Calibrations that stand for those that a night does not have: files of a folder that several nights share."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping
from types import MappingProxyType

from ifuview.files import FITS_SUFFIXES, product_stem
from ifuview.io.fits.head import head_cards
from ifuview.model.night.exposures import ExposureIndex

CARD = re.compile(r"\{([A-Z_]+)\}")  # in a pattern: a value of the header of the spectra
PLAIN = re.compile(r"[A-Za-z0-9]+")  # all that such a value may be in the name of a file
DATE = re.compile(r"(?<!\d)\d{8}(?!\d)")


def default_calibrations(index: ExposureIndex, folder: str) -> Mapping[tuple[str, str], str]:
    """(product, camera) to the file that stands for it, for cameras that have none of their night or exposure.

    Of several the last before the night, by the date in its name, else the first after it.

    Parameters
    ----------
    index : ExposureIndex
    folder : str
        Of calibrations; "" for none.
    """
    out: dict[tuple[str, str], str] = {}
    if not folder:
        return out
    for product, patterns in index.chain.defaults.items():
        for camera, (night, spectra) in _without(index, product).items():
            for pattern in patterns:
                found = _matching(os.path.join(glob.escape(folder), _filled(pattern, camera, spectra)))
                if found:
                    out[product, camera] = _best(found, night)
                    break
    return MappingProxyType(out)


def _without(index: ExposureIndex, product: str) -> dict[str, tuple[int, str]]:
    """Cameras whose spectra would be divided by a product that is not there: night and file of the spectra."""
    above = next((parts[0] for parts in index.chain.computed.values() if product in parts[1:]), "")
    out: dict[str, tuple[int, str]] = {}
    for exposure in index.exposures:
        for (camera, name), file in exposure.files.items():
            own = (camera, product) in exposure.files or (exposure.night, product, camera) in index.calibrations
            if name == above and not own:
                out.setdefault(camera, (exposure.night, file.path))
    return out


def _filled(pattern: str, camera: str, spectra: str) -> str:
    """A pattern with the camera and what the header of its spectra says; "" where it says nothing that fits."""
    cards = CARD.findall(pattern)
    head = head_cards(spectra, cards) if cards else {}
    values = {card: str(head.get(card, "")).strip().lower() for card in cards}
    if not all(PLAIN.fullmatch(value) for value in values.values()):
        return ""
    return pattern.format(camera=camera, arm=camera[:1], **values)


def _matching(pattern: str) -> list[str]:
    return [path for path in glob.glob(pattern) if path.endswith(FITS_SUFFIXES)]


def _best(paths: list[str], night: int) -> str:
    """The last before a night, else the first after it."""
    dated = sorted((int((DATE.findall(product_stem(path)) or ["0"])[-1]), path) for path in paths)
    before = [path for date, path in dated if date <= night]
    return before[-1] if before else dated[0][1]
