"""An observation reduced to its products: all files or none, what is wrong with single heads in words."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from ifuview.app.night.virus import shot as running
from ifuview.app.night.virus.heads import FirstTurn, HeldHeads, around, lenders_of, put_aside
from ifuview.app.night.virus.inputs import ShotInputs, shot_inputs, simulated_source
from ifuview.app.night.virus.request import TOLD, HeadSummary, ReducedShot, ShotRequest, SourceRequest, told_line
from ifuview.cli import main
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FitError, IfuviewError, JobCancelled, MissingDataError, UsageError
from ifuview.instrument.tables import Tables
from ifuview.io.night.raw_units import with_gains
from ifuview.model.night.raw import RawAmplifier, RawExposure
from ifuview.model.reduction.detection import LINE, NO_DOUBT, Detection, Doubt
from ifuview.model.reduction.placed import PlacedDetection
from ifuview.model.reduction.products import ReductionRecord
from ifuview.recipes.graph import Given, run
from ifuview.recipes.virus.head import make_head_flux
from ifuview.recipes.virus.light.sky import HeadSkyParams
from ifuview.recipes.virus.light.stars import SolutionParams
from ifuview.recipes.virus.shot import FIRST, HEAD
from ifuview.recipes.virus.shot_values import HeadPictures
from tests.recipes.virus_heads import Night, make_night


@pytest.fixture(scope="module")
def night() -> Night:
    return make_night()


@pytest.fixture
def detectors(night, monkeypatch, tmp_path) -> ShotRequest:
    """The detector half is replaced by exposures with known truth; slot 048 has none."""
    raw = tuple(
        RawExposure(
            20190822, 11, n, "sci", "FIELD", 360.0,
            amplifiers=tuple(RawAmplifier("x", f"{s}L", "LL", s, header=night.header) for s in ("046", "047", "048")),
        )
        for n in (1, 2, 3)
    )  # fmt: skip

    def one_slot(exposures, slot, *args, **more):
        if slot not in night.heads:
            raise MissingDataError("both amplifiers are broken", slot)
        return night.heads[slot]

    inputs = ShotInputs(
        Tables("virus"), Given(night.setup, "setup"), night.catalog, SolutionParams(), ReductionRecord(version="1")
    )
    monkeypatch.setattr(running, "observation", lambda *args: raw)
    monkeypatch.setattr(running, "reduce_slot", one_slot)
    monkeypatch.setattr(running, "shot_inputs", lambda *args: inputs)
    cals = tmp_path / "cals.h5"
    row = np.zeros(1, [("amp", "S2"), ("ifuslot", "i4"), ("trace", "f4", (2, 4)), ("wavelength", "f4", (2, 4))])
    with h5py.File(cals, "w") as file:
        file["Cals"] = row
    return ShotRequest(
        date=20190822, observation=11, slots=("047", "048"), calibrations=str(cals), root=str(tmp_path),
        output=str(tmp_path / "out"),
    )  # fmt: skip


def test_products_of_good_heads_are_written_and_others_say_why(detectors, capsys):
    words = ["20190822", "11", "047,48", detectors.calibrations, "-r", detectors.root, "-O", detectors.output]
    assert main(["reduce", "virus", *words, "-s", "-sx", "4", "-sy", "4"]) == 3
    said = capsys.readouterr().out
    assert "048: not reduced: both amplifiers are broken" in said and "047: 5 stars of the catalog" in said
    assert "fluxes brought to the catalog's g by" in said and "light of the exposures 1.0" in said
    assert f"written: {Path(detectors.output, '20190822_0000011.h5')} and 9 more" in said
    assert {path.name for path in Path(detectors.output).iterdir()} == {
        "20190822_0000011.h5", "20190822_0000011_047.fits", "20190822_0000011_047_cube.fits",
        "20190822_0000011_047_error_cube.fits", "20190822_0000011_047_cube_sim.fits", "20190822_0000011_recon.png",
        "astrometry_20190822_0000011.png", "mag_offset_20190822_0000011.png", "20190822_0000011_qa.html",
        "20190822_0000011_qa.json",
    }  # fmt: skip
    with h5py.File(Path(detectors.output, "20190822_0000011.h5")) as file:
        survey, stars = file["Survey"][()], file["MatSpectra"][()]
        assert file["Fibers"].shape == (3 * 224,) and survey["name"][0] == b"FIELD"
    assert survey["throughput"] == pytest.approx(np.array([1.0, 0.93, 1.06]) / np.mean([1.0, 0.93, 1.06]), rel=0.01)
    assert np.abs(stars["syngmag"] - stars["gmag"])[stars["gmag"] < 19].max() < 0.05
    assert np.hypot(stars["fx"] - stars["catfx"], stars["fy"] - stars["catfy"]).max() < 0.3
    assert stars["image"][0].sum() > 0


def test_the_most_significant_lines_are_told_with_place_light_and_doubts() -> None:
    def placed(wave: float, sn: float, doubts: Doubt = NO_DOUBT) -> PlacedDetection:
        nothing = np.zeros(0, np.float32)
        one = Detection(
            LINE, 8.8, -17.9, wave, 55.6, sn, 1.0, 6.0, nothing, nothing, nothing, wave_error=0.2, flux_error=2.9,
            doubts=doubts,
        )  # fmt: skip
        return PlacedDetection(one, 305.2762, 28.0582, 0.0, 0.0)

    lines = [placed(4000.0 + n, 6.0 + n) for n in range(TOLD + 2)] + [placed(4305.6, 30.0, Doubt.EDGE)]
    heads = tuple(
        HeadSummary("046", found=tuple((one.detection.sn, told_line("046", one)) for one in lines)) for _ in "1"
    )
    said = ReducedShot(ShotRequest(date=1, observation=1, slots=("046",), calibrations=""), heads).more
    assert said[0] == (
        "line 4305.6 +- 0.2 A at +8.8, -17.9 arcsec of 046 (305.27620 +28.05820): 55.6 +- 2.9e-17 erg/s/cm2, "
        "30.0 sigma; at the edge of the field"
    )
    assert len(said) == TOLD + 1 and said[-1] == "and 3 fainter lines, see Detections"


def test_nothing_is_written_by_a_canceled_run(detectors):
    def stop(fraction: float, text: str) -> None:
        if fraction > 0.6:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        running.reduce_shot(replace(detectors, slots=("047",)), JobContext(stop))
    assert not Path(detectors.output).exists() or not list(Path(detectors.output).iterdir())


def test_a_slot_that_is_not_there_is_named(detectors):
    with pytest.raises(MissingDataError, match="no exposure has anything of slot 101; it has 046, 047, 048"):
        running.reduce_shot(replace(detectors, slots=("101",)))
    with pytest.raises(MissingDataError, match="no fiber head could be reduced"):
        running.reduce_shot(replace(detectors, slots=("048",)))
    with pytest.raises(MissingDataError, match="reduce virus-cal"):
        running.reduce_shot(replace(detectors, calibrations="nowhere.h5"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"calibrations": "text.h5"}, "text.h5: cannot be read as HDF5"),
        ({"calibrations": "other.h5"}, "other.h5: is no calibration file: it has no table /Cals"),
        ({"ra": 400.0}, "ra: 400 is no place on the sky; give 0 to 360 degrees"),
        ({"source": SourceRequest(file="text.h5")}, "text.h5: is no spectrum of two columns"),
        ({"output": "text.h5/out"}, "the products cannot be written"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_reduced(detectors, monkeypatch, tmp_path, words, why):
    monkeypatch.chdir(tmp_path)
    Path("text.h5").write_text("no numbers")
    with h5py.File("other.h5", "w") as file:
        file["Other"] = np.zeros(3)
    monkeypatch.setattr(running, "reduce_slot", None)
    with pytest.raises(IfuviewError, match=why):
        running.reduce_shot(replace(detectors, **words))
    assert {path.name for path in tmp_path.iterdir()} == {"cals.h5", "text.h5", "other.h5"}


def test_missing_pointing_and_exposures_are_said_and_the_guider_is_used(night, tmp_path):
    def seen(header, **more):
        amplifier = RawAmplifier("x", "047L", "LL", "047", header=header)
        return (RawExposure(20190822, 11, 1, "sci", "FIELD", 360.0, amplifiers=(amplifier,), **more),)

    request = ShotRequest(date=20190822, observation=11, slots=("047",), calibrations=str(tmp_path / "cals.h5"))
    nowhere = shot_inputs(request, str(tmp_path), seen({"OBJECT": "FIELD"}))
    assert nowhere.catalog is None and not np.isfinite(nowhere.setup_value.focal("047")).any()
    assert any("give -ra and -dec" in note for note in nowhere.wrong)
    plain = shot_inputs(request, str(tmp_path), seen(night.header))
    assert any("no guider files" in note and "transparency 1" in note for note in plain.notes)
    assert any("there are 1 of 3 exposures" in note and "dither" not in note for note in plain.wrong)
    third = replace(seen(night.header)[0], number=3)  # of a set whose second one is missing: where it lies is known
    gap = shot_inputs(request, str(tmp_path), (*seen(night.header), third))
    assert "there are 2 of 3 exposures" in gap.wrong
    second = shot_inputs(request, str(tmp_path), (*seen(night.header), replace(third, number=2)))
    assert any("dither is not known" in note for note in second.wrong)
    odd = replace(third, notes=("EXPTIME is -1 s: REXPTIME + 7 s is taken", third.amplifiers[0].trouble))
    assert "exposure 3: EXPTIME is -1 s: REXPTIME + 7 s is taken" in shot_inputs(request, str(tmp_path), (odd,)).wrong
    untold = shot_inputs(request, str(tmp_path), (*seen(night.header), third)).wrong
    assert any(one.startswith("047 LL, exposures 1, 3: no frame tells its gain, with 0.85 e/ADU") for one in untold)
    measured = shot_inputs(request, str(tmp_path), with_gains(seen(night.header), {("047", "LL"): (1.08, 0.013)})).wrong
    assert "047 LL, exposure 1: no frame tells its gain, 1.080 +- 0.013 e/ADU is taken, by its photon noise" in measured
    told = shot_inputs(request, str(tmp_path), seen({**night.header, "GAIN": 0.9})).wrong
    assert not any("gain" in one for one in told)
    guided = shot_inputs(request, str(tmp_path), seen(night.header, seeing=2.31, transparency=0.8))
    assert guided.guided == guided.pointing.seeing == 2.31
    assert any("seeing 2.31 arcsec, transparency 0.80" in note for note in guided.notes)


def test_neighbors_are_columns_and_rows_away():
    here = ("036", "046", "047", "058", "094")
    assert around(("047",), here, 0) == ("047",)
    assert around(("047",), here, 1) == ("047", "036", "046", "058")


def test_what_exposures_share_is_kept_aside_once(night, tmp_path):
    exposures = night.heads["047"]
    flux = make_head_flux(HEAD.step("flux").params, SILENT, night.setup, exposures)
    held = HeldHeads(str(tmp_path))
    held.put("047", FirstTurn(flux, None))
    back = held.get("047").response
    assert np.array_equal(back.exposures[1].spectra.flux, exposures[1].spectra.flux)
    assert back.exposures[1].fiber_flat is back.exposures[0].fiber_flat
    own = 3 * 6 * flux.flux[0].flux.nbytes  # flux, variance and mask, of electrons and of flux
    assert (tmp_path / "047.held").stat().st_size < 1.3 * own
    held.drop("047")
    assert not list(tmp_path.iterdir())


def test_a_head_full_of_light_takes_the_sky_of_the_nearest_that_sees_some(detectors, night):
    pictures = {slot: _pictures(night, slot) for slot in night.heads}
    full = replace(pictures["047"], crowded=True)
    far = replace(pictures["046"], slot="094", focal=(900.0, 900.0))
    assert lenders_of((full, far, pictures["046"])) == {"047": "046"}
    assert lenders_of((full,)) == {}
    shot = running.ShotReduction(detectors, running.observation(), running.shot_inputs(), detectors.root)
    for slot in ("046", "047"):
        shot.first(slot, False)
    shot.solve(JobContext())
    assert not any("046" in note for note in shot.second("047", "046").notes)  # it sees sky and needs no other
    shot.params |= {"first_sky": HeadSkyParams("others"), "sky": HeadSkyParams("others")}
    assert any("sky of 046" in note for note in shot.second("047", "046").notes)


def _pictures(night: Night, slot: str) -> HeadPictures:
    given = {"setup": Given(night.setup, "setup"), "exposures": Given(night.heads[slot], slot)}
    found = run(HEAD, given, wanted=FIRST)["pictures"].value
    assert isinstance(found, HeadPictures)
    return found


def test_a_spectrum_of_a_simulated_source_is_read(night, tmp_path):
    path = tmp_path / "line.txt"
    path.write_text("# wave flux\n3500 2e-17\n5500 4e-17\n")
    solution = type("Solved", (), {"optics": type("Optics", (), {"fwhm": 1.6})})
    found = simulated_source(SourceRequest(1.0, 2.0, file=str(path)), night.setup, solution)
    assert found.flux.tolist() == pytest.approx([2, 4]) and found.fwhm == 1.6
    path.write_text("no numbers\n")
    with pytest.raises(IfuviewError, match="two columns"):
        simulated_source(SourceRequest(file=str(path)), night.setup, solution)


@pytest.mark.parametrize("words", [["47,46"], ["047", "46"], ["047,046"]])
def test_slots_of_calibrations_may_be_given_as_those_of_an_observation(words, monkeypatch, tmp_path):
    asked = []

    def build(path, root, slots, *args):
        asked.extend(slots)
        raise MissingDataError("no frames", root)

    monkeypatch.setattr("ifuview.app.night.virus.calibration_file.build_calibrations", build)
    assert main(["reduce", "virus-cal", "c.h5", "-r", str(tmp_path), "-i", *words, "-sd", "20190822", "-dl", "1"]) == 2
    assert [slot.zfill(3) for slot in asked] == ["047", "046"]


def test_an_own_table_of_the_focal_plane_says_where_heads_lie_and_a_bad_one_stops_nothing(night, tmp_path):
    plane = tmp_path / "own.txt"
    plane.write_text("# slots\n047 -151.5 -252.5 308 998 024 1.5 1.000\n#046 -150 -150 309 998 005 1.5 1.000\n")
    amplifier = RawAmplifier("x", "047L", "LL", "047", header=night.header)
    raw = (RawExposure(20190822, 11, 1, "sci", "FIELD", 360.0, amplifiers=(amplifier,)),)
    cals = str(tmp_path / "cals.h5")
    asked = ShotRequest(date=20190822, observation=11, slots=("047",), calibrations=cals, plane=str(plane))
    found = shot_inputs(asked, str(tmp_path), raw)
    assert found.setup_value.focal("047") == (-252.5, -151.5)  # x and y of a head are swapped there
    assert np.isnan(found.setup_value.focal("046")).all()  # its row is a comment: the slot is empty
    assert shot_inputs(replace(asked, plane=""), str(tmp_path), raw).setup_value.focal("047") != (-252.5, -151.5)
    plane.write_text("047 here and there\n")
    lost = shot_inputs(asked, str(tmp_path), raw)
    assert np.isnan(lost.setup_value.focal("047")).all()
    assert any("focal plane" in note and "astrometry is off" in note for note in lost.wrong)


def test_a_head_that_fails_in_the_end_leaves_the_others_whole(detectors, monkeypatch):
    second = running.ShotReduction.second

    def failing(self, slot, *args):
        if slot == "047":
            raise FitError("its stars make no sense")
        return second(self, slot, *args)

    monkeypatch.setattr(running.ShotReduction, "second", failing)
    done = running.reduce_shot(replace(detectors, slots=("046", "047")))
    assert {one.slot: one.reason for one in done.heads} == {"047": "its stars make no sense", "046": ""}
    assert any(path.endswith("_046_cube.fits") for path in done.files)
    assert [text.partition(":")[0] for text in done.wrong] == ["046 LU is not used in exposures 1-3"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full disk to try")
def test_a_full_disk_is_said_in_one_sentence(monkeypatch, detectors):
    with pytest.raises(
        UsageError, match=r"what is kept aside meanwhile cannot be written \(.*\); choose a folder with"
    ):
        put_aside("/dev/full", np.ones(1 << 20))
    monkeypatch.setattr(HeldHeads, "_path", lambda *args: "/dev/full")
    with pytest.raises(MissingDataError, match="what is kept aside meanwhile cannot be written"):
        running.reduce_shot(replace(detectors, slots=("047",)))
