"""Centroids of all fibers: right, with the right errors, whatever the noise, the background and the profile."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from ifuview.engine.context import JobContext
from ifuview.engine.traces.doctor.gather import gather
from ifuview.engine.traces.light import measure
from ifuview.engine.traces.light.light_fit import Noise
from ifuview.engine.traces.light.measure import at_columns, fit_light
from ifuview.engine.traces.light.shape import REACH, gaussian_table, look_up
from ifuview.errors import JobCancelled
from ifuview.simulate.detector.bounds import center_bound
from ifuview.simulate.detector.exposure import expose
from ifuview.simulate.detector.geometry import SlitSpec
from tests.engine.traces.doctor.made import BLOCKED, evidence, frame


def pulls(made):
    seen = evidence(made)
    truth = at_columns(made.traces.center, seen.fit.column)
    z = (seen.fit.center - truth) / seen.fit.error
    return z[np.isfinite(z)], seen


@pytest.mark.parametrize("snr", [10.0, 50.0, 200.0])
def test_pulls_are_normal(snr):
    z, _ = pulls(frame(snr))
    n = z.size
    assert n > 3500
    assert abs(z.mean()) < 0.02 + 3 / np.sqrt(n)  # 0.02 is the bar, the rest the noise of this frame
    assert 0.97 - 3 / np.sqrt(2 * n) < z.std() < 1.03 + 3 / np.sqrt(2 * n)


def test_errors_reach_the_cramer_rao_bound():
    made = frame(50.0)
    _, seen = pulls(made)
    bound = center_bound(made.traces, made.flux, made.readnoise)
    best = np.array([[np.sum(b**-2.0) ** -0.5 for b in np.split(row, seen.fit.edges[1:-1])] for row in bound])
    assert np.median(seen.fit.error / best) < 1.03


def test_a_pedestal_does_not_move_the_centers():
    z, seen = pulls(frame(50.0, 2, pedestal=100.0))
    assert abs(z.mean()) < 0.05
    assert z.std() < 1.05
    assert np.nanmedian(seen.fit.background) == pytest.approx(100.0, abs=2.0)


def test_a_round_fiber_profile_does_not_move_the_centers():
    made = expose(replace(BLOCKED, disk=1.4), snr=50.0, seed=3)
    z, _ = pulls(made)
    assert abs(z.mean()) < 0.05
    assert z.std() < 1.08


def test_cosmics_and_bad_columns_are_left_out():
    z, seen = pulls(frame(50.0, 4, cosmics=200, bad_columns=(300, 301)))
    assert np.quantile(np.abs(z), 0.99) < 3.5
    assert np.median(np.abs(z)) < 0.75
    assert (seen.fit.marks & 2).sum() > 200


def test_table_of_the_profile_is_exact():
    from scipy.special import ndtr

    table = gaussian_table()
    a = np.linspace(-REACH + 0.1, REACH - 0.1, 999, dtype=np.float32)
    got = np.array([look_up(table, x) for x in a])
    assert np.abs(got[:, 0] - ndtr(a.astype(float))).max() < 3e-7
    assert np.abs(got[:, 1] - np.exp(-0.5 * a.astype(float) ** 2) / np.sqrt(2 * np.pi)).max() < 3e-5


@pytest.mark.parametrize(("pitch", "sigma"), [(8.8, 1.6), (8.8, 1.9), (8.8, 2.2), (6.0, 1.1)])
@pytest.mark.parametrize("snr", [100, 20])
def test_width_and_pedestal_are_right_where_profiles_overlap(pitch, sigma, snr):
    """Pure Gaussians of one width without a background; the file says nothing of the width."""
    size = int(60 * pitch + 60)
    spec = SlitSpec((size, 600), 60, spacing=pitch, block=60, gap=0.0, sigma=(sigma, sigma), bend=2.0)
    made = expose(spec, snr=snr, seed=1)
    seen = gather(made.image, replace(made.traces, sigma=None), gain=1.0, readnoise=made.readnoise)
    assert np.nanmean(seen.fit.width) == pytest.approx(sigma, rel=0.005)
    peak = np.median(seen.fit.flux) / (np.sqrt(2 * np.pi) * sigma)
    assert abs(np.nanmean(seen.fit.background)) < 0.001 * peak
    z = seen.fit.background / seen.fit.background_err
    assert abs(z.mean()) < 0.5 and z.std() < 1.15  # of 2 x 62 bins that share some error of the widths
    assert (np.abs(z) < 2).mean() > 0.92


@pytest.mark.parametrize("snr", [30, 15])
def test_fibers_in_the_middle_of_a_full_slit_take_no_background_for_their_width(snr):
    """Groups without a free row beside them left a wrong background slowly by themselves, and rested on the way."""
    spec = SlitSpec((1032, 400), 112, spacing=8.8, block=112, gap=0.0, sigma=(1.9, 2.2), bend=2.0)
    made = expose(spec, snr=snr, seed=1)
    seen = gather(made.image, made.traces, gain=1.0, readnoise=made.readnoise)
    fit, true = seen.fit, at_columns(made.traces.sigma, seen.fit.column)
    peak = np.median(fit.flux) / (np.sqrt(2 * np.pi) * 2.0)
    for group in range(4):
        members = fit.group == group
        z = (fit.width - true)[members] / fit.width_err[members]
        assert np.nanmean(fit.width[members] / true[members]) == pytest.approx(1, abs=0.01)  # noise: 0.001 to 0.002
        assert abs(np.nanmean(fit.background[group])) < 0.01 * peak
        assert np.nanstd(z) < 1.2


def test_more_rounds_do_not_lead_away(monkeypatch):
    """Sums of three bins as the step of the middle one answered a pattern of bins the wrong way, and it grew."""
    for name in ("GROUND_SETTLED", "GROUND_SHARE", "WIDTH_SETTLED"):
        monkeypatch.setattr(measure, name, 1e-9)
    monkeypatch.setattr(measure, "ENOUGH_ROUNDS", 70)
    monkeypatch.setattr(measure, "MAX_ROUNDS", 70)
    spec = SlitSpec((236, 320), 20, spacing=8.8, block=20, gap=0.0, sigma=(1.6, 1.6), bend=2.0)
    made = expose(spec, snr=20, seed=1)
    seen = gather(made.image, replace(made.traces, sigma=None), gain=1.0, readnoise=made.readnoise)
    assert np.nanmean(seen.fit.width) == pytest.approx(1.6, rel=0.01)


def test_a_cancel_is_heard_within_a_pass():
    made = frame(50.0, 1)
    stop = Event()

    def report(fraction, _):
        if fraction > 0.6:
            stop.set()  # in the midst of the last pass, over every column

    columns = np.ascontiguousarray(made.image.T)
    noise = Noise(made.readnoise**2, 1.0, "given")
    with pytest.raises(JobCancelled):
        fit_light(columns, np.ones(columns.shape, np.uint8), made.traces.center, noise, ctx=JobContext(report, stop))
