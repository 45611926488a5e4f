"""A plain FITS image whose header names an instrument, and that has the size of its detector, is a detector image."""

from __future__ import annotations

from dataclasses import replace

from ifuview.io.fits.amplifiers import amplifiers
from ifuview.io.fits.cards import real
from ifuview.model.image import Image, Kind
from ifuview.model.instrument import InstrumentSpec

OVERSCAN = 0.15  # fraction by which a raw image may be larger or smaller than the trimmed detector


def as_detector(image: Image, spec: InstrumentSpec) -> Image:
    """Return the image with what the file of its instrument says, if it has the size of one of its detectors."""
    if image.kind is not Kind.IMAGE or image.pixels.ndim != 2 or not _is_detector(image.shape, spec):
        return image
    ny, nx = image.shape
    inside = tuple(amp for amp in amplifiers(image.header, spec) if amp.x1 <= nx and amp.y1 <= ny)
    return replace(
        image,
        kind=Kind.DETECTOR,
        orientation=spec.orientation_of(image.header),
        mask_bits=spec.mask_bits("pixel"),
        amplifiers=inside,
        gain=real(spec.keyword("gain", image.header)) or image.gain,
        readnoise=real(spec.keyword("readnoise", image.header)) or image.readnoise,
        camera=str(spec.keyword("camera", image.header) or "").strip().lower(),
        stage="raw",
    )


def _is_detector(shape: tuple[int, int], spec: InstrumentSpec) -> bool:
    """Whether an image of that size is one of the instrument's detectors, with or without overscan."""
    sizes = [camera.shape for camera in spec.cameras if camera.shape is not None]
    return any(all(abs(have / want - 1) <= OVERSCAN for have, want in zip(shape, size)) for size in sizes)
