"""A simulated field: stars have their magnitude and place, and light adds up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ifuview import instrument
from ifuview.engine.spectra.field.positions import sky_place
from ifuview.instrument.tables import Tables
from ifuview.io.night.star_catalog import read_catalog
from ifuview.simulate.het.field import DITHERS, FieldStar, heads_of, random_field, star_source, write_catalog
from ifuview.simulate.het.heads import RADIUS, head_setup
from ifuview.simulate.het.light import SkyScene, sky_and_source
from ifuview.simulate.het.setup import cut
from ifuview.simulate.het.source import fiber_points

UNIT = ("308", "047", "024")
TABLES = Tables("virus")


def test_a_star_has_its_magnitude_and_the_catalog_its_place(tmp_path):
    band = TABLES.passband()
    one = star_source(FieldStar("047", 1.0, 2.0, 18.5, -1.0), 1.7, band)
    wave = np.linspace(band.wave[0], band.wave[-1], 20000)
    seen = np.interp(wave, band.wave, band.value)
    mean = (one.continuum(wave) * wave * seen).sum() / (2.99792458e18 * seen / wave).sum()
    assert -2.5 * np.log10(mean) - 48.6 == pytest.approx(18.5, abs=1e-3)
    field = random_field((UNIT,), 5, stars=4)
    path = tmp_path / "Panstarrs_1.0_2.0_0.1500.dat"
    write_catalog(path, TABLES, field)
    found = read_catalog(str(path))
    slot = next(s for s in TABLES.focal_plane() if s.slot == "047")
    x, y = (np.array([getattr(star, name) for star in field.stars]) for name in "xy")
    ra, dec = sky_place(x + slot.y, y + slot.x, field.ra / 15, field.dec, field.turn)
    off = np.hypot((found.ra[:4] - ra) * np.cos(np.radians(dec)), found.dec[:4] - dec) * 3600
    assert off.max() < 0.04 * 4.5 and found.g[:4] == pytest.approx([star.g for star in field.stars], abs=1e-4)


def test_sources_add_up_and_fibers_are_dithered():
    side = cut(head_setup(instrument.instrument("virus"), TABLES, "047L", UNIT, 20190822, broken=False), 12, (400, 500))
    x, y = side.layout
    field = random_field((UNIT,), 5)
    first = star_source(replace(field.stars[0], x=float(x[3]), y=float(y[3])), 1.7, TABLES.passband())
    second = star_source(replace(field.stars[1], x=float(x[8]), y=float(y[8])), 1.7, TABLES.passband())

    def light(**scene):
        return sky_and_source(side, SkyScene(gradient=(0.0, 0.0), **scene), 360.0, *fiber_points(1.5, RADIUS))

    both = light(others=(first, second))
    assert both.source == pytest.approx(light(source=first).source + light(source=second).source, rel=1e-9)
    moved = replace(first, x=first.x + 1.215, y=first.y - 0.7)
    there = light(source=moved, dither=(1.215, -0.7))
    assert there.source == pytest.approx(light(source=first).source, rel=1e-9)
    assert light(light=0.9).electrons == pytest.approx(0.9 * light().electrons)


def test_heads_see_the_sky_of_the_moon_and_exposures_their_own_dithers():
    spec = instrument.instrument("virus")
    dark, bright = (head_setup(spec, TABLES, "047L", UNIT, 20190822, moon=moon) for moon in ("dark", "bright"))
    for side, moon in ((dark, "dark"), (bright, "bright")):
        known = TABLES.sky("047L", moon)
        assert np.interp(known.wave, side.sky.wave, side.sky.value) == pytest.approx(known.value)
    field = random_field((UNIT,), 5)
    assert [field.dither(n) for n in range(3)] == list(DITHERS)
    assert replace(field, light=(1.0, 0.9)).dither(1) == (0.0, 0.0)
    assert replace(field, dithers=((0.0, 0.0),) * 3).dither(2) == (0.0, 0.0)


def test_heads_have_the_slots_that_headers_of_the_night_give_them():
    spec = instrument.instrument("virus")
    then, now = (
        heads_of(spec, TABLES, random_field((("317", slot, "039"),), 3), date, broken=False)
        for slot, date in (("015", 20200115), ("024", 20190822))
    )
    assert [(one.camera, one.slot) for one in then] == [("015L", "015"), ("015R", "015")]
    assert np.abs(then[0].amplifiers[0].trace[:, 0] - now[0].amplifiers[0].trace[:, 0]).max() < 0.5  # the same head
