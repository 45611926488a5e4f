"""Which fibers, amplifiers or stretches are masked, beyond what the fiber table says or other findings explain?

Each loss belongs to the first product that has it: what a product lost, those that are made from it lose, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ifuview.engine.night.questions.case import MEASURED, Case
from ifuview.engine.numeric.runs import runs
from ifuview.model.checks import Array
from ifuview.model.night.chain import MADE, SPECTRA, Chain
from ifuview.model.night.triage import ranges

NOTHING, PART = 0.1, 0.9  # known pixels of a fiber that is masked as a whole; below which a part is
OF_AMPLIFIER, LEAST_AREA = 0.8, 0.05  # of the pixels of an amplifier, and of all
LEAST_PART = 5  # fibers with gaps that are worth a finding
EVERYONE, STRETCH = 0.9, 20  # of the fibers, and pixels, of wavelengths that are masked in all
TOGETHER = 0.7  # of the lost pixels lie in one range of wavelengths, if it is named
DIVIDES = ("flat", "fluxcalib")  # something is divided by them
STEP = {"flat": "fiberflat"}  # name of the step, where it is not that of the product


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """What one product lost that those before it have.

    Parameters
    ----------
    product : str
        Of MADE.
    gone : ndarray of bool, shape (nfiber, nwave)
    whole : ndarray of bool, shape (nfiber,)
        Fibers of which it has nothing.
    also, have : tuple of str
        Products that lack most of it, too, and those that have it.
    """

    product: str
    gone: Array
    whole: Array
    also: tuple[str, ...]
    have: tuple[str, ...]

    @property
    def step(self) -> str:
        """The first step that is wrong."""
        return STEP.get(self.product, self.product)

    def where(self, word: str = "them") -> str:
        """Words about the products."""
        out = f"masked in {_listed((self.product, *self.also))}"
        verb = "has" if len(self.have) == 1 else "have"
        return f"{out}, though {_listed(self.have)} {verb} {word}" if self.have else out


def masked(case: Case) -> None:
    """Fibers, amplifiers and wavelengths without information; their number goes into the verdict."""
    known = known_pixels(case.given)
    if first := next((name for name in SPECTRA if name in known), ""):
        _judged(case, known[first])
    if case.asks("mask-bits") and case.given.marked:
        _marked(case)
    if not case.asks("masked-data"):
        return
    if not known:
        case.lack("masked-data", "a product with errors")
    for loss in losses(known):
        _whole(case, loss)
        _parts(case, loss)


def _marked(case: Case) -> None:
    """Pixels with bits in the mask and with a weight: how many, and in which product first."""
    first = min(case.given.marked, key=lambda m: MADE.index(m.product))
    fibers = np.flatnonzero(first.pixels)
    count = int(first.pixels.sum())
    also = [m.product for m in case.given.marked if m is not first]
    named = ", ".join(f"{name} {number}" for name, number in first.bits)
    case.add(
        "mask-bits", STEP.get(first.product, first.product), fibers=tuple(fibers.tolist()), amplitude=float(count),
        unit="pixels", detail={"bits": dict(first.bits), "marked_in": [first.product, *also]},
        text=f"{count} pixels of {fibers.size} fibers have bits in the mask of {_listed((first.product,))} ({named}) "
        f"though their inverse variance is not 0{f'; in {_listed(tuple(also))} too' if also else ''}: they are taken "
        "as known here",
    )  # fmt: skip


def known_pixels(chain: Chain) -> dict[str, Array]:
    """Pixels with a value, and a weight where a product has weights, in the order in which they are made.

    Products without weights that lack nothing are left out.
    """
    out = {}
    for name in MADE:
        values, ivar = getattr(chain, name), getattr(chain, f"{name}_ivar")
        if values is not None and ivar is None:  # what is no number, or nothing to divide by, is lost all the same
            if not (pixels := told(values, None, name)).all():
                out[name] = pixels
        elif values is not None:
            whole = ivar.min() > 0 and np.isfinite(ivar.sum()) and told(values, ivar, name).all()
            out[name] = (
                np.ones(ivar.shape, bool) if whole else (ivar > 0) & np.isfinite(ivar) & told(values, ivar, name)
            )
    return out


def told(values: Array, ivar: Array | None, product: str) -> Array:
    """Pixels with a value that may be meant: a number, nothing to divide by that is 0, no 0 without a weight."""
    out = np.isfinite(values)
    if product in DIVIDES:
        return np.asarray(out & (values != 0))
    return out if ivar is None or ivar.min() > 0 else np.asarray(out & ((values != 0) | (ivar > 0)))


def losses(known: Mapping[str, Array]) -> list[Loss]:
    """What each product lost that none before it had lost; products that lost nothing are left out."""
    out: list[Loss] = []
    before: Array | None = None
    empty: Array | None = None
    for product, pixels in known.items():
        gone = ~pixels
        if not gone.any():
            continue
        gone = gone if before is None else gone & ~before
        without = pixels.mean(axis=1) < NOTHING
        whole = without if empty is None else without & ~empty
        before, empty = gone if before is None else gone | before, whole if empty is None else whole | empty
        if gone.any():
            also, have = _others(known, product, gone)
            out.append(Loss(product, gone, whole, also, have))
    return out


def _others(known: Mapping[str, Array], product: str, gone: Array) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Products that lack most of some pixels, and those that have most of them."""
    also = tuple(name for name, pixels in known.items() if name != product and np.mean(pixels[gone]) < 0.5)
    return also, tuple(name for name in known if name != product and name not in also)


