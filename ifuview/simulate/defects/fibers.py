"""Defects of one fiber, or of a pair of them."""

from __future__ import annotations

import numpy as np

from ifuview.model.checks import Array
from ifuview.model.night.chain import Chain
from ifuview.simulate.defects.plant import Defect, PlantedChange, Truth

ONE = ("isolated-fiber",)
LINES = ("sky-line residual", "isolated-fiber")
STAR = 300.0  # sky levels
BUMP = 42.0  # Angstrom, sigma
ROW = ("is_sky", "focal_x", "focal_y", "offset", "known")  # what the fiber table says of a fiber, but its number
APART = 100  # fibers between two that are no neighbors in the field


def rows(chain: Chain, *fibers: int) -> Array:
    """1 in these fibers, shape (nfiber, 1)."""
    out = np.zeros((chain.shape[0], 1))
    out[list(fibers)] = 1.0
    return out


def working(chain: Chain, random: np.random.Generator, sky: bool | None = None, count: int = 1) -> list[int]:
    """Fibers that are alive and not known as bad, of any role, sky fibers, or targets."""
    assert chain.sframe_ivar is not None and chain.frame is not None and chain.is_sky is not None
    level = np.median(chain.frame[:, ::8], axis=1)
    use = (np.mean(chain.sframe_ivar > 0, axis=1) > 0.9) & (level > 0.7 * np.median(level))
    if chain.known is not None:
        use &= ~chain.known
    if sky is not None:
        use &= chain.is_sky == sky
    return [int(f) for f in random.choice(np.flatnonzero(use), count, replace=False)]


def gaussian(chain: Chain, center: float, width: float) -> Array:
    """A bump over wavelength of height 1."""
    return np.asarray(np.exp(-0.5 * ((chain.wave - center) / width) ** 2))


def anywhere(chain: Chain, random: np.random.Generator, margin: float = 0.15) -> float:
    """A wavelength away from the ends."""
    low, high = chain.wave[0], chain.wave[-1]
    return float(random.uniform(low + margin * (high - low), high - margin * (high - low)))


def sky_of(chain: Chain) -> Array:
    """The sky spectrum, shape (nwave,)."""
    assert chain.sky is not None
    return np.asarray(np.median(chain.sky, axis=0), np.float64)


