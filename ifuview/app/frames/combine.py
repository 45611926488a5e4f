"""Difference or ratio of two frames, with the inverse variance of what came out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.app.frames.look import LimitMode, Look
from ifuview.app.frames.opening.opened import Opened, first_look
from ifuview.app.session import Slot
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import UsageError
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image
from ifuview.model.pixels import Pixels

RATIO = "coolwarm"  # color map


def combine(a: Slot, b: Slot, how: str, ctx: JobContext = SILENT) -> Opened:
    """Difference (a - b) or ratio (a / b) of two frames of the same size, with propagated ivar where both have one.

    Parameters
    ----------
    a, b : Slot
        Frames of a session (`session.slots`).
    how : str
        "difference" or "ratio".
    ctx : JobContext, optional
        Progress and cancellation.

    Raises
    ------
    UsageError
        The frames have different sizes.
    """
    if a.image.shape != b.image.shape:
        raise UsageError(
            f"cannot make a {how}: {a.title} is {a.image.shape[1]} x {a.image.shape[0]} pixels and "
            f"{b.title} is {b.image.shape[1]} x {b.image.shape[0]}",
            todo="choose two frames of one size",
        )
    first, second = a.image.pixels.plane(a.plane), b.image.pixels.plane(b.plane)
    ctx.checkpoint(0.1, f"{how} of {a.title} and {b.title}")
    x, y = first.native(), second.native()
    with np.errstate(divide="ignore", invalid="ignore"):
        data = x - y if how == "difference" else x / y
        ivar = _combined_ivar(a.image, b.image, x, y, how)
    data[~np.isfinite(data)] = np.nan
    sign = "-" if how == "difference" else "/"
    title = f"{_bracketed(a.title)} {sign} {_bracketed(b.title)}"
    image = replace(
        a.image, name=title, pixels=Pixels(data), ivar=ivar, mask=None, stage=how, unit=a.image.unit * (how != "ratio"),
        about_zero=how == "difference",
    )  # fmt: skip
    dataset = Dataset(path="", spec=title, instrument=a.dataset.instrument, kind=how, images=(image,),
                      fibermap=a.dataset.fibermap, notes=(f"made from {a.dataset.spec} and {b.dataset.spec}",),
                      block=a.dataset.block)  # fmt: skip
    cmap = RATIO if how == "ratio" else Look().cmap
    asked = replace(a.look, limit_mode=LimitMode.ZSCALE, lo=None, hi=None, cmap=cmap, about_zero=False)
    return Opened(dataset, image, first_look(image, asked))


def _bracketed(title: str) -> str:
    """A title that can stand in a formula."""
    return f"({title})" if " - " in title or " / " in title else title


def _combined_ivar(a: Image, b: Image, x: np.ndarray, y: np.ndarray, how: str) -> Pixels | None:
    if a.ivar is None or b.ivar is None or a.ivar.ndim != 2 or b.ivar.ndim != 2:
        return None
    va, vb = 1 / a.ivar.native(), 1 / b.ivar.native()
    var = va + vb if how == "difference" else (va + (x / y) ** 2 * vb) / y**2
    ivar = 1 / var
    ivar[~np.isfinite(ivar)] = 0
    return Pixels(ivar)
