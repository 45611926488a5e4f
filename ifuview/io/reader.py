"""What a module that reads a family of files has to offer under the name READER."""

from __future__ import annotations

from typing import Protocol

from ifuview.engine.context import SILENT, JobContext
from ifuview.io.fits.probe import FileProbe
from ifuview.io.fits.spec import FileSpec
from ifuview.model.dataset import Dataset


class Reader(Protocol):
    """What the `READER` of a module can do."""

    name: str

    def score(self, probe: FileProbe) -> float:
        """How well it fits the file, 0 (not at all) to 1."""

    def read(self, probe: FileProbe, spec: FileSpec, ctx: JobContext = SILENT) -> Dataset:
        """Make the Dataset."""
