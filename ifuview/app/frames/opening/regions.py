"""Region files as ds9 writes them, read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ifuview.model.region import Region

Placed = tuple[tuple[Region, ...], tuple[str, ...]]


def read_regions(path: str) -> tuple[Region, ...]:
    """Return the regions of a ds9 region file, each in its own frame (`Region.frame`); the image's: 0-based pixels.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    FileFormatError, MissingDataError
        It is no region file, or cannot be read.
    """
    from ifuview import io

    return io.read_regions(path)


def read_placed(path: str, wcs: Mapping[str, object]) -> Placed:
    """Regions of a file in the pixels of an image with these WCS cards, and what is to be said of those left out."""
    from ifuview import io
    from ifuview.app.frames.opening.placing import placed

    found = io.read_regions(path)
    regions, notes = placed(found, wcs)
    return regions, (*found.notes, *notes)


def write_regions(path: str, regions: Sequence[Region], wcs: Mapping[str, object] | None = None) -> tuple[str, ...]:
    """Write a ds9 region file: regions in the frames that they came in, new ones in image coordinates.

    Parameters
    ----------
    path : str or path
    regions : sequence of Region
    wcs : mapping, optional
        World coordinate cards of the image (`Image.wcs`). Default: none are known.

    Returns
    -------
    tuple of str
        What is written in pixels instead, for want of a place.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    from ifuview import io
    from ifuview.app.frames.opening.placing import given_back

    found, notes = given_back(regions, wcs or {})
    io.write_regions(path, found)
    return notes
