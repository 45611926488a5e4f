"""Bad raw frames: one clear sentence each, and what can be done is done."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from ifuview.app.night.reduction.calibrate import key_of, odd
from ifuview.app.night.reduction.channel import ReducedChannel
from ifuview.app.night.reduction.elsewhere import Elsewhere
from ifuview.app.night.reduction.products import positions
from ifuview.app.night.reduction.run import reduce_lrs2
from ifuview.app.night.reduction.setup import given
from ifuview.commands import run as commands
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.exit_codes import BAD_INPUT, FOUND
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_index import index_night
from ifuview.model.verdict import VerdictState
from ifuview.recipes.graph import Given, StepResult, run
from ifuview.recipes.lrs2.judge import judged
from ifuview.recipes.lrs2.recipe import RECIPE
from tests.app.night.reduction.conftest import DATE


@dataclass
class Broken:
    """The amplifiers of a night, one or all of them read otherwise."""

    done: ReducedChannel
    how: str
    name: str = ""

    def __call__(self, amplifier):
        raw = self.done.setup.read(amplifier)
        if self.name and amplifier.name != self.name:
            return raw
        if self.how == "cut":
            raise FileFormatError("is cut short", amplifier.path)
        if self.how == "gainless":
            return replace(raw, notes=("the header has no gain: 0.85 e/ADU is taken",))
        value = {"zero": 0, "full": 65535}[self.how]
        return replace(raw, data=np.full_like(raw.data, value), overscan=np.full_like(raw.overscan, value))


def science_of(night, done: ReducedChannel, how: str, name: str = "") -> StepResult:
    """The science frame where amplifiers are broken; calibrations as they are."""
    index = index_night(str(night[0]), "lrs2")
    (exposure,) = index.of_kind("sci", "orange")
    inputs, _ = given(index, done.setup, exposure)
    setup = replace(done.setup, read=Broken(done, how, name))
    known = {step: done.steps[step] for step in ("biases", "dark", "response")}
    return run(RECIPE, {**inputs, "setup": Given(setup, how + name)}, wanted=("science",), known=known)["science"]


@pytest.mark.parametrize(
    ("how", "said"),
    [("zero", "most counts are zero"), ("full", "it is saturated"), ("cut", "no amplifier can be read")],
)
def test_an_exposure_without_a_usable_pixel_says_why(night, reduced, how, said):
    found = science_of(night, reduced[1], how)
    assert found.value is None and said in found.reason and found.reason.count(". ") <= 1


@pytest.mark.parametrize(("how", "said"), [("zero", "100 % zero"), ("cut", "cannot be read")])
def test_one_broken_amplifier_is_masked_named_and_the_other_kept(night, reduced, how, said):
    done = reduced[1]
    name = done.setup.amplifiers[1]
    found = science_of(night, done, how, name)
    steps = {**done.steps, "science": found}
    (verdict,) = judged(steps, done.setup, ("science",))
    assert verdict.state is VerdictState.WRONG and f"amplifier {name} {'is ' * (how == 'zero')}{said}" in verdict.text
    usable, half = found.value.frame.usable(), done.setup.shape[0]
    assert not usable[half:].any() and usable[:half].mean() > 0.99
    assert any(name in note or "zero" in note for note in odd(steps, ("science",)))
    wrong = replace(done, steps=steps, verdicts=(verdict,)).wrong
    assert len(wrong) == 1 and wrong[0].startswith("orange 0000007 exp01: raw: amplifier")


def test_a_lamp_that_an_amplifier_lacks_is_said_and_the_other_lamp_serves(night, reduced):
    whole = index_night(str(night[0]), "lrs2")
    (exposure,) = whole.of_kind("sci", "orange")

    def half(one):
        lit = one.object == "Hg_B"
        kept = tuple(a for a in one.amplifiers if not (lit and a.name == "RU"))
        return replace(one, amplifiers=kept, missing=(("orange", "RU"),) if lit else one.missing)

    some = replace(whole, exposures=tuple(half(one) for one in whole.exposures))
    inputs, notes = given(some, reduced[1].setup, exposure)
    assert [note for note in notes if "Hg" in note] == ["Hg_B: orange RU is missing"]
    known = {name: reduced[1].steps[name] for name in ("biases", "flat", "traces", "profile")}
    wave = run(RECIPE, inputs, wanted=("wave",), known=known)["wave"].value
    off = (wave.wave - reduced[1].value("wave").wave)[: wave.wave.shape[0] // 2, 200:-200]
    assert np.nanmax(np.abs(off)) < 0.1  # a tenth of a pixel: other lines tell it


def test_what_is_taken_from_a_default_is_said_of_its_amplifier(night, reduced):
    found = science_of(night, reduced[1], "gainless", "RU")
    said = [note for note in odd({"science": found}, ("science",)) if "no gain" in note]
    assert said == ["orange RU of 0000007 exp01: the header has no gain: 0.85 e/ADU is taken."]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("cmp",), "there are no arcs of the lamps"),
        (("twi",), "no twilight and no lamp flat has usable light"),
        (("zro",), ""),
    ],
)
def test_a_kind_of_calibrations_that_is_not_there_is_named(night, reduced, kinds, said):
    whole = index_night(str(night[0]), "lrs2")
    (exposure,) = whole.of_kind("sci", "orange")
    some = type(whole)(whole.path, whole.instrument, tuple(e for e in whole.exposures if e.kind not in kinds))
    inputs, _ = given(some, reduced[1].setup, exposure)
    known = {} if "cmp" not in kinds else {n: reduced[1].steps[n] for n in ("biases", "flat", "traces", "profile")}
    wanted = ("arcs",) if "cmp" in kinds else ("flat",)
    found = run(RECIPE, inputs, wanted=wanted, known=known)
    last = found[wanted[0]]
    assert (last.value is None) is bool(said) and said in last.reason
    if not said:
        assert any("overscan alone" in note for note in odd(found, ("biases",)))
    assert key_of(inputs, None) != key_of(given(whole, reduced[1].setup, exposure)[0], None)


def test_an_unknown_exposure_time_is_refused(reduced):
    done = reduced[1]
    timeless = replace(done.steps["science"], value=replace(done.value("science"), exptime=float("nan")))
    known = {**{name: one for name, one in done.steps.items() if name in ("spectra", "drift", "response")}}
    own = {"setup": Given(done.setup, "own"), "science_raw": Given(done.exposure, "own")}
    found = run(RECIPE, own, wanted=("sky",), known={**known, "science": timeless})
    assert "exposure time is not known; the header needs EXPTIME" in found["flux"].reason
    assert "exposure time is not known" in found["sky"].reason  # other exposures go on


@pytest.mark.parametrize(("table", "said"), [("# nothing\n", "it is empty"), ("066 1 2 3\n", "is no table")])
def test_without_a_table_of_the_focal_plane_fibers_have_no_place_on_the_sky_and_that_is_said(
    reduced, tmp_path, table, said
):
    done = reduced[1]
    (tmp_path / "fplane.txt").write_text(table)
    places, notes = positions(done.setup, done.exposure, done.header, Tables("lrs2", str(tmp_path)))
    assert np.isfinite(places[:, :2]).all() and np.isnan(places[:, 2:]).all()
    assert len(notes) == 1 and said in notes[0] and notes[0].endswith("Fibers have no place on the sky.")


def test_exit_codes_tell_wrong_from_lost(reduced, night, monkeypatch, capsys):
    done = reduced[1]
    bad = replace(next(one for one in done.verdicts if one.step == "science"), state=VerdictState.WRONG, text="gone")
    lost = {**done.steps, "field": replace(done.steps["field"], value=None, reason="no light")}
    words = ["lrs2", "-d", str(DATE), "--baseraw", str(night[0]), "--no-report"]
    for one, code in ((replace(done, verdicts=(bad,)), FOUND), (replace(done, steps=lost), BAD_INPUT)):
        monkeypatch.setattr("ifuview.app.night.reduction.run.reduce_lrs2", lambda *_, one=one, **__: (one,))
        assert commands.command("reduce", words) == code
    assert "wrong: orange 0000007 exp01: raw: gone" in capsys.readouterr().err


def test_what_is_taken_from_an_exposure_that_is_not_there_is_refused_before_anything_is_made(night, tmp_path):
    with pytest.raises(MissingDataError, match=r"no science exposure 99 of 20240801 with orange \(sky\)"):
        reduce_lrs2(DATE, ("orange",), baseraw=str(night[0]), output=str(tmp_path), elsewhere=Elsewhere(sky=(DATE, 99)))
    assert not list(tmp_path.iterdir())
