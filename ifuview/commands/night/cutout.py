"""`ifuview cutout`: the same fiber and wavelength in every exposure and product of a tile, on one page and as FITS."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said, exposures
from ifuview.engine.context import JobContext

EPILOG = """\
ifuview cutout production/ --tile 80605 --fiber 3017 --wave 5577 -o page.png -o cuts.fits
Down the page are exposures, across it the products of the chain; the trace is drawn, the place is marked.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("production", metavar="PRODUCTION", help="a production, night, exposure or folder of products")
    out.add_argument("--tile", type=int, metavar="T", help="exposures of this tile (default: all)")
    out.add_argument("--expid", type=exposures, metavar="N,...", default=(), help="these exposures only")
    out.add_argument("--fiber", required=True, metavar="N", help="number of the fiber, as the instrument counts")
    out.add_argument("--wave", type=float, required=True, metavar="W", help="wavelength in Angstrom")
    out.add_argument("--size", type=int, default=40, metavar="PX", help="of a picture, px (default: 40)")
    out.add_argument("-o", "--output", action="append", metavar="F", required=True,
                     help="page (.png, .pdf) or cutouts (.fits); may be given twice")  # fmt: skip
    out.add_argument("--quiet", action="store_true", help="say nothing")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Cut out and write."""
    from ifuview.app.night.cutouts.find import cutouts
    from ifuview.app.night.cutouts.write import check_outputs, words_of, write_cutouts
    from ifuview.app.night.open_night import scan_folder

    paths = tuple(chosen.output)
    check_outputs(paths)
    index = scan_folder(chosen.production, ctx.part(0.0, 0.2))
    page = cutouts(
        index, chosen.fiber, chosen.wave, tile=chosen.tile, size=chosen.size, expids=chosen.expid,
        ctx=ctx.part(0.2, 0.9),
    )  # fmt: skip
    for path in paths:
        write_cutouts(page, path)
    return Said("" if chosen.quiet else words_of(page, paths), tuple(f"left out: {text}" for text in page.left_out))
