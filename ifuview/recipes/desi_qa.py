"""The recipe "triage": the products of one camera in, findings out, in the order in which they may hide each other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.engine.triage import blocks as in_blocks
from ifuview.engine.triage import fibers as of_fibers
from ifuview.engine.triage import lines as of_lines
from ifuview.engine.triage import others
from ifuview.engine.triage.chain import Chain
from ifuview.engine.triage.night import between_lines
from ifuview.engine.triage.rows import RowTest, row_tests
from ifuview.engine.triage.stats import blocks_of, continuum, filled
from ifuview.model.checks import Array
from ifuview.model.triage import CLASSES, Finding, NotMeasured, ranges

NAME = "desi_qa"
TITLE = "Triage"
STEPS = (("rows", 0.4), ("blocks", 0.2), ("fibers", 0.2), ("rest", 0.2))  # with their weights
BUNDLE, BLOCK = 25, 50  # fibers that are traced together; fibers that are neighbors on the focal plane
COUNTS = "electron / Angstrom"
THIN = 8  # every so many pixels are enough for the level of a fiber
UNKNOWN = np.float32(1e9)  # noise of a masked pixel
LINE_EDGE = 3.6  # Angstrom from the center that a line's residual reaches
SIDE_BAND = 14.0  # Angstrom between lines of which the weaker is told wrong by the stronger
GRADIENT = (15.0, 0.5, 0.1)  # least significance, explained variance and swing of a real gradient
LINE_RESIDUAL = (8.0, 0.03)  # least significance and fraction of the line
MIN_WAVES = 400  # px: ten for each knot of the continuum
MIN_FIBERS = 4 * BLOCK  # fewer blocks have no majority
COMPARED = (
    "wavelength-blocks", "wavelength-all", "amplifier-step", "block-throughput", "sky-line residual", "sky-gradient",
)  # fmt: skip
NEEDS: dict[str, tuple[str, ...]] = {
    "ccd-row": ("sframe", "traces"),
    "wavelength-blocks": ("sframe", "sky"),
    "wavelength-all": ("sframe", "sky"),
    "sky-line residual": ("sframe", "sky"),
    "sky-gradient": ("sframe", "sky", "frame", "flat"),
    "isolated-fiber": ("frame", "flat", "sky"),
    "bright-neighbor": ("sframe", "sky"),
    "block-throughput": ("frame", "flat"),
    "positioning": ("fiber table",),
    "amplifier-step": ("sframe", "traces", "sky"),
    "mixed-production": ("frame", "flat", "sky", "sframe"),
    "fluxcalib": ("fluxcalib",),
}
FIBER_STEP = "light"  # where the light of one fiber is lost: before the detector


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
    chain = _without_holes(chain)
    nfiber, nwave = chain.shape
    if nwave < MIN_WAVES:
        few = f"spectra of at least {MIN_WAVES} pixels (these have {nwave})"
        return CameraTriage((), tuple(NotMeasured(expid, camera, kind, few) for kind in wanted))
    missing = _missing(chain, expid, camera, wanted)
    if nfiber < MIN_FIBERS:
        few = f"at least {MIN_FIBERS} fibers to compare (there are {nfiber})"
        lacks = {m.what for m in missing}
        compare = [kind for kind in wanted if kind in COMPARED and kind not in lacks]
        missing += tuple(NotMeasured(expid, camera, kind, few) for kind in compare)
    state = _State(chain, expid, camera, tuple(set(wanted) - {m.what for m in missing}))
    for (_, weight), step in zip(STEPS, (_rows, _blocks, _fibers, _rest), strict=True):
        step(state)
        state.done += weight
        ctx.checkpoint(state.done, f"{expid} {camera}")
    found = _merged(state.findings)
    return CameraTriage(tuple(sorted(found, key=lambda f: f.rank)), missing, state.arrays(), state.numbers)


def _without_holes(chain: Chain) -> Chain:
    """The chain with numbers everywhere; what has no noise cannot be judged and counts as missing."""
    changed: dict[str, Any] = {}
    for name in ("sky", "flat", "fluxcalib", "cframe"):
        values = getattr(chain, name)
        if values is not None and not (known := np.isfinite(values)).all():
            changed[name] = filled(values, known)
    for name in ("frame", "sframe"):
        values, ivar = getattr(chain, name), getattr(chain, f"{name}_ivar")
        if values is None or ivar is None:
            changed[name] = None
        elif not (known := np.isfinite(values) & np.isfinite(ivar)).all():
            changed[name] = filled(values, known)
            changed[f"{name}_ivar"] = np.where(known, ivar, 0.0)
    for name in ("frame", "sframe"):
        ivar = getattr(chain, f"{name}_ivar")
        if ivar is not None and not np.any(ivar > 0):
            changed[name] = None
    return replace(chain, **changed) if changed else chain


def _missing(chain: Chain, expid: int, camera: str, wanted: tuple[str, ...]) -> tuple[NotMeasured, ...]:
    """Questions that lack a product."""
    out = []
    for kind in wanted:
        lacks = [n for n in NEEDS[kind] if not (chain.offset is not None if n == "fiber table" else chain.has(n))]
        if lacks:
            out.append(NotMeasured(expid, camera, kind, " and ".join(lacks)))
    return tuple(out)


class _State:
    """What the steps share."""

    def __init__(self, chain: Chain, expid: int, camera: str, wanted: tuple[str, ...]) -> None:
        self.chain, self.expid, self.camera, self.wanted = chain, expid, camera, wanted
        self.findings: list[Finding] = []
        self.numbers: dict[str, Any] = {}
        self.done = 0.0
        self._seen: Array | None = None
        self.bad_amplifiers: tuple[str, ...] = ()
        nfiber = chain.shape[0]
        self.known = np.zeros(nfiber, bool) if chain.known is None else np.asarray(chain.known)
        self.level = None if chain.sky is None else np.median(chain.sky, axis=0)
        if self.level is not None:
            self.numbers["sky_wave"], self.numbers["sky"] = between_lines(self.level, chain.wave)
        self.clean: Array | None = None
        self.residual: Array | None = None
        if chain.sframe is None or chain.sframe_ivar is None:
            return
        good = chain.sframe_ivar > 0
        alive = good.mean(axis=1) > 0.1
        if chain.frame_ivar is not None:  # fibers that were masked as a whole still show what the sky model did
            good[~alive] = chain.frame_ivar[~alive] > 0
        self.good = good
        ivar = chain.sframe_ivar[alive] if alive.any() else chain.sframe_ivar
        middle = np.median(ivar, axis=0)
        self.sigma = 1 / np.sqrt(np.maximum(middle, 1e-3 * max(float(np.median(middle)), 1e-12)))
        self.flux = filled(chain.sframe, good)
        self.expected = np.zeros((1, 1), np.float32)
        if chain.sky is not None and self.level is not None:
            self.expected = in_blocks.answer_expected(chain.sky, self.level, BUNDLE)
        self.residual = self.flux - continuum(self.flux - self.expected)
        self.clean = self.residual

    @property
    def seen(self) -> Array:
        """The frame over the flat, without holes."""
        if self._seen is None:
            chain = self.chain
            assert chain.frame is not None and chain.flat is not None
            ivar = np.ones_like(chain.frame) if chain.frame_ivar is None else chain.frame_ivar
            self._seen = filled(chain.frame, ivar > 0) / np.where(chain.flat > 0, chain.flat, 1.0).astype(np.float32)
        return self._seen

    def asks(self, kind: str) -> bool:
        """Whether this class is wanted and can be measured."""
        return kind in self.wanted

    def add(self, kind: str, first_step: str, **values: Any) -> None:
        """Note a finding."""
        self.findings.append(Finding(self.expid, self.camera, kind, first_step, **values))

    def arrays(self) -> dict[str, Array]:
        """For the evidence."""
        chain = self.chain
        named = {
            "wave": chain.wave, "residual": self.residual, "clean": self.clean, "sky": chain.sky, "disp": chain.disp,
            "seen": self._seen, "flat": chain.flat,
        }  # fmt: skip
        return {name: values for name, values in named.items() if values is not None}


def _rows(state: _State) -> None:
    """Rows of bad amplifiers, taken off so that what lies under them is still found."""
    chain = state.chain
    if state.residual is None or chain.disp is None or chain.cross is None:
        return
    tests, clean = row_tests(
        state.residual - state.expected, state.sigma, state.good, chain.wave, chain.cross, chain.disp, chain.sections
    )
    state.clean = clean + state.expected
    state.bad_amplifiers = tuple(t.section.name for t in tests if t.bad)
    state.numbers["rows"] = {t.section.name: round(t.rows, 2) for t in tests}
    if not state.asks("ccd-row"):
        return
    for test in tests:
        if test.bad:
            state.add("ccd-row", "preproc", **_row_finding(test))


def _row_finding(test: RowTest) -> dict[str, Any]:
    first, last = test.fibers
    return {
        "fibers": tuple(range(first, last + 1)), "wave_range": test.wave_range, "amplifier": test.section.name,
        "amplitude": test.amplitude, "unit": COUNTS, "significance": float(np.sqrt(test.rows)),
        "confidence": float(np.clip((test.rows - 5) / 20, 0.5, 1.0)),
        "text": f"Amplifier {test.section.name} adds levels to whole detector rows (fibers {first}-{last}, "
        f"{test.wave_range[0]:.0f}-{test.wave_range[1]:.0f} A): curved stripes of {test.amplitude:.0f} {COUNTS}",
        "detail": {"chi2_rows": round(test.rows, 1), "chi2_waves": round(test.waves, 1)},
    }  # fmt: skip


def _blocks(state: _State) -> None:
    """Blocks of fibers that deviate at some wavelengths, and residuals that all fibers share."""
    chain = state.chain
    if state.clean is None or state.level is None or chain.sky is None:
        return
    if not (state.asks("wavelength-blocks") or state.asks("wavelength-all")):
        return
    bins = in_blocks.grid(chain.wave, state.level, state.sigma)
    products = {"sky": chain.sky}
    if chain.flat is not None:
        products = {"fiberflat": _flat_shape(chain.flat, state.level), **products}
    if state.asks("wavelength-blocks"):
        for region in in_blocks.regions(state.clean, products, bins, BLOCK):
            frame = None
            if chain.frame is not None and chain.flat is not None:
                frame = in_blocks.share(region, state.seen, state.clean, bins)
            state.add("wavelength-blocks", {"frame": "preproc"}.get(region.step, region.step), **_region(region, frame))
    if state.asks("wavelength-all"):
        for amplitude, significance, span in others.everywhere(state.clean - state.expected, bins, BLOCK):
            state.add(
                "wavelength-all", "sky", fibers=tuple(range(chain.shape[0])), wave_range=span, amplitude=amplitude,
                unit=COUNTS, significance=significance, confidence=0.7,
                text=f"All fibers keep {amplitude:+.0f} {COUNTS} at {span[0]:.0f}-{span[1]:.0f} A after the sky is off",
            )  # fmt: skip


def _flat_shape(flat: Array, level: Array) -> Array:
    """The flat of each bundle without its smooth part, in counts of sky."""
    good = np.where(flat > 0, flat, 1.0).astype(np.float32)
    relative = good / np.median(good[:, ::THIN], axis=1, keepdims=True)
    shape = blocks_of(relative, BUNDLE)
    shape = (shape - continuum(shape)) * level
    out = np.zeros(flat.shape, np.float32)
    out[: shape.shape[0] * BUNDLE] = np.repeat(shape, BUNDLE, axis=0)
    return out


def _region(region: in_blocks.Region, frame: float | None) -> dict[str, Any]:
    low, high = region.wave_range
    fibers = tuple(f for b in region.blocks for f in range(b * region.size, (b + 1) * region.size))
    strongest = max(region.amplitude, key=abs)
    where = {
        "sky": "the sky model itself deviates there, frame and flat do not",
        "fiberflat": "the fiberflat has a feature there",
        "frame": "neither sky model nor fiberflat has it",
    }[region.step]
    signs = ", ".join(f"{b}{'+' if a > 0 else '-'}" for b, a in zip(region.blocks, region.amplitude, strict=True))
    return {
        "fibers": fibers, "blocks": region.blocks, "block_size": region.size, "wave_range": region.wave_range,
        "amplitude": strongest, "unit": COUNTS, "significance": region.significance,
        "confidence": 1.0 if region.answer else 0.8,
        "text": f"Blocks of {region.size} fibers ({signs}) deviate by up to {abs(strongest):.0f} {COUNTS} at "
        f"{low:.0f}-{high:.0f} A: {where}",
        "detail": {
            "amplitude_of_block": [round(a, 1) for a in region.amplitude],
            "flux_over_product": [round(-a, 2) for a in region.answer],
            "frame_over_flux": None if frame is None else round(frame, 2),
        },
    }  # fmt: skip


def _fibers(state: _State) -> None:
    """Single fibers, lines, positions."""
    chain = state.chain
    if chain.offset is not None and state.asks("positioning"):
        _positions(state)
    if chain.sframe is not None and state.level is not None and state.asks("bright-neighbor"):
        _bright(state)
    if not chain.has("frame", "flat", "sky") or chain.frame is None or chain.flat is None or chain.sky is None:
        return
    ivar = np.ones_like(chain.frame) if chain.frame_ivar is None else chain.frame_ivar
    flat = np.where(chain.flat > 0, chain.flat, 1.0).astype(np.float32)
    seen = state.seen
    sigma = 1 / np.sqrt(np.maximum(ivar, 1e-9)) / flat
    sigma = np.where(ivar > 0, sigma, UNKNOWN).astype(np.float32)
    residual = seen - chain.sky if state.clean is None else state.clean - state.expected
    assert state.level is not None
    lines = of_lines.measure(seen, chain.sky, residual, sigma, chain.wave, state.level)
    value, error = of_lines.throughput(lines)
    odd = of_fibers.odd_fibers(value, error)
    level = np.median(seen, axis=1)
    dark = of_fibers.dark_fibers(level, BUNDLE) & (~np.isfinite(value) | odd)
    losing = of_fibers.losing_blocks(level, BUNDLE) if level.size >= BUNDLE else []
    if state.asks("block-throughput"):
        _losing(state, losing)
    if state.asks("isolated-fiber"):
        lost = {f for k, *_ in losing for f in range(k * BUNDLE, (k + 1) * BUNDLE)}
        for fiber in np.flatnonzero(odd | dark):
            if int(fiber) in lost and not (dark[fiber] or value[fiber] < of_fibers.DEAD):
                continue
            _isolated(
                state, int(fiber), float(value[fiber]), float(error[fiber]), float(level[fiber] / np.median(level))
            )
    if state.clean is not None and (state.asks("sky-gradient") or state.asks("sky-line residual")):
        _gradients(state, lines, ~(odd | dark))


def _isolated(state: _State, fiber: int, value: float, error: float, level: float) -> None:
    """A dead, faint or bright fiber."""
    measured = np.isfinite(value)
    throughput = value if measured else level
    error = error if measured else 0.1
    dead = throughput < of_fibers.DEAD if measured else level < of_fibers.DARK
    known = bool(state.known[fiber])
    said = state.chain.known_text[fiber] if state.chain.known_text else ""
    text = "is dead" if dead else f"has {throughput:.2f} of the throughput that the flat says"
    state_of = f"known: {said or 'flagged'}" if known else "new: its status does not say so"
    state.add(
        "isolated-fiber", FIBER_STEP, fibers=(fiber,), amplitude=throughput, unit="throughput / flat",
        significance=float(abs(throughput - 1) / max(error, 1e-6)), known=known, confidence=1.0 if measured else 0.8,
        text=f"Fiber {fiber} {text} ({state_of})",
        detail={"dead": bool(dead), "throughput": round(throughput, 3), "error": round(error, 3)},
    )  # fmt: skip


def _losing(state: _State, losing: list[tuple[int, float, float]]) -> None:
    for block, level, significance in losing:
        fibers = tuple(range(block * BUNDLE, (block + 1) * BUNDLE))
        state.add(
            "block-throughput", "trace", fibers=fibers, blocks=(block,), block_size=BUNDLE, amplitude=level,
            unit="level / other blocks", significance=significance, confidence=0.8,
            text=f"Block {block} of {BUNDLE} fibers ({fibers[0]}-{fibers[-1]}) has {level:.2f} of the others' light "
            "at all wavelengths: traces, PSF or flat of this block",
        )  # fmt: skip


def _bright(state: _State) -> None:
    chain = state.chain
    assert chain.sframe is not None and state.level is not None
    flux = np.median(chain.sframe[:, ::THIN], axis=1)
    sky = max(float(np.median(state.level)), 1e-6)
    for fiber, first, last, ratio in of_fibers.bright_rows(flux, sky):
        state.add(
            "bright-neighbor", FIBER_STEP, fibers=tuple(range(first, last + 1)), amplitude=ratio, unit="sky levels",
            significance=ratio, confidence=0.7, detail={"source": fiber},
            text=f"Fiber {fiber} is {ratio:.0f} times as bright as the sky; its neighbors {first}-{last} get its light",
        )  # fmt: skip


def _positions(state: _State) -> None:
    chain = state.chain
    assert chain.offset is not None
    flux = None if chain.sframe is None else np.median(chain.sframe[:, ::THIN], axis=1)
    for block, offset, share in of_fibers.off_position(chain.offset, BLOCK):
        fibers = tuple(range(block * BLOCK, (block + 1) * BLOCK))
        light = float("nan")
        if flux is not None and chain.is_sky is not None:
            light = of_fibers.target_light(flux, chain.is_sky, block, BLOCK)
        known = bool(np.mean(state.known[list(fibers)]) > 0.5)
        lost = f", their targets give {light:.2f} of the others' light" if np.isfinite(light) else ""
        state.add(
            "positioning", FIBER_STEP, fibers=fibers, blocks=(block,), block_size=BLOCK, amplitude=offset, unit="mm",
            significance=offset / of_fibers.OFF_POSITION, known=known, confidence=1.0 if light < 0.7 else 0.7,
            detail={"share": round(share, 2), "target_light": None if np.isnan(light) else round(light, 2)},
            text=f"Fibers {fibers[0]}-{fibers[-1]} are {offset:.2f} mm off position{lost}; their sky is normal",
        )  # fmt: skip


def _gradients(state: _State, lines: of_lines.LineLight, use: Array) -> None:
    """Lines that vary over the field, and lines that stay everywhere."""
    chain = state.chain
    model = np.median(lines.model, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = lines.residual / model
    count = max(int(np.count_nonzero(use)), 1)
    middle = np.median(ratio[use], axis=0)
    error = 1.25 * 1.4826 * np.median(np.abs(ratio[use] - middle), axis=0) / np.sqrt(count)
    weight = np.median(lines.error[use], axis=0) / np.maximum(np.abs(model), 1e-9)
    wide = error * np.sqrt(count) / 1.25 / np.maximum(weight, 1e-9)
    for k, at in enumerate(lines.at):
        wave = float(chain.wave[at])
        span = (wave - LINE_EDGE, wave + LINE_EDGE)
        if wide[k] > 1.2 and chain.focal_x is not None and chain.focal_y is not None and state.asks("sky-gradient"):
            found = of_lines.gradient(lines, k, chain.wave, chain.focal_x, chain.focal_y, use)
            if found is not None and all(
                v > limit for v, limit in zip((found.significance, found.explained, found.swing), GRADIENT, strict=True)
            ):
                direction = float(np.degrees(np.arctan2(found.slope[1], found.slope[0])))
                state.add(
                    "sky-gradient", "light", fibers=tuple(range(chain.shape[0])), wave_range=span,
                    amplitude=found.swing, unit="of the line", significance=found.significance,
                    confidence=float(np.clip(found.explained + 0.2, 0, 1)),
                    detail={"direction_deg": round(direction), "explained": round(found.explained, 2)},
                    text=f"The sky line at {wave:.1f} A varies smoothly over the focal plane "
                    f"by {100 * found.swing:.0f} % (rising towards {direction:.0f} deg): real sky, not a fault",
                )  # fmt: skip
                continue
        if state.asks("sky-line residual") and abs(middle[k]) > max(LINE_RESIDUAL[1], LINE_RESIDUAL[0] * error[k]):
            state.add(
                "sky-line residual", "sky", fibers=tuple(range(chain.shape[0])), wave_range=span,
                amplitude=float(middle[k]), unit="of the line", significance=float(abs(middle[k]) / error[k]),
                text=f"{100 * middle[k]:+.0f} % of the sky line at {wave:.1f} A stays in all fibers",
            )  # fmt: skip


def _rest(state: _State) -> None:
    """Products that contradict each other, calibration, edges of amplifiers."""
    chain = state.chain
    if state.asks("mixed-production"):
        _mixed(state)
    if state.asks("fluxcalib") and chain.fluxcalib is not None:
        found = others.wiggle(chain.fluxcalib, chain.wave)
        if found is not None:
            peak, span = found
            state.add(
                "fluxcalib", "fluxcalib", fibers=tuple(range(chain.shape[0])), wave_range=span, amplitude=peak,
                unit="relative", significance=abs(peak) / 0.01, text=f"The flux calibration has a feature of "
                f"{100 * peak:+.0f} % at {span[0]:.0f}-{span[1]:.0f} A that no smooth response has",
            )  # fmt: skip
    if state.asks("amplifier-step") and state.clean is not None and chain.disp is not None and chain.cross is not None:
        _edges(state)


def _mixed(state: _State) -> None:
    """sframe must be frame / flat - sky, and cframe must be sframe / fluxcalib."""
    chain = state.chain
    assert chain.frame is not None and chain.flat is not None and chain.sky is not None and chain.sframe is not None
    good = state.good if chain.frame_ivar is None else state.good & (chain.frame_ivar > 0)
    names = "frame / flat - sky"
    found = others.identity(chain.frame, chain.flat, chain.sky, chain.sframe, good, state.sigma, chain.wave)
    step, product = "sky", "sframe"
    if found is None and chain.fluxcalib is not None and chain.cframe is not None:
        found = others.calibration_identity(chain.sframe, chain.fluxcalib, chain.cframe, good, state.sigma, chain.wave)
        step, product, names = "fluxcalib", "cframe", "sframe / fluxcalib"
    if found is None:
        return
    state.add(
        "mixed-production", step, fibers=found.fibers, wave_range=found.wave_range, amplitude=found.typical,
        unit=COUNTS, significance=found.share / others.MISFIT_SHARE,
        detail={"share": round(found.share, 3), "product": product},
        text=f"{product} is not {names} in {100 * found.share:.0f} % of the pixels (typically {found.typical:.0f} "
        f"{COUNTS}): files of different productions are mixed",
    )  # fmt: skip


def _edges(state: _State) -> None:
    chain = state.chain
    assert state.clean is not None and chain.disp is not None and chain.cross is not None and state.level is not None
    rest = state.clean - state.expected
    sky = float(np.median(state.level))
    jumps = others.steps(rest, chain.disp, chain.cross, chain.sections, BLOCK, state.bad_amplifiers)
    for below, above, jump, significance, edge in jumps:
        if abs(jump) < others.EDGE_SKY * sky:
            continue
        section = next(s for s in chain.sections if s.name == below)
        middle = chain.cross[:, chain.cross.shape[1] // 2]
        rows = np.flatnonzero((middle >= section.cross[0]) & (middle < section.cross[1]))
        at = np.argmin(np.abs(chain.disp[rows] - edge), axis=1)
        span = (float(chain.wave[at.min()]), float(chain.wave[at.max()]))
        state.add(
            "amplifier-step", "preproc", fibers=tuple(int(r) for r in rows), wave_range=span,
            amplifier=f"{below}/{above}", amplitude=jump, unit=COUNTS, significance=significance,
            text=f"The level jumps by {jump:+.0f} {COUNTS} from amplifier {below} to {above} (row {edge:.0f})",
        )  # fmt: skip


def _in_the_side_of(line: Finding, other: Finding) -> bool:
    """Whether a line's continuum is taken where a stronger finding lies."""
    if line.wave_range is None or other.wave_range is None or line.significance >= other.significance:
        return False
    return abs(line.wave_range[0] - other.wave_range[0]) < SIDE_BAND


def _merged(findings: list[Finding]) -> list[Finding]:
    """Without isolated fibers that a block explains, and without echoes of strong lines in their neighbors."""
    blocks = {f for x in findings if x.kind == "positioning" and x.known for f in x.fibers}
    lines = [x for x in findings if x.kind in ("sky-gradient", "sky-line residual")]
    beside = [x for x in lines if any(_in_the_side_of(x, other) for other in lines)]
    return [
        x for x in findings
        if x not in beside and not (x.kind == "isolated-fiber" and set(x.fibers) <= blocks and not x.detail.get("dead"))
    ]  # fmt: skip


def describe(findings: tuple[Finding, ...]) -> str:
    """The findings of a camera in one line."""
    return "; ".join(f"{f.kind} {ranges(f.blocks) or f.amplifier or ranges(f.fibers[:8])}" for f in findings) or "clean"
