"""All amplifiers of a raw exposure as one picture in the order of the focal plane, read as far as they are looked at.

The coarse copies are made of all amplifiers at once; finer ones and the pixels themselves are read into files of our
own, of which only what was read takes room, amplifier by amplifier as the view comes to them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ifuview.app.frames.look import Look, Reduction
from ifuview.app.frames.opening.opened import Opened, first_look
from ifuview.app.frames.tasks import OfFrame
from ifuview.app.frames.views.pyramid import MAX_LEVEL, SMALLEST, Pyramid
from ifuview.app.jobs import JobKind
from ifuview.app.night.amplifiers.plane import AmplifierCell, focal_plane
from ifuview.app.session import Session, Slot
from ifuview.app.tasks import Task, slot_of
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.instrument import instrument
from ifuview.io.night.raw_read import read_frame
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Amplifier, Image, Kind
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.exposures import Exposure, ExposureIndex
from ifuview.model.night.raw import AMPLIFIERS, RawAmplifier
from ifuview.model.pixels import Pixels

COARSE = 3  # level of the copies that are made of all amplifiers
BLOCK = 1 << COARSE  # px
GAP = 8 * BLOCK  # px between heads
LEVEL = 1000  # stored for the level of the overscan; 0 is kept for what has no value
MOST = (1 << 16) - 1
SHARP = 0.2  # screen px of an image px from where on the coarse copies are not enough
REACH = (1600.0, 1000.0)  # screen px about the middle of the canvas that may be in view
AT_ONCE = 8  # amplifiers between two looks at the picture
PATIENCE = 1.0  # s


@dataclass(frozen=True, slots=True, eq=False)
class MosaicCopies(Pyramid):
    """Copies of a mosaic, and how more of it is read.

    Parameters
    ----------
    parts : tuple of RawAmplifier
        In the order of the amplifiers of the image.
    read : frozenset of int
        Those whose pixels are there.
    pixels : ndarray of uint16, shape (ny, nx)
        Of the image, to be filled.
    """

    parts: tuple[RawAmplifier, ...] = ()
    read: frozenset[int] = frozenset()
    pixels: Array | None = None
    only: ClassVar[bool] = True


def open_mosaic(
    index: ExposureIndex, exposure: Exposure, name: str, look: Look | None = None, ctx: JobContext = SILENT
) -> Opened:
    """Return all amplifiers of an exposure in counts above their overscan.

    Raises
    ------
    MissingDataError
        None can be read.
    """
    spec = instrument(name)
    plane = focal_plane(index, exposure)
    by_name = {(part.camera, part.name): part for part in exposure.parts if not part.problem}
    cells = [cell for cell in plane.cells if (cell.camera, cell.name) in by_name]
    if not cells or spec.raw is None:
        raise MissingDataError("no amplifier of this exposure can be read", exposure.name, "choose another exposure")
    size = spec.raw.shape[0], spec.raw.shape[1] - spec.raw.overscan
    boxes = _boxes(cells, [plane.steps(cell.head) for cell in cells], plane.shape, size)
    shape = _whole(max(box.y1 for box in boxes)), _whole(max(box.x1 for box in boxes))
    parts = tuple(by_name[cell.camera, cell.name] for cell in cells)
    coarse, notes = _coarse(parts, boxes, shape, spec, ctx)
    pixels = _scratch(shape, np.uint16)
    levels = (*(_scratch((shape[0] >> k, shape[1] >> k), np.float32) for k in range(1, COARSE)), *_halved(coarse))
    image = Image(
        "amplifiers", Kind.IMAGE, Pixels(pixels, zero=-float(LEVEL), blank=0, double=False), unit="ADU",
        amplifiers=boxes, header=next((part.header for part in parts if part.header), {}), stage="raw",
    )  # fmt: skip
    found = first_look(replace(image, pixels=Pixels(coarse), amplifiers=()), look)
    notes = (*exposure.notes, *notes)
    dataset = Dataset("", exposure.parts[0].path, name, AMPLIFIERS, (image,), notes=tuple(dict.fromkeys(notes)))
    copies = MosaicCopies(Reduction.MEAN, shape, levels, None, parts, frozenset(), pixels)
    return Opened(dataset, image, found, copies)


def _whole(n: int) -> int:
    """So many pixels that coarse copies end with them."""
    return -(-n // BLOCK) * BLOCK


def _boxes(
    cells: Sequence[AmplifierCell], steps: Sequence[tuple[int, int]], shape: tuple[int, int], size: tuple[int, int]
) -> tuple[Amplifier, ...]:
    """Where each amplifier lies in the picture."""
    high, wide = _whole(size[0]), _whole(size[1])
    out = []
    for cell, (column, row) in zip(cells, steps, strict=True):
        x = column * (shape[0] * wide + GAP) + cell.column * wide
        y = row * (shape[1] * high + GAP) + cell.row * high
        out.append(Amplifier(f"{cell.camera} {cell.name}", x, x + size[1], y, y + size[0]))
    return tuple(out)


def _scratch(shape: tuple[int, ...], dtype: type[np.generic]) -> Array:
    """An array in a file of our own that is gone with it; what is not written takes no room."""
    with tempfile.TemporaryFile(prefix="ifuview-") as file:
        found: Array = np.memmap(file, dtype, "w+", shape=shape)
    return found


def _counts(part: RawAmplifier, spec: InstrumentSpec, ctx: JobContext) -> tuple[Array, float]:
    """Numbers of an amplifier as its detector lies, and the level of its overscan."""
    raw = read_frame(part, spec, ctx)
    dropped = 0 if spec.raw is None else spec.raw.dropped
    return raw.data, float(np.median(raw.overscan[:, dropped:]))


def _coarse(
    parts: Sequence[RawAmplifier], boxes: Sequence[Amplifier], shape: tuple[int, int], spec: InstrumentSpec,
    ctx: JobContext,
) -> tuple[Array, tuple[str, ...]]:  # fmt: skip
    """The coarse copy of all amplifiers, NaN where there is none, and what is to be said."""
    out = np.full((shape[0] // BLOCK, shape[1] // BLOCK), np.nan, np.float32)
    notes = []
    for n, (part, box) in enumerate(zip(parts, boxes, strict=True)):
        ctx.checkpoint(n / len(parts), f"Reading {box.name}")
        try:
            counts, level = _counts(part, spec, ctx)
        except IfuviewError as problem:
            notes.append(str(problem))
            continue
        ny, nx = (n // BLOCK for n in counts.shape)
        # sums of whole rows first: they lie in memory one after the other
        rows = counts[: ny * BLOCK, : nx * BLOCK].reshape(ny, BLOCK, nx * BLOCK).sum(axis=1, dtype=np.uint32)
        mean = rows.reshape(ny, nx, BLOCK).sum(axis=2, dtype=np.uint32) / np.float32(BLOCK**2)
        y, x = box.y0 // BLOCK, box.x0 // BLOCK
        out[y : y + ny, x : x + nx] = mean - level
    if not np.isfinite(out).any():
        raise MissingDataError(notes[0] if notes else "no amplifier can be read", "", "choose another exposure")
    return out, tuple(notes)


def _halved(coarse: Array) -> tuple[Array, ...]:
    """The coarse copy and all coarser ones: means of what is known."""
    out = [coarse]
    while max(out[-1].shape) > SMALLEST and len(out) + COARSE <= MAX_LEVEL:
        last = out[-1]
        ny, nx = last.shape
        padded = np.pad(last, ((0, ny & 1), (0, nx & 1)), mode="edge")
        four = np.stack([padded[j::2, i::2] for j in (0, 1) for i in (0, 1)])
        known = np.isfinite(four)
        total = np.where(known, four, 0).sum(axis=0)
        count = known.sum(axis=0)
        out.append(np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32))
    return tuple(out)


def wanted(slot: Slot) -> tuple[int, ...]:
    """Amplifiers about the middle of the view that are not read yet, the nearest first; none while the view is wide."""
    copies, view = slot.pyramid, slot.view
    if not isinstance(copies, MosaicCopies):
        return ()
    if view.fit:  # the canvas says no zoom then: few heads are as large on it as finer copies
        ny, nx = slot.image.shape
        view = replace(view, x=nx / 2, y=ny / 2, zoom=min(REACH[0] / nx, REACH[1] / ny))
    if view.zoom < SHARP:
        return ()
    boxes = slot.image.amplifiers
    x0, x1, y0, y1 = np.array([(b.x0, b.x1, b.y0, b.y1) for b in boxes], float).T
    dx = np.maximum(np.maximum(x0 - view.x, view.x - x1), 0)
    dy = np.maximum(np.maximum(y0 - view.y, view.y - y1), 0)
    reach = max(REACH) / view.zoom if view.rotation % 180 else REACH[0] / view.zoom, max(REACH) / view.zoom
    near = np.flatnonzero((dx <= reach[0]) & (dy <= reach[1]))
    near = near[np.argsort(np.hypot(dx, dy)[near], kind="stable")]
    return tuple(int(n) for n in near if int(n) not in copies.read)


@dataclass(frozen=True, kw_only=True)
class ReadInView(OfFrame, Task[MosaicCopies]):
    """The pixels of some amplifiers that are in view."""

    kind: ClassVar[JobKind] = JobKind.PYRAMID
    quiet: bool = True
    newest: bool = True
    front: bool = True
    patience: float = PATIENCE

    def run(self, session: Session, ctx: JobContext) -> MosaicCopies:
        """Read them into the picture and its finer copies."""
        slot = slot_of(session, self.frame)
        assert isinstance(slot.pyramid, MosaicCopies)
        return read_more(slot, wanted(slot)[:AT_ONCE], ctx)

    def apply(self, session: Session, result: MosaicCopies) -> Session:
        """Show them."""
        now = session.slot(self.frame)
        if now is None or not isinstance(now.pyramid, MosaicCopies) or now.pyramid.pixels is not result.pixels:
            return session
        return session.with_slot(replace(now, pyramid=result))


def read_more(slot: Slot, numbers: Sequence[int], ctx: JobContext = SILENT) -> MosaicCopies:
    """The copies with the pixels of some amplifiers; what cannot be read stays without values."""
    copies, spec = slot.pyramid, instrument(slot.dataset.instrument)
    assert isinstance(copies, MosaicCopies) and copies.pixels is not None
    for count, n in enumerate(numbers):
        ctx.checkpoint(count / len(numbers), slot.image.amplifiers[n].name)
        try:
            counts, level = _counts(copies.parts[n], spec, ctx)
        except IfuviewError:  # said when the coarse copy was made
            continue
        box = slot.image.amplifiers[n]
        stored = np.clip(counts.astype(np.int32) + (LEVEL - round(level)), 1, MOST)
        copies.pixels[box.y0 : box.y1, box.x0 : box.x1] = stored
        fine = (stored - LEVEL).astype(np.float32)
        for k, one in enumerate(copies.levels[: COARSE - 1], 1):
            fine = fine.reshape(fine.shape[0] // 2, 2, fine.shape[1] // 2, 2).mean(axis=(1, 3))
            y, x = box.y0 >> k, box.x0 >> k
            one[y : y + fine.shape[0], x : x + fine.shape[1]] = fine
    return replace(copies, read=copies.read | set(numbers))
