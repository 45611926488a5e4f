"""Raw amplifiers to whole detectors in electrons: the only steps that read files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ifuview.engine.ccd.bias import master_bias
from ifuview.engine.ccd.electrons import electrons
from ifuview.engine.ccd.masters import combine, frame_noise
from ifuview.engine.context import JobContext
from ifuview.errors import IfuviewError, MissingDataError
from ifuview.model.checks import Header
from ifuview.model.night.raw import RawAmplifier, RawExposure
from ifuview.model.reduction.ccd import CcdFrame, ReadOut, ReductionBit
from ifuview.model.reduction.params import param
from ifuview.recipes.camera.setup import CameraSetup
from ifuview.recipes.camera.values import Biases, DetectorFrame

MISSING = ReductionBit.NO_DATA | ReductionBit.AMPLIFIER
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ReadParams:
    """How amplifiers become electrons."""

    by_row: bool = param(True, "Overscan by row", hint="a straight line along the rows; else one number")


def make_biases(params: ReadParams, ctx: JobContext, setup: CameraSetup, zeros: Sequence[RawExposure] | None) -> Biases:
    """Bias structure and read noise of each amplifier."""
    frames: dict[str, CcdFrame] = {}
    noise: dict[str, tuple[float, float]] = {}
    level: dict[str, float] = {}
    notes: list[str] = []
    for name in setup.amplifiers:
        own = [a for exposure in zeros or () for a in exposure.of(setup.camera) if a.name == name]
        read: list[CcdFrame] = []
        for number, amplifier in enumerate(own):
            ctx.checkpoint(number / len(own), f"bias {name}")
            try:
                frame, told, _ = _electrons(setup, amplifier, params, None)
            except IfuviewError as problem:
                notes.append(str(problem))
                continue
            if told.problem:
                notes.append(f"{setup.camera} {name}: a bias frame is not used: {told.problem}.")
                continue
            read.append(frame)
            level.setdefault(name, told.level)
        if not read:
            notes.append(f"{setup.camera} {name}: without bias frames the overscan alone is taken off.")
            continue
        if len(read) > 1:
            noise[name] = frame_noise(read)
        frames[name] = master_bias(read, noise[name][0] if len(read) > 1 else None)
    return Biases(frames, noise, tuple(notes), level)


def _electrons(
    setup: CameraSetup, amplifier: RawAmplifier, params: ReadParams, biases: Biases | None
) -> tuple[CcdFrame, ReadOut, Header]:
    raw = setup.read(amplifier)
    known = NAN if biases is None else biases.noise.get(amplifier.name, (NAN, NAN))[0]
    frame, read = electrons(
        raw.data, raw.overscan, gain=raw.gain, read_noise=known if np.isfinite(known) else raw.readnoise,
        amplifier=amplifier.name, bias=None if biases is None else biases.frames.get(amplifier.name),
        by_row=params.by_row, dropped=setup.dropped,
    )  # fmt: skip
    return frame, replace(read, notes=(*raw.notes, *read.notes)), raw.header


def read_detector(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, exposure: RawExposure, biases: Biases | None
) -> DetectorFrame:
    """A whole detector of one exposure; an amplifier that is missing or cannot be read is masked.

    Raises
    ------
    MissingDataError
        None of its amplifiers can be read.
    """
    own = {amplifier.name: amplifier for amplifier in exposure.amplifiers if amplifier.camera == setup.camera}
    ny, nx = setup.shape
    whole = len(setup.amplifiers) * ny, nx
    data, variance = np.zeros(whole, np.float32), np.ones(whole, np.float32)
    mask = np.full(whole, int(MISSING), np.uint32)  # what is not read stays so
    reads: list[ReadOut] = []
    useless = {amplifier.trouble for amplifier in exposure.amplifiers if amplifier.problem}
    at = f"{setup.camera} of {exposure.observation:07d} exp{exposure.number:02d}"
    notes = [f"{at}: {note.rstrip('.')}." for note in exposure.notes if note not in useless]
    header: Header = {}
    for number, name in enumerate(setup.amplifiers):
        ctx.checkpoint(number / len(setup.amplifiers), f"read {name}")
        amplifier, problem = own.get(name), "it is missing"
        where = f"{setup.camera} {name} of {exposure.observation:07d} exp{exposure.number:02d}"
        if amplifier is not None and amplifier.problem:
            problem = f"it {amplifier.problem}"
        elif amplifier is not None:
            try:
                frame, read, cards = _electrons(setup, amplifier, params, biases)
                rows = slice(number * ny, (number + 1) * ny)
                data[rows], variance[rows], mask[rows] = frame.data, frame.variance, frame.mask
                header = {**cards, **{card: one for card, one in header.items() if one not in (None, "")}}
                reads.append(read)
                notes += [f"{where}: {note}." for note in read.notes]
                continue
            except IfuviewError as error:
                problem = str(error)
        notes.append(f"{where}: {problem.rstrip('.')}.")
        reads.append(ReadOut(name, NAN, NAN, NAN, NAN, NAN, problem=problem.rstrip(".")))
    if all(np.isnan(read.gain) for read in reads):
        at = f"{setup.camera} {exposure.date} {exposure.observation:07d} exp{exposure.number:02d}"
        raise MissingDataError(f"no amplifier can be read: {problems(reads)}", at)
    what = f"{exposure.date} {exposure.observation:07d} exp{exposure.number:02d} {exposure.object}".strip()
    exptime = exposure.exptime or NAN
    return DetectorFrame(CcdFrame(data, variance, mask), tuple(reads), exptime, what, header, tuple(notes))


def problems(reads: Sequence[ReadOut]) -> str:
    """What is wrong with amplifiers, each thing once: `RU, RL: it is missing`."""
    names: dict[str, list[str]] = {}
    for one in reads:
        if one.problem:
            names.setdefault(one.problem, []).append(one.amplifier)
    return "; ".join(f"{', '.join(own)}: {problem}" for problem, own in names.items())


def read_all(
    params: ReadParams, ctx: JobContext, setup: CameraSetup, exposures: Sequence[RawExposure], biases: Biases | None,
    lost: list[str] | None = None,
) -> list[DetectorFrame]:  # fmt: skip
    """Detectors of several exposures; one that cannot be read is left out, `lost` gets why."""
    out = []
    for number, exposure in enumerate(exposures):
        part = ctx.part(number / len(exposures), (number + 1) / len(exposures))
        try:
            out.append(read_detector(params, part, setup, exposure, biases))
        except MissingDataError as problem:
            if lost is not None:
                lost.append(str(problem))
    return out


def combined(frames: Sequence[DetectorFrame], what: str, *, scale: bool = False) -> DetectorFrame:
    """Several exposures of one kind as one."""
    notes = tuple(dict.fromkeys(note for one in frames for note in one.notes))
    total = combine([one.frame for one in frames], scale=scale)
    return DetectorFrame(total, frames[0].reads, frames[0].exptime, f"{len(frames)} {what}", frames[0].header, notes)
