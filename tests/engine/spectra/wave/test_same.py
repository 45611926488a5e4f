"""Light that is the same in all fibers tells how they lie against each other along wavelength."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ifuview.engine.spectra.wave.same import same_light
from ifuview.engine.spectra.wave.solve import solve_wavelengths
from ifuview.instrument import instrument
from ifuview.instrument.tables import Tables
from ifuview.model.reduction.spectra import FiberSpectra
from ifuview.simulate.het.light import arc, twilight
from ifuview.simulate.het.setup import TrueChannel, channel_setup, cut

RNG = np.random.default_rng(4)
NFIBER, NCOL = 40, 600
UNIT = ("503", "056", "7001")


def lit(lines: int) -> tuple[FiberSpectra, np.ndarray]:
    """Fibers of some throughput on one spectrum of absorption lines, and their true wavelengths."""
    columns = np.arange(NCOL) + 3 * np.linspace(-1, 1, NFIBER)[:, None] ** 2
    wave = 3700 + 0.49 * columns
    deep = np.ones_like(wave)
    for at in np.linspace(3690, 4000, lines):
        deep -= 0.4 * np.exp(-0.5 * ((wave - at) / 0.9) ** 2)
    level = 5000 * (1 + 0.1 * RNG.standard_normal(NFIBER))[:, None] * (1 + 3e-4 * columns)
    flux = level * deep
    noisy = flux + np.sqrt(flux) * RNG.standard_normal(flux.shape)
    return FiberSpectra(noisy, flux, np.zeros(flux.shape, np.uint32), wave), wave


def test_places_of_the_same_light_are_right_to_their_errors():
    spectra, wave = lit(40)
    off = 0.1 * np.sin(np.arange(NFIBER))[:, None]  # px, by which each fiber's wavelengths are wrong
    found = same_light(replace(spectra, wave=wave - 0.49 * off))
    true = np.stack([np.interp(found.wave, row, np.arange(NCOL)) for row in wave])
    miss = found.column - true
    miss -= np.average(miss, axis=0, weights=found.error**-2)  # what they share is not known
    assert np.isfinite(miss).all() and np.abs(miss).max() < 0.2
    assert np.abs(np.sqrt(np.mean((miss / found.error) ** 2)) - 1) < 0.15


def test_light_without_lines_tells_nothing():
    spectra, _ = lit(0)
    assert not np.isfinite(same_light(spectra).column).any()


def channel_spectra(channel: TrueChannel, electrons: np.ndarray) -> FiberSpectra:
    """What is extracted of a detector."""
    variance = electrons + 40.0
    noisy = electrons + np.sqrt(variance) * np.random.default_rng(5).standard_normal(electrons.shape)
    return FiberSpectra(noisy, variance, np.zeros(electrons.shape, np.uint32), np.zeros(electrons.shape))


def test_a_twilight_tells_fibers_apart_where_a_lamp_is_missing():
    channel = channel_setup(instrument("lrs2"), Tables("lrs2"), "uv", UNIT, 20190501, 11, broken=False)
    channel = cut(channel, 60, (0, 2064))
    lamp = channel_spectra(channel, arc(channel, "Cd-A_B").electrons)
    sky = channel_spectra(channel, twilight(channel).electrons)
    true = np.concatenate([amp.at(amp.wave) for amp in channel.amplifiers])
    block = np.repeat([0, 1], 60)

    def apart(same) -> float:
        """How far fibers are off each other, px."""
        off = (solve_wavelengths(lamp, channel.lines, (3640.0, 4645.0), block=block, same=same).wave - true) / 0.49
        return float(np.sqrt(np.mean([(own - np.median(own, axis=0)) ** 2 for own in np.split(off, 2)])))

    asked = []
    assert apart(lambda: asked.append(0) or sky) < min(0.02, 0.5 * apart(None)) and asked == [0]
