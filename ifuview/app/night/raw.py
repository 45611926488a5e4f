"""Pictures of a raw exposure of one file an amplifier: electrons of a detector, its overscan, or all amplifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ifuview import instrument
from ifuview.app.frames.look import Look
from ifuview.app.frames.opening.opened import Opened, first_look
from ifuview.engine.ccd.electrons import electrons
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.io.night.raw_read import RawFrame, read_amplifier, read_frame
from ifuview.model.checks import Array
from ifuview.model.dataset import Dataset
from ifuview.model.image import Amplifier, Image, Kind
from ifuview.model.instrument import InstrumentSpec
from ifuview.model.night.exposures import Exposure
from ifuview.model.night.raw import AMPLIFIERS, HEAD, OVERSCAN, RawAmplifier
from ifuview.model.pixels import Pixels
from ifuview.model.quality import MaskBits
from ifuview.model.reduction.ccd import UNUSABLE, ReductionBit

BITS = MaskBits(
    MappingProxyType({bit.bit_length() - 1: (str(bit.name).lower().replace("_", " "), "") for bit in ReductionBit})
)
GAP = 16  # px between amplifiers that are shown side by side
NAMES = {AMPLIFIERS: "amplifiers", OVERSCAN: "overscan", HEAD: "IFU"}


@dataclass(frozen=True, slots=True)
class _Part:
    """A rectangle of a picture: what fills it and where its lower left corner is."""

    numbers: Array
    x: int
    y: int
    amplifier: Amplifier


def open_raw(
    exposure: Exposure, camera: str, product: str, name: str, look: Look | None = None, ctx: JobContext = SILENT
) -> Opened:
    """Return one picture of a raw exposure.

    Parameters
    ----------
    exposure : Exposure
        With parts.
    camera : str
    product : str
        AMPLIFIERS, OVERSCAN or DETECTOR.
    name : str
        Of the instrument.

    Raises
    ------
    MissingDataError
        No amplifier can be read.
    """
    spec = instrument.instrument(name)
    notes: list[str] = list(exposure.notes)
    if product == AMPLIFIERS:
        image = _tiled(exposure, camera, spec, notes, ctx)
    elif product == OVERSCAN:
        image = _with_overscan(_frames(_places(exposure.parts, camera, spec), spec, notes, ctx), spec)
    elif product == HEAD:
        own = {name: part for one in head_cameras(exposure.parts, camera)
               for name, part in _places(exposure.parts, one, spec).items()}  # fmt: skip
        image = _detector(_frames(own, spec, notes, ctx), spec, notes)
    else:
        image = detector_image(exposure.parts, camera, spec, notes, ctx)
    image = replace(image, name=NAMES.get(product, camera), camera=camera, stage="raw")
    notes += [f"{c} {a} is not there" for c, letters in exposure.bad_amplifiers.items() if c == camera
              for a in letters.split() if a not in {p.name for p in exposure.parts if p.camera == c}]  # fmt: skip
    first = next((part.path for part in exposure.parts if part.camera == camera), "")
    dataset = Dataset(
        path="", spec=first, instrument=name, kind="raw", images=(image,), notes=tuple(dict.fromkeys(notes)),
        block=spec.block,
    )  # fmt: skip
    ctx.checkpoint(0.9, "Display limits")
    return Opened(dataset, image, first_look(image, look))


def head_cameras(parts: Sequence[RawAmplifier], camera: str) -> tuple[str, ...]:
    """Detectors of the head that a detector belongs to, in their order."""
    slot = next((part.slot for part in parts if part.camera == camera), "")
    return tuple(dict.fromkeys(part.camera for part in parts if part.slot == slot and part.camera))


def detector_image(
    parts: Sequence[RawAmplifier], camera: str, spec: InstrumentSpec, notes: list[str], ctx: JobContext = SILENT
) -> Image:
    """Return the electrons of a detector with error and mask, put together of its amplifiers.

    Raises
    ------
    MissingDataError
        No amplifier can be read.
    """
    return _detector(_frames(_places(parts, camera, spec), spec, notes, ctx), spec, notes)


def _places(parts: Sequence[RawAmplifier], camera: str, spec: InstrumentSpec) -> dict[str, RawAmplifier | None]:
    """The amplifiers of a detector from bottom to top, None for one that is not there or of no use."""
    own = {part.name: part for part in parts if part.camera == camera}
    raw, some = spec.raw, next(iter(own.values()), None)
    if raw is None or some is None:
        raise MissingDataError("there is no amplifier of this detector", camera)
    detector = raw.detector(some.slot, some.name)
    assert detector is not None
    usable = {name: part for name, part in own.items() if not part.problem}
    return {amp: usable.get(amp) for amp in detector.amplifiers}


def _frames(
    own: dict[str, RawAmplifier | None], spec: InstrumentSpec, notes: list[str], ctx: JobContext
) -> dict[str, RawFrame | None]:
    """Read the amplifiers of a detector; what cannot be read is said.

    Raises
    ------
    MissingDataError
        None can be read.
    """
    out: dict[str, RawFrame | None] = {}
    for done, (name, part) in enumerate(own.items()):
        ctx.checkpoint(0.8 * done / len(own), f"Reading {name}")
        try:
            out[name] = None if part is None else read_frame(part, spec, ctx)
        except IfuviewError as problem:
            notes.append(str(problem))
            out[name] = None
    if not any(out.values()):
        raise MissingDataError("no amplifier of this detector can be read", " ".join(own), "choose another exposure")
    return out


def _shape(spec: InstrumentSpec) -> tuple[int, int]:
    """Rows and columns of an amplifier without overscan."""
    assert spec.raw is not None
    return spec.raw.shape[0], spec.raw.shape[1] - spec.raw.overscan


def _detector(frames: dict[str, RawFrame | None], spec: InstrumentSpec, notes: list[str]) -> Image:
    """The amplifiers in their place: electrons, error and mask; an amplifier that is not there has no values."""
    ny, nx = _shape(spec)
    data = np.full((len(frames) * ny, nx), np.nan, np.float32)
    ivar = np.zeros_like(data)
    mask = np.full(data.shape, int(ReductionBit.NO_DATA), np.uint32)
    amplifiers = []
    for number, (name, frame) in enumerate(frames.items()):
        if frame is None:
            continue
        rows = slice(number * ny, (number + 1) * ny)
        ccd, read = electrons(
            frame.data, frame.overscan, gain=frame.gain, read_noise=frame.readnoise, amplifier=name,
            dropped=0 if spec.raw is None else spec.raw.dropped,
        )  # fmt: skip
        data[rows], mask[rows] = ccd.data, ccd.mask
        ivar[rows] = np.where((ccd.mask & int(UNUSABLE)) == 0, 1 / np.maximum(ccd.variance, 1e-6), 0)
        amplifiers.append(Amplifier(name, 0, nx, rows.start, rows.stop, read.gain, read.noise))
        notes += [f"{name}: {note}" for note in (*frame.notes, *read.notes)]
        notes.append(f"{name}: overscan {read.level:.2f} ADU, read noise {read.noise:.2f} e")
    noise = float(np.mean([a.readnoise for a in amplifiers if a.readnoise is not None]))
    return Image(
        "", Kind.DETECTOR, Pixels(data), Pixels(ivar), Pixels(mask), BITS, "electron",
        amplifiers=tuple(amplifiers), gain=1.0, readnoise=noise, header=_header(frames),
    )  # fmt: skip


def _with_overscan(frames: dict[str, RawFrame | None], spec: InstrumentSpec) -> Image:
    """The amplifiers in their place as they were read, each with its overscan on the right."""
    ny, nx = _shape(spec)
    over = spec.raw.overscan if spec.raw is not None else 0
    data = np.zeros((len(frames) * ny, nx + over), np.uint16)
    amplifiers = []
    for number, (name, frame) in enumerate(frames.items()):
        if frame is None:
            continue
        start, stop = number * ny, (number + 1) * ny
        data[start:stop, :nx], data[start:stop, nx:] = frame.data, frame.overscan
        amplifiers.append(Amplifier(name, 0, nx, start, stop, frame.gain, frame.readnoise))
        amplifiers.append(Amplifier(f"{name} overscan", nx, nx + over, start, stop, frame.gain, frame.readnoise))
    return Image(
        "", Kind.IMAGE, Pixels(data), unit="ADU", amplifiers=tuple(amplifiers), header=_header(frames)
    )  # fmt: skip


def _tiled(exposure: Exposure, camera: str, spec: InstrumentSpec, notes: list[str], ctx: JobContext) -> Image:
    """All amplifiers of the fiber heads of an exposure as they are stored: a column each detector."""
    cameras = tuple(dict.fromkeys(part.camera for part in exposure.parts))
    parts: list[_Part] = []
    assert spec.raw is not None
    ny, nx = spec.raw.shape
    rows = 1
    for column, one in enumerate(cameras):
        ctx.checkpoint(0.8 * column / len(cameras), f"Reading {one}")
        own = _places(exposure.parts, one, spec)
        rows = max(rows, len(own))
        for row, (name, part) in enumerate(own.items()):
            if part is None:
                continue
            x, y = column * (nx + GAP), row * (ny + GAP)
            try:
                numbers, _ = read_amplifier(part, ctx)
            except IfuviewError as problem:
                notes.append(str(problem))
                continue
            parts.append(_Part(numbers, x, y, Amplifier(f"{one} {name}", x, x + nx, y, y + ny)))
    if not parts:
        raise MissingDataError("no amplifier of this exposure can be read", exposure.name, "choose another exposure")
    data = np.zeros((rows * (ny + GAP) - GAP, len(cameras) * (nx + GAP) - GAP), np.uint16)
    for piece in parts:
        data[piece.y : piece.y + ny, piece.x : piece.x + nx] = piece.numbers
    header = next((p.header for p in exposure.parts if p.camera == camera and not p.problem), {})
    return Image(
        "", Kind.IMAGE, Pixels(data), unit="ADU", amplifiers=tuple(part.amplifier for part in parts), header=header
    )  # fmt: skip


def _header(frames: dict[str, RawFrame | None]) -> MappingProxyType[str, object]:
    """The cards of the lowest amplifier."""
    first: Sequence[RawFrame] = [frame for frame in frames.values() if frame is not None]
    return MappingProxyType(dict(first[0].header))
