"""Every option word of the command does what it says: the same simulated night, with other parameters of its steps."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifuview.app.night.reduction import elsewhere
from ifuview.app.night.reduction.channel import ReducedChannel
from ifuview.app.night.reduction.choices import elsewhere_of, params_of
from ifuview.app.night.reduction.elsewhere import Elsewhere, lent, nearest_star, new_response
from ifuview.commands.reductions import reduce as command
from ifuview.engine.context import SILENT
from ifuview.engine.spectra.flux.scale import FLUX_UNIT
from ifuview.errors import FileFormatError, MissingDataError, UsageError
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_index import index_night
from ifuview.recipes.camera.dark import DarkParams, darkened, make_dark
from ifuview.recipes.camera.lamps import FlatParams, make_flat
from ifuview.recipes.lrs2.science import (
    PictureParams,
    SkyParams,
    SourcesParams,
    make_picture,
    make_sky,
    make_sources,
)
from tests.app.night.reduction.conftest import DATE, OBSERVATION, X, Y


def words(*given: str):
    parser = ArgumentParser()
    command.options(parser)
    return parser.parse_args(["lrs2", "-d", str(DATE), *given])


@pytest.mark.parametrize(
    ("given", "step", "name", "value"),
    [
        (["--use_flat"], "flat", "use_flat", True),
        (["--correct_ftf"], "sky", "single", True),
        (["--no-correct_ftf"], "sky", "single", False),
        (["--central_wave", "5007"], "picture", "center", 5007.0),
        (["--wavelength_bin", "12.5"], "picture", "half", 12.5),
        (["--source_x", "1.5", "--source_y", "-2"], "sources", "y", -2.0),
        (["--sky_components", "3"], "sky", "components", 3),
        (["--telluric"], "spectrum", "telluric", True),
    ],
)
def test_a_word_is_a_parameter_of_its_step(given, step, name, value):
    params = params_of(words(*given))
    assert list(params) == [step] and getattr(params[step], name) == value


def test_words_beyond_their_bounds_or_halves_of_a_pair_are_refused():
    for given, said in (
        (["--wavelength_bin", "-3"], "--wavelength_bin cannot be -3"),
        (["--sky_components", "99"], "--sky_components cannot be 99"),
        (["--source_x", "nan", "--source_y", "1"], "--source_x cannot be nan"),
        (["--source_x", "1", "--source_y", "inf"], "--source_y cannot be inf"),
        (["--central_wave", "-5"], "--central_wave cannot be -5"),
        (["--source_x", "1"], "two coordinates"),
    ):
        with pytest.raises(UsageError, match=said):
            params_of(words(*given))
    with pytest.raises(UsageError, match="a night and an observation"):
        elsewhere_of(words("--standard_star_date", "20240802"))
    with pytest.raises(UsageError, match="no night and observation"):
        elsewhere_of(words("--sky_obsid", "seven"))
    assert elsewhere_of(words("--standard_star_obsid", "9")) == Elsewhere(standard=(DATE, 9))
    assert params_of(words()) == {} and elsewhere_of(words()) == Elsewhere()


def test_a_lamp_flat_takes_the_place_of_the_twilight(night, reduced):
    index = index_night(str(night[0]), "lrs2")
    lit, setup = index.of_kind("twi", "orange"), reduced[1].setup
    lamps = tuple(replace(one, kind="flt") for one in lit)
    made = make_flat(FlatParams(use_flat=True), SILENT, setup, None, (), lamps)
    assert made.what == "1 lamp flats"
    assert not any("in place of" in note for note in made.notes)
    made = make_flat(FlatParams(), SILENT, setup, None, (), lamps)  # where there is no twilight
    assert made.what == "1 lamp flats"
    said = ("orange: there are no twilights.", "orange: lamp flats are used in place of twilights.")
    assert made.notes[-2:] == said


def test_a_dark_takes_its_hot_pixels_and_current_off(night, reduced):
    index, done = index_night(str(night[0]), "lrs2"), reduced[1]
    zero = index.of_kind("zro", "orange")
    biases = done.value("biases")
    assert make_dark(DarkParams(), SILENT, done.setup, biases, ()).current is None
    timed = tuple(replace(one, exptime=600.0) for one in zero)
    dark = make_dark(DarkParams(), SILENT, done.setup, biases, timed)
    assert dark.count == 1 and abs(3600 * float(np.median(dark.current.rate))) < 6  # a bias has no dark current
    science = done.value("science")
    before, after = science.frame.data, darkened(science, dark).data
    assert abs(float(np.median(before - after))) < 1.5
    assert make_dark(DarkParams(use=False), SILENT, done.setup, biases, timed).current is None


def test_the_picture_is_of_the_wavelengths_asked_for(reduced):
    done = reduced[1]
    cube = done.value("cubes")["skysub"]
    found = make_picture(PictureParams(5500.0, 20.0), SILENT, done.setup, done.value("cubes"))
    inside = np.abs(cube.wave - 5500) <= 20
    known = np.where(cube.variance > 0, cube.data, np.nan)[inside]
    with np.errstate(all="ignore"):
        middle = np.nanmedian(known[:, 8:12, 10:20], axis=0)
    assert np.allclose(found[8:12, 10:20], middle, rtol=0.2, atol=0.05 * np.nanmax(middle))


SEARCHED = SourcesParams()


def sky_of(done: ReducedChannel, params: SkyParams, other: object = None, at: SourcesParams = SEARCHED):
    flux, drift = done.value("flux"), done.value("drift")
    start = make_sources(at, SILENT, done.setup, flux, drift, other)
    return make_sky(params, SILENT, done.setup, flux, drift, start, other)


def test_sky_by_other_choices_agrees_and_does_what_is_asked(reduced):
    done = reduced[1]
    usual = done.value("sky")
    plain = sky_of(done, SkyParams(single=False, lines=False))
    assert np.ptp(plain.surface.fiber) == 0 < np.ptp(usual.surface.fiber)
    some = np.flatnonzero(usual.sky.fibers)
    placed = sky_of(done, SkyParams(fibers=tuple(map(int, some[::2])), components=2), at=SourcesParams(x=X, y=Y - 0.3))
    assert abs(placed.sources[0].x - usual.sources[0].x) < 0.02
    assert any("2 principal components" in note for note in placed.sky.notes)
    dark = usual.share.max(axis=(0, 2)) < 1e-3
    ratio = placed.sky.model[dark].mean() / usual.sky.model[dark].mean()
    assert ratio == pytest.approx(1.0, abs=0.005)


def test_the_sky_of_another_exposure_finds_the_source_too(reduced):
    done = reduced[1]
    usual = done.value("sky")
    found = sky_of(done, SkyParams(), usual.common)
    assert found.sky.method == "another exposure"
    one, same = found.sources[0], usual.sources[0]
    assert np.hypot(one.x - same.x, one.y - same.y) < 0.05 and one.fwhm == pytest.approx(same.fwhm, rel=0.1)
    level = found.sky.model.mean() / usual.sky.model.mean()
    assert level == pytest.approx(1.0, abs=0.02)


def star_file(folder: Path, name: str, done: ReducedChannel, by: float) -> Path:
    """The flux of a star as the reduction has it, times a factor."""
    spectrum = done.value("spectrum")
    wave = spectrum.wave[::20]
    flux = np.maximum(np.interp(wave, spectrum.wave, spectrum.flux), 1) * FLUX_UNIT * by
    path = folder / f"{name}.dat"
    path.write_text("# wavelength flux\n" + "\n".join(f"{w:.3f} {f:.6e}" for w, f in zip(wave, flux)))
    return path


def test_a_standard_star_gives_the_response(reduced, night, tmp_path, monkeypatch):
    done = reduced[1]
    index = index_night(str(night[0]), "lrs2")
    monkeypatch.setattr(elsewhere, "reduce_channel", lambda *_, **__: done)
    (exposure,) = index.of_kind("sci", "orange")
    with pytest.raises(MissingDataError, match="no flux of the star TARGET_056_E is known"):
        new_response(index, exposure, "orange", Tables("lrs2", str(tmp_path)))
    star_file(tmp_path, "target", done, 1.25)
    tables = Tables("lrs2", str(tmp_path))
    params, more, notes = lent(Elsewhere(standard=(DATE, OBSERVATION)), index, "orange", tables)
    curve, old = more["star"].value, done.setup.response
    inner = (curve.wave > 4750) & (curve.wave < 6800)
    ratio = curve.value[inner] / np.interp(curve.wave[inner], old.wave, old.value)
    assert np.median(ratio) == pytest.approx(1.25, abs=0.01) and np.ptp(ratio) < 0.06
    assert params["curve"].curve == "star" and "known to" in notes[0] and "TARGET_056_E" in curve.source
    assert nearest_star(index, exposure, "orange", tables) is exposure
    with pytest.raises(MissingDataError, match="no star with a known flux"):
        nearest_star(index, exposure, "orange", Tables("lrs2"))
    (tmp_path / "target.dat").write_text("5000 bright\n6000 1e-15\n")
    with pytest.raises(FileFormatError, match="no wavelengths with fluxes"):
        tables.star_flux("TARGET_056_E")
    with pytest.raises(MissingDataError, match="no science exposure 99"):
        lent(Elsewhere(sky=(DATE, 99)), index, "orange", tables)
