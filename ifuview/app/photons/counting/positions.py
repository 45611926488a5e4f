"""Positions of a dithered exposure: an image of each, and their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ifuview.app.photons.lists import Range, image
from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.photons.counting.cut import check
from ifuview.engine.photons.counting.image import sum_of_images
from ifuview.model.photons.images import PhotonImage
from ifuview.model.photons.lists import PhotonCut, PhotonSource


def count_positions(
    source: PhotonSource, times: Mapping[str, Range], cut: PhotonCut, ctx: JobContext = SILENT
) -> tuple[PhotonImage, dict[str, PhotonImage]]:
    """Return the sum of the images of some times, (start, stop) in s by name, and the image of each.

    Raises
    ------
    UsageError
        A time lies outside the file.
    """
    images = {}
    for k, (name, (start, stop)) in enumerate(times.items()):
        own = replace(cut, start=start, stop=stop)
        check(source.info, own)
        images[name] = image(source, own, ctx.part(k / len(times), (k + 1) / len(times)))
    return sum_of_images(tuple(images.values())), images
