"""Defects of the read-out and of the detector: rows, columns, amplifiers, trailing, cosmic rays."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain, Section
from ifuview.simulate.defects.plant import Defect, PlantedChange, Truth

TAIL = (0.5, 0.3, 0.2)  # of the light that trails, in the next pixels
HITS = 1000
COLUMN_FLOOR = 60.0  # electron: what four times the light is that faint targets naturally differ by


def inside(chain: Chain, section: Section) -> Array:
    """Pixels that an amplifier reads, shape (nfiber, nwave)."""
    assert chain.cross is not None and chain.disp is not None
    return (
        (chain.cross >= section.cross[0]) & (chain.cross < section.cross[1])
        & (chain.disp >= section.disp[0]) & (chain.disp < section.disp[1])
    )  # fmt: skip


def _amplifier(chain: Chain, random: np.random.Generator) -> tuple[Section, Array]:
    section = chain.sections[int(random.integers(len(chain.sections)))]
    return section, inside(chain, section)


def _fibers(where: Array) -> tuple[int, ...]:
    share = where.mean(axis=1)
    return tuple(int(f) for f in np.flatnonzero(share > share.max() / 2))


def _levels(chain: Chain, random: np.random.Generator, smooth: int) -> Array:
    """A level for each detector row, rms 1, smooth over so many rows."""
    assert chain.disp is not None
    count = int(chain.disp.max()) + 2
    values = random.normal(size=count + 6 * smooth)
    if smooth > 1:
        kernel = np.exp(-0.5 * (np.arange(-3 * smooth, 3 * smooth + 1) / smooth) ** 2)
        values = np.convolve(values, kernel / kernel.sum(), "same")
    values = values[3 * smooth : 3 * smooth + count]
    values = (values - values.mean()) / values.std()
    return np.asarray(values[np.clip(np.rint(chain.disp).astype(int), 0, count - 1)])


def rows(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A level for each row of an amplifier."""
    section, where = _amplifier(chain, random)
    light = amplitude * _levels(chain, random, 1) * where
    return PlantedChange(light=light), Truth(("ccd-row",), ("preproc",), _fibers(where), amplifiers=(section.name,))


