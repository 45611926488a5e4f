"""`ifuview quicklook`: an image or a cube of a photon list, with the light curve and spectrum of a pixel."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from ifuview.commands.photons.cut import add_cut_options, cut_of
from ifuview.commands.said import Said, json_to, pixel
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.files import keep_inputs
from ifuview.model.checks import plain_value

if TYPE_CHECKING:
    from ifuview.model.photons.images import PhotonCube, PhotonImage
    from ifuview.model.photons.light import BinnedLight
    from ifuview.model.photons.lists import PhotonCut, PhotonSource

EPILOG = """\
Ranges are half open. Flags have the names that the file gives them; a wrong name lists them.
FITS output: SCIENCE, VARIANCE, FLAGS, EXPOSURE, FLAG_NAMES, CUBE_EDGES; with --pixel also LIGHTCURVE and SPECTRUM.
--positions F.toml of a dithered exposure: lists start and stop, or a table [[position]] with start, stop and name for
each, in s since the start of the file or unix times. Output: an image POSITION1, POSITION2, ... for each; SCIENCE is
their sum.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("file", metavar="FILE", help="photon list: HDF5 of any layout, or raw packets")
    add_cut_options(out)
    out.add_argument("--weighted", action="store_true", help="sum the weights instead of counting")
    out.add_argument("--pixel", metavar="X,Y", help="add the light curve (10 ms) and the spectrum of a pixel")
    out.add_argument("--cube", choices=("time", "wave", "phase"), help="planes of time, wavelength or phase")
    out.add_argument(
        "--bins", type=int, metavar="N", help="planes (default: 1 s, the energy bins of the file, 2 degrees)"
    )
    out.add_argument("--positions", metavar="F.toml", help="dithered: start and stop of each position; their sum too")
    out.add_argument("--index", action="store_true", help="make an index first, so that later passes are fast")
    out.add_argument("--json", metavar="-|F", help="write the numbers as JSON to the screen (-) or a file")
    out.add_argument("-o", "--output", metavar="OUT", help="OUT.fits or OUT.png")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Count, and write what was counted."""
    from ifuview.app.photons import products
    from ifuview.io.photons.outputs import keep_photons

    if not chosen.output and not chosen.json:
        raise UsageError("there is nothing to make", "quicklook", "give -o OUT.fits, -o OUT.png or --json -")
    if chosen.output:
        products.check_output(chosen.output)
        keep_inputs(chosen.output, (chosen.file, chosen.beammap))
        keep_photons(chosen.output)
    keep_inputs(chosen.json, (chosen.file, chosen.beammap, chosen.output))
    if chosen.positions:
        return run_positions(chosen, ctx)
    product, lights = counted(chosen, ctx)
    if chosen.output:
        products.save(product, chosen.output, lights)
    return Said(json_to(chosen.json, json.dumps(plain_value(products.summary(product)))), products.notes(product))


def run_positions(chosen: Namespace, ctx: JobContext) -> Said:
    """An image of each position of a dithered exposure, and their sum."""
    from ifuview.app.photons import lists as photons
    from ifuview.app.photons import products
    from ifuview.app.photons.counting.positions import count_positions
    from ifuview.commands.photons.positions import not_used, read_positions

    for name in ("cube", "start", "stop", "pixel"):
        if getattr(chosen, name) is not None:
            raise UsageError(f"--positions has times of its own, without --{name}", "quicklook", "leave it out")
    if chosen.output and not chosen.output.lower().endswith(".fits"):
        raise UsageError("the images of positions are written as FITS", chosen.output, "end the name in .fits")
    keep_inputs(chosen.output, (chosen.positions,))
    keep_inputs(chosen.json, (chosen.positions,))
    source = photons.open_source(chosen.file, beammap=chosen.beammap, index=chosen.index or None, ctx=ctx)
    places = read_positions(chosen.positions, source.info.start)
    cut = cut_of(chosen, source.info)
    whole, images = count_positions(source, {p.name: (p.start, p.stop) for p in places}, cut, ctx)
    if chosen.output:
        products.save(whole, chosen.output, positions=images)
    numbers = products.summary(whole) | {
        "positions": [{"name": name} | products.summary(image) for name, image in images.items()]
    }
    said = (*not_used(chosen.positions), *products.notes(whole))
    return Said(json_to(chosen.json, json.dumps(plain_value(numbers))), said)


def counted(chosen: Namespace, ctx: JobContext) -> tuple[PhotonImage | PhotonCube, dict[str, BinnedLight]]:
    """Count what the options ask for."""
    from ifuview.app.photons import lists as photons

    if chosen.bins is not None and not chosen.cube:
        raise UsageError(
            "--bins says how many planes a cube has", "quicklook", "add --cube time, --cube wave or --cube phase"
        )
    at = None if chosen.pixel is None else pixel(chosen.pixel)
    source = photons.open_source(chosen.file, beammap=chosen.beammap, index=chosen.index or None, ctx=ctx)
    cut = cut_of(chosen, source.info)
    lights = {} if at is None else lights_of(source, *at, cut, ctx)
    if not chosen.cube:
        return photons.image(source, cut, ctx), lights
    return photons.cube(source, chosen.cube, cut, bins=chosen.bins, ctx=ctx), lights


def lights_of(source: PhotonSource, x: int, y: int, cut: PhotonCut, ctx: JobContext) -> dict[str, BinnedLight]:
    """Light curve and spectrum of a pixel."""
    from ifuview.app.photons import lists as photons

    return {
        "LIGHTCURVE": photons.pixel_light_curve(source, x, y, cut, ctx=ctx),
        "SPECTRUM": photons.pixel_spectrum(source, x, y, cut, ctx=ctx),
    }
