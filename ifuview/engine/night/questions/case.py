"""One camera under examination: its products, what several questions need of them, and what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ifuview.engine.night.search.deviating import (
    FINE,
    Deviation,
    answered,
    deviating,
    deviating_narrowly,
    flat_deviation,
    left,
    sframe_deviation,
    sky_deviation,
)
from ifuview.engine.night.search.identity import gap
from ifuview.engine.night.search.levels import Levels
from ifuview.engine.night.search.noise import inside
from ifuview.engine.night.search.templates import shapes, sharp
from ifuview.engine.night.search.throughput import Guilt
from ifuview.engine.night.sky_light import between_lines
from ifuview.engine.night.stats import continuum, filled, middle, without_gaps
from ifuview.engine.numeric.medians import median
from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.model.night.triage import Finding, NotMeasured

WRITTEN = 0.5  # of the values of a fiber that are not 0, else it holds none
LEAST_FIBERS = 200  # fewer do not tell what is typical
BUNDLE, BLOCK = 25, 50  # fibers that are traced together; fibers that are neighbors on the focal plane
STRONG = 0.3  # of the sky: lines that are left out between the lines
COUNTS, E_PER_A = "electron / Angstrom", "e/A"  # in files, and in sentences
MODEL_CLIP = 4.0  # sigma of a pixel that a sky model leaves out
MEASURED = 0.5  # of the pixels of a fiber
THIN = 8  # every so many pixels are enough for the level of a fiber


def _noise(ivar: Array) -> Array:
    """Noise of a typical fiber that is not masked, shape (nwave,)."""
    typical = middle(np.where(ivar > 0, ivar, np.nan), axis=0)
    level = float(middle(typical))
    known = np.isfinite(typical)
    return np.asarray(1 / np.sqrt(np.maximum(np.where(known, typical, level), 1e-3 * level)))


@dataclass(frozen=True, slots=True)
class LightLevel:
    """Fibers that have another part of the light than their flat says.

    Parameters
    ----------
    fibers : tuple of int
    ratio, error : float
        Light over the flat's.
    guilt : Guilt
    doubt : str
        Another reason that cannot be excluded, and what would tell; "" if none.
    alternatives : tuple of (str, str)
        Classes and first steps of it.
    """

    fibers: tuple[int, ...]
    ratio: float
    error: float
    guilt: Guilt
    doubt: str = ""
    alternatives: tuple[tuple[str, str], ...] = ()


class Case:
    """One camera under examination: its products, what the questions share, and what they found."""

    def __init__(
        self, chain: Chain, expid: int, camera: str, wanted: tuple[str, ...], given: Chain | None = None
    ) -> None:
        self.given = chain if given is None else given  # before its holes were filled
        self.chain, self.expid, self.camera, self.wanted = chain, expid, camera, wanted
        self.findings: list[Finding] = []
        self.lacking: list[NotMeasured] = []
        self.numbers: dict[str, Any] = {}
        self.done = 0.0
        self.set_aside: set[int] = set()  # fibers whose products contradict each other
        self.runs: list[LightLevel] = []  # of neighbors, and of single fibers, that give more or less light
        self.singles: list[LightLevel] = []
        self.products: dict[str, Array] = {}  # what sky model and flat of each fiber differ by from the others'
        self.deviations: list[Deviation] = []
        self.tilt: Array = np.zeros(chain.shape[0])  # of the continuum of the sky over the field, part of it
        self.line_tilt: Array = np.zeros(chain.shape[0])  # the same of its lines: no light that fibers lose or gain
        self.levels: Levels | None = None  # of all fibers, in bins
        self.row_light: Array | float = 0.0  # of rows of the detector, taken off
        self.row_levels: dict[str, Array] = {}
        self.maps: dict[str, Array] = {}  # by name, a number for each fiber that a finding was fitted to
        self._seen: Array | None = None
        self.bad_amplifiers: tuple[str, ...] = ()
        self.asks_parts = False  # whether a large part of the fibers may be taken out, and the camera asked again
        self.without_part: tuple[Chain, Finding] | None = None  # what is left to examine then, and what was found
        nfiber = chain.shape[0]
        self.in_bad_amplifier = np.zeros(nfiber, bool)
        self.known = np.zeros(nfiber, bool) if chain.known is None else np.asarray(chain.known)
        self.level = None if chain.sky is None else median(chain.sky, 0)
        if self.level is not None:
            self.numbers["sky_wave"], self.numbers["sky"] = between_lines(self.level, chain.wave)
        self.good: Array = np.zeros(chain.shape, bool)
        self.clean: Array | None = None
        self.residual: Array | None = None
        if chain.sframe is None or chain.sframe_ivar is None:
            return
        good = chain.sframe_ivar > 0
        alive = good.mean(axis=1) > 0.1
        if chain.frame_ivar is not None:  # fibers that were masked as a whole still show what the sky model did
            there = chain.sframe[~alive] != 0
            there |= (there.mean(axis=1) > WRITTEN)[:, None]  # values of a rounded file may be 0
            good[~alive] = (chain.frame_ivar[~alive] > 0) & there
        self.good = good
        self.sigma = _noise(chain.sframe_ivar)
        self.flux = filled(chain.sframe, good)
        self.expected = np.zeros(chain.shape, np.float32)
        smooth = self._find_deviations()
        self.residual = self.flux - smooth
        self.clean = self.residual

    def _find_deviations(self) -> Array:
        """Ask sky model and flat for what differs between fibers; return the continua, shape (nfiber, nwave)."""
        chain, level = self.chain, self.level
        smooth = continuum(self.flux)
        if chain.sky is None or level is None or chain.shape[0] < LEAST_FIBERS:
            return smooth
        self.products = {"sky": sky_deviation(chain.sky, level)}
        if chain.flat is not None:
            self.products["fiberflat"] = flat_deviation(chain.flat, _light(smooth, level))
        if self.given.has("frame", "flat", "sky", "sframe"):  # else nothing contradicts what was made of the others
            lacks = sframe_deviation(self.gaps, self.good_in_both, level)
            self.products |= {} if lacks is None else {"sframe": lacks}
        wheres = [(step, where) for step, p in self.products.items() for where in deviating(step, p, level)]
        if wheres:
            trial = np.zeros(chain.shape, np.float32)
            for step, (fibers, columns) in wheres:
                trial[fibers, columns] -= self.products[step][fibers][:, columns]
            rest = self.flux - np.where(self.is_sky[:, None], 0, _continuum_without(self.flux, trial, smooth))
            found = [
                answered(step, self.products[step], rest, self.sigma, where, empty=self.is_sky)
                for step, where in wheres
            ]
            self.deviations = [one for one in found if one is not None]
            self.expected = left(self.deviations, self.products, chain.shape)
            smooth = _continuum_without(self.flux, self.expected, smooth)
        self._find_narrow_deviations(smooth, level)
        return smooth

    def _find_narrow_deviations(self, smooth: Array, level: Array) -> None:
        """The same of what is narrower, where nothing wide was found; the continua know nothing of it."""
        chain = self.chain
        fine = dict(self.products)
        if chain.flat is not None:
            fine["fiberflat"] = flat_deviation(chain.flat, _light(smooth, level), FINE)
        rest = self.flux - self.expected - smooth
        lines = shapes(level, chain.wave)  # they are asked for by themselves
        found = []
        for step, product in fine.items():
            known = self.good_in_both if step == "sframe" else None
            for where in deviating_narrowly(product, lines, level, self.expected != 0, known):
                found.append(answered(step, product, rest, self.sigma, where, FINE))
        narrow = [one for one in found if one is not None]
        self.deviations += narrow
        self.expected += left(narrow, fine, chain.shape)

    @cached_property
    def gaps(self) -> Array:
        """What sframe has more than frame / flat - sky, shape (nfiber, nwave)."""
        chain = self.chain
        assert chain.frame is not None and chain.flat is not None
        assert chain.sky is not None and chain.sframe is not None
        return gap(chain.frame, chain.flat, chain.sky, chain.sframe)

    @property
    def good_in_both(self) -> Array:
        """Pixels that are known in sframe and in frame, shape (nfiber, nwave)."""
        ivar = self.chain.frame_ivar
        return self.good if ivar is None else self.good & (ivar > 0)

    @property
    def strong_lines(self) -> Array:
        """Pixels of strong lines of the sky, shape (nwave,)."""
        assert self.level is not None
        return np.asarray(np.abs(shapes(self.level, self.chain.wave)[0]) > STRONG * np.median(self.level))

    @property
    def seen(self) -> Array:
        """The frame over the flat, without holes."""
        if self._seen is None:
            chain = self.chain
            assert chain.frame is not None and chain.flat is not None
            ivar = np.ones_like(chain.frame) if chain.frame_ivar is None else chain.frame_ivar
            self._seen = filled(chain.frame, ivar > 0) / np.where(chain.flat > 0, chain.flat, 1.0).astype(np.float32)
        return self._seen

    @cached_property
    def weight(self) -> Array:
        """Inverse variance of the pixels that are known, shape (nfiber, nwave), float32."""
        ivar = self.chain.sframe_ivar
        typical = (self.sigma**-2.0).astype(np.float32)[None]
        own = typical if ivar is None else np.where(ivar > 0, ivar, typical)
        return np.asarray(np.where(self.good & np.isfinite(self.flux), own, 0.0), np.float32)

    @cached_property
    def areas(self) -> dict[str, Array]:
        """Pixels that each amplifier reads, by its name; none without traces."""
        chain = self.chain
        if chain.cross is None or chain.disp is None:
            return {}
        return {s.name: inside(s, chain.cross, chain.disp) for s in chain.sections}

    @cached_property
    def sharp(self) -> Array:
        """Residual without bad rows, without what sky model and flat explain and without what is wide."""
        assert self.clean is not None
        return sharp(self.clean - self.expected)

    @cached_property
    def flat_level(self) -> Array | None:
        """Level of each fiber's flat, shape (nfiber,)."""
        flat = self.chain.flat
        return None if flat is None else median(flat[:, ::THIN], 1)

    @cached_property
    def _mostly_known(self) -> Array:
        return np.asarray(self.good.mean(axis=1) > MEASURED)

    @property
    def is_sky(self) -> Array:
        """Sky fibers, shape (nfiber,); none where no table tells."""
        told = self.chain.is_sky
        return np.zeros(self.chain.shape[0], bool) if told is None else np.asarray(told)

    @property
    def measured(self) -> Array:
        """Fibers of which most pixels are known, shape (nfiber,)."""
        out = self._mostly_known.copy()
        out[list(self.set_aside)] = False
        return out

    @property
    def followed(self) -> float:
        """Part of the sky by which its model is off because it follows sky fibers of runs with another light."""
        lost = sum(abs(run.ratio - 1) * np.count_nonzero(self.is_sky[list(run.fibers)]) for run in self.runs)
        return float(lost) / max(int(np.count_nonzero(self.is_sky)), 1)

    def set_apart(self, fibers: Iterable[int]) -> None:
        """Fibers whose products contradict each other have no part in what the others say."""
        self.set_aside |= set(fibers)
        if self.residual is not None and self.set_aside:
            rows = sorted(self.set_aside)
            self.residual = self.residual.copy()
            self.residual[rows] = np.nan
            self.clean, self.good = self.residual, self.good.copy()
            self.good[rows] = False

    def asks(self, kind: str) -> bool:
        """Whether this class is wanted and can be measured."""
        return kind in self.wanted

    def add(self, kind: str, first_step: str, **values: Any) -> None:
        """Note a finding."""
        self.findings.append(Finding(self.expid, self.camera, kind, first_step, **values))

    def lack(self, kind: str, missing: str) -> None:
        """Note that a question could not be answered."""
        self.lacking.append(NotMeasured(self.expid, self.camera, kind, missing))

    def arrays(self) -> dict[str, Array]:
        """For the evidence."""
        chain = self.chain
        named = {
            "wave": chain.wave, "residual": self.residual, "clean": self.clean, "sky": chain.sky, "disp": chain.disp,
            "seen": self._seen, "flat": chain.flat,
        }  # fmt: skip
        if chain.sframe is not None:
            named["level"] = chain.sframe.mean(axis=1)
            named["masked"] = (~self.good).mean(axis=1)
        rows = {f"rows {name}": level for name, level in self.row_levels.items()}
        if self.maps:
            named |= {"focal_x": chain.focal_x, "focal_y": chain.focal_y}
        known = {name: values for name, values in named.items() if values is not None}
        known |= {name: without_gaps(known[name]) for name in ("residual", "clean", "seen") if name in known}
        return known | rows | self.maps


def _continuum_without(flux: Array, light: Array, smooth: Array) -> Array:
    """Continua of spectra without some light, shape (nfiber, nwave); `smooth` is theirs with it."""
    rows = np.flatnonzero(light.any(axis=1))
    if not rows.size:
        return smooth
    out = smooth.copy()
    out[rows] = continuum(flux[rows] - light[rows])
    return out


def _light(smooth: Array, level: Array) -> Array:
    """Sky and target together, smooth, shape (nfiber, nwave)."""
    return np.asarray(np.maximum(without_gaps(smooth), np.float32(0.0)) + level.astype(np.float32))
