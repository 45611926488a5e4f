"""Movies of a photon list: a FITS cube of time steps, or an animated GIF or PNG in the colors of the frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ifuview.app.frames.look import LimitMode, Transfer
from ifuview.app.frames.views import colors, shading
from ifuview.app.photons import lists as photons
from ifuview.app.photons import products
from ifuview.app.photons.counting import images as steps
from ifuview.app.photons.state import CHUNK, PhotonFrame, PlayStep, Shown
from ifuview.app.session import Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.files import check_place, check_suffix, whole_file
from ifuview.model.checks import Array

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from ifuview.app.photons.state import PlayStep

SUFFIXES = (".fits", ".gif", ".png", ".apng")
MOST_PICTURES = 2000  # of an animated picture
MOST_CELLS = 30_000_000  # counts of a FITS movie: 240 MB
ZOOM = 4  # screen px for a pixel of the array
BAR = 14  # px, height of the line with the time
MILLI = 1e3


def save(slot: Slot, frame: PhotonFrame, path: str, ctx: JobContext = SILENT) -> str:
    """Write the time range of a frame, or all of its file, in steps of playing; return the path.

    Raises
    ------
    UsageError
        Another suffix, a place that cannot be written, or more steps than a movie can have.
    """
    suffix = check_suffix(path, SUFFIXES, "a movie")
    start, stop = _range(frame)
    count = max(1, int(np.ceil((stop - start) / frame.step - 1e-6)))
    ny, nx = slot.image.shape
    most = MOST_CELLS // (ny * nx) if suffix == ".fits" else MOST_PICTURES
    if count > most:
        todo = f"use longer steps or a shorter time range: at most {most} steps"
        raise UsageError(f"{count} steps are too many for this movie", path, todo)
    if suffix == ".fits":
        products.check_output(path)
        edges = np.append(start + frame.step * np.arange(count), stop)
        products.save(photons.cube(frame.source, "time", frame.cut, edges=edges, ctx=ctx), path)
        return path
    check_place(path, "the movie")
    _save_pictures(slot, frame, path, (start, count), ctx)
    return path


def _range(frame: PhotonFrame) -> tuple[float, float]:
    """The time range of the cut; the whole file where that is one step of playing or nothing."""
    start, stop = frame.cut.start or 0.0, frame.cut.stop
    end = steps.span_of(frame)
    stop = end if stop is None else min(stop, end)
    return (start, stop) if stop - start > 1.5 * frame.step else (0.0, end)


def _save_pictures(slot: Slot, frame: PhotonFrame, path: str, span: tuple[float, int], ctx: JobContext) -> None:
    """Write an animation; the file appears whole or not at all."""
    pictures = [_picture(array, text) for array, text in _colored(slot, frame, span, ctx.part(0.0, 0.8))]
    ctx.checkpoint(0.8, "Writing the movie")
    kind = "GIF" if path.lower().endswith(".gif") else "PNG"
    last = 0.0 if kind == "PNG" else None
    duration = max(round(MILLI / frame.fps), 20)
    if last is None:  # one palette for all, so that equal counts keep their color
        pictures = [p.quantize(colors=256, palette=pictures[0].quantize(256)) for p in pictures]
    with whole_file(path) as part:
        pictures[0].save(part, format=kind, save_all=True, append_images=pictures[1:], loop=0, duration=duration)


def _colored(slot: Slot, frame: PhotonFrame, span: tuple[float, int], ctx: JobContext) -> Iterator[tuple[Array, str]]:
    """Pictures (height, width, 3) of the steps, top row first, in the look of the frame, and their times."""
    from ifuview.app.photons.counting.playing import play_chunk

    start, count = span
    shown = frame.shown if frame.shown is not Shown.FLAGS else Shown.COUNTS
    look = steps.with_look(slot, shown).look
    done, limits = 0, None
    while done < count:
        ctx.checkpoint(done / count, "Steps of the movie")
        chunk: tuple[PlayStep, ...] = play_chunk(
            slot.dataset, frame, start + done * frame.step, min(CHUNK, count - done), shown, ctx
        )
        if limits is None:
            fixed = look.limit_mode is LimitMode.USER and look.lo is not None and look.hi is not None
            found = steps.shared_limits(step.image.pixels.raw for step in chunk)
            limits = (look.lo or 0.0, look.hi or 1.0) if fixed else found
        equal = look.transfer in (Transfer.LINEAR, Transfer.HISTEQ)
        table = None if equal else shading.transfer_table(look.transfer, look.exponent)
        ramp = colors.table(look.cmap, invert=look.invert, bias=look.bias, contrast=look.contrast)
        for step in chunk:
            values = step.image.pixels.native()[::-1]
            color = ramp[shading.index(values, *limits, table=table)]
            rgb = np.stack([(color >> shift & 0xFF).astype(np.uint8) for shift in (16, 8, 0)], axis=-1)
            yield rgb.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1), f"{step.cut.start:.3f} - {step.cut.stop:.3f} s"
        done += len(chunk)


def _picture(array: Array, text: str) -> Picture:
    """A picture with the time below it."""
    from PIL import Image, ImageDraw

    height, width = array.shape[:2]
    out = Image.new("RGB", (width, height + BAR), "black")
    out.paste(Image.fromarray(array), (0, 0))
    ImageDraw.Draw(out).text((3, height + 1), text, fill="white")
    return out
