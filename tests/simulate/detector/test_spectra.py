import numpy as np

from ifuview.model.fibers import FiberRole
from ifuview.simulate.detector.spectra import RssDefects, expose_rss


def test_frame_is_flat_times_sky_and_objects_and_sframe_is_without_sky():
    made = expose_rss("small", nwave=500)
    flat, sky = made.truth["flat"], made.truth["sky"]
    assert np.allclose(made.frame.flux / flat - sky, made.sframe.flux, atol=0.05)
    empty = np.array([r is FiberRole.SKY for r in made.sframe.fibermap.role])
    pull = made.sframe.flux[empty] * np.sqrt(made.sframe.ivar[empty])
    assert abs(pull.mean()) < 0.05 and abs(pull.std() - 1) < 0.03


def test_defects_are_where_they_were_planted():
    defects = RssDefects(dead=(4,), bump_block=1, bad_rows=(40, 50), spike=(7, 123))
    good, bad = expose_rss("small", nwave=500), expose_rss("small", nwave=500, defects=defects)
    assert np.abs(bad.frame.flux[4]).max() < 40 and not bad.frame.ivar[4].any()
    assert np.flatnonzero((bad.sky.flux != good.sky.flux).any(axis=1)).tolist() == list(range(20, 40))
    changed = bad.frame.flux - good.frame.flux
    assert changed[40:50, :250].std() > 10 > np.abs(changed[40:50, 250:]).max()
    assert changed[7, 123] > 1900 and np.abs(changed[7, :123]).max() == 0


def test_images_carry_wave_and_fibers():
    made = expose_rss("tiny", nwave=100)
    for rss in (made.frame, made.sframe, made.sky, made.fiberflat):
        image = rss.as_image()
        assert image.shape == (12, 100) and image.wave.shape == (100,) and image.fibermap.nfiber == 12
