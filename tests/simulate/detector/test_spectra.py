import numpy as np

from ifuview.model.fibers import FiberRole
from ifuview.simulate.defects.plant import PlantedChange, changed
from ifuview.simulate.detector.spectra import expose_rss


def test_frame_is_flat_times_sky_and_objects_and_sframe_is_without_sky():
    made = expose_rss("small", nwave=500)
    flat, sky = made.truth["flat"], made.truth["sky"]
    assert np.allclose(made.frame.flux / flat - sky, made.sframe.flux, atol=0.05)
    empty = np.array([r is FiberRole.SKY for r in made.sframe.fibermap.role])
    pull = made.sframe.flux[empty] * np.sqrt(made.sframe.ivar[empty])
    assert abs(pull.mean()) < 0.05 and abs(pull.std() - 1) < 0.03


def test_what_is_planted_is_in_the_products_that_come_after_it():
    good = expose_rss("small", nwave=500)
    chain = good.as_chain()
    bump = np.zeros((chain.shape[0], 1))
    bump[20:40] = 30.0
    dark = np.zeros(chain.shape)
    dark[4] = -good.truth["light"][4] / good.truth["flat"][4]
    bad = good.with_chain(changed(chain, PlantedChange(light=dark, model=bump)), (4,))
    assert np.abs(bad.frame.flux[4]).max() < 5.0 / np.sqrt(good.frame.ivar[4].min()) and not bad.frame.ivar[4].any()
    assert bad.sframe.mask[4].all() and not bad.sframe.mask[5].any()
    assert np.flatnonzero((bad.sky.flux != good.sky.flux).any(axis=1)).tolist() == list(range(20, 40))
    assert np.allclose(bad.sframe.flux[20:40], good.sframe.flux[20:40] - 30.0, atol=0.01)
    assert np.array_equal(bad.frame.flux[20:40], good.frame.flux[20:40])


def test_images_carry_wave_and_fibers():
    made = expose_rss("tiny", nwave=100)
    for rss in (made.frame, made.sframe, made.sky, made.fiberflat):
        image = rss.as_image()
        assert image.shape == (12, 100) and image.wave.shape == (100,) and image.fibermap.nfiber == 12
