"""Speckle maps in the window: what is asked of a photon frame, and the maps as frames to be blinked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.look import LimitMode, Look
from ifuview.app.frames.opening.opened import Opened, first_look
from ifuview.app.photons import lists as photons
from ifuview.app.photons import products
from ifuview.app.photons.units import cut_words
from ifuview.app.photons.which import asked, crosshair
from ifuview.app.session import Session
from ifuview.engine.context import JobContext
from ifuview.errors import UsageError
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.photons.lists import PhotonInfo
from ifuview.model.photons.speckle import PARTS, SpeckleMaps
from ifuview.model.pixels import Pixels

if TYPE_CHECKING:
    from ifuview.app.photons.intents import Speckle
    from ifuview.app.photons.state import PhotonFrame
    from ifuview.model.photons.lists import PhotonCut, PhotonSource
    from ifuview.model.photons.speckle import Decay

NAMES = {"ic": "Ic", "is": "Is", "ip": "Ip"}
UNIT = "ct/s"
ALL = "all photons"
PERCENT = 99.5  # of the pixels lie within the limits of a map
DECAY_WIDTH = 0.01  # s; bins of the light curve behind an autocorrelation


def sorted_source(frame: PhotonFrame, ctx: JobContext) -> PhotonSource:
    """The source of a frame, by resonator; of a list in another order an index is made."""
    if frame.source.info.sorted:
        return frame.source
    made = photons.sorted_source(frame.raw.info.path, beammap=frame.beammap or None, ctx=ctx)
    if frame.source is frame.raw:
        return made
    from ifuview.app.photons.calibration.sources import source_of

    return source_of(made, frame.stack, ctx)


def speckle_cut(frame: PhotonFrame) -> PhotonCut:
    """The cut of a frame without weights: photon statistics are those of whole photons."""
    return replace(frame.cut, weighted=False)


def make_maps(frame: PhotonFrame, intent: Speckle, ctx: JobContext) -> SpeckleMaps:
    """Fit all pixels."""
    source = sorted_source(frame, ctx.part(0.0, 0.3))
    ctx.checkpoint(0.3, "Speckle statistics of every pixel")
    maps = photons.speckle(
        source, speckle_cut(frame), method=intent.method, width=intent.width, ip=intent.ip, ctx=ctx.part(0.3, 1.0)
    )
    if maps.nothing:
        raise UsageError(maps.nothing, source.info.path, "choose a longer time")
    return maps


def how(maps: SpeckleMaps) -> str:
    """Method, bin and the ranges that they were made of, in a few words."""
    return f"{maps.method} {maps.width * 1e3:g} ms, {cut_words(maps.info, maps.cut) or ALL}"


def summary(maps: SpeckleMaps) -> str:
    """The maps in one sentence."""
    known = np.isfinite(maps.is_)
    if maps.nothing:
        return f"speckle maps ({how(maps)}): {maps.nothing}"
    medians = ", ".join(f"{NAMES[n]} {np.median(maps.part(n)[0][known]):.3g}" for n in PARTS)
    seen = f"about {maps.usual_lives:.2g} independent intensities a pixel"
    return f"speckle maps ({how(maps)}) of {int(known.sum())} pixels, {seen}; medians {medians} {UNIT}"


def map_frames(maps: SpeckleMaps, snr: bool = False) -> tuple[Opened, ...]:
    """Ic, Is and Ip as frames, and their signal to noise if asked for."""
    stem = Path(maps.info.path).name
    out = []
    for name, label in NAMES.items():
        value, error = maps.part(name)
        title = f"{label}: {stem}, {how(maps)}"
        out.append(product(title, value, maps.info, "speckle", UNIT, error))
    if snr:
        known = {n: maps.snr(n) for n in NAMES if np.isfinite(maps.snr(n)).any()}  # Ip may be fitted nowhere
        out += [product(f"{NAMES[n]} S/N: {stem}, {how(maps)}", v, maps.info, "speckle") for n, v in known.items()]
    return tuple(out)


def product(
    title: str,
    values: Array,
    info: PhotonInfo,
    kind: str,
    unit: str = "",
    error: Array | None = None,
    mode: LimitMode = LimitMode.PERCENTILE,
) -> Opened:
    """An image (ny, nx), or a cube, made from a photon list as a frame with the flags of the list as its mask.

    Raises
    ------
    MissingDataError
        No pixel has a value.
    """
    from ifuview.io.photons.opening import flag_image

    flags = flag_image(info)
    flat = values.ndim == 2
    ivar = None if error is None else Pixels(_ivar(error))
    image = Image(
        title, Kind.IMAGE if flat else Kind.CUBE, Pixels(values.astype(np.float32)), ivar=ivar,
        mask=flags.mask if flat else None, mask_bits=flags.mask_bits, unit=unit, stage=kind, header=info.header,
    )  # fmt: skip
    dataset = Dataset("", title, kind=kind, images=(image,), photons=info, notes=())
    return Opened(dataset, image, first_look(image, Look(limit_mode=mode, percent=PERCENT), title))


def _ivar(error: Array) -> Array:
    """Inverse variance; 0 where the error is not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ivar = 1.0 / np.square(error)
    ivar[~np.isfinite(ivar)] = 0
    return np.asarray(ivar, np.float32)


def lucky_frame(frame: PhotonFrame, x: int, y: int, ctx: JobContext) -> Opened:
    """The image of the sharpest moments of the star at a pixel."""
    from ifuview.engine.photons.statistics.lucky import FRACTION, WIDTH

    made = photons.lucky(sorted_source(frame, ctx.part(0.0, 0.3)), x, y, speckle_cut(frame), ctx=ctx.part(0.3, 1.0))
    stem = Path(made.info.path).name
    words = f"{100 * FRACTION:.0f} % of {1e3 * WIDTH:g} ms"
    words = f"{words}, {cut_words(frame.source.info, frame.cut) or ALL}"
    return product(f"Lucky at {x},{y}: {stem}, {words}", made.rate, made.info, "lucky", UNIT)


def decay_at(frame: PhotonFrame, x: int, y: int) -> Decay:
    """Autocorrelation and life of the speckles at a pixel."""
    return photons.pixel_decay(frame.source, x, y, speckle_cut(frame), width=DECAY_WIDTH)


def save(session: Session, path: str, ctx: JobContext) -> str:
    """Write the maps made last, with the decay at the crosshair if there is one.

    Raises
    ------
    UsageError
        No maps were made, or they cannot be written.
    """
    from ifuview.errors import IfuviewError
    from ifuview.io.photons.speckle_products import write_speckle

    _, frame = asked(session)
    if frame.speckle is None:
        raise UsageError("there are no speckle maps to save", path, "make them first")
    if not path.lower().endswith(".fits"):
        raise UsageError("speckle maps are written as FITS", path, "end the name in .fits")
    products.check_output(path)
    decay = None
    try:
        decay = decay_at(frame, *crosshair(session))
    except IfuviewError:
        ctx.checkpoint(0.3, "no decay at the crosshair")
    write_speckle(path, frame.speckle, decay=decay)
    return path
