"""What the photon engine reads from: a file as it was written, its index, or photons in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from ifuview.engine.context import SILENT, JobContext
from ifuview.model.photons import PhotonBlock, PhotonInfo


class PhotonSource(Protocol):
    """Where photons come from: a file as it was written, its index, or arrays in memory."""

    @property
    def info(self) -> PhotonInfo:
        """What is known of the list."""

    def blocks(self, *, value: bool = True, weight: bool = False, ctx: JobContext = SILENT) -> Iterator[PhotonBlock]:
        """All photons in the order of the file, in blocks of bounded size; cancelled at each block."""

    def photons_of(self, resonators: Sequence[int], *, weight: bool = False) -> PhotonBlock:
        """All photons of a few resonators, by (resonator, time)."""
