"""Cutouts as a page and as a FITS file."""

from __future__ import annotations

import os

import numpy as np

from ifuview.app.night.cutouts.find import Cutout, CutoutPage
from ifuview.errors import UsageError
from ifuview.files import check_place, whole_file

PAGES = (".png", ".pdf")
FITS = (".fits", ".fits.gz")


def check_outputs(paths: tuple[str, ...]) -> None:
    """Raise UsageError unless all can be written, before the work is done."""
    for path in paths:
        if not path.lower().endswith((*PAGES, *FITS)):
            raise UsageError("cutouts cannot be written so", path, "end the name in .png, .pdf or .fits")
        check_place(path, "the cutouts")


def write_cutouts(page: CutoutPage, path: str) -> None:
    """Write them by the suffix of `path`.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    if path.lower().endswith(FITS):
        _write_fits(page, path)
        return
    from ifuview.report.night.cutouts import CutoutPanel, save_page

    panels = tuple(
        CutoutPanel(
            row=c.title, column=f"{c.place.product} {c.place.camera}", pixels=c.pixels, left=c.left, bottom=c.bottom,
            at=(c.x, c.y), trace=c.trace, unit=c.unit,
        )
        for c in page.cutouts
    )  # fmt: skip
    tile = f" of tile {page.tile}" if page.tile else ""
    save_page(panels, f"Fiber {page.fiber} at {page.wave:g} Å{tile}", path)


def _write_fits(page: CutoutPage, path: str) -> None:
    """One image extension each, its native pixels by LTV; the trace as a table behind it."""
    from astropy.io import fits

    hdus: list[object] = [
        fits.PrimaryHDU(header=fits.Header({"FIBER": page.fiber, "WAVE": page.wave, "TILEID": page.tile}))
    ]
    for cut in page.cutouts:
        name = f"{cut.place.product}-{cut.place.camera}-{cut.title}".upper()
        image = fits.ImageHDU(cut.pixels, name=name)
        image.header.update(_cards(cut))
        hdus.append(image)
        if cut.trace is not None and len(cut.trace):
            x, y = (fits.Column(axis, "D", "px", array=cut.trace[:, n] + 1) for n, axis in enumerate("XY"))
            hdus.append(fits.BinTableHDU.from_columns([x, y], name=f"TRACE-{name}"))
    with whole_file(path, "the cutouts") as part:
        fits.HDUList(hdus).writeto(part, overwrite=True)


def _cards(cut: Cutout) -> dict[str, object]:
    cards: dict[str, object] = {
        "EXPID": cut.place.expid, "CAMERA": cut.place.camera, "PRODUCT": cut.place.product,
        "LTV1": float(-cut.left), "LTV2": float(-cut.bottom), "LTM1_1": 1.0, "LTM2_2": 1.0,
        "FIBERX": cut.x + 1, "FIBERY": cut.y + 1,
    }  # fmt: skip
    if cut.unit:
        cards["BUNIT"] = cut.unit
    return {**cards, "WAVE": cut.wave} if np.isfinite(cut.wave) else cards


def words_of(page: CutoutPage, paths: tuple[str, ...]) -> str:
    """What was written, in one line."""
    exposures = len({c.place.expid for c in page.cutouts})
    names = " and ".join(os.path.basename(path) for path in paths)
    return f"{len(page.cutouts)} cutouts of fiber {page.fiber} from {exposures} exposures: {names}"