def sky_left(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """One fiber keeps a part of its sky, although frame, flat and sky model are right."""
    (fiber,) = working(chain, random)
    return PlantedChange(left=amplitude * rows(chain, fiber) * sky_of(chain)), Truth(ONE, ("sky",), (fiber,))


def sky_model_of_fiber(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The sky model of one fiber is wrong by a factor."""
    (fiber,) = working(chain, random)
    return PlantedChange(model=-amplitude * rows(chain, fiber) * sky_of(chain)), Truth(ONE, ("sky",), (fiber,))


def negative(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """One sky fiber lies below zero by a constant."""
    (fiber,) = working(chain, random, sky=True)
    level = float(np.median(sky_of(chain)))
    return PlantedChange(light=-amplitude * level * rows(chain, fiber)), Truth(ONE, ("preproc",), (fiber,))


def column_part(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A bright column through a part of one sky fiber."""
    return _level_of_a_part(chain, working(chain, random, sky=True)[0], amplitude, random)


def column_in_a_target(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The same of a target that is no brighter than the sky."""
    assert chain.sframe is not None
    level = np.median(chain.sframe[:, ::8], axis=1)
    faint = [f for f in working(chain, random, False, 200) if level[f] < np.median(sky_of(chain))]
    return _level_of_a_part(chain, faint[0], amplitude, random)


def _level_of_a_part(
    chain: Chain, fiber: int, amplitude: float, random: np.random.Generator
) -> tuple[PlantedChange, Truth]:
    """One fiber has a level below or above a wavelength."""
    edge = anywhere(chain, random, 0.3)
    part = chain.wave < edge if random.random() < 0.5 else chain.wave > edge
    return PlantedChange(light=amplitude * rows(chain, fiber) * part), Truth(
        ("ccd-column", *ONE), ("preproc",), (fiber,), (float(chain.wave[part][0]), float(chain.wave[part][-1]))
    )


def shift(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The wavelengths of one fiber are displaced, Angstrom."""
    (fiber,) = working(chain, random)
    slope = np.gradient(sky_of(chain), chain.wave)
    return PlantedChange(light=-amplitude * rows(chain, fiber) * slope), Truth(LINES, ("trace",), (fiber,))


def flat_bump(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The flat of one fiber has a bump."""
    (fiber,) = working(chain, random)
    center = anywhere(chain, random)
    factor = 1 + amplitude * rows(chain, fiber) * gaussian(chain, center, BUMP)
    span = center - 2 * BUMP, center + 2 * BUMP
    return PlantedChange(flat=factor), Truth((*ONE, "wavelength-blocks"), ("fiberflat",), (fiber,), span)


def flat_gray(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """The flat of one fiber is too high by this part of it."""
    (fiber,) = working(chain, random)
    return PlantedChange(flat=1 + amplitude * rows(chain, fiber)), Truth(ONE, ("fiberflat",), (fiber,))


def throughput(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """One fiber gives this part more light (less, if negative)."""
    (fiber,) = working(chain, random)
    return PlantedChange(throughput=1 + amplitude * rows(chain, fiber)), Truth(ONE, ("light",), (fiber,))


def on_a_star(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A sky fiber has an object of this many sky levels."""
    (fiber,) = working(chain, random, sky=True)
    level = float(np.median(sky_of(chain)))
    shape = (chain.wave / chain.wave.mean()) ** random.normal(0, 1)
    for _ in range(8):
        shape = shape * (1 - random.uniform(0.1, 0.4) * gaussian(chain, anywhere(chain, random, 0.02), 4.0))
    return PlantedChange(light=amplitude * level * rows(chain, fiber) * shape), Truth(ONE, ("light",), (fiber,))


def off_position(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """One target is this far off its position, mm, and loses its light."""
    (fiber,) = working(chain, random, sky=False)
    assert chain.offset is not None and chain.sframe is not None
    offset = chain.offset.copy()
    offset[fiber] = amplitude
    own = -0.9 * chain.sframe.mean(axis=1, keepdims=True) * rows(chain, fiber)
    return PlantedChange(light=own, table={"offset": offset}), Truth(("positioning",), ("light",), (fiber,))


def swapped_spectra(chain: Chain, _: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A sky fiber and a target have each other's spectra."""
    one, two = (*working(chain, random, sky=True), _bright_target(chain, random))
    order = np.arange(chain.shape[0])
    order[[one, two]] = two, one
    return PlantedChange(order=order), Truth(
        ("swapped-fibers",), ("preproc", "trace", "light"), (min(one, two), max(one, two))
    )


def swapped_rows(chain: Chain, _: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """Two rows of the fiber table are exchanged, numbers and all."""
    one, two = (*working(chain, random, sky=True), _bright_target(chain, random))
    return _exchanged(chain, one, two, ("fiber_id", *ROW))


def swapped_places(chain: Chain, _: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """Two rows have each other's role and place under their own numbers; fibers that are no neighbors."""
    one, two = 0, 0
    while abs(one - two) <= APART:
        one, two = (*working(chain, random, sky=True), _bright_target(chain, random))
    return _exchanged(chain, one, two, ROW)


def _exchanged(chain: Chain, one: int, two: int, names: tuple[str, ...]) -> tuple[PlantedChange, Truth]:
    """Two rows of some columns of the fiber table have each other's place."""
    table = {}
    for name in names:
        values = getattr(chain, name)
        if values is not None:
            table[name] = values.copy()
            table[name][[one, two]] = values[[two, one]]
    return PlantedChange(table=table), Truth(("swapped-fibers",), ("light",), (min(one, two), max(one, two)))


def _bright_target(chain: Chain, random: np.random.Generator) -> int:
    """A target of at least half of the sky."""
    assert chain.sframe is not None
    level = np.mean(chain.sframe, axis=1)
    use = [f for f in working(chain, random, False, 200) if level[f] > 0.5 * np.median(sky_of(chain))]
    return int(random.choice(use))


def ghost(chain: Chain, amplitude: float, random: np.random.Generator) -> tuple[PlantedChange, Truth]:
    """A star of 300 skies; the mirrored fiber has this part of its light."""
    level = float(np.median(sky_of(chain)))
    star = STAR * level * (chain.wave / chain.wave.mean()) ** random.normal(0, 1)
    for _ in range(12):
        star = star * (1 - random.uniform(0.1, 0.4) * gaussian(chain, anywhere(chain, random, 0.02), 4.0))
    alive = set(working(chain, random, None, 300))
    fiber = next(f for f in working(chain, random, False, 200) if chain.shape[0] - 1 - f in alive)
    mirrored = chain.shape[0] - 1 - fiber
    light = (rows(chain, fiber) + amplitude * rows(chain, mirrored)) * star
    return PlantedChange(light=light), Truth(("ghost", "bright-neighbor", *ONE), ("preproc", "light"), (mirrored,))


DEFECTS = (
    Defect("sky left in a fiber", sky_left, 0.3, "of the sky"),
    Defect("sky model of a fiber", sky_model_of_fiber, 0.3, "of the sky"),
    Defect("negative fiber", negative, 1.0, "sky levels"),
    Defect("column in a fiber", column_part, 8.0, "electron / Angstrom"),
    Defect("column in a target", column_in_a_target, 40.0, "electron / Angstrom", floor=40.0),
    Defect("shift of a fiber", shift, 0.3, "Angstrom", floor=0.08),
    Defect("flat bump of a fiber", flat_bump, 0.8, "of the flat"),
    Defect("gray flat of a fiber", flat_gray, 0.8, "of the flat", floor=0.3),
    Defect("throughput of a fiber", throughput, -0.2, "of the light", floor=0.22),
    Defect("sky fiber on a star", on_a_star, 1.0, "sky levels"),
    Defect("fiber off position", off_position, 0.3, "mm", snr=0.0),
    Defect("swapped spectra", swapped_spectra, 1.0, "", snr=0.0),
    Defect("swapped rows", swapped_rows, 1.0, "", snr=0.0),
    Defect("swapped places", swapped_places, 1.0, "", snr=0.0),
    Defect("ghost", ghost, 0.01, "of the star", snr=0.0),
)
