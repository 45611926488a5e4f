"""The engine on the shared night, from raw amplifiers to extracted fibers: the bars of its own rows, by the truth."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ifuview import instrument
from ifuview.engine.ccd.bias import master_bias
from ifuview.engine.ccd.electrons import electrons
from ifuview.engine.ccd.masters import add
from ifuview.engine.ccd.scattered import scattered_light
from ifuview.engine.spectra.fibers import extract_fibers
from ifuview.engine.spectra.flat.amplitude import profile_amplitude
from ifuview.engine.spectra.flat.response import corrected, measure_response, sample_ground
from ifuview.engine.spectra.wave.solve import solve_wavelengths
from ifuview.engine.traces.slit.profile import slit_profile
from ifuview.engine.traces.slit.settle import lit_centers, trace_and_scattered
from ifuview.engine.traces.slit.shift import measure_shift, shifted
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_index import index_night
from ifuview.io.night.raw_read import read_frame
from ifuview.model.reduction.ccd import CcdFrame, ReductionBit
from tests.bench.lrs2_truth import NROW, SHARED, LrsTruth, trace_rms, wave_rms

NIGHT, DATE = SHARED / "20181201", 20181201
LOCATIONS = SHARED / "Fiber_Locations" / str(DATE)
UNITS = {"orange": ("503", "056", "7001"), "farred": ("502", "066", "7002")}
BLOCK = np.repeat([0, 1], 140)
SEAMS = (NROW,)

pytestmark = pytest.mark.skipif(not NIGHT.is_dir(), reason="the shared night is not here")


@cache
def exposures():
    return index_night(str(NIGHT)).exposures


def detector(exposure, camera, bias=None):
    """Both amplifiers of a channel as one frame, and the mean read noise."""
    spec = instrument.instrument("lrs2")
    parts, noise = [], []
    for amp in LrsTruth(camera).amplifiers:
        raw = read_frame(next(a for a in exposure.of(camera) if a.name == amp), spec)
        frame, read = electrons(
            raw.data, raw.overscan, gain=raw.gain, read_noise=raw.readnoise, bias=None if bias is None else bias[amp]
        )
        parts.append(frame)
        noise.append(read.noise)
    whole = (np.concatenate([getattr(p, n) for p in parts]) for n in ("data", "variance", "mask"))
    return CcdFrame(*whole), float(np.mean(noise)), parts


class Channel:
    """Calibrations of one channel."""

    def __init__(self, camera: str) -> None:
        self.truth = LrsTruth(camera)
        zero = next(e for e in exposures() if e.kind == "zro")
        self.bias = {
            amp: master_bias([part]) for amp, part in zip(self.truth.amplifiers, detector(zero, camera)[2], strict=True)
        }
        twilight, self.noise, _ = detector(next(e for e in exposures() if e.kind == "twi"), camera, self.bias)
        slot = UNITS[camera][1]
        arcs = [e for e in exposures() if e.kind == "cmp" and any(a.camera == camera for a in e.amplifiers)]
        unit = "_".join(UNITS[camera])
        tables = [np.loadtxt(LOCATIONS / f"fiber_loc_{unit}_{amp}.txt") for amp in self.truth.amplifiers]
        reference = np.concatenate([t[:, 0] + NROW * n for n, t in enumerate(tables)])
        dead = np.concatenate([t[:, 1] > 0 for t in tables])
        self.traces, below = trace_and_scattered(
            twilight.data, self.noise, reference, column=0.47 * 2064, dead=dead, block=BLOCK,
            usable=twilight.usable(), seams=SEAMS,
        )  # fmt: skip
        self.profile = slit_profile(twilight.data, self.traces, below.image, self.noise, block=BLOCK)
        arc = add([detector(e, camera, self.bias)[0] for e in arcs])
        lamp = extract_fibers(arc, self.traces, self.profile, cosmics=False).spectra
        grid = self.truth.grid
        self.wave = solve_wavelengths(
            lamp, Tables("lrs2").lines(camera), (float(grid[0]), float(grid[-1])), block=BLOCK
        )
        twi = extract_fibers(twilight, self.traces, self.profile, self.wave.wave, background=below.image, cosmics=False)
        ground = sample_ground(below.image, self.traces.center, np.asarray(self.traces.sigma))
        self.flat, self.pixels = measure_response(twi.spectra, self.traces.center, 2 * NROW, block=BLOCK, ground=ground)
        self.slot = slot

    def expose(self, observation: int):
        """Spectra of one exposure, and the shift of its traces."""
        found = next(e for e in exposures() if e.observation == observation)
        frame = corrected(detector(found, self.truth.channel, self.bias)[0], self.pixels)
        usable, sigma = frame.usable(), np.asarray(self.traces.sigma)
        first = scattered_light(
            frame.data, lit_centers(self.traces), sigma, self.noise, usable=usable, seams=SEAMS, blurred=False
        )
        shift = measure_shift(frame.data, self.traces, self.noise, usable=usable, background=first.image, seams=SEAMS)
        moved = shifted(self.traces, shift, 2 * NROW)
        below = scattered_light(frame.data, lit_centers(moved), sigma, self.noise, usable=usable, seams=SEAMS)
        return extract_fibers(frame, moved, self.profile, self.wave.wave, background=below.image), shift


@pytest.fixture(scope="module", params=["orange", "farred"])
def channel(request):
    return Channel(request.param)


def test_traces_and_wavelengths_reach_their_bars(channel):
    central, whole = trace_rms(channel.truth, channel.traces.center)
    assert central <= 0.004 and whole <= 0.008
    assert wave_rms(channel.truth, channel.wave.wave) <= 0.006
    numbers = channel.truth.numbers
    assert np.median(channel.wave.lsf) == pytest.approx(numbers["lsf_sigma_px"], abs=0.02)
    amplitude = np.nanmean(profile_amplitude(channel.profile, lit_centers(channel.traces)))
    assert amplitude == pytest.approx(numbers["peak_factor_K"], rel=0.0045)
    assert sorted(r[0] for r in channel.pixels.runs) == sorted(
        c["x"] for columns in numbers["badcol"].values() for c in columns
    )


def test_cosmic_rays_shift_and_light_of_the_sky_and_the_source(channel):
    truth = channel.truth
    observation = 7 if channel.slot == "056" else 8
    made, shift = channel.expose(observation)
    assert shift.mean == pytest.approx(0.12, abs=0.01)
    hit = (made.frame.mask & int(ReductionBit.COSMIC)) > 0
    assert hit[truth.cosmics(observation)].mean() >= 0.97
    known = np.zeros(hit.shape, bool)
    known[truth.cosmics(observation, above=0.0)] = True
    for n, amp in enumerate(truth.amplifiers):
        hot = truth.arrays[f"hot_{truth.channel}_{amp}"]
        known[hot[:, 0].astype(int) + NROW * n, hot[:, 1].astype(int)] = True
        known[:, truth.numbers["trap"][amp]["x"]] = True
    assert (hit & ~known).mean() <= 5e-5
    light = (truth.source(observation) + truth.sky(observation))[:, truth.inner].sum(axis=1)
    table = Tables("lrs2").response(truth.channel)
    energy = np.interp(channel.wave.wave, table.wave, table.value)
    spectra, factor = made.spectra, float(truth.numbers["peak_factor_K"])
    flux = spectra.flux * energy / (channel.flat.flat * factor * 900.0 * truth.whole["mirror_area_cm2"])
    inside = np.interp(channel.wave.wave, truth.grid, truth.inner.astype(float)) > 0.5
    step = float(np.median(np.diff(truth.grid)))
    found = np.where(inside & spectra.usable(), flux, 0).sum(axis=1) / step
    for fibers, bias in ((truth.free(observation), 0.015), (truth.sourced(observation), 0.013)):
        ratio = found[fibers] / light[fibers]
        assert np.median(ratio) == pytest.approx(1, abs=bias)
    assert ratio.std() < 0.01


def test_saturated_samples_are_masked(channel):
    if channel.slot != "056":
        pytest.skip("no star in this arm")
    made, _ = channel.expose(9)
    rows, columns = channel.truth.cosmics(9, "sat")
    fiber = [int(np.argmin(np.abs(channel.truth.trace[:, x] + 0.12 - r))) for r, x in zip(rows, columns, strict=True)]
    assert ((made.spectra.mask[fiber, columns] & int(ReductionBit.SATURATED)) > 0).mean() >= 0.98
