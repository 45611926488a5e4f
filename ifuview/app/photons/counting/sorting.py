"""Photons by resonator and time for those who need them so, whatever the order in their file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.model.photons.lists import PhotonSource


@contextmanager
def sorted_photons(source: PhotonSource, folder: str, ctx: JobContext = SILENT) -> Iterator[PhotonSource]:
    """The photons of a source by (resonator, time): the source itself, or a sorted copy for the while.

    Parameters
    ----------
    source : PhotonSource
        Of a file.
    folder : str
        Where the copy may lie, some 12 to 16 bytes a photon; it is gone afterwards.
    ctx : JobContext, optional
    """
    if in_order(source, ctx.part(0.0, 0.4)):
        yield source
        return
    from ifuview.io.photons.index.build import build_index

    with TemporaryDirectory(prefix=".ifuview-sort-", dir=folder, ignore_cleanup_errors=True) as place:
        index = build_index(source, place, ctx.part(0.4, 1.0))
        index.info = replace(
            source.info, nphoton=index.nphoton, weighted=index.weighted, sorted=True, notes=_notes(source)
        )
        yield index


def in_order(source: PhotonSource, ctx: JobContext = SILENT) -> bool:
    """Whether the photons of a source come by (resonator, time); those of no resonator last."""
    if not source.info.sorted:
        return False
    last = -1
    for block in source.blocks(value=False, ctx=ctx):
        if not len(block.time):
            continue
        key = block.resonator.astype(np.int64) << 32 | block.time
        if int(key[0]) < last or bool((key[1:] < key[:-1]).any()):
            return False
        last = int(key[-1])
    return True


def _notes(source: PhotonSource) -> tuple[str, ...]:
    """Its notes but that it is not sorted."""
    return tuple(note for note in source.info.notes if "not sorted" not in note)
