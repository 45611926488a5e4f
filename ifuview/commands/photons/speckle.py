"""`ifuview speckle`: maps of constant, speckle and incoherent light of a photon list."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from ifuview.commands.photons.cut import add_cut_options, cut_of
from ifuview.commands.said import Said, pixel
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.files import keep_inputs
from ifuview.model.checks import plain_value
from ifuview.model.photons.wording import counted

if TYPE_CHECKING:
    from ifuview.model.photons.speckle import SpeckleMaps

EPILOG = """\
FITS output: SCIENCE and VARIANCE with the planes Ic, Is, Ip in photons per second; each of them, and Ic + Ip
(IC_IP), as an image with its signal to noise; PHOTONS, FLAGS, FLAG_NAMES; with --lucky LUCKY, with --pixel DECAY.
NaN: the photons tell nothing. LIVES: independent intensities of its speckles that a pixel has seen. Incoherent
light by default: what all pixels of the array see (IPCOMMON), more where the third moment of a pixel demands it.
"""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("file", metavar="FILE", help="photon list: HDF5 of any layout, or raw packets")
    out.add_argument("--method", choices=("binned", "arrival"), default="binned", help="counts in bins, or gaps")
    out.add_argument(
        "--bin", type=float, metavar="MS", help="time bin (default 10 ms), or the longest gap used in full (5 ms)"
    )
    out.add_argument("--ip", default="auto", metavar="auto|free|RATE", help="incoherent light: that of the whole "
                     "array, fitted in every pixel, or photons per second (default auto)")  # fmt: skip
    add_cut_options(out)
    out.add_argument("--lucky", metavar="X,Y", help="add the image of the sharpest 30 %% of moments of a star there")
    out.add_argument("--pixel", metavar="X,Y", help="add the autocorrelation and the life of the speckles of a pixel")
    out.add_argument("--json", choices=("-",), help="print the numbers as JSON")
    out.add_argument("-o", "--output", metavar="MAPS.fits", required=True, help="file to write")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Make the maps and write them; with what the list says of itself."""
    from ifuview.app.photons import lists as photons
    from ifuview.app.photons import products
    from ifuview.io.photons.outputs import keep_photons
    from ifuview.io.photons.speckle_products import write_speckle

    if not chosen.output.lower().endswith(".fits"):
        raise UsageError("speckle maps are written as FITS", chosen.output, "end the name in .fits")
    products.check_output(chosen.output)
    keep_inputs(chosen.output, (chosen.file, chosen.beammap))
    keep_photons(chosen.output)
    star = None if chosen.lucky is None else pixel(chosen.lucky, "--lucky")
    place = None if chosen.pixel is None else pixel(chosen.pixel)
    source = photons.sorted_source(chosen.file, beammap=chosen.beammap, ctx=ctx.part(0.0, 0.3))
    cut = cut_of(chosen, source.info)
    width = None if chosen.bin is None else chosen.bin * 1e-3
    maps = photons.speckle(source, cut, method=chosen.method, width=width, ip=_ip(chosen.ip), ctx=ctx.part(0.3, 0.9))
    lucky = None if star is None else photons.lucky(source, *star, cut, ctx=ctx.part(0.9, 1.0))
    decay = None if place is None else photons.pixel_decay(source, *place, cut, width=width or 0.01)
    write_speckle(chosen.output, maps, lucky, decay)
    numbers = summary(maps)
    return Said(
        json.dumps(plain_value(numbers)) if chosen.json else sentence(numbers, chosen.output), source.info.notes
    )


def summary(maps: SpeckleMaps) -> dict[str, Any]:
    """Numbers of the maps for a program; medians over the pixels that were measured, None if there are none."""
    import numpy as np

    known = np.isfinite(maps.is_)
    medians = {
        f"{name}_median_cps": float(np.median(maps.part(name)[0][known])) if known.any() else None
        for name in ("ic", "is", "ip")
    }
    return {
        "method": maps.method,
        "bin_s": maps.width,
        "start_s": maps.start,
        "stop_s": maps.stop,
        "photons": int(maps.photons.sum()),
        "pixels_measured": int(known.sum()),
        "pixels_excluded": int(maps.excluded.sum()),
        "ip_common_cps": maps.common,
        "independent_intensities": maps.usual_lives if np.isfinite(maps.lives).any() else None,
        "nothing_measured": maps.nothing or None,
        **medians,
    }


def sentence(numbers: dict[str, Any], output: str) -> str:
    """What was found, in words."""
    span = f"{numbers['start_s']:g} to {numbers['stop_s']:g} s"
    text = f"{output}: {counted(numbers['pixels_measured'], 'pixel')} measured, {numbers['method']}, {span}"
    medians = [f"{name} {numbers[f'{name.lower()}_median_cps']:.4g}" for name in ("Ic", "Is", "Ip")
               if numbers[f"{name.lower()}_median_cps"] is not None]  # fmt: skip
    if not medians:
        return f"{text}: {numbers['nothing_measured']}"
    seen = f"about {numbers['independent_intensities']:.2g} independent intensities a pixel"
    return f"{text}; {seen}; medians {', '.join(medians)} photons/s"


def _ip(text: str) -> float | str:
    """auto, free or a number."""
    if text in ("auto", "free"):
        return text
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"{text!r} is no incoherent light", "--ip", "say auto, free or photons per second")
    return value
