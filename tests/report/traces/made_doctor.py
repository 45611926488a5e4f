"""A diagnosis made by hand: a shift, a shifted block, a kink, a dead fiber and a swapped pair, with known numbers."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from ifuview.model.trace import TraceSet
from ifuview.model.traces.doctor import (
    Advice,
    Correlation,
    Crosstalk,
    FrameTrouble,
    Impact,
    Mode,
    Problem,
    TraceDiagnosis,
)
from ifuview.model.verdict import Verdict

SHIFT, BLOCK_SHIFT, KINK, ERROR = 0.25, 0.4, -0.8, 0.01  # px
SPACING, FIRST = 8.0, 6.0  # px
KINKED, DEAD, SWAPPED = 3, 5, 7


def diagnosis(
    nfiber: int = 12, ncol: int = 240, nbin: int = 16, per_block: int = 4, id0: int = 500, clean: bool = False
) -> TraceDiagnosis:
    """Traces of `nfiber` fibers on `ncol` columns; `clean`: nothing is wrong."""
    rng = np.random.default_rng(1)
    column = (np.arange(nbin) + 0.5) * ncol / nbin - 0.5
    fiber_id = tuple(str(id0 + i) for i in range(nfiber))
    block = np.arange(nfiber) // per_block
    model, wrong = np.zeros((nfiber, nbin)), np.zeros((nfiber, nbin))
    if not clean:
        model += SHIFT
        model[block == 1] += BLOCK_SHIFT
        wrong[KINKED] = KINK * np.exp(-0.5 * ((column / ncol - 0.6) / 0.08) ** 2)
        wrong[SWAPPED], wrong[SWAPPED + 1] = SPACING, -SPACING
    error = np.full((nfiber, nbin), ERROR)
    offset = model + wrong + rng.normal(0, ERROR, model.shape)
    flux = 1000 * (1 + 0.2 * np.sin(np.arange(nfiber)))[:, None] * np.ones(nbin)
    if not clean:
        offset[DEAD] = error[DEAD] = np.nan
        flux[DEAD] = 3.0
    wave = 6000 + 0.5 * column + 0 * offset
    center = FIRST + SPACING * np.arange(nfiber)[:, None] + 0.005 * np.arange(ncol)[None, :]
    every = np.arange(ncol)
    step = np.stack([np.interp(every, column, row) for row in model + wrong])
    waves = np.broadcast_to(6000 + 0.5 * every, center.shape)
    given = TraceSet(np.arange(nfiber), center, wave=waves, fiber_id=fiber_id, name="given.fits")
    corrected = TraceSet(np.arange(nfiber), center + step, wave=waves, fiber_id=fiber_id, name="corrected")
    full, waves_of = (0.0, ncol - 1.0), (6000.0, 6000 + 0.5 * (ncol - 1))
    rows = tuple(range(nfiber))
    modes = [
        Mode("shift", SHIFT, 0.001, 250.0, rows, full, waves_of, True, True, "all fibers are shifted by +0.250 px"),
        Mode("rotation", 0.0004, 0.001, 0.4, rows, full, waves_of, False, True),
        Mode("block_shift", BLOCK_SHIFT, 0.003, 130.0, tuple(np.flatnonzero(block == 1).tolist()), full, waves_of,
             True, True),
    ]  # fmt: skip
    problems = (
        []
        if clean
        else [
            _problem(KINKED, "kink", KINK, 80.0, (ncol * 0.5, ncol * 0.7), fiber_id),
            _problem(DEAD, "dead", None, None, full, fiber_id),
            _problem(SWAPPED, "swapped", SPACING, 700.0, full, fiber_id),
            _problem(SWAPPED + 1, "swapped", -SPACING, 700.0, full, fiber_id),
        ]
    )
    corr = np.atleast_2d(np.corrcoef(rng.normal(size=(nfiber, 40))))
    number = np.arange(1, 6)
    loss = 0.3 * np.clip(np.abs(np.nan_to_num(offset)), 0, 1) ** 2
    one = np.ones(nfiber)
    per_fiber = {
        "trace_rms": np.nan_to_num(np.sqrt(np.mean(offset**2, axis=1))),
        "max_deviation": np.nan_to_num(np.abs(offset).max(axis=1)),
        "mean_offset_px": offset.mean(axis=1),
        "spacing_to_neighbors": SPACING * one,
        "throughput": flux[:, 0] / 1000,
        "width_px": 1.2 * one,
        "extraction_efficiency": 1 - loss.mean(axis=1),
    }
    return TraceDiagnosis(
        fiber_id, column, wave, offset, error, model, model + wrong, flux, 0.01 * flux, 1.2 + 0 * offset, error,
        1 + 0 * offset, block, tuple(modes[1:2] if clean else modes), () if clean else tuple(problems),
        (FrameTrouble("cosmics", 12, 3.5, "pixels", full, (0.0, center.max()), (), "12 cosmics in the image"),),
        Correlation(corr, np.sort(np.linalg.eigvalsh(corr))[::-1], 2.4, 1, number, 0.3 / number, 0.05 + 0 * number,
                    np.unique(block), 0.5 + 0 * np.unique(block), 1.0 + 0 * np.unique(block)),
        Impact(loss, 0.001 + 0 * loss, 0.5 * loss, 0.001 + 0 * loss, 0.1 * loss, 0.001 + 0 * loss, 0.02 + 0 * loss,
               0.01 + 0 * loss, 2.5),
        Crosstalk(np.array([-2, -1, 1, 2]), np.outer(one, [0, 0.01, 0.01, 0]), np.full((nfiber, 4), 1e-4),
                  np.outer(one, [0, 0.001, 0.001, 0]), np.full((nfiber, 4), 1e-4)),
        MappingProxyType({"nfiber": nfiber, "mean_offset_px": 0.0 if clean else SHIFT, "mean_offset_px_err": 0.001}),
        MappingProxyType({**per_fiber, **{f"{k}_err": 0.01 * np.abs(v) for k, v in per_fiber.items()}}),
        MappingProxyType({"centroid_px": ERROR, "model_px": 0.003, "model_px_err": 0.0003}),
        Verdict.PASS if clean else Verdict.FAIL,
        "All traces lie on their light." if clean else "The traces are wrong: 4 fibers have problems, all are shifted.",
        () if clean else (Advice("Use the corrected traces.", "apply-correction"), Advice("Mask it.", "mask", (DEAD,))),
        given, corrected, corrected,
    )  # fmt: skip


def _problem(
    fiber: int, kind: str, amount: float | None, sure: float | None, where: tuple[float, float], ids: tuple[str, ...]
) -> Problem:
    """A problem whose text says its kind."""
    waves = (6000 + 0.5 * where[0], 6000 + 0.5 * where[1])
    text = f"fiber {ids[fiber]}: {kind} <script>alert('{kind}')</script> & more"
    return Problem(fiber, ids[fiber], kind, amount, None if amount is None else ERROR, sure, where, waves, text)


def image(made: TraceDiagnosis) -> np.ndarray:
    """Gaussian profiles on the corrected traces, canonical axes."""
    center = made.corrected.center
    rows = np.arange(int(center.max()) + 12)[:, None]
    out = np.zeros((len(rows), center.shape[1]), np.float32)
    for i, path in enumerate(center):
        if i != DEAD:
            out += (1000 * np.exp(-0.5 * ((rows - path) / 1.2) ** 2)).astype(np.float32)
    return out
