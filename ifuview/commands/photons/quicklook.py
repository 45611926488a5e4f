"""`ifuview quicklook`: an image or a cube of a photon list, with the light curve and spectrum of a pixel."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from ifuview.app.photons.outputs import keep_inputs, keep_photons
from ifuview.commands.photons import OK, Bar, parsed, progress
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError

if TYPE_CHECKING:
    from ifuview.model.photons.lists import PhotonCut, PhotonInfo, PhotonSource
    from ifuview.model.photons.products import BinnedLight, PhotonCube, PhotonImage

NONE = "none"
EPILOG = """\
Ranges are half open. Flags have the names that the file gives them; a wrong name lists them.
FITS output: SCIENCE, VARIANCE, FLAGS, EXPOSURE, FLAG_NAMES, CUBE_EDGES; with --pixel also LIGHTCURVE and SPECTRUM.
"""


def main(argv: list[str], bar: Bar | None = None) -> int:
    """Run the command; see `ifuview.commands.photons`."""
    chosen = parsed(parser(), argv)
    if isinstance(chosen, int):
        return chosen
    from ifuview.app.photons import lists as photons

    if not chosen.output and not chosen.json:
        raise UsageError("there is nothing to make", "quicklook", "give -o OUT.fits, -o OUT.png or --json -")
    if chosen.output:
        photons.check_output(chosen.output)
        keep_inputs(chosen.output, (chosen.file, chosen.beammap))
        keep_photons(chosen.output)
    keep_inputs(chosen.json, (chosen.file, chosen.beammap, chosen.output))
    with progress(bar) as ctx:
        product, lights = run(chosen, ctx)
    if chosen.output:
        photons.save(product, chosen.output, lights)
    for note in photons.notes(product):
        print(note, file=sys.stderr)
    if chosen.json:
        _write_json(chosen.json, photons.summary(product))
    return OK


def parser() -> argparse.ArgumentParser:
    """The options."""
    out = argparse.ArgumentParser(
        prog="ifuview quicklook",
        description="Count the photons of a photon list in an image or a cube.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    out.add_argument("file", metavar="FILE", help="photon list: HDF5 of any layout, or raw packets")
    add_cut_options(out)
    out.add_argument("--weighted", action="store_true", help="sum the weights instead of counting")
    out.add_argument("--pixel", metavar="X,Y", help="add the light curve (10 ms) and the spectrum of a pixel")
    out.add_argument("--cube", choices=("time", "wave", "phase"), help="planes of time, wavelength or phase")
    out.add_argument(
        "--bins", type=int, metavar="N", help="planes (default: 1 s, the energy bins of the file, 2 degrees)"
    )
    out.add_argument("--index", action="store_true", help="make an index first, so that later passes are fast")
    out.add_argument("--json", metavar="-|F", help="write the numbers as JSON to the screen (-) or a file")
    out.add_argument("-o", "--output", metavar="OUT", help="OUT.fits or OUT.png")
    return out


def add_cut_options(out: argparse.ArgumentParser) -> None:
    """The options that say which photons of which file count."""
    out.add_argument("--start", type=float, metavar="S", help="s since the start of the file")
    out.add_argument("--stop", type=float, metavar="S", help="s, not included")
    out.add_argument("--wave", type=float, nargs=2, metavar=("LO", "HI"), help="nm; of a calibrated list")
    out.add_argument("--phase", type=float, nargs=2, metavar=("LO", "HI"), help="degree; of one that is not")
    out.add_argument(
        "--exclude", metavar="FLAG,...|none", help="leave out pixels with these flags (default: the problem flags)"
    )
    out.add_argument("--beammap", metavar="F", help="beam-map text file, for lists without one")


def run(chosen: argparse.Namespace, ctx: JobContext) -> tuple[PhotonImage | PhotonCube, dict[str, BinnedLight]]:
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


def cut_of(chosen: argparse.Namespace, info: PhotonInfo) -> PhotonCut:
    """The photons that the options of `add_cut_options` choose."""
    from ifuview.app.photons import lists as photons

    return photons.cut(
        info,
        start=chosen.start,
        stop=chosen.stop,
        wave=None if chosen.wave is None else tuple(chosen.wave),
        phase=None if chosen.phase is None else tuple(chosen.phase),
        exclude=flags(chosen.exclude),
        weighted=getattr(chosen, "weighted", False),
    )


def lights_of(source: PhotonSource, x: int, y: int, cut: PhotonCut, ctx: JobContext) -> dict[str, BinnedLight]:
    """Light curve and spectrum of a pixel."""
    from ifuview.app.photons import lists as photons

    return {
        "LIGHTCURVE": photons.pixel_light_curve(source, x, y, cut, ctx=ctx),
        "SPECTRUM": photons.pixel_spectrum(source, x, y, cut, ctx=ctx),
    }


def pixel(text: str, option: str = "--pixel") -> tuple[int, int]:
    """The two whole numbers of "X,Y"."""
    parts = text.replace(" ", "").split(",")
    try:
        x, y = (int(p) for p in parts)
    except ValueError as problem:
        raise UsageError(f"{text!r} is no pixel", option, "give two whole numbers, as in 52,72") from problem
    return x, y


def flags(text: str | None) -> tuple[str, ...] | None:
    """Names of an --exclude; None for the default, empty for "none"."""
    if text is None:
        return None
    names = tuple(filter(None, (name.strip() for name in text.split(","))))
    return () if names in ((), (NONE,)) else names


def _write_json(path: str, numbers: dict[str, object]) -> None:
    """Print, or write to a file."""
    text = json.dumps(numbers)
    if path == "-":
        print(text)
        return
    from ifuview.io.photons.products import moved_into_place

    def write(part: str) -> None:
        with open(part, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    moved_into_place(path, write)