def drift(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The same, smooth over 200 rows."""
    section, where = _amplifier(chain, random)
    light = amplitude * _levels(chain, random, 85) * where
    return PlantedChange(light=light), Truth(("ccd-row",), ("preproc",), _fibers(where), amplifiers=(section.name,))


def band(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """Eight rows of an amplifier have a level."""
    section, where = _amplifier(chain, random)
    assert chain.disp is not None
    own = chain.disp[where]
    first = random.uniform(np.percentile(own, 20), np.percentile(own, 80))
    light = amplitude * ((chain.disp >= first) & (chain.disp < first + 8)) * where
    return PlantedChange(light=light), Truth(("ccd-row",), ("preproc",), _fibers(where), amplifiers=(section.name,))


def offset(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """An amplifier has a level."""
    section, where = _amplifier(chain, random)
    kinds = "amplifier-step", "ccd-row"
    return PlantedChange(light=amplitude * where), Truth(kinds, ("preproc",), amplifiers=(section.name,))


def half(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """Both amplifiers of one side have a level."""
    right = max(s.cross[0] for s in chain.sections)
    of = [s for s in chain.sections if s.cross[0] == right]
    where = inside(chain, of[0]) | inside(chain, of[1])
    names = tuple(s.name for s in of)
    return PlantedChange(light=amplitude * where), Truth(
        ("amplifier-step",), ("preproc",), _fibers(where), amplifiers=names
    )


def noise(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The noise of an amplifier is higher than its inverse variance says, by this part."""
    section, where = _amplifier(chain, random)
    assert chain.sframe_ivar is not None
    good = chain.sframe_ivar > 0
    sigma = np.where(good, 1 / np.sqrt(np.where(good, chain.sframe_ivar, 1.0)), 0.0)
    extra = np.sqrt((1 + amplitude) ** 2 - 1) * sigma * random.normal(size=sigma.shape) * where
    kinds = "amplifier-noise", "ccd-row"
    return PlantedChange(light=extra), Truth(kinds, ("preproc",), _fibers(where), amplifiers=(section.name,))


def column(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A hot or cold column over half of the rows, one to three pixels wide, electron a pixel."""
    light, fibers = _column(chain, amplitude, random)
    return PlantedChange(light=light), Truth(("ccd-column", "isolated-fiber"), ("preproc",), fibers)


def column_in_sframe(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The same in the sky-subtracted spectra and what is made of them, and in no product before."""
    light, fibers = _column(chain, amplitude, random)
    return PlantedChange(left=light), Truth(("isolated-fiber", "ccd-column"), ("sframe", "sky"), fibers)


def column_in_cframe(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The same in the calibrated spectra alone."""
    light, fibers = _column(chain, amplitude, random)
    return PlantedChange(calibrated=light), Truth(("isolated-fiber", "ccd-column"), ("cframe", "fluxcalib"), fibers)


def _column(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[Array, tuple[int, ...]]:
    """Light of a column in the spectra, and the fibers that it touches."""
    assert chain.cross is not None and chain.disp is not None
    fiber, here = int(random.integers(20, chain.shape[0] - 20)), int(random.integers(chain.shape[1]))
    at, edge = float(np.round(chain.cross[fiber, here])), max(s.disp[0] for s in chain.sections)
    part = (chain.disp < edge) == (chain.disp[fiber, here] < edge)  # a column of the half in which a trace crosses it
    away = [chain.cross - at - pixel for pixel in range(int(random.integers(1, 4)))]
    weight = np.sum([np.exp(-0.5 * (d / 1.1) ** 2) for d in away], axis=0) / (1.1 * np.sqrt(2 * np.pi)) * 0.9
    step = float(np.median(np.diff(chain.wave)))
    light = amplitude / step * weight * part
    strength = np.sqrt(np.sum(light**2, axis=1))
    return light, tuple(int(f) for f in np.flatnonzero(strength > 0.3 * strength.max()))


def trailing(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A part of the light of an amplifier lags behind by up to three rows."""
    section, where = _amplifier(chain, random)
    assert chain.sframe is not None and chain.sky is not None
    seen = np.where(where, chain.sframe + chain.sky, 0.0)
    late = sum(t * np.roll(seen, k + 1, axis=1) for k, t in enumerate(TAIL))
    kinds = "charge-transfer", "sky-line residual"
    return PlantedChange(light=amplitude * (late - seen) * where), Truth(
        kinds, ("preproc",), _fibers(where), amplifiers=(section.name,)
    )


def smeared(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A part of the light of an amplifier is in the next fiber."""
    section, where = _amplifier(chain, random)
    assert chain.sframe is not None and chain.sky is not None
    seen = np.where(where, chain.sframe + chain.sky, 0.0)
    return PlantedChange(light=amplitude * (np.roll(seen, 1, axis=0) - seen) * where), Truth(
        ("charge-transfer",), ("preproc",), _fibers(where), amplifiers=(section.name,)
    )


def cosmics(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A thousand hits that nobody masked, sigma."""
    assert chain.sframe_ivar is not None
    nfiber, nwave = chain.shape
    sigma = 1 / np.sqrt(np.maximum(np.median(chain.sframe_ivar, axis=0), 1e-9))
    light = np.zeros((nfiber, nwave))
    fiber, at = random.integers(nfiber, size=HITS), random.integers(1, nwave - 1, size=HITS)
    height = amplitude * random.exponential(1.0, HITS) + amplitude / 2
    for step, part in ((0, 1.0), (1, 0.4)):
        np.add.at(light, (fiber, at + step), part * height * sigma[at])
    return PlantedChange(light=light), Truth(("cosmic-rays",), ("preproc",))


DEFECTS = (
    Defect("row noise", rows, 5.0, "electron / Angstrom", snr=20.0),
    Defect("row drift", drift, 8.0, "electron / Angstrom", snr=20.0),
    Defect("row band", band, 16.0, "electron / Angstrom"),
    Defect("amplifier offset", offset, 6.0, "electron / Angstrom", floor=2.0),
    Defect("right half offset", half, 10.0, "electron / Angstrom", floor=3.0),
    Defect("amplifier noise", noise, 0.3, "of the noise", snr=0.0),
    Defect("hot column", column, 100.0, "electron", floor=COLUMN_FLOOR),
    Defect("cold column", column, -100.0, "electron", floor=COLUMN_FLOOR),
    Defect("column in sframe", column_in_sframe, 100.0, "electron"),
    Defect("column in cframe", column_in_cframe, 100.0, "electron"),
    Defect("trailing along", trailing, 0.1, "of the light", snr=0.0),
    Defect("trailing across", smeared, 0.1, "of the light", snr=0.0),
    Defect("cosmic rays", cosmics, 20.0, "sigma", snr=0.0),
)
