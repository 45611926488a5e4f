"""Marks of what a verdict speaks of: brackets on fibers, wavelengths, an outline on the detector, pixels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ifuview.app.frames.state import Proof
from ifuview.app.frames.views.fiber_marks import Mark, MarkKind
from ifuview.app.frames.views.text import waves
from ifuview.app.session import Session, Slot
from ifuview.model.checks import Array
from ifuview.model.image import Amplifier, Image, Kind
from ifuview.model.trace import TraceSet
from ifuview.model.verdict import VerdictState

GAP = 3  # rows between two runs that are marked as one
VERTICES = 40  # of each side of an outline
MOST = 3000  # pixels that are marked
NOTHING: Array = np.empty(0)


def marks(session: Session, slot: Slot) -> tuple[Mark, ...]:
    """What marks the problem that is shown, the pixels that the verdict on photons speaks of, what was measured."""
    judged = None if slot.photons is None else slot.photons.judged
    own = () if judged is None else pixel_marks(judged.marked_pixels, judged.marked_areas)
    measured: tuple[Mark, ...] = ()
    if slot.measured is not None:
        from ifuview.app.frames.measuring.marks import marks as measured_marks

        measured = measured_marks(slot.measured)
    return (*measured, *own, *amplifier_marks(session, slot), *proof_marks(session.proof, slot))


def pixel_marks(pixels: Array, areas: Iterable[tuple[str, int, int, int, int]]) -> tuple[Mark, ...]:
    """A frame around every pixel (x, y), and one around each area: its name, first and last pixel x0, y0, x1, y1."""
    found = [Mark(MarkKind.PIXEL, pixels[:MOST, 0], pixels[:MOST, 1])] if len(pixels) else []
    for name, x0, y0, x1, y1 in areas:
        found.append(Mark(MarkKind.AREA, np.array([x0, x1], float), np.array([y0, y1], float), name))
    return tuple(found)


def amplifier_marks(session: Session, slot: Slot) -> tuple[Mark, ...]:
    """A frame around each amplifier of a raw detector whose read-out is wrong or wants a look, with what it is."""
    night, state = session.night, session.health
    place = None if night is None else night.shown.get(slot.key)
    if night is None or state is None or place is None or state.night is not night.index or place.other:
        return ()
    found = state.of(place.expid, place.camera)
    return tuple(
        _framed(own, f"{own.name}: {one.text}")
        for own in slot.image.amplifiers
        if (one := found.get(own.name)) is not None and one.state in (VerdictState.WRONG, VerdictState.LOOK)
    )


def _framed(own: Amplifier, text: str) -> Mark:
    """A frame around an amplifier."""
    return Mark(MarkKind.AREA, np.array([own.x0, own.x1 - 1.0]), np.array([own.y0, own.y1 - 1.0]), text)


def proof_marks(proof: Proof | None, slot: Slot) -> tuple[Mark, ...]:
    """What marks the problem on a frame; () on frames that do not show it."""
    if proof is None or slot.key not in proof.frames:
        return ()
    image = slot.image
    if image.kind is Kind.RSS:
        return _on_spectra(proof, image)
    if proof.box is not None:
        x0, y0, x1, y1 = proof.box
        return (Mark(MarkKind.AREA, np.array([x0, x1]), np.array([y0, y1])),)
    own = next((a for a in image.amplifiers if a.name == proof.amplifier), None)
    if own is not None:
        return (_framed(own, f"amplifier {own.name}"),)
    if slot.traces is None or not proof.fibers:
        return ()
    traces = slot.traces
    return tuple(_outline(traces, image, run, proof.wave) for run in runs(proof.fibers) if run[1] < traces.nfiber)


def runs(fibers: tuple[int, ...], gap: int = GAP) -> list[tuple[int, int]]:
    """First and last row of each run of fibers; small gaps are part of it."""
    out: list[tuple[int, int]] = []
    for fiber in sorted(fibers):
        if out and fiber - out[-1][1] <= gap:
            out[-1] = (out[-1][0], fiber)
        else:
            out.append((fiber, fiber))
    return out


def _on_spectra(proof: Proof, image: Image) -> tuple[Mark, ...]:
    """Brackets on runs of fibers that are not all, and the span of wavelengths."""
    out: list[Mark] = []
    if proof.wave is not None and image.wave is not None and np.ndim(image.wave) == 1:
        ends = np.interp(proof.wave, image.wave, np.arange(image.shape[1], dtype=float))
        out.append(Mark(MarkKind.SPAN, ends, NOTHING, waves(*proof.wave)))
    if 0 < len(proof.fibers) < image.shape[0]:
        out += [_run(image, *run) for run in runs(proof.fibers) if run[1] < image.shape[0]]
    return tuple(out)


def _run(image: Image, first: int, last: int) -> Mark:
    """The bracket of one run, with the numbers of the instrument."""
    return Mark(MarkKind.RUN, NOTHING, np.array([first - 0.5, last + 0.5]), run_words(image, first, last))


def run_words(image: Image, first: int, last: int) -> str:
    """A run of fibers by the names of the instrument."""
    known = image.fibermap
    names = [known.fiber_id[row] if known is not None else str(row) for row in (first, last)]
    return names[0] if first == last else "\u2013".join(names)


def _outline(traces: TraceSet, image: Image, run: tuple[int, int], wave: tuple[float, float] | None) -> Mark:
    """Around the traces of a run of fibers at its wavelengths, native px."""
    sides = []
    for fiber, beside in zip(run, (-1.0, 1.0)):
        inside = np.isfinite(traces.center[fiber])
        if wave is not None and traces.wave is not None:
            inside &= (traces.wave[fiber] >= wave[0]) & (traces.wave[fiber] <= wave[1])
        column = np.flatnonzero(inside)
        column = column[np.linspace(0, column.size - 1, min(VERTICES, column.size)).astype(int)]
        sides.append((traces.center[fiber, column] + beside * _half_gap(traces), column.astype(float)))
    cross = np.concatenate([sides[0][0], sides[1][0][::-1]])
    disp = np.concatenate([sides[0][1], sides[1][1][::-1]])
    x, y = image.orientation.to_native(cross, disp, image.shape)
    return Mark(MarkKind.OUTLINE, np.asarray(x), np.asarray(y))


def _half_gap(traces: TraceSet) -> float:
    """Half the distance of neighboring traces, px."""
    gap = np.abs(np.diff(traces.center[:, traces.ncol // 2]))
    return float(np.nanmedian(gap)) / 2 if np.isfinite(gap).any() else 2.0
