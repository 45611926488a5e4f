"""The recipe "triage": the products of one camera in, findings out, in the order in which they may hide each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.night.alone import alone
from ifuview.engine.night.others import EVERY
from ifuview.engine.night.parts.drift import without_drift
from ifuview.engine.night.problems import together
from ifuview.engine.night.questions.amplifiers import edges, rows, untraced, with_level
from ifuview.engine.night.questions.blocks import blocks
from ifuview.engine.night.questions.case import BLOCK, COUNTS, E_PER_A, Case
from ifuview.engine.night.questions.detector import ENOUGH, detector
from ifuview.engine.night.questions.echoes import ALL_BUT_FEW, MADE_LATER, MOVED, without_charge
from ifuview.engine.night.questions.fibers import fibers
from ifuview.engine.night.questions.ghosts import ghosts
from ifuview.engine.night.questions.lines import beside_stronger
from ifuview.engine.night.questions.masked import masked, told
from ifuview.engine.night.questions.products import CONTRADICTS, identity, products
from ifuview.engine.night.questions.tables import tables
from ifuview.engine.night.search.noise import Bends, bends, fiber_noise, white_noise
from ifuview.engine.night.stand_ins import BY_NOISE, completed
from ifuview.engine.night.stats import filled, mad, middle
from ifuview.engine.numeric.blas import one_thread
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import CLASSES, Finding, NotMeasured, ranges

NAME = "desi_qa"
TITLE = "Triage"
# with their part of the time, in the order in which they may hide each other
ASKED = (
    (identity, 0.05), (tables, 0.05), (rows, 0.3),
    (detector, 0.05), (ghosts, 0.05), (blocks, 0.1), (fibers, 0.2), (products, 0.1), (edges, 0.05),
    (masked, 0.05),
)  # fmt: skip
MIN_WAVES = 400  # px: ten for each knot of the continuum
MOST_PARTS = 2  # large parts of the fibers that are off, each by itself
OF_FIBERS = ("isolated-fiber", "block-throughput")  # that leave a part of the lines of their fibers
OF_LIGHT = ("throughput / flat", "level / other blocks")  # units of a part of the light
NOISE = (0.8, 1.25)  # times the noise that the inverse variance says, of all spectra
ALIKE = 0.15  # of it that parts of the camera, and typical fibers, may differ by; fibers are told to 5 percent
MIN_FIBERS = 4 * BLOCK  # fewer blocks have no majority
OR_SFRAME = {"flat": ("fiberflat",), "frame": ("light", "trace", "frame")}  # steps that look like a wrong sframe then
COMPARED = (
    "wavelength-blocks", "wavelength-all", "amplifier-step", "ccd-column", "block-throughput", "sky-line residual",
    "sky-gradient",
)  # fmt: skip
NEEDS: dict[str, tuple[str, ...]] = {
    "ccd-row": ("sframe", "traces"),
    "wavelength-blocks": ("sframe", "sky"),
    "wavelength-all": ("sframe", "sky"),
    "sky-line residual": ("sframe", "sky", "frame", "flat"),
    "sky-gradient": ("sframe", "sky", "frame", "flat"),
    "isolated-fiber": ("frame", "flat", "sky"),
    "bright-neighbor": ("sframe", "sky"),
    "block-throughput": ("frame", "flat", "sky"),
    "positioning": ("fiber table",),
    "amplifier-step": ("sframe", "traces", "sky"),
    "mixed-production": ("frame", "flat", "sky", "sframe"),
    "fluxcalib": ("fluxcalib",),
    "masked-data": (),
    "mask-bits": (),
    "swapped-fibers": (),
    "amplifier-noise": ("sframe", "traces"),
    "charge-transfer": ("sframe", "sky", "traces"),
    "cosmic-rays": ("sframe",),
    "ccd-column": ("sframe", "sky", "frame", "flat"),
    "ghost": ("sframe", "sky"),
}


@dataclass(frozen=True, slots=True)
class Params:
    """What can be chosen."""

    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CameraTriage:
    """What one camera gave.

    Parameters
    ----------
    findings : tuple of Finding
    not_measured : tuple of NotMeasured
    arrays : mapping of str to ndarray
        What the evidence is drawn from: `residual`, `clean` (without bad rows), `sky`, `wave`, `sigma`, `disp`.
    numbers : mapping of str to float
        Of the camera as a whole.
    """

    findings: tuple[Finding, ...] = ()
    not_measured: tuple[NotMeasured, ...] = ()
    arrays: dict[str, Array] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)


@one_thread()
def run(chain: Chain, expid: int, camera: str, params: Params | None = None, ctx: JobContext = SILENT) -> CameraTriage:
    """Ask every question that the products allow.

    Parameters
    ----------
    chain : Chain
    expid : int
    camera : str
    params : Params, optional
    ctx : JobContext, optional
    """
    wanted = (params or Params()).only or CLASSES
    without_holes, dark = _with_a_sky(_without_holes(chain), expid, camera)
    without_holes, noisy = _with_its_noise(without_holes, expid, camera)
    given, (chain, made) = chain, completed(without_holes)
    nfiber, nwave = chain.shape
    if nwave < MIN_WAVES:
        few = f"spectra of at least {MIN_WAVES} pixels (these have {nwave})"
        return CameraTriage((), tuple(NotMeasured(expid, camera, kind, few) for kind in wanted))
    lacks = {"mixed-production": " and ".join(f"{name}, for which {of} stands" for name, of in made.items())}
    missing = _missing(chain, expid, camera, wanted, lacks)
    if nfiber < MIN_FIBERS:
        few = f"at least {MIN_FIBERS} fibers to compare (there are {nfiber})"
        said = {m.what for m in missing}
        compare = [kind for kind in wanted if kind in COMPARED and kind not in said]
        missing += tuple(NotMeasured(expid, camera, kind, few) for kind in compare)
    asked = tuple(set(wanted) - {m.what for m in missing})
    case = Case(chain, expid, camera, asked, given)
    bare, told = untraced(case) if "ccd-row" in wanted else (chain, [])
    if not told and "ccd-row" in wanted:
        bare, told = without_drift(case)
        case = Case(bare, expid, camera, asked, given) if told else case
    if not any(f.detail.get("by") for f in told):
        bare, levels = with_level(case)
        told = [*told, *levels]
    if told:
        case = Case(bare, expid, camera, asked, given)
    case = _examined(case, [f for f in (*told, *dark, *noisy) if f.kind in wanted], ctx)
    alone(case, wanted)
    found = [_as_sure_as(made, f) for f in together(without_charge(_merged(case.findings, nfiber), nfiber))]
    arrays, numbers = case.arrays(), case.numbers
    if BY_NOISE in made.values():  # which is no sky to compare with others
        numbers = {name: value for name, value in numbers.items() if name not in ("sky", "sky_wave")}
        arrays.pop("sky")
    return CameraTriage(tuple(sorted(found, key=lambda f: f.rank)), (*missing, *case.lacking), arrays, numbers)


def _examined(case: Case, first: list[Finding], ctx: JobContext) -> Case:
    """The camera with all questions asked; where a large part of its fibers is off, again without what they are off by.

    `first` is what was found before.
    """
    for left in range(MOST_PARTS, -1, -1):
        ids = case.chain.fiber_id
        case.findings += first
        case.numbers["fiber_id"] = None if ids is None else [int(number) for number in ids]
        case.asks_parts = left > 0
        for step, weight in ASKED:
            step(case)
            if case.without_part is not None:
                break
            case.done += weight
            ctx.checkpoint(case.done, f"{case.expid} {case.camera}")
        if case.without_part is None:
            break
        chain, part = case.without_part
        first = [*first, *([part] if case.asks(part.kind) else [])]
        case = Case(chain, case.expid, case.camera, case.wanted, case.given)
    return case


def _with_a_sky(chain: Chain, expid: int, camera: str) -> tuple[Chain, list[Finding]]:
    """The chain without a sky model that is no light, and what was made with it; and the finding."""
    level = None if chain.sky is None else float(median(chain.sky))
    if level is None or level > 0:
        return chain, []
    text = f"The sky model is typically {level:.3g} {E_PER_A}: no sky is so; what is made with it is not judged"
    found = Finding(
        expid, camera, "wavelength-all", "sky", fibers=tuple(range(chain.shape[0])), amplitude=level, unit=COUNTS,
        significance=100.0, text=text,
    )  # fmt: skip
    return replace(chain, sky=None, sframe=None, sframe_ivar=None, cframe=None, cframe_ivar=None), [found]


def _with_its_noise(chain: Chain, expid: int, camera: str) -> tuple[Chain, list[Finding]]:
    """The chain with the noise that its spectra have, where all of them scatter by another one; and the finding."""
    sframe, ivar = chain.sframe, chain.sframe_ivar
    if sframe is None or ivar is None:
        return chain, []
    flux, own = sframe[::EVERY], ivar[::EVERY]
    sigma = 1 / np.sqrt(np.where(own > 0, own, 1.0).astype(np.float32))
    of = bends(flux, sigma, own > 0)
    ratio, count = white_noise(of, {"": np.ones(flux.shape, bool)})[""]
    if count < ENOUGH or NOISE[0] < ratio < NOISE[1] or not _everywhere(of, flux.shape, ratio):
        return chain, []
    change: dict[str, Any] = {"sframe_ivar": (ivar / ratio**2).astype(ivar.dtype)}
    if chain.frame_ivar is not None and chain.flat is not None:
        there = (own > 0) & (chain.frame_ivar[::EVERY] > 0)
        part = middle(own[there] / (chain.frame_ivar[::EVERY] * chain.flat[::EVERY] ** 2)[there])
        if NOISE[0] < part < NOISE[1]:  # the frame says the same
            change["frame_ivar"] = (chain.frame_ivar / ratio**2).astype(ivar.dtype)
    step = "preproc" if "frame_ivar" in change else "sframe"
    found = Finding(
        expid, camera, "amplifier-noise", step, fibers=tuple(range(chain.shape[0])), amplitude=ratio,
        unit="times its ivar", significance=abs(ratio - 1) * float(np.sqrt(2 * count)),
        text=f"All spectra scatter {ratio:.3g} times as much as their inverse variance says: it is wrong as a whole",
    )  # fmt: skip
    return replace(chain, **change), [found]


def _everywhere(of: Bends, shape: tuple[int, ...], ratio: float) -> bool:
    """Whether fibers and wavelengths scatter alike: what a part of them does, as an amplifier, is not said of all."""
    fibers, waves = np.arange(shape[0])[:, None], np.arange(shape[1])[None]
    parts = {"low": waves < shape[1] // 2, "high": waves >= shape[1] // 2, "first": fibers < shape[0] // 2}
    parts["last"] = ~parts["first"]
    told = white_noise(of, {name: np.broadcast_to(part, shape) for name, part in parts.items()})
    value, error = fiber_noise(of)
    known = np.isfinite(error)
    spread = float(mad(value[known])) if known.any() else 0.0
    same = all(abs(part - ratio) < ALIKE * ratio for part, number in told.values() if number)
    return same and spread < ALIKE * ratio


def _without_holes(chain: Chain) -> Chain:
    """The chain with numbers everywhere; what has no noise cannot be judged and counts as missing.

    Where the sky model or the flat is unknown the other fibers' stands, and the spectra count as masked.
    """
    changed: dict[str, Any] = {}
    unknown = np.zeros(chain.shape, bool)
    for name in ("sky", "flat", "fluxcalib"):
        values = getattr(chain, name)
        if values is not None and not (known := told(values, getattr(chain, f"{name}_ivar"), name)).all():
            typical = filled(middle(np.where(known, values, np.nan), axis=0)[None], np.ones((1, 1), bool), np.inf)
            changed[name] = np.where(known, values, np.nan_to_num(typical))
            if name in ("sky", "flat"):
                unknown |= ~known
    for name in ("frame", "sframe"):
        values, ivar = getattr(chain, name), getattr(chain, f"{name}_ivar")
        if values is None or ivar is None:
            changed[name] = None
        elif not (known := np.isfinite(values) & np.isfinite(ivar) & ~unknown).all():
            changed[name] = np.where(known, values, 0.0).astype(values.dtype)
            changed[f"{name}_ivar"] = np.where(known, ivar, 0.0)
    cframe = chain.cframe
    if cframe is not None and not (known := told(cframe, chain.cframe_ivar, "cframe")).all():
        parts = [changed.get(name, getattr(chain, name)) for name in ("sframe", "fluxcalib")]
        right = np.zeros(chain.shape) if any(part is None for part in parts) else parts[0] / parts[1]
        changed["cframe"] = np.where(known, cframe, right).astype(cframe.dtype)  # what is unknown contradicts nothing
        if chain.cframe_ivar is not None:
            changed["cframe_ivar"] = np.where(known, chain.cframe_ivar, 0.0)
    for name in ("frame", "sframe"):
        ivar = changed.get(f"{name}_ivar", getattr(chain, f"{name}_ivar"))
        if ivar is not None and not np.any(ivar > 0):
            changed[name] = None
    return replace(chain, **changed) if changed else chain


def _missing(
    chain: Chain, expid: int, camera: str, wanted: tuple[str, ...], known: dict[str, str]
) -> tuple[NotMeasured, ...]:
    """Questions that lack a product; of some that is known already."""
    out = []
    for kind in wanted:
        lacks = [n for n in NEEDS[kind] if not (chain.offset is not None if n == "fiber table" else chain.has(n))]
        if known.get(kind) or lacks:
            out.append(NotMeasured(expid, camera, kind, known.get(kind) or " and ".join(lacks)))
    return tuple(out)


def _as_sure_as(made: Collection[str], finding: Finding) -> Finding:
    """A finding whose step is that of a product which others stand for, or before it: sframe may be wrong instead."""
    for name in made:
        if finding.first_step in OR_SFRAME.get(name, ()):
            text = f"{finding.text}; without {name} nobody can tell whether sframe is wrong instead"
            return replace(finding, text=text, detail={**finding.detail, "without": [name]})
    return finding


def _merged(findings: list[Finding], count: int) -> list[Finding]:
    """Without isolated fibers that a block explains, echoes of strong lines, levels that jump at an edge already."""
    mixed = {x.first_step for x in findings if x.kind == "mixed-production" and "share" in x.detail}
    findings = [x for x in findings if not (x.detail.get("cause") == CONTRADICTS and x.first_step in mixed)]
    blocks = {f for x in findings if x.kind == "positioning" and x.known for f in x.fibers}
    lines = [x for x in findings if x.kind in ("sky-gradient", "sky-line residual")]
    beside = [x for x in lines if beside_stronger(x, lines)]
    jumps = {a for x in findings if x.kind == "amplifier-step" and not x.detail for a in x.amplifier.split("/")}
    beside += [x for x in findings if x.detail.get("side") is False and jumps & set(x.amplifier.split("/"))]
    beside += [x for x in findings if any(_of_a_level(x, step) for step in findings)]
    own = [x for x in findings if x.kind in OF_FIBERS or (x.detail.get("change") in MOVED and len(x.fibers) < count)]
    other = {f for x in own for f in x.fibers}
    beside += _of_lost_light(findings)
    beside += [x for x in findings if x.kind == "cosmic-rays" and other.issuperset(x.fibers)]  # lines that are left
    return [
        x for x in findings
        if x not in beside and not (x.kind == "isolated-fiber" and set(x.fibers) <= blocks and not x.detail.get("dead"))
    ]  # fmt: skip


def _of_lost_light(findings: list[Finding]) -> list[Finding]:
    """Wavelengths of fibers that show no more than the shape of the light that they have less or more of as a whole."""
    out = []
    for sign in (1, -1):
        whole = [x for x in findings if x.kind in OF_FIBERS and x.unit in OF_LIGHT and sign * (x.amplitude - 1) > 0]
        fibers = {f for x in whole for f in x.fibers}
        most = max((x.significance for x in whole), default=0.0)
        out += [
            x for x in findings
            if x.kind == "wavelength-blocks" and x.first_step not in MADE_LATER and sign * x.amplitude > 0
            and fibers.issuperset(x.fibers) and x.significance < most
        ]  # fmt: skip
    return out


def _of_a_level(x: Finding, step: Finding) -> bool:
    """Whether blocks deviate by a part of the level of an amplifier that they are read by."""
    if x.kind != "wavelength-blocks" or x.first_step in MADE_LATER or step.kind != "amplifier-step":
        return False
    inside = len(set(x.fibers) & set(step.fibers)) > ALL_BUT_FEW * len(x.fibers)
    return inside and x.significance < step.significance and abs(x.amplitude) < abs(step.amplitude)


def describe(findings: tuple[Finding, ...]) -> str:
    """The findings of a camera in one line."""
    return "; ".join(f"{f.kind} {ranges(f.blocks) or f.amplifier or ranges(f.fibers[:8])}" for f in findings) or "clean"
