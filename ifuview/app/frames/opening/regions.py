"""Region files as ds9 writes them, read and written."""

from __future__ import annotations

from collections.abc import Sequence

from ifuview.model.region import Region


def read_regions(path: str) -> tuple[Region, ...]:
    """Regions of a ds9 region file, in 0-based pixels."""
    from ifuview import io

    return io.read_regions(path)


def write_regions(path: str, regions: Sequence[Region]) -> None:
    """Write a ds9 region file in image coordinates."""
    from ifuview import io

    io.write_regions(path, regions)
