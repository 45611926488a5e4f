"""Which fibers, amplifiers or stretches are masked, beyond what the fiber table says or other findings explain?"""

from __future__ import annotations

import numpy as np

from ifuview.engine.night.questions.case import Case
from ifuview.engine.night.search.noise import inside
from ifuview.model.checks import Array
from ifuview.model.night.triage import Finding, ranges

NOTHING, PART = 0.1, 0.9  # known pixels of a fiber that is masked as a whole; below which a part is
OF_AMPLIFIER = 0.8  # of the pixels of an amplifier
LEAST_PART = 5  # fibers with gaps that are worth a finding


def masked(case: Case) -> None:
    """Fibers and amplifiers without information; their number goes into the verdict."""
    if case.chain.sframe_ivar is None:
        return
    known = (case.chain.sframe_ivar > 0).mean(axis=1)
    none = known < NOTHING
    case.numbers["judged"] = {
        "fibers": int(known.size), "masked": [int(f) for f in np.flatnonzero(none)],
        "share": round(float(case.measured.mean()), 3), "pixels": round(float(case.good.mean()), 3),
    }  # fmt: skip
    if not case.asks("masked-data"):
        return
    new = np.flatnonzero(none & ~case.known & ~_explained(case, known.size))
    if new.size:
        of = int(np.count_nonzero(none))
        where = f"{new.size} of {known.size} fibers are" if new.size < known.size else f"All {known.size} fibers are"
        also = f" ({of - new.size} more are, for reasons that are known)" if of > new.size else ""
        _add(
            case,
            new,
            None,
            "",
            f"{where} masked at all wavelengths{also}: {ranges(tuple(new.tolist()))}. Nothing is known of them",
        )
    part = ~none & (known < PART)
    for name, fibers, span in _amplifiers(case):
        part[list(fibers)] = False
        _add(
            case, np.array(fibers), span, name, f"Amplifier {name} is masked (fibers {fibers[0]}-{fibers[-1]}, "
            f"{span[0]:.0f}-{span[1]:.0f} A): nothing is known there"
        )  # fmt: skip
    rest = np.flatnonzero(part & ~case.known & ~_explained(case, known.size))
    if rest.size >= LEAST_PART:
        lost = 100 * float(np.mean(1 - known[rest]))
        _add(
            case,
            rest,
            None,
            "",
            f"{rest.size} fibers miss {lost:.0f} % of their pixels: {ranges(tuple(rest.tolist()))}",
        )


def all_masked(expid: int, camera: str, count: int) -> Finding:
    """A camera without a single good pixel."""
    return Finding(
        expid, camera, "masked-data", "preproc", fibers=tuple(range(count)), amplitude=1.0, unit="of the pixels",
        text=f"All {count} fibers are masked at all wavelengths: the inverse variance is 0 everywhere, nothing "
        f"can be judged",
    )  # fmt: skip


def _explained(case: Case, count: int) -> Array:
    """Fibers that another finding speaks of as dead or off position."""
    out = np.zeros(count, bool)
    for f in case.findings:
        if f.kind == "positioning" or f.detail.get("dead"):
            out[list(f.fibers)] = True
    return out


def _amplifiers(case: Case) -> list[tuple[str, tuple[int, ...], tuple[float, float]]]:
    """Amplifiers of which most is masked while their fibers are not masked as a whole."""
    chain = case.chain
    if chain.cross is None or chain.disp is None or chain.sframe_ivar is None:
        return []
    out = []
    bad = np.asarray(chain.sframe_ivar <= 0)
    alive = np.asarray(~bad.all(axis=1))
    for s in chain.sections:
        area = np.asarray(inside(s, chain.cross, chain.disp) & alive[:, None])
        count = int(np.count_nonzero(area))
        if count and np.count_nonzero(np.asarray(bad & area)) > OF_AMPLIFIER * count:
            share = area.mean(axis=1)
            fibers = tuple(int(f) for f in np.flatnonzero(share > share.max() / 2))
            columns = np.flatnonzero(area.any(axis=0))
            out.append((s.name, fibers, (float(chain.wave[columns[0]]), float(chain.wave[columns[-1]]))))
    return out


def _add(case: Case, fibers: Array, span: tuple[float, float] | None, amplifier: str, text: str) -> None:
    case.add(
        "masked-data", "preproc", fibers=tuple(int(f) for f in fibers), wave_range=span, amplifier=amplifier,
        amplitude=float(fibers.size), unit="fibers", text=text, detail={"masked": int(fibers.size)},
    )  # fmt: skip
