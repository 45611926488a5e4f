import numpy as np
import pytest

from ifuview.simulate.detector.bounds import center_bound, electrons_for_snr
from ifuview.simulate.detector.exposure import COSMIC_BIT, SATURATED_BIT, expose
from ifuview.simulate.detector.geometry import SPECS, true_traces
from ifuview.simulate.detector.render import render


def test_light_is_conserved_with_and_without_a_disk():
    traces = true_traces("tiny")
    flux = np.full(traces.center.shape, 1000.0)
    for disk in (0.0, 1.4):
        image = render(traces.center, traces.sigma, flux, 128, disk)
        assert np.allclose(image.sum(axis=0), 12_000, rtol=1e-4)


def test_a_disk_makes_the_profile_wider_and_keeps_its_center():
    center = np.full((1, 1), 30.3)
    rows = np.arange(64)
    for disk, variance in ((0.0, 1.2**2 + 1 / 12), (1.4, 1.2**2 + 1 / 12 + 1.4**2 / 4)):
        light = render(center, np.full((1, 1), 1.2), np.ones((1, 1)), 64, disk)[:, 0]
        mean = (light * rows).sum()
        assert mean == pytest.approx(30.3, abs=1e-4)
        assert (light * (rows - mean) ** 2).sum() == pytest.approx(variance, rel=0.01)


def test_noise_is_that_of_the_variance():
    frame = expose("small", snr=30, pedestal=20.0)
    expected = render(frame.traces.center, frame.traces.sigma, frame.flux, 512) + 20.0
    pull = (frame.image - expected) / np.sqrt(frame.variance)
    assert abs(pull.mean()) < 0.01 and abs(pull.std() - 1) < 0.01


def test_signal_to_noise_is_what_was_asked_for():
    frame = expose("small", snr=50)
    level = electrons_for_snr(50, 3.0)
    assert np.median(frame.flux) == pytest.approx(level, rel=0.2)
    assert np.median(center_bound(frame.traces, frame.flux, 3.0)) == pytest.approx(1.25 / 50, rel=0.2)


def test_seeds_repeat_and_differ():
    one, two, other = expose("tiny", seed=1), expose("tiny", seed=1), expose("tiny", seed=2)
    assert np.array_equal(one.image, two.image) and not np.array_equal(one.image, other.image)
    assert np.array_equal(one.traces.center, other.traces.center)


def test_defects_are_in_image_and_mask():
    frame = expose("tiny", cosmics=10, bad_columns=(100,), saturation=900.0, throughput={3: 0.0})
    assert (frame.mask & 1 << COSMIC_BIT).any() and (frame.mask & 1 << SATURATED_BIT).any()
    assert not frame.image[:, 100].any() and frame.image.max() <= 900
    assert not frame.flux[3].any()
    image = frame.as_image()
    assert image.ivar is not None and (image.ivar.raw[frame.mask != 0] == 0).all()


@pytest.mark.parametrize("name", list(SPECS))
def test_every_geometry_fits_on_its_detector(name):
    traces = true_traces(name)
    assert traces.center.min() > 3 and traces.center.max() < SPECS[name].shape[0] - 4
    assert (np.diff(traces.center, axis=0) > 5).all()
    assert (np.diff(traces.wave, axis=1) > 0).all()
