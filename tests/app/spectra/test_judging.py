"""Spectra of no chain have a verdict as they are opened: in words with fibers and wavelengths, marked, as a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from ifuview.app import intents as want
from ifuview.app import verdict
from ifuview.app.judging import show_problem
from ifuview.app.reporting.tables import save_table
from ifuview.app.session import Session
from ifuview.app.spectra.judging import first_verdict, judged_image
from ifuview.app.spectra.state import JudgedSpectra
from ifuview.app.spectra.views.verdict import fibers_words
from ifuview.engine.spectra.judge import OF_SINGLE
from ifuview.model.verdict import VerdictState
from tests.app.runner import Runner

NFIBER, NWAVE = 60, 700


@pytest.fixture
def opened(tmp_path):
    """Open spectra of an instrument without chain, with something planted in flux and errors; the runner."""

    def run(plant) -> Runner:
        rng = np.random.default_rng(8)
        flux, ivar = rng.normal(40, 2, (NFIBER, NWAVE)), np.full((NFIBER, NWAVE), 0.25)
        plant(flux, ivar)
        header = fits.Header({"CRVAL1": 5000.0, "CDELT1": 2.0, "CTYPE1": "WAVE", "CUNIT1": "Angstrom", "CRPIX1": 1.0})
        path = tmp_path / "spectra.fits"
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(flux.astype("f4"), header, "FLUX"), fits.ImageHDU(ivar, name="IVAR")]
        fits.HDUList(hdus).writeto(path)
        runner = Runner(Session())
        runner.ask(want.OpenFile(str(path)))
        return runner

    return run


def test_spectra_in_which_nothing_is_wrong_say_what_was_not_asked(opened):
    bar = verdict.make(opened(lambda flux, ivar: None).session)
    assert bar.state is VerdictState.LOOK and bar.headline == "SPECTRA: nothing found in 60 fibers"
    assert "sky (it is in these spectra)" in bar.detail
    assert bar.judged == "judged 60 of 60 fibers by themselves, 100 % of their pixels"
    assert not bar.dock


def test_of_spectra_without_a_verdict_it_is_not_said_that_no_problem_was_found(opened):
    session = opened(lambda flux, ivar: None).session
    assert show_problem(session, want.ShowProblem(step=1)).messages[-1].text == "no problem was found"
    slot = session.slot()
    unasked = session.with_slot(replace(slot, judged=None))
    assert show_problem(unasked, want.ShowProblem(step=1)).messages[-1].text == "nothing was judged yet"


def test_the_place_that_the_bar_speaks_of_is_marked_where_only_a_look_is_wanted_too(opened):
    def plant(flux, ivar):
        ivar[[3, 4, 5]] = 0

    session = opened(plant).session
    assert verdict.make(session).state is VerdictState.LOOK and session.proof.fibers == (3, 4, 5)
    assert session.selection.fiber is None


def test_the_worst_is_named_and_marked_and_the_next_is_one_step_away(opened, tmp_path):
    def plant(flux, ivar):
        flux[12] -= 39.9
        ivar[[3, 4, 5, 50]] = 0

    runner = opened(plant)
    bar = verdict.make(runner.session)
    assert bar.state is VerdictState.WRONG
    assert bar.headline == "SPECTRA wrong: fiber 12 without light"
    assert runner.session.proof.fibers == (12,)
    runner.ask(want.ShowProblem(step=1))
    bar = verdict.make(runner.session)
    assert bar.headline == "SPECTRA look: fibers 3\u20135, 50 without data"
    assert runner.session.selection.fibers == (3, 4, 5, 50)
    save_table(runner.session, "findings", str(tmp_path / "f.ecsv"))
    table = Table.read(tmp_path / "f.ecsv")
    assert list(table["fault"]) == ["dark", "without data"] and list(table["fibers"]) == ["12", "3 4 5 50"]


def test_without_a_window_the_table_judges(opened, tmp_path):
    session = opened(lambda flux, ivar: flux.__setitem__(20, 0.0)).session
    session = session.with_slot(replace(session.slot(), judged=None))
    save_table(session, "findings", str(tmp_path / "f.csv"))
    assert list(Table.read(tmp_path / "f.csv")["fault"]) == ["constant"]


def test_other_pixels_are_judged_anew(opened, tmp_path):
    runner = opened(lambda flux, ivar: flux.__setitem__(20, 0.0))
    assert verdict.make(runner.session).state is VerdictState.WRONG
    path = tmp_path / "spectra.fits"
    with fits.open(path) as file:
        hdus = [hdu.copy() for hdu in file]
    hdus[1].data[20] = hdus[1].data[21]
    fits.HDUList(hdus).writeto(path, overwrite=True)
    runner.ask(want.Reload(runner.session.current))
    assert verdict.make(runner.session).state is VerdictState.LOOK


def test_many_fibers_are_counted_not_listed(opened):
    image = opened(lambda flux, ivar: None).session.slot().image
    assert fibers_words(image, (0, 2, 4, 6, 7, 9, 20)) == "fibers 0, 2, 4, 6\u20137 and 2 more"


def test_a_judgement_that_fails_or_is_stopped_is_said_and_can_be_begun_again(opened):
    session = opened(lambda flux, ivar: None).session
    session = session.with_slot(replace(session.slot(), judged=None))
    (task,) = first_verdict(session, session.slot())
    assert verdict.make(session).state is VerdictState.JUDGING
    for left in (task.failed(session, MemoryError()), task.stopped(session)):
        assert verdict.make(left).state is VerdictState.NOT_JUDGED
        runner = Runner(left)
        runner.ask(want.Judge())
        assert verdict.make(runner.session).headline.startswith("SPECTRA")


def test_a_sky_that_one_fiber_kept_is_never_called_clean(opened):
    """Of one fiber it looks as a source: nobody asked for it, and the bar says so."""

    def plant(flux, ivar):
        flux -= 40
        flux[20] += 40

    session = opened(plant).session
    image = replace(session.slot().image, about_zero=True)
    judged = JudgedSpectra(image, judged_image(image))
    bar = verdict.make(session.with_slot(replace(session.slot(), image=image, judged=judged)))
    assert bar.state is VerdictState.LOOK and OF_SINGLE in bar.detail