def _judged(case: Case, pixels: Array) -> None:
    share = pixels.mean(axis=1)
    enough = share > MEASURED
    enough[list(case.set_aside)] = False
    case.numbers["judged"] = {
        "fibers": int(share.size), "masked": [int(f) for f in np.flatnonzero(share < NOTHING)],
        "share": round(float(enough.mean()), 3), "pixels": round(float(pixels.mean()), 3),
    }  # fmt: skip


def _whole(case: Case, loss: Loss) -> None:
    """Fibers without a single good pixel."""
    count = loss.whole.size
    new = np.flatnonzero(loss.whole & ~case.known & ~_explained(case, count))
    if not new.size:
        return
    of = int(np.count_nonzero(loss.whole))
    verb, word = ("is", "fiber") if new.size == 1 else ("are", "fibers")
    many = f"{new.size} of {count} fibers {verb}" if new.size < count else f"All {count} fibers are"
    more = f"; {of - new.size} more for reasons that are known" if of > new.size else ""
    unknown = "" if loss.have else f"; nothing is known of {'it' if new.size == 1 else 'them'}"
    text = f"{many} {loss.where()}, at all wavelengths: {word} {ranges(tuple(new.tolist()))}{more}{unknown}"
    _add(case, loss, new, None, "", text)


def _parts(case: Case, loss: Loss) -> None:
    """Amplifiers, wavelengths of all fibers, and parts of some."""
    count, wave = loss.whole.size, case.given.wave
    gone = loss.gone & ~loss.whole[:, None]
    part = np.zeros(count, bool)
    for name, fibers, span in _amplifiers(case, gone, ~loss.whole):
        part[list(fibers)] = True
        text = (
            f"Amplifier {name} is {loss.where('it')} (fibers {fibers[0]}-{fibers[-1]}, {span[0]:.0f}-{span[1]:.0f} A)"
        )
        _add(case, loss, np.array(fibers), span, name, text)
    alive = ~loss.whole
    for first, last in runs(gone[alive].mean(axis=0) > EVERYONE if alive.any() else np.zeros(gone.shape[1], bool), 1):
        gone[:, first:last] = False
        if last - first >= STRETCH:
            span = float(wave[first]), float(wave[last - 1])
            text = f"{span[0]:.0f}-{span[1]:.0f} A of all fibers are {loss.where()}"
            _add(case, loss, np.flatnonzero(alive), span, "", text)
    lost = gone.mean(axis=1)
    rest = np.flatnonzero((lost > 1 - PART) & ~part & ~case.known & ~_explained(case, count))
    if rest.size >= LEAST_PART:
        text = f"{rest.size} fibers miss {100 * float(lost[rest].mean()):.0f} % of their pixels, {loss.where()}: "
        _add(case, loss, rest, _span(gone[rest], wave), "", f"{text}fibers {ranges(tuple(rest.tolist()))}")


def _explained(case: Case, count: int) -> Array:
    """Fibers that another finding speaks of as dead or off position."""
    out = np.zeros(count, bool)
    for f in case.findings:
        if f.kind == "positioning" or f.detail.get("dead"):
            out[list(f.fibers)] = True
    return out


def _span(gone: Array, wave: Array) -> tuple[float, float] | None:
    """The range of wavelengths that most of the lost pixels lie in; None if they are all over."""
    columns = np.flatnonzero(gone.mean(axis=0) > 0.5)
    if not columns.size:
        return None
    first, last = columns[0], columns[-1]
    inside_it = np.count_nonzero(gone[:, first : last + 1])
    full = inside_it > TOGETHER * gone.shape[0] * (last + 1 - first)
    return (float(wave[first]), float(wave[last])) if full and inside_it > TOGETHER * np.count_nonzero(gone) else None


def _amplifiers(case: Case, gone: Array, alive: Array) -> list[tuple[str, tuple[int, ...], tuple[float, float]]]:
    """Amplifiers of which most is masked while their fibers are not masked as a whole."""
    chain = case.chain
    if not case.areas or gone.mean() < LEAST_AREA:
        return []
    out = []
    for s in chain.sections:
        area = case.areas[s.name] & alive[:, None]
        count = int(np.count_nonzero(area))
        if count and np.count_nonzero(gone & area) > OF_AMPLIFIER * count:
            share = area.mean(axis=1)
            fibers = tuple(int(f) for f in np.flatnonzero(share > share.max() / 2))
            columns = np.flatnonzero(area.any(axis=0))
            out.append((s.name, fibers, (float(chain.wave[columns[0]]), float(chain.wave[columns[-1]]))))
    return out


def _add(case: Case, loss: Loss, fibers: Array, span: tuple[float, float] | None, amplifier: str, text: str) -> None:
    step = "preproc" if amplifier and loss.step == "frame" else loss.step  # only the read-out knows amplifiers
    case.add(
        "masked-data", step, fibers=tuple(int(f) for f in fibers), wave_range=span, amplifier=amplifier,
        amplitude=float(fibers.size), unit="fibers", text=text,
        detail={"masked": int(fibers.size), "masked_in": [loss.product, *loss.also], "known_in": list(loss.have)},
    )  # fmt: skip


def _listed(names: tuple[str, ...]) -> str:
    words = [STEP.get(name, name) for name in names]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
